//! Scenario 7: a sale over remote readers.

use ogygia::ChannelControl;
use ogygia::card::Level;
use ogygia::command::{CloseSession, Command, OpenSession, ReadRecord, UpdateRecord};
use ogygia::transaction::Transaction;

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, known, process, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};
use crate::ticketing::values::{counters, u24_bytes};
use crate::ticketing::{Contract, Moment};

/// The other contract that a sale looks at.
const OTHER_SLOT: u8 = 2;
const TRIPS_SOLD: u32 = 10;

/// Scenario 7: trips are added to a contract.
pub(in crate::scenario) fn sale(stage: &mut Stage) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    let (environment, contracts) = (TicketingFile::Environment.sfi(), TicketingFile::Contracts.sfi());
    let read = |sfi| Command::from(ReadRecord { sfi, record: 1 });
    terminal.begin(Phase::Selection);
    let card = terminal.select_with(VALIDATOR, false, &[read(environment), read(CONTRACT_LIST)])?;
    let mut transaction = Transaction::new(card, terminal.security(false))?;

    terminal.begin(Phase::Transaction);
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
        proofs: Proof::of_session(&transaction),
        decided: vec![
            "Environment and list came with the selection; they are read again in the session, where they are \
             authenticated."
                .to_owned(),
        ],
        changed: Vec::new(),
        result: format!("sold: {TRIPS_SOLD} trips more in contract {SLOT}, {left} now"),
    })
}

/// What a sale writes.
struct Sale {
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
        Self { contract, trips, list, counters: record }
    }
}
