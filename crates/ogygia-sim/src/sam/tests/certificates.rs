use std::sync::{Arc, OnceLock};

use ogygia::pki::{CaCertificate, CardCertificate, Day};

use super::*;
use crate::testing::sam;
use crate::{SamProduct, TestAuthority};

const GENERATE: &str = "804680000A06082A8648CE3D030107";
/// The example of the specification.
const FIELDS: &str = "DF253F09315449432E49434131000000000000000000000011223344000000002024022220341231000A3C2005141001000000000000000000000000000000000000";

pub(super) fn authority() -> Arc<TestAuthority> {
    static AUTHORITY: OnceLock<Arc<TestAuthority>> = OnceLock::new();
    AUTHORITY.get_or_init(|| Arc::new(TestAuthority::new(b"sam", today()).unwrap())).clone()
}

fn today() -> Day {
    Day::new(2026, 6, 1).unwrap()
}

fn certifying(product: SamProduct) -> VirtualSam {
    let mut sam = sam(product);
    sam.load_authority(authority());
    sam
}

fn compute(fields: &str, key: &str) -> String {
    let fields = if key.is_empty() { fields.to_owned() } else { fields.replacen("DF253F", "DF257F", 1) };
    format!("802AEEAC{:02X}{fields}{key}FF", (fields.len() + key.len()) / 2)
}

/// The public key of a new pair.
fn generated(sam: &mut VirtualSam) -> String {
    let answer = data(sam, &format!("{GENERATE}63"));
    assert_eq!((&answer[..6], answer.len()), ("DF3C60", 198));
    let pair = ogygia::pki::authority::CardKeyPair::from_private(&decode(&answer[134..]).unwrap().try_into().unwrap());
    assert_eq!(encode(&pair.unwrap().public_key().to_bytes()), answer[6..134]);
    answer[6..134].to_owned()
}

/// Verifies a certificate from the root on, and tells the public key in it.
fn verified(sam: &mut VirtualSam, answer: &str) -> String {
    assert_eq!((&answer[..10], answer.len()), ("DF4582013C", 642));
    let ca = data(sam, "80CADF43FF");
    assert_eq!((&ca[..10], ca.len()), ("DF43820180", 778));
    let mut store = authority().root_store().unwrap();
    store.add_ca(&CaCertificate::parse(&decode(&ca[10..]).unwrap()).unwrap(), today()).unwrap();
    let certificate = CardCertificate::parse(&decode(&answer[10..]).unwrap()).unwrap();
    assert_eq!(certificate.serial_number(), [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
    assert_eq!(certificate.aid().as_bytes(), b"1TIC.ICA1");
    let content = certificate.recover(authority().full_store().issuer(&certificate.issuer()).unwrap().key()).unwrap();
    encode(&content.public_key)
}

#[test]
fn certificates_for_generated_and_given_keys_verify() {
    for product in [SamProduct::C1, SamProduct::HsmC1] {
        let mut sam = certifying(product);
        let first = generated(&mut sam);
        let second = generated(&mut sam);
        assert_ne!(first, second);
        let answer = data(&mut sam, &compute(FIELDS, &first));
        assert_eq!(verified(&mut sam, &answer), first, "given");
        let answer = data(&mut sam, &compute(FIELDS, ""));
        assert_eq!(verified(&mut sam, &answer), second, "generated last");
        assert_eq!(send(&mut sam, &compute(FIELDS, "")), "6985", "it has its certificate");
        generated(&mut sam);
        sam.reset();
        assert_eq!(send(&mut sam, &compute(FIELDS, "")), "6985", "a reset forgets it");
    }
}

#[test]
fn without_an_authority_nothing_is_made() {
    let mut sam = sam(SamProduct::C1);
    assert_eq!(send(&mut sam, "80CADF43FF"), "6A88");
    assert_eq!(send(&mut sam, &format!("{GENERATE}63")), "6985");
    assert_eq!(send(&mut sam, &compute(FIELDS, "")), "6985");
}

#[test]
fn other_products_do_not_know_the_commands() {
    for product in [SamProduct::S1E1, SamProduct::S1Dx] {
        let mut sam = certifying(product);
        for command in ["80CADF43FF", &format!("{GENERATE}63"), &compute(FIELDS, "")] {
            let command = format!("{:02X}{}", product.class(), &command[2..]);
            assert_eq!(send(&mut sam, &command), "6D00");
        }
        assert_eq!(send(&mut sam, &format!("{:02X}2A9E9A00", product.class())), "6700", "signatures it knows");
    }
}

#[test]
fn headers_and_lengths() {
    let mut sam = certifying(SamProduct::C1);
    for (command, status) in [
        ("80CADF4310", "6700"),
        ("80CADF44FF", "6A88"),
        ("804681000A06082A8648CE3D030107", "6B00"),
        ("804680000906082A8648CE3D0301", "6700"),
        ("804680000A06082A8648CE3D030106", "6A80"),
        ("802AEEAD00", "6B00"),
        ("802AEEAC00", "6700"),
    ] {
        assert_eq!(send(&mut sam, command), status, "{command}");
    }
    data(&mut sam, "80CADF4300");
    data(&mut sam, GENERATE);
    assert_eq!(send(&mut sam, &compute(&FIELDS[..130], "")), "6700");
    assert_eq!(send(&mut sam, &compute(FIELDS, "11")), "6700");
    assert_eq!(send(&mut sam, &format!("{}10", compute(FIELDS, "").strip_suffix("FF").unwrap())), "6700");
}

#[test]
fn fields_that_are_wrong() {
    let mut sam = certifying(SamProduct::C1);
    let key = generated(&mut sam);
    let with = |at: usize, bytes: &str| {
        let mut fields = FIELDS.to_owned();
        fields.replace_range(2 * at..2 * at + bytes.len(), bytes);
        fields
    };
    assert_eq!(send(&mut sam, &compute(&with(1, "26"), "")), "6A88", "tag");
    for (at, bytes) in [
        (2, "7F"),
        (3, "04"),
        (3, "11"),
        (3, "08"),
        (4, "000000000000000000"),
        (28, "01"),
        (32, "20241322"),
        (36, "20240221"),
        (36, "2A240221"),
        (40, "01"),
        (48, "01"),
        (65, "01"),
    ] {
        assert_eq!(send(&mut sam, &compute(&with(at, bytes), "")), "6A80", "{at}");
    }
    assert_eq!(send(&mut sam, &compute(FIELDS, &"11".repeat(64))), "6A80", "no point of the curve");
    let answer = data(&mut sam, &compute(FIELDS, ""));
    assert_eq!(verified(&mut sam, &answer), key, "refusals leave the key pair");
}

#[test]
fn certificates_stop_at_the_ceiling() {
    let mut sam = made("sam-target", |profile| profile.authority_counter = Some(12));
    sam.load_authority(authority());
    sam.set_ceiling(12, 1);
    let key = generated(&mut sam);
    data(&mut sam, &compute(FIELDS, &key));
    assert_eq!(send(&mut sam, &compute(FIELDS, "")), "6900");
    data(&mut sam, "80CADF43FF");
    assert_eq!(sam.event_counter(12), Some(1));
}

#[test]
fn nothing_secret_is_shown() {
    let mut sam = certifying(SamProduct::C1);
    generated(&mut sam);
    assert_eq!(format!("{sam:?}"), "VirtualSam { product: C1, .. }");
    assert!(format!("{:?}", sam.certifying).contains("CardKeyPair(..)"));
}
