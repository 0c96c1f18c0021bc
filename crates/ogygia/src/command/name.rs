//! Names of commands, and what their status words mean.

use core::fmt;

use super::{counters, get_data, open, read_records, select_file, session, write_records};
use crate::apdu::StatusWord;
use crate::sam;

/// What a status word means to whoever sent the command: specification 01, "Error categories", and 03, the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// P1, P2, Lc or the data are not supported, or the command is not.
    IllegalParameter,
    /// A file, record, key or data object is absent, or of the wrong kind.
    DataAccess,
    /// A condition is not met: session, key, PIN, encryption; a SAM may be busy.
    SecurityContext,
    /// Wrong MAC, signature or cryptogram.
    SecurityData,
    /// Not allowed in the current state.
    AccessForbidden,
    /// The session modification buffer, or an output buffer, is full.
    BufferOverflow,
    /// PIN wrong or blocked.
    Pin,
    /// A counter would leave its range.
    DataOutOfBounds,
    /// The card's life, or an event counter of a SAM, is at its end.
    Terminated,
    /// The content of the data field is wrong.
    IllegalData,
}

/// The status words that refuse a command. `9000` is not among them, nor what a command accepts.
pub(crate) type Refusals = &'static [(u16, Refusal)];

/// Every command that a terminal sends, for errors and accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the names are those of the specification")]
pub enum CommandName {
    SelectApplication,
    SelectFile,
    GetData,
    ReadRecords,
    UpdateRecord,
    WriteRecord,
    AppendRecord,
    Increase,
    Decrease,
    IncreaseMultiple,
    DecreaseMultiple,
    OpenSecureSession,
    CloseSecureSession,
    AbortSecureSession,
    Ratification,
    SamSelectDiversifier,
    SamGetChallenge,
    SamDigestInit,
    SamDigestUpdate,
    SamDigestUpdateMultiple,
    SamDigestClose,
    SamDigestAuthenticate,
}

impl CommandName {
    /// All of them, to enumerate their tables.
    pub const ALL: &'static [Self] = &[
        Self::SelectApplication,
        Self::SelectFile,
        Self::GetData,
        Self::ReadRecords,
        Self::UpdateRecord,
        Self::WriteRecord,
        Self::AppendRecord,
        Self::Increase,
        Self::Decrease,
        Self::IncreaseMultiple,
        Self::DecreaseMultiple,
        Self::OpenSecureSession,
        Self::CloseSecureSession,
        Self::AbortSecureSession,
        Self::Ratification,
        Self::SamSelectDiversifier,
        Self::SamGetChallenge,
        Self::SamDigestInit,
        Self::SamDigestUpdate,
        Self::SamDigestUpdateMultiple,
        Self::SamDigestClose,
        Self::SamDigestAuthenticate,
    ];

    /// The status words that refuse this command, with their meaning.
    #[must_use]
    pub fn refusals(self) -> &'static [(u16, Refusal)] {
        match self {
            Self::SelectApplication | Self::Ratification => &[],
            Self::SelectFile => select_file::REFUSALS,
            Self::GetData => get_data::REFUSALS,
            Self::ReadRecords => read_records::REFUSALS,
            Self::UpdateRecord => write_records::UPDATE_REFUSALS,
            Self::WriteRecord => write_records::WRITE_REFUSALS,
            Self::AppendRecord => write_records::APPEND_REFUSALS,
            Self::Increase | Self::Decrease => counters::ONE_REFUSALS,
            Self::IncreaseMultiple | Self::DecreaseMultiple => counters::SEVERAL_REFUSALS,
            Self::OpenSecureSession => open::REFUSALS,
            Self::CloseSecureSession | Self::AbortSecureSession => session::REFUSALS,
            Self::SamSelectDiversifier => sam::command::SELECT_DIVERSIFIER_REFUSALS,
            Self::SamGetChallenge => sam::command::GET_CHALLENGE_REFUSALS,
            Self::SamDigestInit => sam::command::DIGEST_INIT_REFUSALS,
            Self::SamDigestUpdate => sam::command::DIGEST_UPDATE_REFUSALS,
            Self::SamDigestUpdateMultiple => sam::command::DIGEST_UPDATE_MULTIPLE_REFUSALS,
            Self::SamDigestClose => sam::command::DIGEST_CLOSE_REFUSALS,
            Self::SamDigestAuthenticate => sam::command::DIGEST_AUTHENTICATE_REFUSALS,
        }
    }

    /// What `status` means as an answer to this command; nothing when its table does not list it.
    #[must_use]
    pub fn refusal(self, status: StatusWord) -> Option<Refusal> {
        self.refusals().iter().find(|(word, _)| *word == status.0).map(|(_, refusal)| *refusal)
    }
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SelectApplication => "Select Application",
            Self::SelectFile => "Select File",
            Self::GetData => "Get Data",
            Self::ReadRecords => "Read Records",
            Self::UpdateRecord => "Update Record",
            Self::WriteRecord => "Write Record",
            Self::AppendRecord => "Append Record",
            Self::Increase => "Increase",
            Self::Decrease => "Decrease",
            Self::IncreaseMultiple => "Increase Multiple",
            Self::DecreaseMultiple => "Decrease Multiple",
            Self::OpenSecureSession => "Open Secure Session",
            Self::CloseSecureSession => "Close Secure Session",
            Self::AbortSecureSession => "Abort Secure Session",
            Self::Ratification => "ratification command",
            Self::SamSelectDiversifier => "Select Diversifier",
            Self::SamGetChallenge => "Get Challenge",
            Self::SamDigestInit => "Digest Init",
            Self::SamDigestUpdate => "Digest Update",
            Self::SamDigestUpdateMultiple => "Digest Update Multiple",
            Self::SamDigestClose => "Digest Close",
            Self::SamDigestAuthenticate => "Digest Authenticate",
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::IllegalParameter => "parameter not supported",
            Self::DataAccess => "file, record, key or data object absent or of the wrong kind",
            Self::SecurityContext => "a security condition is not met",
            Self::SecurityData => "wrong MAC, signature or cryptogram",
            Self::AccessForbidden => "not allowed in this state",
            Self::BufferOverflow => "buffer full",
            Self::Pin => "PIN wrong or blocked",
            Self::DataOutOfBounds => "counter out of range",
            Self::Terminated => "end of life reached",
            Self::IllegalData => "wrong content of the data field",
        })
    }
}
