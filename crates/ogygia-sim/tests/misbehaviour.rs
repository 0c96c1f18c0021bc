//! Peers that answer what they should not, at every point of a validation: wrong MACs, wrong keys, nonsense, too little,
//! too much, every status word of every table. Each is a typed error; an open session is aborted, the card has its old
//! content, and so has the image, unless the card had committed before.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod validation;

use ogygia::apdu::{Batch, StatusWord};
use ogygia::command::{CommandName, Refusal};
use ogygia::drive::{Channel, send_each};
use ogygia::{Error, Loss, Malformed, Misbehaviour, Peer, Request, Untrusted};
use ogygia_sim::link::Device;
use ogygia_sim::{Fault, KeyId, KeySet, Link, SamProduct, VirtualSam};
use validation::*;

/// What came of a validation that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum After {
    /// Before the card had opened a session, as far as the terminal knows.
    NoSession,
    /// The session was aborted: nothing is left of it.
    Aborted,
    /// The terminal aborts a session that the card has closed already: an answer to a command before the closing, in the
    /// same request, was not what it had to be.
    AbortedTooLate,
    /// The card has committed; the terminal knows, but not that the card is authentic.
    Unverified,
    /// The card has committed; the terminal knows that, and that it is authentic.
    Committed,
    /// The card has committed, and the terminal knows that; but the answer cannot be read, so that nothing is verified.
    Unreadable,
}

impl After {
    fn check(self, bench: &mut Bench, place: &str) {
        let report = bench.transaction.session();
        let known = matches!(self, Self::Unverified | Self::Committed | Self::Unreadable);
        assert_eq!(report.committed, u32::from(known), "{place}");
        assert_eq!(report.authenticated.is_some(), self == Self::Committed, "{place}");
        assert!(!bench.transaction.is_session_open(), "{place}");
        assert_eq!(bench.aborted(), matches!(self, Self::Aborted | Self::AbortedTooLate), "{place}");
        let image = if known { files_after() } else { bench.image.clone() };
        assert_eq!(files(&bench.transaction), image, "{place}");
        let state = match self {
            Self::NoSession | Self::Aborted => State::Old,
            Self::AbortedTooLate | Self::Unverified | Self::Committed | Self::Unreadable => State::New,
        };
        assert_eq!(bench.torn_state(), state, "{place}");
        // The next card is served as if nothing had happened.
        bench.ratified_before();
    }
}

fn status(peer: Peer, index: usize, command: CommandName, status: u16) -> Error {
    Error::Status { peer, index, command, status: StatusWord(status) }
}

fn misbehaved(peer: Peer, index: usize, command: CommandName, how: impl Into<Misbehaviour>) -> Error {
    Error::PeerMisbehaved { peer, index, command, how: how.into() }
}

const fn length(expected: usize, received: usize) -> Misbehaviour {
    Misbehaviour::UnexpectedLength { expected, received }
}

/// Where each command stands in its request.
fn index(peer: Peer, at: u64) -> usize {
    let first = match (peer, at) {
        (Peer::Card, OPEN | READ) => OPEN,
        (Peer::Card, _) => UPDATE,
        (Peer::Sam, GET_CHALLENGE) => GET_CHALLENGE,
        (Peer::Sam, AUTHENTICATE) => AUTHENTICATE,
        (Peer::Sam | Peer::ControlSam, _) => SELECT_DIVERSIFIER,
    };
    usize::try_from(at - first).unwrap()
}

fn name(peer: Peer, at: u64) -> CommandName {
    let names = match peer {
        Peer::Card => &CARD_COMMANDS[..],
        Peer::Sam | Peer::ControlSam => &SAM_COMMANDS,
    };
    names.iter().zip(0..).find(|(_, place)| *place == at).map(|(name, _)| *name).unwrap()
}

fn with_fault(peer: Peer, fault: Fault) -> Bench {
    let mut bench = Bench::new(true);
    match peer {
        Peer::Card => bench.card.add_fault(fault),
        Peer::Sam | Peer::ControlSam => bench.sam.add_fault(fault),
    }
    bench
}

fn flip(answer: &mut [u8]) {
    *answer.first_mut().unwrap() ^= 0x01;
}

#[test]
fn a_wrong_terminal_mac() {
    let mut bench = with_fault(Peer::Sam, Fault::changed(DIGEST_CLOSE, |answer| flip(answer)));
    let refused = status(Peer::Card, 3, CommandName::CloseSecureSession, 0x6988);
    assert_eq!(bench.validate(), Err(refused));
    After::Aborted.check(&mut bench, "terminal MAC");
}

#[test]
fn a_wrong_card_mac() {
    let mut bench = with_fault(Peer::Card, Fault::changed(CLOSE, |answer| flip(answer)));
    assert_eq!(bench.validate(), Err(Untrusted::SessionMac.into()));
    After::Unverified.check(&mut bench, "card MAC");
}

#[test]
fn a_sam_of_another_operator() {
    let sam = VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &KeySet::new(b"another operator"));
    let mut bench = Bench::with_sam(true, sam);
    assert_eq!(bench.validate(), Err(status(Peer::Card, 3, CommandName::CloseSecureSession, 0x6988)));
    assert!(bench.aborted());
    assert_eq!(files(&bench.transaction), bench.image);
    assert_eq!(bench.torn_state(), State::Old);
}

#[test]
fn a_sam_without_the_key() {
    let mut keys = KeySet::new(b"losses");
    keys.remove(KeyId::new(0x30, 0x79));
    let mut bench = Bench::with_sam(true, VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &keys));
    assert_eq!(bench.validate(), Err(status(Peer::Sam, 1, CommandName::SamDigestInit, 0x6A83)));
    assert!(bench.aborted());
    assert_eq!(files(&bench.transaction), bench.image);
    assert_eq!(bench.torn_state(), State::Old);
}

/// The answer of the SAM to a challenge that an attacker has changed, on its way to the card or back.
#[test]
fn data_changed_on_the_way_are_found_by_the_macs() {
    let refused = status(Peer::Card, 3, CommandName::CloseSecureSession, 0x6988);
    for (peer, at) in [(Peer::Sam, GET_CHALLENGE), (Peer::Card, OPEN), (Peer::Card, READ)] {
        // Of the opening the last byte before the status word: it belongs to the record.
        let mut bench = with_fault(
            peer,
            Fault::changed(at, |answer| {
                let last = answer.len() - 3;
                answer[last] ^= 0x01;
            }),
        );
        assert_eq!(bench.validate(), Err(refused), "{peer:?} {at}");
        After::Aborted.check(&mut bench, "changed data");
    }
    // The new value of the counter was certain.
    let mut bench = with_fault(Peer::Card, Fault::changed(DECREASE, |answer| flip(answer)));
    let other = misbehaved(Peer::Card, 2, CommandName::Decrease, Misbehaviour::NotAsPredicted);
    assert_eq!(bench.validate(), Err(other));
    After::AbortedTooLate.check(&mut bench, "changed counter");
}

/// What comes of answers without a status word, and of those with a status word that is in no table.
const NONSENSE: [(Peer, u64, After); 12] = [
    (Peer::Sam, GET_CHALLENGE, After::NoSession),
    (Peer::Card, OPEN, After::NoSession),
    (Peer::Card, READ, After::Aborted),
    (Peer::Sam, SELECT_DIVERSIFIER, After::Aborted),
    (Peer::Sam, DIGEST_INIT, After::Aborted),
    (Peer::Sam, DIGEST_UPDATE, After::Aborted),
    (Peer::Sam, DIGEST_CLOSE, After::Aborted),
    (Peer::Card, UPDATE, After::Aborted),
    (Peer::Card, APPEND, After::Aborted),
    (Peer::Card, DECREASE, After::Aborted),
    // The card has executed it.
    (Peer::Card, CLOSE, After::AbortedTooLate),
    (Peer::Sam, AUTHENTICATE, After::Unverified),
];

#[test]
fn answers_without_a_status_word() {
    for (peer, at, after) in NONSENSE {
        for bytes in [&[][..], &[0x90]] {
            let mut bench = with_fault(peer, Fault::replaced(at, bytes));
            let place = format!("{} {bytes:02X?}", name(peer, at));
            let expected = misbehaved(peer, index(peer, at), name(peer, at), Misbehaviour::NoStatus);
            assert_eq!(bench.validate(), Err(expected), "{place}");
            after.check(&mut bench, &place);
        }
    }
}

#[test]
fn status_words_of_no_table() {
    for (peer, at, after) in NONSENSE {
        for word in [0x0000, 0x1234, 0x6F00, 0x9001, 0x61FF, 0xFFFF] {
            let mut bench = with_fault(peer, Fault::replaced(at, u16::to_be_bytes(word)));
            let place = format!("{} {word:04X}", name(peer, at));
            let expected = status(peer, index(peer, at), name(peer, at), word);
            assert_eq!(bench.validate(), Err(expected), "{place}");
            after.check(&mut bench, &place);
        }
    }
}

/// The ratification command is answered anything: what counts is that the card got it, which only a whole answer shows.
#[test]
fn the_answer_to_the_ratification_command_does_not_matter() {
    for answer in [&[0x6B, 0x00][..], &[0x12, 0x34], &[0x90, 0x00], &[0x00, 0x6B, 0x00], &[0xAA; 258], &[0x6B], &[]] {
        let mut bench = with_fault(Peer::Card, Fault::replaced(RATIFY, answer));
        assert_eq!(bench.validate(), Ok(()), "{answer:02X?}");
        assert_eq!(bench.transaction.session().ratified, answer.len() >= 2);
        After::Committed.check(&mut bench, "ratification");
    }
}

/// One byte more in front of the status word, and one less.
#[test]
fn answers_of_another_length() {
    let card = |at, how: Misbehaviour| misbehaved(Peer::Card, index(Peer::Card, at), name(Peer::Card, at), how);
    let sam = |at, how: Misbehaviour| misbehaved(Peer::Sam, index(Peer::Sam, at), name(Peer::Sam, at), how);
    let opening = || Malformed::Opening.into();
    let closing = || Malformed::Closing.into();
    let surplus = [
        (Peer::Sam, GET_CHALLENGE, sam(GET_CHALLENGE, length(4, 5)), After::NoSession),
        (Peer::Card, OPEN, card(OPEN, opening()), After::Aborted),
        (Peer::Card, READ, card(READ, length(9, 10)), After::Aborted),
        (Peer::Sam, DIGEST_CLOSE, sam(DIGEST_CLOSE, length(4, 5)), After::Aborted),
        (Peer::Card, UPDATE, card(UPDATE, length(0, 1)), After::AbortedTooLate),
        (Peer::Card, APPEND, card(APPEND, length(0, 1)), After::AbortedTooLate),
        (Peer::Card, DECREASE, card(DECREASE, length(3, 4)), After::AbortedTooLate),
        (Peer::Card, CLOSE, card(CLOSE, closing()), After::Unreadable),
    ];
    let missing = [
        (Peer::Sam, GET_CHALLENGE, sam(GET_CHALLENGE, length(4, 3)), After::NoSession),
        (Peer::Card, OPEN, card(OPEN, opening()), After::Aborted),
        (Peer::Card, READ, card(READ, length(9, 8)), After::Aborted),
        (Peer::Sam, DIGEST_CLOSE, sam(DIGEST_CLOSE, length(4, 3)), After::Aborted),
        (Peer::Card, DECREASE, card(DECREASE, length(3, 2)), After::AbortedTooLate),
        (Peer::Card, CLOSE, card(CLOSE, closing()), After::Unreadable),
    ];
    let more = |at| Fault::changed(at, |answer| answer.insert(0, 0x00));
    let less = |at| {
        Fault::changed(at, |answer| {
            answer.remove(0);
        })
    };
    for (rows, fault) in [(&surplus[..], &more as &dyn Fn(u64) -> Fault), (&missing, &less)] {
        for &(peer, at, expected, after) in rows {
            let mut bench = with_fault(peer, fault(at));
            let place = format!("{:?} {}", fault(at), name(peer, at));
            assert_eq!(bench.validate(), Err(expected), "{place}");
            after.check(&mut bench, &place);
        }
    }
}

/// A link that answers one command itself, or does not hand over as many answers as the peer gave.
struct Tampered<'a, D> {
    link: &'a mut Link<D>,
    /// The command with this number is answered so, and the device never gets it.
    instead: Option<(u64, StatusWord)>,
    /// The request with this number has one answer more, or one less.
    count: Option<(u64, Change)>,
    commands: u64,
    requests: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    More,
    Less,
}

impl<'a, D> Tampered<'a, D> {
    const fn new(link: &'a mut Link<D>) -> Self {
        Self { link, instead: None, count: None, commands: 0, requests: 0 }
    }
}

impl<D: Device> Channel for Tampered<'_, D> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let Self { link, instead, count, commands, requests } = self;
        let sent = send_each(request, responses, |command, answer| {
            let number = *commands;
            *commands += 1;
            match *instead {
                Some((at, status)) if at == number => answer.extend_from_slice(&status.to_bytes()),
                _ => link.send(command, answer)?,
            }
            Ok(())
        });
        match *count {
            Some((at, Change::More)) if at == *requests => responses.push(&[0x90, 0x00]),
            Some((at, Change::Less)) if at == *requests => responses.truncate(responses.len() - 1),
            _ => {}
        }
        *requests += 1;
        sent
    }
}

fn validate_tampered(
    bench: &mut Bench,
    peer: Peer,
    instead: Option<(u64, StatusWord)>,
    count: Option<(u64, Change)>,
) -> Result<(), Error> {
    let Bench { transaction, card, sam, .. } = bench;
    match peer {
        Peer::Card => validate(transaction, &mut Tampered { instead, count, ..Tampered::new(card) }, sam),
        Peer::Sam | Peer::ControlSam => {
            validate(transaction, card, &mut Tampered { instead, count, ..Tampered::new(sam) })
        }
    }
}

/// Every status word with which a command may be refused, whoever refuses it. What refuses does not execute.
#[test]
fn every_refusal_of_every_command() {
    let mut refusals = 0;
    for (peer, at, after) in NONSENSE {
        let command = name(peer, at);
        assert!(CommandName::ALL.contains(&command) && !command.refusals().is_empty(), "{command}");
        for &(word, refusal) in command.refusals() {
            let place = format!("{command} {word:04X}");
            let mut bench = Bench::new(true);
            let outcome = validate_tampered(&mut bench, peer, Some((at, StatusWord(word))), None);
            let expected = if (at, refusal) == (AUTHENTICATE, Refusal::SecurityData) && peer == Peer::Sam {
                Untrusted::SessionMac.into()
            } else {
                status(peer, index(peer, at), command, word)
            };
            assert_eq!(outcome, Err(expected), "{place}");
            // A card that refuses the closing has committed nothing.
            let after = if after == After::AbortedTooLate { After::Aborted } else { after };
            after.check(&mut bench, &place);
            refusals += 1;
        }
    }
    assert!(refusals > 60, "{refusals}");
}

/// Another number of answers than of commands. A request with one answer more is not believed at all.
#[test]
fn too_many_or_too_few_answers() {
    let count = |peer, commands, responses| Error::ResponseCount { peer, commands, responses };
    for (peer, request, commands, more, less) in [
        (Peer::Sam, 0, 1, After::NoSession, After::NoSession),
        // With one answer more the opening is not looked at: the terminal knows of no session.
        (Peer::Card, 0, 2, After::NoSession, After::Aborted),
        (Peer::Sam, 1, 4, After::Aborted, After::Aborted),
        // What is missing is the answer to the ratification command.
        (Peer::Card, 1, 5, After::AbortedTooLate, After::Committed),
        (Peer::Sam, 2, 1, After::Unverified, After::Unverified),
    ] {
        for (change, responses, after) in [(Change::More, commands + 1, more), (Change::Less, commands - 1, less)] {
            let place = format!("{peer:?} {request} {change:?}");
            let mut bench = Bench::new(true);
            let outcome = validate_tampered(&mut bench, peer, None, Some((request, change)));
            assert_eq!(outcome, Err(count(peer, commands, responses)), "{place}");
            after.check(&mut bench, &place);
        }
    }
}
