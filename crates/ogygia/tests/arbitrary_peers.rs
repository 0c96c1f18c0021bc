//! Whatever an application prepares and whatever the peers answer: the core does not panic, comes to an end, aborts what
//! it gives up, and takes back what an aborted session did to the image.
//!
//! Everything is drawn from fixed seeds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

#[path = "arbitrary/operations.rs"]
mod operations;
#[path = "arbitrary/peers.rs"]
mod peers;

use std::cell::RefCell;
use std::collections::HashSet;

use ogygia::apdu::Batch;
use ogygia::card::{Card, DirectoryHeader, FileHeader, Purse};
use ogygia::command::{Command, OpenSession};
use ogygia::transaction::{Security, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Misuse, Peer};
use operations::{Act, acts, card, security};
use peers::{Peers, Twists, only_twists, twists};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// More requests than any list that is drawn here can take.
const MOST_REQUESTS: usize = 200;

fn runner(seed: u64, cases: u32) -> TestRunner {
    let rng_seed = RngSeed::Fixed(seed);
    TestRunner::new(ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() })
}

/// Peers that mostly answer as they should.
#[test]
fn a_few_wrong_answers() {
    let reached = RefCell::new(Reached::default());
    let cards = prop::collection::vec((acts(), twists(), any::<bool>()), 1..4);
    let run = runner(1, 1500).run(&(card(), security(), cards), |(card, security, cards)| {
        serve(&card, security, cards, &mut reached.borrow_mut());
        Ok(())
    });
    run.unwrap();
    let reached = reached.into_inner();
    assert!(reached.successes > 1500 && reached.committed > 500, "{reached:?}");
    assert!(reached.aborted > 300 && reached.taken_back > 100, "{reached:?}");
    assert_eq!(reached.fates.len(), 5, "{reached:?}");
    assert!(reached.both > 1000, "{reached:?}");
}

/// Peers that answer anything.
#[test]
fn only_wrong_answers() {
    let reached = RefCell::new(Reached::default());
    let run = runner(2, 500).run(&(card(), security(), acts(), only_twists()), |(card, security, acts, twists)| {
        serve(&card, security, vec![(acts, twists, false)], &mut reached.borrow_mut());
        Ok(())
    });
    run.unwrap();
    let reached = reached.into_inner();
    assert!(reached.failures > 300, "{reached:?}");
}

/// How far the runs got, so that what is drawn here does not become harmless unnoticed.
#[derive(Debug, Default)]
struct Reached {
    successes: u32,
    failures: u32,
    committed: u32,
    aborted: u32,
    /// Aborts that changed the image.
    taken_back: u32,
    fates: HashSet<Fate>,
    /// Both peers were asked at once.
    both: u32,
}

/// Several cards one after the other, in the same memory.
fn serve(card: &Card, security: Security, cards: Vec<(Vec<Act>, Twists, bool)>, reached: &mut Reached) {
    let mut terminal = Terminal::new(Transaction::new(card.clone(), security).unwrap(), reached);
    for (acts, twists, postpones) in cards {
        terminal.transaction.restart(card).unwrap();
        terminal.peers = Peers::new(twists, postpones);
        for act in acts {
            terminal.act(act);
        }
        terminal.process(true);
    }
}

/// Number and bytes of the known records of a file.
type Records = Vec<(u32, Vec<u8>)>;

/// What a session that is aborted takes back.
#[derive(Clone, Debug, PartialEq)]
struct Content {
    files: Vec<(u8, Option<FileHeader>, Records)>,
    invalidated: bool,
    directory: Option<DirectoryHeader>,
    purse: Option<Purse>,
}

impl Content {
    fn of(card: &Card) -> Self {
        let files = card.files().iter().map(|file| {
            let records = file.records().map(|(number, bytes)| (number, bytes.to_vec())).collect();
            (file.sfi().0, file.header().copied(), records)
        });
        Self {
            files: files.collect(),
            invalidated: card.invalidated(),
            directory: card.directory_header().copied(),
            purse: card.purse(),
        }
    }
}

struct Terminal<'a> {
    reached: &'a mut Reached,
    transaction: Transaction,
    peers: Peers,
    /// Whether there is a command to process.
    prepared: bool,
    /// What the image held when no session was open last.
    before_session: Content,
    /// Whose answer comes first when both are asked.
    coins: u32,
}

impl<'a> Terminal<'a> {
    fn new(transaction: Transaction, reached: &'a mut Reached) -> Self {
        let before_session = Content::of(transaction.card());
        let peers = Peers::new(Twists::new(), false);
        Self { reached, transaction, peers, prepared: false, before_session, coins: 0x9E37_79B9 }
    }

    /// Heads or tails.
    fn toss(&mut self) -> bool {
        self.coins = self.coins.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.coins >> 31 == 0
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Prepare(command) => self.prepare(command),
            Act::Process(close) => self.process(close),
            Act::Abandon => {
                self.transaction.abandon().unwrap();
                self.finish_giving_up(Misuse::Abandoned.into());
            }
            Act::Sign(compute) => drop(self.transaction.prepare_signature(&compute)),
            Act::Verify(verify) => drop(self.transaction.prepare_verification(&verify)),
            Act::Prefetch => {
                if self.transaction.prefetch_challenge().is_ok() {
                    self.drive().unwrap().ok();
                }
            }
        }
    }

    fn prepare(&mut self, command: Command<'static>) {
        if matches!(command, Command::OpenSession(OpenSession { .. })) {
            // So that what the image holds when the session opens is known here.
            self.process(false);
        }
        // Setting a counter to the value that it has takes no command.
        let takes_commands = !matches!(command, Command::SetCounter(_));
        match self.transaction.prepare(command) {
            Ok(()) => self.prepared |= takes_commands,
            Err(error) => self.finish_giving_up(error),
        }
    }

    /// A refused preparation, or giving up, leaves nothing to do but an abort.
    fn finish_giving_up(&mut self, error: Error) {
        self.prepared = false;
        if self.transaction.poll(Peer::Card).is_some() {
            assert!(self.transaction.is_session_open());
            assert!(self.is_aborting());
            assert_eq!(self.drive(), Some(Err(error)));
        }
    }

    fn process(&mut self, close: bool) {
        let channel = if close { ChannelControl::CloseAfter } else { ChannelControl::KeepOpen };
        self.transaction.process(channel).unwrap();
        let prepared = std::mem::take(&mut self.prepared);
        let Err(error) = self.drive().unwrap() else {
            self.reached.successes += 1;
            return;
        };
        assert!(!(prepared && self.transaction.is_session_open()), "what failed is over");
        self.reached.failures += 1;
        if let Error::Lost { fate, .. } = error {
            self.reached.fates.insert(fate);
        }
    }

    /// Carries requests until there are none, and returns the outcome.
    fn drive(&mut self) -> Option<Result<(), Error>> {
        for _ in 0..MOST_REQUESTS {
            if let Some(outcome) = self.transaction.outcome() {
                assert_eq!(self.transaction.outcome(), None, "an outcome is taken once");
                // The SAM may go on, and may have answered before the application does anything else.
                while self.transaction.poll(Peer::Sam).is_some() && self.toss() {
                    self.carry(Peer::Sam);
                }
                return Some(outcome);
            }
            match [Peer::Card, Peer::Sam].map(|peer| self.transaction.poll(peer).is_some()) {
                [false, false] => return None,
                [true, true] => {
                    self.reached.both += 1;
                    let first = if self.toss() { Peer::Card } else { Peer::Sam };
                    self.disturb(first, None);
                    self.carry(first);
                }
                [true, false] => {
                    self.disturb(Peer::Card, Some(Peer::Sam));
                    self.carry(Peer::Card);
                }
                [false, true] => {
                    self.disturb(Peer::Sam, Some(Peer::Card));
                    self.carry(Peer::Sam);
                }
            }
        }
        panic!("it does not come to an end");
    }

    fn polled(&self, peer: Peer) -> Vec<Vec<u8>> {
        self.transaction.poll(peer).unwrap().commands.iter().map(<[u8]>::to_vec).collect()
    }

    fn is_aborting(&self) -> bool {
        self.polled(Peer::Card) == [[self.transaction.card().class().byte(), 0x8E, 0x00, 0x00, 0x00]]
    }

    /// What must not change anything while `peer` is asked: polling, answers of one that is not, the application.
    fn disturb(&mut self, peer: Peer, other: Option<Peer>) {
        let before = (self.polled(peer), format!("{:?}", self.transaction));
        let batch: Batch = [&[0x90, 0x00][..]].into_iter().collect();
        let card = self.transaction.card().clone();
        if let Some(other) = other {
            assert_eq!(self.transaction.handle(other, &batch), Err(Misuse::NotAsked.into()));
            assert_eq!(self.transaction.handle_lost(other, Loss::Peer, &batch), Err(Misuse::NotAsked.into()));
        }
        assert_eq!(self.transaction.outcome(), None);
        assert_eq!(self.transaction.process(ChannelControl::CloseAfter), Err(Misuse::Busy.into()));
        assert_eq!(self.transaction.prepare(ogygia::command::CloseSession), Err(Misuse::Busy.into()));
        assert_eq!(self.transaction.abandon(), Err(Misuse::Busy.into()));
        assert_eq!(self.transaction.restart(&card), Err(Misuse::Busy.into()));
        assert_eq!((self.polled(peer), format!("{:?}", self.transaction)), before);
    }

    /// Carries the request of `peer` there and the answers back.
    fn carry(&mut self, peer: Peer) {
        let request = self.transaction.poll(peer).unwrap();
        let came = self.peers.answer(&request);
        let cancels = request.commands.iter().any(|command| matches!(command, [_, 0x8E, 0x00, 0x00, 0x00]));
        let alone = peer == Peer::Card && cancels && request.commands.len() == 1;
        let open = self.transaction.is_session_open();
        let committed = self.transaction.session().committed;
        let before = Content::of(self.transaction.card());
        if !open {
            self.before_session = before.clone();
        }
        match came.lost {
            None => self.transaction.handle(peer, &came.answers).unwrap(),
            Some(loss) => self.transaction.handle_lost(peer, loss, &came.answers).unwrap(),
        }
        let committed = self.transaction.session().committed - committed;
        self.reached.committed += committed;
        if open && !self.transaction.is_session_open() && committed == 0 {
            assert!(cancels, "a session ends by its closing, or by an abort");
            self.reached.aborted += 1;
            if alone {
                assert_eq!(Content::of(self.transaction.card()), self.before_session, "an abort takes everything back");
                self.reached.taken_back += u32::from(before != self.before_session);
            }
        }
    }
}
