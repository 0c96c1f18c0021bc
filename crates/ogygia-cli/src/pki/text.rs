//! Fields of certificates in words.

use ogygia::pki::{AidRestriction, Day, KeyReference, PkiError, Rights, Scope, SigningRight, Validity};

use crate::hex;

/// A line of a table.
pub(crate) type Row = (&'static str, String);

pub(super) fn malformed(error: PkiError) -> String {
    format!("malformed: {error}")
}

/// A reference, and what it is made of.
pub(super) fn reference(name: &'static str, reference: &KeyReference) -> [Row; 2] {
    let aid = match reference.aid() {
        Ok(Some(aid)) => format!("application {aid}"),
        Ok(None) => "no application".into(),
        Err(error) => malformed(error),
    };
    let parts =
        format!("{aid}, device {}, key {}", hex::encode(&reference.serial_number()), hex::encode(&reference.key()));
    [(name, reference.to_string()), ("", parts)]
}

pub(super) fn validity(validity: Result<Validity, PkiError>) -> [Row; 2] {
    let limit = |day: Option<Day>, none: &str| day.map_or_else(|| none.to_string(), |day| day.to_string());
    let (start, end) = match validity {
        Ok(validity) => (limit(validity.start, "always"), limit(validity.end, "for ever")),
        Err(error) => (malformed(error), malformed(error)),
    };
    [("valid from", start), ("valid until", end)]
}

pub(super) fn rights(rights: Rights) -> [Row; 2] {
    let right = |right| match right {
        SigningRight::Unspecified => "yes, for nothing is said",
        SigningRight::Denied => "no",
        SigningRight::Granted => "yes",
        SigningRight::Reserved => "no, for the value is reserved",
    };
    [("signs cards", right(rights.cards()).to_string()), ("signs authorities", right(rights.authorities()).to_string())]
}

pub(super) fn scope(scope: Scope) -> Row {
    let words = match scope {
        Scope::Production => "production".to_string(),
        Scope::Test => "tests".to_string(),
        Scope::Any => "production and tests".to_string(),
        Scope::Unknown(byte) => format!("unknown ({byte:02X})"),
    };
    ("scope", words)
}

pub(super) fn restriction(restriction: Result<AidRestriction, PkiError>) -> Row {
    let words = match restriction {
        Ok(AidRestriction::None) => "all".to_string(),
        Ok(AidRestriction::Exact(aid)) => format!("only {aid}"),
        Ok(AidRestriction::Beginning(aid)) => format!("those that begin with {aid}"),
        Err(error) => malformed(error),
    };
    ("applications", words)
}

/// Many bytes, by their first ones.
pub(super) fn shortened(bytes: &[u8]) -> String {
    format!("{}…", hex::encode(bytes.get(..16).unwrap_or(bytes)))
}
