//! The command line of Ogygia.

#![forbid(unsafe_code)]

pub mod error;
pub mod record;
pub mod store;
pub mod terminal;
pub mod ticketing;
