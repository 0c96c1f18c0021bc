use super::*;
use crate::testing::{sam, to_sam};
use crate::{KeySet, SamProduct};

fn parameters(first: &str) -> String {
    format!("F1{first}{}", "5A".repeat(28))
}

#[test]
fn parameters_are_written() {
    let mut pair = Secure::new(target());
    assert_eq!(pair.write("A0", &parameters("00")), "9000");
    assert_eq!(encode(pair.target.parameters()), "00".to_owned() + &"5A".repeat(28));
    assert_eq!(data(&mut pair.target, "80BE00A000")[16..74], parameters("00")[2..]);
    assert_eq!(pair.target.event_counter(1), Some(1), "Personalization was used");
}

#[test]
fn a_ceiling_is_written_and_stops_the_key() {
    let mut pair = Secure::new(target());
    assert_eq!(pair.write("B8", &one_ceiling(7, 1)), "9000");
    assert_eq!(pair.target.ceiling(7), Some(1));
    pair.target("801400000411223344");
    assert!(pair.target("802A9E9A06FF2B1988A1A2").ends_with("9000"));
    assert_eq!(pair.target("802A9E9A06FF2B1988A1A2"), "6900");
    assert_eq!(pair.write("B8", &one_ceiling(7, 2)), "9000");
    assert!(pair.target("802A9E9A06FF2B1988A1A2").ends_with("9000"));
    assert_eq!(pair.target("802A9E9A06FF2B1988A1A2"), "6900");
}

#[test]
fn a_record_of_ceilings_is_written() {
    let mut pair = Secure::new(target());
    for (p2, first, configuration) in [("B1", 0, "01FE"), ("B2", 9, "0155"), ("B3", 18, "0000")] {
        for number in 0..9_u8 {
            pair.target.set_ceiling(first + number, 100);
        }
        let record = nine_ceilings([1000, 2, 3, 131_171, 5, 6, 7, 8, 9], configuration);
        // Counter 3 stands for the Reloading key, and its new ceiling is met by the counting of this writing.
        assert_eq!(pair.write(p2, &record), "9000", "{p2}");
        assert_eq!(data(&mut pair.target, &format!("80BE00{p2}00"))[16..74], record[2..]);
    }
}

#[test]
fn ceilings_grow_in_steps_under_a_key_of_the_des_family() {
    let mut pair = Secure::new(target());
    pair.target.set_ceiling(26, 100);
    let list = |last| nine_ceilings([0xFF_FFFA, 0xFF_FFFA, 0, 0, 0, 0, 0, 0, last], "0000");
    assert_eq!(pair.write("B3", &list(131_172)), "6A80");
    assert_eq!(pair.target.ceiling(26), Some(100));
    assert_eq!(pair.write("B3", &list(131_171)), "9000");
    // One ceiling is not limited, nor is a record under another key.
    assert_eq!(pair.write("B8", &one_ceiling(25, 0)), "9000");
    assert_eq!(pair.write("B8", &one_ceiling(25, 0xFF_FFFA)), "9000");
    let aes = |profile: &mut SamProfile| {
        profile.system_keys.get_mut(&SystemKey::Reloading).unwrap().alg = crate::sam::Algorithm::AesA0;
    };
    let mut pair = Secure::new(made("sam-target", aes));
    pair.target.set_ceiling(26, 100);
    assert_eq!(pair.write("B3", &list(131_172)), "9000");
}

#[test]
fn wrong_records_are_refused_and_change_nothing() {
    let mut pair = Secure::new(target());
    let ceilings = |pair: &Secure| (0..27).map(|number| pair.target.ceiling(number)).collect::<Vec<_>>();
    let before = ceilings(&pair);
    assert_eq!(pair.write("B8", &one_ceiling(27, 5)), "6A80");
    assert_eq!(pair.write("B8", &one_ceiling(5, 0xFF_FFFB)), "6A80");
    assert_eq!(pair.write("B8", &(one_ceiling(5, 5)[..58].to_owned() + "01")), "6A80", "filler");
    assert_eq!(pair.write("B1", &nine_ceilings([5; 9], "0001")), "6A80", "counter 0 is never counted freely");
    assert_eq!(pair.write("B2", &nine_ceilings([5; 9], "0200")), "6A80", "no such counter");
    assert_eq!(pair.write("B2", &nine_ceilings([0xFF_FFFB; 9], "0000")), "6A80");
    // The reference within the block must be that of the command.
    let challenge = data(&mut pair.target, "8084000008");
    let block = pair.block(SN4, &challenge, &format!("801600B81E{}", one_ceiling(5, 5)));
    assert_eq!(pair.target(&format!("80D800B130{block}")), "6A80");
    assert_eq!(ceilings(&pair), before);
    assert_eq!(pair.target.event_counter(3), Some(0), "what is refused is not counted");
}

#[test]
fn a_challenge_serves_one_writing_at_once() {
    let mut pair = Secure::new(target());
    let challenge = data(&mut pair.target, "8084000008");
    let command = format!("80D800B830{}", pair.block(SN4, &challenge, &format!("801600B81E{}", one_ceiling(5, 5))));
    assert_eq!(pair.target(&command), "9000");
    assert_eq!(pair.target(&command), "6985", "no challenge is outgoing");
    data(&mut pair.target, "8084000008");
    assert_eq!(pair.target(&command), "6988", "another challenge");
    let challenge = data(&mut pair.target, "8084000008");
    let command = format!("80D800B830{}", pair.block(SN4, &challenge, &format!("801600B81E{}", one_ceiling(5, 6))));
    pair.target("80BE00A000");
    assert_eq!(pair.target(&command), "6985", "something stands between");
    data(&mut pair.target, "8084000004");
    assert_eq!(pair.target(&command), "6985", "a challenge of 4 bytes");
}

#[test]
fn another_target_or_another_control_sam_is_refused() {
    let mut pair = Secure::new(target());
    let challenge = data(&mut pair.target, "8084000008");
    let block = pair.block("11223345", &challenge, &format!("801600B81E{}", one_ceiling(5, 5)));
    assert_eq!(pair.target(&format!("80D800B830{block}")), "6988", "ciphered for another target");
    let control = SamProfile::builtin("sam-control").unwrap().unwrap();
    pair.control = VirtualSam::personalized(&control, [9; 4], &KeySet::new(b"others")).unwrap();
    assert_eq!(pair.write("B8", &one_ceiling(5, 5)), "6988");
    assert_eq!(pair.write("A0", &parameters("00")), "6988");
}

#[test]
fn static_blocks_are_good_for_one_value_of_the_counter() {
    let mut pair = Secure::new(target());
    pair.target.set_event_counter(3, 0x17B);
    let first = pair.container(0x17B, "B8", &one_ceiling(4, 40));
    let second = pair.container(0x17C, "B1", &nine_ceilings([50; 9], "0000"));
    let third = pair.container(0x17D, "B8", &one_ceiling(5, 60));
    assert_eq!(pair.target(&second), "6988", "too early");
    assert_eq!(pair.target(&first), "9000");
    assert_eq!(pair.target.event_counter(3), Some(0x17C));
    assert_eq!(pair.target(&first), "6988", "replayed");
    // The ceiling of counter 3 itself is now below its value: this one is still counted, and no other.
    assert_eq!(pair.target(&second), "9000");
    assert_eq!(pair.target.ceiling(5), Some(50));
    assert_eq!(pair.target(&third), "6900");
    pair.target.set_ceiling(3, 0x17E);
    assert_eq!(pair.target(&third), "9000");
    assert_eq!(pair.target(&second), "6900", "the ceiling is looked at before the block");
    assert_eq!((pair.target.ceiling(4), pair.target.ceiling(5)), (Some(50), Some(60)));
}

#[test]
fn a_refused_static_block_leaves_the_others_good() {
    let mut pair = Secure::new(target());
    let wrong = pair.container(0, "B8", &one_ceiling(99, 40));
    let right = pair.container(0, "B8", &one_ceiling(4, 40));
    assert_eq!(pair.target(&wrong), "6A80");
    assert_eq!(pair.target(&right), "9000");
}

#[test]
fn a_dynamic_writing_makes_static_blocks_stale() {
    let mut pair = Secure::new(target());
    let container = pair.container(0, "B8", &one_ceiling(4, 40));
    assert_eq!(pair.write("B8", &one_ceiling(5, 5)), "9000");
    assert_eq!(pair.target(&container), "6988");
}

#[test]
fn static_ciphering_must_be_enabled() {
    let mut pair = Secure::new(target());
    let block = pair.block(SN4, &"00".repeat(8), &format!("801600A01E{}", parameters("00")));
    assert_eq!(pair.target(&format!("80D808A030{block}")), "6985", "not for parameters here");
    let without_counter = |profile: &mut SamProfile| {
        let key = profile.system_keys.get_mut(&SystemKey::Reloading).unwrap();
        key.parameters = Some(crate::hex::Hex([0x31, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    };
    let mut pair = Secure::new(made("sam-target", without_counter));
    let container = pair.container(0, "B8", &one_ceiling(4, 40));
    assert_eq!(pair.target(&container), "9000");
    assert_eq!(pair.target(&container), "9000", "without a counter nothing tells that it is stale");
}

#[test]
fn headers_lengths_and_keys() {
    let mut target = target();
    let block = "00".repeat(48);
    assert_eq!(send(&mut target, &format!("80D840B830{block}")), "6985", "bit 6 of P1");
    assert_eq!(send(&mut target, &format!("80D810B830{block}")), "6A00");
    for p2 in ["A1", "B0", "B4", "B9", "E1"] {
        assert_eq!(send(&mut target, &format!("80D800{p2}30{block}")), "6A00", "{p2}");
    }
    for p2 in ["A0", "B1", "B8"] {
        assert_eq!(send(&mut target, &format!("80D800{p2}2F{}", &block[2..])), "6700", "{p2}");
        assert_eq!(send(&mut target, &format!("80D800{p2}30{block}")), "6985", "no challenge");
        data(&mut target, "8084000008");
        assert_eq!(send(&mut target, &format!("80D800{p2}30{block}")), "6988", "{p2}");
    }
    // A SAM without system keys.
    let mut sam = sam(SamProduct::S1Dx);
    for p2 in ["A0", "B3", "B8"] {
        to_sam(&mut sam, "9484000008");
        assert_eq!(to_sam(&mut sam, &format!("94D800{p2}30{block}")), "6A83");
    }
}

#[test]
fn deciphering_must_be_enabled() {
    for (which, p2, record) in
        [(SystemKey::Personalization, "A0", parameters("00")), (SystemKey::Reloading, "B8", one_ceiling(5, 5))]
    {
        let mut pair = Secure::new(made("sam-target", |profile| {
            profile.system_keys.get_mut(&which).unwrap().parameters =
                Some(crate::hex::Hex([1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
        }));
        assert_eq!(pair.write(p2, &record), "6985");
    }
}

#[test]
fn writings_stop_at_the_ceiling() {
    let mut pair = Secure::new(target());
    pair.target.set_ceiling(1, 1);
    pair.target.set_ceiling(3, 1);
    assert_eq!(pair.write("A0", &parameters("00")), "9000");
    assert_eq!(pair.write("A0", &parameters("00")), "6900");
    assert_eq!(pair.write("B8", &one_ceiling(5, 5)), "9000");
    assert_eq!(pair.write("B8", &one_ceiling(5, 5)), "6900");
    assert_eq!(pair.write("B2", &nine_ceilings([5; 9], "0000")), "6900");
}

#[test]
fn a_system_lock_keeps_parameters_from_being_written() {
    let mut pair = Secure::new(made("sam-locked", |profile| {
        let lock = profile.lock.as_mut().unwrap();
        (lock.static_unlock, lock.dynamic_unlock, lock.locks_system) = (false, false, true);
    }));
    assert_eq!(pair.write("A0", &parameters("00")), "6985");
    assert_eq!(pair.write("B8", &one_ceiling(5, 5)), "9000");
}
