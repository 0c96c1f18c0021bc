//! Sessions between card and SAM.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use crate::testing::{Pair, TRANSPORT, card, prime, sam, serial_of};
use crate::{KeySet, SamProduct, VirtualCard};

#[test]
fn open_read_update_close_ratify() {
    let (mut pair, serial) = prime();
    let before = pair.card.transaction_counter();
    let opening = pair.open("008A0B3904 CHALLENGE 00", "3079", &serial);
    assert_eq!(pair.card.transaction_counter(), before - 1);
    assert_eq!(&opening[..6], &format!("{:06X}", before - 1));
    assert_eq!(&opening[8..16], "0030791D");
    assert!(pair.exchange("00B201441D").ends_with("9000"));
    assert_eq!(pair.exchange("00E2004004AABBCCDD"), "9000");
    assert_eq!(pair.card.record(0x2010, 1).unwrap()[..4], [0xAA, 0xBB, 0xCC, 0xDD]);
    pair.close("00", "00", 4);
    assert!(!pair.card.session_open());
    assert!(!pair.card.ratified());
    assert_eq!(pair.card("00B2000000"), "6B00");
    assert!(pair.card.ratified());
    assert_eq!(pair.card.record(0x2010, 1).unwrap()[..4], [0xAA, 0xBB, 0xCC, 0xDD]);
}

#[test]
fn counters_answer_at_once_on_revision_3() {
    let (mut pair, serial) = prime();
    pair.open(
        "008A0201 04 CHALLENGE 00".replace(' ', "").replace("CHALLENGE", " CHALLENGE ").as_str(),
        "2779",
        &serial,
    );
    assert_eq!(pair.exchange("003201C803000064|00"), "0000649000");
    assert_eq!(pair.exchange("003001C803000001|00"), "0000639000");
    assert_eq!(pair.exchange("003001C803000064|00"), "6A80");
    assert_eq!(pair.exchange("003A00C8080100000102000002|00"), "01000064020000029000");
    assert_eq!(pair.exchange("003A00C8080100000101000002|00"), "6A80");
    pair.close("00", "80", 4);
    assert!(pair.card.ratified());
    assert_eq!(pair.card.record(0x2069, 1).unwrap()[..6], [0, 0, 0x64, 0, 0, 2]);
}

#[test]
fn leaving_after_a_closing_that_awaits_ratification() {
    for (deselect, ratified) in [(false, false), (true, true)] {
        let (mut pair, serial) = prime();
        pair.open("008A030104 CHALLENGE 00", "3079", &serial);
        assert_eq!(pair.exchange("00DC014C01AA"), "6981".replace("6981", "6982"));
        pair.close("00", "00", 4);
        assert!(!pair.card.ratified());
        if deselect {
            pair.card.deselect();
        } else {
            pair.card.leave_field();
        }
        assert_eq!(pair.card.ratified(), ratified);
        pair.card.deselect();
        assert_eq!(pair.card.ratified(), ratified, "too late to ratify");
        pair.card(&format!("00A4040008{TRANSPORT}00"));
        let opening = pair.open("008A030104 CHALLENGE 00", "3079", &serial);
        assert_eq!(&opening[8..10], if ratified { "00" } else { "01" });
    }
}

#[test]
fn what_a_session_changed_goes_when_it_does_not_end_well() {
    type Ending = fn(&mut Pair);
    let endings: [(&str, Ending); 4] = [
        ("abort", |pair| assert_eq!(pair.card("008E000000"), "9000")),
        ("power loss", |pair| pair.card.leave_field()),
        ("wrong MAC", |pair| assert_eq!(pair.card("008E80000400000000 00".replace(' ', "").as_str()), "6988")),
        ("selection", |pair| assert!(pair.card(&format!("00A4040008{TRANSPORT}00")).ends_with("9000"))),
    ];
    for (name, end) in endings {
        let (mut pair, serial) = prime();
        pair.open("008A010104 CHALLENGE 00", "2179", &serial);
        let before = pair.card.to_json().unwrap();
        assert_eq!(pair.exchange("00DC013C03010203"), "9000");
        assert_eq!(pair.exchange("003201C803000005|00"), "0000059000");
        assert_eq!(pair.exchange("0004000000"), "9000");
        assert_eq!(pair.card.to_json().unwrap(), before, "{name}: an open session is not saved");
        end(&mut pair);
        assert!(!pair.card.session_open(), "{name}");
        assert_eq!(pair.card.to_json().unwrap(), before, "{name}");
        assert_eq!(pair.card("008E000000"), "6985", "{name}");
    }
}

#[test]
fn a_mac_of_another_key_or_history_is_wrong() {
    let (mut pair, serial) = prime();
    pair.open("008A030104 CHALLENGE 00", "2779", &serial);
    let mac = pair.sam("808E000004");
    assert_eq!(pair.card(&format!("008E800004{mac}00")), "6988");

    let (mut pair, serial) = prime();
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert!(pair.card("00B2014C1D").ends_with("9000"));
    let mac = pair.sam("808E000004");
    assert_eq!(pair.card(&format!("008E800004{mac}00")), "6988");

    let other = VirtualCard::new(card("kit-prime-regular-v3").profile(), &KeySet::new(b"other"));
    let (mut pair, serial) = prime();
    pair.card = other.unwrap();
    pair.card(&format!("00A4040008{TRANSPORT}00"));
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    let mac = pair.sam("808E000004");
    assert_eq!(pair.card(&format!("008E800004{mac}00")), "6988");
}

#[test]
fn the_buffer_overflows_exactly() {
    let (mut pair, serial) = prime();
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    // 430 bytes: twelve events of 29 and 6, then 10 are left.
    for _ in 0..12 {
        assert_eq!(pair.exchange(&format!("00E200401D{}", "11".repeat(29))), "9000");
    }
    assert_eq!(pair.exchange("00E20040051122334455"), "6400");
    assert_eq!(pair.exchange("00E200400411223344"), "9000");
    assert_eq!(pair.exchange("00E200400111"), "6400");
    pair.close("00", "80", 4);
}

#[test]
fn status_words_of_opening_and_closing() {
    let (mut pair, serial) = prime();
    assert_eq!(pair.card("008E80000412345678 00".replace(' ', "").as_str()), "6985");
    assert_eq!(pair.card("008A030104C1C2C3C4 00".replace(' ', "").as_str()).len(), 20);
    assert_eq!(pair.card("008A030104C1C2C3C400"), "6985");
    assert_eq!(pair.card("00CA006F00"), "6985");
    assert_eq!(pair.card("008E8000081122334455667788 00".replace(' ', "").as_str()), "6700");
    assert_eq!(pair.card("008E000000"), "9000");
    assert_eq!(pair.card("008A0301051122334455 00".replace(' ', "").as_str()), "6700");
    assert_eq!(pair.card("008A030204C1C2C3C400"), "6B00");
    assert_eq!(pair.card("008A04 01 04C1C2C3C400".replace(' ', "").as_str()), "6A81");
    assert_eq!(pair.card("008A2B4104C1C2C3C400"), "6A83");
    assert_eq!(pair.card("008A0B2104C1C2C3C400"), "6A82");
    pair.card.set_transaction_counter(0);
    assert_eq!(pair.card("008A030104C1C2C3C400"), "6900");
    pair.card.set_transaction_counter(1);
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
}

#[test]
fn revision_2_layouts() {
    let mut pair = Pair::new("prime2-legacy-postponed", "315449432E494341");
    let serial = serial_of("prime2-legacy-postponed", 0);
    let opening = pair.open("948A833804 CHALLENGE 00", "3079", &serial);
    assert_eq!(opening.len(), 10);
    assert!(opening.starts_with("79"));
    pair.close("94", "00", 4);
    pair.card.leave_field();
    pair.card("94A4040008315449432E49434100");
    let opening = pair.open("948A8A3804 CHALLENGE 00", "2779", &serial);
    assert_eq!(opening.len(), 2 * (5 + 2 + 29));
    assert_eq!(pair.exchange("943201C803000005"), "6200");
    assert_eq!(pair.exchange("943001C803000001"), "6200");
    assert_eq!(pair.close("94", "80", 4), "0400000504000004");
    assert_eq!(pair.card("943201C8030000 01".replace(' ', "").as_str()), "6982");
}

#[test]
fn revision_2_counts_commands() {
    let mut pair = Pair::new("prime2-legacy", "315449432E494341");
    let serial = serial_of("prime2-legacy", 0);
    pair.open("948A830004 CHALLENGE 00", "3079", &serial);
    for _ in 0..6 {
        assert_eq!(pair.exchange("94E200400111"), "9000");
    }
    assert_eq!(pair.exchange("94E200400111"), "6400");
}

#[test]
fn revision_1_layouts() {
    let mut pair = Pair { card: card("prime1-innovatron"), sam: sam(SamProduct::S1E1) };
    let serial = serial_of("prime1-innovatron", 0);
    let opening = pair.open("948A0B3804 CHALLENGE 00", "3060", &serial);
    assert_eq!(opening.len(), 2 * 33);
    pair.close("94", "00", 4);
    pair.card.leave_field();
    let opening = pair.open("948A030004 CHALLENGE 00", "3060", &serial);
    assert_eq!(opening.len(), 2 * 6);
    for _ in 0..3 {
        assert_eq!(pair.exchange("94E200400111"), "9000");
    }
    assert_eq!(pair.exchange("94E200400111"), "6400");
}

#[test]
fn basic_takes_three_modifications_and_one_counter() {
    let mut pair = Pair::new("kit-basic-v2", TRANSPORT);
    let serial = serial_of("kit-basic-v2", 0);
    pair.open("008A020104 CHALLENGE 00", "2773", &serial);
    for _ in 0..3 {
        assert_eq!(pair.exchange("00DC014C0111"), "9000");
    }
    assert_eq!(pair.exchange("00DC014C0111"), "6400");
    assert_eq!(pair.exchange("003201C803000001|00"), "0000019000");
    assert_eq!(pair.exchange("003201C803000001|00"), "6400");
    pair.close("00", "80", 4);
}

#[test]
fn counters_and_records_share_the_buffer() {
    let (mut pair, serial) = prime();
    pair.open("008A020104 CHALLENGE 00", "2779", &serial);
    // 430 bytes: eleven contracts of 29 and 6 are 385, five counters of 3 and 6 make 430.
    for _ in 0..11 {
        assert_eq!(pair.exchange(&format!("00DC014C1D{}", "11".repeat(29))), "9000");
    }
    for _ in 0..5 {
        assert!(pair.exchange("003201C803000001|00").ends_with("9000"));
    }
    assert_eq!(pair.exchange("003201C803000000|00"), "6400");
    assert_eq!(pair.exchange("00DC014C0111"), "6400");
}

#[test]
fn invalidation_takes_room_too() {
    for (left, status) in [(6, "9000"), (5, "6400")] {
        let (mut pair, serial) = prime();
        pair.open("008A030104 CHALLENGE 00", "3079", &serial);
        for _ in 0..11 {
            assert_eq!(pair.exchange(&format!("00E200401D{}", "11".repeat(29))), "9000");
        }
        assert_eq!(pair.exchange(&format!("00E2004014{}", "11".repeat(20))), "9000");
        let last = 430 - 11 * 35 - 26 - 6 - left;
        assert_eq!(pair.exchange(&format!("00E20040{last:02X}{}", "11".repeat(last))), "9000");
        assert_eq!(pair.exchange("0004000000"), status);
    }
}

#[test]
fn another_directory_cannot_be_selected_by_identifier_in_a_session() {
    let (mut pair, serial) = prime();
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert!(pair.exchange("00A4090002200000").ends_with("9000"), "the current one can");
    assert!(pair.exchange("00A4090002201000").ends_with("9000"), "and its files");
    assert_eq!(pair.card("00A4090002220000"), "6985");
    assert!(pair.card.session_open());
}
