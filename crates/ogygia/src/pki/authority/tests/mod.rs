mod careless;
mod scheme;

use core::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};

use super::super::tests::examples::*;
use super::super::{Holder, Mode, PkiError, RootKey, SessionVerifier, SigningRight, Standing};
use super::*;
use crate::test_hex::hex;

/// Not random at all: the same numbers each time.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Infallible> {
        for part in to.chunks_mut(32) {
            self.0 += 1;
            let block = Sha256::digest(self.0.to_be_bytes());
            part.copy_from_slice(&block[..part.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

fn today() -> Day {
    Day::new(2026, 11, 22).unwrap()
}

fn root_key() -> RsaPrivateKey {
    RsaPrivateKey::from_parts(&bytes(PCA_A), &bytes(PCA_A_PRIVATE)).unwrap()
}

fn ca_key() -> RsaPrivateKey {
    RsaPrivateKey::from_parts(&bytes(CA_1), &bytes(CA_1_PRIVATE)).unwrap()
}

fn store() -> TrustStore {
    let mut store = TrustStore::new(Mode::Test);
    store.add_root(RootKey::new(&hex(PCA_A_REFERENCE), &hex(PCA_A)).unwrap()).unwrap();
    store
}

fn store_with(ca: &CaCertificate) -> TrustStore {
    let mut store = store();
    store.add_ca(ca, today()).unwrap();
    store
}

fn reference(example: &str) -> KeyReference {
    KeyReference::from_slice(&hex(example)).unwrap()
}

/// What makes the example without limits.
fn ca_request() -> CaRequest {
    CaRequest {
        subject: reference(CA_1_REFERENCE),
        key: ca_key().public_key().clone(),
        validity: Validity::ALWAYS,
        rights: Rights::default(),
        scope: Scope::Any,
        restriction: AidRestriction::None,
    }
}

fn card_request() -> CardRequest {
    CardRequest {
        aid: Aid::new(b"1TIC.ICA1").unwrap(),
        serial_number: [0, 0, 0, 0, 0xAA, 0xBB, 0xCC, 0xDD],
        startup_info: [0x0A, 0x3C, 0x30, 0x05, 0x14, 0x10, 0x01],
        public_key: CardPublicKey::new(&hex(CARD_1)).unwrap(),
        validity: Validity::ALWAYS,
        index: 0,
    }
}

fn limited() -> Validity {
    Validity { start: Day::new(2024, 2, 22), end: Day::new(2035, 12, 31) }
}

fn by_root(request: &CaRequest) -> Result<CaCertificate, IssueError> {
    let (store, key) = (store(), root_key());
    Authority::new(&store, &reference(PCA_A_REFERENCE), &key)?.certify_authority(request, today())
}

/// By CA-1 with a certificate of its own.
fn by_ca(ca: &CaCertificate, request: &CardRequest) -> Result<CardCertificate, IssueError> {
    let (store, key) = (store_with(ca), ca_key());
    Authority::new(&store, &ca.subject(), &key)?.certify_card(request, today())
}

#[test]
fn authorities_come_out_as_in_the_examples() {
    assert_eq!(by_root(&ca_request()).unwrap().as_bytes().to_vec(), hex(CA_MINIMAL));
    let request = CaRequest {
        validity: limited(),
        rights: Rights::new(SigningRight::Granted, SigningRight::Granted),
        scope: Scope::Test,
        restriction: AidRestriction::Exact(Aid::new(b"1TIC.ICA1").unwrap()),
        ..ca_request()
    };
    assert_eq!(by_root(&request).unwrap().as_bytes().to_vec(), hex(CA_ALL_FIELDS));
}

#[test]
fn cards_come_out_as_in_the_examples() {
    let ca = CaCertificate::parse(&hex(CA_MINIMAL)).unwrap();
    assert_eq!(by_ca(&ca, &card_request()).unwrap().as_bytes().to_vec(), hex(CARD_BY_CA));
    let request = CardRequest { validity: limited(), index: 7, ..card_request() };
    assert_eq!(by_ca(&ca, &request).unwrap().as_bytes().to_vec(), hex(CARD_ALL_FIELDS));
    let (store, key) = (store(), root_key());
    let root = Authority::new(&store, &reference(PCA_A_REFERENCE), &key).unwrap();
    assert_eq!(root.certify_card(&card_request(), today()).unwrap().as_bytes().to_vec(), hex(CARD_BY_ROOT));
}

#[test]
fn authorities_that_are_not_certified() {
    let zero = Aid::new(&[0; 5]).unwrap();
    let day = |day| Day::new(2026, 11, day);
    let backwards = Validity { start: day(20), end: day(19) };
    for (request, refused) in [
        (CaRequest { subject: reference(PCA_A_REFERENCE), ..ca_request() }, IssueError::TargetAlreadyInStore),
        (CaRequest { subject: KeyReference::new([4; 29]), ..ca_request() }, IssueError::Reference),
        (CaRequest { subject: KeyReference::of(Some(&zero), [0; 8], [0; 4]), ..ca_request() }, IssueError::Reference),
        (CaRequest { rights: Rights(0x03), ..ca_request() }, IssueError::Rights),
        (CaRequest { rights: Rights(0x10), ..ca_request() }, IssueError::Rights),
        (CaRequest { scope: Scope::Unknown(2), ..ca_request() }, IssueError::Scope),
        (CaRequest { validity: backwards, ..ca_request() }, IssueError::EndBeforeStart),
    ] {
        assert_eq!(by_root(&request), Err(refused));
    }
    let none = by_root(&CaRequest { restriction: AidRestriction::Beginning(zero), ..ca_request() }).unwrap();
    assert_eq!(none.restriction(), Ok(AidRestriction::None), "an AID of zeros is none");
}

/// CA-1, for tests, one application, until 2035.
#[test]
fn what_is_outside_of_the_issuer_is_not_certified() {
    let ca = CaCertificate::parse(&hex(CA_ALL_FIELDS)).unwrap();
    assert_eq!(by_ca(&ca, &card_request()), Err(IssueError::ValidityOutsideIssuer));
    let inside = CardRequest { validity: limited(), ..card_request() };
    assert!(by_ca(&ca, &inside).is_ok());
    let other = CardRequest { aid: Aid::new(b"1TIC.ICA2").unwrap(), ..inside.clone() };
    assert_eq!(by_ca(&ca, &other), Err(IssueError::AidOutsideIssuer));
    let zero = CardRequest { aid: Aid::new(&[0; 16]).unwrap(), ..inside };
    assert_eq!(by_ca(&ca, &zero), Err(IssueError::AidZero));

    let (store, key) = (store_with(&ca), ca_key());
    let authority = Authority::new(&store, &ca.subject(), &key).unwrap();
    let aid = Aid::new(b"1TIC.ICA1").unwrap();
    let request = CaRequest {
        subject: KeyReference::of(Some(&aid), [1; 8], [0; 4]),
        key: root_key().public_key().clone(),
        validity: limited(),
        scope: Scope::Test,
        restriction: AidRestriction::Exact(aid),
        ..ca_request()
    };
    assert!(authority.certify_authority(&request, today()).is_ok());
    for (request, refused) in [
        (CaRequest { scope: Scope::Any, ..request.clone() }, IssueError::ScopeOutsideIssuer),
        (CaRequest { restriction: AidRestriction::None, ..request.clone() }, IssueError::AidOutsideIssuer),
        (
            CaRequest { subject: KeyReference::of(None, [1; 8], [0; 4]), ..request.clone() },
            IssueError::AidOutsideIssuer,
        ),
        (CaRequest { validity: Validity::ALWAYS, ..request.clone() }, IssueError::ValidityOutsideIssuer),
    ] {
        assert_eq!(authority.certify_authority(&request, today()), Err(refused));
    }
    let late = Day::new(2036, 1, 1).unwrap();
    assert_eq!(authority.certify_authority(&request, late), Err(IssueError::IssuerExpired));
    let early = Day::new(2024, 2, 21).unwrap();
    assert_eq!(authority.certify_authority(&request, early), Err(IssueError::IssuerNotYetValid));
}

#[test]
fn rights_of_the_issuer() {
    let rights = |cards, authorities| CaRequest { rights: Rights::new(cards, authorities), ..ca_request() };
    let no_cards = by_root(&rights(SigningRight::Denied, SigningRight::Unspecified)).unwrap();
    assert_eq!(by_ca(&no_cards, &card_request()), Err(IssueError::IssuerMayNotSignCard));
    let no_authorities = by_root(&rights(SigningRight::Granted, SigningRight::Denied)).unwrap();
    let (store, key) = (store_with(&no_authorities), ca_key());
    let authority = Authority::new(&store, &no_authorities.subject(), &key).unwrap();
    assert_eq!(authority.certify_authority(&ca_request(), today()), Err(IssueError::IssuerMayNotSignCa));
}

#[test]
fn an_authority_needs_its_own_key() {
    let (store, key) = (store(), ca_key());
    let made = |name| Authority::new(&store, &reference(name), &key).map(drop);
    assert_eq!(made(PCA_A_REFERENCE), Err(IssueError::NotTheKeyOfTheIssuer));
    assert_eq!(made(CA_1_REFERENCE), Err(IssueError::IssuerNotInStore));
    let mixed = RsaPrivateKey::from_parts(&bytes(PCA_A), &bytes(CA_1_PRIVATE));
    assert_eq!(mixed.map(drop), Err(IssueError::KeyPair));
    assert_eq!(CardKeyPair::from_private(&[0; 32]).map(drop), Err(IssueError::KeyPair));
    assert_eq!(CardKeyPair::from_private(&[0xFF; 32]).map(drop), Err(IssueError::KeyPair));
}

#[test]
fn keys_do_not_show_themselves() {
    let key = CardKeyPair::from_private(&bytes(CARD_1_PRIVATE)).unwrap();
    assert_eq!(key.public_key().to_bytes().to_vec(), hex(CARD_1));
    assert_eq!(key.expose_private().to_vec(), hex(CARD_1_PRIVATE));
    assert_eq!(alloc::format!("{key:?}"), "CardKeyPair(..)");
    let key = root_key();
    assert_eq!(key.expose_exponent().to_vec(), hex(PCA_A_PRIVATE));
    let shown = alloc::format!("{key:?}");
    assert_eq!(shown, "RsaPrivateKey { public: RsaPublicKey(C42D8F255A5B9BDB...), .. }");
}

/// From nothing to a proved session.
#[test]
fn a_chain_of_new_keys() {
    use p256::ecdsa::signature::hazmat::PrehashSigner;
    use p256::ecdsa::{Signature, SigningKey};

    let mut rng = Counter(0);
    let root_key = RsaPrivateKey::generate(&mut rng);
    let ca_key = RsaPrivateKey::generate(&mut rng);
    let card_key = CardKeyPair::generate(&mut rng);
    let again = [CardKeyPair::generate(&mut Counter(7)), CardKeyPair::generate(&mut Counter(7))];
    assert_eq!(again[0].public_key(), again[1].public_key(), "by the numbers alone");

    let mut store = TrustStore::new(Mode::Production);
    let root = RootKey { reference: KeyReference::of(None, [0; 8], [0, 0, 0, 1]), key: root_key.public_key().clone() };
    store.add_root(root.clone()).unwrap();
    let request = CaRequest {
        subject: KeyReference::of(None, [2; 8], [0; 4]),
        key: ca_key.public_key().clone(),
        scope: Scope::Production,
        ..ca_request()
    };
    let root = Authority::new(&store, &root.reference, &root_key).unwrap();
    let ca = root.certify_authority(&request, today()).unwrap();
    assert_eq!(store.add_ca(&ca, today()), Ok(Standing::Valid));
    let request = CardRequest { public_key: card_key.public_key(), ..card_request() };
    let card = Authority::new(&store, &ca.subject(), &ca_key).unwrap().certify_card(&request, today()).unwrap();

    let holder = Holder {
        serial_number: request.serial_number,
        application: Some(request.aid.as_bytes()),
        startup_info: Some(request.startup_info),
    };
    let key = store.verify_card_certificate(&card, &holder, today()).unwrap();
    let verifier = SessionVerifier::start(&key, &[1, 2], &[3, 4]).unwrap();
    let signer = SigningKey::from_slice(&card_key.expose_private()[..]).unwrap();
    let hash = super::super::SessionDigest::new(&[1, 2], &[3, 4]).unwrap().finish();
    let signature: Signature = signer.sign_prehash(&hash).unwrap();
    assert!(verifier.clone().verify(&signature.to_bytes()).is_ok());
    let other: Signature = signer.sign_prehash(&[0; 32]).unwrap();
    assert_eq!(verifier.verify(&other.to_bytes()), Err(PkiError::SessionSignature));
}
