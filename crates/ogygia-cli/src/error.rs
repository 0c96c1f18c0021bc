//! Why the command stops, and with which exit code.

use std::fmt;

use ogygia::{Error, Loss, Peer};

use crate::ticketing::application::Refused;

/// Why the command stops.
#[derive(Debug)]
pub enum Failure {
    /// The command line asks for something that does not exist, or names a file that cannot be read or is of no use:
    /// exit code 2.
    Usage(String),
    /// It could not be done: exit code 1.
    Failed(String),
    /// Nobody reads the output any more: that is no failure, and exit code 0 where no other is known.
    Unheard,
    /// The card is refused before any session.
    Refused(Refused),
    /// The transaction failed.
    Transaction(Error),
    /// The card was lost during its selection.
    Lost(Loss),
}

impl Failure {
    /// It could not be done, because of `why`.
    pub fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// The command line is wrong, because of `why`.
    pub fn usage(why: impl Into<String>) -> Self {
        Self::Usage(why.into())
    }

    /// The exit code.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Unheard => 0,
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Refused(_) | Self::Transaction(_) | Self::Lost(_) => 1,
        }
    }

    /// Whether the card left.
    #[must_use]
    pub const fn is_card_lost(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Transaction(Error::Lost { peer: Peer::Card, .. }))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage(why) | Self::Failed(why) => f.write_str(why),
            Self::Unheard => f.write_str("nobody reads the output"),
            Self::Refused(refused) => refused.fmt(f),
            Self::Transaction(error) => error.fmt(f),
            Self::Lost(Loss::Peer) => f.write_str("the card was lost during its selection"),
            Self::Lost(Loss::Reader) => f.write_str("the reader of the card was lost during the selection"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Transaction(error)
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<Loss> for Failure {
    fn from(loss: Loss) -> Self {
        Self::Lost(loss)
    }
}
