//! Commands written by hand, answers as the specification shows them.

mod files;

use super::*;
use crate::hex::{decode, encode};

pub(crate) fn keys() -> KeySet {
    KeySet::new(b"tests")
}

pub(crate) fn card(id: &str) -> VirtualCard {
    VirtualCard::new(&Profile::builtin(id).unwrap().unwrap(), &keys()).unwrap()
}

/// A card with its application `name` selected.
pub(crate) fn selected(id: &str, name: &str) -> VirtualCard {
    let mut card = card(id);
    let cla = if card.is_legacy() { "94" } else { "00" };
    let answer = send(&mut card, &format!("{cla}A40400{:02X}{name}00", name.len() / 2));
    assert!(answer.ends_with("9000"), "{answer}");
    card
}

pub(crate) fn send(card: &mut VirtualCard, command: &str) -> String {
    encode(&card.transmit(&decode(command).unwrap()))
}

/// Name of the first transport application of the third issue of the regular kit.
pub(crate) const TRANSPORT: &str = "A000000291FF9101";
