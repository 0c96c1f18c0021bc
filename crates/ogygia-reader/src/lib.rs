//! Channels to cards and SAMs in readers.
//!
//! - [`transport`]: what becomes of one command over T=0 or T=1. Pure, for any reader.
//! - `pcsc`: the readers of the system, a feature.

#![forbid(unsafe_code)]

#[cfg(feature = "pcsc")]
pub mod pcsc;
pub mod transport;
