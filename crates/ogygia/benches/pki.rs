//! What certificates and signatures cost the terminal: `cargo bench -p ogygia --features pki --bench pki`.
//!
//! Keys, certificates and session are those of specification 04, "Worked vectors", as the tests have them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, dead_code, reason = "examples are shared with the tests")]

extern crate alloc;

#[path = "../src/pki/tests/examples.rs"]
mod examples;
#[path = "../src/test_hex.rs"]
mod test_hex;

use divan::{Bencher, black_box};
use examples::{CA_MINIMAL, CARD_BY_CA, PCA_A, PCA_A_REFERENCE, SESSION_SIGNATURE, session_example};
use ogygia::pki::{
    CaCertificate, CardCertificate, Day, Holder, Mode, RootKey, SessionVerifier, TrustStore, VerifiedKey,
};
use test_hex::hex;

fn main() {
    divan::main();
}

const HOLDER: Holder<'_> =
    Holder { serial_number: [0, 0, 0, 0, 0xAA, 0xBB, 0xCC, 0xDD], application: Some(b"1TIC.ICA1"), startup_info: None };

fn today() -> Day {
    Day::new(2026, 11, 22).unwrap()
}

fn root() -> TrustStore {
    let mut store = TrustStore::new(Mode::Test);
    store.add_root(RootKey::new(&hex(PCA_A_REFERENCE), &hex(PCA_A)).unwrap()).unwrap();
    store
}

fn store() -> TrustStore {
    let mut store = root();
    store.add_ca(&CaCertificate::parse(&hex(CA_MINIMAL)).unwrap(), today()).unwrap();
    store
}

fn verify_card(store: &TrustStore, certificate: &[u8]) -> VerifiedKey {
    let certificate = CardCertificate::parse(certificate).unwrap();
    store.verify_card_certificate(&certificate, &HOLDER, today()).unwrap()
}

/// Once per start of a terminal, or per card of an authority that is not known.
#[divan::bench]
fn register_an_authority(bencher: Bencher<'_, '_>) {
    let (store, certificate) = (root(), hex(CA_MINIMAL));
    bencher.with_inputs(|| store.clone()).bench_local_values(|mut store| {
        store.add_ca(&CaCertificate::parse(black_box(&certificate)).unwrap(), today()).unwrap();
        store
    });
}

#[divan::bench]
fn card_certificate(bencher: Bencher<'_, '_>) {
    let (store, certificate) = (store(), hex(CARD_BY_CA));
    bencher.bench_local(|| verify_card(&store, black_box(&certificate)));
}

/// Hash of nine exchanges and signature.
#[divan::bench]
fn session_signature(bencher: Bencher<'_, '_>) {
    let (key, session, signature) =
        (verify_card(&store(), &hex(CARD_BY_CA)), session_example(), hex(SESSION_SIGNATURE));
    bencher.bench_local(|| verify_session(&key, black_box(&session), &signature));
}

/// All that a PKI session costs the terminal when the authority is known.
#[divan::bench]
fn card_certificate_and_session(bencher: Bencher<'_, '_>) {
    let (store, certificate) = (store(), hex(CARD_BY_CA));
    let (session, signature) = (session_example(), hex(SESSION_SIGNATURE));
    bencher.bench_local(|| {
        let key = verify_card(&store, black_box(&certificate));
        verify_session(&key, black_box(&session), &signature);
    });
}

fn verify_session(key: &VerifiedKey, session: &[(Vec<u8>, Vec<u8>)], signature: &[u8]) {
    let ((command, answer), rest) = session.split_first().unwrap();
    let mut verifier = SessionVerifier::start(key, command, answer).unwrap();
    rest.iter().for_each(|(command, answer)| verifier.add(command, answer).unwrap());
    black_box(verifier.verify(signature).unwrap());
}
