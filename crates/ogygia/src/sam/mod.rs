//! The security module: who it is, its commands, and what a card session needs of it.
//!
//! Specification 03. What is done with a SAM without a card is in [`sam_transaction`](crate::sam_transaction).

mod answers;
pub(crate) mod certify;
pub(crate) mod command;
mod counter;
mod digest;
mod identity;
mod image;
mod key;
pub(crate) mod lane;
mod queue;
pub(crate) mod read;
mod service;
mod signature;
mod turn;
pub(crate) mod unlock;
pub(crate) mod write;

pub use certify::{CertifyCard, SamKeyPair};
pub use counter::{COUNTERS, IncrementAccess, MAX_CEILING};
pub use identity::{Sam, SamProduct};
pub use image::SamImage;
pub use key::{KeyParameters, KeyReference, SystemKey};
pub use read::SamData;
pub use signature::{
    ComputeSignature, SignatureId, SignatureKind, SignatureOutcome, Traceability, Traces, VerifySignature,
};
pub use turn::Turn;
pub use unlock::UnlockValue;
pub use write::{
    ConfigureCounter, KeyDiversification, TransferLock, TransferSystemKey, TransferWorkKey, WriteCeiling, WriteLock,
    WriteParameters,
};

pub(crate) use command::{Encoder, Expected, Proof};
pub(crate) use counter::CounterRecord;
pub(crate) use service::{Meanwhile, Service};
pub(crate) use signature::{Diversifier, Signatures};
