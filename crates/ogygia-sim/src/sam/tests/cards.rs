use super::super::digest::Session;
use crate::hex::encode;
use crate::testing::{sam, to_sam as send};
use crate::{SamProduct, VirtualSam};

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

/// Opens a session of the mode on the side of the SAM; the card is never asked.
fn begin(sam: &mut VirtualSam, mode: &str, key: &str) {
    let cla = format!("{:02X}", sam.product().class());
    assert!(send(sam, &format!("{cla}84000008")).ends_with("9000"));
    assert_eq!(send(sam, &format!("{cla}140000080000000011223344")), "9000");
    assert_eq!(send(sam, &format!("{cla}8A{mode}FF0E{key}AABBCCDDEEFF001122334455")), "9000");
}

#[test]
fn a_challenge_ends_the_session() {
    let mut sam = sam(SamProduct::C1);
    begin(&mut sam, "00", "3079");
    assert_eq!(send(&mut sam, "808C0000029000"), "9000");
    send(&mut sam, "8084000004");
    assert_eq!(send(&mut sam, "808C0000029000"), "6985");
    assert_eq!(send(&mut sam, "808E000004"), "6985");
}

#[test]
fn a_session_survives_what_stands_between() {
    let mut sam = sam(SamProduct::C1);
    begin(&mut sam, "00", "3079");
    let commands = ["80140000080000000011223355", "8086000008C1C2C3C4C5C6C7C8", "801280FF06307931323334", "8058000000"];
    for command in commands {
        send(&mut sam, command);
    }
    assert_eq!(send(&mut sam, "808C0000029000"), "9000");
    assert_eq!(send(&mut sam, "808E000008"), "6700");
    assert_eq!(send(&mut sam, "808E000004").len(), 12);
    assert_eq!(send(&mut sam, "808C0000029000"), "6985");
}

#[test]
fn extended_commands_need_an_extended_session_and_key() {
    let mut sam = sam(SamProduct::C1);
    begin(&mut sam, "00", "3074");
    assert_eq!(send(&mut sam, "808C00800500B2010C00"), "6985");
    assert_eq!(send(&mut sam, "8088800008"), "6985");
    begin(&mut sam, "02", "3079");
    assert_eq!(send(&mut sam, "8088800008"), "6985", "no AES key");
    assert_eq!(send(&mut sam, "808E000004"), "6700");
    begin(&mut sam, "02", "3074");
    assert_eq!(send(&mut sam, "808C00800400B2010C"), "6A80");
    assert_eq!(send(&mut sam, "808C00800500B2010C00"), "00B2010C009000");
    assert_eq!(send(&mut sam, "808C00800190"), "6A80");
    assert_eq!(send(&mut sam, "808C0080029000"), "90009000");
    assert_eq!(send(&mut sam, "8088800008").len(), 20);
    assert_eq!(send(&mut sam, "808C0000029000"), "6985", "the MAC of the card is due");
    assert_eq!(send(&mut sam, "80820000080000000000000000"), "6988");
    assert_eq!(send(&mut sam, "808E000008"), "6985");
}

#[test]
fn a_mac_of_the_wrong_length_is_wrong() {
    for (mode, key, le, length, status) in
        [("00", "3079", "04", 8, "6988"), ("02", "3074", "08", 16, "6988"), ("00", "3079", "04", 5, "6700")]
    {
        let mut sam = sam(SamProduct::C1);
        begin(&mut sam, mode, key);
        let Session::Ongoing(_) = &sam.session else { panic!("no session") };
        assert!(send(&mut sam, &format!("808E0000{le}")).ends_with("9000"));
        let Session::Closed { card, .. } = &sam.session else { panic!("not closed") };
        let mac = encode(&[card.as_slice(), &[0; 8]].concat())[..2 * length].to_owned();
        assert_eq!(send(&mut sam, &format!("80820000{length:02X}{mac}")), status, "{mode} {length}");
    }
}

#[test]
fn digest_blocks_are_limited_by_product() {
    for (product, most) in [(SamProduct::C1, 255), (SamProduct::S1E1, 240), (SamProduct::S1Dx, 70)] {
        let mut sam = sam(product);
        let cla = format!("{:02X}", product.class());
        begin(&mut sam, "00", "3079");
        let update = |length: usize| format!("{cla}8C0000{length:02X}{}", "11".repeat(length));
        assert_eq!(send(&mut sam, &update(most)), "9000");
        if most < 255 {
            assert_eq!(send(&mut sam, &update(most + 1)), "6700");
        }
        if product.packs_blocks() {
            assert_eq!(send(&mut sam, &format!("{cla}8C80000602900002900 0").replace(' ', "")), "9000");
            assert_eq!(send(&mut sam, &format!("{cla}8C800003039000")), "6A80");
        }
    }
}

#[test]
fn stored_value_parts_must_belong_together() {
    let mut c1 = sam(SamProduct::C1);
    send(&mut c1, "80140000080000000011223344");
    // The example of the specification, with a KVC that the SAM has.
    let load = "805601FF367C000721791234A54BC97DFA56432101231234347890AB22334432101122334454321056789000B8000017003210211254012345 0123";
    let load = load.replace(' ', "");
    assert_eq!(send(&mut c1, &load).len(), 26);
    assert_eq!(send(&mut c1, &load.replacen("7C0007", "7C0009", 1)), "6A80");
    assert_eq!(send(&mut c1, &load.replacen("B8000017", "B800001C", 1)), "6A80");
    assert_eq!(send(&mut c1, &load.replacen("56789000", "56786200", 1)), "6A80");
    assert_eq!(send(&mut c1, &load.replacen("2179", "21FE", 1)), "6A83");
    assert_eq!(send(&mut c1, &load.replacen("5601FF", "560100", 1)), "6A00");
    let mut s1d = sam(SamProduct::S1Dx);
    send(&mut s1d, "94140000080000000011223344");
    assert_eq!(send(&mut s1d, &load.replacen("80", "94", 1)).len(), 26);
    let long = "945601FF527C01073D887766554433221174123455AABB66DD7756432101231234347890AB223344321011223344543210567833\
                440123321034112233445432107890AB56789000B800001C003210211254012345 0123";
    let long = long.replace(' ', "");
    assert_eq!(send(&mut c1, &long.replacen("94", "80", 1)).len(), 36);
    assert_eq!(send(&mut s1d, &long), "6700");
}
