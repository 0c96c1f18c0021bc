//! Selection and identification.

use ogygia::card::{Card, Features, SessionBudget};
use ogygia::command::{ChangeCounter, CounterChange};
use ogygia::{Error, Misuse};

use crate::desk::*;

/// CL-TLV-VAR.1.
#[test]
fn unknown_objects_are_skipped_and_lengths_vary() {
    let startup = [&[0x53, 7], &PLAIN[..]].concat();
    let plain = Card::from_select_response(&fci(b"1TIC.ICA1", &[SERIAL, &startup])).unwrap();
    let long = [&[0x53, 9], &PLAIN[..], &[0xAA, 0xBB]].concat();
    for (name, objects) in [
        (&b"1TIC."[..], vec![SERIAL, &startup]),
        (b"1TIC.ICA12345678", vec![SERIAL, &startup]),
        (b"1TIC.ICA1", vec![&[0xD0, 2, 1, 2], SERIAL, &[0x9F, 0x10, 0], &startup, &[0xD1, 1, 7]]),
        (b"1TIC.ICA1", vec![SERIAL, &long]),
    ] {
        let card = Card::from_select_response(&fci(name, &objects)).unwrap();
        assert_eq!(card.df_name(), name);
        assert_eq!(card.full_serial_number(), plain.full_serial_number());
        assert_eq!(card.startup_info().as_bytes().get(..7), Some(&PLAIN[..]));
    }
    for name in [&b"1TIC"[..], b"1TIC.ICA123456789"] {
        assert!(Card::from_select_response(&fci(name, &[SERIAL, &startup])).is_err());
    }
}

/// CL-SEL-TLVSTRUC.1 and CL-SEL-CSN.1.
#[test]
fn the_three_objects_must_be_there_and_sound() {
    let startup = [&[0x53, 7], &PLAIN[..]].concat();
    let short_serial = &SERIAL[..9];
    let short_serial = [&[0xC7, 7], &short_serial[2..]].concat();
    let long_serial = [&[0xC7, 9], &SERIAL[2..], &[0x55]].concat();
    for objects in [vec![SERIAL], vec![&startup[..]], vec![&short_serial, &startup], vec![&long_serial, &startup]] {
        assert!(Card::from_select_response(&fci(b"1TIC.ICA1", &objects)).is_err(), "{objects:02X?}");
    }
}

/// CL-SI-ATOPT.1.
#[test]
fn each_option_bit_is_a_feature_of_revision_3_only() {
    let features = |application_type: u8| card([0x0A, 0x3C, application_type, 5, 0x14, 0x10, 1]).features();
    let none = Features::default();
    let ratifying = Features { ratification_on_deselect: true, ..none };
    assert_eq!(features(0x20), ratifying);
    assert_eq!(features(0x21), Features { pin: true, ..ratifying });
    assert_eq!(features(0x22), Features { stored_value: true, ..ratifying });
    assert_eq!(features(0x24), none);
    assert_eq!(features(0x28), Features { extended: true, ..ratifying });
    assert_eq!(features(0x30), Features { pki: true, ..ratifying });
    for application_type in 0x90..=0x9F {
        let Features { pin, stored_value, extended, pki, .. } = features(application_type);
        assert_eq!([pin, stored_value, extended, pki], [false; 4], "{application_type:02X}");
    }
}

/// CL-SI-OTHER.1.
#[test]
fn the_other_bytes_of_the_startup_information_are_kept() {
    for byte in 0x00..=0xFF {
        let startup = [0x0A, byte, 0x23, 0x05, byte, byte, byte];
        assert_eq!(card(startup).startup_info().as_bytes(), startup);
    }
}

/// CL-SI-SM.1 and CL-SI-SMBASIC.1.
#[test]
fn every_session_modification_byte() {
    let read = |byte: u8, application_type: u8| {
        Card::from_select_response(&select_response([byte, 0x3C, application_type, 0x05, 0x14, 0x10, 0x01]))
    };
    for byte in 0x00..=0xFF {
        assert_eq!(read(byte, 0x23).is_ok(), (0x06..=0x37).contains(&byte), "{byte:02X}");
        assert_eq!(read(byte, 0x98).is_ok(), (0x04..=0x37).contains(&byte), "{byte:02X}");
    }
    let sizes = (0x06..=0x37).map(|byte| match read(byte, 0x23).unwrap().session_budget() {
        SessionBudget::Bytes(size) => size,
        SessionBudget::Commands(_) => panic!("revision 3 counts bytes"),
    });
    assert!(sizes.is_sorted_by(|a, b| a < b));
}

/// CL-SI-SMBASIC.1.
#[test]
fn the_fifth_modification_of_a_basic_card_is_too_much() {
    let mut desk = desk(card(BASIC), settings(C1));
    let up = ChangeCounter { change: CounterChange::Increase, sfi: COUNTERS, counter: 1, by: 1 };
    desk.prepare(OPEN).unwrap();
    for data in [[1; 29]; 3] {
        desk.prepare(update(&data)).unwrap();
    }
    desk.prepare(up).unwrap();
    assert_eq!(desk.prepare(up), Err(Error::Misuse(Misuse::SessionBufferOverflow)));
}
