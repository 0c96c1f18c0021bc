//! Terminal-side stack for Calypso smart cards.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(test)]
extern crate std;

pub mod apdu;
pub mod drive;
mod request;

pub use request::{ChannelControl, Loss, Peer, Request};
