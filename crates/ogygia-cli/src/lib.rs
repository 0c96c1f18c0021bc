//! The command line of Ogygia, as a library so that it can be tested.

#![forbid(unsafe_code)]

pub mod conform;
pub mod error;
pub mod hex;
pub mod image;
pub mod record;
pub mod store;
pub mod terminal;
pub mod ticketing;
