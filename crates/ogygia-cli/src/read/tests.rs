//! Reading every card that there is.

use ogygia::card::{Lid, Sfi};
use ogygia_sim::profile::builtin;

use super::*;
use crate::args::{CardChoice, Read};

fn text(profile: &str) -> String {
    let card = CardChoice { file: None, profile: Some(profile.to_owned()) };
    let mut out = Vec::new();
    assert_eq!(run(&Read { json: false, card }, &mut out).unwrap(), 0);
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
    let card = reader::read_all(&mut terminal).unwrap();
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
