//! Secure sessions, their keys and their ratification.

use ogygia::card::{Card, KeyId, Kif, Kvc, Level};
use ogygia::command::{AuthenticateEarly, CancelSession, CloseSession, Command, CommandName, OpenSession, ReadRecords};
use ogygia::transaction::Policy;
use ogygia::{Error, Misbehaviour, Misuse, Peer, Untrusted};

use crate::bench::Bench;
use crate::desk::*;

/// CL-CSS-OSSMODE.1.
#[test]
fn the_form_of_card_and_sam() {
    for (startup, sam, p2, challenge) in
        [(PLAIN, C1, "01", 4), (PLAIN, S1D, "01", 4), (EXTENDED, C1, "02", 9), (EXTENDED, S1D, "01", 4)]
    {
        let mut desk = desk(card(startup), settings(sam));
        desk.process([OPEN.into()]).unwrap();
        let opening = desk.sent(Peer::Card).concat();
        assert!(opening.starts_with(&format!("008A03{p2}{challenge:02X}")), "{opening}");
    }
}

/// CL-CSS-OSSRFU.1.
#[test]
fn reserved_bits_of_the_opening_do_not_count() {
    let opened = |startup, answer: &[u8]| {
        let mut desk = desk(card(startup), settings(C1));
        desk.replace(CommandName::OpenSecureSession, &[answer, &[0x90, 0x00]].concat());
        desk.process([OPEN.into()]).unwrap();
        let card = desk.transaction.card();
        (card.ratified(), card.transaction_counter(), card.features().extended)
    };
    for not_ratified in 0x01..=0xFF {
        assert_eq!(opened(PLAIN, &[0, 3, 1, 9, not_ratified, 0x30, 0x79, 0]), (Some(false), Some(0x301), false));
    }
    for reserved in (0x00..=0xFF).step_by(4) {
        for (flags, ratified, aes) in [(0, true, false), (1, false, false), (2, true, true), (3, false, true)] {
            let answer = [0, 3, 1, 9, 9, 9, 9, 9, reserved | flags, 0x30, 0x79, 0];
            assert_eq!(opened(EXTENDED, &answer), (Some(ratified), Some(0x301), aes), "{reserved:02X}");
        }
    }
}

/// CL-CSS-INFORAT.1 and CL-CSS-INFOTCNT.1.
#[test]
fn every_product_tells_its_counter_and_whether_the_session_before_was_ratified() {
    let cards: [(Card, &[u8], &[u8]); 6] = [
        (revision_1(), &[0, 3, 1, 9], &[0, 3, 1, 9, 0, 1]),
        (card(REVISION_2), &[0x79, 0, 3, 1, 9], &[0x79, 0, 3, 1, 9, 0, 1]),
        (card(PLAIN), &[0, 3, 1, 9, 0, 0x30, 0x79, 0], &[0, 3, 1, 9, 1, 0x30, 0x79, 0]),
        (card(LIGHT), &[0, 3, 1, 9, 0, 0x30, 0x79, 0], &[0, 3, 1, 9, 1, 0x30, 0x79, 0]),
        (card(BASIC), &[0, 3, 1, 9, 0, 0x30, 0x79, 0], &[0, 3, 1, 9, 1, 0x30, 0x79, 0]),
        (card(EXTENDED), &crate::bench::OPENING, &[0, 3, 1, 9, 9, 9, 9, 9, 3, 0x30, 0x79, 0]),
    ];
    for (card, ratified, not_ratified) in cards {
        for (answer, expected) in [(ratified, true), (not_ratified, false)] {
            let mut desk = desk(card.clone(), settings(C1));
            assert_eq!(
                (desk.transaction.card().ratified(), desk.transaction.card().transaction_counter()),
                (None, None)
            );
            desk.replace(CommandName::OpenSecureSession, &[answer, &[0x90, 0x00]].concat());
            desk.process([OPEN.into()]).unwrap();
            let image = desk.transaction.card();
            assert_eq!((image.ratified(), image.transaction_counter()), (Some(expected), Some(0x301)));
        }
    }
}

/// Bytes of data that leave room for nothing more in a buffer of so many bytes: each command takes six besides.
const fn filling(buffer: usize) -> [usize; 2] {
    [200, buffer - 206 - 6]
}

/// CL-CSS-SMEXCEED.1 and CL-CSS-REQUEST.1: to the byte, and not more without being allowed to.
#[test]
fn a_session_that_is_full_to_the_byte() {
    let [first, second] = filling(430);
    let data = [0x61; 250];
    let mut desk = plain_desk();
    let commands = [OPEN.into(), update(&data[..first]).into(), update(&data[..second]).into(), CloseSession.into()];
    assert_eq!(desk.process(commands), Ok(()));
    assert_eq!(desk.transaction.session().committed, 1);
    for too_much in [&[second + 1][..], &[second, 1]] {
        let mut desk = plain_desk();
        desk.process([OPEN.into(), update(&data[..first]).into()]).unwrap();
        let (last, before) = too_much.split_last().unwrap();
        before.iter().for_each(|len| desk.prepare(update(&data[..*len])).unwrap());
        desk.requests();
        assert_eq!(desk.prepare(update(&data[..*last])), Err(Misuse::SessionBufferOverflow.into()));
        desk.resume().unwrap_err();
        assert_eq!(desk.sent(Peer::Card), ["008E000000"]);
    }
}

/// CL-CSS-INFOCSS.1, CL-CSS-REQUEST.1, CL-CSS-MACVERIF.1, CL-RAT-NXTCLOSE.1, CL-KEY-INDEXPO.1: with permission the session
/// is closed and opened again at the same level, the card is verified each time, and only the last closing is ratified
/// by a command.
#[test]
fn several_sessions() {
    let [first, second] = filling(430);
    let data = [0x61; 250];
    let mut settings = settings(C1);
    settings.multiple_sessions = true;
    settings.ratification_command = true;
    let mut desk = desk(card(PLAIN), settings);
    let load = OpenSession { level: Level::Load };
    let updates = [first, second, 1].map(|len| update(&data[..len]).into());
    desk.process([load.into()].into_iter().chain(updates).chain([CloseSession.into()])).unwrap();
    assert_eq!(desk.transaction.session().committed, 2);
    assert!(desk.transaction.session().authenticated.is_some());
    let requests = desk.requests();
    let headers = |peer| {
        let to_peer = requests.iter().filter(move |(to, _)| *to == peer);
        to_peer
            .flat_map(|(_, commands)| commands)
            .map(|command| command.get(..8).unwrap().to_string())
            .collect::<Vec<_>>()
    };
    let card = ["008A0201", "00DC013C", "00DC013C", "008E8000", "008A0201", "00DC013C", "008E0000", "00B20000"];
    assert_eq!(headers(Peer::Card), card);
    assert_eq!(headers(Peer::Sam).iter().filter(|header| *header == "80820000").count(), 2);
}

/// CL-CSS-ABORTCMD.1.
#[test]
fn a_session_is_given_up_by_a_closing_without_data() {
    let mut desk = plain_desk();
    desk.process([OPEN.into(), update(&[1]).into()]).unwrap();
    desk.requests();
    desk.process([CancelSession.into()]).unwrap();
    assert_eq!(desk.requests(), [(Peer::Card, vec!["008E000000".to_string()])]);
    // Where no session was open there is nothing to abort.
    desk.replace(CommandName::ReadRecords, &[0x69, 0x82]);
    desk.process([ReadRecords { sfi: RECORDS, records: 1..=1, size: 4 }.into()]).unwrap_err();
    assert_eq!(desk.sent(Peer::Card), ["00B2013C04"]);
}

/// CL-RAT-CMD.1, CL-RAT-DELAY.1, CL-RAT-NXTCLOSE.1.
#[test]
fn the_ratification_command_follows_at_once() {
    for (ratify, expected) in [(true, &["008E000004AAAAAAAA00", "00B2000000"][..]), (false, &["008E800004AAAAAAAA00"])]
    {
        let mut settings = settings(C1);
        settings.ratification_command = ratify;
        let mut desk = desk(card(PLAIN), settings);
        desk.process([OPEN.into()]).unwrap();
        desk.requests();
        desk.close();
        let requests = desk.requests();
        let [(Peer::Sam, _), (Peer::Card, closing), (Peer::Sam, authenticate)] = &requests[..] else {
            panic!("{requests:?}")
        };
        assert_eq!(closing, expected);
        assert_eq!(authenticate, &["8082000004BBBBBBBB"]);
    }
}

/// CL-KEY-INDEXPO.1.
#[test]
fn the_key_index_is_the_level() {
    for (level, p1) in [(Level::Personalization, "01"), (Level::Load, "02"), (Level::Debit, "03")] {
        let mut desk = plain_desk();
        desk.process([OpenSession { level }.into()]).unwrap();
        assert_eq!(desk.sent(Peer::Card), [format!("008A{p1}0104AAAAAAAA00")]);
    }
}

/// CL-KEY-KIF.1, CL-KEY-KIFUNK.1, CL-SAM-CSN.1, CL-SAM-DINIT.1.
#[test]
fn the_key_that_the_card_names_or_the_one_configured() {
    let init = |card: Card, answer: &[u8]| {
        let mut settings = settings(C1);
        settings.kif = vec![(Level::Debit, Kvc(0x7A), Kif(0x3A))];
        let mut desk = desk(card, settings);
        desk.replace(CommandName::OpenSecureSession, &[answer, &[0x90, 0x00]].concat());
        desk.process([OPEN.into()]).unwrap();
        desk.requests();
        desk.close();
        desk.sent(Peer::Sam)[..2].join(" ")
    };
    let plain = |kif, kvc| init(card(PLAIN), &[0, 3, 1, 9, 0, kif, kvc, 0]);
    // The card's serial number, whole; then KIF, KVC and the answer to the opening.
    assert_eq!(plain(0x21, 0x77), "80140000080102030411223344 808A00FF0A21770003010900217700");
    assert_eq!(plain(0xFF, 0x7A), "80140000080102030411223344 808A00FF0A3A7A0003010900FF7A00");
    assert_eq!(plain(0xFF, 0x77), "80140000080102030411223344 808A00FF0A30770003010900FF7700");
    assert!(init(card(REVISION_2), &[0x7A, 0, 3, 1, 9]).ends_with("808A00FF073A7A7A00030109"));
    assert!(init(revision_1(), &[0, 3, 1, 9]).ends_with("808A00FF06307900030109"));
}

/// CL-KEY-KIFUNK.1.
#[test]
fn a_key_that_is_not_known_or_not_authorised() {
    let mut unknown = settings(C1);
    unknown.default_kif.clear();
    let mut other = settings(C1);
    other.authorized_session_keys = vec![(Kif(0x21), Kvc(0x77))];
    for (settings, kif) in [(unknown, 0xFF), (other, 0x30)] {
        let mut desk = desk(card(PLAIN), settings);
        desk.replace(CommandName::OpenSecureSession, &[0, 3, 1, 9, 0, kif, 0x79, 0, 0x90, 0x00]);
        let named = (kif != 0xFF).then_some(Kif(kif));
        let KeyId { kvc, .. } = KEY;
        let expected = Untrusted::SessionKey { kif: named, kvc: Some(kvc) };
        assert_eq!(desk.process([OPEN.into()]), Err(expected.into()));
        assert_eq!(desk.sent(Peer::Card).last().map(String::as_str), Some("008E000000"));
    }
}

/// CL-CSS-MACVERIF.1, CL-CSS-INFOEND.1: one report per ending.
#[test]
fn how_a_session_ended() {
    let end = |name: CommandName, answer: &[u8]| {
        let mut desk = plain_desk();
        desk.process([OPEN.into(), update(&[1]).into()]).unwrap();
        desk.replace(name, answer);
        let result = desk.process([CloseSession.into()]);
        let report = desk.transaction.session();
        (result, report.committed, report.authenticated.is_some())
    };
    assert_eq!(end(CommandName::CloseSecureSession, &[0xBB, 0xBB, 0xBB, 0xBB, 0x90, 0x00]), (Ok(()), 1, true));
    let wrong = (Err(Untrusted::SessionMac.into()), 1, false);
    assert_eq!(end(CommandName::SamDigestAuthenticate, &[0x69, 0x88]), wrong);
    let (refused, committed, authentic) = end(CommandName::CloseSecureSession, &[0x69, 0x88]);
    assert!(matches!(refused, Err(Error::Status { command: CommandName::CloseSecureSession, .. })));
    assert_eq!((committed, authentic), (0, false));
    let (unreadable, committed, authentic) = end(CommandName::CloseSecureSession, &[0x90, 0x00]);
    assert!(matches!(unreadable, Err(Error::PeerMisbehaved { how: Misbehaviour::Malformed(_), .. })));
    assert_eq!((committed, authentic), (1, false));
}

/// Early authentication proves the card, and no session.
#[test]
fn what_is_proved_early() {
    let mut desk = desk(card(EXTENDED), settings(C1));
    let open = || Command::from(OpenSession { level: Level::Debit });
    let proved = |desk: &Bench| {
        let report = desk.transaction.session();
        (report.authenticated_early.is_some(), report.authenticated.is_some(), report.committed)
    };
    desk.process([open(), AuthenticateEarly.into()]).unwrap();
    assert_eq!(proved(&desk), (true, false, 0));
    desk.process([CancelSession.into()]).unwrap();
    assert_eq!(proved(&desk), (true, false, 0));
    desk.process([open(), CloseSession.into()]).unwrap();
    assert_eq!(proved(&desk), (false, true, 1));
    desk.process([open(), AuthenticateEarly.into(), CloseSession.into()]).unwrap();
    assert_eq!(proved(&desk), (true, true, 2));
}

/// Nor does it, when the session is over before the SAM has said so.
#[test]
fn what_is_proved_early_of_a_session_that_is_given_up() {
    for policy in [Policy::Grouped, Policy::Overlapped] {
        let mut settings = settings(C1);
        settings.policy = policy;
        let mut desk = desk(card(EXTENDED), settings);
        let open = Command::from(OpenSession { level: Level::Debit });
        desk.process([open, AuthenticateEarly.into(), CancelSession.into()]).unwrap();
        let report = desk.transaction.session();
        assert_eq!((report.authenticated, report.committed), (None, 0), "{policy:?}");
        assert!(report.authenticated_early.is_some(), "{policy:?}");
    }
}
