//! The reference scenarios of the specification, step by step: specification 02, "Reference scenarios and exchange
//! counts". What the terminal would decide between the steps is taken as decided.

mod extended;
mod multiple;
mod pin;
mod pki;
mod purse;
mod sale;
mod signature;
mod validation;

pub(super) use extended::{authentication as extended_authentication, encryption as extended_encryption};
pub(super) use multiple::multiple_sessions;
pub(super) use pin::{change_key_and_pin, pin_in_session, plain_pin};
pub(super) use pki::pki;
pub(super) use purse::{sv_in_session, sv_outside_session};
pub(super) use sale::sale;
pub(super) use signature::{signature_in_session, signature_outside_session};
pub(super) use validation::validation;

use ogygia::card::Sfi;
use ogygia::command::{AppendRecord, ChangeCounter, CloseSession, Command, CounterChange, ReadRecord, ReadRecords};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use crate::terminal::Terminal;
use crate::ticketing::layout::TicketingFile;
use crate::ticketing::{Event, Location, Moment, RECORD_SIZE, settle};

/// The contract that is used, and its counter.
const SLOT: u8 = 1;

fn record(sfi: Sfi, number: u8) -> Command<'static> {
    ReadRecords { sfi, records: number..=number, size: RECORD_SIZE }.into()
}

fn known(transaction: &Transaction, sfi: Sfi, number: u8) -> Vec<u8> {
    transaction.card().file(sfi).and_then(|file| file.record(number)).unwrap_or_default().to_vec()
}

/// Prepares the commands of a step, and processes them. No error leaves a session open.
fn process(
    transaction: &mut Transaction,
    terminal: &mut Terminal,
    step: &[Command<'_>],
    channel: ChannelControl,
) -> Result<(), Error> {
    let prepared = step.iter().try_for_each(|command| transaction.prepare(command.clone()));
    let done = prepared.and_then(|()| terminal.run(transaction, channel));
    settle(done, transaction, terminal)
}

/// Reads the last event together with the selection, in the scenarios that append one without having read it in their
/// session: the priorities of the contracts go on.
fn read_event() -> Command<'static> {
    ReadRecord { sfi: TicketingFile::Events.sfi(), record: 1 }.into()
}

/// What a validation writes, in the scenarios that end as one.
struct Validation {
    event: Event,
}

impl Validation {
    /// From what `transaction` has read.
    fn of(transaction: &Transaction, now: Moment, location: Location) -> Self {
        let event_before = Event::decode(&known(transaction, TicketingFile::Events.sfi(), 1)).unwrap_or_default();
        let event = Event { at: now, location, contract_used: SLOT, ..event_before };
        Self { event }
    }

    /// Decrease, append, close: `event` is the record of the event.
    fn last_step<'a>(&self, event: &'a [u8]) -> [Command<'a>; 3] {
        let sfi = TicketingFile::Counters.sfi();
        [
            ChangeCounter { change: CounterChange::Decrease, sfi, counter: SLOT, by: 1 }.into(),
            AppendRecord { sfi: TicketingFile::Events.sfi(), data: event }.into(),
            CloseSession.into(),
        ]
    }

    fn result(&self, transaction: &Transaction) -> String {
        format!("accepted: contract {SLOT}, {} left", trips(transaction))
    }
}

fn trips(transaction: &Transaction) -> u32 {
    let counters = transaction.card().file(TicketingFile::Counters.sfi());
    counters.and_then(|file| file.counter(SLOT)).unwrap_or_default()
}
