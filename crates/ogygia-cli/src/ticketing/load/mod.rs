//! Loading a contract: specification 08, section of this name, with the decisions of part E.

mod choice;

pub use choice::{Goods, Kind, Plan, Refusal, choose};

use ogygia::card::Level;
use ogygia::command::{CloseSession, OpenSession, SetCounter, UpdateRecord};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use super::holdings::Holdings;
use super::layout::TicketingFile;
use super::settle;
use super::values::DateCompact;

/// What is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The kind of contract, and how much of it.
    pub goods: Goods,
    /// The day of the sale.
    pub today: DateCompact,
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loading {
    /// What the card held before.
    pub before: Holdings,
    /// What was written, or why nothing was.
    pub outcome: Result<Plan, Refusal>,
}

/// Reads the selected card of `transaction` in a session with key 2, chooses a slot, and loads it in a second session.
///
/// A card that is refused is an outcome and no error: then nothing is written.
///
/// # Errors
///
/// What went wrong; whether the card has committed the second session is told by the error.
pub fn load(transaction: &mut Transaction, readers: &mut impl Driver, order: &Order) -> Result<Loading, Error> {
    let loaded = read_and_write(transaction, readers, order);
    settle(loaded, transaction, readers)
}

fn read_and_write(transaction: &mut Transaction, readers: &mut impl Driver, order: &Order) -> Result<Loading, Error> {
    transaction.prepare(OpenSession { level: Level::Load })?;
    Holdings::prepare(transaction)?;
    transaction.prepare(CloseSession)?;
    readers.run(transaction, ChannelControl::KeepOpen)?;
    let before = Holdings::of(transaction.card());
    let outcome = choose(&before, order);
    if let Ok(plan) = &outcome {
        prepare(transaction, plan)?;
    }
    readers.run(transaction, ChannelControl::CloseAfter)?;
    Ok(Loading { before, outcome })
}

/// The part that writes.
fn prepare(transaction: &mut Transaction, plan: &Plan) -> Result<(), Error> {
    let (contracts, counters) = (TicketingFile::Contracts.sfi(), TicketingFile::Counters.sfi());
    transaction.prepare(OpenSession { level: Level::Load })?;
    transaction.prepare(UpdateRecord { sfi: contracts, record: plan.slot, data: &plan.contract.encode() })?;
    if let Some(counted) = plan.counter {
        transaction.prepare(SetCounter { sfi: counters, counter: plan.slot, to: counted.after })?;
    }
    transaction.prepare(UpdateRecord { sfi: TicketingFile::Events.sfi(), record: 1, data: &plan.event.encode() })?;
    transaction.prepare(CloseSession)
}

#[cfg(test)]
mod tests;
