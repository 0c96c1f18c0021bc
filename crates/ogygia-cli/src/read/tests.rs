//! Reading every card that there is.

use ogygia::card::{Lid, Sfi};
use ogygia_sim::profile::builtin;

use super::*;
use crate::args::{CardChoice, Read};

fn text(profile: &str) -> String {
    let card = CardChoice { file: None, profile: Some(profile.to_owned()) };
    let mut out = Vec::new();
    assert_eq!(run(&Read { json: false, aid: None, card }, &mut out).unwrap(), 0);
    String::from_utf8(out).unwrap()
}

#[test]
fn every_card_can_be_read() {
    for (id, _) in builtin() {
        let text = text(id);
        assert!(text.starts_with("application "), "{id}");
        assert!(text.contains("\nLID "), "{id}");
    }
}

#[test]
fn the_image_holds_what_is_free_to_read() {
    let mut terminal = Terminal::new(store::new_card("kit-prime-regular-v3").unwrap());
    let card = reader::read_all(&mut terminal, None).unwrap();
    assert_eq!(card.files().iter().len(), 8);
    assert_eq!(card.file(Sfi(0x09)).unwrap().records().count(), 4);
    assert_eq!(card.files().by_lid(Lid(0x2003)).unwrap().records().count(), 0, "needs the PIN");
}

/// Other structures use the same identifiers for other things.
#[test]
fn only_known_structures_are_decoded() {
    assert!(text("kit-light-classic-v3").contains("Contracts (09)"));
    let other = text("kit-light-reference-v3");
    assert!(other.contains("file 09") && !other.contains("Contracts"), "{other}");
}

/// A card that knows no class 00.
#[test]
fn old_classes() {
    assert!(text("prime2-tango").contains("Calypso Prime revision 2"));
    assert!(text("prime1-innovatron").contains("without a name"));
}

#[test]
fn other_applications() {
    let mut terminal = Terminal::new(store::new_card("kit-prime-regular-v3").unwrap());
    let card = reader::read_all(&mut terminal, Some(&[0xD2, 0x76])).unwrap();
    let record = |sfi| card.file(Sfi(sfi)).unwrap().record(1).unwrap();
    assert_eq!((record(1).len(), record(2).len()), (15, 2048), "binary files");
    let mut out = Vec::new();
    table::write(&card, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("000F2000FB00FA0406E10408000000\n"), "{text}");
    assert!(text.contains("2048 bytes of 00"), "{text}");
    assert!(reader::read_all(&mut terminal, Some(&[0xD2, 0x77])).is_err());
}
