//! Terminal-side stack for Calypso smart cards.
//!
//! The folders are layers, each using only those above it:
//!
//! - [`apdu`]: bytes. Commands, responses, status words, batches, TLV. Knows no Calypso.
//! - [`card`]: the card image. Identity, product table with the quirks as data, files and their content.
//! - [`command`] and [`sam`]: what is said to the card and to the SAM. One file per family: how it is encoded, how its
//!   answer is read, what its status words mean, what it changes in the image.
//! - [`selection`]: which cards are wanted, and what is read of them at once.
//! - [`transaction`]: the state machine that turns operations into requests to both; [`sam_transaction`] the same for
//!   what is done with a SAM without a card.
//! - [`drive`]: the loops that carry requests to channels.
//!
//! Nothing here waits, logs, reads a clock or draws a random number.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
extern crate std;

pub mod apdu;
pub mod card;
pub mod command;
mod day;
pub mod drive;
mod error;
mod hint;
#[cfg(feature = "pki")]
pub mod pki;
mod request;
pub mod sam;
pub mod sam_transaction;
mod secret;
pub mod selection;
#[cfg(test)]
mod test_hex;
pub mod transaction;

pub use day::Day;
pub use error::{Argument, Error, Fate, Malformed, Misbehaviour, Misuse, Untrusted};
pub use request::{ChannelControl, Loss, OwnedRequest, Peer, Request};
pub use secret::Secret;
