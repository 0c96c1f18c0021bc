//! What can be wrong with a certificate, a key or a session, one variant per rule.

use core::fmt;

use super::KeyReference;

/// Why a certificate, a key or a session is refused. Specification 04, "Error for every rule".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PkiError {
    /// A key reference has this many bytes, not 29.
    ReferenceLength(usize),
    /// A modulus given by the application has this many bytes, not 256.
    ModulusLength(usize),
    /// A key given by the application cannot be used.
    Key(KeyDefect),

    /// The key that signed the certificate is not registered.
    IssuerNotRegistered(KeyReference),
    /// Another key is registered under this reference, or the same one a second time.
    AlreadyRegistered(KeyReference),

    /// A certificate has this many bytes, not 384 (authority) or 316 (card).
    Length(usize),
    /// The certificate is of another type.
    Type(u8),
    /// The structure of the certificate has another version.
    Version(u8),
    /// The authority may not sign certificates of authorities.
    IssuerMayNotSignCa,
    /// The authority may not sign certificates of cards.
    IssuerMayNotSignCard,
    /// The authority has not begun to be valid.
    IssuerNotYetValid,
    /// The authority is no longer valid.
    IssuerExpired,
    /// The signature is not that of the issuer over this certificate.
    Signature,
    /// The signature holds another number of bytes than the 222 that belong there.
    RecoveredLength,
    /// The length of the AID is neither 5 to 16 nor, for an authority, "none".
    AidSize(u8),
    /// An authority without AID has bytes of one.
    AidPadding,
    /// The key that the certificate is about cannot be used.
    CertifiedKey(KeyDefect),
    /// A right has the reserved value.
    RightsReserved,
    /// A certificate for tests, where none is accepted.
    ScopeTestInProduction,
    /// A certificate for production, where only those for tests are accepted.
    ScopeProductionInTest,
    /// The scope has no meaning.
    ScopeUnknown(u8),
    /// The scope is wider than that of the issuer.
    ScopeOutsideIssuer,
    /// A date is no date.
    Date,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is no longer valid.
    Expired,
    /// The certificate is valid before or after its issuer is.
    ValidityOutsideIssuer,
    /// The AID is not one that the issuer may certify.
    AidMismatch,
    /// The certificate is about a card with another serial number.
    SerialMismatch,
    /// The certificate is about another application than the one selected.
    ApplicationMismatch,
    /// The certificate is about a card with other startup information.
    StartupInfoMismatch,
    /// The authority whose certificate the card holds has not signed the certificate of the card.
    NotTheIssuer,

    /// A card's public key has this many bytes, not 64.
    PublicKeyLength(usize),
    /// A card's public key is no point of the curve.
    PublicKeyPoint,
    /// The card gave no signature of its session.
    SignatureMissing,
    /// One of the two halves of the card's signature is zero.
    SignatureZero,

    /// The signature of the session has this many bytes, not 64.
    SessionSignatureLength(usize),
    /// The signature is not that of the card over this session.
    SessionSignature,
    /// A command or answer of more than 255 bytes cannot be signed: its length would be ambiguous.
    MessageLength(usize),
}

/// Why an RSA key cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyDefect {
    /// The modulus has not exactly 2048 bits.
    Size,
    /// The modulus is even.
    Even,
    /// The public exponent is not 65537.
    Exponent,
}

/// The kinds of [`PkiError`]. Specification 04, "Conventions".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PkiErrorKind {
    /// The application gave something that cannot be right.
    Argument,
    /// The moment is wrong, or something has not been registered.
    State,
    /// A certificate is refused.
    InvalidCertificate,
    /// A computation cannot be done with what there is.
    Crypto,
    /// The card did not sign the session that took place.
    InvalidCardSignature,
}

impl PkiError {
    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> PkiErrorKind {
        match self {
            Self::ReferenceLength(_) | Self::ModulusLength(_) | Self::Key(_) => PkiErrorKind::Argument,
            Self::IssuerNotRegistered(_) | Self::AlreadyRegistered(_) => PkiErrorKind::State,
            Self::Length(_)
            | Self::Type(_)
            | Self::Version(_)
            | Self::IssuerMayNotSignCa
            | Self::IssuerMayNotSignCard
            | Self::IssuerNotYetValid
            | Self::IssuerExpired
            | Self::Signature
            | Self::RecoveredLength
            | Self::AidSize(_)
            | Self::AidPadding
            | Self::CertifiedKey(_)
            | Self::RightsReserved
            | Self::ScopeTestInProduction
            | Self::ScopeProductionInTest
            | Self::ScopeUnknown(_)
            | Self::ScopeOutsideIssuer
            | Self::Date
            | Self::NotYetValid
            | Self::Expired
            | Self::ValidityOutsideIssuer
            | Self::AidMismatch
            | Self::SerialMismatch
            | Self::ApplicationMismatch
            | Self::StartupInfoMismatch
            | Self::NotTheIssuer => PkiErrorKind::InvalidCertificate,
            Self::PublicKeyLength(_) | Self::PublicKeyPoint | Self::SignatureMissing | Self::SignatureZero => {
                PkiErrorKind::Crypto
            }
            Self::SessionSignatureLength(_) | Self::SessionSignature | Self::MessageLength(_) => {
                PkiErrorKind::InvalidCardSignature
            }
        }
    }
}

impl fmt::Display for PkiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ReferenceLength(bytes) => return write!(f, "a key reference of {bytes} bytes, not 29"),
            Self::ModulusLength(bytes) => return write!(f, "a modulus of {bytes} bytes, not 256"),
            Self::Key(defect) => return write!(f, "the key cannot be used: {defect}"),
            Self::IssuerNotRegistered(issuer) => return write!(f, "the issuer {issuer} is not known"),
            Self::AlreadyRegistered(reference) => return write!(f, "a key is known already as {reference}"),
            Self::Length(bytes) => return write!(f, "{bytes} bytes are no certificate of this kind"),
            Self::Type(byte) => return write!(f, "a certificate of another type ({byte:02X})"),
            Self::Version(byte) => return write!(f, "a certificate of another version ({byte:02X})"),
            Self::IssuerMayNotSignCa => "the issuer may not sign certificates of authorities",
            Self::IssuerMayNotSignCard => "the issuer may not sign certificates of cards",
            Self::IssuerNotYetValid => "the issuer is not valid yet",
            Self::IssuerExpired => "the issuer is no longer valid",
            Self::Signature => "the signature of the certificate is wrong",
            Self::RecoveredLength => "the signature of the certificate holds too little",
            Self::AidSize(size) => return write!(f, "an AID cannot be {size} bytes long"),
            Self::AidPadding => "bytes of an AID where none is announced",
            Self::CertifiedKey(defect) => return write!(f, "the certified key cannot be used: {defect}"),
            Self::RightsReserved => "a right with the reserved value",
            Self::ScopeTestInProduction => "a certificate for tests only",
            Self::ScopeProductionInTest => "a certificate for production, not for tests",
            Self::ScopeUnknown(byte) => return write!(f, "an unknown scope ({byte:02X})"),
            Self::ScopeOutsideIssuer => "a scope that is not its issuer's",
            Self::Date => "a date that does not exist",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::Expired => "the certificate is no longer valid",
            Self::ValidityOutsideIssuer => "the certificate is valid when its issuer is not",
            Self::AidMismatch => "the issuer may not certify this AID",
            Self::SerialMismatch => "the certificate is that of another card",
            Self::ApplicationMismatch => "the certificate is that of another application",
            Self::StartupInfoMismatch => "the certificate is that of a card with other startup information",
            Self::NotTheIssuer => "the authority named by the card has not signed the card's certificate",
            Self::PublicKeyLength(bytes) => return write!(f, "a public key of {bytes} bytes, not 64"),
            Self::PublicKeyPoint => "the card's public key is no point of the curve",
            Self::SignatureMissing => "the card did not sign its session",
            Self::SignatureZero => "one half of the card's signature is zero",
            Self::SessionSignatureLength(bytes) => return write!(f, "a signature of {bytes} bytes, not 64"),
            Self::SessionSignature => "the card's signature of the session is wrong",
            Self::MessageLength(bytes) => return write!(f, "a message of {bytes} bytes cannot be signed"),
        })
    }
}

impl core::error::Error for PkiError {}

impl fmt::Display for KeyDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "its modulus has not 2048 bits",
            Self::Even => "its modulus is even",
            Self::Exponent => "its exponent is not 65537",
        })
    }
}
