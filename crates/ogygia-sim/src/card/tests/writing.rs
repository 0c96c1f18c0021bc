//! Update, Write, Append, counters, shared files, invalidation.

use crate::VirtualCard;
use crate::testing::{Pair, TRANSPORT, prime, selected, serial_of, to_card as send};

fn second() -> VirtualCard {
    selected("kit-prime-regular-v3", "A000000291FF9111")
}

#[test]
fn free_files_need_no_session() {
    let mut card = second();
    assert_eq!(send(&mut card, "00DC015C021122"), "9000");
    assert_eq!(send(&mut card, "00D2015C01CC"), "9000");
    assert_eq!(send(&mut card, "00B2015C03"), "DD22009000");
    assert_eq!(send(&mut card, &format!("00DC015C41{}", "00".repeat(65))), "6700");
    assert_eq!(send(&mut card, "00DC015C00"), "6700");
    assert_eq!(send(&mut card, "00DC025C0111"), "6A83");
    assert_eq!(send(&mut card, "00DC015D0111"), "6B00");
    assert_eq!(send(&mut card, "00DC011C0111"), "6982");
    assert_eq!(send(&mut card, "00DC01A40111"), "6985");
    assert_eq!(send(&mut card, "00DC01940111"), "6981");
}

#[test]
fn shared_files_hold_the_same_bytes() {
    let mut card = second();
    // SFI 1A in 2200 is 2213, which is 2113 in 2100.
    assert_eq!(send(&mut card, "00DC02D403A1A2A3"), "9000");
    assert_eq!(card.record_by_sfi(0x2100, 0x1A, 2).unwrap().get(..3), Some(&[0xA1, 0xA2, 0xA3][..]));
    assert!(send(&mut card, "00A404000BA00000029 1A0000001910200".replace(' ', "").as_str()).ends_with("9000"));
    assert!(send(&mut card, "00B202D403").starts_with("A1A2A3"));
}

#[test]
fn simulated_counters_are_windows_of_the_counters() {
    let mut pair = Pair::new("kit-prime-regular-v1", "315449432E49434131");
    let serial = serial_of("kit-prime-regular-v1", 0);
    pair.open("008A020104 CHALLENGE 00", "2779", &serial);
    assert_eq!(pair.exchange("0032006003000007|00"), "0000079000");
    assert_eq!(pair.exchange("003203C803000001|00"), "0000089000");
    assert_eq!(pair.exchange("0030006003000002|00"), "0000069000");
    assert_eq!(pair.exchange("00B2016405"), "00000600009000");
    assert_eq!(pair.exchange("00B201CC09"), "0000000000000000069000");
    assert_eq!(pair.exchange("00DC01640400001100"), "9000");
    assert_eq!(pair.exchange("00B201CC0C"), "0000000000000000110000009000");
    assert_eq!(pair.exchange("0032026003000001|00"), "6B00");
    assert_eq!(pair.exchange("00DC013401AA"), "9000");
    assert_eq!(pair.exchange("00B201F401"), "AA9000", "SFI 06 and 1E are one record");
    pair.close("00", "80", 4);
}

#[test]
fn cyclic_files() {
    let (mut pair, serial) = prime();
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert_eq!(pair.exchange("00E200400101"), "9000");
    assert_eq!(pair.exchange("00E20040020202"), "9000");
    assert_eq!(pair.exchange("00DC01440103"), "9000");
    assert_eq!(pair.exchange("00D201440104"), "9000");
    assert_eq!(pair.exchange("00DC02440103"), "6981");
    assert_eq!(pair.exchange("00DC04440103"), "6A83");
    assert_eq!(pair.exchange("00E20145010 3".replace(' ', "").as_str()), "6B00");
    assert_eq!(pair.exchange("00E200E80103"), "6981");
    pair.close("00", "80", 4);
    let first = |number| pair.card.record(0x2010, number).unwrap()[..2].to_vec();
    assert_eq!([first(1), first(2), first(3)], [[0x07, 0x02], [0x01, 0x00], [0x00, 0x00]]);
}

#[test]
fn counters() {
    let (mut pair, serial) = prime();
    assert_eq!(pair.card("003201C80300000100"), "6982");
    pair.open("008A010104 CHALLENGE 00", "2179", &serial);
    assert_eq!(pair.exchange("00DC01CC03FFFFFE"), "9000");
    assert_eq!(pair.exchange("003201C803000001|00"), "FFFFFF9000");
    assert_eq!(pair.exchange("003201C803000001|00"), "6A80");
    assert_eq!(pair.exchange("003002C803000001|00"), "6A80");
    assert_eq!(pair.exchange("003209C803000001|00"), "0000019000");
    assert_eq!(pair.exchange("00320AC803000001|00"), "6B00");
    assert_eq!(pair.exchange("003200C803000001|00"), "6B00");
    assert_eq!(pair.exchange("0032014803000001|00"), "6981");
    assert_eq!(pair.exchange("003201C8020001|00"), "6700");
    assert_eq!(pair.exchange("00D201CC0111"), "6981");
    assert_eq!(pair.exchange("003800C80C010000010200000109000001|00"), "6A80", "all or nothing");
    assert_eq!(pair.exchange("003800C8080100000109000001|00"), "01FFFFFE090000009000");
    assert_eq!(pair.exchange("003A00C80400000001|00"), "6A80");
    assert_eq!(pair.exchange("003A00C803010000|00"), "6700");
    assert_eq!(pair.card("008E000000"), "9000");
    assert_eq!(send(&mut selected("kit-basic-v2", TRANSPORT), "003A00C8040100000100"), "6D00");
    assert_eq!(send(&mut selected("prime2-legacy", "315449432E494341"), "943A00C8040100000100"), "6982");
    assert_eq!(send(&mut selected("prime2-legacy-postponed", "315449432E494341"), "943A00C8040100000100"), "6D00");
}

#[test]
fn invalidation() {
    let (mut pair, serial) = prime();
    assert_eq!(pair.card("0004000000"), "6982");
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert_eq!(pair.exchange("0044000000"), "6982");
    assert_eq!(pair.exchange("0004000000"), "9000");
    assert_eq!(pair.exchange("0004000000"), "6985");
    assert_eq!(pair.exchange("00DC014401AA"), "6985");
    pair.close("00", "80", 4);
    assert!(pair.card(&format!("00A4040008{TRANSPORT}00")).ends_with("6283"));
    assert!(pair.card("00CA006F00").ends_with("6283"));
    assert!(pair.card("00A4090002000000").starts_with("8517000200000010100000010300000179"));
    let header = pair.card("00A4090002201000");
    assert_eq!(header.get(30..32), Some("01"), "files tell it too");
    assert!(pair.card("00B2013C1D").ends_with("9000"), "reading stays possible");
    assert_eq!(pair.card("0020000000"), "6985");
    pair.open("008A010104 CHALLENGE 00", "2179", &serial);
    assert_eq!(pair.exchange("0044000000"), "9000");
    assert_eq!(pair.exchange("0044000000"), "6985");
    pair.close("00", "80", 4);
    assert!(pair.card("00CA006F00").ends_with("9000"));
}
