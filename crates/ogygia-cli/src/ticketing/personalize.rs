//! Personalization: specification 08, section of this name.

use jiff::civil::Date;
use ogygia::card::Level;
use ogygia::command::{CloseSession, OpenSession, UpdateRecord};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use super::layout::{TicketingFile, slots};
use super::values::{DateCompact, Version};
use super::{Environment, Record, settle};

/// For how many years a card works.
const YEARS: i16 = 6;

/// The environment of a card issued on `today`: it works until the first day of the month, six years later.
///
/// Nothing when the card cannot express one of the dates.
#[must_use]
pub fn environment(today: Date, number: u32) -> Option<Environment> {
    let end = Date::new(today.year().checked_add(YEARS)?, today.month(), 1).ok()?;
    Some(Environment {
        version: Version::Current,
        number,
        issued: DateCompact::from_civil(today)?,
        end: DateCompact::from_civil(end)?,
        ..Environment::default()
    })
}

/// Writes `environment`, and empties the event, the contracts and their counters, in a session with key 1.
///
/// # Errors
///
/// What went wrong. Cards that allow few modifications in a session may then be personalized in part.
pub fn personalize(
    transaction: &mut Transaction,
    readers: &mut impl Driver,
    environment: &Environment,
) -> Result<(), Error> {
    let written = prepare(transaction, environment).and_then(|()| readers.run(transaction, ChannelControl::CloseAfter));
    settle(written, transaction, readers)
}

fn prepare(transaction: &mut Transaction, environment: &Environment) -> Result<(), Error> {
    let slots = slots(transaction.card().product());
    let blank = Record::default();
    transaction.prepare(OpenSession { level: Level::Personalization })?;
    update(transaction, TicketingFile::Environment, 1, &environment.encode())?;
    update(transaction, TicketingFile::Events, 1, &blank)?;
    for slot in 1..=slots {
        update(transaction, TicketingFile::Contracts, slot, &blank)?;
    }
    let counters = usize::from(slots) * 3;
    update(transaction, TicketingFile::Counters, 1, blank.get(..counters).unwrap_or(&blank))?;
    transaction.prepare(CloseSession)
}

fn update(transaction: &mut Transaction, file: TicketingFile, record: u8, data: &[u8]) -> Result<(), Error> {
    transaction.prepare(UpdateRecord { sfi: file.sfi(), record, data })
}
