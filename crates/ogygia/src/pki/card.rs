//! Certificates of cards. Specification 04, "Card certificate (316 bytes)".

use core::fmt;

use super::field::bytes_at;
use super::recovery::{RECOVERED_LEN, recover};
use super::rsa::MODULUS_LEN;
use super::{Aid, Issuer, KeyReference, PkiError, RsaPublicKey, Validity};
use crate::card::{Card, PUBLIC_KEY_LEN, StartupInfo};

/// The certificate of a card, not verified: see
/// [`TrustStore::verify_card_certificate`](super::TrustStore::verify_card_certificate).
///
/// What it says is not to be believed before.
#[derive(Clone, PartialEq, Eq)]
pub struct CardCertificate {
    bytes: [u8; Self::LEN],
    aid: Aid,
}

/// Bytes in front of the signature.
pub(super) const CLEAR_LEN: usize = 60;

/// The first two bytes: type and version.
pub(super) const TYPE: u8 = 0x91;
pub(super) const VERSION: u8 = 0x01;

/// Where the fields begin.
mod at {
    pub(super) const ISSUER: usize = 2;
    pub(super) const AID: usize = 32;
    pub(super) const SERIAL_NUMBER: usize = 48;
    pub(super) const INDEX: usize = 56;

    /// In what the signature carries.
    pub(super) mod recovered {
        pub(in super::super) const START: usize = 0;
        pub(in super::super) const END: usize = 4;
        pub(in super::super) const RIGHTS: usize = 8;
        pub(in super::super) const STARTUP_INFO: usize = 9;
        pub(in super::super) const PUBLIC_KEY: usize = 34;
    }
}

/// What the signature of a card certificate carries.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CardContent {
    /// When the certificate is valid.
    pub validity: Validity,
    /// Rights of the card; no value has a meaning yet.
    pub rights: u8,
    /// Startup information of the card when the certificate was made.
    pub startup_info: [u8; StartupInfo::LEN],
    /// Public key: the two coordinates of a point. Whether it is on the curve is seen when a session begins.
    pub public_key: [u8; PUBLIC_KEY_LEN],
}

/// Whom a certificate must be about: the card that was selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder<'a> {
    /// Its serial number, as [`Card::serial_number`] gives it.
    pub serial_number: [u8; 8],
    /// The name of the application that was selected; nothing when it shall not be compared.
    pub application: Option<&'a [u8]>,
    /// Its startup information; nothing when it shall not be compared.
    pub startup_info: Option<[u8; StartupInfo::LEN]>,
}

impl<'a> Holder<'a> {
    /// The card of an image. The startup information is not compared: it may have changed since the certificate was
    /// made, and the key does not depend on it. Specification 04, "What is not verified".
    #[must_use]
    pub fn of(card: &'a Card) -> Self {
        Self { serial_number: card.serial_number(), application: Some(card.df_name()), startup_info: None }
    }
}

impl CardCertificate {
    /// How many bytes a certificate has.
    pub const LEN: usize = 316;

    /// Reads a certificate. Specification 04, "Parsing a card certificate read from a card".
    ///
    /// # Errors
    ///
    /// [`PkiError::Length`], [`PkiError::Type`], [`PkiError::Version`], [`PkiError::AidSize`].
    pub fn parse(bytes: &[u8]) -> Result<Self, PkiError> {
        let bytes: [u8; Self::LEN] = bytes.try_into().map_err(|_| PkiError::Length(bytes.len()))?;
        match bytes {
            [TYPE, VERSION, ..] => {}
            [TYPE, version, ..] => return Err(PkiError::Version(version)),
            [other, ..] => return Err(PkiError::Type(other)),
        }
        let [size] = bytes_at(&bytes, at::AID - 1);
        let aid = Aid::from_field(size, &bytes_at(&bytes, at::AID))?;
        Ok(Self { bytes, aid })
    }

    /// The bytes, as a card stores them.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.bytes
    }

    /// The key that is said to have signed it.
    #[must_use]
    pub fn issuer(&self) -> KeyReference {
        KeyReference::new(bytes_at(&self.bytes, at::ISSUER))
    }

    /// The application that holds the key.
    #[must_use]
    pub const fn aid(&self) -> &Aid {
        &self.aid
    }

    /// The serial number of the card.
    #[must_use]
    pub fn serial_number(&self) -> [u8; 8] {
        bytes_at(&self.bytes, at::SERIAL_NUMBER)
    }

    /// A number that the issuer may use as it likes.
    #[must_use]
    pub fn index(&self) -> u32 {
        u32::from_be_bytes(bytes_at(&self.bytes, at::INDEX))
    }

    fn signature(&self) -> [u8; MODULUS_LEN] {
        bytes_at(&self.bytes, CLEAR_LEN)
    }

    /// What the signature carries, if `issuer` has made it. Nothing but the signature and the form of the dates is
    /// looked at.
    ///
    /// # Errors
    ///
    /// [`PkiError::Signature`], [`PkiError::RecoveredLength`], [`PkiError::Date`].
    pub fn recover(&self, issuer: &RsaPublicKey) -> Result<CardContent, PkiError> {
        let clear: [u8; CLEAR_LEN] = bytes_at(&self.bytes, 0);
        CardContent::parse(&recover(issuer, &clear, &self.signature())?)
    }

    /// Checks that it is about this card.
    pub(crate) fn is_about(&self, holder: &Holder<'_>) -> Result<(), PkiError> {
        if self.serial_number() != holder.serial_number {
            return Err(PkiError::SerialMismatch);
        }
        match holder.application {
            Some(application) if application != self.aid.as_bytes() => Err(PkiError::ApplicationMismatch),
            _ => Ok(()),
        }
    }

    /// What `issuer` certifies, which is still to be judged.
    pub(super) fn verified_by(&self, issuer: &Issuer) -> Result<CardContent, PkiError> {
        if !issuer.may_sign_cards() {
            return Err(PkiError::IssuerMayNotSignCard);
        }
        self.recover(issuer.key())
    }

    /// Checks that it says no more than `issuer` may say.
    pub(super) fn is_within(&self, content: &CardContent, issuer: &Issuer) -> Result<(), PkiError> {
        if !content.validity.is_within(&issuer.validity()) {
            return Err(PkiError::ValidityOutsideIssuer);
        }
        if issuer.restriction().permits(Some(&self.aid)) { Ok(()) } else { Err(PkiError::AidMismatch) }
    }
}

impl CardContent {
    fn parse(recovered: &[u8; RECOVERED_LEN]) -> Result<Self, PkiError> {
        let start = bytes_at(recovered, at::recovered::START);
        let end = bytes_at(recovered, at::recovered::END);
        let [rights] = bytes_at(recovered, at::recovered::RIGHTS);
        Ok(Self {
            validity: Validity::from_bcd(start, end)?,
            rights,
            startup_info: bytes_at(recovered, at::recovered::STARTUP_INFO),
            public_key: bytes_at(recovered, at::recovered::PUBLIC_KEY),
        })
    }
}

impl fmt::Debug for CardContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardContent").field("validity", &self.validity).finish_non_exhaustive()
    }
}

impl fmt::Debug for CardCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardCertificate")
            .field("issuer", &self.issuer())
            .field("aid", &self.aid)
            .field("serial_number", &self.serial_number())
            .finish_non_exhaustive()
    }
}
