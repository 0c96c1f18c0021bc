//! Certificates of authorities. Specification 04, "CA certificate (384 bytes)".

use core::fmt;

use super::field::bytes_at;
use super::issuer::Limits;
use super::recovery::{RECOVERED_LEN, recover};
use super::rsa::MODULUS_LEN;
use super::{AidRestriction, Issuer, KeyDefect, KeyReference, PkiError, Rights, RsaPublicKey, Scope, Validity};

/// The certificate of an authority, not verified: see [`TrustStore::add_ca`](super::TrustStore::add_ca).
///
/// What it says is not to be believed before.
#[derive(Clone, PartialEq, Eq)]
pub struct CaCertificate([u8; Self::LEN]);

/// Bytes in front of the signature.
pub(super) const CLEAR_LEN: usize = 128;
/// Bytes of the modulus in front of the signature; the others are in it.
pub(super) const MODULUS_HEADER_LEN: usize = MODULUS_LEN - RECOVERED_LEN;

/// The first two bytes: type and version.
pub(super) const TYPE: u8 = 0x90;
pub(super) const VERSION: u8 = 0x01;

/// Where the fields begin.
mod at {
    pub(super) const ISSUER: usize = 2;
    pub(super) const SUBJECT: usize = 31;
    pub(super) const START: usize = 60;
    pub(super) const RIGHTS: usize = 68;
    pub(super) const SCOPE: usize = 69;
    pub(super) const END: usize = 70;
    pub(super) const AID: usize = 75;
    pub(super) const MODULUS_HEADER: usize = 94;
}

impl CaCertificate {
    /// How many bytes a certificate has.
    pub const LEN: usize = 384;

    /// Reads a certificate. Specification 04, "Parsing a CA certificate read from a card".
    ///
    /// # Errors
    ///
    /// [`PkiError::Length`], [`PkiError::Type`], [`PkiError::Version`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PkiError> {
        let bytes: [u8; Self::LEN] = bytes.try_into().map_err(|_| PkiError::Length(bytes.len()))?;
        match bytes {
            [TYPE, VERSION, ..] => Ok(Self(bytes)),
            [TYPE, version, ..] => Err(PkiError::Version(version)),
            [other, ..] => Err(PkiError::Type(other)),
        }
    }

    /// The bytes, as a card stores them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The key that is said to have signed it.
    #[must_use]
    pub fn issuer(&self) -> KeyReference {
        KeyReference::new(bytes_at(&self.0, at::ISSUER))
    }

    /// The name of the key that it certifies.
    #[must_use]
    pub fn subject(&self) -> KeyReference {
        KeyReference::new(bytes_at(&self.0, at::SUBJECT))
    }

    /// When it is valid.
    ///
    /// # Errors
    ///
    /// [`PkiError::Date`].
    pub fn validity(&self) -> Result<Validity, PkiError> {
        Validity::from_bcd(bytes_at(&self.0, at::START), bytes_at(&self.0, at::END))
    }

    /// What the authority may sign.
    #[must_use]
    pub fn rights(&self) -> Rights {
        let [rights] = bytes_at(&self.0, at::RIGHTS);
        Rights(rights)
    }

    /// Where it is valid.
    #[must_use]
    pub fn scope(&self) -> Scope {
        let [scope] = bytes_at(&self.0, at::SCOPE);
        Scope::from_byte(scope)
    }

    /// Which applications the authority may certify.
    ///
    /// # Errors
    ///
    /// [`PkiError::AidSize`], [`PkiError::AidPadding`].
    pub fn restriction(&self) -> Result<AidRestriction, PkiError> {
        let [size] = bytes_at(&self.0, at::AID - 1);
        let value = bytes_at::<16>(&self.0, at::AID);
        let [mode] = bytes_at(&self.0, at::AID + value.len());
        AidRestriction::from_field(size, &value, mode)
    }

    fn signature(&self) -> [u8; MODULUS_LEN] {
        bytes_at(&self.0, CLEAR_LEN)
    }

    /// The modulus that is certified, if `issuer` has signed. Nothing but the signature is looked at.
    ///
    /// # Errors
    ///
    /// [`PkiError::Signature`], [`PkiError::RecoveredLength`].
    pub fn recover(&self, issuer: &RsaPublicKey) -> Result<[u8; MODULUS_LEN], PkiError> {
        let clear: [u8; CLEAR_LEN] = bytes_at(&self.0, 0);
        let tail = recover(issuer, &clear, &self.signature())?;
        let head: [u8; MODULUS_HEADER_LEN] = bytes_at(&self.0, at::MODULUS_HEADER);
        let mut modulus = [0; MODULUS_LEN];
        modulus.iter_mut().zip(head.iter().chain(&tail)).for_each(|(to, from)| *to = *from);
        Ok(modulus)
    }

    /// The key that `issuer` certifies, and its limits, which are still to be judged.
    pub(super) fn verified_by(&self, issuer: &Issuer) -> Result<(RsaPublicKey, Limits), PkiError> {
        if !issuer.may_sign_authorities() {
            return Err(PkiError::IssuerMayNotSignCa);
        }
        let modulus = self.recover(issuer.key())?;
        let restriction = self.restriction()?;
        let key = RsaPublicKey::new(&modulus).map_err(|defect: KeyDefect| PkiError::CertifiedKey(defect))?;
        let limits = Limits { validity: self.validity()?, rights: self.rights(), scope: self.scope(), restriction };
        Ok((key, limits))
    }
}

impl fmt::Debug for CaCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaCertificate")
            .field("issuer", &self.issuer())
            .field("subject", &self.subject())
            .finish_non_exhaustive()
    }
}
