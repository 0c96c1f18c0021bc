//! PINs and keys.

use ogygia::Peer;
use ogygia::command::{ChangeKey, ChangePin, Command, Pin, VerifyPin};

use crate::bench::Bench;
use crate::desk::*;

fn pin() -> Pin {
    Pin::new(*b"1234")
}

fn ciphering() -> Bench {
    let mut settings = settings(C1);
    settings.pin_verification_key = Some(KEY);
    settings.pin_modification_key = Some(KEY);
    desk(card(PLAIN), settings)
}

fn in_clear() -> Bench {
    let mut settings = settings(C1);
    settings.pin_plain = true;
    desk(card(PLAIN), settings)
}

/// CL-PIN-PENCRYPT.1, CL-PIN-MENCRYPT.1, CL-PIN-PP1P2.1, CL-PIN-MP1P2.1.
#[test]
fn pins_in_clear_or_ciphered() {
    let last = |mut desk: Bench, command: Command<'_>| {
        desk.process([command]).unwrap();
        desk.sent(Peer::Card).pop().unwrap()
    };
    let verify = || VerifyPin { pin: pin() }.into();
    let change = || ChangePin { pin: pin() }.into();
    assert_eq!(last(ciphering(), verify()), "0020000008AAAAAAAAAAAAAAAA");
    assert_eq!(last(ciphering(), change()), format!("00D800FF10{}", "AA".repeat(16)));
    for desk in [in_clear, free_desk] {
        assert_eq!(last(desk(), verify()), "002000000431323334");
        assert_eq!(last(desk(), change()), "00D800FF0431323334");
    }
}

/// CL-PIN-GETCHAL.1 and CL-KEY-CHANGE.1: nothing goes to the card between the challenge and what is ciphered with it.
#[test]
fn a_challenge_just_before() {
    let commands: [(Command<'_>, &str); 3] = [
        (VerifyPin { pin: pin() }.into(), "00200000"),
        (ChangePin { pin: pin() }.into(), "00D800FF"),
        (ChangeKey { index: 2, new: KEY, issuer: KEY }.into(), "00D80002"),
    ];
    for (command, header) in commands {
        let mut desk = ciphering();
        desk.process([update(&[1]).into(), command, update(&[2]).into()]).unwrap();
        let requests = desk.requests();
        let [(Peer::Card, first), (Peer::Sam, random), (Peer::Card, last)] = &requests[..] else {
            panic!("{requests:?}")
        };
        assert_eq!(first.last().map(String::as_str), Some("0084000008"));
        assert!(random.contains(&"8086000008CCCCCCCCCCCCCCCC".to_string()));
        assert!(last[0].starts_with(header), "{}", last[0]);
    }
}

/// In a session too, where the waiting commands are sent before.
#[test]
fn a_challenge_just_before_in_a_session() {
    let mut desk = ciphering();
    desk.process([OPEN.into()]).unwrap();
    desk.requests();
    desk.process([update(&[1]).into(), VerifyPin { pin: pin() }.into()]).unwrap();
    let sent = desk.sent(Peer::Card);
    let challenge = sent.iter().position(|command| command == "0084000008").unwrap();
    assert!(sent[challenge + 1].starts_with("0020000008"), "{sent:?}");
}
