//! Sessions and their signatures.

use super::*;

fn verified_key() -> VerifiedKey {
    store_with(CA_MINIMAL).verify_card_certificate(&card(CARD_BY_CA), &HOLDER, today()).unwrap()
}

fn verifier() -> SessionVerifier {
    let session = session_example();
    let ((command, answer), rest) = session.split_first().unwrap();
    let mut verifier = SessionVerifier::start(&verified_key(), command, answer).unwrap();
    rest.iter().for_each(|(command, answer)| verifier.add(command, answer).unwrap());
    verifier
}

#[test]
fn a_session_is_proved() {
    assert!(verifier().verify(&hex(SESSION_SIGNATURE)).is_ok());
}

#[test]
fn what_the_card_signs() {
    let session = session_example();
    let mut digest = SessionDigest::new(&session[0].0, &session[0].1).unwrap();
    session[1..].iter().for_each(|(command, answer)| digest.add(command, answer).unwrap());
    assert_eq!(digest.finish().to_vec(), hex(SESSION_HASH));
}

#[test]
fn signatures_that_are_none() {
    let right: [u8; 64] = bytes(SESSION_SIGNATURE);
    let refused = |signature: &[u8]| verifier().verify(signature).unwrap_err();
    assert_eq!(refused(&[]), PkiError::SignatureMissing);
    assert_eq!(refused(&right[..63]), PkiError::SessionSignatureLength(63));
    assert_eq!(refused(&[&right[..], &[0]].concat()), PkiError::SessionSignatureLength(65));
    assert_eq!(refused(&[&[0; 32], &right[32..]].concat()), PkiError::SignatureZero);
    assert_eq!(refused(&[&right[..32], &[0; 32]].concat()), PkiError::SignatureZero);
    assert_eq!(refused(&[0xFF; 64]), PkiError::SessionSignature, "not below the order");
    assert_eq!(refused(&[&right[32..], &right[..32]].concat()), PkiError::SessionSignature);
}

#[test]
fn points_that_are_none() {
    let mut coordinates: [u8; 64] = bytes(CARD_1);
    assert_eq!(CardPublicKey::new(&coordinates).unwrap().to_bytes(), coordinates);
    coordinates[63] ^= 1;
    assert_eq!(CardPublicKey::new(&coordinates), Err(PkiError::PublicKeyPoint));
    assert_eq!(CardPublicKey::new(&[0; 64]), Err(PkiError::PublicKeyPoint));
    assert_eq!(CardPublicKey::new(&[0xFF; 64]), Err(PkiError::PublicKeyPoint));
    assert_eq!(CardPublicKey::new(&coordinates[1..]), Err(PkiError::PublicKeyLength(63)));
}

#[test]
fn messages_that_are_too_long_are_not_added() {
    let mut digest = SessionDigest::new(&[1], &[2]).unwrap();
    let before = digest.clone();
    assert_eq!(digest.add(&[3], &[0; 256]), Err(PkiError::MessageLength(256)));
    assert_eq!(digest.finish(), before.finish());
    assert!(SessionDigest::new(&[0; 255], &[0; 255]).is_ok());
}

/// Once the authorities are registered.
#[test]
fn verification_does_not_allocate() {
    let (store, certificate) = (store_with(CA_MINIMAL), card(CARD_BY_CA));
    let (session, signature) = (session_example(), hex(SESSION_SIGNATURE));
    let mut proof = None;
    let allocated = allocation_counter::measure(|| {
        let key = store.verify_card_certificate(&certificate, &HOLDER, today()).unwrap();
        let mut verifier = SessionVerifier::start(&key, &session[0].0, &session[0].1).unwrap();
        session[1..].iter().for_each(|(command, answer)| verifier.add(command, answer).unwrap());
        proof = verifier.verify(&signature).ok();
    });
    assert!(proof.is_some());
    assert_eq!(allocated.count_total, 0);
}
