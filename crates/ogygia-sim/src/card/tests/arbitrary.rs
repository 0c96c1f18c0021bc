//! Whatever the bytes: no panic, a status word, and no change without right.

use proptest::prelude::*;

use crate::testing::{TRANSPORT, keys, selected, to_card as send};
use crate::{KeySet, SamProduct, VirtualCard, VirtualSam};

/// Bytes that often look like commands.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let ins = prop::sample::select(vec![
        0xA4, 0xCA, 0xB2, 0xB3, 0xA2, 0xB0, 0xDC, 0xD2, 0xE2, 0xD6, 0xD0, 0x30, 0x32, 0x38, 0x3A, 0x84, 0x20, 0xD8,
        0x7C, 0xB8, 0xBA, 0xBC, 0xDA, 0x46, 0x04, 0x44, 0x8A, 0x82, 0x8E, 0x14, 0x86, 0x8C, 0x88, 0x12, 0x54, 0x56,
        0x5C, 0x58, 0x1C, 0x2A, 0xBE, 0xBC, 0x16, 0x1A,
    ]);
    let cla = prop::sample::select(vec![0x00, 0x94, 0xFA, 0x80]);
    let likely = (cla, ins, any::<u8>(), any::<u8>(), prop::collection::vec(any::<u8>(), 0..80), any::<bool>())
        .prop_map(|(cla, ins, p1, p2, data, le)| {
            let mut bytes = vec![cla, ins, p1, p2];
            if !data.is_empty() {
                bytes.push(u8::try_from(data.len()).unwrap());
            }
            bytes.extend(data);
            bytes.extend(le.then_some(0));
            bytes
        });
    prop_oneof![4 => likely, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

fn shared() -> &'static KeySet {
    static KEYS: std::sync::OnceLock<KeySet> = std::sync::OnceLock::new();
    KEYS.get_or_init(keys)
}

const IDS: [&str; 8] = [
    "kit-prime-regular-v1",
    "kit-prime-extended-v3",
    "kit-prime-pki-v3",
    "kit-light-reference-v3",
    "kit-basic-v2",
    "prime1-innovatron",
    "prime2-legacy-postponed",
    "stored-value",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn cards_answer_anything(id in prop::sample::select(IDS.to_vec()), commands in prop::collection::vec(command(), 1..60)) {
        let profile = crate::Profile::builtin(id).unwrap().unwrap();
        let mut card = VirtualCard::new(&profile, shared()).unwrap();
        for (number, bytes) in commands.iter().enumerate() {
            prop_assert!(card.transmit(bytes).len() >= 2);
            if number % 17 == 16 {
                card.leave_field();
                prop_assert!(!card.session_open());
            }
        }
        let text = card.to_json().unwrap();
        prop_assert_eq!(VirtualCard::from_json(&text, shared()).unwrap().to_json().unwrap(), text);
    }

    /// Without a terminal MAC nothing that needs a session stays, whatever was sent.
    #[test]
    fn protected_files_stay_without_a_closed_session(commands in prop::collection::vec(command(), 1..60)) {
        let mut card = selected("kit-prime-regular-v3", TRANSPORT);
        let protected = |card: &VirtualCard| {
            let records = [0x2001, 0x2010, 0x2020, 0x2050, 0x2069, 0x2003].map(|lid| card.record(lid, 1));
            (records, card.purse())
        };
        let before = protected(&card);
        let mut last = card.transaction_counter();
        for bytes in &commands {
            let _answer = card.transmit(bytes);
            prop_assert!(card.transaction_counter() <= last);
            prop_assert!(last - card.transaction_counter() <= 1);
            last = card.transaction_counter();
        }
        card.leave_field();
        prop_assert_eq!(protected(&card), before);
        prop_assert!(card.ratified());
    }

    #[test]
    fn sams_answer_anything(
        product in prop::sample::select(vec![SamProduct::C1, SamProduct::HsmC1, SamProduct::S1E1, SamProduct::S1Dx]),
        commands in prop::collection::vec(command(), 1..60),
    ) {
        let mut sam = VirtualSam::new(product, [1, 2, 3, 4], shared());
        for bytes in &commands {
            prop_assert!(sam.transmit(bytes).len() >= 2);
        }
    }
}

#[test]
fn an_open_session_survives_wrong_lengths() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    assert!(send(&mut card, "008A030104C1C2C3C400").ends_with("9000"));
    assert_eq!(send(&mut card, "00DC"), "6700");
    assert!(card.session_open());
}
