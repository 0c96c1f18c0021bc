//! Virtual time: how long exchanges would take, without waiting.
//!
//! A [`Model`] tells how long one exchange takes; [`Clock`] carries the requests of a transaction to card and SAM in
//! virtual time, both at once where the transaction asks both. Nothing here reads a real clock, so that two runs give the
//! same microseconds.

mod model;
mod race;

pub use model::{CardModel, Model, Pace, SamModel, Way};
pub use race::{Clock, Face, Marks};

#[cfg(test)]
mod tests;
