//! Card commands: one file per family, each with its fields, its encoding, the reading of its answer, its status
//! words and its effect on the image.
//!
//! Specification 01, "Card commands".

mod counters;
mod get_data;
mod list;
mod name;
mod open;
mod read_records;
mod select_file;
mod session;
mod step;
mod write_records;

pub use counters::{ChangeCounter, ChangeCounters, CounterChange, SetCounter};
pub use get_data::{DataTag, GetData};
pub use name::{CommandName, Refusal};
pub use read_records::{ReadCounters, ReadRecord, ReadRecords};
pub use select_file::SelectFile;
pub use session::{CancelSession, CloseSession, OpenSession};
pub use write_records::{AppendRecord, UpdateRecord, WriteRecord};

pub(crate) use list::{List, Mode, Prepared, Terms};
pub(crate) use name::Refusals;
pub use open::SessionForm;
pub(crate) use open::{Opened, Opening};
pub(crate) use session::{Abort, Closed};
pub(crate) use step::{Encoder, Exchange, Exchanged, Forecast, Material, Step};

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
    ReadRecord(ReadRecord),
    ReadRecords(ReadRecords),
    ReadCounters(ReadCounters),
    UpdateRecord(UpdateRecord<'a>),
    WriteRecord(WriteRecord<'a>),
    AppendRecord(AppendRecord<'a>),
    ChangeCounter(ChangeCounter),
    ChangeCounters(ChangeCounters<'a>),
    SetCounter(SetCounter),
    OpenSession(OpenSession),
    CloseSession(CloseSession),
    CancelSession(CancelSession),
}
