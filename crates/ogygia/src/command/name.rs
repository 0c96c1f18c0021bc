//! Names of commands, and what their status words mean.

use core::fmt;

use super::{
    binary, counters, get_data, manage, open, pin, put_data, read_records, search_records, select_file, session,
    stored_value, validity, write_records,
};
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
    PutData,
    GenerateAsymmetricKeyPair,
    ReadRecordMultiple,
    SearchRecordMultiple,
    ReadBinary,
    UpdateBinary,
    WriteBinary,
    GetChallenge,
    VerifyPin,
    ChangePin,
    ChangeKey,
    SvGet,
    SvReload,
    SvDebit,
    SvUndebit,
    Invalidate,
    Rehabilitate,
    OpenSecureSession,
    ManageSecureSession,
    CloseSecureSession,
    AbortSecureSession,
    Ratification,
    SamSelectDiversifier,
    SamGetChallenge,
    SamDigestInit,
    SamDigestUpdate,
    SamDigestUpdateMultiple,
    SamDigestInternalAuthenticate,
    SamDigestClose,
    SamDigestAuthenticate,
    SamGiveRandom,
    SamCardCipherPin,
    SamCardGenerateKey,
    SamSvPrepareLoad,
    SamSvPrepareDebit,
    SamSvPrepareUndebit,
    SamSvCheck,
    SamPsoComputeSignature,
    SamPsoVerifySignature,
    SamDataCipher,
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
        Self::PutData,
        Self::GenerateAsymmetricKeyPair,
        Self::ReadRecordMultiple,
        Self::SearchRecordMultiple,
        Self::ReadBinary,
        Self::UpdateBinary,
        Self::WriteBinary,
        Self::GetChallenge,
        Self::VerifyPin,
        Self::ChangePin,
        Self::ChangeKey,
        Self::SvGet,
        Self::SvReload,
        Self::SvDebit,
        Self::SvUndebit,
        Self::Invalidate,
        Self::Rehabilitate,
        Self::OpenSecureSession,
        Self::ManageSecureSession,
        Self::CloseSecureSession,
        Self::AbortSecureSession,
        Self::Ratification,
        Self::SamSelectDiversifier,
        Self::SamGetChallenge,
        Self::SamDigestInit,
        Self::SamDigestUpdate,
        Self::SamDigestUpdateMultiple,
        Self::SamDigestInternalAuthenticate,
        Self::SamDigestClose,
        Self::SamDigestAuthenticate,
        Self::SamGiveRandom,
        Self::SamCardCipherPin,
        Self::SamCardGenerateKey,
        Self::SamSvPrepareLoad,
        Self::SamSvPrepareDebit,
        Self::SamSvPrepareUndebit,
        Self::SamSvCheck,
        Self::SamPsoComputeSignature,
        Self::SamPsoVerifySignature,
        Self::SamDataCipher,
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
            Self::PutData => put_data::PUT_REFUSALS,
            Self::GenerateAsymmetricKeyPair => put_data::GENERATE_REFUSALS,
            Self::ReadRecordMultiple => search_records::PART_REFUSALS,
            Self::SearchRecordMultiple => search_records::SEARCH_REFUSALS,
            Self::ReadBinary => binary::READ_REFUSALS,
            Self::UpdateBinary => binary::WRITE_REFUSALS,
            Self::WriteBinary => binary::WRITE_REFUSALS,
            Self::GetChallenge => pin::CHALLENGE_REFUSALS,
            Self::VerifyPin => pin::VERIFY_REFUSALS,
            Self::ChangePin => pin::CHANGE_REFUSALS,
            Self::ChangeKey => pin::CHANGE_REFUSALS,
            Self::SvGet => stored_value::GET_REFUSALS,
            Self::SvReload => stored_value::OPERATION_REFUSALS,
            Self::SvDebit => stored_value::OPERATION_REFUSALS,
            Self::SvUndebit => stored_value::OPERATION_REFUSALS,
            Self::Invalidate => validity::REFUSALS,
            Self::Rehabilitate => validity::REFUSALS,
            Self::OpenSecureSession => open::REFUSALS,
            Self::ManageSecureSession => manage::REFUSALS,
            Self::CloseSecureSession | Self::AbortSecureSession => session::REFUSALS,
            Self::SamSelectDiversifier => sam::command::SELECT_DIVERSIFIER_REFUSALS,
            Self::SamGetChallenge => sam::command::GET_CHALLENGE_REFUSALS,
            Self::SamDigestInit => sam::command::DIGEST_INIT_REFUSALS,
            Self::SamDigestUpdate => sam::command::DIGEST_UPDATE_REFUSALS,
            Self::SamDigestUpdateMultiple => sam::command::DIGEST_UPDATE_MULTIPLE_REFUSALS,
            Self::SamDigestInternalAuthenticate => sam::command::DIGEST_INTERNAL_AUTHENTICATE_REFUSALS,
            Self::SamDigestClose => sam::command::DIGEST_CLOSE_REFUSALS,
            Self::SamDigestAuthenticate => sam::command::DIGEST_AUTHENTICATE_REFUSALS,
            Self::SamGiveRandom => sam::command::GIVE_RANDOM_REFUSALS,
            Self::SamCardCipherPin => sam::command::CARD_CIPHER_PIN_REFUSALS,
            Self::SamCardGenerateKey => sam::command::CARD_GENERATE_KEY_REFUSALS,
            Self::SamSvPrepareLoad => sam::command::SV_PREPARE_REFUSALS,
            Self::SamSvPrepareDebit => sam::command::SV_PREPARE_REFUSALS,
            Self::SamSvPrepareUndebit => sam::command::SV_PREPARE_REFUSALS,
            Self::SamSvCheck => sam::command::SV_CHECK_REFUSALS,
            Self::SamPsoComputeSignature => sam::command::COMPUTE_SIGNATURE_REFUSALS,
            Self::SamPsoVerifySignature => sam::command::VERIFY_SIGNATURE_REFUSALS,
            Self::SamDataCipher => sam::command::DATA_CIPHER_REFUSALS,
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
            Self::ManageSecureSession => "Manage Secure Session",
            Self::CloseSecureSession => "Close Secure Session",
            Self::AbortSecureSession => "Abort Secure Session",
            Self::Ratification => "ratification command",
            Self::SamSelectDiversifier => "Select Diversifier",
            Self::SamGetChallenge => "Get Challenge",
            Self::SamDigestInit => "Digest Init",
            Self::SamDigestUpdate => "Digest Update",
            Self::SamDigestUpdateMultiple => "Digest Update Multiple",
            Self::SamDigestInternalAuthenticate => "Digest Internal Authenticate",
            Self::SamDigestClose => "Digest Close",
            Self::SamDigestAuthenticate => "Digest Authenticate",
            Self::PutData => "Put Data",
            Self::GenerateAsymmetricKeyPair => "Generate Asymmetric Key Pair",
            Self::ReadRecordMultiple => "Read Record Multiple",
            Self::SearchRecordMultiple => "Search Record Multiple",
            Self::ReadBinary => "Read Binary",
            Self::UpdateBinary => "Update Binary",
            Self::WriteBinary => "Write Binary",
            Self::GetChallenge => "Get Challenge",
            Self::VerifyPin => "Verify PIN",
            Self::ChangePin => "Change PIN",
            Self::ChangeKey => "Change Key",
            Self::SvGet => "SV Get",
            Self::SvReload => "SV Reload",
            Self::SvDebit => "SV Debit",
            Self::SvUndebit => "SV Undebit",
            Self::Invalidate => "Invalidate",
            Self::Rehabilitate => "Rehabilitate",
            Self::SamGiveRandom => "Give Random",
            Self::SamCardCipherPin => "Card Cipher PIN",
            Self::SamCardGenerateKey => "Card Generate Key",
            Self::SamSvPrepareLoad => "SV Prepare Load",
            Self::SamSvPrepareDebit => "SV Prepare Debit",
            Self::SamSvPrepareUndebit => "SV Prepare Undebit",
            Self::SamSvCheck => "SV Check",
            Self::SamPsoComputeSignature => "PSO Compute Signature",
            Self::SamPsoVerifySignature => "PSO Verify Signature",
            Self::SamDataCipher => "Data Cipher",
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
