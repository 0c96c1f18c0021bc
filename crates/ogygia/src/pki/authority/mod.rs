//! Making certificates: a test authority, and what personalizes cards. Specification 04, "Certificate generation
//! (personalisation side)".
//!
//! Here are private keys. They do not show themselves, and what keeps them is wiped; intermediate results of a
//! computation on the stack are not. An authority of a real network keeps its keys in a device of its own.

mod error;
mod key;

pub use error::IssueError;
pub use key::{CardKeyPair, RsaPrivateKey};

use super::rsa::MODULUS_LEN;
use super::{
    Aid, AidRestriction, CaCertificate, CardCertificate, CardPublicKey, Day, Issuer, KeyReference, Rights,
    RsaPublicKey, Scope, TrustStore, Validity, ca, card, recovery,
};
use crate::card::StartupInfo;
use recovery::RECOVERED_LEN;

/// An issuer together with its private key.
#[derive(Clone, Copy, Debug)]
pub struct Authority<'a> {
    store: &'a TrustStore,
    issuer: &'a Issuer,
    key: &'a RsaPrivateKey,
}

/// What a certificate of an authority shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaRequest {
    /// The name of the key to certify.
    pub subject: KeyReference,
    /// The key to certify.
    pub key: RsaPublicKey,
    /// When it shall be valid.
    pub validity: Validity,
    /// What it may sign.
    pub rights: Rights,
    /// Where it shall be valid.
    pub scope: Scope,
    /// Which applications it may certify. An AID of zeros is none.
    pub restriction: AidRestriction,
}

/// What a certificate of a card shall say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardRequest {
    /// The application that holds the key.
    pub aid: Aid,
    /// Serial number of the card.
    pub serial_number: [u8; 8],
    /// Startup information of the card.
    pub startup_info: [u8; StartupInfo::LEN],
    /// The key to certify.
    pub public_key: CardPublicKey,
    /// When the certificate shall be valid.
    pub validity: Validity,
    /// A number that the issuer may use as it likes.
    pub index: u32,
}

impl<'a> Authority<'a> {
    /// The authority that `reference` names in the store, with its private key.
    ///
    /// # Errors
    ///
    /// [`IssueError::IssuerNotInStore`], [`IssueError::NotTheKeyOfTheIssuer`].
    pub fn new(store: &'a TrustStore, reference: &KeyReference, key: &'a RsaPrivateKey) -> Result<Self, IssueError> {
        let issuer = store.issuer(reference).ok_or(IssueError::IssuerNotInStore)?;
        if issuer.key() != key.public_key() {
            return Err(IssueError::NotTheKeyOfTheIssuer);
        }
        Ok(Self { store, issuer, key })
    }

    /// Certifies an authority, on this day.
    ///
    /// # Errors
    ///
    /// What a careful terminal would refuse later is refused here: see [`IssueError`].
    pub fn certify_authority(&self, request: &CaRequest, on: Day) -> Result<CaCertificate, IssueError> {
        if !self.issuer.may_sign_authorities() {
            return Err(IssueError::IssuerMayNotSignCa);
        }
        let own_aid = request.subject.aid().map_err(|_| IssueError::Reference)?;
        if own_aid.is_some_and(|aid| aid.is_zero()) {
            return Err(IssueError::Reference);
        }
        if self.store.issuer(&request.subject).is_some() {
            return Err(IssueError::TargetAlreadyInStore);
        }
        if request.rights.0 >= 0x10 || request.rights.has_reserved() {
            return Err(IssueError::Rights);
        }
        if matches!(request.scope, Scope::Unknown(_)) {
            return Err(IssueError::Scope);
        }
        if !request.scope.is_within(self.issuer.scope()) {
            return Err(IssueError::ScopeOutsideIssuer);
        }
        let restriction = match request.restriction {
            AidRestriction::Exact(aid) | AidRestriction::Beginning(aid) if aid.is_zero() => AidRestriction::None,
            other => other,
        };
        let allowed = self.issuer.restriction();
        if !allowed.permits(own_aid.as_ref()) || !allowed.permits(restriction.aid()) {
            return Err(IssueError::AidOutsideIssuer);
        }
        self.check_validity(&request.validity, on)?;

        let request = CaRequest { restriction, ..request.clone() };
        let (clear, recovered) = request.encode(self.issuer.reference());
        let signature = self.sign(&clear, &recovered)?;
        CaCertificate::parse(&[&clear[..], &signature].concat()).map_err(|_| IssueError::Signing)
    }

    /// Certifies the key of a card, on this day.
    ///
    /// # Errors
    ///
    /// What a careful terminal would refuse later is refused here: see [`IssueError`].
    pub fn certify_card(&self, request: &CardRequest, on: Day) -> Result<CardCertificate, IssueError> {
        if !self.issuer.may_sign_cards() {
            return Err(IssueError::IssuerMayNotSignCard);
        }
        if request.aid.is_zero() {
            return Err(IssueError::AidZero);
        }
        if !self.issuer.restriction().permits(Some(&request.aid)) {
            return Err(IssueError::AidOutsideIssuer);
        }
        self.check_validity(&request.validity, on)?;

        let (clear, recovered) = request.encode(self.issuer.reference());
        let signature = self.sign(&clear, &recovered)?;
        CardCertificate::parse(&[&clear[..], &signature].concat()).map_err(|_| IssueError::Signing)
    }

    fn check_validity(&self, validity: &Validity, on: Day) -> Result<(), IssueError> {
        if !self.issuer.validity().has_begun(on) {
            return Err(IssueError::IssuerNotYetValid);
        }
        if self.issuer.validity().is_over(on) {
            return Err(IssueError::IssuerExpired);
        }
        if validity.start.zip(validity.end).is_some_and(|(start, end)| end < start) {
            return Err(IssueError::EndBeforeStart);
        }
        if validity.is_within(&self.issuer.validity()) { Ok(()) } else { Err(IssueError::ValidityOutsideIssuer) }
    }

    /// A wrong computation must not leave the house: it may give the key away.
    fn sign(&self, clear: &[u8], recovered: &[u8; RECOVERED_LEN]) -> Result<[u8; MODULUS_LEN], IssueError> {
        let signature = self.key.raise(&recovery::block(clear, recovered));
        match recovery::recover(self.issuer.key(), clear, &signature) {
            Ok(read) if read == *recovered => Ok(signature),
            _ => Err(IssueError::Signing),
        }
    }
}

impl CaRequest {
    fn encode(&self, issuer: KeyReference) -> ([u8; ca::CLEAR_LEN], [u8; RECOVERED_LEN]) {
        let (start, end) = self.validity.to_bcd();
        let (aid_size, aid, mode) = self.restriction.to_field();
        let modulus = self.key.modulus();
        let (header, tail) = modulus.split_at(ca::MODULUS_HEADER_LEN);
        let clear = joined(&[
            &[ca::TYPE, ca::VERSION],
            issuer.as_bytes(),
            self.subject.as_bytes(),
            &start,
            &[0; 4],
            &[self.rights.0, self.scope.byte()],
            &end,
            &[aid_size],
            &aid,
            &[mode, 0, 0],
            header,
        ]);
        (clear, joined(&[tail]))
    }
}

impl CardRequest {
    fn encode(&self, issuer: KeyReference) -> ([u8; card::CLEAR_LEN], [u8; RECOVERED_LEN]) {
        let (start, end) = self.validity.to_bcd();
        let (aid_size, aid) = self.aid.to_field();
        let clear = joined(&[
            &[card::TYPE, card::VERSION],
            issuer.as_bytes(),
            &[aid_size],
            &aid,
            &self.serial_number,
            &self.index.to_be_bytes(),
        ]);
        let recovered =
            joined(&[&start, &end, &[0], &self.startup_info, &[0; 18], &self.public_key.to_bytes(), &[0; 124]]);
        (clear, recovered)
    }
}

/// The parts one behind the other. Together they have `N` bytes.
fn joined<const N: usize>(parts: &[&[u8]]) -> [u8; N] {
    let mut whole = [0; N];
    debug_assert_eq!(parts.iter().map(|part| part.len()).sum::<usize>(), N);
    whole.iter_mut().zip(parts.iter().flat_map(|part| part.iter())).for_each(|(to, from)| *to = *from);
    whole
}

#[cfg(test)]
mod tests;
