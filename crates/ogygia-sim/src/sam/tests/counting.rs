use super::*;
use crate::testing::{Pair, TRANSPORT, selected, serial_of};

const DIVERSIFIER: &str = "80140000080000000011223344";

/// Lets counter `number` count `left` more times.
fn leave(sam: &mut VirtualSam, number: u8, left: u32) {
    let value = sam.event_counter(number).unwrap();
    sam.set_ceiling(number, value + left);
}

#[test]
fn signatures_stop_at_the_ceiling() {
    for command in ["802A9E9A06FF2B1988A1A2", "801C40000A2B19A1A2A3A4A5A6A7A8"] {
        let mut sam = target();
        data(&mut sam, DIVERSIFIER);
        leave(&mut sam, 7, 2);
        data(&mut sam, command);
        data(&mut sam, command);
        assert_eq!(send(&mut sam, command), "6900", "{command}");
        assert_eq!(sam.event_counter(7), Some(2));
        sam.reset();
        data(&mut sam, DIVERSIFIER);
        assert_eq!(send(&mut sam, command), "6900", "a reset helps nothing");
        // Another key is not concerned.
        data(&mut sam, &command.replace("2B19", "3079"));
    }
}

#[test]
fn the_counter_of_the_key_is_what_a_traceable_signature_carries() {
    let mut sam = target();
    data(&mut sam, DIVERSIFIER);
    sam.set_event_counter(7, 0x01_02FF);
    data(&mut sam, "802A9E9A06FF2B1988A1A2");
    let answer = data(&mut sam, &format!("802A9E9A10FF2B19680000{}", "00".repeat(10)));
    assert_eq!(&answer[..20], "11223344010301000000");
    assert_eq!(sam.event_counter(7), Some(0x01_0301));
    // A message that is too short does not count, and verifying does not either.
    assert_eq!(send(&mut sam, "802A9E9A0CFF2B19480001000000000000"), "6A80");
    assert_eq!(send(&mut sam, &format!("802A00A818FF2B19680000{answer}")), "9000");
    assert_eq!(sam.event_counter(7), Some(0x01_0301));
}

#[test]
fn sessions_stop_at_the_ceiling() {
    let mut pair = Pair { card: selected("kit-prime-regular-v3", TRANSPORT), sam: target() };
    let serial = serial_of("kit-prime-regular-v3", 1);
    leave(&mut pair.sam, 4, 1);
    pair.open("008A0B3904CHALLENGE00", "3079", &serial);
    pair.exchange("00B2013C1D");
    pair.close("00", "00", 4);
    assert_eq!(pair.sam.event_counter(4), Some(1), "a session is one use");
    data(&mut pair.sam, "8084000004");
    assert_eq!(send(&mut pair.sam, "808A00FF0A30790304909800307900"), "6900");
    assert_eq!(send(&mut pair.sam, "808C0000029000"), "6985", "no session");
}

#[test]
fn pins_stop_at_the_ceiling() {
    let mut sam = target();
    data(&mut sam, DIVERSIFIER);
    leave(&mut sam, 4, 1);
    let pin = "801280FF06307931323334";
    assert_eq!(send(&mut sam, pin), "6985", "what is refused is not counted");
    data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
    data(&mut sam, pin);
    data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
    assert_eq!(send(&mut sam, pin), "6900");
    data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
    assert_eq!(send(&mut sam, "801240FF0A30790000000034353637"), "6900");
}

#[test]
fn commands_without_that_status_do_not_count() {
    let mut sam = target();
    data(&mut sam, DIVERSIFIER);
    for counter in 4..=6 {
        leave(&mut sam, counter, 0);
    }
    data(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
    data(&mut sam, "8012FFFF052179277990");
    assert_eq!(send(&mut sam, "802A00A80EFF307988A1A20000000000000000"), "6988");
}

#[test]
fn readings_stop_at_the_ceiling() {
    let mut sam = made("sam-target", |profile| {
        profile.system_keys.get_mut(&SystemKey::Authentication).unwrap().counter = Some(9);
    });
    leave(&mut sam, 9, 5);
    assert_eq!(send(&mut sam, "80BE00FF00"), "6A00");
    // A reading tells itself.
    assert_eq!(&data(&mut sam, "80BE00E200")[16..22], "000001");
    for command in ["80BE00A000", "80BE00B100", "80BE008100", "80BC00C1020000"] {
        data(&mut sam, command);
    }
    for command in ["80BE00A000", "80BE00E100", "80BE00B100", "80BE008100", "80BE00B800", "80BC00C1020000"] {
        assert_eq!(send(&mut sam, command), "6900", "{command}");
    }
    assert_eq!(sam.event_counter(9), Some(5));
}

#[test]
fn what_par1_and_par5_do_not_enable_is_refused() {
    for (parameters, signs) in
        [("31000000010000000000", true), ("30000000010000000000", false), ("31000000000000000000", false)]
    {
        let mut sam = made("sam-target", |profile| {
            let bytes = decode(parameters).unwrap().try_into().unwrap();
            (profile.work_keys[3].parameters, profile.work_keys[3].counter) = (Some(crate::hex::Hex(bytes)), None);
        });
        data(&mut sam, DIVERSIFIER);
        let answer = send(&mut sam, "801C40000A2B19A1A2A3A4A5A6A7A8");
        assert_eq!(answer.ends_with("9000"), signs, "{parameters}");
        assert!(signs || answer == "6985");
        data(&mut sam, "802A9E9A06FF2B1988A1A2");
    }
}
