//! The open ticketing application: specification 08, "Open demonstration".
//!
//! What is on the card ([`values`], [`Environment`], [`Event`], [`Contract`]), where it is ([`layout`]), which cards are
//! served ([`application`]), and the procedures ([`personalize`], [`load`], [`validate`], [`control`]) over a
//! transaction and two channels. No clock and no other input or output: dates are arguments.
//!
//! Where the described rules and the open programs differ, the column "ours" of part E is followed.

pub mod application;
mod contract;
pub mod control;
mod environment;
mod event;
pub mod holdings;
pub mod layout;
pub mod load;
pub mod personalize;
mod unfit;
pub mod validate;
pub mod values;

pub use contract::{CompactContract, Contract};
pub use environment::Environment;
pub use event::Event;
pub use values::{DateCompact, Location, Moment, Priority, TimeCompact, Version};

use ogygia::ChannelControl::KeepOpen;
use ogygia::card::{Card, Kif, Level};
use ogygia::command::CancelSession;
use ogygia::drive::Driver;
use ogygia::sam::Sam;
use ogygia::transaction::{SymmetricSettings, Transaction};

/// How many bytes every record has.
pub const RECORD_SIZE: u8 = 29;

/// A whole record.
pub type Record = [u8; RECORD_SIZE as usize];

/// The settings of a transaction of this application: multiple sessions everywhere, and the key identifiers that are
/// assumed of cards that do not tell theirs. `ratification` is for the validator.
#[must_use]
pub fn settings(sam: Sam, ratification: bool) -> SymmetricSettings {
    let mut settings = SymmetricSettings::new(sam);
    settings.multiple_sessions = true;
    settings.ratification_command = ratification;
    settings.default_kif =
        vec![(Level::Personalization, Kif(0x21)), (Level::Load, Kif(0x27)), (Level::Debit, Kif(0x30))];
    settings
}

/// The record `number` of `file` as the image knows it; empty when it was not read.
fn known_record(card: &Card, file: layout::TicketingFile, number: u8) -> &[u8] {
    card.file(file.sfi()).and_then(|file| file.record(number)).unwrap_or_default()
}

/// Hands `result` on. No error leaves a session open: the abort that a refused `prepare` leaves to be sent is sent, and
/// a session that the procedure itself gave up is cancelled.
pub(crate) fn settle<T, E>(
    result: Result<T, E>,
    transaction: &mut Transaction,
    readers: &mut impl Driver,
) -> Result<T, E> {
    if result.is_err() {
        // The first error tells why; what becomes of the abort changes nothing.
        let _ = readers.resume(transaction);
        if transaction.is_session_open() {
            let _ = transaction.prepare(CancelSession).and_then(|()| readers.run(transaction, KeepOpen));
        }
    }
    result
}

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
