//! Two threads do what one loop does, at the same time; and nothing is lost when a reader is.
//!
//! Nothing waits for a clock: readers that have to meet wait for each other.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::mpsc::{Receiver, Sender, channel};

use ogygia::apdu::Batch;
use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    AppendRecord, CancelSession, ChangeCounter, CloseSession, CounterChange, OpenSession, ReadCounters, ReadRecords,
};
use ogygia::drive::{Channel, Driver, InTurn};
use ogygia::sam::Sam;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Peer, Request};
use ogygia_reader::Readers;
use ogygia_sim::{CardLink, Fault, KeySet, Link, Profile, Recorder, SamLink, SamProduct, VirtualCard, VirtualSam};

const NAME: [u8; 8] = [0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91, 0x01];
const COUNTERS: Sfi = Sfi(0x19);

fn select(card: &mut VirtualCard) -> Card {
    let command = [&[0x00, 0xA4, 0x04, 0x00, 0x08], &NAME[..], &[0x00]].concat();
    Card::from_select_response(&card.transmit(&command)).unwrap()
}

struct Desk {
    card: CardLink,
    sam: SamLink,
    transaction: Transaction,
    recorder: Recorder,
}

impl Desk {
    fn new(policy: Policy) -> Self {
        let keys = KeySet::new(b"readers");
        let profile = Profile::builtin("kit-prime-regular-v3").unwrap().unwrap();
        let mut card = VirtualCard::new(&profile, &keys).unwrap();
        assert!(card.set_record(0x2069, 1, &[0, 0, 10]));
        let sam = VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &keys);
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(sam.power_on_data()));
        settings.policy = policy;
        settings.ratification_command = true;
        let transaction = Transaction::new(select(&mut card), Security::Symmetric(settings)).unwrap();
        let recorder = Recorder::new();
        Self {
            card: Link::new(card).with_recorder(recorder.clone()),
            sam: Link::new(sam).with_recorder(recorder.clone()),
            transaction,
            recorder,
        }
    }
}

fn validate(readers: &mut impl Driver, transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    transaction.prepare(ReadRecords { sfi: Sfi(7), records: 1..=1, size: 29 })?;
    transaction.prepare(ReadCounters { sfi: COUNTERS, count: 1 })?;
    readers.run(transaction, ChannelControl::KeepOpen)?;
    let down = ChangeCounter { change: CounterChange::Decrease, sfi: COUNTERS, counter: 1, by: 1 };
    transaction.prepare(down)?;
    transaction.prepare(AppendRecord { sfi: Sfi(8), data: &[0xA1; 29] })?;
    transaction.prepare(CloseSession)?;
    readers.run(transaction, ChannelControl::KeepOpen)
}

fn told(recorder: &Recorder, peer: Peer) -> Vec<u8> {
    let exchanges = recorder.exchanges();
    let to_peer = exchanges.into_iter().filter(|exchange| exchange.peer == peer);
    to_peer.map(|exchange| *exchange.command.get(1).unwrap()).collect()
}

#[test]
fn as_one_loop_does_it() {
    let Desk { card, sam, mut transaction, recorder } = Desk::new(Policy::Grouped);
    validate(&mut InTurn { card, sam }, &mut transaction).unwrap();
    let expected = [Peer::Card, Peer::Sam].map(|peer| told(&recorder, peer));
    for policy in [Policy::Grouped, Policy::Overlapped] {
        let Desk { card, sam, mut transaction, recorder } = Desk::new(policy);
        let mut readers = Readers::new(card, sam).unwrap();
        validate(&mut readers, &mut transaction).unwrap();
        readers.settle(&mut transaction).unwrap();
        assert!(transaction.session().authenticated.is_some() && transaction.session().ratified);
        assert_eq!(transaction.card().file(COUNTERS).unwrap().counter(1), Some(9));
        let [card, sam] = [Peer::Card, Peer::Sam].map(|peer| told(&recorder, peer));
        assert_eq!(card, *expected.first().unwrap());
        let without_updates = |told: &[u8]| told.iter().copied().filter(|ins| *ins != 0x8C).collect::<Vec<_>>();
        assert_eq!(without_updates(&sam), without_updates(expected.last().unwrap()));
    }
}

/// A reader that carries a request with this instruction only when the other one has arrived at its own.
struct Meeting<C> {
    inner: C,
    at: u8,
    here: Sender<()>,
    there: Receiver<()>,
    met: bool,
}

impl<C: Channel> Channel for Meeting<C> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        if !self.met && request.commands.iter().any(|command| command.get(1) == Some(&self.at)) {
            self.met = true;
            self.here.send(()).unwrap();
            self.there.recv().unwrap();
        }
        self.inner.transmit(request, responses)
    }
}

/// Each of these pairs is at work at the same time: otherwise one would wait for ever.
#[test]
fn both_at_the_same_time() {
    // The opening and the diversifier; the ratification and the verification.
    for (at_card, at_sam) in [(0x8A, 0x14), (0xB2, 0x8A), (0x30, 0x8E)] {
        let Desk { card, sam, mut transaction, .. } = Desk::new(Policy::Overlapped);
        let (from_card, at_the_sam) = channel();
        let (from_sam, at_the_card) = channel();
        let card = Meeting { inner: card, at: at_card, here: from_card, there: at_the_card, met: false };
        let sam = Meeting { inner: sam, at: at_sam, here: from_sam, there: at_the_sam, met: false };
        let mut readers = Readers::new(card, sam).unwrap();
        validate(&mut readers, &mut transaction).unwrap();
        assert!(transaction.session().authenticated.is_some());
    }
}

#[test]
fn losses_are_told() {
    for policy in [Policy::Grouped, Policy::Overlapped] {
        let Desk { card, sam, mut transaction, .. } = Desk::new(policy);
        let card = card.with_fault(Fault::before(1, Loss::Peer));
        let mut readers = Readers::new(card, sam).unwrap();
        let lost = Error::Lost { peer: Peer::Card, loss: Loss::Peer, fate: Fate::NotCommitted };
        assert_eq!(validate(&mut readers, &mut transaction), Err(lost));

        let Desk { card, sam, mut transaction, recorder } = Desk::new(policy);
        let sam = sam.with_fault(Fault::before(1, Loss::Reader));
        let mut readers = Readers::new(card, sam).unwrap();
        let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Reader, fate: Fate::NotCommitted };
        assert_eq!(validate(&mut readers, &mut transaction), Err(lost));
        assert_eq!(told(&recorder, Peer::Card).last(), Some(&0x8E), "the session is aborted");
    }
}

/// A reader whose driver panics.
struct Broken;

impl Channel for Broken {
    fn transmit(&mut self, _request: &Request<'_>, _responses: &mut Batch) -> Result<(), Loss> {
        std::panic::resume_unwind(Box::new("a driver that is broken"));
    }
}

/// It is lost, now and later.
#[test]
fn a_reader_that_panics_is_lost() {
    let Desk { card, mut transaction, .. } = Desk::new(Policy::Overlapped);
    let image = transaction.card().clone();
    let mut readers = Readers::new(card, Broken).unwrap();
    let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Reader, fate: Fate::Untouched };
    for _ in 0..3 {
        assert_eq!(validate(&mut readers, &mut transaction), Err(lost));
        transaction.restart(&image).unwrap();
    }
}

/// A SAM that selects a diversifier only when it is told to.
struct Held {
    inner: SamLink,
    go: Receiver<()>,
}

impl Channel for Held {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        if request.commands.iter().any(|command| command.get(1) == Some(&0x14)) {
            self.go.recv().unwrap();
        }
        self.inner.transmit(request, responses)
    }
}

/// What the SAM still does for a transaction that is over is not handed to the next one.
#[test]
fn an_answer_for_another_transaction() {
    let Desk { card, sam, mut transaction, .. } = Desk::new(Policy::Overlapped);
    let Desk { transaction: mut next, .. } = Desk::new(Policy::Overlapped);
    let (go, held) = channel();
    let mut readers = Readers::new(card, Held { inner: sam, go: held }).unwrap();
    transaction.prepare(OpenSession { level: Level::Debit }).unwrap();
    transaction.prepare(CancelSession).unwrap();
    readers.run(&mut transaction, ChannelControl::KeepOpen).unwrap();
    // The card is done; the SAM is not. The next transaction has to wait for it, and then selects itself.
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(validate(&mut readers, &mut next), Ok(()));
    assert!(next.session().authenticated.is_some());
}

/// On the side of the terminal; the simulator behind the threads allocates as it likes. One peer at a time, so that all
/// requests have the same sizes every time: with both, how much is digested at once depends on who is faster.
#[test]
fn nothing_is_allocated_once_warm() {
    let Desk { card, sam, mut transaction, .. } = Desk::new(Policy::Grouped);
    let image = transaction.card().clone();
    let mut readers = Readers::new(card, sam).unwrap();
    for _ in 0..2 {
        validate(&mut readers, &mut transaction).unwrap();
        transaction.restart(&image).unwrap();
    }
    let counted = allocation_counter::measure(|| validate(&mut readers, &mut transaction).unwrap());
    assert_eq!(counted.count_total, 0);
}
