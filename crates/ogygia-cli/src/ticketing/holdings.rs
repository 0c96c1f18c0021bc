//! What a card holds, read in one go: loading and control begin with it.

use ogygia::Error;
use ogygia::card::Card;
use ogygia::command::{ReadCounters, ReadRecords};
use ogygia::transaction::Transaction;

use super::layout::{TicketingFile, slots};
use super::{Contract, Environment, Event, RECORD_SIZE, known_record};

/// Everything that the application keeps on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holdings {
    /// Who issued the card, until when it works.
    pub environment: Environment,
    /// The latest event. Slots that the product does not have are blank in it.
    pub event: Event,
    /// One for each slot of the product.
    pub contracts: Vec<Contract>,
    /// One for each slot of the product.
    pub counters: Vec<u32>,
}

impl Holdings {
    /// Prepares to read everything.
    ///
    /// # Errors
    ///
    /// What the transaction has against it.
    pub(super) fn prepare(transaction: &mut Transaction) -> Result<(), Error> {
        let slots = slots(transaction.card().product());
        let records = [(TicketingFile::Environment, 1), (TicketingFile::Events, 1), (TicketingFile::Contracts, slots)];
        for (file, last) in records {
            transaction.prepare(ReadRecords { sfi: file.sfi(), records: 1..=last, size: RECORD_SIZE })?;
        }
        transaction.prepare(ReadCounters { sfi: TicketingFile::Counters.sfi(), count: slots })
    }

    /// What was read, from the image.
    pub(super) fn of(card: &Card) -> Self {
        let slots = slots(card.product());
        let record = |file, number| known_record(card, file, number);
        let counters = card.file(TicketingFile::Counters.sfi());
        let counter = |slot| counters.as_ref().and_then(|file| file.counter(slot)).unwrap_or_default();
        let contract = |slot| Contract::decode(record(TicketingFile::Contracts, slot)).unwrap_or_default();
        Self {
            environment: Environment::decode(record(TicketingFile::Environment, 1)).unwrap_or_default(),
            event: Event::decode(record(TicketingFile::Events, 1)).unwrap_or_default().of_slots(slots),
            contracts: (1..=slots).map(contract).collect(),
            counters: (1..=slots).map(counter).collect(),
        }
    }

    /// The slots of the product with their contracts and counters, from 1 on.
    pub fn slots(&self) -> impl Iterator<Item = (u8, &Contract, u32)> {
        (1..).zip(&self.contracts).zip(&self.counters).map(|((slot, contract), counter)| (slot, contract, *counter))
    }
}
