//! Transactions of one to many commands, files or records: twice as many must cost twice as much, and not four times.
//! `count-instructions` judges that of each two sizes of which one is the double of the other.
//!
//! Answers are given once, by peers that find everything right, and replayed afterwards.

use std::iter;

use ogygia::apdu::Batch;
use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, OpenSession, ReadCounters, ReadRecords, SetCounter, UpdateRecord,
};
use ogygia::sam::Sam;
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Peer};

use super::validation::SAM;
use super::{Prepare, Work};

/// As those of a validation are, but for its session buffer: 1 MiB.
const SELECTED: &[u8] = &[
    0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x37, 0x3C, 0x20, 0x05, 0x14, 0x10, 0x01, 0x90,
    0x00,
];

/// The same operations in each of these sizes.
macro_rules! growths {
    ($($what:literal $operations:ident [$($count:literal)*])*) => {
        &[$($((concat!("growth-", $what, "-", $count), || grow($operations, $count)),)*)*]
    };
}

/// Every growth, as it is reported: what grows, and how large it is.
pub(crate) const ALL: &[(&str, Prepare)] = growths! {
    "readings" readings [1 10 50 100 200]
    "writings" writings [1 10 50 100 200]
    "additions" additions [1 10 50 100 200]
    "counter-changes" counter_changes [1 10 50 100 200]
    "counters-set" counters_set [1 10 50 100 200]
    "files" files [1 15 30]
};

const LOG: Sfi = Sfi(0x08);
const CONTRACTS: Sfi = Sfi(0x09);
const COUNTERS: Sfi = Sfi(0x19);
const DATA: &[u8] = &[0x40; 29];

/// Prepares so many operations in a session that is open.
type Operations = fn(&mut Transaction, u8) -> Result<(), Error>;

/// Each another record of one file.
fn readings(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (1..=count)
        .try_for_each(|record| transaction.prepare(ReadRecords { sfi: CONTRACTS, records: record..=record, size: 29 }))
}

/// The same.
fn writings(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (1..=count).try_for_each(|record| transaction.prepare(UpdateRecord { sfi: CONTRACTS, record, data: DATA }))
}

/// A record added to one file, then one changed in another.
fn additions(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (0..count).try_for_each(|_| {
        transaction.prepare(AppendRecord { sfi: LOG, data: DATA })?;
        transaction.prepare(UpdateRecord { sfi: CONTRACTS, record: 1, data: DATA })
    })
}

/// All of one counter, so that each answer follows from the one before.
fn counter_changes(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (0..count).try_for_each(|_| transaction.prepare(ChangeCounter::increase(COUNTERS, 1, 1)))
}

/// All of one counter, so that what it was is what the operations before make of it.
fn counters_set(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (1..=count).try_for_each(|to| transaction.prepare(SetCounter { sfi: COUNTERS, counter: 1, to: u32::from(to) }))
}

/// The first record of each.
fn files(transaction: &mut Transaction, count: u8) -> Result<(), Error> {
    (1..=count).try_for_each(|sfi| transaction.prepare(UpdateRecord { sfi: Sfi(sfi), record: 1, data: DATA }))
}

/// A session with so many operations, again and again.
fn grow(operations: Operations, count: u8) -> Work {
    let mut run = Run::new(operations, count);
    Box::new(move || {
        let replayed = run.as_mut().map_err(|wrong| *wrong).and_then(Run::replay);
        assert_eq!(replayed, Ok(()));
    })
}

struct Run {
    card: Card,
    transaction: Transaction,
    operations: Operations,
    count: u8,
    /// Until the session is open, and the counters known; then until it is closed.
    answers: [Vec<(Peer, Batch)>; 2],
}

impl Run {
    fn new(operations: Operations, count: u8) -> Result<Self, Error> {
        let settings = SymmetricSettings::new(Sam::from_power_on_data(SAM));
        let mut card = Card::blank();
        assert_eq!(card.reset(Some(SELECTED), &[]), Ok(()));
        let transaction = Transaction::new(card.clone(), Security::Symmetric(settings))?;
        let mut run = Self { card, transaction, operations, count, answers: Default::default() };
        run.record()?;
        Ok(run)
    }

    fn record(&mut self) -> Result<(), Error> {
        let mut increased = 0;
        for half in 0..self.answers.len() {
            self.prepare(half)?;
            let transaction = &mut self.transaction;
            while let Some(request) = [Peer::Card, Peer::Sam].into_iter().find_map(|peer| transaction.poll(peer)) {
                let peer = request.peer;
                let mut answers = Batch::new();
                for command in request.commands.iter() {
                    answers.push_with(|out| answer(peer, command, &mut increased, out));
                }
                transaction.handle(peer, &answers)?;
                if let Some(rounds) = self.answers.get_mut(half) {
                    rounds.push((peer, answers));
                }
            }
            assert_eq!(transaction.outcome(), Some(Ok(())), "the peers find everything right");
        }
        Ok(())
    }

    fn replay(&mut self) -> Result<(), Error> {
        self.transaction.restart(&self.card)?;
        for half in 0..self.answers.len() {
            self.prepare(half)?;
            for (peer, answers) in self.answers.get(half).into_iter().flatten() {
                self.transaction.handle(*peer, answers)?;
            }
            assert_eq!(self.transaction.outcome(), Some(Ok(())), "all was answered");
        }
        Ok(())
    }

    fn prepare(&mut self, half: usize) -> Result<(), Error> {
        let transaction = &mut self.transaction;
        if half == 0 {
            transaction.prepare(OpenSession { level: Level::Debit })?;
            transaction.prepare(ReadCounters { sfi: COUNTERS, count: 1 })?;
        } else {
            (self.operations)(transaction, self.count)?;
            transaction.prepare(CloseSession)?;
        }
        transaction.process(ChannelControl::KeepOpen)
    }
}

/// What the peers answer: whatever was asked for, in zeros; a counter that starts at 0 goes up by one.
fn answer(peer: Peer, command: &[u8], increased: &mut u8, out: &mut Vec<u8>) {
    let [_, ins, _, p2, last, ..] = *command else { return };
    match (peer, ins) {
        (Peer::Card, 0x8A) => {
            let read = if p2 >> 3 == COUNTERS.0 { 3 } else { 0 };
            out.extend_from_slice(&[0x03, 0x04, 0x90, 0x98, 0x00, 0x30, 0x79, read]);
            out.extend(iter::repeat_n(0, usize::from(read)));
        }
        (Peer::Card, 0xB2) | (Peer::Sam, 0x84 | 0x8E) => out.extend(iter::repeat_n(0, usize::from(last))),
        (Peer::Card, 0x32) => {
            *increased += 1;
            out.extend_from_slice(&[0, 0, *increased]);
        }
        (Peer::Card, 0x8E) => out.extend_from_slice(&[0; 4]),
        _ => {}
    }
    out.extend_from_slice(&[0x90, 0x00]);
}
