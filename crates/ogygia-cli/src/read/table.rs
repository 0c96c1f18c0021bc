//! The card image as text.

use std::fmt;
use std::io::{self, Write};

use ogygia::card::{Card, DirectoryHeader, File, FileHeader, FileType, Kif, Level, SessionBudget, Sfi};
use ogygia::pki::{CaCertificate, CardCertificate, PkiError};

use crate::explain::card::{content, place, product};
use crate::hex;
use crate::pki;
use crate::ticketing::application::has_known_structure;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};

/// What a group of commands needs: specification 07, "Access condition".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Always,
    Never,
    Pin,
    Session(u8),
    Ciphered(u8),
    Other(u8),
}

impl Access {
    /// What a group needs, if the card told.
    pub(super) fn of(header: &FileHeader, group: usize) -> Option<Self> {
        let condition = *header.access_conditions?.get(group)?;
        let key = *header.key_indexes?.get(group)?;
        Some(match condition {
            0x1F => Self::Always,
            0x00 => Self::Never,
            0x01 => Self::Pin,
            0x10 | 0x12 => Self::Session(key),
            0x14 | 0x15 => Self::Ciphered(key),
            other => Self::Other(other),
        })
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Always => f.pad("always"),
            Self::Never => f.pad("never"),
            Self::Pin => f.pad("PIN"),
            Self::Session(key) => f.pad(&format!("key {key}")),
            Self::Ciphered(key) => f.pad(&format!("key {key}, ciphered")),
            Self::Other(byte) => f.pad(&format!("{byte:02X}")),
        }
    }
}

/// Writes all that is known of the card.
pub(super) fn write(card: &Card, out: &mut dyn Write) -> io::Result<()> {
    identity(card, out)?;
    certificates(card, out)?;
    let files: Vec<_> = card.files().iter().collect();
    let known = has_known_structure(card);
    overview(&files, known, out)?;
    files.iter().try_for_each(|file| records(file, known, out))
}

fn identity(card: &Card, out: &mut dyn Write) -> io::Result<()> {
    let startup = card.startup_info();
    let budget = match card.session_budget() {
        SessionBudget::Bytes(bytes) => format!("{bytes} bytes"),
        SessionBudget::Commands(commands) => format!("{commands} commands"),
    };
    let state = if card.invalidated() { "invalidated" } else { "valid" };
    let name = if card.df_name().is_empty() { "without a name".to_owned() } else { hex::encode(card.df_name()) };
    line(out, "application", &format!("{name}, {state}"))?;
    line(out, "product", product(card.product()))?;
    line(out, "serial number", &hex::encode(&card.full_serial_number()))?;
    line(out, "startup info", &hex::encode(startup.as_bytes()))?;
    line(out, "file structure", &format!("{:02X}", startup.application_subtype()))?;
    line(out, "features", &features(card))?;
    line(out, "limits", &format!("a session modifies {budget}, a command takes {} bytes", card.payload_capacity()))?;
    match card.directory_header() {
        Some(header) => line(out, "keys", &keys(header)),
        None => Ok(()),
    }
}

/// What the certificates say. Nobody has verified them: that takes a root key.
fn certificates(card: &Card, out: &mut dyn Write) -> io::Result<()> {
    let shown = |out: &mut dyn Write, read: Result<Vec<(&str, String)>, PkiError>| {
        writeln!(out)?;
        match read {
            Ok(rows) => rows.iter().try_for_each(|(name, value)| writeln!(out, "{name:<18}{value}")),
            Err(error) => writeln!(out, "a certificate that is malformed: {error}"),
        }
    };
    if let Some(key) = card.card_public_key() {
        line(out, "public key", &hex::encode(key))?;
    }
    if !card.card_certificate().is_empty() {
        shown(out, CardCertificate::parse(card.card_certificate()).map(|read| pki::card_says(&read)))?;
    }
    if !card.ca_certificate().is_empty() {
        shown(out, CaCertificate::parse(card.ca_certificate()).map(|read| pki::authority_says(&read)))?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(out, "{name:<16}{value}")
}

fn features(card: &Card) -> String {
    let features = card.features();
    let all = [
        (features.pin, "PIN"),
        (features.stored_value, "Stored Value"),
        (features.extended, "extended mode"),
        (features.pki, "PKI"),
        (features.hce, "phone"),
        (features.ratification_on_deselect, "ratifies when it leaves"),
    ];
    let own: Vec<_> = all.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    if own.is_empty() { "none".to_owned() } else { own.join(", ") }
}

fn keys(header: &DirectoryHeader) -> String {
    let roles = Level::ALL.iter().zip(["issuer", "load", "debit"]);
    let key = |(level, role): (&Level, &str)| match (header.kif(*level), header.kvc(*level)) {
        // Old cards do not tell.
        (Kif(0), kvc) => format!("{role} KVC {kvc}"),
        (kif, kvc) => format!("{role} KIF {kif} KVC {kvc}"),
    };
    roles.map(key).collect::<Vec<_>>().join(", ")
}

fn overview(files: &[File<'_>], known: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\n{:<6}{:<5}{:<16}{:<20}{:>8}{:>6}   {:<10}{:<10}{:<10}append",
        "LID", "SFI", "name", "type", "records", "size", "read", "update", "write"
    )?;
    for file in files {
        let Some(header) = file.header() else { continue };
        writeln!(
            out,
            "{:<6}{:<5}{:<16}{:<20}{:>8}{:>6}   {:<10}{:<10}{:<10}{}",
            header.lid.to_string(),
            file.sfi().to_string(),
            name(file, known),
            type_name(header.file_type),
            header.records_number,
            header.record_size,
            access(header, 0),
            access(header, 1),
            access(header, 2),
            access(header, 3),
        )?;
    }
    Ok(())
}

fn access(header: &FileHeader, group: usize) -> String {
    Access::of(header, group).map_or_else(|| "?".to_owned(), |access| access.to_string())
}

/// The name of a file that the ticketing application knows.
fn name(file: &File<'_>, known: bool) -> String {
    let own = TicketingFile::from_sfi(file.sfi()).is_some() || file.sfi() == CONTRACT_LIST;
    if known && own { place(file.sfi()) } else { String::new() }
}

const fn type_name(file_type: FileType) -> &'static str {
    match file_type {
        FileType::Linear => "linear",
        FileType::Binary => "binary",
        FileType::Cyclic => "cyclic",
        FileType::Counters => "counters",
        FileType::SimulatedCounters => "simulated counter",
    }
}

fn records(file: &File<'_>, known: bool, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", title(file, known))?;
    let mut empty = true;
    for (number, record) in file.records() {
        empty = false;
        bytes(number, record, out)?;
        if known && TicketingFile::from_sfi(file.sfi()).is_some() {
            writeln!(out, "       {}", content(file.sfi(), record))?;
        }
    }
    if empty { writeln!(out, "       not read: {}", why_not(file)) } else { Ok(()) }
}

/// A record, in several lines when it is long; zeros at its end are only counted then.
fn bytes(number: u32, record: &[u8], out: &mut dyn Write) -> io::Result<()> {
    const LINE: usize = 64;
    let used = record.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let (used, zeros) = if record.len() <= LINE { (record.len(), 0) } else { (used, record.len() - used) };
    for (index, line) in record.get(..used).unwrap_or_default().chunks(LINE).enumerate() {
        match index {
            0 => writeln!(out, "  {number:>3}  {}", hex::encode(line))?,
            _ => writeln!(out, "       {}", hex::encode(line))?,
        }
    }
    match (used, zeros) {
        (_, 0) => Ok(()),
        (0, zeros) => writeln!(out, "  {number:>3}  {zeros} bytes of 00"),
        (_, zeros) => writeln!(out, "       and {zeros} bytes of 00"),
    }
}

fn title(file: &File<'_>, known: bool) -> String {
    match (name(file, known), file.sfi(), file.header()) {
        (name, sfi, _) if !name.is_empty() => format!("{name} ({sfi})"),
        (_, Sfi::CURRENT, Some(header)) => format!("file {}", header.lid),
        (_, sfi, _) => format!("file {sfi}"),
    }
}

fn why_not(file: &File<'_>) -> String {
    let Some(header) = file.header() else { return "the card refused".to_owned() };
    match Access::of(header, 0) {
        Some(Access::Always) => "the card refused".to_owned(),
        Some(other) => format!("reading needs {other}"),
        None => "the card does not tell what reading needs".to_owned(),
    }
}
