use super::*;
use crate::testing::sam;
use crate::{SamProduct, sam::keys::Value};

fn control() -> VirtualSam {
    Secure::new(target()).control
}

/// The command behind what it needs.
fn ready(sam: &mut VirtualSam, command: &str) -> String {
    data(sam, "801400000411223344");
    data(sam, "8086000008000000000000017B");
    send(sam, command)
}

#[test]
fn blocks_have_the_length_that_terminals_expect() {
    let mut sam = control();
    // The examples of the specification, with the versions of these keys.
    for command in [
        "801600B81EF30000006400000000000000000000000000000000000000000000000000",
        "801600B11EF300000100000200000300000400000500000600000700000800000901FE",
        "801600A01EF1000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C",
        "801600C00DF1E7530102030405060708090A",
        "8016010515F22B1A0102030405060708090A1112131415161718",
        "801600F00DF22B1A01020304050607080900",
        "801601E00DF1EF0100000000000200000000",
    ] {
        for le in ["", "00", "30"] {
            let answer = ready(&mut sam, &format!("{command}{le}"));
            assert!(answer.ends_with("9000") && answer.len() == 100, "{command} -> {answer}");
        }
    }
}

#[test]
fn nothing_is_ciphered_without_a_diversifier_and_a_challenge() {
    for command in [format!("801600B81E{}", one_ceiling(1, 1)), "8016007E0DF22B1A00000000000000000000".to_owned()] {
        let mut sam = control();
        assert_eq!(send(&mut sam, &command), "6985");
        data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
        assert_eq!(send(&mut sam, &command), "6985", "no diversifier");
        data(&mut sam, "801400000411223344");
        data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
        send(&mut sam, "8084000008");
        assert_eq!(send(&mut sam, &command), "6985", "something stands between");
        data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
        data(&mut sam, "801400000411223344");
        data(&mut sam, &command);
        assert_eq!(send(&mut sam, &command), "6985", "used up");
    }
}

#[test]
fn data_cipher_refuses() {
    let mut sam = control();
    let record = one_ceiling(1, 1);
    for (command, status) in [
        (format!("801600B81D{}", &record[2..]), "6700"),
        (format!("801600B81F{record}00"), "6700"),
        (format!("801601B81E{record}"), "6A00"),
        (format!("801680B81E{record}"), "6A00"),
        (format!("801600B41E{record}"), "6A00"),
        (format!("801600E81E{record}"), "6A00"),
        (format!("801600B81EFE{}", &record[2..]), "6A83"),
        (format!("801600A01E{record}"), "6A83"),
    ] {
        assert_eq!(ready(&mut sam, &command), status, "{command}");
    }
}

#[test]
fn generate_key_refuses() {
    let mut sam = control();
    for (command, status) in [
        ("8016000F0CF22B1A000000000000000000", "6700"),
        ("8016010F14F22B1A0000000000000000000000000000000000", "6700"),
        ("8016020F0DF22B1A00000000000000000000", "6A00"),
        ("8016007F0DF22B1A00000000000000000000", "6A00"),
        ("801600D00DF22B1A00000000000000000000", "6A00"),
        ("8016000F15F22B1A000000000000000000001112131415161718", "6A80"),
        ("801600E00DF1EF0100000000020000000000", "6A80"),
        ("801600E00DF12B1A00000000000200000000", "6A80"),
        ("8016000F0DFE2B1A00000000000000000000", "6A83"),
        ("8016000F0DF22BFE00000000000000000000", "6A83"),
        ("801600C00DF2E75300000000000000000000", "6A83"),
    ] {
        assert_eq!(ready(&mut sam, command), status, "{command}");
    }
}

#[test]
fn ciphering_must_be_enabled_and_stops_at_the_ceiling() {
    let mut sam = made("sam-control", |profile| {
        profile.work_keys[2].parameters = Some(crate::hex::Hex([0x30, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    });
    assert_eq!(ready(&mut sam, &format!("801600B81E{}", one_ceiling(1, 1))), "6985");
    let mut sam = control();
    sam.set_ceiling(1, 2);
    assert!(ready(&mut sam, &format!("801600B81E{}", one_ceiling(1, 1))).ends_with("9000"));
    assert!(ready(&mut sam, "8016000F0DF22B1A00000000000000000000").ends_with("9000"));
    assert_eq!(ready(&mut sam, &format!("801600B81E{}", one_ceiling(1, 1))), "6900");
    assert_eq!(ready(&mut sam, "8016000F0DF22B1A00000000000000000000"), "6900");
}

#[test]
fn a_sam_without_masters_ciphers_nothing() {
    let mut sam = sam(SamProduct::C1);
    assert_eq!(ready(&mut sam, &format!("801600B81E{}", one_ceiling(1, 1))), "6A83");
}

#[test]
fn what_was_diversified_is_not_diversified_again() {
    let mut pair = Secure::new(target());
    assert_eq!(pair.transfer("01", "F0", "F22B1A01000000000000000000"), "9000");
    let held = pair.target.keys.work(crate::KeyId::new(0x2B, 0x1A)).unwrap().clone();
    assert!(matches!(held.value, Value::Fixed(_)));
    // Such a key is passed on as it is, and not diversified for somebody else.
    pair.control.keys = crate::sam::keys::Keys::default();
    for (record, kif, kvc) in [(1, 0xFD, 0xF2), (2, 0x2B, 0x1A)] {
        let id = crate::KeyId::new(kif, kvc);
        pair.control.keys.add_work(Some(record), crate::sam::SamKey { id, ..held.clone() });
    }
    assert_eq!(ready(&mut pair.control, "8016010F0DF22B1A00000000000000000000"), "6985");
    assert!(ready(&mut pair.control, "8016000F0DF22B1A00000000000000000000").ends_with("9000"));
}
