//! What goes wrong, and whether a card or a reader is lost with it.

use std::fmt;

use ogygia::Loss;

/// What the service says itself, for whoever wants to know it all.
pub use ::pcsc::Error as Code;

/// Why a reader cannot be used. Holds nothing of what was sent or answered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PcscError {
    /// The service does not run, or has stopped.
    NoService,
    /// No reader has this in its name.
    UnknownReader {
        /// What was looked for.
        wanted: String,
        /// The readers that there are.
        readers: Vec<String>,
    },
    /// More than one reader has this in its name.
    AmbiguousReader {
        /// What was looked for.
        wanted: String,
        /// The readers that have it.
        readers: Vec<String>,
    },
    /// There is nothing in the reader.
    NoCard {
        /// The reader.
        reader: String,
    },
    /// What is in the reader does not answer when it is powered.
    Mute {
        /// The reader.
        reader: String,
    },
    /// Another program has the reader for itself, or this one wants it so and another program uses it.
    Busy {
        /// The reader.
        reader: String,
    },
    /// Anything else that happened at a reader.
    Failed {
        /// The reader.
        reader: String,
        /// What the service says.
        code: Code,
    },
    /// Anything else that has nothing to do with one reader.
    Service(Code),
}

impl PcscError {
    /// What `code` means, when no reader is concerned.
    pub(super) const fn of_service(code: Code) -> Self {
        if is_without_service(code) { Self::NoService } else { Self::Service(code) }
    }

    /// What `code` means at this reader.
    pub(super) fn at(reader: &str, code: Code) -> Self {
        let reader = reader.to_owned();
        match code {
            code if is_without_service(code) => Self::NoService,
            Code::NoSmartcard | Code::RemovedCard => Self::NoCard { reader },
            Code::UnresponsiveCard | Code::UnpoweredCard => Self::Mute { reader },
            Code::SharingViolation => Self::Busy { reader },
            code => Self::Failed { reader, code },
        }
    }

    /// Whether the card is lost with it, or the reader.
    #[must_use]
    pub const fn loss(&self) -> Loss {
        match self {
            Self::NoCard { .. } | Self::Mute { .. } => Loss::Peer,
            Self::Failed { code, .. } => loss(*code),
            Self::NoService
            | Self::UnknownReader { .. }
            | Self::AmbiguousReader { .. }
            | Self::Busy { .. }
            | Self::Service(_) => Loss::Reader,
        }
    }
}

/// Whether there is nobody to ask, so that a new connection to the service is needed. The library of Linux reports
/// a service that died while it was asked as an internal communications error, or as a handle that is none.
pub(super) const fn is_without_service(code: Code) -> bool {
    matches!(code, Code::NoService | Code::ServiceStopped | Code::CommError | Code::InvalidHandle | Code::Shutdown)
}

/// What is lost: specification 05, "Communication", mapping of codes. All that speak of a card are the card's, and so are
/// a transmission that was not finished and data lost between reader and card.
pub(super) const fn loss(code: Code) -> Loss {
    match code {
        Code::NoSmartcard
        | Code::UnknownCard
        | Code::CardUnsupported
        | Code::UnsupportedCard
        | Code::UnresponsiveCard
        | Code::UnpoweredCard
        | Code::ResetCard
        | Code::RemovedCard
        | Code::CardNotAuthenticated
        | Code::InvalidAtr
        | Code::NotTransacted
        | Code::CommDataLost => Loss::Peer,
        _ => Loss::Reader,
    }
}

impl fmt::Display for PcscError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoService => f.write_str("the PC/SC service does not run"),
            Self::UnknownReader { wanted, readers } if readers.is_empty() => {
                write!(f, "no reader {wanted:?}: there is none at all")
            }
            Self::UnknownReader { wanted, readers } => {
                write!(f, "no reader {wanted:?}; there are: {}", readers.join(", "))
            }
            Self::AmbiguousReader { wanted, readers } => {
                write!(f, "{wanted:?} may be any of these readers: {}", readers.join(", "))
            }
            Self::NoCard { reader } => write!(f, "there is no card in the reader {reader:?}"),
            Self::Mute { reader } => write!(f, "what is in the reader {reader:?} does not answer"),
            Self::Busy { reader } => write!(f, "the reader {reader:?} is used by another program"),
            Self::Failed { reader, code } => write!(f, "the reader {reader:?} failed: {}", text(*code)),
            Self::Service(code) => write!(f, "the PC/SC service failed: {}", text(*code)),
        }
    }
}

impl std::error::Error for PcscError {}

/// As it stands in the middle of a line.
fn text(code: Code) -> String {
    let text = code.to_string();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cards_and_readers_are_lost_by_different_codes() {
        for code in [
            Code::NoSmartcard,
            Code::RemovedCard,
            Code::ResetCard,
            Code::UnpoweredCard,
            Code::UnresponsiveCard,
            Code::UnsupportedCard,
            Code::InvalidAtr,
            Code::NotTransacted,
            Code::CommDataLost,
        ] {
            assert_eq!((PcscError::at("r", code).loss(), loss(code)), (Loss::Peer, Loss::Peer), "{code:?}");
        }
        for code in [
            Code::UnknownReader,
            Code::ReaderUnavailable,
            Code::NoService,
            Code::ServiceStopped,
            Code::CommError,
            Code::InvalidHandle,
            Code::SharingViolation,
            Code::ProtoMismatch,
            Code::Timeout,
            Code::InternalError,
        ] {
            assert_eq!((PcscError::at("r", code).loss(), loss(code)), (Loss::Reader, Loss::Reader), "{code:?}");
            assert_eq!(PcscError::of_service(code).loss(), Loss::Reader, "{code:?}");
        }
    }

    #[test]
    fn errors_say_what_to_do() {
        let readers = vec!["A 00 00".to_owned(), "A 00 01".to_owned()];
        let told = |error: PcscError| error.to_string();
        assert_eq!(
            told(PcscError::UnknownReader { wanted: "B".into(), readers: readers.clone() }),
            "no reader \"B\"; there are: A 00 00, A 00 01"
        );
        assert_eq!(
            told(PcscError::UnknownReader { wanted: "B".into(), readers: Vec::new() }),
            "no reader \"B\": there is none at all"
        );
        assert_eq!(
            told(PcscError::AmbiguousReader { wanted: "A".into(), readers }),
            "\"A\" may be any of these readers: A 00 00, A 00 01"
        );
        assert_eq!(told(PcscError::at("A", Code::NoService)), "the PC/SC service does not run");
        assert_eq!(told(PcscError::at("A", Code::NoSmartcard)), "there is no card in the reader \"A\"");
        assert_eq!(told(PcscError::at("A", Code::SharingViolation)), "the reader \"A\" is used by another program");
        assert_eq!(
            told(PcscError::at("A", Code::Timeout)),
            "the reader \"A\" failed: the user-specified timeout value has expired"
        );
    }
}
