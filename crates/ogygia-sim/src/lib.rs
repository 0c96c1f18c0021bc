//! Virtual Calypso card and SAM: an independent reading of the specification, for tests and demonstrations.

#![forbid(unsafe_code)]

pub mod card;
pub mod cipher;
pub mod clock;
mod command;
pub mod hex;
pub mod link;
pub mod pki;
pub mod profile;
pub mod sam;
mod setup;
mod status;
#[cfg(test)]
mod testing;

pub use card::{CardError, VirtualCard};
pub use cipher::{Key, KeyId, KeySet, LockSecret};
pub use link::{CardLink, Exchange, Fault, FaultKind, Link, Recorder, SamLink, Traffic};
pub use pki::{PkiIdentity, TestAuthority};
pub use profile::{Profile, ProfileError};
pub use sam::{SamProduct, SamProfile, VirtualSam};
pub use setup::SetupError;

/// The example of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The example of the first page people read: it has to run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct FirstPage;
