use super::*;
use crate::SamProduct;
use crate::hex::{decode, encode};
use crate::testing::{TRANSPORT, card, sam, selected};

const OPEN: &str = "008A030104C1C2C3C400";

fn link() -> CardLink {
    Link::new(selected("kit-prime-regular-v3", TRANSPORT))
}

fn send<D: Device>(link: &mut Link<D>, command: &str) -> Result<String, Loss> {
    let mut answer = vec![0xEE];
    link.send(&decode(command).unwrap(), &mut answer).map(|()| encode(&answer[1..]))
}

#[test]
fn traffic_is_counted() {
    let recorder = Recorder::new();
    let mut card = link().with_recorder(recorder.clone());
    let mut sam = Link::new(sam(SamProduct::C1)).with_recorder(recorder.clone());
    send(&mut sam, "8084000004").unwrap();
    send(&mut card, "00B2013C1D").unwrap();
    send(&mut card, "00B2000000").unwrap();
    assert_eq!(card.traffic(), Traffic { requests: 0, commands: 2, bytes_out: 10, bytes_in: 33 });
    let noted = recorder.take();
    assert_eq!(noted.iter().map(|exchange| exchange.peer).collect::<Vec<_>>(), [Peer::Sam, Peer::Card, Peer::Card]);
    assert_eq!(noted[2].response, Some(vec![0x6B, 0x00]));
    assert!(recorder.exchanges().is_empty());
    assert!(!format!("{noted:?}").contains("178"));
}

#[test]
fn a_card_lost_before_or_after_execution() {
    for (fault, counter) in [(Fault::before(0, Loss::Peer), 0), (Fault::after(0, Loss::Peer), 1)] {
        let mut link = link().with_fault(fault);
        let before = link.card().transaction_counter();
        assert_eq!(send(&mut link, OPEN), Err(Loss::Peer));
        assert_eq!(before - link.card().transaction_counter(), counter);
        assert!(!link.card().session_open());
        assert_eq!(send(&mut link, "00B2013C1D"), Err(Loss::Peer));
        link.re_present();
        assert_eq!(send(&mut link, "00B2013C1D").unwrap(), "6A82", "selection is lost");
    }
}

#[test]
fn a_lost_reader_leaves_the_card_as_it_is() {
    let mut link = link().with_fault(Fault::after(0, Loss::Reader));
    assert_eq!(send(&mut link, OPEN), Err(Loss::Reader));
    assert_eq!(link.is_down(), Some(Loss::Reader));
    assert!(link.card().session_open());
}

#[test]
fn answers_are_replaced_cut_and_changed() {
    let mut link = link()
        .with_fault(Fault::replaced(0, [0x6F, 0x00]))
        .with_fault(Fault::truncated(1, 1))
        .with_fault(Fault::changed(2, |answer| answer.reverse()));
    assert_eq!(send(&mut link, "00B2000000").unwrap(), "6F00");
    assert_eq!(send(&mut link, "00B2000000").unwrap(), "6B");
    assert_eq!(send(&mut link, "00B2000000").unwrap(), "006B");
    assert_eq!(send(&mut link, "00B2000000").unwrap(), "6B00");
}

#[test]
fn a_sam_that_is_pulled_forgets() {
    let mut link = Link::new(sam(SamProduct::C1)).with_fault(Fault::before(1, Loss::Peer));
    send(&mut link, "8084000004").unwrap();
    assert_eq!(send(&mut link, "80140000080000000011223344"), Err(Loss::Peer));
    link.re_present();
    send(&mut link, "80140000080000000011223344").unwrap();
    assert_eq!(send(&mut link, "808A00FF0A30790304909800307900").unwrap(), "6985");
    assert_eq!(Link::new(card("kit-basic-v2")).into_device().profile().id, "kit-basic-v2");
}
