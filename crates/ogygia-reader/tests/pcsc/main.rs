//! Virtual cards and SAMs in virtual readers of the real PC/SC service. Needs `pcscd` and `vsmartcard-vpcd`, and the
//! rights to start the service: see the README of the repository.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop")]

mod contact;
mod daemon;
mod vpcd;

use std::sync::Arc;

use contact::Contact;
use daemon::{Daemon, wait_for};
use ogygia::apdu::Batch;
use ogygia::card::{Card, KeyId, Kif, Kvc, Level, Sfi};
use ogygia::command::{AppendRecord, ChangeCounter, CloseSession, OpenSession, ReadCounters, ReadRecords};
use ogygia::drive::{Channel, Driver, InTurn, NoSam, run_sam, select_sam};
use ogygia::pki::Day;
use ogygia::sam::{ComputeSignature, Sam, SamData, SamProduct, SignatureKind, SignatureOutcome, VerifySignature};
use ogygia::sam_transaction::SamTransaction;
use ogygia::selection::{Occurrence, SamSelection, Selection};
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Peer};
use ogygia_reader::Readers;
use ogygia_reader::pcsc::{Closing, Options, PcscChannel, PcscError, Service, Sharing, Slot};
use ogygia_reader::transport::Protocol;
use ogygia_sim::{KeySet, Profile, SamProfile, TestAuthority, VirtualCard, VirtualSam};
use vpcd::{Device, Inserted, READERS};

const SERIAL: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
/// Contactless as PC/SC shows it: T=1.
const CARD_ATR: [u8; 13] = [0x3B, 0x88, 0x80, 0x01, 0, 0, 0, 0, 0, 0x71, 0x81, 0x00, 0xF9];
/// Of a card with contacts, T=0 like that of a SAM.
const CONTACT_ATR: [u8; 19] =
    [0x3B, 0x6F, 0, 0, 0x80, 0x5A, 0x3C, 0x23, 0xC4, 0x14, 0x10, 0x01, 0xAA, 0x00, 0xBB, 0x01, 0x82, 0x90, 0x00];
const COUNTERS: Sfi = Sfi(0x19);
const LOG: Sfi = Sfi(0x08);

fn keys() -> KeySet {
    KeySet::new(b"readers")
}

fn sam() -> Contact<VirtualSam> {
    let profile = SamProfile::builtin("sam-target").unwrap().unwrap();
    Contact::new(VirtualSam::personalized(&profile, SERIAL, &keys()).unwrap())
}

/// With ten trips in its counter.
fn card() -> VirtualCard {
    let profile = Profile::builtin("kit-prime-regular-v3").unwrap().unwrap();
    let mut card = VirtualCard::new(&profile, &keys()).unwrap();
    assert!(card.set_record(0x2069, 1, &[0, 0, 10]));
    card
}

fn trips(card: &VirtualCard) -> Vec<u8> {
    card.record(0x2069, 1).unwrap()[..3].to_vec()
}

fn select(reader: &mut PcscChannel) -> Result<Card, Loss> {
    let selection = Selection::by_name(&[0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91], Occurrence::First).unwrap();
    let mut answers = Batch::new();
    reader.transmit(&selection.request(), &mut answers)?;
    Ok(selection.card(reader.power_on_data(), &answers).unwrap().unwrap())
}

/// Reads counter and log in a session, then counts a trip and writes an event, and closes the channel.
fn validate(card_reader: &mut PcscChannel, sam_reader: &mut PcscChannel) -> Result<Transaction, Error> {
    let mut transaction = begin(card_reader, sam_reader, Policy::Grouped);
    validate_with(&mut InTurn { card: card_reader, sam: sam_reader }, &mut transaction)?;
    Ok(transaction)
}

fn begin(card_reader: &mut PcscChannel, sam_reader: &PcscChannel, policy: Policy) -> Transaction {
    let card = select(card_reader).unwrap();
    let mut settings = SymmetricSettings::new(Sam::from_power_on_data(sam_reader.power_on_data()));
    settings.ratification_command = true;
    settings.policy = policy;
    Transaction::new(card, Security::Symmetric(settings)).unwrap()
}

fn validate_with(readers: &mut impl Driver, transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    transaction.prepare(ReadRecords { sfi: LOG, records: 1..=1, size: 29 })?;
    transaction.prepare(ReadCounters { sfi: COUNTERS, count: 1 })?;
    readers.run(transaction, ChannelControl::KeepOpen)?;
    transaction.prepare(ChangeCounter::decrease(COUNTERS, 1, 1))?;
    transaction.prepare(AppendRecord { sfi: LOG, data: &[0xA1; 29] })?;
    transaction.prepare(CloseSession)?;
    readers.run(transaction, ChannelControl::CloseAfter)
}

#[test]
fn readers_are_listed_with_what_is_in_them() {
    let _daemon = Daemon::start();
    let service = Service::connect().unwrap();
    let listed = || {
        let readers = service.readers().unwrap();
        let ours = readers.into_iter().filter(|reader| reader.name.starts_with("Virtual PCD"));
        ours.map(|reader| (reader.name, reader.slot)).collect::<Vec<_>>()
    };
    let [first, second] = READERS.map(str::to_owned);
    assert_eq!(listed(), [(first.clone(), Slot::Empty), (second.clone(), Slot::Empty)]);
    let inserted = Inserted::new(1, sam());
    let atr = sam().device.power_on_data().to_vec();
    assert_eq!(listed(), [(first, Slot::Empty), (second.clone(), Slot::Card { power_on_data: atr })]);

    assert_eq!(service.find("PCD 00 01"), Ok(second));
    assert!(matches!(service.find("PCD"), Err(PcscError::AmbiguousReader { readers, .. }) if readers == READERS));
    let error = PcscChannel::open("Nothing").unwrap_err();
    assert_eq!(error.to_string(), "no reader \"Nothing\"; there are: Virtual PCD 00 00, Virtual PCD 00 01");
    let error = PcscChannel::open("00 00").unwrap_err();
    assert_eq!(error, PcscError::NoCard { reader: READERS[0].to_owned() });
    inserted.remove();
    assert!(!listed()[1].1.is_card());
}

#[test]
fn a_sam_is_read_and_signs() {
    let _daemon = Daemon::start();
    let mut device = sam();
    device.device.set_event_counter(8, 77);
    let day = Day::new(2026, 6, 1).unwrap();
    let authority = Arc::new(TestAuthority::new(b"readers", day).unwrap());
    device.device.load_authority(Arc::clone(&authority));
    let inserted = Inserted::new(0, device);

    let mut reader = PcscChannel::open(READERS[0]).unwrap();
    assert_eq!(reader.protocol(), Some(Protocol::T0));
    assert_eq!(reader.power_on_data().len(), 19);
    let found = Sam::from_power_on_data(reader.power_on_data());
    assert_eq!((found.product, found.serial_number), (SamProduct::SamC1, SERIAL));

    let mut selection = SamSelection::new();
    selection.prepare(SamData::Counters).unwrap();
    let power_on_data = reader.power_on_data().to_vec();
    let image = select_sam(&selection, &power_on_data, &mut reader, |_, _| None).unwrap().unwrap();
    assert_eq!((image.counter(8), image.ceiling(8)), (Some(77), Some(1_000_000)));

    let mut transaction = SamTransaction::new(image);
    let kind = SignatureKind::Basic;
    let key = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
    let compute = ComputeSignature { kind, data: &[0x5A; 24], key, size: 8, diversifier: None };
    let id = transaction.prepare_signature(&compute).unwrap();
    run_sam(&mut transaction, &mut reader, &mut NoSam, ChannelControl::KeepOpen).unwrap();
    let Some(SignatureOutcome::Computed { signature, .. }) = transaction.signature(id) else { panic!() };
    let signature = signature.to_vec();
    for right in [true, false] {
        let mut signature = signature.clone();
        signature[0] ^= u8::from(!right);
        let verify = VerifySignature { kind, data: &[0x5A; 24], signature: &signature, key, diversifier: None };
        transaction.prepare_verification(&verify).unwrap();
        let verified = run_sam(&mut transaction, &mut reader, &mut NoSam, ChannelControl::KeepOpen);
        assert_eq!(verified.is_ok(), right, "{verified:?}");
    }
    // 389 bytes, in two pieces.
    transaction.prepare(SamData::CaCertificate).unwrap();
    run_sam(&mut transaction, &mut reader, &mut NoSam, ChannelControl::CloseAfter).unwrap();
    let certificate = transaction.image().ca_certificate().unwrap();
    assert_eq!(certificate, authority.certificate().as_bytes());
    assert!(format!("{reader:?}").len() < 250, "no buffer is shown: {reader:?}");
    drop(reader);

    let (_, log) = inserted.remove();
    let last = log.commands.iter().rev().take(2).rev().map(|command| command[..4].to_vec()).collect::<Vec<_>>();
    assert_eq!(last, [[0x80, 0xCA, 0xDF, 0x43], [0x00, 0xC0, 0x00, 0x00]]);
}

#[test]
fn a_transaction_with_card_and_sam_in_readers() {
    let _daemon = Daemon::start();
    let contactless = |card_reader: &mut PcscChannel| {
        assert_eq!((card_reader.protocol(), card_reader.power_on_data()), (Some(Protocol::T1), &CARD_ATR[..]));
    };
    transact(card(), |card| card, contactless);
    let with_contacts = |card_reader: &mut PcscChannel| {
        assert_eq!((card_reader.protocol(), card_reader.power_on_data()), (Some(Protocol::T0), &CONTACT_ATR[..]));
    };
    transact(Contact::with_atr(card(), CONTACT_ATR.to_vec()), |contact| contact.device, with_contacts);
}

fn transact<D: Device>(device: D, card: impl Fn(D) -> VirtualCard, check: impl Fn(&mut PcscChannel)) {
    let inserted = Inserted::new(0, device);
    let inserted_sam = Inserted::new(1, sam());
    let mut card_reader = PcscChannel::open("00 00").unwrap();
    let mut sam_reader = PcscChannel::open("00 01").unwrap();
    check(&mut card_reader);
    for left in [9, 8] {
        let transaction = validate(&mut card_reader, &mut sam_reader).unwrap();
        assert!(transaction.session().authenticated.is_some());
        assert_eq!(transaction.card().file(COUNTERS).unwrap().counter(1), Some(left));
        assert_eq!(card_reader.protocol(), None, "the channel was closed");
    }
    // Both at the same time, each in a thread.
    let mut transaction = begin(&mut card_reader, &sam_reader, Policy::Overlapped);
    let mut readers = Readers::new(card_reader, sam_reader).unwrap();
    validate_with(&mut readers, &mut transaction).unwrap();
    assert!(transaction.session().authenticated.is_some());
    drop(readers);
    let (device, log) = inserted.remove();
    assert!(log.resets >= 3, "{log:?}");
    inserted_sam.remove();
    let card = card(device);
    assert_eq!(trips(&card), [0, 0, 7]);
    assert!(card.ratified());
}

#[test]
fn a_card_that_leaves_is_a_lost_card() {
    let _daemon = Daemon::start();
    let inserted_sam = Inserted::new(1, sam());
    let mut sam_reader = PcscChannel::open("00 01").unwrap();
    // Selection, opening that reads the log, counter, decrease, append: then the closing.
    for (commands, fate, left) in [(2, Fate::NotCommitted, 10), (4, Fate::NotCommitted, 10), (5, Fate::Unknown, 9)] {
        let inserted = Inserted::until(0, card(), commands, || ());
        let mut card_reader = PcscChannel::open("00 00").unwrap();
        let lost = validate(&mut card_reader, &mut sam_reader).unwrap_err();
        assert_eq!(lost, Error::Lost { peer: Peer::Card, loss: Loss::Peer, fate }, "{commands} commands");
        assert!(card_reader.last_error().is_some_and(|error| error.loss() == Loss::Peer));
        let (card, log) = inserted.remove();
        assert_eq!((log.commands.len(), trips(&card)), (commands + 1, vec![0, 0, left]));

        // Nothing goes on by itself, also when the card comes back.
        let inserted = Inserted::new(0, card);
        assert_eq!(select(&mut card_reader).unwrap_err(), Loss::Peer);
        assert_eq!(card_reader.power_on(), Ok(&CARD_ATR[..]));
        assert_eq!(card_reader.last_error(), None);
        validate(&mut card_reader, &mut sam_reader).unwrap();
        let (card, _) = inserted.remove();
        assert_eq!(trips(&card), [0, 0, left - 1]);
    }
    inserted_sam.remove();
}

/// It is back before the service has seen it go.
#[test]
fn a_card_that_flickers_is_a_lost_card() {
    let _daemon = Daemon::start();
    let inserted = Inserted::until(0, card(), 1, || ());
    let mut card_reader = PcscChannel::open("00 00").unwrap();
    select(&mut card_reader).unwrap();
    assert_eq!(select(&mut card_reader).unwrap_err(), Loss::Peer);
    let (card, _) = inserted.after_accident();
    let inserted = Inserted::new(0, card);
    card_reader.power_on().unwrap();
    select(&mut card_reader).unwrap();
    drop(card_reader);
    let (_, log) = inserted.remove();
    assert!(log.resets >= 1, "{log:?}");
}

#[test]
fn a_card_that_another_program_resets_is_a_lost_card() {
    let _daemon = Daemon::start();
    let inserted = Inserted::new(0, card());
    let mut card_reader = PcscChannel::open("00 00").unwrap();
    select(&mut card_reader).unwrap();
    PcscChannel::open("00 00").unwrap().power_on().unwrap();
    assert_eq!(select(&mut card_reader).unwrap_err(), Loss::Peer);
    card_reader.power_on().unwrap();
    select(&mut card_reader).unwrap();
    drop(card_reader);
    inserted.remove();
}

#[test]
fn a_reader_that_goes_is_a_lost_reader() {
    let daemon = Daemon::start();
    let killer = daemon.killer();
    let inserted = Inserted::until(0, card(), 3, || killer.kill());
    let inserted_sam = Inserted::new(1, sam());
    let mut card_reader = PcscChannel::open("00 00").unwrap();
    let mut sam_reader = PcscChannel::open("00 01").unwrap();
    let lost = validate(&mut card_reader, &mut sam_reader).unwrap_err();
    // The decrease was under way, and the closing may have gone with it.
    assert_eq!(lost, Error::Lost { peer: Peer::Card, loss: Loss::Reader, fate: Fate::Unknown });
    assert_eq!(card_reader.last_error(), Some(&PcscError::NoService));
    let (card, _) = inserted.after_accident();
    let (sam, _) = inserted_sam.after_accident();
    let error = Service::connect().unwrap_err();
    assert_eq!(error.to_string(), "the PC/SC service does not run");
    assert_eq!(card_reader.power_on(), Err(PcscError::NoService));

    daemon.restart();
    let (inserted, inserted_sam) = (Inserted::new(0, card), Inserted::new(1, sam));
    card_reader.power_on().unwrap();
    // Of the other channel nobody has said yet that its way is gone.
    assert_eq!(select(&mut sam_reader).unwrap_err(), Loss::Reader);
    sam_reader.power_on().unwrap();
    validate(&mut card_reader, &mut sam_reader).unwrap();
    inserted_sam.remove();
    let (card, _) = inserted.remove();
    assert_eq!(trips(&card), [0, 0, 9]);
}

#[test]
fn a_reader_can_be_had_alone() {
    let _daemon = Daemon::start();
    let inserted = Inserted::new(0, card());
    let exclusive = Options { sharing: Sharing::Exclusive, ..Options::default() };
    let mut first = PcscChannel::open_with("00 00", exclusive).unwrap();
    let busy = PcscError::Busy { reader: READERS[0].to_owned() };
    assert_eq!(PcscChannel::open("00 00").unwrap_err(), busy);
    first.power_on().unwrap();
    assert_eq!(PcscChannel::open("00 00").unwrap_err(), busy);
    first.close().unwrap();
    let mut second = PcscChannel::open("00 00").unwrap();
    assert_eq!(select(&mut first).unwrap_err(), Loss::Reader);
    assert_eq!(first.last_error(), Some(&busy));
    select(&mut second).unwrap();
    drop(second);
    // What was closed is powered when it is needed.
    select(&mut first).unwrap();
    drop(first);
    inserted.remove();
}

#[test]
fn closing_does_what_was_asked() {
    let _daemon = Daemon::start();
    let mut device = card();
    for (closing, resets, power_offs) in [(Closing::Reset, 1, 0), (Closing::Unpower, 0, 1), (Closing::Leave, 0, 0)] {
        let inserted = Inserted::new(0, device);
        let mut reader = PcscChannel::closed("00 00", Options { closing, ..Options::default() }).unwrap();
        assert_eq!((reader.protocol(), reader.power_on_data()), (None, &[][..]));
        select(&mut reader).unwrap();
        assert_eq!((reader.protocol(), reader.power_on_data()), (Some(Protocol::T1), &CARD_ATR[..]));
        reader.close().unwrap();
        reader.close().unwrap();
        assert_eq!(reader.protocol(), None);
        // A card without power is still there.
        assert_eq!(wait_for(0, Slot::is_card), Slot::Card { power_on_data: CARD_ATR.to_vec() });
        let (card, log) = inserted.remove();
        assert_eq!((log.resets, log.power_offs), (resets, power_offs), "{closing:?}");
        device = card;
    }
}

#[test]
fn a_protocol_can_be_insisted_on() {
    let _daemon = Daemon::start();
    let inserted = Inserted::new(0, sam());
    let only = |protocol| Options { protocol: Some(protocol), ..Options::default() };
    assert_eq!(PcscChannel::open_with("00 00", only(Protocol::T0)).unwrap().protocol(), Some(Protocol::T0));
    let refused = PcscChannel::open_with("00 00", only(Protocol::T1)).unwrap_err();
    assert!(matches!(refused, PcscError::Failed { .. }) && refused.loss() == Loss::Reader, "{refused}");
    inserted.remove();
}
