use super::*;
use crate::SamProduct;
use crate::testing::sam;

/// Record of 29 bytes at its place, and what is behind it.
fn cut(answer: &str) -> (&str, &str, &str) {
    (&answer[..16], &answer[16..74], &answer[74..])
}

#[test]
fn counters_and_ceilings_stand_where_they_should() {
    let mut sam = made("sam-target", |profile| {
        for number in 0..27_u8 {
            let counter = profile.counters.entry(number).or_default();
            counter.value = 0x11_1111 + u32::from(number);
            counter.ceiling = Some(0x22_2222 + u32::from(number));
            counter.free = number != 0;
        }
    });
    for (record, configuration) in [(0, "01FE"), (1, "01FF"), (2, "01FF")] {
        let list = |first: u32| -> String { (0..9).map(|at| format!("{:06X}", first + 9 * record + at)).collect() };
        let answer = data(&mut sam, &format!("80BE00E{}00", record + 1));
        let (signature, values, behind) = cut(&answer);
        assert_ne!(signature, "0000000000000000");
        assert_eq!(values, list(0x11_1111) + "0000");
        assert_eq!(behind, format!("E{}11223344FAF440800000", record + 1));
        let answer = data(&mut sam, &format!("80BE00B{}00", record + 1));
        assert_eq!(cut(&answer).1, list(0x22_2222) + configuration);
        assert_eq!(cut(&answer).2, format!("B{}11223344FAF440800000", record + 1));
    }
    let answer = data(&mut sam, "80BE009B00");
    assert_eq!(cut(&answer).1, format!("1A11112B{}", "00".repeat(25)));
    assert_eq!(&cut(&answer).2[..2], "9B");
    let answer = data(&mut sam, "80BE1AB800");
    assert_eq!(cut(&answer).1, format!("1A22223C{}", "00".repeat(25)));
}

#[test]
fn parameters_are_told_as_they_are() {
    let parameters: [u8; 29] = std::array::from_fn(|at| u8::try_from(at).unwrap());
    let mut sam = made("sam-target", |profile| profile.parameters = Some(crate::hex::Hex(parameters)));
    assert_eq!(cut(&data(&mut sam, "80BE00A000")).1, encode(&parameters));
    assert_eq!(cut(&data(&mut sam, "80BE00A030")).2, "A011223344FAF440800000");
}

#[test]
fn unknown_references_are_refused() {
    let mut sam = target();
    for wrong in
        ["80BE00E000", "80BE00E400", "80BE01E100", "80BE00B400", "80BE1BB800", "80BE009C00", "80BE01A000", "80BE008000"]
    {
        assert_eq!(send(&mut sam, wrong), "6A00", "{wrong}");
    }
    assert_eq!(send(&mut sam, "80BE00A010"), "6700");
    assert_eq!(send(&mut sam, "80BE00A00100"), "6700");
}

#[test]
fn key_parameters_by_every_reference() {
    let mut sam = made("sam-locked", |_| ());
    let own = sam.lock_secret().unwrap().static_value(SAM_SERIAL);
    assert_eq!(send(&mut sam, &format!("8020000010{}", encode(&own))), "9000");
    for (p2, name, expected) in [
        ("C1", "0000", "E1F14011000001000000000000"),
        ("C2", "0000", "FDF24011000002000000000000"),
        ("C3", "0000", "E7F34031000003000000000000"),
        ("C4", "0000", "FAF44001000000000000000000"),
        ("C0", "E700", "E7F34031000003000000000000"),
        ("E0", "0000", "EF010000000000030000000000"),
        ("01", "0000", "30794031000004010000000000"),
        ("04", "0000", "2B194031000007010000000000"),
        ("F0", "2779", "27794031000005010000000000"),
        ("F0", "3074", "3074A031000000010000000000"),
        ("F8", "2B00", "2B194031000007010000000000"),
    ] {
        for le in ["", "00", "20"] {
            let answer = data(&mut sam, &format!("80BC00{p2}02{name}{le}"));
            assert_eq!(answer[16..], format!("{expected}{p2}11223344FAF440800000"), "{p2}");
        }
    }
}

#[test]
fn keys_of_a_kif_are_told_one_by_one() {
    let mut sam = target();
    let mut kvc = data(&mut sam, "80BC00F8023000")[18..20].to_owned();
    let mut seen = vec![kvc.clone()];
    loop {
        let answer = send(&mut sam, &format!("80BC00FA0230{kvc}"));
        if answer == "6A83" {
            break;
        }
        kvc = answer[18..20].to_owned();
        seen.push(kvc.clone());
    }
    let mut expected: Vec<String> =
        keys().ids().filter(|id| id.kif == 0x30).map(|id| format!("{:02X}", id.kvc)).collect();
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
    assert_eq!(send(&mut sam, "80BC00F802FF00"), "6A83");
}

#[test]
fn keys_that_are_not_there() {
    let mut sam = sam(SamProduct::C1);
    for missing in ["C1020000", "C2020000", "C3020000", "C4020000", "7E020000", "E0020000", "F002FFFE", "C002E100"] {
        assert_eq!(send(&mut sam, &format!("80BC00{missing}")), "6A83", "{missing}");
    }
    assert_eq!(send(&mut target(), "80BC00C1020001"), "6A83", "no name is due");
    assert_eq!(send(&mut sam, "80BC00C5020000"), "6A00");
    assert_eq!(send(&mut sam, "80BC007F020000"), "6A00");
    assert_eq!(send(&mut sam, "80BC01C1020000"), "6A00");
    assert_eq!(send(&mut sam, "80BC00C10100"), "6700");
    assert_eq!(send(&mut sam, "80BC00C1"), "6700");
}

#[test]
fn without_a_key_nothing_is_signed() {
    for product in SamProduct::ALL {
        let mut sam = sam(product);
        let cla = format!("{:02X}", product.class());
        for (command, length) in
            [("BE00A000", 48), ("BE00E100", 48), ("BE00B300", 48), ("BE008100", 48), ("BC0001020000", 32)]
        {
            let answer = send(&mut sam, &format!("{cla}{command}"));
            assert!(answer.starts_with("0000000000000000") && answer.ends_with("0000008000006200"), "{answer}");
            assert_eq!(answer.len(), 2 * (length + 2));
        }
    }
}

#[test]
fn signatures_cover_record_reference_and_sam() {
    let mut all = std::collections::BTreeSet::new();
    let mut sam = target();
    for command in ["80BE00A000", "80BE00E200", "80BE00E300", "80BE008900", "80BC00C1020000"] {
        assert!(all.insert(data(&mut sam, command)[..16].to_owned()), "{command}");
    }
    let profile = SamProfile::builtin("sam-target").unwrap().unwrap();
    let mut other = VirtualSam::personalized(&profile, [1, 2, 3, 4], &keys()).unwrap();
    assert!(all.insert(data(&mut other, "80BE00A000")[..16].to_owned()));
}
