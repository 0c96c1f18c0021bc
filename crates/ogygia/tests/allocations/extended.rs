//! The same in the extended mode: early authentication, and data that are ciphered.

use ogygia::apdu::{Batch, StatusWord};
use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    ActivateEncryption, AppendRecord, AuthenticateEarly, ChangeCounter, CloseSession, Command, CounterChange,
    OpenSession, ReadCounters, ReadRecords, UpdateRecord,
};
use ogygia::drive::{Channel, resume, run, send_each};
use ogygia::sam::Sam;
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Loss, Request};

use super::allocations;
use super::validation::Wrong;

const SELECTED: [u8; 39] = [
    0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7,
    0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x28, 0x05, 0x14, 0x10, 0x01, 0x90,
    0x00,
];
const SAM: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0x00];
const OPENED: [u8; 12] = [0x03, 0x0D, 0x3D, 0x01, 0x02, 0x03, 0x04, 0x05, 0x02, 0x30, 0x74, 0x1D];
const SUCCESS: [u8; 2] = [0x90, 0x00];
const MAC: [u8; 8] = [0xA5; 8];

const ENVIRONMENT: Sfi = Sfi(0x07);
const LOG: Sfi = Sfi(0x08);
const CONTRACTS: Sfi = Sfi(0x09);
const COUNTERS: Sfi = Sfi(0x19);
const EVENT: [u8; 29] = [0x70; 29];
const CONTRACT: [u8; 29] = [0x40; 29];
/// What every byte that is ciphered is added to, without carry. Nobody here ciphers better.
const CIPHER: u8 = 0x5A;

/// Bytes of a command in front of its data.
const HEADER: usize = 5;

fn cipher(out: &mut [u8]) {
    out.iter_mut().for_each(|byte| *byte ^= CIPHER);
}

/// A card that answers what every card would, its data ciphered.
struct CannedCard {
    requests: u32,
    /// It refuses to append.
    refuses: bool,
    /// It got data that were not ciphered.
    heard_clear: bool,
}

impl CannedCard {
    fn answer(&mut self, command: &[u8], out: &mut Vec<u8>) {
        let from = out.len();
        match (command[1], command[2]) {
            (0x8A, _) => {
                out.extend(OPENED);
                out.extend(CONTRACT);
            }
            (0x82, _) if command[3] & 1 != 0 => out.extend(MAC),
            (0x8E, _) if command[4] != 0 => out.extend(MAC),
            (0xB2, 0) => return out.extend([0x6B, 0x00]),
            (0xB2, _) => out.extend((0..command[4]).map(|_| 0x64)),
            (0x30, _) => out.extend([0x00, 0x00, 0x63]),
            (0xE2, _) if self.refuses => return out.extend([0x64, 0x00]),
            _ => {}
        }
        if matches!(command[1], 0xB2 | 0x30) {
            cipher(&mut out[from..]);
        }
        self.heard_clear |= matches!(command[1], 0x30 | 0xDC | 0xE2) && matches!(command[HEADER], 0 | 0x40 | 0x70);
        out.extend(SUCCESS);
    }
}

impl Channel for CannedCard {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.requests += 1;
        send_each(request, responses, |command, out| {
            self.answer(command, out);
            Ok(())
        })
    }
}

/// A SAM that finds everything right.
struct CannedSam {
    requests: u32,
    /// Messages digested.
    digested: usize,
}

impl CannedSam {
    fn answer(&mut self, command: &[u8], out: &mut Vec<u8>) {
        let data = &command[HEADER..];
        match (command[1], command[2], command[3]) {
            (0x8A, ..) => self.digested = 0,
            (0x84 | 0x88 | 0x8E, ..) => out.extend(MAC),
            (0x8C, 0x00, 0x80) => {
                let clear = if self.digested.is_multiple_of(2) { 0..HEADER } else { data.len() - 2..data.len() };
                self.digested += 1;
                let place = out.len();
                out.extend(data);
                cipher(&mut out[place..]);
                cipher(&mut out[place..][clear]);
            }
            (0x8C, 0x00, _) => self.digested += 1,
            (0x8C, ..) => self.digested += blocks(data),
            _ => {}
        }
        out.extend(SUCCESS);
    }
}

fn blocks(mut data: &[u8]) -> usize {
    let mut blocks = 0;
    while let [length, rest @ ..] = data {
        blocks += 1;
        data = &rest[usize::from(*length)..];
    }
    blocks
}

impl Channel for CannedSam {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.requests += 1;
        send_each(request, responses, |command, out| {
            self.answer(command, out);
            Ok(())
        })
    }
}

/// The peers, and the transaction between them.
struct Bench {
    card: CannedCard,
    sam: CannedSam,
    image: Card,
    transaction: Transaction,
}

impl Bench {
    fn new(stepwise: bool) -> Self {
        let image = Card::from_select_response(&SELECTED).unwrap();
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(&SAM));
        settings.ratification_command = true;
        settings.encryption_stepwise = stepwise;
        Self {
            card: CannedCard { requests: 0, refuses: false, heard_clear: false },
            sam: CannedSam { requests: 0, digested: 0 },
            transaction: Transaction::new(image.clone(), Security::Symmetric(settings)).unwrap(),
            image,
        }
    }

    fn restart(&mut self) -> Result<(), Wrong> {
        (self.card.requests, self.sam.requests) = (0, 0);
        self.image.reset(Some(&SELECTED), &[]).map_err(|_| "the card is not recognised")?;
        self.transaction.restart(&self.image).map_err(|_| "the transaction is not at rest")
    }

    fn process<const N: usize>(&mut self, step: [Command<'_>; N]) -> Result<(), Error> {
        let prepared = step.into_iter().try_for_each(|command| self.transaction.prepare(command));
        if prepared.is_err() {
            resume(&mut self.transaction, &mut self.card, &mut self.sam)?;
            return prepared;
        }
        run(&mut self.transaction, &mut self.card, &mut self.sam, ChannelControl::KeepOpen)
    }

    /// One reading by itself, two together, and modifications with certain answers and with one that is not.
    fn play(&mut self) -> Result<(), Error> {
        let read = |sfi, number| ReadRecords { sfi, records: number..=number, size: 29 };
        self.process([OpenSession { level: Level::Debit }.into(), read(ENVIRONMENT, 1).into()])?;
        self.process([AuthenticateEarly.into()])?;
        self.process([ActivateEncryption.into(), read(LOG, 1).into()])?;
        self.process([read(CONTRACTS, 1).into(), ReadCounters { sfi: COUNTERS, count: 1 }.into()])?;
        self.process([
            UpdateRecord { sfi: CONTRACTS, record: 1, data: &CONTRACT }.into(),
            ChangeCounter { change: CounterChange::Decrease, sfi: COUNTERS, counter: 1, by: 1 }.into(),
            AppendRecord { sfi: LOG, data: &EVENT }.into(),
            CloseSession.into(),
        ])
    }

    fn validate(&mut self) -> Result<(), Wrong> {
        self.play().map_err(|_| "the transaction failed")?;
        if self.transaction.session().authenticated.is_none() || self.card.heard_clear {
            return Err("the session is not authenticated, or its data were not ciphered");
        }
        let card = self.transaction.card();
        let record = |sfi| card.file(sfi).and_then(|file| file.record(1));
        let trips = card.file(COUNTERS).and_then(|file| file.counter(1));
        let older = card.file(LOG).and_then(|file| file.record(2));
        let seen = (record(CONTRACTS), record(LOG), older, trips);
        if seen == (Some(&CONTRACT[..]), Some(&EVENT[..]), Some(&[0x64; 29][..]), Some(0x63)) {
            Ok(())
        } else {
            Err("the image is wrong")
        }
    }

    fn refuse(&mut self) -> Result<(), Wrong> {
        self.card.refuses = true;
        let played = self.play();
        self.card.refuses = false;
        match played {
            Err(Error::Status { status: StatusWord(0x6400), .. }) if !self.transaction.is_session_open() => Ok(()),
            _ => Err("a refusal is not reported"),
        }
    }
}

/// The requests tell that it is the way with the fewest that does not allocate, and not only the other one.
#[track_caller]
fn only_the_first_allocates(stepwise: bool, requests: (u32, u32)) {
    let mut bench = Bench::new(stepwise);
    assert!(allocations(|| bench.validate()) > 0, "the first transaction takes its memory");
    for (number, refused) in [false, true, true, false].into_iter().enumerate() {
        let again = allocations(|| {
            bench.restart()?;
            if refused { bench.refuse() } else { bench.validate() }
        });
        assert_eq!(again, 0, "transaction {}", number + 2);
    }
    assert_eq!((bench.card.requests, bench.sam.requests), requests);
}

#[test]
fn extended_sessions() {
    only_the_first_allocates(false, (6, 9));
}

#[test]
fn extended_sessions_step_by_step() {
    only_the_first_allocates(true, (9, 13));
}
