#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use crate::SamProduct;
use crate::hex::encode;
use crate::testing::{sam, to_sam as send};

#[test]
fn power_on_data_tell_product_and_serial_number() {
    let of = |product| encode(sam(product).power_on_data());
    assert_eq!(of(SamProduct::C1), "3B3F9600805A4880C120501711223344829000");
    assert_eq!(of(SamProduct::HsmC1), "3B3F9600805A4880C108501711223344829000");
    assert_eq!(of(SamProduct::S1E1), "3B3F9600805A4880E120501711223344829000");
    assert_eq!(of(SamProduct::S1Dx), "3B3F9600805A4880D020501711223344829000");
}

#[test]
fn only_select_diversifier_may_stand_between_challenge_and_init() {
    let init = "808A00FF0A30790304909800307900";
    let select = "80140000080000000011223344";
    let mut sam = sam(SamProduct::C1);
    assert_eq!(send(&mut sam, init), "6985");
    for between in ["8086000008C1C2C3C4C5C6C7C8", "808C0000029000", "80FF000000", "801C40000A3079A1A2A3A4A5A6A7A8"] {
        send(&mut sam, "8084000004");
        send(&mut sam, select);
        send(&mut sam, between);
        assert_eq!(send(&mut sam, init), "6985", "{between}");
    }
    send(&mut sam, "8084000004");
    assert_eq!(send(&mut sam, select), "9000");
    assert_eq!(send(&mut sam, init), "9000");
    assert_eq!(send(&mut sam, init), "6985");
}

#[test]
fn products_lack_commands() {
    for (product, multiple, internal) in [
        (SamProduct::C1, "6985", "6985"),
        (SamProduct::HsmC1, "6D00", "6985"),
        (SamProduct::S1E1, "6985", "6D00"),
        (SamProduct::S1Dx, "6D00", "6D00"),
    ] {
        let mut sam = sam(product);
        let class = product.class();
        assert_eq!(send(&mut sam, &format!("{class:02X}8C8000030290 00").replace(' ', "")), multiple);
        assert_eq!(send(&mut sam, &format!("{class:02X}88800008")), internal);
        assert_eq!(send(&mut sam, &format!("{:02X}84000004", class ^ 0x14)), "6E00");
    }
}

#[test]
fn lengths_and_keys() {
    let mut sam = sam(SamProduct::C1);
    assert_eq!(send(&mut sam, "8084000005"), "6700");
    assert_eq!(send(&mut sam, "8014000003112233"), "6700");
    assert_eq!(send(&mut sam, "808E000004"), "6985");
    assert_eq!(send(&mut sam, "80820000049ABCDEF0"), "6985");
    assert_eq!(send(&mut sam, "8058000000"), "6985");
    assert_eq!(send(&mut sam, "802000000801020304050607 08".replace(' ', "").as_str()), "6985");
    send(&mut sam, "80140000080000000011223344");
    send(&mut sam, "8086000008C1C2C3C4C5C6C7C8");
    assert_eq!(send(&mut sam, "801280FF06FFFE31323334"), "6A83");
    assert_eq!(send(&mut sam, "801280FF06307931323334"), "6985");
}

#[test]
fn traceable_signatures_carry_serial_and_counter() {
    let mut sam = sam(SamProduct::C1);
    send(&mut sam, "80140000080000000011223344");
    let message = "00000000000000000000";
    let answer = send(&mut sam, &format!("802A9E9A10FF3079480008{message}"));
    assert!(answer.starts_with("00223344000001000000"), "{answer}");
    let (signed, _) = answer.split_at(36);
    assert_eq!(send(&mut sam, &format!("802A00A818FF3079480008{signed}")), "9000");
    assert_eq!(send(&mut sam, &format!("802A00A818FF3079480008{}", signed.replacen('0', "1", 1))), "6988");
    let answer = send(&mut sam, &format!("802A9E9A10FF30796 80001{message}").replace(' ', ""));
    assert!(answer.starts_with("089119A20000010000"), "{answer}");
    assert_eq!(send(&mut sam, "802A9E9A0CFF3079480001000000000000"), "6A80");
}

#[test]
fn busy_mode_refuses_for_a_while() {
    let mut sam = sam(SamProduct::C1);
    send(&mut sam, "80140000080000000011223344");
    let answer = send(&mut sam, "802A9E9A06FF307988A1A2");
    let right = format!("802A00A80EFF307988A1A2{}", &answer[..16]);
    let wrong = "802A00A80EFF307988A1A20000000000000000";
    assert_eq!(send(&mut sam, &right), "9000");
    assert_eq!(send(&mut sam, wrong), "6988");
    assert_eq!(send(&mut sam, &right), "6982");
    assert_eq!(send(&mut sam, &right), "6982");
    assert_eq!(send(&mut sam, &right), "9000");
}

#[test]
fn basic_signatures_need_a_key_for_them() {
    let mut sam = sam(SamProduct::C1);
    send(&mut sam, "80140000080000000011223344");
    assert_eq!(send(&mut sam, "801C40000A3079A1A2A3A4A5A6A7A8").len(), 20);
    assert_eq!(send(&mut sam, "801C40000A3074A1A2A3A4A5A6A7A8"), "6985");
    assert_eq!(send(&mut sam, "801C4000093079A1A2A3A4A5A6A7"), "6700");
}
