//! Every point of loss of the purse, of several sessions in one, and of a ciphered session: nothing is ever half written,
//! and what the core tells is never wrong. A session that the card signs: see `pki.rs`.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod losing;

use ogygia::card::{Level, Sfi};
use ogygia::command::{
    ActivateEncryption, AppendRecord, ChangeCounter, CloseSession, Command, CounterChange, OpenSession, ReadCounters,
    ReadRecords, SvDebit, SvGet, SvOperation, SvReload, UpdateRecord,
};
use ogygia::{Error, Fate};
use ogygia_sim::SamProduct;

use losing::*;

const TRANSPORT: ([u8; 8], u16) = ([0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91, 0x01], 0x2000);
const TICKETING: ([u8; 8], u16) = ([0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91, 0x11], 0x2200);
/// A card of each layout, and a SAM for it.
const REGULAR: (&str, SamProduct) = ("kit-prime-regular-v3", SamProduct::C1);
const EXTENDED: (&str, SamProduct) = ("kit-prime-extended-v3", SamProduct::HsmC1);

const ENVIRONMENT: Sfi = Sfi(0x07);
const LOG: Sfi = Sfi(0x08);
const COUNTERS: Sfi = Sfi(0x19);

fn story(name: &str, (profile, sam): (&'static str, SamProduct), play: Play) -> Story {
    Story {
        name: format!("{name}, {profile}"),
        profile,
        sam,
        application: TRANSPORT,
        settings: |_| {},
        ratify: false,
        begin: |_| {},
        play,
        watched: Vec::new(),
        states: Vec::new(),
        in_sessions: true,
    }
}

/// The points are those of the grouped policy: with the overlapped one, the SAM has more commands.
fn check_all(stories: impl IntoIterator<Item = Story>, points: usize, fates: &[Option<Fate>]) {
    let stories: Vec<_> = stories.into_iter().collect();
    for mode in MODES {
        let mut all = Tally::default();
        for story in &stories {
            let tally = check(story, mode);
            all.points += tally.points;
            all.fates.extend(tally.fates);
        }
        assert_eq!(all.fates, fates.iter().copied().collect(), "{mode:?}");
        assert!(if mode == Mode::Grouped { all.points == points } else { all.points >= points }, "{}", all.points);
    }
}

fn reload(terminal: &mut Terminal, amount: i32) -> Result<(), Error> {
    terminal.process([SvGet { operation: SvOperation::Reload }.into()])?;
    terminal.process([SvReload { amount, date: [1, 2], time: [3, 4], free: [5, 6] }.into()])?;
    terminal.done += 1;
    Ok(())
}

fn debit(terminal: &mut Terminal, operation: SvOperation) -> Result<(), Error> {
    terminal.process([SvGet { operation }.into()])?;
    terminal.process([SvDebit { amount: 180, date: [1, 2], time: [3, 4] }.into()])?;
    terminal.done += 1;
    Ok(())
}

const LOADED: (i32, u16) = (1000, 1);

fn load(terminal: &mut Terminal) {
    reload(terminal, 1000).unwrap();
}

#[test]
fn the_purse_outside_a_session() {
    let plays: [(&str, Play, i32); 3] = [
        ("reload", |terminal| reload(terminal, 500), 1500),
        ("debit", |terminal| debit(terminal, SvOperation::Debit), 820),
        ("undebit", |terminal| debit(terminal, SvOperation::Undebit), 1180),
    ];
    let stories = [REGULAR, EXTENDED].into_iter().flat_map(|kit| {
        plays.map(|(name, play, balance)| Story {
            begin: load,
            states: vec![(LOADED, vec![]), ((balance, 2), vec![])],
            in_sessions: false,
            ..story(name, kit, play)
        })
    });
    // Card: SV Get, operation. SAM: Select Diversifier, SV Prepare, SV Check.
    check_all(stories, 132, &[Some(Fate::Untouched), Some(Fate::Unknown), Some(Fate::Unverified)]);
}

/// The debit and the event are written together, or not at all.
fn debit_in_session(terminal: &mut Terminal) -> Result<(), Error> {
    terminal.process([
        OpenSession { level: Level::Debit }.into(),
        ReadRecords { sfi: ENVIRONMENT, records: 1..=1, size: 29 }.into(),
        ReadRecords { sfi: LOG, records: 1..=1, size: 29 }.into(),
        SvGet { operation: SvOperation::Debit }.into(),
    ])?;
    terminal.process([
        SvDebit { amount: 180, date: [1, 2], time: [3, 4] }.into(),
        AppendRecord { sfi: LOG, data: &[0xA1; 29] }.into(),
        CloseSession.into(),
    ])
}

#[test]
fn the_purse_in_a_session() {
    let stories = [REGULAR, EXTENDED].into_iter().flat_map(|kit| {
        [false, true].map(|ratify| Story {
            ratify,
            begin: load,
            watched: vec![(LOG.0, 1, 0)],
            states: vec![(LOADED, vec![0]), ((820, 2), vec![0xA1])],
            ..story("debit in a session", kit, debit_in_session)
        })
    });
    check_all(stories, 314, &ALL);
}

/// With the success of what lost its ratification command only.
const ALL: [Option<Fate>; 5] =
    [None, Some(Fate::Untouched), Some(Fate::NotCommitted), Some(Fate::Unknown), Some(Fate::Unverified)];

/// File, record, size: what fills a session of 430 bytes, and one of 608 bytes. One more does not fit.
const FILL: [(u8, u8, usize); 10] = [
    (0x07, 1, 80),
    (0x08, 1, 48),
    (0x08, 2, 48),
    (0x08, 3, 48),
    (0x09, 1, 48),
    (0x09, 2, 48),
    (0x09, 3, 48),
    (0x0A, 1, 48),
    (0x0B, 1, 64),
    (0x18, 1, 64),
];
const FILLS_REGULAR: usize = 7;
const SESSIONS: u8 = 3;

/// The number of the session goes to every record.
fn fill(terminal: &mut Terminal, writings: usize) -> Result<(), Error> {
    let data: Vec<[u8; 80]> = (1..=SESSIONS).map(|session| [session; 80]).collect();
    let update = |data| {
        move |&(sfi, record, size): &(u8, u8, usize)| -> Command<'_> {
            UpdateRecord { sfi: Sfi(sfi), record, data: <[u8]>::get(data, ..size).unwrap() }.into()
        }
    };
    let mut commands: Vec<Command<'_>> = vec![OpenSession { level: Level::Debit }.into()];
    commands.extend(data.iter().flat_map(|data| FILL.iter().take(writings).map(update(data))));
    commands.push(CloseSession.into());
    terminal.process(commands)
}

#[test]
fn several_sessions() {
    let kits: [(_, usize, Play); 2] = [
        (REGULAR, FILLS_REGULAR, |terminal| fill(terminal, FILLS_REGULAR)),
        (EXTENDED, FILL.len(), |terminal| fill(terminal, FILL.len())),
    ];
    let stories = kits.into_iter().flat_map(|(kit, writings, play)| {
        [false, true].map(|ratify| Story {
            ratify,
            application: TICKETING,
            settings: |settings| settings.multiple_sessions = true,
            watched: FILL.iter().take(writings).map(|(sfi, record, _)| (*sfi, *record, 0)).collect(),
            states: (0..=SESSIONS).map(|session| ((0, 0), vec![session; writings])).collect(),
            ..story("several sessions", kit, play)
        })
    });
    // A request to the SAM that is lost is lost whole, so that a session is never known to be authentic when the
    // challenge for the next one is lost.
    check_all(stories, 1376, &ALL);
}

fn ciphered(terminal: &mut Terminal) -> Result<(), Error> {
    terminal.process([
        OpenSession { level: Level::Debit }.into(),
        ReadRecords { sfi: ENVIRONMENT, records: 1..=1, size: 29 }.into(),
    ])?;
    terminal.process([ActivateEncryption.into(), ReadRecords { sfi: LOG, records: 1..=1, size: 29 }.into()])?;
    terminal.process([
        ReadCounters { sfi: COUNTERS, count: 1 }.into(),
        ChangeCounter { change: CounterChange::Decrease, sfi: COUNTERS, counter: 1, by: 1 }.into(),
        AppendRecord { sfi: LOG, data: &[0xA1; 29] }.into(),
        CloseSession.into(),
    ])
}

#[test]
fn a_ciphered_session() {
    let settings: [fn(&mut _); 2] =
        [|_| {}, |settings: &mut ogygia::transaction::SymmetricSettings| settings.encryption_stepwise = true];
    let stories = settings.into_iter().flat_map(|settings| {
        [false, true].map(|ratify| Story {
            ratify,
            settings,
            begin: |terminal| assert!(terminal.card.link.card_mut().set_record(0x2069, 1, &[0, 0, 10])),
            watched: vec![(LOG.0, 1, 0), (COUNTERS.0, 1, 2)],
            states: vec![((0, 0), vec![0, 10]), ((0, 0), vec![0xA1, 9])],
            ..story("ciphered", EXTENDED, ciphered)
        })
    });
    check_all(stories, 358, &ALL);
}

/// A file that anybody may write, 64 bytes, and another one.
const FREE: Sfi = Sfi(0x0B);
const EVENTS: Sfi = Sfi(0x08);

/// A writing outside a session, a session, and the purse outside it: each in a processing of its own, which answers for
/// itself only.
fn one_after_the_other(terminal: &mut Terminal) -> Result<(), Error> {
    let read = || ReadRecords { sfi: EVENTS, records: 1..=1, size: 48 }.into();
    terminal.process([UpdateRecord { sfi: FREE, record: 1, data: &[1; 64] }.into(), read()])?;
    terminal.done += 1;
    let data = &[2; 64];
    let update = UpdateRecord { sfi: FREE, record: 1, data };
    terminal.process([OpenSession { level: Level::Debit }.into(), update.into(), CloseSession.into(), read()])?;
    terminal.done += 1;
    debit(terminal, SvOperation::Debit)
}

#[test]
fn each_processing_answers_for_itself() {
    let stories = [REGULAR, EXTENDED].map(|kit| Story {
        application: TICKETING,
        begin: load,
        watched: vec![(FREE.0, 1, 0)],
        states: vec![(LOADED, vec![0]), (LOADED, vec![1]), (LOADED, vec![2]), ((820, 2), vec![2])],
        in_sessions: false,
        ..story("one after the other", kit, one_after_the_other)
    });
    let fates = [Fate::Untouched, Fate::NotCommitted, Fate::Unknown, Fate::Unverified, Fate::Committed].map(Some);
    check_all(stories, 148, &fates);
}
