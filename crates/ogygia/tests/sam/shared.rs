//! One SAM, several users.

use ogygia::card::{Card, KeyId, Kif, Kvc, Level};
use ogygia::command::{CancelSession, CloseSession, Command, OpenSession};
use ogygia::drive::{self, NoSam, SharedSam};
use ogygia::sam::{ComputeSignature, Sam, SamImage, SignatureKind};
use ogygia::sam_transaction::SamTransaction;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Misuse};

use super::fake::{C1, Fake};

const KEY: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
const KEEP: ChannelControl = ChannelControl::KeepOpen;

fn signing<'a>() -> ComputeSignature<'a> {
    ComputeSignature { kind: SignatureKind::Basic, data: &[0; 8], key: KEY, size: 8, diversifier: None }
}

fn on_sam() -> SamTransaction {
    SamTransaction::new(SamImage::new(Sam::from_power_on_data(&C1)))
}

fn on_card() -> Transaction {
    let select_response = [
        0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
        0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x99, 0x88, 0x77, 0x66, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
        0x01, 0x90, 0x00,
    ];
    let settings = SymmetricSettings::new(Sam::from_power_on_data(&C1));
    Transaction::new(Card::from_select_response(&select_response).unwrap(), Security::Symmetric(settings)).unwrap()
}

/// A card that opens a session without record, and closes it.
#[derive(Debug, Default)]
struct CardFake(Vec<Vec<u8>>);

impl drive::Channel for CardFake {
    fn transmit(
        &mut self,
        request: &ogygia::Request<'_>,
        responses: &mut ogygia::apdu::Batch,
    ) -> Result<(), ogygia::Loss> {
        drive::send_each(request, responses, |command, answer| {
            self.0.push(command.to_vec());
            match command {
                [_, 0x8A, ..] => answer.extend([3, 4, 0x90, 0x98, 0, 0x30, 0x79, 0]),
                [_, 0x8E, _, _, lc, ..] if *lc > 0 => answer.extend([1, 2, 3, 4]),
                _ => {}
            }
            answer.extend([0x90, 0x00]);
            Ok(())
        })
    }
}

fn selections(sam: &Fake) -> usize {
    sam.commands().filter(|command| command[1] == 0x14).count()
}

#[test]
fn who_keeps_the_turn_keeps_the_diversifier() {
    let mut shared = SharedSam::new(Fake::default());
    let mut transaction = on_sam();
    for _ in 0..3 {
        transaction.prepare_signature(&signing()).unwrap();
        let sam = shared.turn(&mut transaction).unwrap();
        drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
    }
    assert_eq!(selections(shared.turn(&mut transaction).unwrap()), 1);
    shared.lost_power();
    transaction.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut transaction).unwrap();
    drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
    assert_eq!(selections(sam), 2);
}

/// Both are prepared before either has the turn: what is prepared selects anew, too.
#[test]
fn who_had_lost_the_turn_selects_again() {
    let mut shared = SharedSam::new(Fake::default());
    let mut transaction = on_sam();
    let mut card = on_card();
    for round in 1..=3 {
        transaction.prepare_signature(&signing()).unwrap();
        card.prepare_signature(&signing()).unwrap();
        let sam = shared.turn(&mut transaction).unwrap();
        drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
        let sam = shared.turn(&mut card).unwrap();
        drive::run(&mut card, &mut NoSam, sam, KEEP).unwrap();
        assert_eq!(selections(sam), 2 * round);
        let last: Vec<_> = sam.requests.last().unwrap().iter().map(|command| command[1]).collect();
        assert_eq!(last, [0x14, 0x1C]);
    }
}

#[test]
fn a_challenge_of_somebody_elses_turn_is_not_used() {
    let mut shared = SharedSam::new(Fake::default());
    let mut transaction = on_sam();
    let mut card = on_card();
    let sam = shared.turn(&mut card).unwrap();
    card.prefetch_challenge().unwrap();
    drive::resume(&mut card, &mut NoSam, sam).unwrap();
    transaction.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut transaction).unwrap();
    drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
    card.prepare(OpenSession { level: Level::Debit }).unwrap();
    card.prepare(CloseSession).unwrap();
    let sam = shared.turn(&mut card).unwrap();
    drive::run(&mut card, &mut CardFake::default(), sam, KEEP).unwrap();
    let fetched = sam.commands().filter(|command| command[1] == 0x84).count();
    assert_eq!(fetched, 2, "the first was not relied on");
}

#[test]
fn an_open_session_is_lost_with_the_turn() {
    let mut shared = SharedSam::new(Fake::default());
    let mut transaction = on_sam();
    let mut card = on_card();
    let mut peer = CardFake::default();
    card.prepare(OpenSession { level: Level::Debit }).unwrap();
    let sam = shared.turn(&mut card).unwrap();
    drive::run(&mut card, &mut peer, sam, KEEP).unwrap();
    assert!(card.is_session_open());

    transaction.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut transaction).unwrap();
    drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();

    let taken = Error::from(Misuse::SamTaken);
    assert_eq!(shared.turn(&mut card).err(), Some(taken));
    // The card learns of it, and the SAM is asked nothing for the dead session.
    let sam = shared.turn(&mut card).unwrap();
    let asked = sam.requests.len();
    assert_eq!(drive::resume(&mut card, &mut peer, sam), Err(taken));
    assert_eq!(peer.0.last().unwrap()[..5], [0x00, 0x8E, 0x00, 0x00, 0x00]);
    assert_eq!((sam.requests.len(), card.is_session_open()), (asked, false));
    // And the next session is whole.
    card.prepare(OpenSession { level: Level::Debit }).unwrap();
    card.prepare(CloseSession).unwrap();
    let sam = shared.turn(&mut card).unwrap();
    drive::run(&mut card, &mut peer, sam, KEEP).unwrap();
}

#[test]
fn who_is_busy_does_not_get_the_turn() {
    let mut shared = SharedSam::new(Fake::default());
    let (mut one, mut other) = (on_sam(), on_sam());
    one.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut one).unwrap();
    drive::run_sam(&mut one, sam, &mut NoSam, KEEP).unwrap();
    // Its outcome is not taken when it comes back.
    one.prepare_signature(&signing()).unwrap();
    one.process(KEEP).unwrap();
    shared.turn(&mut other).unwrap();
    assert_eq!(shared.turn(&mut one).err(), Some(Misuse::Busy.into()));
    one.abandon();
    one.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut one).unwrap();
    drive::run_sam(&mut one, sam, &mut NoSam, KEEP).unwrap();
    assert_eq!(selections(sam), 2);
}

#[test]
fn between_turns_nobody_is_relied_on() {
    let mut shared = SharedSam::new(Fake::default());
    let mut transaction = on_sam();
    for _ in 0..2 {
        transaction.prepare_signature(&signing()).unwrap();
        let sam = shared.turn(&mut transaction).unwrap();
        drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
        let selection = ogygia::selection::SamSelection::new().with_challenge();
        drive::select_sam(&selection, &C1, shared.between_turns(), |_, _| None).unwrap();
    }
    assert_eq!(selections(&shared.into_inner()), 2);
}

/// What the SAM was to do ahead for a session that was cancelled says nothing of what it has selected when it comes back.
#[test]
fn a_cancelled_session_leaves_nothing_selected() {
    let mut shared = SharedSam::new(Fake::default());
    let mut settings = SymmetricSettings::new(Sam::from_power_on_data(&C1));
    settings.policy = Policy::Overlapped;
    let mut card = Transaction::new(on_card().card().clone(), Security::Symmetric(settings)).unwrap();
    let mut peer = CardFake::default();
    let steps: [&[Command<'_>]; 3] = [
        &[OpenSession { level: Level::Debit }.into(), CloseSession.into()],
        &[OpenSession { level: Level::Debit }.into()],
        &[CancelSession.into()],
    ];
    for step in steps {
        step.iter().for_each(|command| card.prepare(command.clone()).unwrap());
        let sam = shared.turn(&mut card).unwrap();
        drive::run(&mut card, &mut peer, sam, KEEP).unwrap();
    }
    let mut transaction = on_sam();
    transaction.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut transaction).unwrap();
    drive::run_sam(&mut transaction, sam, &mut NoSam, KEEP).unwrap();
    card.prepare_signature(&signing()).unwrap();
    let sam = shared.turn(&mut card).unwrap();
    let before = sam.requests.len();
    drive::run(&mut card, &mut peer, sam, KEEP).unwrap();
    let asked: Vec<_> = sam.requests.iter().skip(before).flatten().map(|command| command[1]).collect();
    assert_eq!(asked, [0x14, 0x1C]);
}

/// Who begins may keep what it knows of the SAM: a challenge that came with the selection.
#[test]
fn the_first_turn_forgets_nothing() {
    let mut card = on_card();
    card.set_prefetched_challenge([0xC1; 8]);
    let mut shared = SharedSam::new(Fake::default());
    card.prepare(OpenSession { level: Level::Debit }).unwrap();
    card.prepare(CloseSession).unwrap();
    let sam = shared.turn(&mut card).unwrap();
    drive::run(&mut card, &mut CardFake::default(), sam, KEEP).unwrap();
    assert!(sam.commands().all(|command| command[1] != 0x84));
}
