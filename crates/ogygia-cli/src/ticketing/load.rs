//! Loading a contract: specification 08, "Loading". So far the part that writes, on a slot that the caller chose.

use ogygia::card::Level;
use ogygia::command::{CloseSession, OpenSession, ReadCounters, ReadRecords, SetCounter, UpdateRecord};
use ogygia::drive::{Channel, run};
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use super::layout::{TicketingFile, slots};
use super::values::{DateCompact, Priority, Version};
use super::{Contract, Environment, Event, RECORD_SIZE, known_record, settle};

/// What is sold, into which slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sale {
    /// From 1.
    pub slot: u8,
    /// How many trips.
    pub trips: u32,
    /// The day of the sale.
    pub today: DateCompact,
}

/// Writes a new multi-trip contract, valid as long as the card, in one session with key 2.
///
/// # Errors
///
/// What went wrong; the card then keeps what it had.
pub fn load_trips(
    transaction: &mut Transaction,
    card: &mut impl Channel,
    sam: &mut impl Channel,
    sale: &Sale,
) -> Result<Contract, Error> {
    let loaded = write(transaction, card, sam, sale);
    settle(loaded, transaction, card, sam)
}

fn write(
    transaction: &mut Transaction,
    card: &mut impl Channel,
    sam: &mut impl Channel,
    sale: &Sale,
) -> Result<Contract, Error> {
    let (contracts, counters) = (TicketingFile::Contracts.sfi(), TicketingFile::Counters.sfi());
    transaction.prepare(OpenSession { level: Level::Load })?;
    for file in [TicketingFile::Environment, TicketingFile::Events] {
        transaction.prepare(ReadRecords { sfi: file.sfi(), records: 1..=1, size: RECORD_SIZE })?;
    }
    transaction.prepare(ReadCounters { sfi: counters, count: slots(transaction.card().product()) })?;
    run(transaction, card, sam, ChannelControl::KeepOpen)?;

    let known = transaction.card();
    let environment = Environment::decode(known_record(known, TicketingFile::Environment, 1)).unwrap_or_default();
    let mut event = Event::decode(known_record(known, TicketingFile::Events, 1)).unwrap_or_default();
    event.version = Version::Current;
    event.set_priority(sale.slot, Priority::MultiTrip);
    let contract = Contract {
        version: Version::Current,
        tariff: Priority::MultiTrip,
        sold: sale.today,
        end: environment.end,
        ..Contract::default()
    };
    transaction.prepare(UpdateRecord { sfi: contracts, record: sale.slot, data: &contract.encode() })?;
    transaction.prepare(SetCounter { sfi: counters, counter: sale.slot, to: sale.trips })?;
    transaction.prepare(UpdateRecord { sfi: TicketingFile::Events.sfi(), record: 1, data: &event.encode() })?;
    transaction.prepare(CloseSession)?;
    run(transaction, card, sam, ChannelControl::CloseAfter)?;
    Ok(contract)
}
