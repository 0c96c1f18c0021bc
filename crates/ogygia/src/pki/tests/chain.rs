//! Certificates, rule by rule.

use super::*;

fn added(example: &str) -> Result<Standing, PkiError> {
    store().add_ca(&authority(example), today())
}

fn verified(ca: &str, example: &str, holder: &Holder<'_>) -> Result<VerifiedKey, PkiError> {
    store_with(ca).verify_card_certificate(&card(example), holder, today())
}

#[test]
fn the_published_authority() {
    let root = RootKey::new(&hex(PUBLISHED_ROOT_REFERENCE), &hex(PUBLISHED_ROOT)).unwrap();
    let mut store = TrustStore::new(Mode::Test);
    store.add_root(root.clone()).unwrap();
    let certificate = authority(PUBLISHED_CA);
    assert_eq!(store.add_ca(&certificate, today()), Ok(Standing::Valid));

    let issuer = store.issuer(&certificate.subject()).unwrap();
    assert_eq!(issuer.key().modulus().to_vec(), hex(PUBLISHED_CA_MODULUS));
    assert_eq!((issuer.may_sign_cards(), issuer.may_sign_authorities()), (true, false));
    assert_eq!((issuer.scope(), issuer.restriction(), issuer.is_root()), (Scope::Test, AidRestriction::None, false));
    assert_eq!(issuer.validity(), Validity { start: Day::new(2024, 2, 22), end: None });
    assert_eq!(certificate.subject().serial_number(), [0, 0, 0, 0, 0xAE, 0xC8, 0xE0, 0xEA]);

    let mut production = TrustStore::new(Mode::Production);
    production.add_root(root).unwrap();
    assert_eq!(production.add_ca(&certificate, today()), Err(PkiError::ScopeTestInProduction));
}

#[test]
fn all_fields_of_an_authority() {
    let certificate = authority(CA_ALL_FIELDS);
    let store = store_with(CA_ALL_FIELDS);
    let issuer = store.issuer(&certificate.subject()).unwrap();
    assert_eq!(issuer.validity(), Validity { start: Day::new(2024, 2, 22), end: Day::new(2035, 12, 31) });
    assert_eq!(certificate.rights(), Rights::new(SigningRight::Granted, SigningRight::Granted));
    assert_eq!(issuer.restriction(), AidRestriction::Exact(Aid::new(b"1TIC.ICA1").unwrap()));
    assert_eq!(issuer.key().modulus().to_vec(), hex(CA_1));
}

#[test]
fn all_fields_of_a_card() {
    let certificate = card(CARD_ALL_FIELDS);
    assert_eq!((certificate.index(), certificate.serial_number()), (7, HOLDER.serial_number));
    assert_eq!(certificate.issuer().as_bytes().to_vec(), hex(CA_1_REFERENCE));
    let key = verified(CA_MINIMAL, CARD_ALL_FIELDS, &HOLDER).unwrap();
    assert_eq!(key.as_bytes().to_vec(), hex(CARD_1));
    assert_eq!(key.content().validity, Validity { start: Day::new(2024, 2, 22), end: Day::new(2035, 12, 31) });
    assert_eq!(key.content().startup_info, HOLDER.startup_info.unwrap());
    assert_eq!(key.standing(), Standing::Valid);
}

#[test]
fn chains_of_other_lengths() {
    let mut store = store_with(CA_MINIMAL);
    assert_eq!(store.add_ca(&authority(CA_LEVEL_2), today()), Ok(Standing::Valid));
    assert!(store.verify_card_certificate(&card(CARD_BY_ROOT), &HOLDER, today()).is_ok());
    assert_eq!(store.issuers().len(), 3);
}

#[test]
fn whose_certificate_it_is() {
    let with = |holder| verified(CA_MINIMAL, CARD_BY_CA, &holder).map(drop);
    assert_eq!(with(Holder { serial_number: [1; 8], ..HOLDER }), Err(PkiError::SerialMismatch));
    assert_eq!(with(Holder { application: Some(b"1TIC.ICA"), ..HOLDER }), Err(PkiError::ApplicationMismatch));
    assert_eq!(with(Holder { startup_info: Some([0; 7]), ..HOLDER }), Err(PkiError::StartupInfoMismatch));
    assert_eq!(with(Holder { application: None, startup_info: None, ..HOLDER }), Ok(()));
}

#[test]
fn the_application_must_be_one_of_the_issuer() {
    let holder = Holder { application: None, ..HOLDER };
    assert_eq!(verified(CA_EXACT, CARD_AID_LONGER, &holder), Err(PkiError::AidMismatch));
}

#[test]
fn applications_that_begin_alike() {
    let store = store_with(CA_BEGINNING);
    let issuer = store.issuer(&authority(CA_BEGINNING).subject()).unwrap();
    assert_eq!(issuer.restriction(), AidRestriction::Beginning(Aid::new(b"1TIC.").unwrap()));
}

#[test]
fn days() {
    assert_eq!(added(CA_START_TOMORROW), Err(PkiError::NotYetValid));
    assert_eq!(verified(CA_MINIMAL, CARD_START_TOMORROW, &HOLDER), Err(PkiError::NotYetValid));
    let tomorrow = Day::new(2026, 11, 23).unwrap();
    assert_eq!(store().add_ca(&authority(CA_START_TOMORROW), tomorrow), Ok(Standing::Valid));

    assert_eq!(added(CA_END_YESTERDAY), Err(PkiError::Expired));
    let mut store = store();
    store.tolerate(Tolerance { expired: true, ..Tolerance::default() });
    assert_eq!(store.add_ca(&authority(CA_END_YESTERDAY), today()), Ok(Standing::Expired));
}

/// A store outlives the day on which an authority was registered.
#[test]
fn the_issuer_is_looked_at_again() {
    let store = store_with(CA_ALL_FIELDS);
    let on = |day| store.verify_card_certificate(&card(CARD_ALL_FIELDS), &HOLDER, day).map(drop);
    assert_eq!(on(Day::new(2035, 12, 31).unwrap()), Ok(()));
    assert_eq!(on(Day::new(2036, 1, 1).unwrap()), Err(PkiError::IssuerExpired));
    assert_eq!(on(Day::new(2024, 2, 21).unwrap()), Err(PkiError::IssuerNotYetValid));
    assert_eq!(
        store.verify_card_certificate(&card(CARD_BY_CA), &HOLDER, today()),
        Err(PkiError::ValidityOutsideIssuer),
        "without an end, under an issuer that has one"
    );
}

#[test]
fn issuers_come_first_and_once() {
    let ca = authority(CA_MINIMAL);
    let mut empty = TrustStore::new(Mode::Test);
    assert_eq!(empty.add_ca(&ca, today()), Err(PkiError::IssuerNotRegistered(ca.issuer())));
    let unknown = store().verify_card_certificate(&card(CARD_BY_CA), &HOLDER, today());
    assert_eq!(unknown, Err(PkiError::IssuerNotRegistered(ca.subject())));

    let mut store = store_with(CA_MINIMAL);
    assert_eq!(store.add_ca(&ca, today()), Err(PkiError::AlreadyRegistered(ca.subject())));
    let root = RootKey::new(&hex(PCA_A_REFERENCE), &hex(PCA_A)).unwrap();
    assert_eq!(store.add_root(root.clone()), Err(PkiError::AlreadyRegistered(root.reference)));
}

#[test]
fn an_authority_learnt_from_the_card() {
    let mut store = store();
    let (ca, card) = (authority(CA_MINIMAL), card(CARD_BY_CA));
    assert_eq!(store.learn_issuer(&card, &authority(CA_EXACT), today()), Err(PkiError::NotTheIssuer));
    assert_eq!(store.issuers().len(), 1);
    for _ in 0..2 {
        assert_eq!(store.learn_issuer(&card, &ca, today()), Ok(()));
        assert_eq!(store.issuers().len(), 2);
    }
    let other = authority(CA_ALL_FIELDS);
    assert_eq!(store.learn_issuer(&card, &other, today()), Err(PkiError::AlreadyRegistered(ca.subject())));
}

#[test]
fn what_is_no_certificate() {
    let ca = hex(CA_MINIMAL);
    let with = |place: usize, byte| {
        let mut bytes = ca.clone();
        bytes[place] = byte;
        CaCertificate::parse(&bytes).map(drop)
    };
    assert_eq!(CaCertificate::parse(&ca[1..]), Err(PkiError::Length(383)));
    assert_eq!((with(0, 0x91), with(1, 0x02)), (Err(PkiError::Type(0x91)), Err(PkiError::Version(0x02))));
    assert_eq!(CardCertificate::parse(&[]), Err(PkiError::Length(0)));
    let mut bytes = hex(CARD_BY_CA);
    bytes[31] = 0xFF;
    assert_eq!(CardCertificate::parse(&bytes), Err(PkiError::AidSize(0xFF)));
    bytes[0] = 0x90;
    assert_eq!(CardCertificate::parse(&bytes), Err(PkiError::Type(0x90)));
}

#[test]
fn what_is_no_root() {
    assert_eq!(RootKey::new(&[0; 28], &hex(PCA_A)), Err(PkiError::ReferenceLength(28)));
    assert_eq!(RootKey::new(&[0; 29], &[0xFF; 255]), Err(PkiError::ModulusLength(255)));
    assert_eq!(RootKey::new(&[0; 29], &[0x7F; 256]), Err(PkiError::Key(KeyDefect::Size)));
}

#[test]
fn references() {
    let reference = KeyReference::from_slice(&hex(PUBLISHED_ROOT_REFERENCE)).unwrap();
    let aid = reference.aid().unwrap();
    assert_eq!(aid.unwrap().as_bytes(), hex("A000000291A0000101B001"));
    assert_eq!((reference.serial_number(), reference.key()), ([0; 8], [0, 0, 0, 2]));
    assert_eq!(KeyReference::of(aid.as_ref(), [0; 8], [0, 0, 0, 2]), reference);
    assert_eq!(KeyReference::of(None, [1; 8], [2; 4]).aid(), Ok(None));
    assert_eq!(KeyReference::new([4; 29]).aid(), Err(PkiError::AidSize(4)));
    assert_eq!(KeyReference::new([0xFF; 29]).aid(), Err(PkiError::AidPadding));
}

/// The block of "Signature, step by step".
#[test]
fn the_worked_signature() {
    let certificate: [u8; 384] = bytes(CA_MINIMAL);
    let (clear, signature) = certificate.split_at(128);
    let modulus: [u8; 256] = bytes(CA_1);
    let recovered = modulus[34..].try_into().unwrap();
    let key = RsaPublicKey::new(&bytes(PCA_A)).unwrap();
    let block = recovery::block(clear, recovered);
    assert_eq!(block[223..255], hex("D332D48D06E80330C57232497132618D70010AEEBCED953156FE839AEA41A479"));
    assert_eq!(key.raise(signature.try_into().unwrap()), Some(block));
}
