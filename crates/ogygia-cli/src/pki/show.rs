//! `ogygia pki show`: what a certificate says.

use std::io::Write;

use ogygia::pki::{CaCertificate, CardCertificate, CardContent, Day, PkiError, RootKey};
use serde_json::{Map, Value, json};

use super::args::Show;
use super::chain::Keys;
use super::file::{self, Object};
use super::text::{self, Row, shortened};
use crate::error::Failure;
use crate::hex;

/// Shows a certificate or a root key.
pub(super) fn run(show: &Show, out: &mut dyn Write) -> Result<u8, Failure> {
    let keys = Keys::of(&show.chain)?;
    let object = file::read(&show.file)?;
    if show.json {
        let text = serde_json::to_string_pretty(&Value::Object(object.members(&keys)));
        writeln!(out, "{}", text.map_err(|error| Failure::failed(error.to_string()))?)?;
        return Ok(0);
    }
    for (name, value) in object.rows(&keys) {
        writeln!(out, "{name:<18}{value}")?;
    }
    Ok(0)
}

impl Object {
    fn rows(&self, keys: &Keys) -> Vec<Row> {
        match self {
            Self::Root(root) => root_rows(root),
            Self::Authority(certificate) => authority_rows(certificate, keys),
            Self::Card(certificate) => card_rows(certificate, keys),
        }
    }

    fn members(&self, keys: &Keys) -> Map<String, Value> {
        let members = match self {
            Self::Root(root) => json!({
                "key_reference": root.reference.to_string(),
                "public_modulus": hex::encode(&root.key.modulus()),
            }),
            Self::Authority(certificate) => authority_members(certificate, keys),
            Self::Card(certificate) => card_members(certificate, keys),
        };
        if let Value::Object(members) = members { members } else { Map::new() }
    }
}

fn root_rows(root: &RootKey) -> Vec<Row> {
    let mut rows = vec![("kind", "root key".to_string())];
    rows.extend(text::reference("key", &root.reference));
    rows.push(("modulus", shortened(&root.key.modulus())));
    rows
}

/// Whether the issuer has signed; nothing when it is not known.
type Opened<T> = Option<Result<T, PkiError>>;

fn open_authority(certificate: &CaCertificate, keys: &Keys) -> Opened<[u8; 256]> {
    keys.find(&certificate.issuer()).map(|key| certificate.recover(key))
}

fn open_card(certificate: &CardCertificate, keys: &Keys) -> Opened<CardContent> {
    keys.find(&certificate.issuer()).map(|key| certificate.recover(key))
}

fn signature<T>(opened: &Opened<T>) -> Row {
    let words = match opened {
        None => "not verified: who signed is not known (--root, --ca)".to_string(),
        Some(Ok(_)) => "that of the issuer; nothing else was verified".to_string(),
        Some(Err(error)) => format!("refused: {error}"),
    };
    ("signature", words)
}

/// What a certificate of an authority says; its key stays hidden without that of the issuer.
pub(crate) fn authority_says(certificate: &CaCertificate) -> Vec<Row> {
    let mut rows = vec![("kind", "certificate of an authority".to_string())];
    rows.extend(text::reference("issuer", &certificate.issuer()));
    rows.extend(text::reference("key", &certificate.subject()));
    rows.extend(text::validity(certificate.validity()));
    rows.extend(text::rights(certificate.rights()));
    rows.push(text::scope(certificate.scope()));
    rows.push(text::restriction(certificate.restriction()));
    rows
}

fn authority_rows(certificate: &CaCertificate, keys: &Keys) -> Vec<Row> {
    let opened = open_authority(certificate, keys);
    let mut rows = authority_says(certificate);
    rows.push(signature(&opened));
    if let Some(Ok(modulus)) = &opened {
        rows.push(("modulus", shortened(modulus)));
    }
    rows
}

/// What a certificate of a card says; validity and key stay hidden without the key of the issuer.
pub(crate) fn card_says(certificate: &CardCertificate) -> Vec<Row> {
    let mut rows = vec![("kind", "certificate of a card".to_string())];
    rows.extend(text::reference("issuer", &certificate.issuer()));
    rows.push(("application", certificate.aid().to_string()));
    rows.push(("serial number", hex::encode(&certificate.serial_number())));
    rows.push(("index", certificate.index().to_string()));
    rows
}

fn card_rows(certificate: &CardCertificate, keys: &Keys) -> Vec<Row> {
    let opened = open_card(certificate, keys);
    let mut rows = card_says(certificate);
    rows.push(signature(&opened));
    if let Some(Ok(content)) = &opened {
        rows.extend(text::validity(Ok(content.validity)));
        rows.push(("startup info", hex::encode(&content.startup_info)));
        rows.push(("public key", shortened(&content.public_key)));
    }
    rows
}

fn day(day: Option<Day>) -> Value {
    day.map_or(Value::Null, |day| day.to_string().into())
}

/// Null when it is not known, false when the signature is wrong.
fn signed<T>(opened: &Opened<T>) -> Option<bool> {
    opened.as_ref().map(Result::is_ok)
}

fn authority_members(certificate: &CaCertificate, keys: &Keys) -> Value {
    let opened = open_authority(certificate, keys);
    let validity = certificate.validity().unwrap_or_default();
    let restriction = certificate.restriction().unwrap_or_default();
    let rights = certificate.rights();
    let malformed = [certificate.validity().err(), certificate.restriction().err()];
    let malformed: Vec<_> = malformed.iter().flatten().map(PkiError::rule).collect();
    json!({
        "type": "90", "version": "01",
        "issuer_key_reference": certificate.issuer().to_string(),
        "target_key_reference": certificate.subject().to_string(),
        "start_date": day(validity.start), "end_date": day(validity.end),
        "rights": format!("{:02X}", rights.0),
        "may_sign_card_certificates": rights.cards().is_given(),
        "may_sign_ca_certificates": rights.authorities().is_given(),
        "scope": format!("{:02X}", certificate.scope().byte()),
        "target_aid": restriction.aid().map(ToString::to_string),
        "aid_truncation_allowed": matches!(restriction, ogygia::pki::AidRestriction::Beginning(_)),
        "malformed": malformed,
        "signed_by_issuer": signed(&opened),
        "public_modulus": opened.and_then(Result::ok).map(|modulus| hex::encode(&modulus)),
    })
}

fn card_members(certificate: &CardCertificate, keys: &Keys) -> Value {
    let opened = open_card(certificate, keys);
    let content = opened.and_then(Result::ok);
    json!({
        "type": "91", "version": "01",
        "issuer_key_reference": certificate.issuer().to_string(),
        "aid": certificate.aid().to_string(),
        "serial_number": hex::encode(&certificate.serial_number()),
        "index": certificate.index(),
        "signed_by_issuer": signed(&opened),
        "start_date": content.map_or(Value::Null, |content| day(content.validity.start)),
        "end_date": content.map_or(Value::Null, |content| day(content.validity.end)),
        "rights": content.map(|content| format!("{:02X}", content.rights)),
        "startup_info": content.map(|content| hex::encode(&content.startup_info)),
        "public_key": content.map(|content| hex::encode(&content.public_key)),
    })
}
