//! PIN and keys.

use crate::testing::{Pair, TRANSPORT, card, prime, selected, to_card as send};

/// Ciphers for the card: Get Challenge, Give Random, then the SAM command.
fn ciphered(pair: &mut Pair, serial: &str, command: &str) -> String {
    let challenge = pair.card("0084000008").replace("9000", "");
    pair.sam(&format!("8014000008{serial}"));
    pair.sam(&format!("8086000008{challenge}"));
    pair.sam(command)
}

#[test]
fn plain_presentation_counts_attempts() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    let before = card.transaction_counter();
    assert_eq!(send(&mut card, "0020000000"), "9000");
    assert_eq!(send(&mut card, "002000000431323334"), "63C2");
    assert_eq!(send(&mut card, "0020000000"), "63C2");
    assert_eq!(send(&mut card, "002000000430303030"), "9000");
    assert!(send(&mut card, "00B2011C1D").ends_with("9000"), "the ID file is open now");
    assert_eq!(send(&mut card, "002000000431323334"), "63C2");
    assert_eq!(send(&mut card, "00B2011C1D"), "6982");
    assert_eq!(send(&mut card, "002000000431323334"), "63C1");
    assert_eq!(send(&mut card, "002000000431323334"), "6983");
    assert_eq!(send(&mut card, "002000000430303030"), "6983");
    assert_eq!(send(&mut card, "0020000000"), "6983");
    assert_eq!(before - card.transaction_counter(), 5);
    card.leave_field();
    send(&mut card, &format!("00A4040008{TRANSPORT}00"));
    assert_eq!(send(&mut card, "0020000000"), "6983", "attempts survive the field");
    assert_eq!(send(&mut card, "0020000003112233"), "6700");
    assert_eq!(send(&mut card, "00200000081122334455667788"), "6982");
    assert_eq!(send(&mut selected("kit-basic-v2", TRANSPORT), "0020000000"), "6D00");
    assert_eq!(send(&mut card_at_its_end(), "002000000430303030"), "6900");
}

fn card_at_its_end() -> crate::VirtualCard {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    card.set_transaction_counter(0);
    card
}

#[test]
fn another_application_forgets_the_presentation() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    assert_eq!(send(&mut card, "002000000430303030"), "9000");
    assert!(send(&mut card, "00A4040008A000000291FF911100").ends_with("9000"));
    assert_eq!(send(&mut card, "00B2011430"), "6982");
}

#[test]
fn ciphered_presentation() {
    let (mut pair, serial) = prime();
    let block = ciphered(&mut pair, &serial, "801280FF06307930303030");
    assert_eq!(pair.card(&format!("0020000008{block}")), "9000");
    assert_eq!(pair.card(&format!("0020000008{block}")), "6982", "the challenge is used up");
    let block = ciphered(&mut pair, &serial, "801280FF06307931323334");
    assert_eq!(pair.card(&format!("0020000008{block}")), "63C2");
    let block = ciphered(&mut pair, &serial, "801280FF06217930303030");
    assert_eq!(pair.card(&format!("0020000008{block}")), "63C1", "wrong key");
    let block = ciphered(&mut pair, &serial, "801280FF06307930303030");
    pair.card("00B2013C1D");
    assert_eq!(pair.card(&format!("0020000008{block}")), "6982", "the challenge must come just before");
}

#[test]
fn ciphered_presentation_in_a_session_uses_its_key() {
    let (mut pair, serial) = prime();
    pair.open("008A020104 CHALLENGE 00", "2779", &serial);
    let challenge = pair.exchange("0084000008").replace("9000", "");
    pair.sam(&format!("8086000008{challenge}"));
    let block = pair.sam("801280FF06277930303030");
    assert_eq!(pair.exchange(&format!("0020000008{block}")), "9000");
    assert_eq!(pair.exchange("0020000000"), "9000");
    pair.close("00", "80", 4);
}

#[test]
fn change_of_pin() {
    let (mut pair, serial) = prime();
    assert_eq!(pair.card("00D800FF0431323334"), "6982");
    assert_eq!(pair.card("002000000430303030"), "9000");
    assert_eq!(pair.card("00D800FF0431323334"), "9000");
    assert_eq!(pair.card("002000000431323334"), "9000");
    let block = ciphered(&mut pair, &serial, "801240FF0A21790000000035363738");
    assert_eq!(pair.card(&format!("00D800FF10{block}")), "9000");
    assert_eq!(pair.card("002000000435363738"), "9000");
    let block = ciphered(&mut pair, &serial, "801240FF0A30790000000031313131");
    assert_eq!(pair.card(&format!("00D800FF10{block}")), "6988", "not the issuer key");
    assert_eq!(pair.card(&format!("00D800FF10{block}")), "6982");
    assert_eq!(pair.card("00D800FE0431323334"), "6B00");
    assert_eq!(pair.card("00D800FF0531323334 35".replace(' ', "").as_str()), "6700");
    assert_eq!(pair.card("00D800010431323334"), "6A87");
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert_eq!(pair.card("00D800FF0431323334"), "6985");
}

#[test]
fn change_of_key() {
    let (mut pair, serial) = prime();
    // Key 3 becomes KIF 30 KVC 78, under the issuer key 21 79.
    let block = ciphered(&mut pair, &serial, "8012FFFF052179307890");
    assert_eq!(block.len(), 64);
    assert_eq!(pair.card(&format!("00D8000320{block}")), "9000");
    assert!(pair.card("00A4090002000000").contains("797978212730"));
    assert_eq!(&pair.open("008A030104 CHALLENGE 00", "3078", &serial).get(10..14), &Some("3078"));
    pair.close("00", "80", 4);
    let block = ciphered(&mut pair, &serial, "8012FF0003307890");
    assert_eq!(pair.card(&format!("00D8000320{block}")), "6988", "under the null key");
    assert_eq!(pair.card(&format!("00D8000320{block}")), "6982");
    assert_eq!(pair.card(&format!("00D8000420{block}")), "6B00");
    let mut basic = card("kit-basic-v2");
    assert!(send(&mut basic, &format!("00A4040008{TRANSPORT}00")).ends_with("9000"));
    assert_eq!(send(&mut basic, &format!("00D8000320{block}")), "6D00");
}

#[test]
fn a_key_that_the_card_would_not_derive_is_refused() {
    let (mut pair, serial) = prime();
    let mut others = crate::testing::keys();
    let id = crate::KeyId::new(0x30, 0x78);
    others.remove(id);
    others.add(id, Some("another"), false);
    pair.sam = crate::VirtualSam::new(crate::SamProduct::C1, [1, 2, 3, 4], &others);
    let block = ciphered(&mut pair, &serial, "8012FFFF052179307890");
    assert_eq!(pair.card(&format!("00D8000320{block}")), "6A80");
}
