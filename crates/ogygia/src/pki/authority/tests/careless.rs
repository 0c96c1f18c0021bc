//! What a careless authority signs, and a careful terminal refuses.

use super::super::super::{KeyDefect, PkiError, SessionVerifier, Tolerance};
use super::*;

/// CA-1 by PCA-A without limits, with one change before it is signed.
fn signed(change: impl FnOnce(&mut [u8; 128], &mut [u8; RECOVERED_LEN])) -> CaCertificate {
    let (mut clear, mut recovered) = ca_request().encode(reference(PCA_A_REFERENCE));
    change(&mut clear, &mut recovered);
    let signature = root_key().raise(&recovery::block(&clear, &recovered));
    CaCertificate::parse(&[&clear[..], &signature].concat()).unwrap()
}

fn added_to(mut store: TrustStore, certificate: &CaCertificate) -> Result<Standing, PkiError> {
    store.add_ca(certificate, today())
}

fn byte(place: usize, byte: u8) -> Result<Standing, PkiError> {
    added_to(store(), &signed(|clear, _| clear[place] = byte))
}

#[test]
fn fields_of_authorities() {
    assert_eq!(byte(91, 0xFE), Ok(Standing::Valid), "reserved bits are ignored");
    assert_eq!(byte(64, 0x01), Ok(Standing::Valid), "reserved bytes are ignored");
    assert_eq!(byte(74, 0x04), Err(PkiError::AidSize(4)));
    assert_eq!(byte(74, 0x11), Err(PkiError::AidSize(0x11)));
    assert_eq!(byte(75, 0x01), Err(PkiError::AidPadding));
    assert_eq!(byte(69, 0x00), Err(PkiError::ScopeProductionInTest));
    assert_eq!(byte(69, 0x80), Err(PkiError::ScopeUnknown(0x80)));
    assert_eq!(byte(60, 0x0A), Err(PkiError::Date));
    assert_eq!(byte(70, 0x99), Err(PkiError::Date), "the year 9900, without month");
    let far = signed(|clear, _| clear[60..64].copy_from_slice(&[0x99, 0x99, 0x12, 0x31]));
    assert_eq!(added_to(store(), &far), Err(PkiError::NotYetValid));
    let never = signed(|clear, _| clear[70..74].copy_from_slice(&[0x99, 0x99, 0x12, 0x31]));
    assert_eq!(added_to(store(), &never), Ok(Standing::Valid));
}

#[test]
fn reserved_rights() {
    for rights in [0x03, 0x0C, 0x0F, 0xFF] {
        assert_eq!(byte(68, rights), Err(PkiError::RightsReserved), "{rights:02X}");
        let mut store = store();
        store.tolerate(Tolerance { reserved_rights: true, ..Tolerance::default() });
        let certificate = signed(|clear, _| clear[68] = rights);
        assert_eq!(store.add_ca(&certificate, today()), Ok(Standing::Valid));
        let issuer = store.issuer(&certificate.subject()).unwrap();
        assert!(!issuer.may_sign_cards() || !issuer.may_sign_authorities(), "{rights:02X}");
    }
    assert_eq!(byte(68, 0xF0), Ok(Standing::Valid), "reserved bits are ignored");
}

#[test]
fn keys_of_authorities() {
    let short = signed(|clear, _| clear[94] &= 0x7F);
    assert_eq!(added_to(store(), &short), Err(PkiError::CertifiedKey(KeyDefect::Size)));
    let even = signed(|_, recovered| recovered[RECOVERED_LEN - 1] &= 0xFE);
    assert_eq!(added_to(store(), &even), Err(PkiError::CertifiedKey(KeyDefect::Even)));
}

/// By CA-1, which has limits: CA-2 with one change of what it may be.
#[test]
fn authorities_wider_than_their_issuer() {
    let aid = Aid::new(b"1TIC.ICA1").unwrap();
    let ca = CaCertificate::parse(&hex(CA_ALL_FIELDS)).unwrap();
    let inside = CaRequest {
        subject: KeyReference::of(Some(&aid), [1; 8], [0; 4]),
        validity: limited(),
        scope: Scope::Test,
        restriction: AidRestriction::Exact(aid),
        ..ca_request()
    };
    let added = |request: &CaRequest| {
        let (clear, recovered) = request.encode(ca.subject());
        let signature = ca_key().raise(&recovery::block(&clear, &recovered));
        let certificate = CaCertificate::parse(&[&clear[..], &signature].concat()).unwrap();
        added_to(store_with(&ca), &certificate)
    };
    assert_eq!(added(&inside), Ok(Standing::Valid));
    let no_end = Validity { end: None, ..limited() };
    let early = Validity { start: Day::new(2024, 2, 21), ..limited() };
    let longer = AidRestriction::Beginning(Aid::new(b"1TIC.ICA12").unwrap());
    assert_eq!(added(&CaRequest { scope: Scope::Any, ..inside.clone() }), Err(PkiError::ScopeOutsideIssuer));
    assert_eq!(added(&CaRequest { validity: no_end, ..inside.clone() }), Err(PkiError::ValidityOutsideIssuer));
    assert_eq!(added(&CaRequest { validity: early, ..inside.clone() }), Err(PkiError::ValidityOutsideIssuer));
    assert_eq!(added(&CaRequest { restriction: longer, ..inside.clone() }), Err(PkiError::AidMismatch));
    assert_eq!(added(&CaRequest { restriction: AidRestriction::None, ..inside }), Err(PkiError::AidMismatch));
}

#[test]
fn rights_that_were_not_given() {
    let no_cards = signed(|clear, _| clear[68] = 0x04);
    let holder = Holder { serial_number: card_request().serial_number, application: None, startup_info: None };
    let card = CardCertificate::parse(&hex(CARD_BY_CA)).unwrap();
    let verified = store_with(&no_cards).verify_card_certificate(&card, &holder, today());
    assert_eq!(verified, Err(PkiError::IssuerMayNotSignCard));
    let no_authorities = signed(|clear, _| clear[68] = 0x01);
    let level_2 = CaCertificate::parse(&hex(CA_LEVEL_2)).unwrap();
    assert_eq!(added_to(store_with(&no_authorities), &level_2), Err(PkiError::IssuerMayNotSignCa));
}

/// A certificate may be genuine, and its key no key: that is seen when a session begins.
#[test]
fn a_card_without_a_point() {
    let (clear, mut recovered) = card_request().encode(reference(PCA_A_REFERENCE));
    recovered[97] ^= 1;
    let signature = root_key().raise(&recovery::block(&clear, &recovered));
    let card = CardCertificate::parse(&[&clear[..], &signature].concat()).unwrap();
    let holder = Holder { serial_number: card.serial_number(), application: None, startup_info: None };
    let key = store().verify_card_certificate(&card, &holder, today()).unwrap();
    assert_eq!(SessionVerifier::start(&key, &[], &[]).map(drop), Err(PkiError::PublicKeyPoint));
}
