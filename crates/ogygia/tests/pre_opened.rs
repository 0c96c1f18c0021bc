//! Sessions that the card foretold at its selection: specification 02, "Pre-opened session".
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]

use ogygia::apdu::Batch;
use ogygia::card::{Level, Sfi};
use ogygia::command::{
    ChangeCounter, CloseSession, CounterChange, OpenSession, PreOpenSession, ReadRecord, ReadRecords,
};
use ogygia::sam::Sam;
use ogygia::selection::{Occurrence, Selection};
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Peer};

const SAM: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];

/// An extended card.
const SELECTED: [u8; 39] = [
    0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x28, 0x05, 0x14, 0x10, 0x01, 0x90,
    0x00,
];

/// What the card answers to an opening, with its challenge.
const fn opened(challenge: u8, status: [u8; 2]) -> [u8; 14] {
    let [sw1, sw2] = status;
    [challenge, 2, 3, 4, 5, 6, 7, 8, 2, 0x30, 0x79, 0, sw1, sw2]
}

fn batch(answers: &[&[u8]]) -> Batch {
    answers.iter().copied().collect()
}

/// The card has files 7 and 9, with a record of one counter each, and file 9 is the one read last.
fn transaction() -> Transaction {
    let mut selection = Selection::by_name(b"1TIC.ICA", Occurrence::First).unwrap();
    selection.prepare(ReadRecord { sfi: Sfi(7), record: 1 }).unwrap();
    selection.prepare(ReadRecord { sfi: Sfi(9), record: 1 }).unwrap();
    selection.prepare(PreOpenSession { level: Level::Debit }).unwrap();
    let answers = [&SELECTED[..], &[0, 0, 7, 0x90, 0], &[0, 0, 9, 0x90, 0], &opened(1, [0x62, 0])];
    let card = selection.card(&[], &batch(&answers)).unwrap().unwrap();
    let settings = SymmetricSettings::new(Sam::from_power_on_data(&SAM));
    Transaction::new(card, Security::Symmetric(settings)).unwrap()
}

/// The SAM gives its challenge, and then makes a MAC.
fn sam(transaction: &mut Transaction) {
    while let Some(request) = transaction.poll(Peer::Sam) {
        let mut answers = Batch::new();
        for command in request.commands.iter() {
            let made: &[u8] = match command {
                [_, 0x84 | 0x8E, ..] => &[0xA5; 8],
                _ => &[],
            };
            answers.push(&[made, &[0x90, 0]].concat());
        }
        transaction.handle(Peer::Sam, &answers).unwrap();
    }
}

fn instructions(transaction: &Transaction) -> Vec<u8> {
    let request = transaction.poll(Peer::Card);
    request.iter().flat_map(|request| request.commands.iter()).map(|command| command[1]).collect()
}

fn card(transaction: &mut Transaction, answers: &[&[u8]]) {
    transaction.handle(Peer::Card, &batch(answers)).unwrap();
}

const READ: ReadRecords = ReadRecords { sfi: Sfi(7), records: 1..=1, size: 3 };
const OPEN: OpenSession = OpenSession { level: Level::Debit };

/// The SAM digests the whole session before the card has seen it; SFI 0 is the file that was read in it.
#[test]
fn the_current_file_is_the_one_read_last() {
    let mut transaction = transaction();
    transaction.prepare(OPEN).unwrap();
    transaction.prepare(READ).unwrap();
    let change = CounterChange::Decrease;
    transaction.prepare(ChangeCounter { change, sfi: Sfi::CURRENT, counter: 1, by: 1 }).unwrap();
    transaction.prepare(CloseSession).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    sam(&mut transaction);
    assert_eq!(instructions(&transaction), [0x8A, 0xB2, 0x30, 0x8E]);
    let mac = [0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xB6, 0xB7, 0xB8, 0x90, 0];
    card(&mut transaction, &[&opened(1, [0x90, 0]), &[0, 0, 7, 0x90, 0], &[0, 0, 6, 0x90, 0], &mac]);
    sam(&mut transaction);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    assert!(transaction.session().authenticated.is_some());
}

/// What was foretold holds for one session: when that is given up, the next one is opened as any other.
#[test]
fn a_session_behind_one_that_was_given_up() {
    let mut transaction = transaction();
    transaction.prepare(OPEN).unwrap();
    transaction.prepare(READ).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    sam(&mut transaction);
    card(&mut transaction, &[&opened(1, [0x90, 0]), &[0, 0, 7, 0x90, 0]]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    transaction.abandon().unwrap();
    card(&mut transaction, &[&[0x90, 0]]);
    transaction.outcome().unwrap().unwrap_err();
    transaction.prepare(OPEN).unwrap();
    transaction.prepare(READ).unwrap();
    transaction.prepare(CloseSession).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    sam(&mut transaction);
    // The record is read through the opening, which answers something else than before.
    assert_eq!(instructions(&transaction), [0x8A]);
    let [challenge @ .., _, _, _] = opened(9, [0, 0]);
    card(&mut transaction, &[&[&challenge[..], &[3, 0, 0, 7, 0x90, 0]].concat()]);
    sam(&mut transaction);
    assert_eq!(instructions(&transaction), [0x8E]);
}
