//! Extended mode: opening, authentication, ciphering, pre-opening.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use crate::testing::{Pair, TRANSPORT, selected, serial_of, to_card as send, to_sam};

/// Application with confidential files.
const SECURED: &str = "A000000291FF9111";

fn pair(name: &str, at: usize) -> (Pair, String) {
    (Pair::new("kit-prime-extended-v3", name), serial_of("kit-prime-extended-v3", at))
}

/// Exchanges a ciphered command: the SAM ciphers it, and deciphers the answer.
fn ciphered(pair: &mut Pair, command: &str) -> String {
    let fed = command.split('|').next().unwrap();
    let sent = pair.sam(&format!("808C0080{:02X}{fed}", fed.len() / 2));
    let answer = pair.card(&sent);
    pair.sam(&format!("808C0080{:02X}{answer}", answer.len() / 2))
}

fn authenticate(pair: &mut Pair, p2: &str) {
    let mac = pair.sam("8088800008");
    let answer = pair.card(&format!("008200{p2}08{mac}00"));
    assert!(answer.ends_with("9000"), "{answer}");
    pair.sam(&format!("8082000008{}", &answer[..16]));
}

#[test]
fn layout_and_closing() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    let opening = pair.open("008A0B3A09 00 CHALLENGE 00", "3074", &serial);
    assert_eq!(opening.len(), 2 * (12 + 29));
    assert_eq!(&opening[16..24], "0230741D");
    assert_eq!(pair.exchange("00E200400111"), "9000");
    assert_eq!(pair.card("008E8000041234567800"), "6700");
    pair.close("00", "80", 8);
    pair.open("008A030104 CHALLENGE 00", "3074", &serial);
    assert_eq!(pair.exchange("00E200400122"), "9000", "the regular form is accepted as well");
    assert_eq!(pair.card("0082000200"), "6985");
    pair.close("00", "80", 4);
}

#[test]
fn cards_without_extended_mode_refuse_it() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    assert_eq!(send(&mut card, "008A03020900C1C2C3C4C5C6C7C800"), "6B00");
    assert_eq!(send(&mut card, "0082000200"), "6D00");
    let mut card = selected("kit-prime-extended-v3", TRANSPORT);
    assert_eq!(send(&mut card, "0082000200"), "6985");
    assert_eq!(send(&mut card, "008A03020801C1C2C3C4C5C6C700"), "6700");
}

#[test]
fn authentication_and_ciphering_in_any_order() {
    let (mut pair, serial) = pair(SECURED, 3);
    pair.open("008A010209 00 CHALLENGE 00", "2175", &serial);
    // 220C: read conf. 3, update conf. 1.
    assert_eq!(pair.exchange("00DC016401AA"), "6982");
    authenticate(&mut pair, "03");
    assert_eq!(ciphered(&mut pair, "00DC016404A1A2A3A4"), "9000");
    assert_eq!(ciphered(&mut pair, "00B2016404"), "A1A2A3A49000");
    assert_eq!(ciphered(&mut pair, "0032017003000005|00"), "0000059000");
    assert_eq!(pair.card("0082000000"), "9000");
    assert_eq!(pair.exchange("00B2016404"), "6982");
    assert!(pair.exchange("00B2010C30").ends_with("9000"));
    authenticate(&mut pair, "01");
    assert_eq!(pair.card("0082000200"), "9000");
    assert_eq!(ciphered(&mut pair, "00B2016404"), "A1A2A3A49000");
    pair.close("00", "80", 8);
    assert_eq!(pair.card.record(0x220C, 1).unwrap()[..4], [0xA1, 0xA2, 0xA3, 0xA4]);
    assert_eq!(pair.card("00B2016404"), "6982");
}

#[test]
fn ciphered_bytes_differ_from_clear_ones() {
    let (mut pair, serial) = pair(SECURED, 3);
    pair.open("008A010209 00 CHALLENGE 00", "2175", &serial);
    assert_eq!(pair.card("0082000200"), "9000");
    let sent = pair.sam("808C00800900DC016404A1A2A3A4");
    assert_eq!(&sent[..10], "00DC016404");
    assert_ne!(&sent[10..], "A1A2A3A4");
    assert_eq!(pair.card(&sent), "9000");
}

#[test]
fn a_wrong_mac_ends_the_session() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    assert_eq!(pair.exchange("00E200400111"), "9000");
    assert_eq!(pair.card("0082000108000000000000000000"), "6988");
    assert!(!pair.card.session_open());
    assert_eq!(pair.card.record(0x2010, 1), Some(vec![0; 29]));
}

#[test]
fn what_a_pre_opening_announces_comes() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    let announced = pair.card("008A0302010000");
    assert!(announced.ends_with("6200"));
    assert!(!pair.card.session_open());
    assert!(pair.card("00B2013C1D").ends_with("9000"));
    let opening = pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    assert_eq!(opening, announced[..announced.len() - 4]);
    pair.close("00", "80", 8);
    let again = pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    assert_ne!(again, opening);
}

#[test]
fn another_level_drops_what_was_announced() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    let announced = pair.card("008A0302010000");
    let opening = pair.open("008A020209 00 CHALLENGE 00", "2774", &serial);
    assert_ne!(opening[6..16], announced[6..16]);
    assert_eq!(pair.card("008A0302010000"), "6985", "a session is open");
    assert_eq!(pair.card("008E000000"), "9000");
    pair.card.set_transaction_counter(0);
    assert_eq!(pair.card("008A0302010000"), "6900");
}

#[test]
fn confidential_with_pin() {
    let (mut pair, serial) = pair(SECURED, 3);
    for (pin, expected) in [("31313131", "6982"), ("30303030", "009000")] {
        pair.card(&format!("0020000004{pin}"));
        pair.open("008A030209 00 CHALLENGE 00", "3075", &serial);
        assert_eq!(pair.exchange("00B2016C01"), "6982", "not ciphered");
        assert_eq!(pair.card("0082000200"), "9000");
        assert_eq!(ciphered(&mut pair, "00B2016C01"), expected);
        pair.close("00", "80", 8);
    }
}

#[test]
fn a_change_of_the_ratification_drops_what_was_announced() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    pair.close("00", "00", 8);
    pair.card.leave_field();
    pair.card(&format!("00A4040008{TRANSPORT}00"));
    let announced = pair.card("008A0302010000");
    assert_eq!(&announced[16..18], "03", "not ratified");
    pair.card.memory.ratified = true;
    let opening = pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    assert_eq!(&opening[16..18], "02");
    assert_ne!(opening[6..16], announced[6..16]);
}

#[test]
fn authentications_within_a_session_are_limited() {
    let (mut pair, serial) = pair(TRANSPORT, 1);
    pair.open("008A030209 00 CHALLENGE 00", "3074", &serial);
    for _ in 0..249 {
        authenticate(&mut pair, "01");
    }
    assert_eq!(to_sam(&mut pair.sam, "8088800008"), "6985");
    pair.close("00", "80", 8);
}
