//! One bit of what is signed, or of a signature, is enough to be refused.

use alloc::vec::Vec;

use super::*;

/// All versions of `bytes` that differ in one bit.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 0x80 >> (bit % 8);
        flipped
    })
}

#[test]
fn every_bit_of_an_authority() {
    let store = store();
    for bytes in flipped(&hex(CA_ALL_FIELDS)) {
        let added = CaCertificate::parse(&bytes).and_then(|certificate| store.clone().add_ca(&certificate, today()));
        assert!(added.is_err(), "{bytes:02X?}");
    }
}

#[test]
fn every_bit_of_a_card() {
    let store = store_with(CA_ALL_FIELDS);
    let anybody = |certificate: &CardCertificate| {
        // Whoever the certificate says that it is about: the signature has to tell.
        let holder = Holder { serial_number: certificate.serial_number(), application: None, startup_info: None };
        store.verify_card_certificate(certificate, &holder, today())
    };
    assert!(anybody(&card(CARD_ALL_FIELDS)).is_ok());
    for bytes in flipped(&hex(CARD_ALL_FIELDS)) {
        let verified = CardCertificate::parse(&bytes).and_then(|certificate| anybody(&certificate));
        assert!(verified.is_err(), "{bytes:02X?}");
    }
}

fn session_is_refused(messages: &[Vec<u8>], signature: &[u8]) -> bool {
    let key = CardPublicKey::new(&hex(CARD_1)).unwrap();
    let mut pairs = messages.chunks(2).map(|pair| (&pair[0], &pair[1]));
    let (command, answer) = pairs.next().unwrap();
    let mut digest = SessionDigest::new(command, answer).unwrap();
    pairs.for_each(|(command, answer)| digest.add(command, answer).unwrap());
    key.verify(digest, signature).is_err()
}

#[test]
fn every_bit_of_a_session() {
    let messages: Vec<_> = session_example().into_iter().flat_map(|(command, answer)| [command, answer]).collect();
    let signature = hex(SESSION_SIGNATURE);
    assert!(!session_is_refused(&messages, &signature));
    for signature in flipped(&signature) {
        assert!(session_is_refused(&messages, &signature), "{signature:02X?}");
    }
    for place in 0..messages.len() {
        for message in flipped(&messages[place]) {
            let mut messages = messages.clone();
            messages[place] = message;
            assert!(session_is_refused(&messages, &signature), "message {place}: {:02X?}", messages[place]);
        }
    }
}

#[test]
fn order_and_borders_of_messages_count() {
    let messages: Vec<_> = session_example().into_iter().flat_map(|(command, answer)| [command, answer]).collect();
    let signature = hex(SESSION_SIGNATURE);
    let mut swapped = messages.clone();
    swapped.swap(2, 4);
    assert!(session_is_refused(&swapped, &signature));
    let mut moved = messages.clone();
    let first = moved[3].remove(0);
    moved[2].push(first);
    assert!(session_is_refused(&moved, &signature));
    assert!(session_is_refused(&messages[..messages.len() - 2], &signature));
}
