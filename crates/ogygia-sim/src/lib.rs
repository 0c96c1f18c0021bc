//! Virtual Calypso card and SAM: an independent reading of the specification, for tests and demonstrations.

#![forbid(unsafe_code)]

pub mod card;
pub mod cipher;
mod command;
pub mod hex;
pub mod profile;
pub mod sam;
mod status;
