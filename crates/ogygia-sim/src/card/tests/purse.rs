//! Stored Value.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use crate::hex::encode;
use crate::testing::{Pair, SAM_SERIAL, TRANSPORT, selected, serial_of, to_card as send};

const NAME: &str = "304554502E494341";

fn pair() -> (Pair, String) {
    (Pair::new("stored-value", NAME), serial_of("stored-value", 0))
}

/// Asks the SAM for a reload, debit or undebit and returns the command of the card without Le.
fn operation(pair: &mut Pair, serial: &str, get: &str, answer: &str, partial: &str) -> String {
    let ins = match &partial[..2] {
        "B8" => "56",
        "BA" => "54",
        _ => "5C",
    };
    pair.sam(&format!("8014000008{serial}"));
    let data = format!("{}{answer}{partial}", &get[2..]);
    let prepared = pair.sam(&format!("80{ins}01FF{:02X}{data}", data.len() / 2));
    let (challenge, rest) = prepared.split_at(6);
    let (number, mac) = rest.split_at(6);
    let (header, fields) = (&partial[..2], &partial[10..]);
    let sam = encode(&SAM_SERIAL);
    let body = format!("{}{fields}{sam}{number}{mac}", &challenge[4..]);
    format!("{}{header}{}{:02X}{body}", &get[..2], &challenge[..4], body.len() / 2)
}

#[test]
fn reload_debit_and_undebit_outside_a_session() {
    let (mut pair, serial) = pair();
    let steps = [
        ("007C000721", "B800001700123441794200006456 78", 100),
        ("007C00091E", "BA00001400FFFE1234567879", 98),
        ("007C00091E", "BC000014000001123456 7879", 99),
    ];
    for (tnum, (get, partial, balance)) in (1..).zip(steps) {
        let partial = partial.replace(' ', "");
        let answer = pair.card(get);
        assert_eq!(answer.len() / 2, usize::from_str_radix(&get[8..], 16).unwrap() + 2);
        let command = operation(&mut pair, &serial, get, &answer, &partial);
        let before = pair.card.transaction_counter();
        let answer = pair.card(&format!("{command}03"));
        assert_eq!((answer.len(), &answer[6..]), (10, "9000"), "{answer}");
        assert_eq!(before - pair.card.transaction_counter(), 1);
        pair.sam(&format!("8058000003{}", &answer[..6]));
        assert_eq!(pair.card.purse(), Some((balance, tnum)));
    }
    let load = encode(&pair.card.record(0x1014, 1).unwrap());
    assert_eq!(load, format!("123441794200006400006456781122334400000100 01{}", "00".repeat(7)).replace(' ', ""));
    let debit = encode(&pair.card.record(0x1015, 2).unwrap());
    assert_eq!(debit, format!("FFFE12345678791122334400000200006200 02{}", "00".repeat(10)).replace(' ', ""));
}

#[test]
fn an_operation_must_follow_its_sv_get() {
    let (mut pair, serial) = pair();
    let answer = pair.card("007C000721");
    let reload = operation(&mut pair, &serial, "007C000721", &answer, "B80000170012344179420000645678");
    pair.card("00B201A41D");
    assert_eq!(pair.card(&format!("{reload}03")), "6985");
    pair.card("007C00091E");
    assert_eq!(pair.card(&format!("{reload}03")), "6985", "SV Get for a debit");
    pair.card("007C000721");
    assert_eq!(pair.card(&format!("{reload}03")), "6988", "SV Get with another challenge");
    assert_eq!(pair.card.purse(), Some((0, 0)));
    let answer = pair.card("007C00091E");
    let debit = operation(&mut pair, &serial, "007C00091E", &answer, "BA00001400FFFE1234567878");
    assert_eq!(pair.card(&format!("{debit}03")), "6985", "KVC that SV Get did not tell");
    let answer = pair.card("007C000721");
    pair.card.set_transaction_counter(0);
    let late = operation(&mut pair, &serial, "007C000721", &answer, "B80000170012344179420000645678");
    assert_eq!(pair.card(&format!("{late}03")), "6900");
    assert_eq!(pair.card.purse(), Some((0, 0)));
    let mut other = selected("kit-prime-regular-v3", "A000000291A00000019102");
    assert_eq!(send(&mut other, "007C000721"), "6D00");
    assert_eq!(pair.card("007C000621"), "6A81");
    assert_eq!(pair.card("007C010721"), "6A81");
    assert_eq!(pair.card("007C00071E"), "6A86");
}

#[test]
fn in_a_session_the_mac_comes_with_the_closing() {
    for commit in [true, false] {
        let (mut pair, serial) = pair();
        pair.open("008A020104 CHALLENGE 00", "0779", &serial);
        let answer = pair.exchange("007C000721");
        let reload = operation(&mut pair, &serial, "007C000721", &answer, "B80000170012344179420000645678");
        assert_eq!(pair.exchange(&reload), "6200");
        assert_eq!(pair.exchange("007C000721"), "6985");
        assert_eq!(pair.exchange("00B201A41D"), "6985");
        assert_eq!(pair.card.purse(), Some((100, 1)));
        if commit {
            let items = pair.close("00", "80", 4);
            assert_eq!((items.len(), &items[..2]), (8, "04"));
            pair.sam(&format!("8058000003{}", &items[2..]));
            assert_eq!(pair.card.purse(), Some((100, 1)));
        } else {
            assert_eq!(pair.card("008E000000"), "9000");
            assert_eq!(pair.card.purse(), Some((0, 0)));
            assert_eq!(pair.card.record(0x1014, 1), Some(vec![0; 29]));
        }
    }
}

#[test]
fn extended_form() {
    let mut pair = Pair::new("kit-prime-extended-v3", "A000000291FF9201");
    let serial = serial_of("kit-prime-extended-v3", 0);
    let answer = pair.card("007C01073D");
    assert_eq!(answer.len(), 126);
    let reload = operation(&mut pair, &serial, "007C01073D", &answer, "B800001C0012344174420000645678");
    let answer = pair.card(&format!("{reload}06"));
    assert_eq!((answer.len(), &answer[12..]), (16, "9000"));
    pair.sam(&format!("8058000006{}", &answer[..12]));
    assert!(pair.card("007C01093D")[16..].starts_with(&format!("740001{}000064", &answer[..12])));
}

#[test]
fn legacy_cards_have_a_class_of_their_own() {
    let name = "315449432E494341";
    let mut pair = Pair::new("prime2-legacy-postponed", name);
    let serial = serial_of("prime2-legacy-postponed", 0);
    let answer = pair.card("FA7C00091E");
    assert!(answer.ends_with("9000"), "{answer}");
    let undebit =
        operation(&mut pair, &serial, "FA7C00091E", &answer, "BC00001400000512345678 79".replace(' ', "").as_str());
    assert!(pair.card(&format!("{undebit}03")).ends_with("9000"));
    assert_eq!(pair.card.purse(), Some((5, 1)));
    assert_eq!(send(&mut selected("kit-prime-regular-v3", TRANSPORT), "FA7C00091E"), "6E00");
}

#[test]
fn the_transport_application_reaches_the_same_purse() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    assert!(send(&mut card, "007C00091E").starts_with("790000"));
}

/// A purse of this balance and number, and the answer to one operation: SV Get, then what the SAM prepared.
fn at_the_limit(balance: i32, tnum: u16, get: &str, partial: &str) -> String {
    let (mut pair, serial) = pair();
    let purse = pair.card.memory.content.purse.as_mut().unwrap();
    (purse.balance, purse.tnum) = (balance, tnum);
    let answer = pair.card(get);
    let command = operation(&mut pair, &serial, get, &answer, partial);
    let answer = pair.card(&format!("{command}03"));
    let unchanged = pair.card.purse() == Some((balance, tnum));
    assert_eq!(unchanged, !answer.ends_with("9000"));
    answer[answer.len() - 4..].to_owned()
}

#[test]
fn limits_of_the_purse() {
    let reload_one = "B80000170000004179420000010000";
    assert_eq!(at_the_limit(0x7F_FFFE, 0, "007C000721", reload_one), "9000");
    assert_eq!(at_the_limit(0x7F_FFFF, 0, "007C000721", reload_one), "6985");
    assert_eq!(at_the_limit(0, 0xFFFD, "007C000721", reload_one), "9000");
    assert_eq!(at_the_limit(0, 0xFFFE, "007C000721", reload_one), "6900");
    assert_eq!(at_the_limit(0, 0xFFFF, "007C000721", reload_one), "6900");
    let cancel_one = "B8000017000000417942FFFFFF0000";
    assert_eq!(at_the_limit(0, 0, "007C000721", cancel_one), "9000");
    assert_eq!(at_the_limit(-0x80_0000, 0, "007C000721", cancel_one), "6985");
    assert_eq!(at_the_limit(0, 0, "007C00091E", "BA00001400FFFF0000000079"), "9000", "below zero is for the terminal");
    assert_eq!(at_the_limit(9, 0, "007C00091E", "BA0000140000010000000079"), "6985", "a debit that adds");
    assert_eq!(at_the_limit(9, 0, "007C00091E", "BC00001400FFFF0000000079"), "6985", "an undebit that takes");
}
