use super::*;
use crate::hex::Hex;
use crate::testing::{Pair, TRANSPORT, sam, selected, serial_of};
use crate::{KeyId, SamProduct};

/// Everything enabled, no counter.
const ALL: &str = "31000000010000000000";
/// The same, with counter 10.
const COUNTED: &str = "3100000A010000000000";

/// A target without work keys.
fn empty() -> VirtualSam {
    made("sam-target", |profile| {
        profile.work_keys.clear();
        profile.key_set = false;
    })
}

/// A lock that has the bits given, and does not lock the SAM.
fn with_lock(change: impl FnOnce(&mut crate::sam::profile::LockProfile)) -> VirtualSam {
    made("sam-locked", |profile| {
        let lock = profile.lock.as_mut().unwrap();
        (lock.static_unlock, lock.dynamic_unlock) = (false, false);
        change(lock);
    })
}

fn with_parameters(first: u8) -> VirtualSam {
    made("sam-target", |profile| {
        let mut parameters = [0; 29];
        parameters[0] = first;
        profile.parameters = Some(Hex(parameters));
    })
}

/// A block in the clear.
fn plain(record: &str, reference: &str) -> String {
    format!("{}{record}{reference}000000000000008000 00", "00".repeat(8)).replace(' ', "")
}

fn plain_lock(parameters: &str) -> String {
    plain(&format!("EF010000000000{parameters}0000000000{}", "A5".repeat(16)), "E0")
}

#[test]
fn a_transferred_work_key_opens_sessions() {
    let mut pair = Secure::new(empty());
    assert_eq!(pair.transfer("00", "05", &format!("F23079{COUNTED}")), "9000");
    assert_eq!(data(&mut pair.target, "80BC0005020000")[16..42], format!("307940{COUNTED}"));
    assert_eq!(pair.target.event_counter(2), Some(1), "Key Management was used");
    pair.target.set_ceiling(10, 1);
    let mut session = Pair { card: selected("kit-prime-regular-v3", TRANSPORT), sam: pair.target };
    session.open("008A0B3904CHALLENGE00", "3079", &serial_of("kit-prime-regular-v3", 1));
    session.exchange("00B2013C1D");
    session.close("00", "00", 4);
    data(&mut session.sam, "8084000004");
    assert_eq!(send(&mut session.sam, "808A00FF0A30790304909800307900"), "6900");
}

#[test]
fn a_transferred_key_signs_what_its_master_verifies() {
    for (p1, request, diversifier, verifier) in [
        ("00", format!("F22B1A{ALL}"), SN4, SN4),
        ("01", format!("F22B1A{ALL}"), "AABBCCDD", SN4),
        ("01", format!("F22B1A{ALL}1112131415161718"), SN4, "1112131415161718"),
    ] {
        let mut pair = Secure::new(empty());
        assert_eq!(pair.transfer(p1, "F0", &request), "9000");
        data(&mut pair.target, &format!("80140000{:02X}{diversifier}", diversifier.len() / 2));
        let signature = data(&mut pair.target, "802A9E9A06FF2B1A88A1A2");
        data(&mut pair.control, &format!("80140000{:02X}{verifier}", verifier.len() / 2));
        assert_eq!(send(&mut pair.control, &format!("802A00A80EFF2B1A88A1A2{signature}")), "9000", "{p1} {request}");
    }
}

#[test]
fn a_key_made_for_one_diversifier_needs_none() {
    let mut pair = Secure::new(empty());
    assert_eq!(pair.transfer("01", "F0", &format!("F22B1A{ALL}")), "9000");
    data(&mut pair.target, "801C40000A2B1AA1A2A3A4A5A6A7A8");
}

#[test]
fn free_records_are_found() {
    let mut pair = Secure::new(empty());
    assert_eq!(pair.transfer("00", "01", &format!("F22B1A{ALL}")), "9000");
    assert_eq!(pair.transfer("00", "F0", &format!("F23079{ALL}")), "9000");
    assert_eq!(&data(&mut pair.target, "80BC0002020000")[16..20], "3079");
    assert_eq!(pair.transfer("00", "7E", &format!("F22779{ALL}")), "9000");
    assert_eq!(pair.transfer("00", "7E", &format!("F22179{ALL}")), "6985", "the record is not empty");
    assert_eq!(pair.transfer("00", "7D", &format!("F22779{ALL}")), "6A80", "the key is there already");
    for kvc in 0..123_u8 {
        let record = format!("66{kvc:02X}40{ALL}");
        assert_eq!(pair.forge(SystemKey::KeyManagement, "801A00F0", 0xF0, &record, ""), "9000", "{kvc}");
    }
    assert_eq!(pair.transfer("00", "F0", &format!("F22179{ALL}")), "6985", "no record is empty");
}

#[test]
fn a_replaced_system_key_deciphers_what_comes_next() {
    for (diversified, kif) in [("00", "E7"), ("01", "E7"), ("00", "E1"), ("01", "E1")] {
        let mut pair = Secure::new(target());
        assert_eq!(
            pair.transfer(diversified, "C0", &format!("F1{kif}{}{ALL}", if kif == "E7" { "53" } else { "51" })),
            "9000"
        );
        let (p2, old, new) = if kif == "E7" {
            ("B8", one_ceiling(5, 5), one_ceiling(5, 5).replacen("F3", "53", 1))
        } else {
            ("A0", format!("F1{}", "00".repeat(29)), format!("51{}", "00".repeat(29)))
        };
        assert_eq!(pair.write(p2, &old), "6988", "{kif} {diversified}");
        assert_eq!(pair.write(p2, &new), "9000", "{kif} {diversified}");
        let reference = if kif == "E7" { "C3" } else { "C1" };
        assert_eq!(
            &data(&mut pair.target, &format!("80BC00{reference}020000"))[16..24],
            &format!("{kif}5{}40 31", if kif == "E7" { 3 } else { 1 }).replace(' ', "")
        );
    }
}

#[test]
fn a_new_authentication_key_signs() {
    let mut pair = Secure::new(target());
    let before = data(&mut pair.target, "80BE00A000");
    assert_eq!(pair.transfer("01", "C0", &format!("F1FA54{ALL}")), "9000");
    let after = data(&mut pair.target, "80BE00A000");
    assert_ne!(before[..16], after[..16]);
    assert_eq!(&after[84..90], "FA5440");
}

#[test]
fn a_lock_is_in_force_after_the_reset() {
    for (p1, diversified) in [("00", false), ("01", true)] {
        let mut pair = Secure::new(target());
        assert_eq!(pair.transfer(p1, "E0", "F1EF0100000000000100000000"), "9000");
        assert!(!pair.target.is_locked());
        pair.target.reset();
        assert!(pair.target.is_locked());
        let secret = crate::LockSecret::new(keys().secret("KIF EF KVC 01"));
        let secret = if diversified { secret.diversify(SAM_SERIAL) } else { secret };
        assert_eq!(pair.target(&format!("8020000010{}", encode(&secret.static_value(SAM_SERIAL)))), "9000");
    }
}

#[test]
fn a_plain_lock_is_in_force_after_the_reset() {
    let mut sam = target();
    // The example of the specification.
    let block = "0000000000000000EF010000000000020000000000000102030405060708090A0B0C0D0E0FE000000000000000800000";
    assert_eq!(send(&mut sam, &format!("801A80E030{block}")), "9000");
    assert_eq!(data(&mut sam, "80BC00E0020000")[16..42], *"EF010000000000020000000000");
    sam.reset();
    let challenge = decode(&data(&mut sam, "8084000008")).unwrap().try_into().unwrap();
    let secret = crate::LockSecret::new(crate::Key::new(std::array::from_fn(|at| u8::try_from(at).unwrap())));
    let value = encode(&secret.dynamic_value(SAM_SERIAL, challenge));
    assert_eq!(send(&mut sam, &format!("8020000008{value}")), "9000");
}

#[test]
fn plain_blocks_must_be_made_as_they_should_be() {
    let right = plain_lock("00");
    assert_eq!(send(&mut target(), &format!("801A80E030{right}")), "9000");
    for (at, with) in [
        (0, "01"),
        (8, "EE"),
        (10, "40"),
        (14, "01"),
        (16, "01"),
        (20, "01"),
        (37, "F0"),
        (38, "01"),
        (45, "00"),
        (47, "01"),
    ] {
        let mut wrong = right.clone();
        wrong.replace_range(2 * at..2 * at + 2, with);
        assert_eq!(send(&mut target(), &format!("801A80E030{wrong}")), "6A80", "{at}");
    }
}

#[test]
fn plain_writing_may_be_forbidden() {
    let mut sam = with_parameters(1);
    assert_eq!(send(&mut sam, &format!("801A80E030{}", plain_lock("00"))), "6985");
    // What is written holds from the next reset on.
    let mut pair = Secure::new(target());
    assert_eq!(pair.write("A0", &format!("F101{}", "00".repeat(28))), "9000");
    assert_eq!(pair.target(&format!("801A80E030{}", plain_lock("00"))), "9000");
    pair.target.reset();
    assert_eq!(pair.target(&format!("801A80E030{}", plain_lock("00"))), "6985");
}

#[test]
fn plain_work_keys_must_be_enabled() {
    let block = plain(&format!("661140{ALL}{}", "A5".repeat(16)), "F0");
    assert_eq!(send(&mut target(), &format!("801A80F030{block}")), "6985");
    let mut sam = with_parameters(2);
    assert_eq!(send(&mut sam, &format!("801A80F030{block}")), "9000");
    data(&mut sam, "801400000411223344");
    data(&mut sam, "801C40000A6611A1A2A3A4A5A6A7A8");
    assert_eq!(send(&mut sam, &format!("801A80F030{block}")), "6A80", "it is there already");
    assert_eq!(send(&mut with_parameters(3), &format!("801A80F030{block}")), "6985");
}

#[test]
fn locks_keep_keys_from_being_written() {
    let system = format!("F1E753{ALL}");
    let work = format!("F22B1A{ALL}");
    let lock = "F1EF0100000000000100000000";
    let mut pair = Secure::new(with_lock(|lock| lock.locks_system = true));
    assert_eq!(pair.transfer("00", "C0", &system), "6985");
    assert_eq!(pair.transfer("00", "F0", &work), "9000");
    assert_eq!(pair.transfer("00", "F0", &format!("F2E151{ALL}")), "6A80", "the master of a system key");
    assert_eq!(pair.transfer("00", "F0", &format!("F2FD52{ALL}")), "6A80");
    assert_eq!(pair.transfer("00", "F0", &format!("F2E753{ALL}")), "9000");
    assert_eq!(pair.transfer("00", "E0", lock), "9000");
    let mut pair = Secure::new(with_lock(|lock| lock.locks_work_keys = true));
    assert_eq!(pair.transfer("00", "C0", &system), "9000");
    assert_eq!(pair.transfer("00", "F0", &work), "6985");
    assert_eq!(pair.transfer("00", "20", &work), "6985");
    let mut pair = Secure::new(with_lock(|lock| lock.locks_itself = true));
    assert_eq!(pair.transfer("00", "E0", lock), "6985");
    assert_eq!(pair.target(&format!("801A80E030{}", plain_lock("00"))), "6985");
    assert_eq!(pair.transfer("00", "F0", &work), "9000");
}

#[test]
fn records_that_are_wrong() {
    let mut pair = Secure::new(target());
    for (which, p2, record) in [
        (SystemKey::Personalization, 0xC0, format!("675340{ALL}")),
        (SystemKey::Personalization, 0xC0, format!("F05340{ALL}")),
        (SystemKey::Personalization, 0xC0, format!("E75341{ALL}")),
        (SystemKey::Personalization, 0xC0, "E7534031000000010001000000".to_owned()),
        (SystemKey::Personalization, 0xC0, "E753403100001B010000000000".to_owned()),
        (SystemKey::Personalization, 0xE0, "EE010000000000010000000000".to_owned()),
        (SystemKey::Personalization, 0xE0, "EF014000000000010000000000".to_owned()),
        (SystemKey::Personalization, 0xE0, "EF010000000000010100000000".to_owned()),
        (SystemKey::KeyManagement, 0x20, format!("661100{ALL}")),
        (SystemKey::KeyManagement, 0x20, "6611403100000001000000000 1".replace(' ', "")),
        (SystemKey::KeyManagement, 0xF0, "6611403100000001800000000 0".replace(' ', "")),
    ] {
        let header = format!("801A00{p2:02X}");
        assert_eq!(pair.forge(which, &header, p2, &record, ""), "6A80", "{p2:02X} {record}");
    }
    let record = format!("661140{ALL}");
    assert_eq!(pair.forge(SystemKey::KeyManagement, "801A0020", 0xF0, &record, ""), "6A80", "another reference");
    assert_eq!(pair.target.event_counter(1), Some(0));
    assert_eq!(pair.target.event_counter(2), Some(0), "what is refused is not counted");
    assert_eq!(pair.forge(SystemKey::KeyManagement, "801A00F0", 0xF0, &record, ""), "9000");
}

#[test]
fn transfer_control_is_looked_at() {
    let mut pair = Secure::new(target());
    let data = "00".repeat(32);
    let named = "66114031000000018200000000";
    assert_eq!(pair.forge(SystemKey::KeyManagement, "801A00F0", 0xF0, named, &data), "6A83", "the record is empty");
    let unnamed = format!("661140{ALL}");
    assert_eq!(pair.forge(SystemKey::KeyManagement, "801A00F0", 0xF0, &unnamed, &data), "6A80");
    let system = format!("E75340{ALL}");
    assert_eq!(pair.forge(SystemKey::Personalization, "801A00C0", 0xC0, &system, &data), "6A87");
    assert_eq!(pair.target(&format!("801A80E050{}{data}", plain_lock("00"))), "6A87");
    assert_eq!(pair.target(&format!("801A80F050{}{data}", plain_lock("00"))), "6A87");
}

#[test]
fn headers_lengths_and_keys() {
    let block = "00".repeat(48);
    let mut target = target();
    for (header, status) in [
        ("801A8080", "6A00"),
        ("801A00D0", "6A00"),
        ("801A0000", "6A00"),
        ("801A80C0", "6A00"),
        ("801A01F0", "6A00"),
        ("801A40F0", "6A00"),
        ("801A08F0", "6985"),
        ("801A00F0", "6985"),
        ("801A00E0", "6985"),
        ("801A00C0", "6985"),
    ] {
        assert_eq!(send(&mut target, &format!("{header}30{block}")), status, "{header}");
    }
    for header in ["801A00F0", "801A00E0", "801A00C0", "801A80E0"] {
        assert_eq!(send(&mut target, &format!("{header}2F{}", &block[2..])), "6700", "{header}");
        assert_eq!(send(&mut target, &format!("{header}31{block}00")), "6700", "{header}");
    }
    for header in ["801A00F0", "801A00E0", "801A00C0"] {
        data(&mut target, "8084000008");
        assert_eq!(send(&mut target, &format!("{header}30{block}")), "6988", "{header}");
        let mut none = sam(SamProduct::C1);
        data(&mut none, "8084000008");
        assert_eq!(send(&mut none, &format!("{header}30{block}")), "6A83", "{header}");
    }
}

#[test]
fn key_writings_stop_at_the_ceiling() {
    let mut pair = Secure::new(target());
    pair.target.set_ceiling(1, 0);
    pair.target.set_ceiling(2, 0);
    assert_eq!(pair.transfer("00", "F0", &format!("F22B1A{ALL}")), "6900");
    assert_eq!(pair.transfer("00", "C0", &format!("F1E753{ALL}")), "6900");
    assert_eq!(pair.transfer("00", "E0", "F1EF0100000000000100000000"), "6900");
    assert!(pair.target.keys.work(KeyId::new(0x2B, 0x1A)).is_none());
    // In the clear nothing is counted.
    assert_eq!(pair.target(&format!("801A80E030{}", plain_lock("00"))), "9000");
}

#[test]
fn deciphering_must_be_enabled() {
    let mut pair = Secure::new(made("sam-target", |profile| {
        for key in profile.system_keys.values_mut() {
            key.parameters = Some(Hex([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        }
    }));
    assert_eq!(pair.transfer("00", "F0", &format!("F22B1A{ALL}")), "6985");
    assert_eq!(pair.transfer("00", "C0", &format!("F1E753{ALL}")), "6985");
}

#[test]
fn keys_are_written_without_a_challenge_where_that_is_enabled() {
    let request = format!("801600F00DF22B1A{ALL}");
    let mut pair = Secure::new(target());
    let block = pair.block(SN8, &format!("{:016X}", 0), &request);
    assert_eq!(pair.target(&format!("801A08F030{block}")), "6985");
    let enabled = |profile: &mut SamProfile| {
        let key = profile.system_keys.get_mut(&SystemKey::KeyManagement).unwrap();
        key.parameters = Some(Hex([0x31, 0, 0, 2, 0, 0, 0, 0, 0, 0]));
    };
    let mut pair = Secure::new(made("sam-target", enabled));
    pair.target.set_event_counter(2, 0x17B);
    let early = pair.block(SN8, &format!("{:016X}", 0x17C), &request);
    let block = pair.block(SN8, &format!("{:016X}", 0x17B), &request);
    assert_eq!(pair.target(&format!("801A08F030{early}")), "6988");
    assert_eq!(pair.target(&format!("801A08F030{block}")), "9000");
    assert_eq!(pair.target(&format!("801A08F030{block}")), "6988");
    assert_eq!(pair.target.event_counter(2), Some(0x17C));
}

#[test]
fn a_sam_of_another_product_is_written_in_its_own_class() {
    let mut target = made("sam-target", |profile| profile.product = SamProduct::S1Dx);
    let mut pair = Secure::new(made("sam-target", |_| ()));
    let challenge = data(&mut target, "9484000008");
    let block = pair.block(SN8, &challenge, &format!("801600F00DF22B1A{ALL}"));
    assert_eq!(send(&mut target, &format!("801A00F030{block}")), "6E00");
    // A command of another class was none, so the challenge is outgoing still.
    assert_eq!(send(&mut target, &format!("941A00F030{block}")), "9000");
}
