//! What a session asks of the SAM, once for each product: specification 06, "SAM".

use ogygia::Peer;
use ogygia::command::{ChangeCounter, CloseSession, CounterChange, Invalidate, ReadCounters};
use ogygia::sam::Sam;

use crate::desk::*;

/// Subtype, issuer, class, whether it knows extended sessions, and whether it takes several blocks at once.
const PRODUCTS: [(u8, u8, &str, bool, bool); 4] = [
    (0xC1, 0x20, "80", true, true),
    (0xC1, 0x08, "80", true, false),
    (0xE1, 0x20, "80", false, true),
    (0xD3, 0x20, "94", false, false),
];

fn sam(subtype: u8, issuer: u8) -> Sam {
    Sam::from_power_on_data(&[
        0x3B, 0x3F, 0x96, 0, 0x80, 0x5A, 0x48, 0x80, subtype, issuer, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0,
    ])
}

/// CL-CLA-SAM.1, CL-SAM-CSN.1, CL-SAM-DINIT.1, CL-SAM-DUPDATE.1, CL-SAM-DMULTI.2, CL-SAM-DCLOSE.1.
#[test]
fn a_session_with_each_product() {
    for (subtype, issuer, class, extended, several) in PRODUCTS {
        let mut settings = settings(subtype);
        settings.sam = sam(subtype, issuer);
        let mut desk = desk(card(EXTENDED), settings);
        desk.process([OPEN.into(), ReadCounters { sfi: COUNTERS, count: 1 }.into()]).unwrap();
        let up = ChangeCounter { change: CounterChange::Increase, sfi: COUNTERS, counter: 1, by: 1 };
        desk.process([up.into(), Invalidate.into(), CloseSession.into()]).unwrap();
        let sent = desk.sent(Peer::Sam);
        let place = format!("{subtype:02X} {issuer:02X}: {sent:?}");
        let sent: Vec<_> = sent.iter().map(|command| command.strip_prefix(class).unwrap_or_default()).collect();
        let len = if extended { "08" } else { "04" };
        // Challenge, diversifier, the beginning of the digest with key and opening, blocks, its end, the verification.
        let [challenge, diversifier, init, blocks @ .., close, authenticate] = sent.as_slice() else {
            panic!("{place}")
        };
        assert_eq!(*challenge, format!("840000{len}"), "{place}");
        assert_eq!(*diversifier, "140000080102030411223344", "{place}");
        let begins = if extended { "8A02FF0E3079" } else { "8A00FF0A3079" };
        assert!(init.starts_with(begins), "{place}");
        assert_eq!(*close, format!("8E0000{len}"), "{place}");
        assert!(authenticate.starts_with(&format!("820000{len}")), "{place}");
        let expected = ["00B201CC03", "0000649000", "003201C803000001", "0000659000", "0004000000", "9000"];
        let packed: String = expected.iter().map(|block| format!("{:02X}{block}", block.len() / 2)).collect();
        let digested: Vec<String> = if several {
            vec![format!("8C8000{:02X}{packed}", packed.len() / 2)]
        } else {
            expected.iter().map(|block| format!("8C0000{:02X}{block}", block.len() / 2)).collect()
        };
        assert_eq!(blocks, digested, "{place}");
    }
}
