//! The core against a card that signs: sessions, and what is refused of them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::HashSet;
use std::sync::OnceLock;

use ogygia::apdu::StatusWord;
use ogygia::card::{Card, Sfi};
use ogygia::command::{
    CloseSession, DataTag, GenerateKeyPair, GetData, OpenPkiSession, PutData, ReadRecords, UpdateRecord,
};
use ogygia::drive::{NoSam, run};
use ogygia::pki::authority::CardKeyPair;
use ogygia::pki::{CardCertificate, CardPublicKey, Day, PkiError, TrustStore, Validity};
use ogygia::transaction::{PkiSettings, Security, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Peer};
use ogygia_sim::clock::{Clock, Marks, Model};
use ogygia_sim::{CardLink, Fault, KeySet, Link, PkiIdentity, Profile, Recorder, TestAuthority, VirtualCard};

/// The directory with files that anybody may write.
const DF: u16 = 0x2200;
const NAME: [u8; 8] = [0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91, 0x11];
/// Free Data: 64 bytes.
const FREE: Sfi = Sfi(0x0B);
const FREE_LID: u16 = 0x220B;
/// Global Events: records of 48 bytes, written by holders of a key only.
const EVENTS: Sfi = Sfi(0x08);
const CHALLENGE: [u8; 8] = [1, 2, 3, 4, 5, 6, 7, 8];

fn today() -> Day {
    Day::new(2026, 6, 1).unwrap()
}

fn authority() -> &'static TestAuthority {
    static AUTHORITY: OnceLock<TestAuthority> = OnceLock::new();
    AUTHORITY.get_or_init(|| TestAuthority::new(b"pki", today()).unwrap())
}

fn blank() -> VirtualCard {
    let profile = Profile::builtin("kit-prime-pki-v3").unwrap().unwrap();
    VirtualCard::new(&profile, &KeySet::new(b"pki")).unwrap()
}

fn identity() -> &'static PkiIdentity {
    static IDENTITY: OnceLock<PkiIdentity> = OnceLock::new();
    IDENTITY.get_or_init(|| authority().issue(&blank(), DF, Validity::ALWAYS).unwrap())
}

/// A personalized card on its link.
struct Bench {
    link: CardLink,
}

impl Bench {
    fn new() -> Self {
        Self::of(identity())
    }

    fn of(identity: &PkiIdentity) -> Self {
        let mut card = blank();
        card.personalize_pki(DF, identity).unwrap();
        Self { link: Link::new(card) }
    }

    fn with(fault: Fault) -> Self {
        let mut bench = Self::new();
        bench.link.add_fault(fault);
        bench
    }

    fn select(&mut self) -> Card {
        select(self.link.card_mut())
    }

    /// One session in one go: reads (merged), writes, reads again, closes.
    fn session(&mut self, trusted: TrustStore) -> Result<Transaction, Error> {
        let mut transaction = transaction(self.select(), trusted);
        prepare(&mut transaction);
        transaction.prepare(CloseSession).unwrap();
        run(&mut transaction, &mut self.link, &mut NoSam, ChannelControl::KeepOpen)?;
        Ok(transaction)
    }

    /// What a session is refused for.
    fn refused(&mut self, trusted: TrustStore) -> PkiError {
        match self.session(trusted) {
            Err(Error::Pki(error)) => error,
            other => panic!("{other:?}"),
        }
    }

    /// First byte of Free Data.
    fn free(&self) -> u8 {
        self.link.card().record(FREE_LID, 1).unwrap().first().copied().unwrap()
    }
}

fn select(card: &mut VirtualCard) -> Card {
    let command = [&[0x00, 0xA4, 0x04, 0x00, 0x08], &NAME[..], &[0x00]].concat();
    Card::from_select_response(&card.transmit(&command)).unwrap()
}

fn transaction(card: Card, trusted: TrustStore) -> Transaction {
    Transaction::new(card, Security::Pki(PkiSettings::new(trusted, today()))).unwrap()
}

fn prepare(transaction: &mut Transaction) {
    transaction.prepare(OpenPkiSession { challenge: CHALLENGE }).unwrap();
    transaction.prepare(ReadRecords { sfi: FREE, records: 1..=1, size: 64 }).unwrap();
    transaction.prepare(UpdateRecord { sfi: FREE, record: 1, data: &[0xA5; 4] }).unwrap();
    transaction.prepare(ReadRecords { sfi: EVENTS, records: 1..=1, size: 48 }).unwrap();
}

#[test]
fn a_session_is_authenticated() {
    for (trusted, requests) in [(authority().full_store(), 1), (authority().root_store().unwrap(), 2)] {
        let mut bench = Bench::new();
        bench.link.card_mut().set_record(FREE_LID, 1, &[0x77]);
        let transaction = bench.session(trusted).unwrap();
        let report = transaction.session();
        assert!(report.authenticated.is_some() && report.committed == 1, "{report:?}");
        assert_eq!(bench.link.traffic().requests, requests);
        let record = transaction.card().file(FREE).unwrap().record(1).unwrap().to_vec();
        assert_eq!(record[..5], [0xA5, 0xA5, 0xA5, 0xA5, 0x00]);
        assert_eq!(bench.free(), 0xA5);
        assert_eq!(transaction.card().transaction_counter(), Some(bench.link.card().transaction_counter()));
    }
}

#[test]
fn a_session_in_two_calls_is_authenticated() {
    for trusted in [authority().full_store(), authority().root_store().unwrap()] {
        let mut bench = Bench::new();
        let mut transaction = transaction(bench.select(), trusted);
        prepare(&mut transaction);
        run(&mut transaction, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen).unwrap();
        assert!(bench.link.card().session_open());
        transaction.prepare(UpdateRecord { sfi: FREE, record: 1, data: &[0xC3] }).unwrap();
        transaction.prepare(CloseSession).unwrap();
        run(&mut transaction, &mut bench.link, &mut NoSam, ChannelControl::CloseAfter).unwrap();
        assert!(transaction.session().authenticated.is_some());
        assert_eq!(bench.free(), 0xC3);
        assert!(bench.link.card().ratified(), "the card was let go in order");
    }
}

/// Numbers of the commands of a session on a fresh link.
const GET_DATA: [u64; 2] = [0, 1];
const OPEN: u64 = 2;
const CLOSE: u64 = 5;

#[test]
fn the_card_signs_the_challenge_that_it_was_sent() {
    // Behind header, length and version: the challenge of 64 bits.
    for bit in 48..112 {
        let refused = Bench::with(Fault::command_flipped(OPEN, bit)).refused(authority().full_store());
        assert_eq!(refused, PkiError::SessionSignature, "{bit}");
    }
}

#[test]
fn signatures_are_refused() {
    let refused = |fault| Bench::with(fault).refused(authority().full_store());
    assert_eq!(refused(Fault::flipped(CLOSE, 300)), PkiError::SessionSignature);
    let zeros = |range: std::ops::Range<usize>| Fault::changed(CLOSE, move |answer| answer[range.clone()].fill(0));
    assert_eq!(refused(zeros(0..32)), PkiError::SignatureZero);
    assert_eq!(refused(zeros(32..64)), PkiError::SignatureZero);
    let short = Fault::changed(CLOSE, |answer| {
        answer.remove(0);
    });
    assert_eq!(refused(short), PkiError::SessionSignatureLength(63));
    assert_eq!(refused(Fault::changed(CLOSE, |answer| answer.insert(0, 0))), PkiError::SessionSignatureLength(65));
    assert_eq!(refused(Fault::replaced(CLOSE, [0x90, 0x00])), PkiError::SignatureMissing);
}

/// The signature of another session of the same card, with all else as it was then.
#[test]
fn a_session_cannot_be_replayed() {
    let recorder = Recorder::new();
    let mut bench = Bench::new();
    bench.link = bench.link.with_recorder(recorder.clone());
    bench.session(authority().full_store()).unwrap();
    let answers: Vec<Vec<u8>> = recorder.take().into_iter().map(|exchange| exchange.response.unwrap()).collect();
    let mut replay = Bench::new();
    for (at, answer) in (0..).zip(answers) {
        replay.link.add_fault(Fault::replaced(at, answer));
    }
    let mut transaction = transaction(replay.select(), authority().full_store());
    transaction.prepare(OpenPkiSession { challenge: [9; 8] }).unwrap();
    transaction.prepare(ReadRecords { sfi: FREE, records: 1..=1, size: 64 }).unwrap();
    transaction.prepare(UpdateRecord { sfi: FREE, record: 1, data: &[0xA5; 4] }).unwrap();
    transaction.prepare(ReadRecords { sfi: EVENTS, records: 1..=1, size: 48 }).unwrap();
    transaction.prepare(CloseSession).unwrap();
    let result = run(&mut transaction, &mut replay.link, &mut NoSam, ChannelControl::KeepOpen);
    assert_eq!(result, Err(Error::Pki(PkiError::SessionSignature)));
    assert!(transaction.session().authenticated.is_none());
}

#[test]
fn chains_are_refused() {
    let trusted = || authority().root_store().unwrap();
    // In the signatures, and in the serial number that is compared first.
    let refused = |identity: PkiIdentity| Bench::of(&identity).refused(trusted());
    assert_eq!(refused(identity().clone().with_card_bit_flipped(8 * 100)), PkiError::Signature);
    assert_eq!(refused(identity().clone().with_ca_bit_flipped(8 * 200)), PkiError::Signature);
    assert_eq!(refused(identity().clone().with_card_bit_flipped(8 * 50)), PkiError::SerialMismatch);
    // The authority is another one than the card's certificate names.
    assert_eq!(refused(identity().clone().with_ca_bit_flipped(8 * 59 + 7)), PkiError::NotTheIssuer);

    // A copy of the certificates does not help a card without the key.
    let mut thief = CardKeyPair::from_private(&[3; 32]).unwrap();
    let card = CardCertificate::parse(identity().card_certificate()).unwrap();
    assert_eq!(
        refused(PkiIdentity::new(&thief, &card, authority().certificate()).unwrap()),
        PkiError::SessionSignature
    );
    // Nor does a certificate by a stranger.
    let stranger = TestAuthority::new(b"stranger", today()).unwrap();
    thief = CardKeyPair::from_private(&[4; 32]).unwrap();
    let forged = stranger.certify(&blank(), DF, thief.public_key(), Validity::ALWAYS).unwrap();
    assert_eq!(refused(PkiIdentity::new(&thief, &forged, stranger.certificate()).unwrap()), PkiError::Signature);

    let ends = Day::new(2026, 5, 31);
    let old = authority().issue(&blank(), DF, Validity { start: None, end: ends }).unwrap();
    assert_eq!(refused(old), PkiError::Expired);
}

/// One link per thread, which takes a session after the other.
fn all_refused<T: Sync>(
    cases: &[T],
    prepare: &(impl Fn(&mut CardLink, &T) -> TrustStore + Sync),
    show: &(impl Fn(&T) -> String + Sync),
) {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(threads)) {
            scope.spawn(move || {
                let mut bench = Bench::new();
                for case in part {
                    let trusted = prepare(&mut bench.link, case);
                    let result = bench.session(trusted);
                    assert!(result.is_err(), "{} is accepted", show(case));
                    bench.link.card_mut().leave_field();
                }
            });
        }
    });
}

#[test]
fn every_bit_of_the_chain_counts() {
    let card = (0..8 * 316).map(|bit| (true, bit));
    let cases: Vec<(bool, usize)> = card.chain((0..8 * 384).map(|bit| (false, bit))).collect();
    let trusted = authority().root_store().unwrap();
    let prepare = |link: &mut CardLink, (of_card, bit): &(bool, usize)| {
        let identity = identity().clone();
        let flipped = if *of_card { identity.with_card_bit_flipped(*bit) } else { identity.with_ca_bit_flipped(*bit) };
        link.card_mut().personalize_pki(DF, &flipped).unwrap();
        trusted.clone()
    };
    all_refused(&cases, &prepare, &|(of_card, bit)| format!("bit {bit} (card: {of_card})"));
}

/// A bit of a command or of an answer.
#[derive(Debug)]
struct Bit {
    at: u64,
    command: bool,
    bit: usize,
}

#[test]
fn every_bit_of_the_session_counts() {
    let recorder = Recorder::new();
    let mut bench = Bench::new();
    bench.link = bench.link.with_recorder(recorder.clone());
    bench.session(authority().full_store()).unwrap();
    let mut cases = Vec::new();
    for (at, exchange) in (0..).zip(recorder.take()) {
        // What reads the certificates is not signed, but what is read is proved.
        let command = if GET_DATA.contains(&at) { 0 } else { 8 * exchange.command.len() };
        let answer = 8 * exchange.response.unwrap().len();
        cases.extend((0..command).map(|bit| Bit { at, command: true, bit }));
        cases.extend((0..answer).map(|bit| Bit { at, command: false, bit }));
    }
    assert_eq!(cases.len(), 8 * (252 + 73 + 15 + 96 + 9 + 2 + 5 + 50 + 5 + 66));
    let prepare = |link: &mut CardLink, Bit { at, command, bit }: &Bit| {
        let at = at + link.traffic().commands;
        link.add_fault(if *command { Fault::command_flipped(at, *bit) } else { Fault::flipped(at, *bit) });
        authority().full_store()
    };
    all_refused(&cases, &prepare, &|bit| format!("{bit:?}"));
}

#[test]
fn the_fate_that_the_core_tells_is_the_fate_of_the_card() {
    let mut told = HashSet::new();
    // With the two commands that read the certificate of the authority, behind the closing.
    for (trusted, commands) in [(authority().full_store(), CLOSE + 1), (authority().root_store().unwrap(), CLOSE + 3)] {
        for at in 0..commands {
            for loss in [Loss::Peer, Loss::Reader] {
                for fault in [Fault::before(at, loss), Fault::after(at, loss)] {
                    told.insert(check_fate(fault, loss, &trusted));
                }
            }
        }
    }
    // Nothing is verified and then lost: the signature is the last thing that is read.
    assert_eq!(told, [Fate::Untouched, Fate::NotCommitted, Fate::Unknown, Fate::Unverified].into());
}

fn check_fate(fault: Fault, loss: Loss, trusted: &TrustStore) -> Fate {
    let place = format!("{fault:?}");
    let mut bench = Bench::with(fault);
    let told = match bench.session(trusted.clone()) {
        Err(Error::Lost { peer: Peer::Card, loss: how, fate }) if how == loss => fate,
        other => panic!("{place}: {other:?}"),
    };
    bench.link.re_present();
    bench.link.card_mut().leave_field();
    match told {
        Fate::Untouched | Fate::NotCommitted => assert_eq!(bench.free(), 0, "{place}: {told:?}"),
        Fate::Committed | Fate::Unverified => assert_eq!(bench.free(), 0xA5, "{place}: {told:?}"),
        Fate::Unknown => assert!(matches!(bench.free(), 0 | 0xA5), "{place}"),
    }
    bench.session(trusted.clone()).unwrap_or_else(|error| panic!("{place}: {error:?}"));
    told
}

#[test]
fn files_under_keys_stay_as_they_are() {
    let mut bench = Bench::new();
    let mut transaction = transaction(bench.select(), authority().full_store());
    transaction.prepare(OpenPkiSession { challenge: CHALLENGE }).unwrap();
    transaction.prepare(UpdateRecord { sfi: EVENTS, record: 1, data: &[0xA5; 48] }).unwrap();
    transaction.prepare(CloseSession).unwrap();
    let result = run(&mut transaction, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen);
    assert!(matches!(result, Err(Error::Status { status: StatusWord(0x6982), .. })), "{result:?}");
    assert!(!bench.link.card().session_open(), "what should abort closes");
    assert_eq!(bench.link.card().record(0x2208, 1).unwrap()[0], 0);
}

/// Two sessions in one go; the second one is refused a writing, so the card still has it when the chain is refused.
#[test]
fn a_session_behind_another_one_is_not_left_open() {
    let mut bench = Bench::of(&identity().clone().with_card_bit_flipped(8 * 100));
    let mut transaction = transaction(bench.select(), authority().full_store());
    for sfi in [FREE, EVENTS] {
        transaction.prepare(OpenPkiSession { challenge: CHALLENGE }).unwrap();
        transaction.prepare(UpdateRecord { sfi, record: 1, data: &[0xA5; 4] }).unwrap();
        transaction.prepare(CloseSession).unwrap();
    }
    let result = run(&mut transaction, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen);
    assert_eq!(result, Err(Error::Pki(PkiError::Signature)));
    assert!(!bench.link.card().session_open());
}

/// Specification 04, "Personalisation flows": the card makes its key pair.
#[test]
fn a_card_is_personalized_with_commands() {
    let mut bench = Bench { link: Link::new(blank()) };
    let image = bench.select();
    let mut making = Transaction::new(image, Security::None).unwrap();
    making.prepare(GenerateKeyPair).unwrap();
    making.prepare(GetData { tag: DataTag::CardPublicKey }).unwrap();
    run(&mut making, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen).unwrap();
    let key = CardPublicKey::new(making.card().card_public_key().unwrap()).unwrap();
    let certificate = authority().certify(bench.link.card(), DF, key, Validity::ALWAYS).unwrap();
    making.prepare(PutData::CaCertificate(authority().certificate().as_bytes())).unwrap();
    making.prepare(PutData::CardCertificate(certificate.as_bytes())).unwrap();
    run(&mut making, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen).unwrap();
    let session = bench.session(authority().root_store().unwrap()).unwrap();
    assert!(session.session().authenticated.is_some());
}

/// The key pair comes from outside.
#[test]
fn a_key_pair_is_written() {
    let mut bench = Bench { link: Link::new(blank()) };
    let mut writing = Transaction::new(bench.select(), Security::None).unwrap();
    writing.prepare(PutData::CaCertificate(identity().ca_certificate())).unwrap();
    writing.prepare(PutData::KeyPair(&identity().expose_key_pair())).unwrap();
    writing.prepare(PutData::CardCertificate(identity().card_certificate())).unwrap();
    run(&mut writing, &mut bench.link, &mut NoSam, ChannelControl::KeepOpen).unwrap();
    bench.session(authority().root_store().unwrap()).unwrap();
}

/// The second session opens and closes in one request, on a clock that has seen one before.
#[test]
fn a_clock_marks_each_session() {
    let mut bench = Bench::new();
    let mut clock = Clock::new(Model::DEFAULT);
    let mut marks = || {
        let mut transaction = transaction(bench.select(), authority().full_store());
        prepare(&mut transaction);
        transaction.prepare(CloseSession).unwrap();
        clock.run(&mut transaction, &mut bench.link, &mut NoSam, ChannelControl::CloseAfter).unwrap();
        clock.marks()
    };
    // The channel is closed afterwards, by a request of its own.
    let closing = Model::DEFAULT.card_reader.request_us;
    let is_proved_by_the_card = |Marks { authenticated_us, card_us, done_us }: Marks| {
        authenticated_us.is_some() && card_us == done_us && authenticated_us.map(|at| at + closing) == done_us
    };
    let (first, second) = (marks(), marks());
    assert!(is_proved_by_the_card(first), "{first:?}");
    assert!(is_proved_by_the_card(second) && second.authenticated_us > first.done_us, "{second:?}");
}
