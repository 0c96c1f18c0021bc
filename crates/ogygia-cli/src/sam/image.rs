//! The SAM image in the form of the vectors.

use ogygia::sam::{COUNTERS, IncrementAccess, KeyReference, SamImage, SamProduct, SystemKey};
use serde_json::{Map, Value, json};

use crate::hex;

/// The image, with the parameters of the work keys that were asked for.
pub(crate) fn to_json(image: &SamImage, work_keys: &[KeyReference]) -> Value {
    let sam = image.sam();
    let byte = |byte: u8| format!("{byte:02X}");
    let key = |key| image.key_parameters(key).map(|parameters| hex::encode(parameters.as_bytes()));
    let system = |system| key(KeyReference::System(system));
    let work_keys: Map<_, _> = work_keys.iter().map(|work| (name(*work), key(*work).into())).collect();
    json!({
        "product_type": product(sam.product),
        "serial_number": hex::encode(&sam.serial_number),
        "platform": byte(sam.platform),
        "application_type": byte(sam.application_type),
        "application_subtype": byte(sam.application_subtype),
        "software_issuer": byte(sam.software_issuer),
        "software_version": byte(sam.software_version),
        "software_revision": byte(sam.software_revision),
        "counters": by_counter(|counter| image.counter(counter)),
        "ceilings": by_counter(|counter| image.ceiling(counter)),
        "increment_access": by_counter(|counter| image.increment_access(counter).map(access)),
        "parameters": image.parameters().map(|parameters| hex::encode(parameters)),
        "system_keys": {
            "personalization": system(SystemKey::Personalization),
            "key_management": system(SystemKey::KeyManagement),
            "reloading": system(SystemKey::Reloading),
            "authentication": system(SystemKey::Authentication),
        },
        "work_keys": work_keys,
        "ca_certificate": image.ca_certificate().map(|certificate| hex::encode(certificate)),
    })
}

fn by_counter<T: Into<Value>>(value: impl Fn(u8) -> Option<T>) -> Value {
    let known = (0..COUNTERS).filter_map(|counter| Some((counter.to_string(), value(counter)?.into())));
    Value::Object(known.collect())
}

fn name(key: KeyReference) -> String {
    match key {
        KeyReference::Record(record) => format!("#{record}"),
        KeyReference::Work(id) => format!("{}{}", id.kif, id.kvc),
        KeyReference::System(system) => system.to_string(),
    }
}

const fn access(access: IncrementAccess) -> &'static str {
    match access {
        IncrementAccess::Free => "free",
        IncrementAccess::Protected => "protected",
    }
}

const fn product(product: SamProduct) -> &'static str {
    match product {
        SamProduct::SamC1 => "sam_c1",
        SamProduct::HsmC1 => "hsm_c1",
        SamProduct::SamS1E1 => "sam_s1e1",
        SamProduct::SamS1Dx => "sam_s1dx",
        SamProduct::Unknown => "unknown",
    }
}
