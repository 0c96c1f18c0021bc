//! Readers with `std`.
//!
//! [`Readers`] carries the requests of transactions with one thread per reader: card and SAM are at work at the same time
//! where the transaction has something for both. That is what the overlapped policy of the core is for:
//! [`Policy::Overlapped`](ogygia::transaction::Policy::Overlapped).
//!
//! [`transport`] knows what becomes of one command over T=0 or T=1, for any reader. `pcsc`, a feature, has channels to the
//! readers of the system.

#![forbid(unsafe_code)]

mod lane;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod readers;
pub mod transport;

pub use readers::Readers;
