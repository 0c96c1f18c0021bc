//! The validation that other tests disturb: a virtual card of revision 3, a virtual SAM C1, and what both are expected to
//! be told, in order.
#![expect(clippy::unwrap_used, reason = "a test may stop")]
#![allow(dead_code, reason = "not every test uses all of it")]

use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, CommandName, CounterChange, OpenSession, ReadCounters, ReadRecords,
    UpdateRecord,
};
use ogygia::drive::{Channel, Driver, InTurn, run};
use ogygia::sam::Sam;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Peer};
use ogygia_sim::clock::{Clock, Model};
use ogygia_sim::hex::decode;
use ogygia_sim::{CardLink, KeySet, Link, Profile, Recorder, SamLink, SamProduct, VirtualCard, VirtualSam};

/// Commands to the card, by their place, and the last only where the terminal ratifies by a command.
pub(crate) const CARD_COMMANDS: [CommandName; 7] = [
    CommandName::OpenSecureSession,
    CommandName::ReadRecords,
    CommandName::UpdateRecord,
    CommandName::AppendRecord,
    CommandName::Decrease,
    CommandName::CloseSecureSession,
    CommandName::Ratification,
];
/// Commands to the SAM, by their place.
pub(crate) const SAM_COMMANDS: [CommandName; 6] = [
    CommandName::SamGetChallenge,
    CommandName::SamSelectDiversifier,
    CommandName::SamDigestInit,
    CommandName::SamDigestUpdateMultiple,
    CommandName::SamDigestClose,
    CommandName::SamDigestAuthenticate,
];

pub(crate) const OPEN: u64 = 0;
pub(crate) const READ: u64 = 1;
pub(crate) const UPDATE: u64 = 2;
pub(crate) const APPEND: u64 = 3;
pub(crate) const DECREASE: u64 = 4;
pub(crate) const CLOSE: u64 = 5;
pub(crate) const RATIFY: u64 = 6;

pub(crate) const GET_CHALLENGE: u64 = 0;
pub(crate) const SELECT_DIVERSIFIER: u64 = 1;
pub(crate) const DIGEST_INIT: u64 = 2;
pub(crate) const DIGEST_UPDATE: u64 = 3;
pub(crate) const DIGEST_CLOSE: u64 = 4;
pub(crate) const AUTHENTICATE: u64 = 5;

pub(crate) const ABORT: [u8; 5] = [0x00, 0x8E, 0x00, 0x00, 0x00];

const PROFILE: &str = "kit-prime-regular-v3";
const NAME: &str = "A000000291FF9101";

const ENVIRONMENT: Sfi = Sfi(0x07);
const LOG: Sfi = Sfi(0x08);
const COUNTERS: Sfi = Sfi(0x19);
const SPECIAL_EVENT: Sfi = Sfi(0x1D);

const OLD_SPECIAL_EVENT: [u8; 29] = [0x11; 29];
const OLD_EVENTS: [[u8; 29]; 3] = [[0x21; 29], [0x22; 29], [0x23; 29]];
const NEW_SPECIAL_EVENT: [u8; 29] = [0x51; 29];
const NEW_EVENT: [u8; 29] = [0x61; 29];

/// What a card holds, as far as a validation touches it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of the session.
    Old,
    /// All of the session.
    New,
    /// Neither: that must never be.
    Mixture,
}

/// Everything that an image says of files, in an order of its own.
pub(crate) type Files = Vec<(u8, Vec<(u32, Vec<u8>)>)>;

/// A terminal with both readers.
pub(crate) struct Bench {
    pub(crate) card: CardLink,
    pub(crate) sam: SamLink,
    pub(crate) recorder: Recorder,
    pub(crate) transaction: Transaction,
    /// What the image said before the session.
    pub(crate) image: Files,
    mode: Mode,
}

/// Who is asked when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Grouped,
    /// The overlapped policy, but one peer at a time.
    InTurn,
    /// Both at once, in virtual time.
    AtOnce,
}

/// Both ways, with a clock where both are asked at once.
struct Timed<'a> {
    card: &'a mut CardLink,
    sam: &'a mut SamLink,
    clock: Clock,
}

impl Driver for Timed<'_> {
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        self.clock.resume(transaction, self.card, self.sam)
    }
}

impl Bench {
    /// `ratify`: the closing is followed by a ratification command.
    pub(crate) fn new(ratify: bool) -> Self {
        let keys = KeySet::new(b"losses");
        Self::with_sam(ratify, VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &keys))
    }

    pub(crate) fn with_sam(ratify: bool, sam: VirtualSam) -> Self {
        Self::with(ratify, sam, Mode::Grouped)
    }

    pub(crate) fn in_mode(ratify: bool, mode: Mode) -> Self {
        let keys = KeySet::new(b"losses");
        Self::with(ratify, VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &keys), mode)
    }

    fn with(ratify: bool, sam: VirtualSam, mode: Mode) -> Self {
        let mut card = VirtualCard::new(&Profile::builtin(PROFILE).unwrap().unwrap(), &KeySet::new(b"losses")).unwrap();
        assert!(card.set_record(0x2040, 1, &OLD_SPECIAL_EVENT));
        for (number, event) in (1..).zip(&OLD_EVENTS) {
            assert!(card.set_record(0x2010, number, event));
        }
        assert!(card.set_record(0x2069, 1, &[0, 0, 100, 0, 0, 5]));
        let image = select(&mut card);
        let mut card = Link::new(card);
        let mut sam = Link::new(sam);
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(sam.sam().power_on_data()));
        settings.ratification_command = ratify;
        settings.policy = if mode == Mode::Grouped { Policy::Grouped } else { Policy::Overlapped };
        let mut transaction = Transaction::new(image, Security::Symmetric(settings)).unwrap();
        // The image knows something before the session, so that taking back is more than forgetting.
        transaction.prepare(ReadRecords { sfi: LOG, records: 1..=2, size: 29 }).unwrap();
        run(&mut transaction, &mut card, &mut sam, ChannelControl::KeepOpen).unwrap();
        let recorder = Recorder::new();
        Self {
            card: Link::new(card.into_device()).with_recorder(recorder.clone()),
            sam: Link::new(sam.into_device()).with_recorder(recorder.clone()),
            recorder,
            image: files(&transaction),
            transaction,
            mode,
        }
    }

    pub(crate) fn validate(&mut self) -> Result<(), Error> {
        let Self { card, sam, transaction, mode, .. } = self;
        match mode {
            Mode::Grouped | Mode::InTurn => validate(transaction, card, sam),
            Mode::AtOnce => validate_with(transaction, &mut Timed { card, sam, clock: Clock::new(Model::DEFAULT) }),
        }
    }

    /// What the card holds once it has left the field.
    pub(crate) fn torn_state(&mut self) -> State {
        self.card.re_present();
        self.sam.re_present();
        self.card.card_mut().leave_field();
        state(self.card.card())
    }

    /// What the card says of the session before when it is opened next; it is sound.
    pub(crate) fn ratified_before(&mut self) -> bool {
        let image = select(self.card.card_mut());
        self.transaction.restart(&image).unwrap();
        self.validate().unwrap();
        self.transaction.card().ratified().unwrap()
    }

    /// All commands to `peer` that got an answer or were lost, in order.
    pub(crate) fn commands(&self, peer: Peer) -> Vec<Vec<u8>> {
        let exchanges = self.recorder.exchanges();
        exchanges.into_iter().filter(|exchange| exchange.peer == peer).map(|exchange| exchange.command).collect()
    }

    /// Whether the abort was the last command that the card got, and the only one.
    pub(crate) fn aborted(&self) -> bool {
        let commands = self.commands(Peer::Card);
        let aborts = commands.iter().filter(|command| **command == ABORT).count();
        assert!(aborts <= 1, "one abort at most");
        assert!(aborts == 0 || commands.last().unwrap() == &ABORT, "nothing behind an abort");
        aborts == 1
    }
}

/// Reads environment and counters, updates the special event, appends an event, counts a trip.
pub(crate) fn validate(
    transaction: &mut Transaction,
    card: &mut impl Channel,
    sam: &mut impl Channel,
) -> Result<(), Error> {
    validate_with(transaction, &mut InTurn { card, sam })
}

fn validate_with(transaction: &mut Transaction, readers: &mut impl Driver) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    transaction.prepare(ReadRecords { sfi: ENVIRONMENT, records: 1..=1, size: 29 })?;
    transaction.prepare(ReadCounters { sfi: COUNTERS, count: 3 })?;
    readers.run(transaction, ChannelControl::KeepOpen)?;
    transaction.prepare(UpdateRecord { sfi: SPECIAL_EVENT, record: 1, data: &NEW_SPECIAL_EVENT })?;
    transaction.prepare(AppendRecord { sfi: LOG, data: &NEW_EVENT })?;
    transaction.prepare(ChangeCounter { change: CounterChange::Decrease, sfi: COUNTERS, counter: 1, by: 1 })?;
    transaction.prepare(CloseSession)?;
    readers.run(transaction, ChannelControl::KeepOpen)
}

pub(crate) fn files(transaction: &Transaction) -> Files {
    let records = |file: ogygia::card::File<'_>| file.records().map(|(n, bytes)| (n, bytes.to_vec())).collect();
    let mut files: Files = transaction.card().files().iter().map(|file| (file.sfi().0, records(file))).collect();
    files.sort_unstable();
    files
}

/// What the image says after a session that the card has committed.
pub(crate) fn files_after() -> Files {
    let mut bench = Bench::new(true);
    bench.validate().unwrap();
    let files = files(&bench.transaction);
    let event = (1, NEW_EVENT.to_vec());
    let old = OLD_EVENTS.iter().take(2).map(|event| event.to_vec());
    let log = std::iter::once(event).chain((2..).zip(old)).collect();
    assert!(files.contains(&(LOG.0, log)));
    assert!(files.contains(&(COUNTERS.0, vec![(1, vec![0, 0, 99, 0, 0, 5, 0, 0, 0])])));
    assert!(files.contains(&(SPECIAL_EVENT.0, vec![(1, NEW_SPECIAL_EVENT.to_vec())])));
    files
}

fn select(card: &mut VirtualCard) -> Card {
    let command = decode(&format!("00A4040008{NAME}00")).unwrap();
    Card::from_select_response(&card.transmit(&command)).unwrap()
}

fn state(card: &VirtualCard) -> State {
    let record = |lid, number| card.record(lid, number).unwrap();
    let special_event = record(0x2040, 1);
    let events = [1, 2, 3].map(|number| record(0x2010, number));
    let counters = record(0x2069, 1);
    let [first, second, third] = OLD_EVENTS;
    let old =
        special_event == OLD_SPECIAL_EVENT && events == [first, second, third] && counters.starts_with(&[0, 0, 100]);
    let new =
        special_event == NEW_SPECIAL_EVENT && events == [NEW_EVENT, first, second] && counters.starts_with(&[0, 0, 99]);
    match (old, new) {
        (true, _) => State::Old,
        (_, true) => State::New,
        _ => State::Mixture,
    }
}
