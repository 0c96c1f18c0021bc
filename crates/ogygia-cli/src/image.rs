//! The card image as JSON, in the form of the exchange vectors.

use ogygia::card::{Card, DirectoryHeader, File, FileHeader, FileType, Product, Sfi};
use serde_json::{Map, Value, json};

use crate::hex;

/// The image of `card`: a stable form that scripts may read.
#[must_use]
pub fn to_json(card: &Card) -> Value {
    let features = card.features();
    json!({
        "product_type": product(card.product()),
        "df_name": some_hex(card.df_name()),
        "serial_number": (card.product() != Product::Unknown || !card.df_name().is_empty())
            .then(|| hex::encode(&card.serial_number())),
        "startup_info": some_hex(card.startup_info().as_bytes()),
        "df_invalidated": card.invalidated(),
        "df_ratified": card.ratified(),
        "transaction_counter": card.transaction_counter(),
        "pin_attempts_remaining": card.pin_attempts_remaining(),
        "sv_balance": card.purse().map(|purse| purse.balance),
        "sv_last_tnum": card.purse().map(|purse| purse.transaction_number),
        "sv_load_log": card.file(Sfi::SV_LOAD_LOG).map(|log| hex::encode(log.record(1).unwrap_or_default())),
        "sv_debit_logs": debit_logs(card),
        "features": {
            "hce": features.hce,
            "extended": features.extended,
            "ratification_on_deselect": features.ratification_on_deselect,
            "sv": features.stored_value,
            "pin": features.pin,
            "pki": features.pki,
        },
        "directory_header": card.directory_header().map(directory),
        "traceability": hex::encode(card.traceability()),
        "card_public_key": card.card_public_key().map(|key| hex::encode(key)).unwrap_or_default(),
        "card_certificate": hex::encode(card.card_certificate()),
        "ca_certificate": hex::encode(card.ca_certificate()),
        "files": files(card),
    })
}

/// The name of a product in the vectors.
#[must_use]
pub fn product(product: Product) -> &'static str {
    match product {
        Product::PrimeRevision1 => "prime_revision_1",
        Product::PrimeRevision2 => "prime_revision_2",
        Product::PrimeRevision3 => "prime_revision_3",
        Product::Light => "light",
        Product::Basic => "basic",
        Product::Unknown => "unknown",
    }
}

/// The name of a file type in the vectors.
#[must_use]
pub fn file_type(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Linear => "linear",
        FileType::Binary => "binary",
        FileType::Cyclic => "cyclic",
        FileType::Counters => "counters",
        FileType::SimulatedCounters => "simulated_counters",
    }
}

fn some_hex(bytes: &[u8]) -> Option<String> {
    (!bytes.is_empty()).then(|| hex::encode(bytes))
}

fn debit_logs(card: &Card) -> Vec<String> {
    let log = card.file(Sfi::SV_DEBIT_LOG);
    log.iter().flat_map(File::records).map(|(_, record)| hex::encode(record)).collect()
}

fn directory(header: &DirectoryHeader) -> Value {
    json!({
        "lid": header.lid.to_string(),
        "df_status": hex::encode(&[header.df_status]),
        "access_conditions": hex::encode(&header.access_conditions),
        "key_indexes": hex::encode(&header.key_indexes),
        "kif": header.kif.map(|kif| kif.to_string()),
        "kvc": header.kvc.map(|kvc| kvc.to_string()),
    })
}

fn files(card: &Card) -> Vec<Value> {
    let mut files: Vec<File<'_>> = card.files().iter().collect();
    files.sort_by_key(|file| (file.sfi(), file.header().map(|header| header.lid)));
    files.iter().map(file).collect()
}

fn file(file: &File<'_>) -> Value {
    let records: Map<String, Value> =
        file.records().map(|(number, record)| (number.to_string(), hex::encode(record).into())).collect();
    json!({ "sfi": file.sfi().0, "header": file.header().map(header), "records": records })
}

fn header(header: &FileHeader) -> Value {
    json!({
        "lid": header.lid.to_string(),
        "type": file_type(header.file_type),
        "records_number": header.records_number,
        "record_size": header.record_size,
        "access_conditions": header.access_conditions.map(|bytes| hex::encode(&bytes)),
        "key_indexes": header.key_indexes.map(|bytes| hex::encode(&bytes)),
        "df_status": header.df_status.map(|byte| hex::encode(&[byte])),
        "shared_reference": header.shared_reference.map(|reference| format!("{reference:04X}")),
    })
}
