//! Selection, headers, data objects.

use crate::hex::encode;
use crate::profile::{Profile, builtin};
use crate::testing::{TRANSPORT, card, selected, to_card as send};

/// Rebuilds every select response and header from the other members of the profile.
#[test]
fn fci_and_fcp_of_every_profile() {
    for (id, text) in builtin() {
        let profile = Profile::from_json(text).unwrap();
        let mut card = card(id);
        for (at, application) in profile.applications.iter().enumerate() {
            card.field.application = Some(at);
            card.field.file = None;
            if let Some(fci) = &application.fci {
                let answer = card.fci().unwrap().into_bytes();
                let status = application.fci_status.unwrap().to_be_bytes();
                assert_eq!(encode(&answer), encode(&[&fci[..], &status].concat()), "{id}");
            }
            assert_eq!(encode(&card.fcp().unwrap()), encode(&application.fcp), "{id} {:?}", application.lid);
            for (index, file) in application.files.iter().enumerate() {
                card.field.file = Some(index);
                assert_eq!(encode(&card.fcp().unwrap()), encode(&file.fcp), "{id} {:?}", file.lid);
            }
        }
    }
}

#[test]
fn selection_by_full_name_prefix_and_occurrence() {
    let mut card = card("kit-prime-regular-v3");
    let fci = "6F228408A000000291FF9101A516BF0C13C70800000000";
    assert!(send(&mut card, "00A4040008A000000291FF910100").starts_with(fci));
    let names = ["A000000291FF9201", "A000000291FF9101", "A000000291A00000019102", "A000000291FF9111"];
    let mut select = |occurrence: &str| {
        let answer = send(&mut card, &format!("00A404{occurrence}05A00000029100"));
        names.iter().position(|name| answer.contains(name))
    };
    assert_eq!(select("00"), Some(0));
    assert_eq!(select("02"), Some(1));
    assert_eq!(select("02"), Some(2));
    assert_eq!(select("02"), Some(3));
    assert_eq!(select("02"), None);
    assert_eq!(select("03"), Some(2));
    assert_eq!(select("01"), Some(3));
    assert_eq!(send(&mut card, "00A4040005A00000040400"), "6A82");
    assert_eq!(send(&mut card, "00A404000508"), "6700");
}

#[test]
fn selection_of_files() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    let events = "85170804041D031F10101000030303000000000000000020109000";
    assert_eq!(send(&mut card, "00A4090002201000"), events);
    assert_eq!(send(&mut card, "00A40900021234 00".replace(' ', "").as_str()), "6A82");
    assert_eq!(send(&mut card, "00A4080002201000"), "6B00");
    assert_eq!(
        send(&mut card, "00A40900022000"),
        "85170002000000101000000103000000797979212730002000".to_owned() + "9000"
    );
    let first = send(&mut card, "00A4020002000000");
    let second = send(&mut card, "00A4020202000000");
    assert_ne!(first, second);
    for _ in 0..6 {
        assert!(send(&mut card, "00A4020202000000").ends_with("9000"));
    }
    assert_eq!(send(&mut card, "00A4020202000000"), "6A82");
    assert!(send(&mut card, "00A4090002000000").starts_with("85170002"));
}

#[test]
fn get_data() {
    let mut card = selected("kit-prime-regular-v3", TRANSPORT);
    assert!(send(&mut card, "00CA006F00").starts_with("6F228408A000000291FF9101"));
    assert!(send(&mut card, "00CA006200").starts_with("62198517000200"));
    assert!(send(&mut card, "00CA00C000").starts_with("C040C106"));
    assert_eq!(send(&mut card, "00CA018500"), "6A88");
    assert_eq!(send(&mut card, "00CA123400"), "6B00");
    assert_eq!(send(&mut selected("prime2-legacy", "315449432E494341"), "94CA006F00"), "6A88");
}

#[test]
fn class_and_instruction() {
    let mut card = selected("hce-prime3", TRANSPORT);
    assert_eq!(send(&mut card, "94B2013C1D"), "6E00");
    assert_eq!(send(&mut card, "00FF000000"), "6D00");
    assert_eq!(send(&mut card, "00B2000000"), "6B00");
    assert_eq!(send(&mut card, ""), "6700");
    assert_eq!(send(&mut selected("prime2-legacy-postponed", "315449432E494341"), "947C000721"), "6E00");
}
