//! Files of keys and certificates.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use ogygia::pki::authority::{CardKeyPair, RsaPrivateKey};
use ogygia::pki::{CaCertificate, CardCertificate, PkiError, RootKey};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::Failure;
use crate::hex;

/// What a file holds that is shown or trusted.
#[derive(Debug)]
pub(super) enum Object {
    Root(RootKey),
    Authority(Box<CaCertificate>),
    Card(Box<CardCertificate>),
}

/// A root key in a file.
#[derive(Debug, Deserialize, Serialize)]
struct RootFile {
    reference: String,
    modulus: String,
}

/// The private key of a root or an authority in a file.
#[derive(Deserialize, Zeroize, ZeroizeOnDrop)]
struct RsaFile {
    modulus: String,
    private_exponent: String,
}

/// A certificate or a root key, whatever is in the file.
pub(super) fn read(path: &Path) -> Result<Object, Failure> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    if let Some(root) = serde_json::from_slice::<RootFile>(&bytes).ok().and_then(|file| decoded(&file)) {
        return root.map(Object::Root).map_err(|error| refused(path, &error));
    }
    let certificate = certificate_bytes(bytes);
    let read = match certificate.first() {
        Some(0x91) => CardCertificate::parse(&certificate).map(|card| Object::Card(Box::new(card))),
        _ => CaCertificate::parse(&certificate).map(|ca| Object::Authority(Box::new(ca))),
    };
    read.map_err(|error| refused(path, &error))
}

fn decoded(file: &RootFile) -> Option<Result<RootKey, PkiError>> {
    let (reference, modulus) = hex::decode(&file.reference).zip(hex::decode(&file.modulus))?;
    Some(RootKey::new(&reference, &modulus))
}

/// A certificate may be written in hexadecimal digits, on any number of lines.
fn certificate_bytes(bytes: Vec<u8>) -> Vec<u8> {
    let digits: Option<String> = str::from_utf8(&bytes).ok().map(|text| text.split_whitespace().collect());
    digits.and_then(|digits| hex::decode(&digits)).unwrap_or(bytes)
}

/// A root key.
pub(super) fn read_root(path: &Path) -> Result<RootKey, Failure> {
    match read(path)? {
        Object::Root(root) => Ok(root),
        Object::Authority(_) | Object::Card(_) => Err(another(path, "root key")),
    }
}

/// The certificate of an authority.
pub(super) fn read_authority(path: &Path) -> Result<CaCertificate, Failure> {
    match read(path)? {
        Object::Authority(certificate) => Ok(*certificate),
        Object::Root(_) | Object::Card(_) => Err(another(path, "certificate of an authority")),
    }
}

/// The certificate of a card.
pub(super) fn read_card(path: &Path) -> Result<CardCertificate, Failure> {
    match read(path)? {
        Object::Card(certificate) => Ok(*certificate),
        Object::Root(_) | Object::Authority(_) => Err(another(path, "certificate of a card")),
    }
}

/// The private key of a root or an authority.
pub(super) fn read_private_key(path: &Path) -> Result<RsaPrivateKey, Failure> {
    let bytes = fs::read(path).map(Zeroizing::new).map_err(|error| unreadable(path, &error))?;
    let key = || {
        let file: RsaFile = serde_json::from_slice(&bytes).ok()?;
        let exponent = Zeroizing::new(hex::decode(&file.private_exponent)?);
        let modulus = hex::decode(&file.modulus)?;
        RsaPrivateKey::from_parts(modulus.as_slice().try_into().ok()?, exponent.as_slice().try_into().ok()?).ok()
    };
    key().ok_or_else(|| Failure::failed(format!("{} holds no private key of an authority", path.display())))
}

/// A root key, for everybody.
pub(super) fn write_root(path: &Path, root: &RootKey) -> Result<(), Failure> {
    let file = RootFile { reference: root.reference.to_string(), modulus: hex::encode(&root.key.modulus()) };
    let text = serde_json::to_string_pretty(&file).map_err(|error| Failure::failed(error.to_string()))?;
    write(path, &format!("{text}\n"), Readers::All)
}

/// A certificate, for everybody.
pub(super) fn write_certificate(path: &Path, certificate: &[u8]) -> Result<(), Failure> {
    write(path, &format!("{}\n", hex::encode(certificate)), Readers::All)
}

/// The private key of a root or an authority, for its owner.
pub(super) fn write_private_key(path: &Path, key: &RsaPrivateKey) -> Result<(), Failure> {
    let exponent = Zeroizing::new(hex::encode(&*key.expose_exponent()));
    let modulus = hex::encode(&key.public_key().modulus());
    let text = format!("{{\n  \"modulus\": \"{modulus}\",\n  \"private_exponent\": \"{}\"\n}}\n", *exponent);
    write(path, &Zeroizing::new(text), Readers::Owner)
}

/// The key pair of a card, for its owner: as personalization needs it.
pub(super) fn write_key_pair(path: &Path, key: &CardKeyPair) -> Result<(), Failure> {
    let private = Zeroizing::new(hex::encode(&*key.expose_private()));
    let public = hex::encode(&key.public_key().to_bytes());
    let text = format!("{{\n  \"public_key\": \"{public}\",\n  \"private_key\": \"{}\"\n}}\n", *private);
    write(path, &Zeroizing::new(text), Readers::Owner)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Readers {
    All,
    Owner,
}

/// Writes a file that was not there.
fn write(path: &Path, text: &str, readers: Readers) -> Result<(), Failure> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    // From its first byte on: a mode that is set afterwards comes too late.
    #[cfg(unix)]
    if readers == Readers::Owner {
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    }
    #[cfg(not(unix))]
    let _ = readers;
    let written = options.open(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.map_err(|error| cannot("write", path, &error))
}

pub(super) fn cannot(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {verb} {}: {error}", path.display()))
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}

/// The rule that a file breaks.
pub(super) fn refused(path: &Path, error: &PkiError) -> Failure {
    Failure::failed(format!("{} is refused: {error} ({})", path.display(), error.rule()))
}

fn another(path: &Path, wanted: &str) -> Failure {
    Failure::failed(format!("{} is no {wanted}", path.display()))
}
