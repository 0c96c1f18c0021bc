//! Why a card cannot be made.

use std::fmt;

use ogygia::pki::PkiError;
use ogygia::pki::authority::IssueError;

use crate::cipher::KeyId;
use crate::profile::ProfileError;

/// Why a virtual card cannot be made, or not be read back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CardError {
    /// The profile is unusable.
    Profile(ProfileError),
    /// The key set lacks a key of the card.
    MissingKey(KeyId),
    /// The saved card is no JSON, or of another form; with what the parser said.
    Saved(String),
    /// The saved state does not fit the saved profile.
    StateDoesNotFit(&'static str),
    /// The card has no directory of this long identifier that can have a key pair.
    NoAsymmetricMode(u16),
    /// A private key that is none.
    KeyPair,
    /// No certificate is made.
    Issue(IssueError),
    /// A certificate or a key is refused.
    Pki(PkiError),
}

impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Profile(error) => error.fmt(f),
            Self::MissingKey(id) => write!(f, "key KIF {:02X} KVC {:02X} is not in the key set", id.kif, id.kvc),
            Self::Saved(message) => write!(f, "saved card cannot be read: {message}"),
            Self::StateDoesNotFit(what) => write!(f, "saved card does not fit its profile: {what}"),
            Self::NoAsymmetricMode(lid) => write!(f, "directory {lid:04X} can have no key pair"),
            Self::KeyPair => f.write_str("the private key is none"),
            Self::Issue(error) => write!(f, "no certificate is made: {error}"),
            Self::Pki(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for CardError {}

impl From<ProfileError> for CardError {
    fn from(error: ProfileError) -> Self {
        Self::Profile(error)
    }
}
