//! A card and a SAM that are played by the instruction of each command, and a validation with them.
#![allow(clippy::unwrap_used, reason = "a test may stop")]

use ogygia::Peer;
use ogygia::apdu::StatusWord;
use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, CounterChange, OpenSession, ReadCounters, ReadRecords,
};
use ogygia::sam::Sam;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};

const SELECTED: [u8; 39] = [
    0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10, 0x01, 0x90,
    0x00,
];
const SAM: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];

pub(crate) fn answer(peer: Peer, command: &[u8], out: &mut Vec<u8>) {
    let [_, ins, p1, ..] = *command.first_chunk::<5>().unwrap();
    let data: &[u8] = match (peer, ins) {
        (Peer::Sam, 0x84) => &[0xC1, 0xC2, 0xC3, 0xC4],
        (Peer::Sam, 0x8E) => &[0xA1, 0xA2, 0xA3, 0xA4],
        (Peer::Card, 0x8A) => &[0, 0, 9, 1, 0, 0x30, 0x79, 2, 0xEE, 0xEE],
        (Peer::Card, 0x8E) if command.len() > 5 => &[0xB1, 0xB2, 0xB3, 0xB4],
        (Peer::Card, 0xB2) if p1 > 0 => &[0, 0, 7],
        (Peer::Card, 0x30) => &[0, 0, 6],
        _ => &[],
    };
    out.extend_from_slice(data);
    out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
}

pub(crate) fn transaction(policy: Policy) -> Transaction {
    let mut settings = SymmetricSettings::new(Sam::from_power_on_data(&SAM));
    settings.ratification_command = true;
    settings.policy = policy;
    Transaction::new(Card::from_select_response(&SELECTED).unwrap(), Security::Symmetric(settings)).unwrap()
}

pub(crate) fn prepare_readings(transaction: &mut Transaction) {
    transaction.prepare(OpenSession { level: Level::Debit }).unwrap();
    transaction.prepare(ReadRecords { sfi: Sfi(7), records: 1..=1, size: 2 }).unwrap();
    transaction.prepare(ReadCounters { sfi: Sfi(0x19), count: 1 }).unwrap();
}

pub(crate) fn prepare_writings(transaction: &mut Transaction) {
    let down = ChangeCounter { change: CounterChange::Decrease, sfi: Sfi(0x19), counter: 1, by: 1 };
    transaction.prepare(down).unwrap();
    transaction.prepare(AppendRecord { sfi: Sfi(8), data: &[0xEE] }).unwrap();
    transaction.prepare(CloseSession).unwrap();
}
