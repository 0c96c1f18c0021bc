//! Card commands: one file per family, each with its fields, its encoding, the reading of its answer, its status
//! words and its effect on the image.
//!
//! Specification 01, "Card commands".

mod apdu;
pub(crate) mod binary;
mod counters;
mod drift;
mod get_data;
mod list;
mod manage;
mod name;
mod open;
mod pin;
mod pki_session;
mod prepared;
mod put_data;
mod read_records;
mod search_records;
mod select_file;
mod session;
mod step;
mod stored_value;
mod terms;
mod validity;
mod write_records;

pub use binary::{ReadBinary, UpdateBinary, WriteBinary};
pub use counters::{ChangeCounter, ChangeCounters, CounterChange, SetCounter};
pub use get_data::{DataTag, GetData};
pub use manage::{ActivateEncryption, AuthenticateEarly, DeactivateEncryption};
pub use name::{CommandName, Refusal};
pub use pin::{ChangeKey, ChangePin, CheckPinStatus, Pin, VerifyPin};
pub use pki_session::OpenPkiSession;
pub use put_data::{GenerateKeyPair, PutData};
pub use read_records::{ReadCounters, ReadRecord, ReadRecords};
pub use search_records::{ReadRecordsPartially, SearchRecords};
pub use select_file::SelectFile;
pub use session::{CancelSession, CloseSession, OpenSession, PreOpenSession};
pub use stored_value::{SvDebit, SvGet, SvOperation, SvReadAllLogs, SvReload};
pub use validity::{Invalidate, Rehabilitate};
pub use write_records::{AppendRecord, UpdateRecord, WriteRecord};

#[cfg(feature = "pki")]
pub(crate) use get_data::{CertificateKind, GetOne};
pub(crate) use list::List;
pub(crate) use name::Refusals;
pub use open::SessionForm;
pub(crate) use open::{Opened, Opening, PreOpened};
pub(crate) use pin::{Change, Verify};
#[cfg(feature = "pki")]
pub(crate) use pki_session::PkiOpened;
pub(crate) use pki_session::PkiOpening;
pub(crate) use prepared::Prepared;
pub(crate) use session::{Abort, Closed};
pub(crate) use step::{Encoder, Exchange, Exchanged, Forecast, Material, Moment, Step};
pub(crate) use stored_value::Operation;
pub(crate) use terms::{Means, Mode, Terms};

use crate::error::Error;

/// Whether an operation can be sent with a selection, and its arguments are in range: specification 02, "Operations of
/// the selection extension".
pub(crate) fn check_at_selection(command: &Command<'_>) -> Result<(), Error> {
    match command {
        Command::SelectFile(_) | Command::ReadRecord(_) | Command::ReadCounters(_) | Command::PreOpenSession(_) => {
            Ok(())
        }
        Command::GetData(get) if get.is_for_selection() => Ok(()),
        Command::ReadBinary(read) => binary::check_range_at_selection(read.sfi, read.offset, usize::from(read.length)),
        other => Err(Error::Unsupported(other.name())),
    }
}

macro_rules! commands {
    ($($name:ident($kind:ty)),* $(,)?) => {
        /// An operation on a card, as an application asks for it. `prepare` turns it into the exchanges that it takes.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is the operation of its name")]
        pub enum Command<'a> {
            $($name($kind)),*
        }

        $(impl<'a> From<$kind> for Command<'a> {
            fn from(command: $kind) -> Self {
                Self::$name(command)
            }
        })*

        impl Command<'_> {
            /// Whether a refusal leaves what is prepared, and the session, as they are: point G55.
            pub(crate) fn is_apart(&self) -> bool {
                matches!(self, Self::PutData(_) | Self::GenerateKeyPair(_) | Self::OpenPkiSession(_))
            }

            /// Checks the operation and appends its exchanges to `list`. Most callers know which one it is: for them
            /// nothing is left of the choice.
            #[inline(always)]
            pub(crate) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
                match self {
                    $(Self::$name(command) => command.prepare(list, terms)),*
                }
            }
        }
    };
}

commands! {
    SelectFile(SelectFile),
    GetData(GetData),
    PutData(PutData<'a>),
    GenerateKeyPair(GenerateKeyPair),
    ReadRecord(ReadRecord),
    ReadRecords(ReadRecords),
    ReadCounters(ReadCounters),
    ReadRecordsPartially(ReadRecordsPartially),
    SearchRecords(SearchRecords<'a>),
    ReadBinary(ReadBinary),
    UpdateBinary(UpdateBinary<'a>),
    WriteBinary(WriteBinary<'a>),
    UpdateRecord(UpdateRecord<'a>),
    WriteRecord(WriteRecord<'a>),
    AppendRecord(AppendRecord<'a>),
    ChangeCounter(ChangeCounter),
    ChangeCounters(ChangeCounters<'a>),
    SetCounter(SetCounter),
    VerifyPin(VerifyPin),
    CheckPinStatus(CheckPinStatus),
    ChangePin(ChangePin),
    ChangeKey(ChangeKey),
    SvGet(SvGet),
    SvReload(SvReload),
    SvDebit(SvDebit),
    SvReadAllLogs(SvReadAllLogs),
    Invalidate(Invalidate),
    Rehabilitate(Rehabilitate),
    PreOpenSession(PreOpenSession),
    OpenSession(OpenSession),
    OpenPkiSession(OpenPkiSession),
    AuthenticateEarly(AuthenticateEarly),
    ActivateEncryption(ActivateEncryption),
    DeactivateEncryption(DeactivateEncryption),
    CloseSession(CloseSession),
    CancelSession(CancelSession),
}

impl Command<'_> {
    /// The command that the operation mainly is, for errors.
    #[must_use]
    pub const fn name(&self) -> CommandName {
        match self {
            Self::SelectFile(_) => CommandName::SelectFile,
            Self::GetData(_) => CommandName::GetData,
            Self::PutData(_) => CommandName::PutData,
            Self::GenerateKeyPair(_) => CommandName::GenerateAsymmetricKeyPair,
            Self::ReadRecord(_) | Self::ReadRecords(_) | Self::ReadCounters(_) | Self::SvReadAllLogs(_) => {
                CommandName::ReadRecords
            }
            Self::ReadRecordsPartially(_) => CommandName::ReadRecordMultiple,
            Self::SearchRecords(_) => CommandName::SearchRecordMultiple,
            Self::ReadBinary(_) => CommandName::ReadBinary,
            Self::UpdateBinary(_) => CommandName::UpdateBinary,
            Self::WriteBinary(_) => CommandName::WriteBinary,
            Self::UpdateRecord(_) => CommandName::UpdateRecord,
            Self::WriteRecord(_) => CommandName::WriteRecord,
            Self::AppendRecord(_) => CommandName::AppendRecord,
            Self::VerifyPin(_) | Self::CheckPinStatus(_) => CommandName::VerifyPin,
            Self::ChangePin(_) => CommandName::ChangePin,
            Self::ChangeKey(_) => CommandName::ChangeKey,
            Self::SvGet(_) => CommandName::SvGet,
            Self::SvReload(_) => CommandName::SvReload,
            Self::SvDebit(_) => CommandName::SvDebit,
            Self::Invalidate(_) => CommandName::Invalidate,
            Self::Rehabilitate(_) => CommandName::Rehabilitate,
            Self::PreOpenSession(_) | Self::OpenSession(_) | Self::OpenPkiSession(_) => CommandName::OpenSecureSession,
            Self::AuthenticateEarly(_) | Self::ActivateEncryption(_) | Self::DeactivateEncryption(_) => {
                CommandName::ManageSecureSession
            }
            Self::CloseSession(_) => CommandName::CloseSecureSession,
            Self::CancelSession(_) => CommandName::AbortSecureSession,
            Self::ChangeCounter(_) | Self::SetCounter(_) => CommandName::Increase,
            Self::ChangeCounters(_) => CommandName::IncreaseMultiple,
        }
    }
}
