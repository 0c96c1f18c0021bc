//! Card commands: one file per family, each with its fields, its encoding, the reading of its answer, its status
//! words and its effect on the image.
//!
//! Specification 01, "Card commands".

pub(crate) mod binary;
mod counters;
mod get_data;
mod list;
mod name;
mod open;
mod pin;
mod put_data;
mod read_records;
mod search_records;
mod select_file;
mod session;
mod step;
mod stored_value;
mod validity;
mod write_records;

pub use binary::{ReadBinary, UpdateBinary, WriteBinary};
pub use counters::{ChangeCounter, ChangeCounters, CounterChange, SetCounter};
pub use get_data::{DataTag, GetData};
pub use name::{CommandName, Refusal};
pub use pin::{ChangeKey, ChangePin, CheckPinStatus, Pin, VerifyPin};
pub use put_data::{GenerateKeyPair, PutData};
pub use read_records::{ReadCounters, ReadRecord, ReadRecords};
pub use search_records::{ReadRecordsPartially, SearchRecords};
pub use select_file::SelectFile;
pub use session::{CancelSession, CloseSession, OpenSession};
pub use stored_value::{SvDebit, SvGet, SvOperation, SvReadAllLogs, SvReload};
pub use validity::{Invalidate, Rehabilitate};
pub use write_records::{AppendRecord, UpdateRecord, WriteRecord};

pub(crate) use list::{List, Mode, Prepared, Terms};
pub(crate) use name::Refusals;
pub use open::SessionForm;
pub(crate) use open::{Opened, Opening};
pub(crate) use session::{Abort, Closed};
pub(crate) use step::{Encoder, Exchange, Exchanged, Forecast, Material, Step};
pub(crate) use stored_value::Operation;

use crate::error::Error;

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
                matches!(self, Self::PutData(_) | Self::GenerateKeyPair(_))
            }

            /// Checks the operation and appends its exchanges to `list`.
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
    OpenSession(OpenSession),
    CloseSession(CloseSession),
    CancelSession(CancelSession),
}
