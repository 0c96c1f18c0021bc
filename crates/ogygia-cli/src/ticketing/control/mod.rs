//! Control: specification 08, section of this name, with the decisions of part E.

mod inspection;

pub use inspection::{Inspection, LastValidation, Outcome, Refusal, Status, Title};

use ogygia::card::Level;
use ogygia::command::{CancelSession, CloseSession, OpenSession};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use super::holdings::Holdings;
use super::settle;
use super::values::{Location, Moment};

/// What an inspector's device knows when a card comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Controller {
    /// Its clock.
    pub now: Moment,
    /// Where it is.
    pub location: Location,
    /// For how many minutes a validation counts.
    pub validity: u32,
}

/// Whether what is read gets authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By a session with key 3: the transaction has a SAM.
    Session,
    /// Not at all: whoever can answer like a card is believed.
    Plain,
}

/// Controls the selected card of `transaction`. Nothing is written.
///
/// Everything is read at once: nothing that is found makes it worth the time to read less.
///
/// # Errors
///
/// What went wrong; then nothing that was read counts.
pub fn control(
    transaction: &mut Transaction,
    readers: &mut impl Driver,
    controller: &Controller,
    mode: Mode,
) -> Result<Inspection, Error> {
    let inspected = inspect(transaction, readers, controller, mode);
    settle(inspected, transaction, readers)
}

fn inspect(
    transaction: &mut Transaction,
    readers: &mut impl Driver,
    controller: &Controller,
    mode: Mode,
) -> Result<Inspection, Error> {
    if mode == Mode::Session {
        transaction.prepare(OpenSession { level: Level::Debit })?;
    }
    Holdings::prepare(transaction)?;
    readers.run(transaction, ChannelControl::KeepOpen)?;
    let inspection = Inspection::of(Holdings::of(transaction.card()), controller);
    match (mode, inspection.outcome) {
        (Mode::Plain, _) => {}
        // Only now is the content authenticated.
        (Mode::Session, Outcome::TitlesFound) => transaction.prepare(CloseSession)?,
        (Mode::Session, Outcome::Empty | Outcome::Refused(_)) => transaction.prepare(CancelSession)?,
    }
    readers.run(transaction, ChannelControl::CloseAfter)?;
    Ok(inspection)
}

#[cfg(test)]
mod tests;
