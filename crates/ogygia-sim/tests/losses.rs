//! Every point of a validation at which the card, the reader of the card, the SAM or the reader of the SAM can vanish:
//! what the core must tell, what the card must hold, and what it must say of the session at its next opening.
//!
//! The tables are written from specification 02, "What depends on what", and points G22 and G80; nothing in them is
//! computed.
#![expect(clippy::panic, reason = "a test may stop")]

mod validation;

use ogygia::command::CommandName;
use ogygia::{Error, Fate, Loss, Peer};
use ogygia_sim::Fault;
use validation::*;

/// What the core tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Success,
    Lost(Fate),
}

/// What is true of the card, when the command was not executed and when it was.
#[derive(Clone, Copy, Debug)]
struct Card {
    state: State,
    /// At the next opening it says that the session before was ratified. Sessions that are void do not count.
    ratified: bool,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    peer: Peer,
    at: u64,
    /// When the peer itself is lost.
    peer_lost: Told,
    /// When its reader is lost: it may have sent the whole request.
    reader_lost: Told,
    not_executed: Card,
    executed: Card,
    /// The report says that the session is ratified.
    told_ratified: bool,
    /// The card got an abort.
    aborted: bool,
}

const OLD: Card = Card { state: State::Old, ratified: true };
const NEW: Card = Card { state: State::New, ratified: true };
/// Committed, but the card does not know that its answer to the closing was received.
const NEW_NOT_RATIFIED: Card = Card { state: State::New, ratified: false };

const UNTOUCHED: Told = Told::Lost(Fate::Untouched);
const NOT_COMMITTED: Told = Told::Lost(Fate::NotCommitted);
const UNKNOWN: Told = Told::Lost(Fate::Unknown);
const UNVERIFIED: Told = Told::Lost(Fate::Unverified);

const fn card(at: u64, peer_lost: Told, reader_lost: Told, not_executed: Card, executed: Card) -> Row {
    let peer = Peer::Card;
    Row { peer, at, peer_lost, reader_lost, not_executed, executed, told_ratified: false, aborted: false }
}

/// A SAM does not know what it was lost for: executed or not, lost itself or through its reader, is all the same.
const fn sam(at: u64, told: Told, after: Card, told_ratified: bool, aborted: bool) -> Row {
    let peer = Peer::Sam;
    Row { peer, at, peer_lost: told, reader_lost: told, not_executed: after, executed: after, told_ratified, aborted }
}

/// The closing leaves ratification to the command that follows.
const WITH_RATIFICATION_COMMAND: [Row; 13] = [
    sam(GET_CHALLENGE, UNTOUCHED, OLD, false, false),
    // "Before Close is sent: session void on the card."
    card(OPEN, NOT_COMMITTED, NOT_COMMITTED, OLD, OLD),
    card(READ, NOT_COMMITTED, NOT_COMMITTED, OLD, OLD),
    sam(SELECT_DIVERSIFIER, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_INIT, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_UPDATE, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_CLOSE, NOT_COMMITTED, OLD, false, true),
    // From here on Close is in the request: a lost reader may have sent it.
    card(UPDATE, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    card(APPEND, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    card(DECREASE, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    // "Close sent, no answer: unknown. With P1 00, not ratified means that it was committed."
    card(CLOSE, UNKNOWN, UNKNOWN, OLD, NEW_NOT_RATIFIED),
    // "Answer to Close received, ratification lost: committed, not ratified. Verify the MAC."
    card(RATIFY, Told::Success, Told::Success, NEW_NOT_RATIFIED, NEW),
    // "SAM lost after Close: committed, authenticity unproved."
    sam(AUTHENTICATE, UNVERIFIED, NEW, true, false),
];

/// The closing ratifies itself.
const RATIFIED_AT_ONCE: [Row; 12] = [
    sam(GET_CHALLENGE, UNTOUCHED, OLD, false, false),
    card(OPEN, NOT_COMMITTED, NOT_COMMITTED, OLD, OLD),
    card(READ, NOT_COMMITTED, NOT_COMMITTED, OLD, OLD),
    sam(SELECT_DIVERSIFIER, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_INIT, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_UPDATE, NOT_COMMITTED, OLD, false, true),
    sam(DIGEST_CLOSE, NOT_COMMITTED, OLD, false, true),
    card(UPDATE, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    card(APPEND, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    card(DECREASE, NOT_COMMITTED, UNKNOWN, OLD, OLD),
    // "With P1 80, compare the files."
    card(CLOSE, UNKNOWN, UNKNOWN, OLD, NEW),
    sam(AUTHENTICATE, UNVERIFIED, NEW, true, false),
];

/// Under the overlapped policy the closing is a request of its own: a reader that is lost with the writings has not sent
/// it. Nothing else is told otherwise.
fn closing_apart(mut row: Row) -> Row {
    if row.peer == Peer::Card && (UPDATE..CLOSE).contains(&row.at) {
        row.reader_lost = NOT_COMMITTED;
    }
    row
}

#[test]
fn with_a_ratification_command() {
    check(true, Mode::Grouped, &WITH_RATIFICATION_COMMAND);
    check(true, Mode::InTurn, &WITH_RATIFICATION_COMMAND.map(closing_apart));
    check(true, Mode::AtOnce, &WITH_RATIFICATION_COMMAND.map(closing_apart));
}

#[test]
fn ratified_by_the_closing() {
    check(false, Mode::Grouped, &RATIFIED_AT_ONCE);
    check(false, Mode::InTurn, &RATIFIED_AT_ONCE.map(closing_apart));
    check(false, Mode::AtOnce, &RATIFIED_AT_ONCE.map(closing_apart));
}

/// The tables have a row for each command, and its instruction is the one that the place is named after.
#[test]
fn the_tables_are_whole() {
    let tables = [(true, &WITH_RATIFICATION_COMMAND[..]), (false, &RATIFIED_AT_ONCE)];
    let modes = [Mode::Grouped, Mode::InTurn, Mode::AtOnce];
    for ((ratify, rows), mode) in tables.into_iter().flat_map(|table| modes.map(|mode| (table, mode))) {
        let mut bench = Bench::in_mode(ratify, mode);
        assert_eq!(bench.validate(), Ok(()));
        assert!(bench.transaction.session().authenticated.is_some() && bench.transaction.session().ratified);
        assert_eq!(files(&bench.transaction), files_after());
        assert!(!bench.aborted());
        for (peer, names) in [(Peer::Card, &CARD_COMMANDS[..]), (Peer::Sam, &SAM_COMMANDS)] {
            let places: Vec<_> = rows.iter().filter(|row| row.peer == peer).map(|row| row.at).collect();
            let commands = bench.commands(peer);
            assert_eq!(places, (0..commands.len() as u64).collect::<Vec<_>>(), "{peer:?}");
            for (name, command) in names.iter().zip(&commands) {
                assert_eq!(command.get(1).copied(), Some(instruction(*name)), "{name}");
            }
        }
        assert_eq!(bench.torn_state(), State::New);
        assert!(bench.ratified_before());
    }
}

fn instruction(name: CommandName) -> u8 {
    match name {
        CommandName::OpenSecureSession | CommandName::SamDigestInit => 0x8A,
        CommandName::ReadRecords | CommandName::Ratification => 0xB2,
        CommandName::UpdateRecord => 0xDC,
        CommandName::AppendRecord => 0xE2,
        CommandName::Decrease => 0x30,
        CommandName::CloseSecureSession | CommandName::SamDigestClose => 0x8E,
        CommandName::SamGetChallenge => 0x84,
        CommandName::SamSelectDiversifier => 0x14,
        CommandName::SamDigestUpdateMultiple => 0x8C,
        CommandName::SamDigestAuthenticate => 0x82,
        other => panic!("{other} has no place in a validation"),
    }
}

fn check(ratify: bool, mode: Mode, rows: &[Row]) {
    let files_after = files_after();
    for row in rows {
        for (loss, told) in [(Loss::Peer, row.peer_lost), (Loss::Reader, row.reader_lost)] {
            for (fault, card) in
                [(Fault::before(row.at, loss), row.not_executed), (Fault::after(row.at, loss), row.executed)]
            {
                let place = format!("{mode:?} {:?} {fault:?}", row.peer);
                let mut bench = Bench::in_mode(ratify, mode);
                match row.peer {
                    Peer::Card => bench.card.add_fault(fault),
                    Peer::Sam | Peer::ControlSam => bench.sam.add_fault(fault),
                }
                let outcome = bench.validate();
                let expected = match told {
                    Told::Success => Ok(()),
                    Told::Lost(fate) => Err(Error::Lost { peer: row.peer, loss, fate }),
                };
                assert_eq!(outcome, expected, "{place}");
                // What the core believes.
                let committed = matches!(told, Told::Success | UNVERIFIED);
                let report = bench.transaction.session();
                assert_eq!(report.committed, u32::from(committed), "{place}");
                assert_eq!(report.authenticated.is_some(), told == Told::Success, "{place}");
                assert_eq!(report.ratified, row.told_ratified, "{place}");
                assert!(!bench.transaction.is_session_open(), "{place}");
                assert_eq!(bench.aborted(), row.aborted, "{place}");
                let image = if committed { &files_after } else { &bench.image };
                assert_eq!(&files(&bench.transaction), image, "{place}");
                // What is true.
                assert_eq!(bench.torn_state(), card.state, "{place}");
                assert!(!report.ratified || card.ratified, "{place}: what the core calls ratified is");
                assert_eq!(bench.ratified_before(), card.ratified, "{place}");
            }
        }
    }
}
