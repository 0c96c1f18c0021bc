//! What can go wrong, one kind per cause.

use core::fmt;

use crate::apdu::StatusWord;
use crate::apdu::tlv::TlvError;
use crate::card::{Kif, Kvc};
use crate::command::CommandName;
use crate::request::{Loss, Peer};
use crate::sam::SystemKey;

/// Why an operation failed. Specification 02, "Error kinds".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The caller is wrong: an argument, or the moment. Fixable by reading the calling code.
    Misuse(Misuse),
    /// This product, or this mode, does not offer the operation.
    Unsupported(CommandName),
    /// A peer refused a command.
    Status {
        /// Who answered.
        peer: Peer,
        /// Place of the command in its request, from 0.
        index: usize,
        /// What was refused.
        command: CommandName,
        /// The answer.
        status: StatusWord,
    },
    /// A peer answered something that its protocol does not allow.
    PeerMisbehaved {
        /// Who answered.
        peer: Peer,
        /// Place of the command in its request, from 0.
        index: usize,
        /// What was answered.
        command: CommandName,
        /// What is wrong with it.
        how: Misbehaviour,
    },
    /// The number of answers is not the number of commands.
    ResponseCount {
        /// Who answered.
        peer: Peer,
        /// How many commands were sent.
        commands: usize,
        /// How many answers came.
        responses: usize,
    },
    /// Something is not authentic, or not authorised.
    Untrusted(Untrusted),
    /// A certificate, or the signature of a session, is refused.
    #[cfg(feature = "pki")]
    Pki(crate::pki::PkiError),
    /// A peer vanished.
    Lost {
        /// Who.
        peer: Peer,
        /// What broke.
        loss: Loss,
        /// What became of what was being written.
        fate: Fate,
    },
}

impl Error {
    /// What a card has answered to its selection cannot be read.
    pub(crate) fn refused_selection(malformed: Malformed) -> Self {
        let (command, how) = (CommandName::SelectApplication, malformed.into());
        Self::PeerMisbehaved { peer: Peer::Card, index: 0, command, how }
    }
}

/// How the caller is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// An argument is out of its range.
    Argument(Argument),
    /// The operation is not possible inside a session.
    SessionOpen,
    /// The operation needs a session.
    NoSession,
    /// The value of the counter is not known: read it first.
    CounterUnknown,
    /// The modifications do not fit in one session, and multiple sessions are not enabled.
    SessionBufferOverflow,
    /// The application is already in the state that the operation would bring it to.
    Invalidation,
    /// Encryption is already active, or not active.
    Encryption,
    /// A Stored Value operation without its SV Get, or a second one in a session.
    StoredValueSequence,
    /// The balance would become negative, and that is not enabled.
    NegativeBalance,
    /// No key is configured for ciphering a PIN outside a session.
    PinKey,
    /// A request is under way.
    Busy,
    /// Certificates of this kind are not taken from cards.
    CertificateKind,
    /// The application gave up.
    Abandoned,
    /// Answers were handed over that nobody had asked for.
    NotAsked,
    /// Writing into a SAM needs a control SAM.
    NoControlSam,
    /// The version of this key of the SAM is not known: the SAM does not have the key.
    SystemKeyUnknown(SystemKey),
    /// What is not changed of a record of ceilings must be written too, and is not known: read it first.
    CeilingUnknown {
        /// The first event counter that is not known.
        counter: u8,
    },
    /// The value of this event counter must be known: read it first.
    EventCounterUnknown {
        /// Its number.
        counter: u8,
    },
    /// An event counter has not enough values left.
    EventCounterExhausted,
    /// A reload was made for another SAM.
    OtherSam,
    /// A reload was made for another value of the event counter of the SAM: it was executed already, or comes too early.
    ReloadStale,
    /// The SAM has served somebody else while a session was open.
    SamTaken,
    /// A SAM has one way to be unlocked.
    UnlockConfigured,
    /// The SAM is locked, and nobody gave what unlocks it.
    UnlockMissing,
}

/// The argument that is out of its range: specification 01, "Argument ranges to check before building a command".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Argument {
    /// Short file identifier: 0 to 30.
    Sfi,
    /// Record number: 1 to 250, the last not before the first.
    RecordNumber,
    /// Record size: 1 to the payload capacity.
    RecordSize,
    /// Offset: 0 to 249 in a record, 0 to 32767 in a binary file.
    Offset,
    /// Length, or offset and length together.
    Length,
    /// Data: at least one byte, at most the payload capacity.
    Data,
    /// Search mask: 1 byte to the length of the search data.
    Mask,
    /// Counter number.
    CounterNumber,
    /// Counter value, increment or decrement: 0 to 16 777 215.
    CounterValue,
    /// Number of counters in one operation.
    CounterCount,
    /// Key index: 1 to 3.
    KeyIndex,
    /// Amount of a Stored Value operation.
    Amount,
    /// Name of an application: at most 16 bytes.
    Name,
    /// Size of a signature: 1 to 8.
    SignatureSize,
    /// Diversifier: 1 to 8 bytes.
    Diversifier,
    /// A key identifier or version of 0 in the settings.
    Key,
    /// A card of unknown product.
    Product,
    /// A SAM of unknown product.
    Sam,
    /// Ceiling of an event counter: 0 to 16 777 210.
    Ceiling,
    /// Record of a work key: 1 to 126.
    KeyRecord,
    /// Name of an application in a certificate: 5 to 16 bytes, not all zeros.
    Aid,
    /// What unlocks a SAM: 8 or 16 bytes.
    UnlockValue,
    /// Power-on data: not empty.
    PowerOnData,
}

/// What is wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// Fewer than the two bytes of a status word.
    NoStatus,
    /// The data field has another length than the command demands.
    UnexpectedLength {
        /// What was demanded.
        expected: usize,
        /// What came.
        received: usize,
    },
    /// The data field cannot be read.
    Malformed(Malformed),
    /// The answer is not the one that was predicted, and digested.
    NotAsPredicted,
}

/// Why a data field, or power-on data, cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Malformed {
    /// Nothing at all.
    Empty,
    /// Not a TLV structure.
    Tlv(TlvError),
    /// A tag that must be there is not, or its value has a wrong length.
    Tag(u32),
    /// Application type `00`.
    ApplicationType,
    /// Application subtype `00` or `FF`.
    ApplicationSubtype,
    /// Session modification byte out of the range of the product.
    SessionModification,
    /// Power-on data of another length than that of a revision 1 card.
    PowerOnData,
    /// A header of another length.
    Header,
    /// A file type that does not exist.
    FileType,
    /// A record list that does not add up.
    Records,
    /// An opening whose lengths do not add up, or without the record that was asked for.
    Opening,
    /// A closing that cannot be cut into postponed data and a MAC.
    Closing,
    /// A Stored Value answer that cannot be read.
    StoredValue,
    /// A data object with a wrong header or length.
    DataObject,
    /// The parameters of a key name an event counter that no SAM has.
    KeyParameters,
}

/// What is not authentic, or not authorised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Untrusted {
    /// The key of the session is unknown, or not in the authorised list.
    SessionKey {
        /// Its identifier, as far as it is known.
        kif: Option<Kif>,
        /// Its version, as far as it is known.
        kvc: Option<Kvc>,
    },
    /// The key of the purse is not in the authorised list.
    StoredValueKey {
        /// Its version.
        kvc: Kvc,
    },
    /// The card's session MAC is wrong: nothing of the session is proved.
    SessionMac,
    /// A signature of data is wrong.
    Signature,
    /// The SAM that signed is revoked.
    SamRevoked,
    /// The card's Stored Value MAC is wrong: only the answer of that operation is doubtful.
    StoredValueMac,
}

/// What became of what a transaction was writing, in this processing, when a peer vanished: specification 02, "What
/// depends on what".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Nothing was being written.
    Untouched,
    /// The session is void: the card keeps its old content.
    NotCommitted,
    /// The card may or may not have executed the last writing, or the closing. The next opening tells: specification
    /// 02, point G80.
    Unknown,
    /// The card has committed the session, or executed what was written outside one, but its authenticity could not be
    /// verified.
    Unverified,
    /// The card has committed the session, or the Stored Value operation, and is authentic.
    Committed,
}

macro_rules! from {
    ($($part:ident),*) => {$(
        impl From<$part> for Error {
            fn from(part: $part) -> Self {
                Self::$part(part)
            }
        }
    )*};
}
from!(Misuse, Untrusted);

impl From<Argument> for Error {
    fn from(argument: Argument) -> Self {
        Self::Misuse(Misuse::Argument(argument))
    }
}

impl From<Malformed> for Misbehaviour {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl From<TlvError> for Malformed {
    fn from(error: TlvError) -> Self {
        Self::Tlv(error)
    }
}

/// An index, as people count.
struct Place(usize);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "command {}", self.0.saturating_add(1))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misuse(misuse) => write!(f, "wrong use: {misuse}"),
            Self::Unsupported(command) => write!(f, "{command} is not offered by this card or mode"),
            Self::Status { peer, index, command, status } => {
                write!(f, "the {peer} refused {command} ({} of its request) with {status}", Place(*index))?;
                match command.refusal(*status) {
                    Some(refusal) => write!(f, ": {refusal}"),
                    None => Ok(()),
                }
            }
            Self::PeerMisbehaved { peer, index, command, how } => {
                write!(f, "the {peer} answered {command} ({} of its request) with {how}", Place(*index))
            }
            Self::ResponseCount { peer, commands, responses } => {
                write!(f, "the {peer} gave {responses} answers to {commands} commands")
            }
            Self::Untrusted(what) => write!(f, "{what}"),
            #[cfg(feature = "pki")]
            Self::Pki(error) => write!(f, "{error}"),
            Self::Lost { peer, loss: Loss::Peer, fate } => write!(f, "the {peer} was lost: {fate}"),
            Self::Lost { peer, loss: Loss::Reader, fate } => write!(f, "the reader of the {peer} was lost: {fate}"),
        }
    }
}

impl core::error::Error for Error {}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Card => "card",
            Self::Sam => "SAM",
            Self::ControlSam => "control SAM",
        })
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Argument(argument) => return write!(f, "{argument} out of range"),
            Self::SessionOpen => "not possible inside a session",
            Self::NoSession => "not possible without a session",
            Self::CounterUnknown => "the counter must be read first",
            Self::SessionBufferOverflow => "the modifications do not fit in one session",
            Self::Invalidation => "the application is already so",
            Self::Encryption => "encryption is already so",
            Self::StoredValueSequence => "SV Get and Stored Value operation do not go together",
            Self::NegativeBalance => "the balance would become negative",
            Self::PinKey => "no key is configured to cipher the PIN with",
            Self::Busy => "a request is under way",
            Self::CertificateKind => "certificates of this kind are not taken from cards",
            Self::Abandoned => "the application gave up",
            Self::NotAsked => "nothing had been asked of this peer",
            Self::NoControlSam => "writing into a SAM needs a control SAM",
            Self::SystemKeyUnknown(key) => return write!(f, "the version of the {key} is not known"),
            Self::CeilingUnknown { counter } => {
                return write!(f, "ceiling and access of event counter {counter} must be read first");
            }
            Self::EventCounterUnknown { counter } => return write!(f, "event counter {counter} must be read first"),
            Self::EventCounterExhausted => "the event counter has not enough values left",
            Self::OtherSam => "made for another SAM",
            Self::ReloadStale => "made for another value of the event counter of the SAM",
            Self::SamTaken => "the SAM has served somebody else meanwhile",
            Self::UnlockConfigured => "how the SAM is unlocked was said already",
            Self::UnlockMissing => "nobody gave what unlocks the SAM",
        })
    }
}

impl fmt::Display for Argument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sfi => "short file identifier",
            Self::RecordNumber => "record number",
            Self::RecordSize => "record size",
            Self::Offset => "offset",
            Self::Length => "length",
            Self::Data => "data",
            Self::Mask => "mask",
            Self::CounterNumber => "counter number",
            Self::CounterValue => "counter value",
            Self::CounterCount => "number of counters",
            Self::KeyIndex => "key index",
            Self::Amount => "amount",
            Self::Name => "application name",
            Self::SignatureSize => "signature size",
            Self::Diversifier => "diversifier",
            Self::Key => "key identifier or version",
            Self::Product => "card product",
            Self::Sam => "SAM product",
            Self::Ceiling => "ceiling",
            Self::KeyRecord => "key record",
            Self::Aid => "application name",
            Self::UnlockValue => "unlock value",
            Self::PowerOnData => "power-on data",
        })
    }
}

impl fmt::Display for Misbehaviour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoStatus => f.write_str("no status word"),
            Self::UnexpectedLength { expected, received } => {
                write!(f, "{received} bytes where {expected} were asked for")
            }
            Self::Malformed(malformed) => write!(f, "bytes that cannot be read ({malformed})"),
            Self::NotAsPredicted => f.write_str("something else than was certain"),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Tlv(error) => return write!(f, "TLV: {error:?}"),
            Self::Tag(tag) => return write!(f, "tag {tag:X} missing or of wrong length"),
            Self::ApplicationType => "application type",
            Self::ApplicationSubtype => "application subtype",
            Self::SessionModification => "session modification byte",
            Self::PowerOnData => "power-on data",
            Self::Header => "header",
            Self::FileType => "file type",
            Self::Records => "record list",
            Self::Opening => "session opening",
            Self::Closing => "session closing",
            Self::StoredValue => "Stored Value data",
            Self::DataObject => "data object",
            Self::KeyParameters => "parameters of a key",
        })
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionKey { kif: Some(kif), kvc: Some(kvc) } => {
                write!(f, "the session key KIF {kif} KVC {kvc} is not authorised")
            }
            Self::SessionKey { .. } => f.write_str("the session key is not known"),
            Self::StoredValueKey { kvc } => write!(f, "the Stored Value key KVC {kvc} is not authorised"),
            Self::SessionMac => f.write_str("the card's session MAC is wrong"),
            Self::Signature => f.write_str("the signature of the data is wrong"),
            Self::SamRevoked => f.write_str("the SAM that signed is revoked"),
            Self::StoredValueMac => f.write_str("the card's Stored Value MAC is wrong"),
        }
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Untouched => "nothing was being written",
            Self::NotCommitted => "nothing was committed",
            Self::Unknown => "whether it was committed is not known",
            Self::Unverified => "it was committed, but its authenticity is not proved",
            Self::Committed => "it was committed, and is authentic",
        })
    }
}
