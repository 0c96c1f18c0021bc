//! Whatever a card or an application gives, there is an answer.

use proptest::collection::vec;
use proptest::prelude::*;

use alloc::vec::Vec;

use super::*;

/// An example with some of its bytes replaced: it comes further than random bytes do.
fn spoiled(example: &'static str) -> impl Strategy<Value = Vec<u8>> {
    vec((any::<prop::sample::Index>(), any::<u8>()), 0..4).prop_map(move |changes| {
        let mut bytes = hex(example);
        for (place, byte) in changes {
            let len = bytes.len();
            bytes[place.index(len)] = byte;
        }
        bytes
    })
}

fn read_authority(bytes: &[u8]) {
    if let Ok(certificate) = CaCertificate::parse(bytes) {
        let _ = (certificate.validity(), certificate.restriction(), certificate.rights(), certificate.scope());
        let _ = (certificate.issuer().aid(), certificate.subject().aid());
        assert_eq!(certificate.as_bytes().as_slice(), bytes);
        let added = store().add_ca(&certificate, today());
        assert!(added.is_err() || bytes == hex(CA_ALL_FIELDS), "only the example is signed");
    }
}

fn read_card(bytes: &[u8], store: &TrustStore) {
    if let Ok(certificate) = CardCertificate::parse(bytes) {
        let _ = (certificate.issuer(), certificate.aid().as_bytes(), certificate.index());
        assert_eq!(certificate.as_bytes().as_slice(), bytes);
        let holder = Holder { application: None, ..HOLDER };
        let verified = store.verify_card_certificate(&certificate, &holder, today());
        assert!(verified.is_err() || bytes == hex(CARD_BY_CA), "only the example is signed");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn authorities(random in vec(any::<u8>(), 0..400), spoiled in spoiled(CA_ALL_FIELDS)) {
        read_authority(&random);
        read_authority(&spoiled);
    }

    #[test]
    fn cards(random in vec(any::<u8>(), 0..400), spoiled in spoiled(CARD_BY_CA)) {
        let store = store_with(CA_MINIMAL);
        read_card(&random, &store);
        read_card(&spoiled, &store);
    }

    #[test]
    fn roots(reference in vec(any::<u8>(), 0..40), modulus in vec(any::<u8>(), 0..300), full in vec(any::<u8>(), 256)) {
        let _ = RootKey::new(&reference, &modulus);
        let _ = RsaPublicKey::from_parts(&modulus, &reference);
        if let Ok(root) = RootKey::new(&[0; 29], &full) {
            prop_assert_eq!(root.key.modulus().to_vec(), full);
        }
    }

    #[test]
    fn sessions(
        key in vec(any::<u8>(), 0..70),
        messages in vec((vec(any::<u8>(), 0..300), vec(any::<u8>(), 0..300)), 1..4),
        signature in vec(any::<u8>(), 0..70),
    ) {
        prop_assert!(CardPublicKey::new(&key).is_err(), "nobody guesses a point");
        let mut digest = SessionDigest::new(&[], &[]).unwrap();
        for (command, answer) in &messages {
            let fits = command.len() <= 255 && answer.len() <= 255;
            prop_assert_eq!(digest.add(command, answer).is_ok(), fits);
        }
        let key = CardPublicKey::new(&hex(CARD_1)).unwrap();
        prop_assert!(key.verify(digest, &signature).is_err());
    }

    #[test]
    fn days_come_back(bytes in any::<[u8; 4]>(), (year, month, day) in (0..10_000_u16, 0..14_u8, 0..33_u8)) {
        if let Ok(Some(day)) = Day::from_bcd(bytes) {
            prop_assert_eq!(day.to_bcd(), bytes);
        }
        if let Some(day) = Day::new(year, month, day) {
            prop_assert_eq!((day.year(), day.month()), (year, month));
            if day.to_bcd() != [0; 4] {
                prop_assert_eq!(Day::from_bcd(day.to_bcd()), Ok(Some(day)));
            }
        }
    }
}
