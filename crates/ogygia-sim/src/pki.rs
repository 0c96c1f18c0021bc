//! A test authority, and what it gives to virtual cards: key pairs and certificates.
//!
//! The certificates are made by the core ([`ogygia::pki::authority`]); the card stores them as bytes. Everything
//! follows from a seed, so that a run can be repeated: nothing here protects anything outside a simulation.

use std::fmt;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use ogygia::pki::authority::{Authority, CaRequest, CardKeyPair, CardRequest, IssueError, RsaPrivateKey};
use ogygia::pki::{
    Aid, AidRestriction, CaCertificate, CardCertificate, CardPublicKey, Day, KeyReference, Mode, Rights, RootKey,
    Scope, SigningRight, TrustStore, Validity,
};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::card::{CardError, VirtualCard};
use crate::cipher::KeyPair;

/// Names of the keys of the root and of the authority, behind zeros.
const ROOT: [u8; 4] = [0, 0, 0, 1];
const AUTHORITY: [u8; 4] = [0, 0, 0, 2];

/// A root and one authority below it, for tests: the authority may certify all cards, for ever.
pub struct TestAuthority {
    seed: Zeroizing<[u8; 32]>,
    on: Day,
    root: RootKey,
    store: TrustStore,
    key: RsaPrivateKey,
    certificate: CaCertificate,
}

impl TestAuthority {
    /// The authority of `seed`, which issues everything on the day `on`. Its two RSA keys take a second to find.
    ///
    /// # Errors
    ///
    /// [`CardError::Issue`], [`CardError::Pki`]: none is known that a seed causes.
    pub fn new(seed: &[u8], on: Day) -> Result<Self, CardError> {
        let seed = digest(&[b"ogygia test authority", seed]);
        let root_key = RsaPrivateKey::generate(&mut rng(&seed, &[b"root"]));
        let root = RootKey { reference: KeyReference::of(None, [0; 8], ROOT), key: root_key.public_key().clone() };
        let mut store = TrustStore::new(Mode::Test);
        store.add_root(root.clone()).map_err(CardError::Pki)?;
        let key = RsaPrivateKey::generate(&mut rng(&seed, &[b"authority"]));
        let request = CaRequest {
            subject: KeyReference::of(None, [0; 8], AUTHORITY),
            key: key.public_key().clone(),
            validity: Validity::ALWAYS,
            rights: Rights::new(SigningRight::Granted, SigningRight::Denied),
            scope: Scope::Test,
            restriction: AidRestriction::None,
        };
        let certificate = Authority::new(&store, &root.reference, &root_key)
            .and_then(|issuer| issuer.certify_authority(&request, on))
            .map_err(CardError::Issue)?;
        store.add_ca(&certificate, on).map_err(CardError::Pki)?;
        Ok(Self { seed, on, root, store, key, certificate })
    }

    /// The root key, which terminals trust.
    #[must_use]
    pub const fn root(&self) -> &RootKey {
        &self.root
    }

    /// The certificate of the authority, by the root.
    #[must_use]
    pub const fn certificate(&self) -> &CaCertificate {
        &self.certificate
    }

    /// What a terminal trusts that knows the root only: it learns the authority from the cards.
    ///
    /// # Errors
    ///
    /// [`CardError::Pki`]: none is known.
    pub fn root_store(&self) -> Result<TrustStore, CardError> {
        let mut store = TrustStore::new(Mode::Test);
        store.add_root(self.root.clone()).map_err(CardError::Pki)?;
        Ok(store)
    }

    /// What a terminal trusts that knows the root and the authority.
    #[must_use]
    pub fn full_store(&self) -> TrustStore {
        self.store.clone()
    }

    /// A new key pair for the directory `df_lid` of `card`, always the same one, with its certificates.
    ///
    /// # Errors
    ///
    /// [`CardError::NoAsymmetricMode`]: the card has no such directory. [`CardError::Issue`]: `validity` ends before
    /// it begins.
    pub fn issue(&self, card: &VirtualCard, df_lid: u16, validity: Validity) -> Result<PkiIdentity, CardError> {
        let serial = card.holder(df_lid)?.serial;
        let pair = CardKeyPair::generate(&mut rng(&self.seed, &[b"card", &serial, &df_lid.to_be_bytes()]));
        let certificate = self.certify(card, df_lid, pair.public_key(), validity)?;
        PkiIdentity::new(&pair, &certificate, &self.certificate)
    }

    /// The certificate of a key of the directory `df_lid` of `card`: for keys that the card has made.
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue).
    pub fn certify(
        &self,
        card: &VirtualCard,
        df_lid: u16,
        public_key: CardPublicKey,
        validity: Validity,
    ) -> Result<CardCertificate, CardError> {
        let holder = card.holder(df_lid)?;
        let [_, _, a, b, c, d, e, f] = holder.serial;
        let request = CardRequest {
            aid: Aid::new(holder.name).ok_or(CardError::NoAsymmetricMode(df_lid))?,
            serial_number: [0, 0, a, b, c, d, e, f],
            startup_info: holder.startup,
            public_key,
            validity,
            index: 0,
        };
        self.certify_request(&request).map_err(CardError::Issue)
    }

    /// The certificate that a request asks for.
    pub(crate) fn certify_request(&self, request: &CardRequest) -> Result<CardCertificate, IssueError> {
        Authority::new(&self.store, &self.certificate.subject(), &self.key)
            .and_then(|issuer| issuer.certify_card(request, self.on))
    }

    /// Issues for the directory `df_lid` of `card`, without an end of validity, and gives it to the card.
    ///
    /// # Errors
    ///
    /// As [`issue`](Self::issue).
    pub fn personalize(&self, card: &mut VirtualCard, df_lid: u16) -> Result<PkiIdentity, CardError> {
        let identity = self.issue(card, df_lid, Validity::ALWAYS)?;
        card.personalize_pki(df_lid, &identity)?;
        Ok(identity)
    }
}

impl fmt::Debug for TestAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestAuthority").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

fn digest(parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    Zeroizing::new(hash.finalize().into())
}

fn rng(seed: &Zeroizing<[u8; 32]>, purpose: &[&[u8]]) -> ChaCha20Rng {
    let parts: Vec<&[u8]> = [seed.as_slice()].into_iter().chain(purpose.iter().copied()).collect();
    ChaCha20Rng::from_seed(*digest(&parts))
}

/// What a card proves itself with: a key pair, its certificate, and the certificate of the authority that signed it.
/// `Debug` hides the private key, dropping it wipes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PkiIdentity {
    key_pair: KeyPair,
    card_certificate: Vec<u8>,
    ca_certificate: Vec<u8>,
}

impl PkiIdentity {
    /// An identity of its parts, whether they belong together or not.
    ///
    /// # Errors
    ///
    /// [`CardError::KeyPair`]: none is known that a [`CardKeyPair`] causes.
    pub fn new(pair: &CardKeyPair, card: &CardCertificate, ca: &CaCertificate) -> Result<Self, CardError> {
        Ok(Self {
            key_pair: KeyPair::from_private(&pair.expose_private()).ok_or(CardError::KeyPair)?,
            card_certificate: card.as_bytes().to_vec(),
            ca_certificate: ca.as_bytes().to_vec(),
        })
    }

    /// The certificate of the card: 316 bytes.
    #[must_use]
    pub fn card_certificate(&self) -> &[u8] {
        &self.card_certificate
    }

    /// The certificate of the authority: 384 bytes.
    #[must_use]
    pub fn ca_certificate(&self) -> &[u8] {
        &self.ca_certificate
    }

    /// Public and private key as Put Data writes them: 96 bytes. This shows what must not be shown.
    #[must_use]
    pub fn expose_key_pair(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&self.key_pair.public()[..], self.key_pair.private().as_slice()].concat())
    }

    /// The same with one bit of the card's certificate flipped. Bit 0 is the highest of the first byte; there is
    /// nothing to flip behind the end.
    #[must_use]
    pub fn with_card_bit_flipped(mut self, bit: usize) -> Self {
        flip(&mut self.card_certificate, bit);
        self
    }

    /// The same with one bit of the authority's certificate flipped.
    #[must_use]
    pub fn with_ca_bit_flipped(mut self, bit: usize) -> Self {
        flip(&mut self.ca_certificate, bit);
        self
    }

    pub(crate) const fn key_pair(&self) -> &KeyPair {
        &self.key_pair
    }
}

/// Flips one bit; 0 is the highest of the first byte.
pub(crate) fn flip(bytes: &mut [u8], bit: usize) {
    if let Some(byte) = bytes.get_mut(bit / 8) {
        *byte ^= 0x80 >> (bit % 8);
    }
}
