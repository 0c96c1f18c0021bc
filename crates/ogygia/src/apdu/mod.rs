//! Bytes: commands, responses, status words, batches and TLV. Nothing here knows Calypso.

mod batch;
mod case;
mod response;
mod status;
pub mod tlv;

pub use batch::Batch;
pub use case::{Case, Header};
pub use response::Response;
pub use status::{StatusSet, StatusWord};

pub(crate) use batch::match_room;
pub(crate) use case::MAX_COMMAND_LEN;
