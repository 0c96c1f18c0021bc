//! The card as a file.

use crate::testing::{TRANSPORT, keys, prime, selected, to_card as send};
use crate::{CardError, KeySet, VirtualCard};

#[test]
fn a_card_comes_back_as_it_was() {
    let (mut pair, serial) = prime();
    pair.card("002000000431313131");
    pair.open("008A030104 CHALLENGE 00", "3079", &serial);
    assert_eq!(pair.exchange("00E2004003A1A2A3"), "9000");
    pair.close("00", "00", 4);
    let text = pair.card.to_json().unwrap();
    let mut back = VirtualCard::from_json(&text, &keys()).unwrap();
    assert_eq!(back.to_json().unwrap(), text);
    assert_eq!(back.transaction_counter(), pair.card.transaction_counter());
    assert!(!back.ratified());
    assert_eq!(back.record(0x2010, 1), pair.card.record(0x2010, 1));
    assert_eq!(back.current_df(), None);
    send(&mut back, &format!("00A4040008{TRANSPORT}00"));
    assert_eq!(send(&mut back, "0020000000"), "63C2");
    assert!(!text.contains("master\": \"0"), "no key values");
}

#[test]
fn what_does_not_fit_is_refused() {
    let text = selected("kit-basic-v2", TRANSPORT).to_json().unwrap();
    let refused = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        VirtualCard::from_json(&text.replacen(from, to, 1), &keys()).unwrap_err()
    };
    assert!(matches!(VirtualCard::from_json("{}", &keys()), Err(CardError::Saved(_))));
    assert!(matches!(refused("ogygia-virtual-card/1", "ogygia-virtual-card/2"), CardError::Saved(_)));
    assert_eq!(
        refused("\"transaction_counter\": 200000", "\"transaction_counter\": 16777216"),
        CardError::StateDoesNotFit("transaction counter")
    );
    assert!(matches!(refused("\"records\": 2,", "\"records\": 3,"), CardError::StateDoesNotFit("files")));
    assert!(matches!(VirtualCard::from_json(&text, &KeySet::empty(b"tests")), Err(CardError::MissingKey(_))));
}
