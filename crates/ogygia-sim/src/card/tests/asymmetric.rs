//! Key pair, certificates, and sessions that the card signs.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{Signature, SigningKey, VerifyingKey};

use crate::VirtualCard;
use crate::hex::{decode, encode};
use crate::testing::{TRANSPORT, keys, selected, to_card as send};

const ID: &str = "kit-prime-pki-v3";
/// The directory with files that anybody may write.
const TICKETING: &str = "A000000291FF9111";
const SERIAL: &str = "0000000033445562";
const GENERATE: &str = "004600000A06082A8648CE3D030107";
const OPEN: &str = "008A000309000102030405060708";
const CLOSE: &str = "008E000000";

fn blank() -> VirtualCard {
    selected(ID, TICKETING)
}

/// A card with a key pair of its own.
fn keyed() -> VirtualCard {
    let mut card = blank();
    assert_eq!(send(&mut card, GENERATE), "9000");
    card
}

/// A certificate of bytes that count up, except for what the card looks at.
fn certificate(length: u16, kind: &str, aid: &str, serial: &str) -> String {
    let filler = |count: usize| (0..count).map(|at| format!("{:02X}", at % 251)).collect::<String>();
    let aid = format!("{:02X}{aid:0<32}", aid.len() / 2);
    let front = format!("{kind}{}{aid}{serial}", filler(30));
    let rest = filler(usize::from(length) - front.len() / 2);
    front + &rest
}

fn card_certificate() -> String {
    certificate(316, "91", TICKETING, SERIAL)
}

fn ca_certificate() -> String {
    certificate(384, "90", TICKETING, SERIAL)
}

/// Put Data of both parts.
fn put(card: &mut VirtualCard, names: [&str; 2], header: &str, certificate: &str) -> [String; 2] {
    let (first, second) = certificate.split_at(490);
    let first = send(card, &format!("00DA{}FA{header}{first}", names[0]));
    let second = send(card, &format!("00DA{}{:02X}{second}", names[1], second.len() / 2));
    [first, second]
}

fn put_card(card: &mut VirtualCard, certificate: &str) -> [String; 2] {
    put(card, ["DF4C", "DF4D"], "DF4C82013C", certificate)
}

fn put_ca(card: &mut VirtualCard, certificate: &str) -> [String; 2] {
    put(card, ["DF4A", "DF4B"], "DF4A820180", certificate)
}

fn done() -> [String; 2] {
    ["9000", "9000"].map(str::to_owned)
}

/// Public and private key of 32 bytes of one value.
fn pair(value: u8) -> String {
    let key = SigningKey::from_slice(&[value; 32]).unwrap();
    let point = key.verifying_key().to_sec1_point(false);
    encode(&point.as_bytes()[1..]) + &encode(&[value; 32])
}

#[test]
fn certificates_are_written_and_read_in_two_parts() {
    let mut card = keyed();
    for name in ["DF4A", "DF4B", "DF4C", "DF4D"] {
        assert_eq!(send(&mut card, &format!("00CA{name}00")), "6A88");
    }
    assert_eq!(put_ca(&mut card, &ca_certificate()), done());
    assert_eq!(put_card(&mut card, &card_certificate()), done());
    let (certificate, ca) = (card_certificate(), ca_certificate());
    assert_eq!(send(&mut card, "00CADF4C00"), format!("DF4C82013C{}9000", &certificate[..490]));
    assert_eq!(send(&mut card, "00CADF4D00"), format!("{}9000", &certificate[490..]));
    assert_eq!(send(&mut card, "00CADF4A00"), format!("DF4A820180{}9000", &ca[..490]));
    assert_eq!(send(&mut card, "00CADF4B00"), format!("{}9000", &ca[490..]));
    // Each is written once.
    assert_eq!(put_card(&mut card, &card_certificate()), ["6985", "6985"]);
    assert_eq!(put_ca(&mut card, &ca_certificate()), ["6985", "6985"]);
}

#[test]
fn what_certificates_must_be() {
    let mut card = keyed();
    let right = card_certificate();
    let put_data =
        |card: &mut VirtualCard, name: &str, data: &str| send(card, &format!("00DA{name}{:02X}{data}", data.len() / 2));
    let first = format!("DF4C82013C{}", &right[..490]);
    assert_eq!(put_data(&mut card, "DF4C", &first[..498]), "6A80", "not the capacity");
    assert_eq!(put_data(&mut card, "DF4C", &first.replacen("4C", "4A", 1)), "6A87");
    assert_eq!(put_data(&mut card, "DF4C", &first.replacen("91", "90", 1)), "6A87");
    assert_eq!(put_data(&mut card, "DF4D", &right[490..]), "6985", "without the first part");
    assert_eq!(put_data(&mut card, "DF4C", &first), "9000");
    assert_eq!(put_data(&mut card, "DF4B", &right[490..]), "6985", "of another certificate");
    assert_eq!(put_data(&mut card, "DF4D", &right[490..]), "6985", "not behind the first part");
    assert_eq!(put_data(&mut card, "DF4C", &first), "9000");
    assert_eq!(put_data(&mut card, "DF4D", &right[492..]), "6A80");
    assert_eq!(put_data(&mut card, "DF4E", "00"), "6B00");
    assert_eq!(put_data(&mut card, "DE4C", "00"), "6B00");
    assert_eq!(send(&mut card, "00DADF4C00"), "6700");
    for (aid, serial, status) in
        [(TRANSPORT, SERIAL, "6A8A"), (&TICKETING[..14], SERIAL, "6A8A"), (TICKETING, "0000000033445563", "6A87")]
    {
        assert_eq!(put_card(&mut card, &certificate(316, "91", aid, serial))[1], status);
    }
    assert_eq!(put_card(&mut card, &right), done());
}

#[test]
fn the_key_pair_is_made_or_written_once() {
    let mut card = blank();
    assert_eq!(send(&mut card, "00CADF2C00"), "6A88");
    let right = pair(7);
    assert_eq!(send(&mut card, &format!("00DADF3C5F{}", &right[2..])), "6A80");
    assert_eq!(send(&mut card, &format!("00DADF3C60{}{}", &right[..128], "08".repeat(32))), "6A87", "of another key");
    assert_eq!(send(&mut card, &format!("00DADF3C60{}{}", &right[..128], "00".repeat(32))), "6A87");
    assert_eq!(send(&mut card, &format!("00DADF3C60{right}")), "9000");
    assert_eq!(send(&mut card, "00CADF2C00"), format!("DF2C40{}9000", &right[..128]));
    assert_eq!(send(&mut card, &format!("00DADF3C60{right}")), "6985");
    assert_eq!(send(&mut card, GENERATE), "6985");

    let (mut one, mut other) = (keyed(), keyed());
    let public = send(&mut one, "00CADF2C00");
    assert_eq!(public.len(), 2 * 69);
    assert_eq!(public, send(&mut other, "00CADF2C00"), "a run can be repeated");
    assert_eq!(send(&mut blank(), "004600000A06082A8648CE3D030108"), "6A80");
    assert_eq!(send(&mut blank(), "004600000906082A8648CE3D0301"), "6700");
}

#[test]
fn directories_and_cards_without_key_pairs() {
    let mut other = selected(ID, "A000000291FF9201");
    assert_eq!(send(&mut other, GENERATE), "6986");
    assert_eq!(put_card(&mut other, &card_certificate()), ["6A88", "6A88"]);
    assert_eq!(send(&mut other, &format!("{OPEN}00")), "6B00");
    let mut regular = selected("kit-prime-regular-v3", TRANSPORT);
    assert_eq!(send(&mut regular, GENERATE), "6D00");
    assert_eq!(send(&mut regular, "00DADF4C01AA"), "6D00");
    assert_eq!(send(&mut regular, "00CADF4C00"), "6A88");
    assert_eq!(send(&mut regular, &format!("{OPEN}00")), "6B00");
    assert_eq!(send(&mut blank(), &format!("{OPEN}00")), "6985", "no key pair");
}

/// What is signed, by hand: 10, then each command without the Le of case 4 and each answer, behind their lengths.
#[test]
fn the_signature_is_over_what_was_exchanged() {
    let mut card = keyed();
    assert!(card.set_record(0x220B, 1, &[0xBB]));
    let public = decode(&format!("04{}", &send(&mut card, "00CADF2C00")[6..134])).unwrap();
    let key = VerifyingKey::from_sec1_bytes(&public).unwrap();
    let counter = card.transaction_counter() - 1;
    let mut signed = vec![0x10];
    let mut note = |message: &str| {
        let bytes = decode(message).unwrap();
        signed.push(u8::try_from(bytes.len()).unwrap());
        signed.extend(bytes);
    };
    let opening = OPEN.replacen("008A0003", "008A085B", 1);
    let answer = send(&mut card, &format!("{opening}00"));
    let expected = format!("08{TICKETING}{SERIAL}00{counter:06X}");
    assert_eq!(answer[..expected.len()], expected);
    assert_eq!(answer[expected.len() + 10..], format!("00FFFF40BB{}9000", "00".repeat(63)));
    note(&opening);
    note(&answer);
    for (command, le, expected) in [
        ("00DC015C02AABB", "", "9000"),
        ("00B2015C02", "", "AABB9000"),
        ("003001D803000000", "00", "0000009000"),
        ("00B2FF5C02", "", "6A83"),
        ("0084000008", "", ""),
    ] {
        let answer = send(&mut card, &format!("{command}{le}"));
        assert!(expected.is_empty() || answer == expected, "{command} -> {answer}");
        note(command);
        note(&answer);
    }
    assert_eq!(send(&mut card, "00CADF4C00"), "6A88", "answered, and not signed");
    let answer = decode(&send(&mut card, CLOSE)).unwrap();
    let (signature, status) = answer.split_at(64);
    assert_eq!(status, [0x90, 0x00]);
    key.verify(&signed, &Signature::from_slice(signature).unwrap()).unwrap();
    assert!(!card.session_open() && !card.ratified());
    assert_eq!(send(&mut card, CLOSE), "6985");
    assert!(card.ratified(), "by the next command");
}

#[test]
fn the_opening_tells_whether_the_session_before_was_ratified() {
    let mut card = keyed();
    let flags = |card: &mut VirtualCard| send(card, &format!("{OPEN}00"))[52..54].to_owned();
    assert_eq!(flags(&mut card), "00");
    assert!(send(&mut card, CLOSE).ends_with("9000"));
    card.leave_field();
    send(&mut card, &format!("00A4040008{TICKETING}00"));
    assert_eq!(flags(&mut card), "01");
}

#[test]
fn what_openings_and_closings_are_refused() {
    let mut card = keyed();
    for (command, status) in [
        ("008A0103090001020304050607 0800", "6A81"),
        ("008A0003080001020304050607 00", "6700"),
        ("008A0003090101020304050607 0800", "6700"),
        ("008A0003090001020304050607 0801", "6700"),
        ("008A08FB090001020304050607 0800", "6A82"),
        ("008A105B090001020304050607 0800", "6A83"),
        ("008A0893090001020304050607 0800", "6981"),
        ("008A0803090001020304050607 0800", "6986"),
        // Whoever opens proves nothing, so the PIN and the keys are wanted.
        ("008A0813090001020304050607 0800", "6982"),
        ("008A0863090001020304050607 0800", "6982"),
    ] {
        let mut card = keyed();
        assert_eq!(send(&mut card, &command.replace(' ', "")), status, "{command}");
        assert!(!card.session_open(), "{command}");
    }
    assert!(send(&mut card, &format!("{OPEN}00")).ends_with("9000"));
    assert_eq!(send(&mut card, &format!("{OPEN}00")), "6985");
    for (command, status) in [
        ("008E800000", "6B00"),
        ("008E008040", "6B00"),
        ("008E000040", "6700"),
        ("008E0000040102030400", "6700"),
        ("0082000200", "6985"),
        ("00DA DF3C 01AA", "6985"),
        (GENERATE, "6985"),
        ("00CA006F00", "6985"),
        // Update of the environment, Decrease and Append wanted keys.
        ("00DC010C01AA", "6982"),
        ("00E2005001AA", "6982"),
        ("007C000900", "6985"),
        ("0004000000", "6982"),
    ] {
        assert_eq!(send(&mut card, &command.replace(' ', "")), status, "{command}");
        assert!(card.session_open(), "{command}");
    }
    card.set_transaction_counter(0);
    card.leave_field();
    send(&mut card, &format!("00A4040008{TICKETING}00"));
    assert_eq!(send(&mut card, &format!("{OPEN}00")), "6900");
}

#[test]
fn a_session_without_end_changes_nothing() {
    for selects in [false, true] {
        let mut card = keyed();
        assert!(send(&mut card, &format!("{OPEN}00")).ends_with("9000"));
        assert_eq!(send(&mut card, "00DC015C02AABB"), "9000");
        if selects {
            assert!(send(&mut card, &format!("00A4040008{TICKETING}00")).ends_with("9000"));
        } else {
            card.leave_field();
        }
        assert!(!card.session_open());
        assert_eq!(card.record(0x220B, 1).unwrap()[..2], [0, 0]);
        assert!(card.ratified());
    }
}

#[test]
fn objects_are_saved_and_do_not_show() {
    let mut card = blank();
    assert_eq!(send(&mut card, &format!("00DADF3C60{}", pair(0xC7))), "9000");
    assert_eq!(put_card(&mut card, &card_certificate()), done());
    assert!(!format!("{card:?} {:?}", card.objects()).to_uppercase().contains(&"C7".repeat(4)));
    let text = card.to_json().unwrap();
    let mut read = VirtualCard::from_json(&text, &keys()).unwrap();
    assert_eq!(read.to_json().unwrap(), text);
    send(&mut read, &format!("00A4040008{TICKETING}00"));
    for name in ["DF2C", "DF4C", "DF4D", "DF4A"] {
        let command = format!("00CA{name}00");
        assert_eq!(send(&mut read, &command), send(&mut card, &command));
    }
    let short = text.replace(&card_certificate(), "91");
    assert!(short != text && VirtualCard::from_json(&short, &keys()).is_err());
    let none = text.replace(&"C7".repeat(32), &"00".repeat(32));
    assert!(none != text && VirtualCard::from_json(&none, &keys()).is_err());
}
