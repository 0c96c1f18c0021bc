//! Controls of the virtual card: the cases of the specification that concern them, and more.

use ogygia::transaction::Security;

use super::*;
use crate::record::Phase;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;
use crate::ticketing::load::Goods;
use crate::ticketing::testing::{FAR, Gate, PRIME, TODAY, day, moment};
use crate::ticketing::values::Priority;

fn controller(now: &str, location: u32) -> Controller {
    Controller { now: moment(now), location: Location(location), validity: 60 }
}

/// Controls, and checks that nothing is written and what is authenticated.
fn controlled(gate: &mut Gate, controller: &Controller) -> Inspection {
    let before = gate.content();
    let card = gate.readers.select(VALIDATOR, false).unwrap();
    let mut transaction = Transaction::new(card, gate.readers.security(false)).unwrap();
    gate.readers.log.begin(Phase::Transaction);
    let readers = &mut gate.readers;
    let inspection = control(&mut transaction, readers, controller, Mode::Session).unwrap();
    readers.log.begin(Phase::Setup);
    assert!(!transaction.is_session_open() && !gate.card().session_open());
    assert_eq!(gate.content(), before);
    let found = inspection.outcome == Outcome::TitlesFound;
    assert_eq!(transaction.session().authenticated.is_some(), found);

    let card = gate.readers.select(VALIDATOR, false).unwrap();
    let mut transaction = Transaction::new(card, Security::None).unwrap();
    let plain = control(&mut transaction, &mut gate.readers, controller, Mode::Plain).unwrap();
    assert_eq!(plain, inspection, "the same without a SAM");
    inspection
}

fn statuses(inspection: &Inspection) -> Vec<(u8, Status)> {
    inspection.titles.iter().map(|title| (title.slot, title.status())).collect()
}

/// A card with ten trips and an expired pass, validated at Paris.
fn travelling() -> Gate {
    let gate = Gate::new(PRIME).with_priorities([2, 1, 0, 0]).with_contract(1, 2, FAR);
    let mut gate = gate.with_contract(2, 1, "2025-06-16").with_counters(&[10, 0, 0, 0]);
    gate.validate();
    gate
}

#[test]
fn a_valid_trip() {
    let inspection = controlled(&mut travelling(), &controller("2025-06-17T09:00", 5));
    assert_eq!(inspection.outcome, Outcome::TitlesFound);
    assert_eq!(statuses(&inspection), [(1, Status::InOrder), (2, Status::Expired)]);
    let title = inspection.titles[0];
    assert_eq!((title.left, title.validated), (Some(9), Some(moment(TODAY))));
    assert_eq!((title.contract.sold, title.contract.end), (day("2025-06-16"), day(FAR)));
    let last = inspection.last.unwrap();
    assert_eq!((last.slot, last.tariff, last.counts), (1, Priority::MultiTrip, true));
}

/// The event counts until its validity ends, that minute included; on its day; at its place.
#[test]
fn validations_that_count_no_more() {
    let status = |now, location| {
        let inspection = controlled(&mut travelling(), &controller(now, location));
        assert!(inspection.last.is_some());
        statuses(&inspection)[0].1
    };
    assert_eq!(status("2025-06-17T09:32", 5), Status::InOrder);
    assert_eq!(status("2025-06-17T09:33", 5), Status::MustValidate);
    assert_eq!(status("2025-06-17T08:32", 5), Status::InOrder);
    assert_eq!(status("2025-06-17T09:00", 6), Status::MustValidate, "validated elsewhere");
    let mut late = travelling().with_event_at("2025-06-17T23:50", [2, 1, 0, 0]);
    assert_eq!(controlled(&mut late, &controller("2025-06-17T23:59", 5)).titles[0].status(), Status::InOrder);
    assert_eq!(controlled(&mut late, &controller("2025-06-18T00:10", 5)).titles[0].status(), Status::MustValidate);
}

#[test]
fn a_card_that_was_loaded_only() {
    let mut gate = Gate::new(PRIME);
    gate.load(Goods::Value(25), "2025-06-16").outcome.unwrap();
    let inspection = controlled(&mut gate, &controller(TODAY, 5));
    assert_eq!((statuses(&inspection), inspection.last), (vec![(1, Status::MustValidate)], None));
    assert_eq!(inspection.titles[0].left, Some(25), "counted for stored value too");
}

#[test]
fn nothing_left_and_unknown() {
    let gate = Gate::new(PRIME).with_priorities([2, 7, 0, 0]).with_contract(1, 2, FAR).with_contract(2, 7, FAR);
    let inspection = controlled(&mut { gate }, &controller(TODAY, 5));
    assert_eq!(statuses(&inspection), [(1, Status::NothingLeft), (2, Status::Unknown)]);
}

#[test]
fn no_title_at_all() {
    let inspection = controlled(&mut Gate::new(PRIME).with_priorities([0; 4]), &controller(TODAY, 5));
    assert_eq!((inspection.outcome, inspection.titles.len()), (Outcome::TitlesFound, 0));
}

#[test]
fn a_clean_card() {
    assert_eq!(controlled(&mut Gate::new(PRIME), &controller(TODAY, 5)).outcome, Outcome::Empty);
}

#[test]
fn every_product() {
    for (profile, slots) in [("kit-light-classic-v3", 2), ("kit-basic-v2", 1), ("kit-prime-extended-v3", 4)] {
        let gate = Gate::new(profile).with_priorities([1, 1, 1, 1]);
        let gate = (1..=slots).fold(gate, |gate, slot| gate.with_contract(slot, 1, FAR));
        let inspection = controlled(&mut { gate }, &controller(TODAY, 5));
        assert_eq!(inspection.titles.len(), usize::from(slots), "{profile}");
    }
}

#[test]
fn refusals() {
    let refused = |gate: Gate, now| controlled(&mut { gate }, &controller(now, 5)).outcome;
    assert_eq!(refused(travelling(), "2031-06-02T00:00"), Outcome::Refused(Refusal::Expired(day(FAR))));
    assert_eq!(refused(travelling(), "2031-06-01T23:59"), Outcome::TitlesFound, "the last day");
    let unknown = |file, record: u8| travelling().with(&[(file, record, &[2; 29])]);
    let environment = Outcome::Refused(Refusal::EnvironmentVersion(2));
    assert_eq!(refused(unknown(TicketingFile::Environment, 1), TODAY), environment);
    assert_eq!(refused(unknown(TicketingFile::Events, 1), TODAY), Outcome::Refused(Refusal::EventVersion(2)));
    let contract = Outcome::Refused(Refusal::ContractVersion { slot: 3, version: 2 });
    assert_eq!(refused(unknown(TicketingFile::Contracts, 3), TODAY), contract, "part E, 11");
}

#[test]
fn in_words() {
    let inspection = controlled(&mut travelling(), &controller("2025-06-17T09:00", 5));
    let lines: Vec<_> = inspection.titles.iter().map(ToString::to_string).collect();
    let expected = [
        "Slot 1: multi-trip, from 2025-06-16 to 2031-06-01, 9 left, validated 2025-06-17 08:32: in order.",
        "Slot 2: season pass, from 2025-06-16 to 2025-06-16: expired.",
    ];
    assert_eq!(lines, expected);
    let last = inspection.last.unwrap().to_string();
    assert_eq!(last, "Last validation: 2025-06-17 08:32 at Paris (5), slot 1 (multi-trip); it counts.");
}
