//! Readers with `std`.
//!
//! [`Readers`] carries the requests of transactions with one thread per reader: card and SAM are at work at the same time
//! where the transaction has something for both. That is what the overlapped policy of the core is for:
//! [`Policy::Overlapped`](ogygia::transaction::Policy::Overlapped).

#![forbid(unsafe_code)]

mod lane;
mod readers;

pub use readers::Readers;
