//! Why a certificate is not made.

use core::fmt;

use super::super::PkiErrorKind;

/// Why a certificate is not made. Specification 04, "Starting a generation" and the sections behind it, with the
/// "Recommended additional rules".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IssueError {
    /// The issuer is not trusted by the store.
    IssuerNotInStore,
    /// The private key is not that of the issuer.
    NotTheKeyOfTheIssuer,
    /// The issuer may not sign certificates of authorities.
    IssuerMayNotSignCa,
    /// The issuer may not sign certificates of cards.
    IssuerMayNotSignCard,
    /// The issuer has not begun to be valid.
    IssuerNotYetValid,
    /// The issuer is no longer valid.
    IssuerExpired,
    /// The reference of the key to certify is not made as it should be.
    Reference,
    /// The store has a key of this reference.
    TargetAlreadyInStore,
    /// A right has the reserved value, or a reserved bit is set.
    Rights,
    /// The scope has no meaning.
    Scope,
    /// The scope is not that of the issuer.
    ScopeOutsideIssuer,
    /// It would end before it begins.
    EndBeforeStart,
    /// It would be valid when its issuer is not.
    ValidityOutsideIssuer,
    /// The AID of the application is all zeros.
    AidZero,
    /// The issuer may not certify this AID.
    AidOutsideIssuer,
    /// A private key that does not belong to its public key, or cannot be used.
    KeyPair,
    /// The signature was computed wrongly.
    Signing,
}

impl IssueError {
    /// What kind of error it is.
    #[must_use]
    pub const fn kind(&self) -> PkiErrorKind {
        match self {
            Self::IssuerNotInStore
            | Self::IssuerMayNotSignCa
            | Self::IssuerMayNotSignCard
            | Self::IssuerNotYetValid
            | Self::IssuerExpired => PkiErrorKind::State,
            Self::NotTheKeyOfTheIssuer
            | Self::Reference
            | Self::TargetAlreadyInStore
            | Self::Rights
            | Self::Scope
            | Self::ScopeOutsideIssuer
            | Self::EndBeforeStart
            | Self::ValidityOutsideIssuer
            | Self::AidZero
            | Self::AidOutsideIssuer
            | Self::KeyPair => PkiErrorKind::Argument,
            Self::Signing => PkiErrorKind::Crypto,
        }
    }
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IssuerNotInStore => "the issuer is not known",
            Self::NotTheKeyOfTheIssuer => "the private key is not that of the issuer",
            Self::IssuerMayNotSignCa => "the issuer may not sign certificates of authorities",
            Self::IssuerMayNotSignCard => "the issuer may not sign certificates of cards",
            Self::IssuerNotYetValid => "the issuer is not valid yet",
            Self::IssuerExpired => "the issuer is no longer valid",
            Self::Reference => "the reference of the key to certify is malformed",
            Self::TargetAlreadyInStore => "a key is known already by this reference",
            Self::Rights => "such rights cannot be given",
            Self::Scope => "there is no such scope",
            Self::ScopeOutsideIssuer => "the scope must be that of the issuer",
            Self::EndBeforeStart => "it would end before it begins",
            Self::ValidityOutsideIssuer => "it would be valid when its issuer is not",
            Self::AidZero => "the AID is all zeros",
            Self::AidOutsideIssuer => "the issuer may not certify this AID",
            Self::KeyPair => "the private key cannot be used",
            Self::Signing => "the signature was computed wrongly",
        })
    }
}

impl core::error::Error for IssueError {}
