//! A validation over canned answers: the benchmarks measure it, a test counts its allocations, and the program without
//! std runs it.
//!
//! Specification 02, "Scenario 6: simple embedded validation", with a record that is updated besides. The card is of
//! revision 3, the SAM a C1; both are constants, and so are the commands that they must get. Nobody here computes a
//! MAC: they are made up.

use ogygia::apdu::Batch;
use ogygia::card::{Card, Level, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, CounterChange, OpenSession, ReadCounters, ReadRecords, UpdateRecord,
};
use ogygia::sam::Sam;
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Peer, Request};

/// Bytes from their digits, when compiled.
macro_rules! hex {
    ($text:literal) => {{
        const BYTES: [u8; $text.len() / 2] = bytes($text);
        &BYTES
    }};
}

#[expect(clippy::indexing_slicing, reason = "runs in the compiler")]
const fn bytes<const LEN: usize>(text: &str) -> [u8; LEN] {
    let digits = text.as_bytes();
    let mut bytes = [0; LEN];
    let mut at = 0;
    while at < LEN {
        bytes[at] = digit(digits[2 * at]) << 4 | digit(digits[2 * at + 1]);
        at += 1;
    }
    bytes
}

const fn digit(digit: u8) -> u8 {
    if digit <= b'9' { digit - b'0' } else { digit - b'A' + 10 }
}

/// What the card answers to Select Application.
pub(crate) const SELECTED: &[u8] =
    hex!("6F238409315449432E49434131A516BF0C13C708000000001122334453070A3C20051410019000");

/// What the SAM says when it is powered.
pub(crate) const SAM: &[u8] = hex!("3B3F9600805A4880C120501711223344829000");

const ENVIRONMENT: Sfi = Sfi(0x07);
const LOG: Sfi = Sfi(0x08);
const CONTRACTS: Sfi = Sfi(0x09);
const COUNTERS: Sfi = Sfi(0x19);

const CONTRACT: &[u8] = hex!("40414243444546474849505152535455565758596061626364656667AA");
const EVENT: &[u8] = hex!("70717273747576777879808182838485868788899091929394959697BB");

/// One command and its answer.
type Exchanged = (&'static [u8], &'static [u8]);

/// Until the counters are known.
const READS: [(Peer, &[Exchanged]); 2] = [
    (Peer::Sam, &[(hex!("8084000004"), hex!("C1C2C3C49000"))]),
    (
        Peer::Card,
        &[
            (
                hex!("008A0B3904C1C2C3C400"),
                hex!("030490980030791D10111213141516171819202122232425262728293031323334353637CC9000"),
            ),
            (hex!("00B201CC09"), hex!("0000640000050000009000")),
        ],
    ),
];

const DIGEST: [Exchanged; 4] = [
    (hex!("80140000080000000011223344"), hex!("9000")),
    (hex!("808A00FF273079030490980030791D10111213141516171819202122232425262728293031323334353637CC"), hex!("9000")),
    (
        hex!(
            "808C80006D0500B201CC090B0000640000050000009000\
             2200DC014C1D40414243444546474849505152535455565758596061626364656667AA029000\
             2200E200401D70717273747576777879808182838485868788899091929394959697BB029000\
             08003001C803000001050000639000"
        ),
        hex!("9000"),
    ),
    (hex!("808E000004"), hex!("A1A2A3A49000")),
];

const UPDATE: &[u8] = hex!("00DC014C1D40414243444546474849505152535455565758596061626364656667AA");
const APPEND: &[u8] = hex!("00E200401D70717273747576777879808182838485868788899091929394959697BB");
const DECREASE: &[u8] = hex!("003001C80300000100");
const CLOSE: &[u8] = hex!("008E000004A1A2A3A400");
const RATIFY: &[u8] = hex!("00B2000000");

/// What follows when all goes well.
const WRITES: [(Peer, &[Exchanged]); 3] = [
    (Peer::Sam, &DIGEST),
    (
        Peer::Card,
        &[
            (UPDATE, hex!("9000")),
            (APPEND, hex!("9000")),
            (DECREASE, hex!("0000639000")),
            (CLOSE, hex!("B1B2B3B49000")),
            (RATIFY, hex!("6B00")),
        ],
    ),
    (Peer::Sam, &[(hex!("8082000004B1B2B3B4"), hex!("9000"))]),
];

/// What follows when the card refuses to append, and the session is aborted. Commands without an answer were not sent.
const REFUSED: [(Peer, &[Exchanged]); 3] = [
    (Peer::Sam, &DIGEST),
    (Peer::Card, &[(UPDATE, hex!("9000")), (APPEND, hex!("6400")), (DECREASE, &[]), (CLOSE, &[]), (RATIFY, &[])]),
    (Peer::Card, &[(hex!("008E000000"), hex!("9000"))]),
];

/// One request, with its answers.
pub(crate) struct Round {
    peer: Peer,
    commands: Batch,
    answers: Batch,
}

/// Why the core did not do what it should.
pub(crate) type Wrong = &'static str;

impl Round {
    fn new((peer, exchanged): (Peer, &[Exchanged])) -> Self {
        let answers = exchanged.iter().map(|(_, answer)| *answer).filter(|answer| !answer.is_empty());
        Self { peer, commands: exchanged.iter().map(|(command, _)| *command).collect(), answers: answers.collect() }
    }

    /// Whether `request` is the one that belongs here.
    fn expects(&self, request: &Request<'_>) -> bool {
        (request.peer, request.commands, request.channel) == (self.peer, &self.commands, ChannelControl::KeepOpen)
    }
}

/// The peers.
pub(crate) struct Peers {
    reads: [Round; 2],
    writes: [Round; 3],
    refused: [Round; 3],
}

impl Peers {
    pub(crate) fn new() -> Self {
        Self { reads: READS.map(Round::new), writes: WRITES.map(Round::new), refused: REFUSED.map(Round::new) }
    }

    /// The whole transaction. `looks` says whether a request is right; measurements do not look.
    pub(crate) fn validate(
        &self,
        transaction: &mut Transaction,
        mut looks: impl FnMut(&Round, &Request<'_>) -> bool,
    ) -> Result<(), Wrong> {
        read(transaction).map_err(|_| "the readings cannot be prepared")?;
        play(transaction, &self.reads, &mut looks)?;
        write(transaction).map_err(|_| "the writings cannot be prepared")?;
        play(transaction, &self.writes, &mut looks)
    }

    /// The whole transaction, looking at everything: each request, and the image in the end.
    pub(crate) fn validate_and_look(&self, transaction: &mut Transaction) -> Result<(), Wrong> {
        self.validate(transaction, Round::expects)?;
        if transaction.session().authenticated.is_none() || !transaction.session().ratified {
            return Err("the session is not authenticated, or not ratified");
        }
        let card = transaction.card();
        let record = |sfi| card.file(sfi).and_then(|file| file.record(1));
        let trips = card.file(COUNTERS).and_then(|file| file.counter(1));
        let environment = record(ENVIRONMENT).is_some_and(|environment| environment.len() == 29);
        if environment && (record(CONTRACTS), record(LOG), trips) == (Some(CONTRACT), Some(EVENT), Some(99)) {
            Ok(())
        } else {
            Err("the image is wrong")
        }
    }

    /// The transaction with a refusal in it.
    #[allow(dead_code, reason = "not everyone who shares this file refuses")]
    pub(crate) fn refuse(&self, transaction: &mut Transaction) -> Result<(), Wrong> {
        read(transaction).map_err(|_| "the readings cannot be prepared")?;
        play(transaction, &self.reads, &mut Round::expects)?;
        write(transaction).map_err(|_| "the writings cannot be prepared")?;
        if play(transaction, &self.refused, &mut Round::expects) == Err(FAILED) {
            Ok(())
        } else {
            Err("a refusal is not reported")
        }
    }
}

/// The image of the selected card.
pub(crate) fn card() -> Result<Card, Wrong> {
    Card::from_select_response(SELECTED).map_err(|_| "the card is not recognised")
}

/// A transaction with it.
pub(crate) fn transaction(card: Card) -> Result<Transaction, Wrong> {
    let mut settings = SymmetricSettings::new(Sam::from_power_on_data(SAM));
    settings.ratification_command = true;
    Transaction::new(card, Security::Symmetric(settings)).map_err(|_| "no transaction with this card or SAM")
}

/// The next card, in the memory of the one before.
pub(crate) fn restart(transaction: &mut Transaction) -> Result<(), Wrong> {
    transaction.restart_selected(Some(SELECTED), &[]).map_err(|_| "the card is not recognised")
}

fn read(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    transaction.prepare(ReadRecords { sfi: ENVIRONMENT, records: 1..=1, size: 29 })?;
    transaction.prepare(ReadCounters { sfi: COUNTERS, count: 3 })
}

fn write(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(UpdateRecord { sfi: CONTRACTS, record: 1, data: CONTRACT })?;
    transaction.prepare(AppendRecord { sfi: LOG, data: EVENT })?;
    transaction.prepare(ChangeCounter { change: CounterChange::Decrease, sfi: COUNTERS, counter: 1, by: 1 })?;
    transaction.prepare(CloseSession)
}

const FAILED: Wrong = "the transaction failed";

fn play(
    transaction: &mut Transaction,
    rounds: &[Round],
    looks: &mut impl FnMut(&Round, &Request<'_>) -> bool,
) -> Result<(), Wrong> {
    transaction.process(ChannelControl::KeepOpen).map_err(|_| "a request is under way")?;
    for round in rounds {
        let request = transaction.poll(round.peer).ok_or("a request is missing")?;
        if !looks(round, &request) {
            return Err("another request was expected");
        }
        transaction.handle(round.peer, &round.answers).map_err(|_| "the answers were not asked for")?;
    }
    match transaction.outcome() {
        Some(Ok(())) => Ok(()),
        Some(Err(_)) => Err(FAILED),
        None => Err("the transaction is not over"),
    }
}
