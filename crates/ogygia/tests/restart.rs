//! The next card in the memory of the one before: from its image, or straight from its selection.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use ogygia::card::{Card, Product, Sfi};
use ogygia::command::ReadRecord;
use ogygia::transaction::{Security, Transaction};
use ogygia::{Argument, ChannelControl, Error, Malformed, Misbehaviour, Misuse, Peer};

/// What a card of revision 3 answers to its selection; the last byte of its serial number is `serial`.
fn selected(application_type: u8, serial: u8) -> Vec<u8> {
    let head = b"\x6F\x23\x84\x091TIC.ICA1\xA5\x16\xBF\x0C\x13\xC7\x08\x00\x00\x00\x00\x11\x22\x33";
    let tail = [serial, 0x53, 0x07, 0x0A, 0x3C, application_type, 0x05, 0x14, 0x10, 0x01, 0x90, 0x00];
    [&head[..], &tail].concat()
}

const REVISION_3: u8 = 0x20;
const UNKNOWN: u8 = 0xFF;
const READ: ReadRecord = ReadRecord { sfi: Sfi(7), record: 1 };

fn transaction() -> Transaction {
    Transaction::new(Card::from_select_response(&selected(REVISION_3, 1)).unwrap(), Security::None).unwrap()
}

#[test]
fn both_ways_lead_to_the_same_image() {
    let response = selected(REVISION_3, 2);
    let (mut copied, mut read) = (transaction(), transaction());
    copied.restart(&Card::from_select_response(&response).unwrap()).unwrap();
    read.restart_selected(Some(&response), &[]).unwrap();
    assert_eq!(read.card().full_serial_number(), [0, 0, 0, 0, 0x11, 0x22, 0x33, 2]);
    assert_eq!(format!("{:?}", read.card()), format!("{:?}", copied.card()));
}

#[test]
fn what_was_prepared_for_the_card_before_is_forgotten() {
    let mut transaction = transaction();
    transaction.prepare(READ).unwrap();
    transaction.restart_selected(Some(&selected(REVISION_3, 2)), &[]).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    assert!(transaction.poll(Peer::Card).is_none());
    assert_eq!(transaction.outcome(), Some(Ok(())));
}

/// Nothing can be done with a card that was refused, until there is another one.
#[test]
fn a_card_that_is_refused() {
    let no_product = Error::from(Misuse::Argument(Argument::Product));
    let mut transaction = transaction();
    let unreadable = transaction.restart_selected(Some(&[0x6F, 0x00, 0x90, 0x00]), &[]).unwrap_err();
    let tag = Misbehaviour::Malformed(Malformed::Tlv(ogygia::apdu::tlv::TlvError::Empty));
    assert!(matches!(unreadable, Error::PeerMisbehaved { peer: Peer::Card, index: 0, how, .. } if how == tag));
    for attempt in 0..2 {
        assert_eq!(transaction.card().product(), Product::Unknown, "{attempt}");
        assert!(!transaction.is_processing());
        assert_eq!(transaction.prepare(READ), Err(no_product));
        assert_eq!(transaction.process(ChannelControl::KeepOpen), Err(no_product));
        assert_eq!(transaction.prefetch_challenge(), Err(no_product));
        assert_eq!(transaction.forget_sam(), Ok(()));
        assert!(transaction.poll(Peer::Card).is_none() && transaction.outcome().is_none());
        assert_eq!(transaction.restart_selected(Some(&selected(UNKNOWN, 2)), &[]), Err(no_product));
    }
    transaction.restart_selected(Some(&selected(REVISION_3, 3)), &[]).unwrap();
    transaction.prepare(READ).unwrap();
}

#[test]
fn the_image_of_another_card_helps_as_well() {
    let mut transaction = transaction();
    transaction.restart_selected(None, &[]).unwrap_err();
    transaction.restart(&Card::from_select_response(&selected(REVISION_3, 2)).unwrap()).unwrap();
    transaction.prepare(READ).unwrap();
}

#[test]
fn not_while_a_request_is_under_way() {
    let mut transaction = transaction();
    transaction.prepare(READ).unwrap();
    transaction.process(ChannelControl::KeepOpen).unwrap();
    assert_eq!(transaction.restart_selected(Some(&selected(REVISION_3, 2)), &[]), Err(Misuse::Busy.into()));
    assert_eq!(transaction.card().full_serial_number(), [0, 0, 0, 0, 0x11, 0x22, 0x33, 1]);
    assert!(transaction.poll(Peer::Card).is_some());
}
