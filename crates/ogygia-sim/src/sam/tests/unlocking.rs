use super::*;
use crate::cipher::LockSecret;

fn locked(is_static: bool, dynamic: bool) -> (VirtualSam, LockSecret) {
    let sam = made("sam-locked", |profile| {
        let lock = profile.lock.as_mut().unwrap();
        (lock.static_unlock, lock.dynamic_unlock) = (is_static, dynamic);
    });
    let secret = sam.lock_secret().unwrap().clone();
    (sam, secret)
}

fn unlock(value: &[u8]) -> String {
    format!("80200000{:02X}{}", value.len(), encode(value))
}

/// Asks for a challenge and answers it.
fn answered(sam: &mut VirtualSam, secret: &LockSecret) -> String {
    let challenge = decode(&data(sam, "8084000008")).unwrap().try_into().unwrap();
    unlock(&secret.dynamic_value(SAM_SERIAL, challenge))
}

#[test]
fn a_locked_sam_only_reads() {
    let (mut sam, secret) = locked(true, true);
    assert!(sam.is_locked());
    let refused = [
        "801400000411223344",
        "8086000008C1C2C3C4C5C6C7C8",
        "808A00FF0A30790304909800307900",
        "808C0000029000",
        "808E000004",
        "80820000049ABCDEF0",
        "8088800008",
        "801280FF06307931323334",
        "8058000000",
        "802A9E9A06FF307988A1A2",
        "801C40000A3079A1A2A3A4A5A6A7A8",
        "804680000A06082A8648CE3D030107",
        "80D800A000",
        "801A80E000",
        "801600A000",
    ];
    for command in refused {
        assert_eq!(send(&mut sam, command), "6985", "{command}");
    }
    for command in ["80BE00A000", "80BE00E100", "80BE00B100", "80BC00C1020000", "80BC0001020000", "8084000008"] {
        data(&mut sam, command);
    }
    assert_eq!(send(&mut sam, "80CADF43FF"), "6A88");
    assert_eq!(send(&mut sam, "80FF000000"), "6D00");
    assert_eq!(send(&mut sam, "948400000 8".replace(' ', "").as_str()), "6E00");
    assert_eq!(send(&mut sam, &unlock(&secret.static_value(SAM_SERIAL))), "9000");
    assert!(!sam.is_locked());
    assert_eq!(send(&mut sam, "801400000411223344"), "9000");
    assert_eq!(send(&mut sam, &unlock(&secret.static_value(SAM_SERIAL))), "6985", "not locked");
    sam.reset();
    assert_eq!(send(&mut sam, "801400000411223344"), "6985");
}

#[test]
fn the_static_value_is_that_of_the_sam() {
    let (mut sam, secret) = locked(true, false);
    assert_eq!(send(&mut sam, "802000000F00112233445566778899AABBCCDDEE"), "6700");
    assert_eq!(send(&mut sam, "8020000000"), "6700");
    assert_eq!(send(&mut sam, "802000001000112233445566778899AABBCCDDEEFF"), "6988");
    assert_eq!(send(&mut sam, &unlock(&secret.static_value([1, 2, 3, 4]))), "6988");
    let dynamic = answered(&mut sam, &secret);
    assert_eq!(send(&mut sam, &dynamic), "6988", "this lock has no dynamic value");
    assert!(sam.is_locked());
    assert_eq!(send(&mut sam, &unlock(&secret.static_value(SAM_SERIAL))), "9000");
}

#[test]
fn a_dynamic_value_is_good_once_and_at_once() {
    let (mut sam, secret) = locked(false, true);
    assert_eq!(send(&mut sam, "80200000080011223344556677"), "6985", "no challenge");
    let value = answered(&mut sam, &secret);
    send(&mut sam, "80BE00A000");
    assert_eq!(send(&mut sam, &value), "6985", "something stands between");
    data(&mut sam, "8084000004");
    assert_eq!(send(&mut sam, &value), "6985", "a challenge of 4 bytes");
    data(&mut sam, "8084000008");
    assert_eq!(send(&mut sam, &value), "6988", "that of another challenge");
    assert_eq!(send(&mut sam, &unlock(&secret.static_value(SAM_SERIAL))), "6988", "this lock has no static value");
    let value = answered(&mut sam, &secret);
    assert_eq!(send(&mut sam, &value), "9000");
}

#[test]
fn the_secret_follows_from_the_profile() {
    let profile = SamProfile::builtin("sam-locked").unwrap().unwrap();
    let (mut sam, secret) = locked(true, true);
    assert_eq!(profile.lock_secret(&keys()), Some(secret));
    let other = profile.lock_secret(&crate::KeySet::new(b"other")).unwrap();
    assert_eq!(send(&mut sam, &unlock(&other.static_value(SAM_SERIAL))), "6988");
    assert_eq!(SamProfile::builtin("sam-target").unwrap().unwrap().lock_secret(&keys()), None);
    assert_eq!(send(&mut target(), "802000001000112233445566778899AABBCCDDEEFF"), "6985", "it has no lock");
}
