//! The figures of the specification, and what becomes of every card.

use ogygia::Loss;
use ogygia::command::Pin;
use ogygia_sim::Fault;

use super::*;
use crate::record::{Counts, Entry, Phase, Volume};
use crate::store::{new_card, profiles};

fn stage(profile: &str) -> Stage {
    let clock: DateTime = "2026-11-25T08:32".parse().unwrap();
    Stage {
        terminal: Terminal::new(new_card(profile).unwrap()),
        clock,
        now: Moment::from_civil(clock).unwrap(),
        location: Location(5),
        options: Options::default(),
        fresh: true,
        setup: Vec::new(),
        before: None,
    }
}

fn play(scenario: Scenario) -> Report {
    scenario.run(&mut stage(scenario.default_profile()))
}

fn volume(out: usize, back: usize) -> Volume {
    Volume { out, back }
}

/// Requests, commands, bytes out and in.
type Line = (usize, usize, usize, usize);

/// Plays a scenario that succeeds, and compares its figures: those of the card, of the SAM, and the prefetches.
#[track_caller]
fn figures(scenario: Scenario, card: Line, sam: Line, sam_prefetches: usize) -> Report {
    let report = play(scenario);
    assert!(report.succeeded(), "{}", report.done.result);
    let expected = Counts {
        selection_requests: 1,
        card_requests: card.0,
        card_closings: 0,
        card_apdus: card.1,
        card_bytes: volume(card.2, card.3),
        sam_prefetches,
        sam_requests: sam.0,
        sam_apdus: sam.1,
        sam_bytes: volume(sam.2, sam.3),
    };
    assert_eq!(report.counts(), expected, "{}", scenario.name());
    report
}

/// Specification 02, "The figures". The volumes are those of the analysed engine, which is as good there.
#[test]
fn figures_of_the_specification() {
    figures(Scenario::PlainPin, (2, 2, 18, 4), (0, 0, 0, 0), 0);
    figures(Scenario::ChangeKeyAndPin, (4, 4, 68, 24), (2, 5, 64, 58), 0);
    figures(Scenario::SignatureOutsideSession, (1, 2, 10, 62), (1, 2, 46, 4), 0);
    figures(Scenario::SvOutsideSession, (2, 2, 34, 40), (2, 3, 80, 17), 0);
    figures(Scenario::ValidationEmbedded, (6, 9, 88, 152), (2, 5, 265, 34), 2);
    figures(Scenario::ValidationSimple, (6, 9, 88, 152), (3, 6, 260, 20), 0);
    figures(Scenario::PinInSession, (4, 9, 96, 102), (4, 8, 242, 32), 0);
    figures(Scenario::SignatureInSession, (2, 7, 78, 90), (4, 9, 275, 34), 0);
}

/// Here the specification asks for fewer requests than the analysed engine makes. The volume of the purse's debit stays;
/// of the several sessions, the second one selects no diversifier again: 13 bytes and a status word less.
#[test]
fn figures_below_those_of_the_analysed_engine() {
    figures(Scenario::SvInSession, (2, 7, 94, 118), (4, 8, 286, 35), 0);
    figures(Scenario::MultipleSessions, (4, 14, 330, 52), (5, 11, 434 - 13, 40 - 2), 0);
}

/// Encryption takes fewer requests as well, for the same bytes and one more to the card: the Le of the ciphered Decrease,
/// which the analysed engine leaves out (point G7).
#[test]
fn figures_of_the_extended_mode() {
    figures(Scenario::ExtendedAuthentication, (7, 10, 111, 170), (5, 8, 286, 40), 0);
    figures(Scenario::ExtendedEncryption, (7, 10, 101 + 1, 162), (8, 17, 311, 217), 0);
}

/// Plays `scenario` on a card whose answer to the command `at` of its request is changed.
fn with_a_changed_answer(scenario: Scenario, at: u64) -> String {
    let mut stage = stage(scenario.default_profile());
    assert!(scenario.run(&mut stage).succeeded());
    stage.fresh = false;
    let link = stage.terminal.card.inner_mut();
    let at = link.traffic().commands + at;
    link.add_fault(Fault::changed(at, |answer| answer[0] ^= 1));
    let report = scenario.run(&mut stage);
    assert_eq!(report.done.outcome, Outcome::Error);
    assert!(report.done.proofs.is_empty());
    assert!(!stage.terminal.card.inner().card().session_open());
    report.done.result
}

/// A card that cannot prove itself early is told nothing more, and what was changed under way is found at the closing.
#[test]
fn extended_sessions_that_are_disturbed() {
    // Behind the selection and the opening.
    let early = with_a_changed_answer(Scenario::ExtendedAuthentication, 2);
    assert!(early.contains("MAC"), "{early}");
    // Behind the activation.
    let ciphered = with_a_changed_answer(Scenario::ExtendedEncryption, 3);
    assert!(ciphered.contains("Close Secure Session"), "{ciphered}");
}

/// Scenario 7: three exchanges with the reader of the card, the selection among them, and three with the SAM.
#[test]
fn sale_distributed() {
    let report = figures(Scenario::SaleDistributed, (2, 9, 142, 175), (3, 7, 352, 22), 0);
    let selection = report.entries.iter().find(|entry| entry.phase == Phase::Selection).unwrap();
    assert_eq!(selection.exchanges.len(), 3, "the environment and the list are read with the selection");
}

/// What each scenario proves, and nothing more.
#[test]
fn proofs() {
    let proofs = |scenario| play(scenario).done.proofs;
    let (environment, contract) = (Proof::Signature("environment"), Proof::Signature("contract"));
    assert_eq!(proofs(Scenario::PlainPin), [Proof::Pin]);
    assert_eq!(proofs(Scenario::ChangeKeyAndPin), [Proof::Key]);
    assert_eq!(proofs(Scenario::SignatureOutsideSession), [environment]);
    assert_eq!(proofs(Scenario::SvOutsideSession), [Proof::Purse]);
    assert_eq!(proofs(Scenario::PinInSession), [Proof::Session, Proof::Pin]);
    assert_eq!(proofs(Scenario::SignatureInSession), [Proof::Session, environment, contract]);
    assert_eq!(proofs(Scenario::SvInSession), [Proof::Session, Proof::Purse]);
    assert_eq!(proofs(Scenario::ExtendedAuthentication), [Proof::Early, Proof::Session]);
    let session = [
        Scenario::ExtendedEncryption,
        Scenario::ValidationEmbedded,
        Scenario::ValidationSimple,
        Scenario::SaleDistributed,
        Scenario::MultipleSessions,
        Scenario::Personalize,
        Scenario::LoadContract,
        Scenario::Validate,
        Scenario::Control,
    ];
    for scenario in session {
        assert_eq!(proofs(scenario), [Proof::Session], "{}", scenario.name());
    }
}

/// On a card that was used before nothing is set up, and nothing is proved that was not.
#[test]
fn a_card_without_signatures() {
    for scenario in [Scenario::SignatureOutsideSession, Scenario::SignatureInSession] {
        let mut stage = stage("reference-prime3");
        stage.fresh = false;
        let report = scenario.run(&mut stage);
        assert_eq!(report.done.result, "failed: the signature of the data is wrong");
        assert!(report.done.proofs.is_empty());
        assert!(!stage.terminal.card.inner().card().session_open());
    }
}

/// A wrong signature that is found in the middle of the session leaves none open.
#[test]
fn a_contract_without_signature() {
    let mut stage = stage("reference-prime3");
    assert!(Scenario::SignatureInSession.run(&mut stage).succeeded());
    stage.fresh = false;
    // A loading writes the contract anew, without signature.
    assert!(Scenario::LoadContract.run(&mut stage).succeeded());
    let report = Scenario::SignatureInSession.run(&mut stage);
    assert_eq!(report.done.result, "failed: the signature of the data is wrong");
    assert!(!stage.terminal.card.inner().card().session_open());
}

/// The signature is that of the record read with the selection: another one read later is not covered.
#[test]
fn an_environment_that_changes() {
    for scenario in [Scenario::SignatureOutsideSession, Scenario::SignatureInSession] {
        let mut stage = stage("reference-prime3");
        assert!(scenario.run(&mut stage).succeeded());
        stage.fresh = false;
        // Behind the selection and what is read with it.
        let link = stage.terminal.card.inner_mut();
        let at = link.traffic().commands + 3;
        link.add_fault(Fault::changed(at, |answer| {
            let last = answer.len() - 3;
            answer[last] ^= 1;
        }));
        let report = scenario.run(&mut stage);
        assert!(report.done.result.contains("the environment is another one"), "{}", report.done.result);
        assert!(!stage.terminal.card.inner().card().session_open());
    }
}

#[test]
fn a_wrong_pin() {
    let mut stage = stage("reference-prime3");
    stage.options.pin = Pin::new(*b"1111");
    let report = Scenario::PinInSession.run(&mut stage);
    assert_eq!(report.done.outcome, Outcome::Error);
    assert!(report.done.result.contains("63C2") && report.done.proofs.is_empty(), "{}", report.done.result);
    assert!(!stage.terminal.card.inner().card().session_open());
    let report = Scenario::PlainPin.run(&mut stage);
    assert!(report.done.result.contains("63C1") && report.done.proofs.is_empty(), "{}", report.done.result);
}

/// What a scenario leaves behind, the next one finds: keys, PIN and money.
#[test]
fn one_card_for_all() {
    let mut stage = stage("reference-prime3");
    let mut played = |scenario: Scenario, pin: &[u8; 4]| {
        stage.options.pin = Pin::new(*pin);
        let report = scenario.run(&mut stage);
        stage.fresh = false;
        assert!(report.succeeded(), "{}: {}", scenario.name(), report.done.result);
        report.done.result
    };
    assert_eq!(played(Scenario::SvInSession, b"0000"), "accepted: 180 paid, the purse holds 1820");
    assert!(played(Scenario::ChangeKeyAndPin, b"0000").contains("KIF 30 KVC 7A"));
    assert_eq!(played(Scenario::SvInSession, b"4711"), "accepted: 180 paid, the purse holds 1640");
    assert_eq!(played(Scenario::SvOutsideSession, b"4711"), "loaded: 2000, the purse holds 3640");
    played(Scenario::PinInSession, b"4711");
    played(Scenario::PlainPin, b"4711");
    assert!(played(Scenario::ChangeKeyAndPin, b"4711").contains("KIF 30 KVC 79"));
    played(Scenario::PinInSession, b"4711");
}

/// The order of requests in the tables of the specification, one letter each: P prefetch, C card, S SAM.
fn order(report: &Report) -> String {
    let letter = |entry: &Entry| match (entry.phase, entry.peer) {
        (Phase::Setup, _) => None,
        (Phase::Prefetch, _) => Some('P'),
        (_, ogygia::Peer::Card) => Some('C'),
        (_, ogygia::Peer::Sam | ogygia::Peer::ControlSam) => Some('S'),
    };
    report.entries.iter().filter_map(letter).collect()
}

#[test]
fn requests_in_the_order_of_the_tables() {
    let orders = [
        (Scenario::PlainPin, "CCC"),
        (Scenario::ChangeKeyAndPin, "CCSCCSC"),
        (Scenario::SignatureOutsideSession, "CCS"),
        (Scenario::SvOutsideSession, "CCSCS"),
        (Scenario::ValidationEmbedded, "PCCCCCCSCSP"),
        (Scenario::ValidationSimple, "CSCCCCCSCS"),
        (Scenario::SaleDistributed, "CSCSCS"),
        (Scenario::PinInSession, "CSCCSCSCS"),
        (Scenario::SignatureInSession, "CSCSSCS"),
        (Scenario::SvInSession, "CSCSSCS"),
        (Scenario::MultipleSessions, "CSCSCSCSCS"),
        (Scenario::ExtendedAuthentication, "CSCSCSCCCCSCS"),
        (Scenario::ExtendedEncryption, "CSCCSCSCSCSSCSCS"),
    ];
    for (scenario, expected) in orders {
        assert_eq!(order(&play(scenario)), expected, "{}", scenario.name());
    }
}

/// Whether a card has what a scenario needs.
fn is_played(scenario: Scenario, id: &str) -> bool {
    let kit = id.starts_with("kit-") && !id.contains("light-reference");
    let served = kit || matches!(id, "hce-prime3" | "navigo-demo" | "reference-prime3");
    let prime = !id.contains("light") && !id.contains("basic");
    served
        && match scenario {
            Scenario::PlainPin | Scenario::ChangeKeyAndPin | Scenario::PinInSession => prime,
            Scenario::SvOutsideSession | Scenario::SvInSession => prime && id != "hce-prime3",
            // Two contracts and 29 bytes of counters are read.
            Scenario::SaleDistributed => !matches!(id, "kit-basic-v2" | "navigo-demo"),
            // Of four modifications one must be of a counter.
            Scenario::ExtendedAuthentication | Scenario::ExtendedEncryption => {
                id.contains("extended") || id.contains("pki")
            }
            Scenario::Pki => id.contains("pki"),
            Scenario::MultipleSessions => id != "kit-basic-v2",
            _ => true,
        }
}

#[test]
fn every_card_ends_somewhere() {
    for scenario in Scenario::ALL {
        for (id, _) in profiles() {
            let mut stage = stage(id);
            let report = scenario.run(&mut stage);
            let what = format!("{} on {id}: {}", scenario.name(), report.done.result);
            let expected = if is_played(scenario, id) { Outcome::Success } else { Outcome::Error };
            assert_eq!(report.done.outcome, expected, "{what}");
            assert_eq!(!report.done.proofs.is_empty(), report.succeeded(), "{what}");
            assert!(!stage.terminal.card.inner().card().session_open(), "{what}");
        }
    }
}

#[test]
fn a_card_that_leaves_is_lost() {
    let mut stage = stage("kit-prime-regular-v3");
    stage.fresh = false;
    stage.terminal.card.inner_mut().add_fault(Fault::before(1, Loss::Peer));
    let report = Scenario::Validate.run(&mut stage);
    assert_eq!(report.done.outcome, Outcome::CardLost);
    assert!(!report.done.authenticated());
    assert_eq!(report.counts().card_requests, 1);

    let mut stage = self::stage("kit-prime-regular-v3");
    stage.fresh = false;
    stage.terminal.card.inner_mut().add_fault(Fault::before(0, Loss::Peer));
    assert_eq!(Scenario::Validate.run(&mut stage).done.outcome, Outcome::CardLost, "during the selection");
}

#[test]
fn a_sam_that_is_lost_is_an_error() {
    let mut stage = stage("kit-prime-regular-v3");
    stage.terminal.sam.inner_mut().add_fault(Fault::before(0, Loss::Peer));
    assert_eq!(Scenario::Personalize.run(&mut stage).done.outcome, Outcome::Error);
}

#[test]
fn names_are_unique_and_found() {
    for scenario in Scenario::ALL {
        assert_eq!(Scenario::from_name(scenario.name()), Some(scenario));
    }
    assert_eq!(Scenario::from_name("validat"), None);
}

/// Where something is different on the card of its default profile, for each scenario.
fn changed(scenario: Scenario) -> Vec<&'static str> {
    const EVENT: &str = "Event log, record 1";
    const TRIPS: &str = "Counters, counter 1";
    const CONTRACT: &str = "Contracts, record 1";
    const LIST: &str = "Contract list, record 1";
    match scenario {
        Scenario::PlainPin => vec!["PIN"],
        Scenario::ChangeKeyAndPin => vec!["Key 3", "PIN"],
        Scenario::SignatureOutsideSession | Scenario::Pki | Scenario::Control => vec![],
        Scenario::SvOutsideSession => vec!["Purse"],
        Scenario::SvInSession => vec!["Purse", EVENT],
        // The contract is sold on the same day again: it is written, and the same.
        Scenario::SaleDistributed => vec![TRIPS, LIST],
        Scenario::MultipleSessions => vec![LIST],
        // At delivery the contracts are not empty.
        Scenario::Personalize => {
            vec!["Environment, record 1", CONTRACT, "Contracts, record 2", "Contracts, record 3", "Contracts, record 4"]
        }
        Scenario::LoadContract => vec![EVENT, CONTRACT, TRIPS],
        Scenario::ValidationEmbedded
        | Scenario::ValidationSimple
        | Scenario::PinInSession
        | Scenario::SignatureInSession
        | Scenario::ExtendedAuthentication
        | Scenario::ExtendedEncryption
        | Scenario::Validate => vec![EVENT, TRIPS],
    }
}

#[test]
fn what_is_told_as_changed() {
    for scenario in Scenario::ALL {
        let mut stage = stage(scenario.default_profile());
        let told = scenario.run(&mut stage).done.changed;
        let mut places: Vec<&str> = told.iter().map(|change| change.place.split(';').next().unwrap()).collect();
        let mut expected = changed(scenario);
        places.sort_unstable();
        expected.sort_unstable();
        assert_eq!(places, expected, "{}", scenario.name());
        // PINs are not shown.
        assert!(told.iter().all(|change| change.place == "PIN" || change.before != change.after), "{told:?}");
    }
}

/// Every file of the ticketing application as a terminal reads it, without words: what differs is what is told.
#[test]
fn what_is_told_is_what_is_read() {
    for scenario in Scenario::ALL {
        let mut stage = stage(scenario.default_profile());
        let _ = scenario.run(&mut stage);
        stage.fresh = false;
        // A minute and a day later, on a card that was used.
        stage.clock = "2026-11-26T08:33".parse().unwrap();
        stage.now = Moment::from_civil(stage.clock).unwrap();
        let pin = stage.options.new_pin.clone();
        if matches!(scenario, Scenario::PlainPin) {
            stage.options.pin = pin;
        }
        let places = |stage: &Stage| {
            let card = stage.terminal.card.inner().card();
            let lid = *card.profile().applications.iter().find(|own| own.files.len() > 2).unwrap().lid;
            let sfis = [(0x07, "Environment"), (0x08, "Event log"), (0x09, "Contracts"), (0x19, "Counters")];
            let sfis = sfis.into_iter().chain([(0x1E, "Contract list")]);
            sfis.map(|(sfi, name)| {
                (name, (1..=4).map(|number| card.record_by_sfi(lid, sfi, number)).collect::<Vec<_>>())
            })
            .collect::<Vec<_>>()
        };
        let before = places(&stage);
        let report = scenario.run(&mut stage);
        assert!(report.succeeded(), "{}: {}", scenario.name(), report.done.result);
        let after = places(&stage);
        for ((name, before), (_, after)) in before.iter().zip(&after) {
            let told = report.done.changed.iter().any(|change| change.place.starts_with(&format!("{name},")));
            assert_eq!(told, before != after, "{}: {name}", scenario.name());
        }
    }
}

/// What was written before the failure is on the card, and is told.
#[test]
fn a_failure_behind_a_session() {
    let mut stage = stage("kit-light-classic-v3");
    stage.terminal.card.inner_mut().add_fault(Fault::before(12, Loss::Peer));
    let report = Scenario::MultipleSessions.run(&mut stage);
    assert_eq!(report.done.outcome, Outcome::CardLost);
    let [change] = report.done.changed.try_into().unwrap();
    assert_eq!(change.place, "Contract list, record 1");
    assert!(change.after.starts_with("07"), "{}", change.after);
}

/// Whoever had something on the card is told that it is gone.
#[test]
fn a_card_that_is_personalized_again() {
    let mut stage = stage("kit-prime-regular-v3");
    let erased = |report: &Report| report.done.decided.iter().any(|line| line.contains("are erased"));
    assert!(!erased(&Scenario::Personalize.run(&mut stage)));
    assert!(Scenario::Validate.run(&mut stage).succeeded());
    stage.fresh = false;
    let again = Scenario::Personalize.run(&mut stage);
    assert!(erased(&again));
    let contract = again.done.changed.iter().find(|change| change.place == "Contracts, record 1").unwrap();
    assert!(contract.before.starts_with("multi-trip") && contract.after == "blank", "{contract:?}");
}
