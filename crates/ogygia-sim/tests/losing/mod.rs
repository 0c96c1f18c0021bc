//! Whatever is played, under both policies, it is lost at every command of every peer, in every way; and what the core
//! tells is compared with what is true of the card.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::HashSet;

use ogygia::apdu::Batch;
use ogygia::card::{Card, Sfi};
use ogygia::command::Command;
use ogygia::drive::{Channel, run};
use ogygia::sam::Sam;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Peer, Request};
use ogygia_sim::clock::{Clock, Model};
use ogygia_sim::{CardLink, Fault, KeySet, Link, Profile, SamLink, SamProduct, VirtualCard, VirtualSam};

/// What a card holds: balance and transaction number of its purse, and one byte of each record that is watched.
pub(crate) type Seen = ((i32, u16), Vec<u8>);

/// A file of the directory of the story, one of its records, and the byte to look at.
pub(crate) type Place = (u8, u8, usize);

pub(crate) type Play = fn(&mut Terminal) -> Result<(), Error>;

/// Something to play.
pub(crate) struct Story {
    pub(crate) name: String,
    pub(crate) profile: &'static str,
    pub(crate) sam: SamProduct,
    /// Name of the application, and its directory.
    pub(crate) application: ([u8; 8], u16),
    pub(crate) settings: fn(&mut SymmetricSettings),
    /// The closing is followed by a ratification command.
    pub(crate) ratify: bool,
    /// Prepares the card.
    pub(crate) begin: fn(&mut Terminal),
    pub(crate) play: Play,
    pub(crate) watched: Vec<Place>,
    /// All that the card may ever hold, in order: before, and after each thing that is whole.
    pub(crate) states: Vec<Seen>,
    /// What is written is written in sessions. Otherwise each thing is one command or session, and processed apart.
    pub(crate) in_sessions: bool,
}

/// How a peer is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Before(Loss),
    After(Loss),
    /// The reader is lost, and has sent the whole request.
    AfterAll,
}

const CARD_LOSSES: [How; 5] = [
    How::Before(Loss::Peer),
    How::After(Loss::Peer),
    How::Before(Loss::Reader),
    How::After(Loss::Reader),
    How::AfterAll,
];
/// To the core, it does not matter what a SAM had executed; but it must find it usable afterwards.
const SAM_LOSSES: [How; 4] =
    [How::Before(Loss::Peer), How::After(Loss::Peer), How::Before(Loss::Reader), How::After(Loss::Reader)];

/// The way to the card, through a reader that can be lost once it has sent a whole request.
pub(crate) struct Way {
    pub(crate) link: CardLink,
    /// The number of the first command whose answer is lost with the reader.
    lost: Option<u64>,
    down: bool,
}

impl Channel for Way {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        if self.down {
            return Err(Loss::Reader);
        }
        let before = self.link.traffic().commands;
        self.link.transmit(request, responses)?;
        match self.lost {
            Some(lost) if lost < self.link.traffic().commands => {
                responses.truncate(usize::try_from(lost - before).unwrap());
                self.down = true;
                self.lost = None;
                Err(Loss::Reader)
            }
            _ => Ok(()),
        }
    }
}

/// When requests are released, and whether both peers are asked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Grouped,
    OverlappedInTurn,
    /// The card is the slower one: the SAM has answered first. Or the other way round.
    Overlapped(Slow),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slow {
    Card,
    Sam,
}

pub(crate) const MODES: [Mode; 4] =
    [Mode::Grouped, Mode::OverlappedInTurn, Mode::Overlapped(Slow::Card), Mode::Overlapped(Slow::Sam)];

impl Mode {
    fn policy(self) -> Policy {
        if self == Self::Grouped { Policy::Grouped } else { Policy::Overlapped }
    }

    fn clock(self) -> Option<Clock> {
        let mut model = Model::FAST;
        match self {
            Self::Grouped | Self::OverlappedInTurn => return None,
            Self::Overlapped(Slow::Card) => model.card_reader.request_us = 1_000_000,
            Self::Overlapped(Slow::Sam) => model.sam_reader.request_us = 1_000_000,
        }
        Some(Clock::new(model))
    }
}

/// A terminal with both readers.
pub(crate) struct Terminal {
    clock: Option<Clock>,
    pub(crate) card: Way,
    pub(crate) sam: SamLink,
    pub(crate) transaction: Transaction,
    /// Where nothing is written in sessions alone: how many things are written, and known to be.
    pub(crate) done: usize,
    name: [u8; 8],
}

impl Terminal {
    fn new(story: &Story, profile: &Profile, keys: &KeySet, mode: Mode) -> Self {
        let mut card = VirtualCard::new(profile, keys).unwrap();
        let sam = VirtualSam::new(story.sam, [1, 2, 3, 4], keys);
        let (name, _) = story.application;
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(sam.power_on_data()));
        settings.ratification_command = story.ratify;
        settings.policy = mode.policy();
        (story.settings)(&mut settings);
        let transaction = Transaction::new(select(&mut card, name), Security::Symmetric(settings)).unwrap();
        let card = Way { link: Link::new(card), lost: None, down: false };
        let mut terminal = Self { clock: mode.clock(), card, sam: Link::new(sam), transaction, done: 0, name };
        (story.begin)(&mut terminal);
        terminal.again();
        terminal
    }

    /// Processes these together.
    pub(crate) fn process<'a>(&mut self, commands: impl IntoIterator<Item = Command<'a>>) -> Result<(), Error> {
        commands.into_iter().try_for_each(|command| self.transaction.prepare(command))?;
        let Self { clock, card, sam, transaction, .. } = self;
        match clock {
            None => run(transaction, card, sam, ChannelControl::KeepOpen),
            Some(clock) => clock.run(transaction, card, sam, ChannelControl::KeepOpen),
        }
    }

    fn commands(&self, peer: Peer) -> u64 {
        match peer {
            Peer::Card => self.card.link.traffic().commands,
            Peer::Sam | Peer::ControlSam => self.sam.traffic().commands,
        }
    }

    /// Loses `peer` at its command `at` from here on.
    fn lose(&mut self, peer: Peer, at: u64, how: How) -> Loss {
        let at = self.commands(peer) + at;
        let (fault, loss) = match how {
            How::Before(loss) => (Fault::before(at, loss), loss),
            How::After(loss) => (Fault::after(at, loss), loss),
            How::AfterAll => {
                self.card.lost = Some(at);
                return Loss::Reader;
            }
        };
        match peer {
            Peer::Card => self.card.link.add_fault(fault),
            Peer::Sam | Peer::ControlSam => self.sam.add_fault(fault),
        }
        loss
    }

    /// The card has left the field, as it does in the end whatever was lost.
    fn leave(&mut self) {
        self.card.link.card_mut().leave_field();
    }

    /// All is connected, and the card selected, again.
    fn again(&mut self) {
        self.leave();
        self.done = 0;
        self.card.down = false;
        self.card.link.re_present();
        self.sam.re_present();
        let image = select(self.card.link.card_mut(), self.name);
        self.transaction.restart(&image).unwrap();
    }
}

fn select(card: &mut VirtualCard, name: [u8; 8]) -> Card {
    let command = [&[0x00, 0xA4, 0x04, 0x00, 0x08], &name[..], &[0x00]].concat();
    Card::from_select_response(&card.transmit(&command)).unwrap()
}

fn seen(story: &Story, card: &VirtualCard) -> Seen {
    let (_, directory) = story.application;
    let byte = |&(sfi, number, at): &Place| *card.record_by_sfi(directory, sfi, number).unwrap().get(at).unwrap();
    (card.purse().unwrap_or_default(), story.watched.iter().map(byte).collect())
}

/// What was enumerated.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) points: usize,
    pub(crate) fates: HashSet<Option<Fate>>,
}

/// Loses everything that can be lost.
pub(crate) fn check(story: &Story, mode: Mode) -> Tally {
    let keys = KeySet::new(b"losing");
    let profile = Profile::builtin(story.profile).unwrap().unwrap();
    let terminal = || Terminal::new(story, &profile, &keys, mode);
    let mut whole = terminal();
    let before = [Peer::Card, Peer::Sam].map(|peer| whole.commands(peer));
    assert_eq!(Some(&seen(story, whole.card.link.card())), story.states.first(), "{}", story.name);
    (story.play)(&mut whole).unwrap_or_else(|error| panic!("{}: {error:?}", story.name));
    assert_eq!(Some(&seen(story, whole.card.link.card())), story.states.last(), "{}", story.name);
    let mut tally = Tally::default();
    for ((peer, losses), before) in [(Peer::Card, &CARD_LOSSES[..]), (Peer::Sam, &SAM_LOSSES)].into_iter().zip(before) {
        for at in 0..whole.commands(peer) - before {
            for how in losses {
                tally.points += 1;
                tally.fates.insert(check_point(story, mode, terminal(), peer, at, *how));
            }
        }
    }
    tally
}

fn check_point(story: &Story, mode: Mode, mut terminal: Terminal, peer: Peer, at: u64, how: How) -> Option<Fate> {
    let place = format!("{}, {mode:?}, {peer:?} {at} {how:?}", story.name);
    let loss = terminal.lose(peer, at, how);
    let told = match (story.play)(&mut terminal) {
        Ok(()) => None,
        Err(Error::Lost { peer: lost, loss: by, fate }) if (lost, by) == (peer, loss) => Some(fate),
        Err(error) => panic!("{place}: {error:?}"),
    };
    terminal.leave();
    let truth = seen(story, terminal.card.link.card());
    let Some(state) = story.states.iter().position(|state| *state == truth) else {
        panic!("{place}: {told:?}, but something half written: {truth:?}")
    };
    let place = format!("{place}: {told:?}, state {state}");
    let last = story.states.len() - 1;
    let report = terminal.transaction.session();
    let written = matches!(told, Some(Fate::Committed | Fate::Unverified));
    // How many things the core knows to be whole.
    let known = if story.in_sessions {
        usize::try_from(report.committed).unwrap()
    } else {
        terminal.done + usize::from(written)
    };
    assert!(state == known || (told == Some(Fate::Unknown) && state == known + 1), "{place}, {known} known");
    assert!(told.is_some() || state == last, "{place}: all is told to be done");
    if story.in_sessions {
        let proved = report.authenticated.is_some();
        assert!(known > 0 || !(proved || written), "{place}: none is committed");
        assert!(known == 0 || told != Some(Fate::Untouched), "{place}: something is committed");
        assert!(proved || matches!(told, Some(Fate::Unverified)) || known == 0, "{place}: not proved");
        assert!(!proved || told != Some(Fate::Unverified), "{place}: proved");
        // "With P1 00, not ratified means that it was committed."
        let ratified = terminal.card.link.card().ratified();
        // The report is of the session that is known to be committed; the card speaks of the one behind it.
        assert!(!report.ratified || ratified || state > known, "{place}: what the core calls ratified is");
        assert!(told != Some(Fate::Unknown) || ratified || state == known + 1, "{place}: not ratified");
    }
    assert!(!terminal.transaction.is_session_open(), "{place}");
    if told != Some(Fate::Unknown) {
        check_image(story, &terminal.transaction, &truth, &place);
    }
    // Whatever was lost, the next time all goes well, and the purse moves as it should.
    terminal.again();
    (story.play)(&mut terminal).unwrap_or_else(|error| panic!("{place}, again: {error:?}"));
    let balance = |seen: &Seen| seen.0.0;
    let moved = story.states.last().map(balance).unwrap() - story.states.first().map(balance).unwrap();
    assert_eq!(balance(&seen(story, terminal.card.link.card())), balance(&truth) + moved, "{place}, again");
    told
}

/// What the image knows is what the card holds.
fn check_image(story: &Story, transaction: &Transaction, (purse, bytes): &Seen, place: &str) {
    if let Some(known) = transaction.card().purse() {
        assert_eq!((known.balance, known.transaction_number), *purse, "{place}: purse of the image");
    }
    for ((sfi, number, at), byte) in story.watched.iter().zip(bytes) {
        let record = transaction.card().file(Sfi(*sfi)).and_then(|file| file.record(*number));
        let known = record.and_then(|record| record.get(*at));
        assert!(known.is_none_or(|known| known == byte), "{place}: {sfi:02X} {number} of the image: {known:?}");
    }
}
