//! What becomes of answers of the SAM that come when somebody else is waited for.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod two_peers;

use ogygia::apdu::Batch;
use ogygia::card::{KeyId, Kif, Kvc, Level, Sfi};
use ogygia::command::{CancelSession, CommandName, OpenSession, UpdateRecord};
use ogygia::sam::{ComputeSignature, SignatureKind};
use ogygia::transaction::{Policy, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Misuse, Peer, Untrusted};
use two_peers::{answer, prepare_readings, prepare_writings};

fn names(transaction: &Transaction, peer: Peer) -> Vec<u8> {
    let request = transaction.poll(peer);
    let commands = request.iter().flat_map(|request| request.commands.iter());
    commands.map(|command| *command.get(1).unwrap()).collect()
}

/// The answers to what `peer` is asked.
fn answers(transaction: &Transaction, peer: Peer) -> Batch {
    let mut answers = Batch::new();
    for command in transaction.poll(peer).unwrap().commands.iter() {
        answers.push_with(|out| answer(peer, command, out));
    }
    answers
}

fn carry(transaction: &mut Transaction, peer: Peer, instructions: &[u8]) {
    assert_eq!(names(transaction, peer), instructions);
    let answers = answers(transaction, peer);
    transaction.handle(peer, &answers).unwrap();
}

fn word(word: u16) -> Batch {
    [&word.to_be_bytes()[..]].into_iter().collect()
}

/// Begins with the readings: the opening is under way, and the SAM selects the diversifier.
fn opening() -> Transaction {
    let mut transaction = two_peers::transaction(Policy::Overlapped);
    prepare_readings(&mut transaction);
    transaction.process(ChannelControl::KeepOpen).unwrap();
    carry(&mut transaction, Peer::Sam, &[0x84]);
    assert_eq!([names(&transaction, Peer::Card), names(&transaction, Peer::Sam)], [[0x8A], [0x14]]);
    transaction
}

/// The readings are done; the SAM has digested everything but them.
fn read() -> Transaction {
    let mut transaction = opening();
    carry(&mut transaction, Peer::Card, &[0x8A]);
    carry(&mut transaction, Peer::Sam, &[0x14]);
    assert_eq!(names(&transaction, Peer::Sam), [0x8A]);
    carry(&mut transaction, Peer::Card, &[0xB2]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    carry(&mut transaction, Peer::Sam, &[0x8A]);
    assert_eq!(names(&transaction, Peer::Sam), [0x8C]);
    transaction
}

/// The card has closed the session: it is ratified while the SAM verifies it.
fn closed() -> Transaction {
    let mut transaction = read();
    prepare_writings(&mut transaction);
    transaction.process(ChannelControl::KeepOpen).unwrap();
    // The card writes while the SAM digests the readings; the MAC is asked for behind that.
    carry(&mut transaction, Peer::Sam, &[0x8C]);
    carry(&mut transaction, Peer::Sam, &[0x8C, 0x8E]);
    assert_eq!(names(&transaction, Peer::Sam), []);
    carry(&mut transaction, Peer::Card, &[0x30, 0xE2]);
    carry(&mut transaction, Peer::Card, &[0x8E]);
    assert_eq!([names(&transaction, Peer::Card), names(&transaction, Peer::Sam)], [[0xB2], [0x82]]);
    transaction
}

#[test]
fn ratified_and_verified_in_either_order() {
    let mut transaction = closed();
    carry(&mut transaction, Peer::Card, &[0xB2]);
    assert_eq!(transaction.outcome(), None);
    carry(&mut transaction, Peer::Sam, &[0x82]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    let mut transaction = closed();
    carry(&mut transaction, Peer::Sam, &[0x82]);
    assert!(transaction.session().authenticated.is_some());
    assert_eq!(transaction.outcome(), None);
    carry(&mut transaction, Peer::Card, &[0xB2]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
}

/// A card that is not what it says is reported, whatever became of its ratification.
#[test]
fn a_wrong_mac_is_worse_than_anything_behind_it() {
    let nothing = Batch::new();
    for sam_first in [true, false] {
        for lost in [true, false] {
            let mut transaction = closed();
            let sam = |transaction: &mut Transaction| transaction.handle(Peer::Sam, &word(0x6988)).unwrap();
            if sam_first {
                sam(&mut transaction);
            }
            if lost {
                transaction.handle_lost(Peer::Card, Loss::Peer, &nothing).unwrap();
            } else {
                transaction.handle(Peer::Card, &nothing).unwrap();
            }
            if !sam_first {
                sam(&mut transaction);
            }
            assert_eq!(transaction.outcome(), Some(Err(Untrusted::SessionMac.into())), "{sam_first} {lost}");
            assert!(transaction.session().authenticated.is_none());
        }
    }
}

#[test]
fn a_sam_lost_while_the_card_is_ratified() {
    let mut transaction = closed();
    transaction.handle_lost(Peer::Sam, Loss::Reader, &Batch::new()).unwrap();
    carry(&mut transaction, Peer::Card, &[0xB2]);
    let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Reader, fate: Fate::Unverified };
    assert_eq!(transaction.outcome(), Some(Err(lost)));
}

/// What the SAM refuses while the application is waited for ends the session as soon as that goes on.
#[test]
fn a_sam_that_fails_between_two_steps() {
    let mut transaction = read();
    transaction.handle(Peer::Sam, &word(0x6F00)).unwrap();
    assert_eq!(transaction.handle(Peer::Sam, &word(0x6F00)), Err(Misuse::NotAsked.into()));
    assert!(transaction.is_session_open());
    prepare_writings(&mut transaction);
    transaction.process(ChannelControl::KeepOpen).unwrap();
    assert_eq!(names(&transaction, Peer::Sam), []);
    carry(&mut transaction, Peer::Card, &[0x8E]);
    let refused = transaction.outcome().unwrap().unwrap_err();
    let command = CommandName::SamDigestUpdateMultiple;
    assert!(matches!(refused, Error::Status { peer: Peer::Sam, index: 0, command: name, .. } if name == command));
    assert!(!transaction.is_session_open());
}

/// An error of the card is reported before one of the SAM that was not asked about the card.
#[test]
fn card_and_sam_fail_together() {
    let mut transaction = opening();
    transaction.handle_lost(Peer::Sam, Loss::Peer, &Batch::new()).unwrap();
    transaction.handle(Peer::Card, &word(0x6985)).unwrap();
    let refused = transaction.outcome().unwrap().unwrap_err();
    assert!(matches!(refused, Error::Status { peer: Peer::Card, command: CommandName::OpenSecureSession, .. }));
}

/// What was asked for a card that is gone is answered some time, and does not matter then. The challenge for the next
/// card is asked for behind it: what was fetched before is of no use any more.
#[test]
fn an_answer_for_a_card_that_is_gone() {
    let mut transaction = opening();
    let card = transaction.card().clone();
    let late = transaction.poll(Peer::Sam).unwrap().commands.clone();
    transaction.handle_lost(Peer::Card, Loss::Peer, &Batch::new()).unwrap();
    let lost = Error::Lost { peer: Peer::Card, loss: Loss::Peer, fate: Fate::NotCommitted };
    assert_eq!(transaction.outcome(), Some(Err(lost)));
    transaction.restart(&card).unwrap();
    transaction.set_prefetched_challenge([7; 8]);
    prepare_readings(&mut transaction);
    transaction.process(ChannelControl::KeepOpen).unwrap();
    assert_eq!(names(&transaction, Peer::Card), []);
    assert_eq!(transaction.poll(Peer::Sam).unwrap().commands, &late);
    transaction.handle(Peer::Sam, &word(0x6F00)).unwrap();
    carry(&mut transaction, Peer::Sam, &[0x84]);
    carry(&mut transaction, Peer::Card, &[0x8A]);
    carry(&mut transaction, Peer::Card, &[0xB2]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    // The diversifier was not selected by what was refused.
    carry(&mut transaction, Peer::Sam, &[0x14]);
}

/// A SAM that is lost with such a request is lost for the next card as well, if that needs it already.
#[test]
fn a_sam_lost_with_an_answer_that_does_not_matter() {
    for asked in [false, true] {
        let mut transaction = opening();
        let card = transaction.card().clone();
        transaction.handle_lost(Peer::Card, Loss::Peer, &Batch::new()).unwrap();
        transaction.outcome().unwrap().unwrap_err();
        transaction.restart(&card).unwrap();
        prepare_readings(&mut transaction);
        if asked {
            transaction.process(ChannelControl::KeepOpen).unwrap();
        }
        transaction.handle_lost(Peer::Sam, Loss::Peer, &Batch::new()).unwrap();
        if !asked {
            transaction.process(ChannelControl::KeepOpen).unwrap();
            carry(&mut transaction, Peer::Sam, &[0x84]);
            continue;
        }
        let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Peer, fate: Fate::Untouched };
        assert_eq!(transaction.outcome(), Some(Err(lost)));
    }
}

/// A SAM that is given to somebody else is lost for the session, whatever it still does for it.
#[test]
fn a_sam_that_is_taken_away() {
    let mut transaction = read();
    assert_eq!(transaction.forget_sam(), Err(Misuse::SamTaken.into()));
    carry(&mut transaction, Peer::Card, &[0x8E]);
    assert_eq!(transaction.outcome(), Some(Err(Misuse::SamTaken.into())));
    transaction.handle(Peer::Sam, &word(0x6F00)).unwrap();
    assert_eq!(transaction.forget_sam(), Ok(()));
    let card = transaction.card().clone();
    transaction.restart(&card).unwrap();
    prepare_readings(&mut transaction);
    transaction.process(ChannelControl::KeepOpen).unwrap();
    carry(&mut transaction, Peer::Sam, &[0x84]);
    assert_eq!([names(&transaction, Peer::Card), names(&transaction, Peer::Sam)], [[0x8A], [0x14]]);
}

/// Cancels the session and opens another one with the same request.
fn open_another(transaction: &mut Transaction) {
    transaction.prepare(CancelSession).unwrap();
    transaction.prepare(OpenSession { level: Level::Debit }).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
}

/// The SAM has not begun to digest a session that is cancelled: it does not.
#[test]
fn a_cancelled_session_is_not_digested() {
    let mut transaction = opening();
    carry(&mut transaction, Peer::Card, &[0x8A]);
    carry(&mut transaction, Peer::Card, &[0xB2]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    open_another(&mut transaction);
    carry(&mut transaction, Peer::Sam, &[0x14]);
    carry(&mut transaction, Peer::Sam, &[0x84]);
    assert_eq!(names(&transaction, Peer::Sam), []);
    carry(&mut transaction, Peer::Card, &[0x8E, 0x8A]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    assert_eq!(names(&transaction, Peer::Sam), [0x8A]);
}

/// The SAM still digests a session that is cancelled, and fails: it does not matter to the next one, nor does anything of
/// it come behind the challenge.
#[test]
fn a_sam_that_fails_with_a_cancelled_session() {
    let mut transaction = read();
    open_another(&mut transaction);
    assert_eq!(names(&transaction, Peer::Sam), [0x8C]);
    transaction.handle(Peer::Sam, &word(0x6A83)).unwrap();
    carry(&mut transaction, Peer::Sam, &[0x84]);
    assert_eq!([names(&transaction, Peer::Card), names(&transaction, Peer::Sam)], [vec![0x8E, 0x8A], vec![0x14]]);
    carry(&mut transaction, Peer::Card, &[0x8E, 0x8A]);
    carry(&mut transaction, Peer::Sam, &[0x14]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    carry(&mut transaction, Peer::Sam, &[0x8A]);
}

/// The same, when there is no other session.
#[test]
fn a_sam_that_fails_behind_a_cancelled_session() {
    let mut transaction = read();
    transaction.prepare(CancelSession).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    carry(&mut transaction, Peer::Card, &[0x8E]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
    transaction.handle(Peer::Sam, &word(0x6A83)).unwrap();
    transaction.prepare(UpdateRecord { sfi: Sfi(7), record: 1, data: &[1] }).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    carry(&mut transaction, Peer::Card, &[0xDC]);
    assert_eq!(transaction.outcome(), Some(Ok(())));
}

/// What the card has executed when the loss of the SAM is reported counts, whichever was told first.
#[test]
fn a_sam_lost_while_the_card_writes() {
    for sam_first in [true, false] {
        let mut transaction = two_peers::transaction(Policy::Overlapped);
        let key = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
        let kind = SignatureKind::Basic;
        let signing = ComputeSignature { kind, data: &[0; 8], key, size: 8, diversifier: None };
        transaction.prepare_signature(&signing).unwrap();
        transaction.prepare(UpdateRecord { sfi: Sfi(7), record: 1, data: &[1] }).unwrap();
        transaction.process(ChannelControl::KeepOpen).unwrap();
        assert_eq!([names(&transaction, Peer::Card), names(&transaction, Peer::Sam)], [vec![0xDC], vec![0x14, 0x1C]]);
        let lose = |transaction: &mut Transaction| transaction.handle_lost(Peer::Sam, Loss::Peer, &Batch::new());
        if sam_first {
            lose(&mut transaction).unwrap();
        }
        carry(&mut transaction, Peer::Card, &[0xDC]);
        if !sam_first {
            lose(&mut transaction).unwrap();
        }
        let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Peer, fate: Fate::Unverified };
        assert_eq!(transaction.outcome(), Some(Err(lost)), "{sam_first}");
    }
}
