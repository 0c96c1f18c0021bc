//! Both policies do the same: outcome, image, what the card is told, what the SAM digests, whatever an application
//! prepares and whoever answers first.
//!
//! Everything is drawn from fixed seeds.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

#[path = "arbitrary/operations.rs"]
mod operations;
#[path = "arbitrary/peers.rs"]
#[allow(dead_code, reason = "nothing is twisted here")]
mod peers;

use std::cell::Cell;

use ogygia::card::Card;
use ogygia::transaction::{Policy, Security, Transaction};
use ogygia::{ChannelControl, Error, Misbehaviour, Peer};
use operations::{Act, acts, card, security};
use peers::{Peers, Twists};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// Whose answer comes first when both are asked.
#[derive(Clone, Copy, Debug)]
enum First {
    Card,
    Sam,
    /// Now this, now that.
    Either,
}

/// All that a run is compared by.
#[derive(Debug, Default, PartialEq)]
struct Story {
    outcomes: Vec<Result<(), Error>>,
    /// What the card was told, and by what it is closed.
    card: Vec<Vec<u8>>,
    /// What the SAM digested: the openings, commands and answers of sessions, in order, and what was made of them.
    digest: Vec<Vec<u8>>,
    /// What the SAM was told besides.
    sam: Vec<Vec<u8>>,
    image: String,
}

/// Whether nothing but the selection of a diversifier stands between a challenge and the digest that begins.
#[derive(Debug, Default)]
struct Order {
    challenged: bool,
}

impl Order {
    fn follow(&mut self, command: &[u8]) {
        match command.get(1) {
            Some(0x84) => self.challenged = true,
            Some(0x14) => {}
            Some(0x8A) => assert!(core::mem::take(&mut self.challenged), "a digest begins without its challenge"),
            _ => self.challenged = false,
        }
    }
}

struct Terminal {
    transaction: Transaction,
    peers: Peers,
    first: First,
    coins: u32,
    story: Story,
    order: Order,
    both: u32,
}

impl Terminal {
    fn act(&mut self, act: &Act) {
        match act {
            Act::Prepare(command) => {
                let prepared = self.transaction.prepare(command.clone());
                if prepared.is_err() {
                    self.story.outcomes.push(prepared);
                    self.drive();
                }
            }
            Act::Process(close) => self.process(*close),
            Act::Abandon => {
                self.transaction.abandon().unwrap();
                self.drive();
            }
            Act::Sign(compute) => drop(self.transaction.prepare_signature(compute)),
            Act::Verify(verify) => drop(self.transaction.prepare_verification(verify)),
            Act::Prefetch => {
                if self.transaction.prefetch_challenge().is_ok() {
                    self.drive();
                }
            }
        }
    }

    fn process(&mut self, close: bool) {
        let channel = if close { ChannelControl::CloseAfter } else { ChannelControl::KeepOpen };
        self.transaction.process(channel).unwrap();
        self.drive();
    }

    fn drive(&mut self) {
        for _ in 0..500 {
            if let Some(outcome) = self.transaction.outcome() {
                return self.story.outcomes.push(outcome);
            }
            let asked = [Peer::Card, Peer::Sam].map(|peer| self.transaction.poll(peer).is_some());
            let peer = match asked {
                [false, false] => return,
                [true, false] => Peer::Card,
                [false, true] => Peer::Sam,
                [true, true] => {
                    self.both += 1;
                    self.coins = self.coins.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    match self.first {
                        First::Card => Peer::Card,
                        First::Sam => Peer::Sam,
                        First::Either if self.coins >> 31 == 0 => Peer::Card,
                        First::Either => Peer::Sam,
                    }
                }
            };
            self.carry(peer);
        }
        panic!("it does not come to an end");
    }

    fn carry(&mut self, peer: Peer) {
        let request = self.transaction.poll(peer).unwrap();
        let came = self.peers.answer(&request);
        for command in request.commands.iter().take(came.answers.len()) {
            match peer {
                Peer::Card => self.story.card.push(command.to_vec()),
                Peer::Sam | Peer::ControlSam => {
                    self.order.follow(command);
                    note_digested(command, &mut self.story.digest);
                    if command.get(1) != Some(&0x8C) {
                        self.story.sam.push(command.to_vec());
                    }
                }
            }
        }
        self.transaction.handle(peer, &came.answers).unwrap();
    }
}

/// Digest Init with its data; Digest Update block by block; what is made of the digest.
fn note_digested(command: &[u8], digest: &mut Vec<Vec<u8>>) {
    let &[_, ins, p1, p2, _, ref data @ ..] = command else { panic!("{command:02X?}") };
    match (ins, p1) {
        (0x8C, 0x80) => {
            let mut rest = data;
            while let Some((&len, blocks)) = rest.split_first() {
                let (block, behind) = blocks.split_at(usize::from(len));
                digest.push([&[0x8C, p2], block].concat());
                rest = behind;
            }
        }
        (0x8C | 0x8A | 0x8E | 0x88 | 0x82, _) => digest.push([&[ins, p2], data].concat()),
        _ => {}
    }
}

fn tell(card: &Card, security: &Security, acts: &[Act], postpones: bool, policy: Policy, first: First) -> (Story, u32) {
    let mut security = security.clone();
    if let Security::Symmetric(settings) = &mut security {
        settings.policy = policy;
    }
    let mut terminal = Terminal {
        transaction: Transaction::new(card.clone(), security).unwrap(),
        peers: Peers::new(Twists::new(), postpones),
        first,
        coins: 1,
        story: Story::default(),
        order: Order::default(),
        both: 0,
    };
    for act in acts {
        terminal.act(act);
    }
    terminal.process(true);
    terminal.story.image = format!("{:?} {:?}", terminal.transaction.card(), terminal.transaction.session());
    (terminal.story, terminal.both)
}

/// The card of these tests has counters but no records, so that a counter which was written as a record is not what it
/// should be. That shows where its answer is certain.
fn forgot(story: &Story) -> bool {
    story.outcomes.iter().any(|outcome| {
        matches!(outcome, Err(Error::PeerMisbehaved { peer: Peer::Card, how: Misbehaviour::NotAsPredicted, .. }))
    })
}

/// Every session that the card opened was closed with a MAC, and an operation followed each SV Get: of others, the SAM
/// may have been told more.
fn is_whole(story: &Story) -> bool {
    let told = |ins, len: usize| {
        let commands = story.card.iter();
        commands.filter(|command| command.get(1) == Some(&ins) && command.len() > len).count()
    };
    told(0x8A, 0) == told(0x8E, 5) && told(0x7C, 0) == told(0xB8, 0) + told(0xBA, 0) + told(0xBC, 0)
}

/// What was digested of sessions that were closed. Of others, the SAM need not have heard.
fn closed(story: &Story) -> Vec<&[Vec<u8>]> {
    let sessions = story.digest.chunk_by(|_, next| next.first() != Some(&0x8A));
    sessions.filter(|session| session.iter().any(|block| block.first() == Some(&0x8E))).collect()
}

/// The place of a command in its request is another one where it travels in another request.
fn without_place(outcome: Result<(), Error>) -> Result<(), Error> {
    outcome.map_err(|error| match error {
        Error::Status { peer, command, status, .. } => Error::Status { peer, index: 0, command, status },
        Error::PeerMisbehaved { peer, command, how, .. } => Error::PeerMisbehaved { peer, index: 0, command, how },
        Error::ResponseCount { peer, .. } => Error::ResponseCount { peer, commands: 0, responses: 0 },
        other => other,
    })
}

#[test]
fn both_policies_do_the_same() {
    let [compared, both, forgotten, whole] = [const { Cell::new(0) }; 4];
    let rng_seed = RngSeed::Fixed(7);
    let config = ProptestConfig { cases: 4000, rng_seed, failure_persistence: None, ..ProptestConfig::default() };
    let drawn = (card(), security(), acts(), any::<bool>());
    let run = TestRunner::new(config).run(&drawn, |(card, security, acts, postpones)| {
        let (grouped, never) = tell(&card, &security, &acts, postpones, Policy::Grouped, First::Card);
        assert_eq!(never, 0, "one peer at a time");
        for first in [First::Card, First::Sam, First::Either] {
            let (overlapped, at_once) = tell(&card, &security, &acts, postpones, Policy::Overlapped, first);
            both.set(both.get() + at_once);
            if forgot(&overlapped) || forgot(&grouped) {
                forgotten.set(forgotten.get() + 1);
                continue;
            }
            let outcomes = |story: &Story| story.outcomes.iter().copied().map(without_place).collect::<Vec<_>>();
            prop_assert_eq!(outcomes(&overlapped), outcomes(&grouped), "{:?}", first);
            prop_assert_eq!(&overlapped.image, &grouped.image, "{:?}", first);
            // What is refused is refused in another request: the card may have been told less, the SAM more.
            if grouped.outcomes.iter().all(Result::is_ok) {
                prop_assert_eq!(&overlapped.card, &grouped.card, "{:?}", first);
                prop_assert_eq!(closed(&overlapped), closed(&grouped), "{:?}", first);
                if is_whole(&grouped) {
                    prop_assert_eq!(&overlapped.sam, &grouped.sam, "{:?}", first);
                    whole.set(whole.get() + 1);
                }
                compared.set(compared.get() + 1);
            }
        }
        Ok(())
    });
    run.unwrap();
    assert!(compared.get() > 3000 && both.get() > 5000, "{compared:?} {both:?}");
    assert!(whole.get() > 2000, "{whole:?}");
    assert!(forgotten.get() < 400, "{forgotten:?}");
}
