//! Scenarios 5, 6 and 7 of the specification, step by step: specification 02, "Reference scenarios and exchange
//! counts". What the terminal would decide between the steps is taken as decided.

use ogygia::card::{Level, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, Command, CounterChange, OpenSession, ReadCounters, ReadRecord,
    ReadRecords, UpdateRecord,
};
use ogygia::drive::run;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};

use super::{Change, Done, Outcome, Stage, is_authenticated, setup};
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::{Terminal, placeholder};
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};
use crate::ticketing::values::{counters, u24_bytes};
use crate::ticketing::{Contract, Event, Moment, RECORD_SIZE};

/// The contract that is used, and its counter.
const SLOT: u8 = 1;
/// The other contract that a sale looks at.
const OTHER_SLOT: u8 = 2;
const TRIPS_SOLD: u32 = 10;

/// Scenario 5 when the challenge is fetched before the card comes, scenario 6 when not.
pub(super) fn validation(stage: &mut Stage, prefetch: bool) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    let terminal = &mut stage.terminal;
    let mut transaction = Transaction::new(placeholder()?, terminal.security(true))?;
    if prefetch {
        terminal.prefetch(&mut transaction)?;
    }
    terminal.log.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    transaction.restart(&card)?;

    terminal.log.begin(Phase::Transaction);
    let counters = TicketingFile::Counters.sfi();
    let steps: [&[Command<'_>]; 5] = [
        &[OpenSession { level: Level::Debit }.into(), record(TicketingFile::Environment.sfi(), 1)],
        &[record(TicketingFile::Events.sfi(), 1)],
        &[record(CONTRACT_LIST, 1)],
        &[record(TicketingFile::Contracts.sfi(), SLOT)],
        &[ReadCounters { sfi: counters, count: SLOT }.into()],
    ];
    for step in steps {
        process(&mut transaction, terminal, step, ChannelControl::KeepOpen)?;
    }
    let before = Event::decode(&known(&transaction, TicketingFile::Events.sfi(), 1)).unwrap_or_default();
    let trips = transaction.card().file(counters).and_then(|file| file.counter(SLOT)).unwrap_or_default();
    let event = Event { at: stage.now, location: stage.location, contract_used: SLOT, ..before };
    let data = event.encode();
    let last: [Command<'_>; 3] = [
        ChangeCounter { change: CounterChange::Decrease, sfi: counters, counter: SLOT, by: 1 }.into(),
        AppendRecord { sfi: TicketingFile::Events.sfi(), data: &data }.into(),
        CloseSession.into(),
    ];
    process(&mut transaction, terminal, &last, ChannelControl::CloseAfter)?;
    if prefetch {
        terminal.prefetch(&mut transaction)?;
    }
    let left = transaction.card().file(counters).and_then(|file| file.counter(SLOT)).unwrap_or_default();
    Ok(Done {
        outcome: Outcome::Success,
        authenticated: is_authenticated(&transaction),
        decided: vec!["Nothing: the steps of the specification are played as they stand.".to_owned()],
        changed: vec![
            Change::new(format!("{}, record 1", TicketingFile::Events), before, event),
            Change::new(format!("{}, counter {SLOT}", TicketingFile::Counters), trips, left),
        ],
        result: format!("accepted: contract {SLOT}, {left} left"),
    })
}

/// Scenario 7: trips are added to a contract.
pub(super) fn sale(stage: &mut Stage) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    let terminal = &mut stage.terminal;
    let (environment, contracts) = (TicketingFile::Environment.sfi(), TicketingFile::Contracts.sfi());
    let read = |sfi| Command::from(ReadRecord { sfi, record: 1 });
    terminal.log.begin(Phase::Selection);
    let card = terminal.select_with(VALIDATOR, false, &[read(environment), read(CONTRACT_LIST)])?;
    let mut transaction = Transaction::new(card, terminal.security(false))?;

    terminal.log.begin(Phase::Transaction);
    let all_counters = TicketingFile::Counters.sfi();
    let first = [
        OpenSession { level: Level::Load }.into(),
        record(environment, 1),
        record(CONTRACT_LIST, 1),
        record(contracts, SLOT),
        record(contracts, OTHER_SLOT),
        record(all_counters, 1),
    ];
    process(&mut transaction, terminal, &first, ChannelControl::KeepOpen)?;
    let sale = Sale::of(&transaction, stage.now);
    let data = sale.contract.encode();
    let second: [Command<'_>; 4] = [
        UpdateRecord { sfi: CONTRACT_LIST, record: 1, data: &sale.list }.into(),
        UpdateRecord { sfi: contracts, record: SLOT, data: &data }.into(),
        UpdateRecord { sfi: all_counters, record: 1, data: &sale.counters }.into(),
        CloseSession.into(),
    ];
    process(&mut transaction, terminal, &second, ChannelControl::CloseAfter)?;
    let left = sale.trips + TRIPS_SOLD;
    Ok(Done {
        outcome: Outcome::Success,
        authenticated: is_authenticated(&transaction),
        decided: vec![
            "Environment and list came with the selection; they are read again in the session, where they are \
             authenticated."
                .to_owned(),
        ],
        changed: vec![
            Change::new(format!("{}, record {SLOT}", TicketingFile::Contracts), sale.old_contract, sale.contract),
            Change::new(format!("{}, counter {SLOT}", TicketingFile::Counters), sale.trips, left),
        ],
        result: format!("sold: {TRIPS_SOLD} trips more in contract {SLOT}, {left} now"),
    })
}

/// What a sale writes.
struct Sale {
    old_contract: Contract,
    contract: Contract,
    trips: u32,
    /// The ticketing application gives the list no structure: here, the tariff of the contract sold comes first.
    list: Vec<u8>,
    counters: Vec<u8>,
}

impl Sale {
    fn of(transaction: &Transaction, now: Moment) -> Self {
        let old_contract = Contract::decode(&known(transaction, TicketingFile::Contracts.sfi(), SLOT));
        let old_contract = old_contract.unwrap_or_default();
        let mut list = known(transaction, CONTRACT_LIST, 1);
        if let Some(first) = list.first_mut() {
            *first = old_contract.tariff.into();
        }
        let mut record = known(transaction, TicketingFile::Counters.sfi(), 1);
        let trips = counters(&record).first().copied().unwrap_or_default();
        if let Some(counter) = record.first_chunk_mut::<3>() {
            *counter = u24_bytes(trips + TRIPS_SOLD);
        }
        let contract = Contract { sold: now.date, ..old_contract };
        Self { old_contract, contract, trips, list, counters: record }
    }
}

fn record(sfi: Sfi, number: u8) -> Command<'static> {
    ReadRecords { sfi, records: number..=number, size: RECORD_SIZE }.into()
}

fn known(transaction: &Transaction, sfi: Sfi, number: u8) -> Vec<u8> {
    transaction.card().file(sfi).and_then(|file| file.record(number)).unwrap_or_default().to_vec()
}

fn process(
    transaction: &mut Transaction,
    terminal: &mut Terminal,
    step: &[Command<'_>],
    channel: ChannelControl,
) -> Result<(), Error> {
    for command in step {
        transaction.prepare(command.clone())?;
    }
    run(transaction, &mut terminal.card, &mut terminal.sam, channel)
}
