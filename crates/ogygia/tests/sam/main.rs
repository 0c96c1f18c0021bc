//! Work on a SAM without a card: selection, reading, signing, writing, reloads; refusals and losses at every place.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test may stop")]

mod arbitrary;
mod fake;
mod grouping;
mod losses;
mod refusals;
mod reload;
mod selection;
mod shared;
