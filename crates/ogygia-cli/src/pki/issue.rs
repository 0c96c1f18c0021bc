//! `ogygia pki issue`: a chain for tests.

use std::fs;
use std::io::Write;
use std::path::Path;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng, SeedableRng};
use ogygia::pki::authority::{Authority, CaRequest, CardKeyPair, CardRequest, IssueError, RsaPrivateKey};
use ogygia::pki::{
    AidRestriction, CaCertificate, Day, KeyReference, Mode, Rights, RootKey, Scope, SigningRight, TrustStore, Validity,
};
use zeroize::Zeroizing;

use super::args::Issue;
use super::{chain, file};
use crate::error::Failure;
use crate::hex;

/// Makes what is missing.
pub(super) fn run(issue: &Issue, out: &mut dyn Write) -> Result<u8, Failure> {
    let on = chain::day_or_today(issue.on)?;
    if !is_plain(&issue.name) {
        return Err(Failure::usage(format!("{} cannot name files: use letters, digits, - and _", issue.name)));
    }
    let [certificate, key] = ["cert", "key.json"].map(|kind| issue.folder.join(format!("{}.{kind}", issue.name)));
    if let Some(there) = [&certificate, &key].into_iter().find(|path| path.exists()) {
        return Err(Failure::failed(format!("{} is there already", there.display())));
    }
    fs::create_dir_all(&issue.folder).map_err(|error| file::cannot("make", &issue.folder, &error))?;
    let mut rng = random_numbers()?;
    let chain = Chain::open_or_make(issue, on, &mut rng, out)?;

    let key_pair = CardKeyPair::generate(&mut rng);
    let request = CardRequest {
        aid: issue.aid,
        serial_number: issue.serial,
        startup_info: issue.startup_info,
        public_key: key_pair.public_key(),
        validity: Validity { start: issue.start, end: issue.end },
        index: 0,
    };
    let made = Authority::new(&chain.store, &chain.reference, &chain.key)
        .and_then(|authority| authority.certify_card(&request, on))
        .map_err(|error| not_made("card", error))?;
    file::write_key_pair(&key, &key_pair)?;
    file::write_certificate(&certificate, made.as_bytes())?;
    let serial = hex::encode(&issue.serial);
    writeln!(out, "{}: card {serial}, application {}", certificate.display(), issue.aid)?;
    writeln!(out, "{}: its key pair, secret", key.display())?;
    Ok(0)
}

/// A name that stays in its folder, and is not that of the chain.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !name.is_empty() && name.bytes().all(plain) && !["root", "ca"].contains(&name)
}

fn random_numbers() -> Result<ChaCha20Rng, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed)
        .map_err(|error| Failure::failed(format!("the system gives no random numbers: {error}")))?;
    Ok(ChaCha20Rng::from_seed(*seed))
}

fn not_made(what: &str, error: IssueError) -> Failure {
    Failure::failed(format!("no certificate of the {what} is made: {error}"))
}

/// An authority that can sign, and what vouches for it.
struct Chain {
    store: TrustStore,
    reference: KeyReference,
    key: RsaPrivateKey,
}

impl Chain {
    fn open_or_make(issue: &Issue, on: Day, rng: &mut ChaCha20Rng, out: &mut dyn Write) -> Result<Self, Failure> {
        let [root, root_key] = ["root.json", "root.key.json"].map(|name| issue.folder.join(name));
        let [ca, ca_key] = ["ca.cert", "ca.key.json"].map(|name| issue.folder.join(name));
        if !root.exists() {
            make_root(&root, &root_key, rng, out)?;
        }
        let root = file::read_root(&root)?;
        if !ca.exists() {
            let root_key = file::read_private_key(&root_key)?;
            make_authority([&ca, &ca_key], &root, &root_key, issue.scope.into(), on, rng)?;
            writeln!(out, "{}: authority", ca.display())?;
            writeln!(out, "{}: its private key, secret", ca_key.display())?;
        }
        let certificate = file::read_authority(&ca)?;
        let mut store = TrustStore::new(mode_of(&certificate));
        chain::add_root(&mut store, &ca, root)?;
        chain::add_authority(&mut store, &ca, &certificate, on)?;
        Ok(Self { store, reference: certificate.subject(), key: file::read_private_key(&ca_key)? })
    }
}

/// The mode in which the certificate is accepted.
fn mode_of(certificate: &CaCertificate) -> Mode {
    match certificate.scope() {
        Scope::Production => Mode::Production,
        Scope::Test | Scope::Any | Scope::Unknown(_) => Mode::Test,
    }
}

fn make_root(path: &Path, key_path: &Path, rng: &mut ChaCha20Rng, out: &mut dyn Write) -> Result<(), Failure> {
    let key = RsaPrivateKey::generate(rng);
    let root = RootKey { reference: new_reference(rng), key: key.public_key().clone() };
    file::write_private_key(key_path, &key)?;
    file::write_root(path, &root)?;
    writeln!(out, "{}: root", path.display())?;
    writeln!(out, "{}: its private key, secret", key_path.display())?;
    Ok(())
}

/// For no application, of no device: the number alone tells one from another.
fn new_reference(rng: &mut ChaCha20Rng) -> KeyReference {
    KeyReference::of(None, [0; 8], rng.next_u32().to_be_bytes())
}

fn make_authority(
    [path, key_path]: [&Path; 2],
    root: &RootKey,
    root_key: &RsaPrivateKey,
    scope: Scope,
    on: Day,
    rng: &mut ChaCha20Rng,
) -> Result<(), Failure> {
    let mut store = TrustStore::new(Mode::Test);
    chain::add_root(&mut store, path, root.clone())?;
    let key = RsaPrivateKey::generate(rng);
    let request = CaRequest {
        subject: new_reference(rng),
        key: key.public_key().clone(),
        validity: Validity::ALWAYS,
        rights: Rights::new(SigningRight::Granted, SigningRight::Denied),
        scope,
        restriction: AidRestriction::None,
    };
    let made = Authority::new(&store, &root.reference, root_key)
        .and_then(|authority| authority.certify_authority(&request, on))
        .map_err(|error| not_made("authority", error))?;
    file::write_private_key(key_path, &key)?;
    file::write_certificate(path, made.as_bytes())
}
