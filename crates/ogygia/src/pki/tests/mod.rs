mod arbitrary;
mod chain;
pub(super) mod examples;
mod flipped;
mod session;

use super::*;
use crate::test_hex::hex;
use examples::*;

/// The day on which the examples are judged.
fn today() -> Day {
    Day::new(2026, 11, 22).unwrap()
}

/// PCA-A is trusted.
fn store() -> TrustStore {
    let mut store = TrustStore::new(Mode::Test);
    store.add_root(RootKey::new(&hex(PCA_A_REFERENCE), &hex(PCA_A)).unwrap()).unwrap();
    store
}

/// PCA-A and this authority are trusted.
fn store_with(ca: &str) -> TrustStore {
    let mut store = store();
    store.add_ca(&authority(ca), today()).unwrap();
    store
}

fn authority(example: &str) -> CaCertificate {
    CaCertificate::parse(&hex(example)).unwrap()
}

fn card(example: &str) -> CardCertificate {
    CardCertificate::parse(&hex(example)).unwrap()
}

/// The card of the examples.
const HOLDER: Holder<'_> = Holder {
    serial_number: [0, 0, 0, 0, 0xAA, 0xBB, 0xCC, 0xDD],
    application: Some(b"1TIC.ICA1"),
    startup_info: Some([0x0A, 0x3C, 0x30, 0x05, 0x14, 0x10, 0x01]),
};
