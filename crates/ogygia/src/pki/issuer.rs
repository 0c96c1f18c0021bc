//! Keys that are trusted to sign certificates.

use alloc::boxed::Box;

use super::{AidRestriction, CaCertificate, KeyReference, PkiError, Rights, RsaPublicKey, Scope, Validity};

/// The public key of a root authority, which nobody certifies: the application trusts it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootKey {
    /// Its name.
    pub reference: KeyReference,
    /// The key.
    pub key: RsaPublicKey,
}

impl RootKey {
    /// A root key as it is configured: reference and modulus. Specification 04, "Objects that the application creates".
    ///
    /// # Errors
    ///
    /// [`PkiError::ReferenceLength`], [`PkiError::ModulusLength`], [`PkiError::Key`].
    pub fn new(reference: &[u8], modulus: &[u8]) -> Result<Self, PkiError> {
        let reference = KeyReference::from_slice(reference)?;
        let modulus = modulus.try_into().map_err(|_| PkiError::ModulusLength(modulus.len()))?;
        Ok(Self { reference, key: RsaPublicKey::new(modulus).map_err(PkiError::Key)? })
    }
}

/// A key that is trusted to sign certificates, within limits. Only a [`TrustStore`](super::TrustStore) has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub(super) reference: KeyReference,
    pub(super) key: RsaPublicKey,
    /// Nothing: a root, without limits.
    pub(super) limits: Option<Limits>,
    /// The certificate of an authority, so that the same one can be told from another.
    pub(super) certificate: Option<Box<CaCertificate>>,
}

/// What the certificate of an authority allows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) validity: Validity,
    pub(super) rights: Rights,
    pub(super) scope: Scope,
    pub(super) restriction: AidRestriction,
}

impl Limits {
    /// Checks that they are no wider than those of the issuer.
    pub(super) fn are_within(&self, issuer: &Issuer) -> Result<(), PkiError> {
        if !self.scope.is_within(issuer.scope()) {
            return Err(PkiError::ScopeOutsideIssuer);
        }
        if !self.validity.is_within(&issuer.validity()) {
            return Err(PkiError::ValidityOutsideIssuer);
        }
        if issuer.restriction().permits(self.restriction.aid()) { Ok(()) } else { Err(PkiError::AidMismatch) }
    }
}

impl Issuer {
    /// The name of the key.
    #[must_use]
    pub const fn reference(&self) -> KeyReference {
        self.reference
    }

    /// The key.
    #[must_use]
    pub const fn key(&self) -> &RsaPublicKey {
        &self.key
    }

    /// Whether it is a root key.
    #[must_use]
    pub const fn is_root(&self) -> bool {
        self.limits.is_none()
    }

    /// When it may be used.
    #[must_use]
    pub fn validity(&self) -> Validity {
        self.limits.map_or(Validity::ALWAYS, |limits| limits.validity)
    }

    /// Where it may be used.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.limits.map_or(Scope::Any, |limits| limits.scope)
    }

    /// Which applications it may certify.
    #[must_use]
    pub fn restriction(&self) -> AidRestriction {
        self.limits.map_or(AidRestriction::None, |limits| limits.restriction)
    }

    /// Whether it may sign certificates of cards.
    #[must_use]
    pub fn may_sign_cards(&self) -> bool {
        self.limits.is_none_or(|limits| limits.rights.cards().is_given())
    }

    /// Whether it may sign certificates of authorities.
    #[must_use]
    pub fn may_sign_authorities(&self) -> bool {
        self.limits.is_none_or(|limits| limits.rights.authorities().is_given())
    }
}
