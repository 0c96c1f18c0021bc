//! Channels to cards and SAMs in readers.
//!
//! - [`transport`]: what becomes of one command over T=0 or T=1. Pure, for any reader.

#![forbid(unsafe_code)]

pub mod transport;
