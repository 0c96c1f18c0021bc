//! Validations on the virtual card: the cases of the specification, "Cases a test should have", and more.

use crate::hex::{decode, encode};
use jiff::civil::DateTime;
use ogygia::{Fate, Loss, Peer};
use ogygia_sim::Fault;

use super::*;
use crate::ticketing::load;
use crate::ticketing::testing::{FAR, Gate, PRIME, TODAY, day, moment};

#[test]
fn no_contract_at_all() {
    let mut gate = Gate::new(PRIME).with_priorities([0, 0, 0, 0]);
    assert_eq!(gate.cancelled(), Outcome::Empty(EmptyCard::NoContract));
}

#[test]
fn a_card_that_was_never_loaded_is_empty() {
    assert_eq!(Gate::new(PRIME).cancelled(), Outcome::Empty(EmptyCard::NeverLoaded));
}

#[test]
fn a_season_pass_goes_before_trips() {
    let gate = Gate::new(PRIME).with_priorities([2, 1, 0, 0]).with_contract(1, 2, FAR).with_contract(2, 1, FAR);
    let mut gate = gate.with_counters(&[10, 0, 0, 0]);
    let verdict = gate.validate();
    assert_eq!(verdict.outcome, Outcome::Success);
    assert_eq!(verdict.accepted.map(|accepted| (accepted.slot, accepted.left)), Some((2, Left::Unlimited)));
    assert_eq!(gate.counters(), [10, 0, 0, 0]);
    assert_eq!(gate.event().contract_used, 2);
}

#[test]
fn of_two_passes_the_first_slot() {
    let gate = Gate::new(PRIME).with_priorities([1, 1, 0, 0]).with_contract(1, 1, FAR).with_contract(2, 1, FAR);
    assert_eq!({ gate }.validate().accepted.map(|accepted| accepted.slot), Some(1));
}

#[test]
fn no_trips_left_is_remembered() {
    let gate = Gate::new(PRIME).with_event_at("2025-06-16T20:00", [2, 0, 0, 0]).with_contract(1, 2, FAR);
    let mut gate = gate.with_counters(&[0, 0, 0, 0]);
    let before = gate.event();
    let verdict = gate.validate();
    assert_eq!(verdict.outcome, Outcome::Empty(EmptyCard::NoTripsLeft));
    assert!(verdict.closed);
    let marked = Event { priorities: [31, 0, 0, 0].map(Priority::from), ..before };
    assert_eq!(gate.event(), marked);
    assert_eq!(gate.record(TicketingFile::Events, 2), [0; 29], "rewritten, not appended");
    assert_eq!(gate.cancelled(), Outcome::Empty(EmptyCard::NoContract));
}

#[test]
fn too_little_stored_value() {
    let gate = Gate::new(PRIME).with_priorities([3, 0, 0, 0]).with_contract(1, 3, FAR).with_counters(&[2, 0, 0, 0]);
    let mut gate = gate.fare(3);
    assert_eq!(gate.cancelled(), Outcome::Empty(EmptyCard::InsufficientValue));
    assert_eq!(gate.event().priority(1), Priority::StoredValue);
}

#[test]
fn stored_value_pays_the_fare() {
    let gate = Gate::new(PRIME).with_priorities([3, 0, 0, 0]).with_contract(1, 3, FAR).with_counters(&[7, 0, 0, 0]);
    let mut gate = gate.fare(3);
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.counters(), [4, 0, 0, 0]);
}

#[test]
fn trips_go_before_stored_value() {
    let gate = Gate::new(PRIME).with_priorities([3, 2, 0, 0]).with_contract(1, 3, FAR).with_contract(2, 2, FAR);
    let mut gate = gate.with_counters(&[2, 1, 0, 0]).fare(3);
    assert_eq!(gate.validate().accepted.map(|accepted| accepted.slot), Some(2));
    assert_eq!(gate.counters(), [2, 0, 0, 0]);
}

/// A card with ten trips.
fn ten_trips() -> Gate {
    Gate::new(PRIME).with_priorities([2, 0, 0, 0]).with_contract(1, 2, FAR).with_counters(&[10, 0, 0, 0])
}

#[test]
fn twice_within_a_minute() {
    let mut gate = ten_trips();
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.cancelled(), Outcome::Invalid(InvalidCard::AlreadyTapped(moment(TODAY))));
    let mut gate = gate.now("2025-06-17T08:33");
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.counters(), [8, 0, 0, 0]);
}

/// Seconds do not count: the card has none.
#[test]
fn the_last_second_of_the_minute() {
    let late: DateTime = "2025-06-17T08:32:59".parse().unwrap();
    assert_eq!(Moment::from_civil(late), Some(moment(TODAY)));
}

#[test]
fn a_card_that_left_before_the_answer_is_let_through() {
    let mut gate = ten_trips();
    let first = gate.readers.card.inner().traffic().commands;
    // Selection, opening, event, contract, counters, decrease, append, close; then the ratification.
    gate.readers.card.inner_mut().add_fault(Fault::before(first + 8, Loss::Peer));
    assert_eq!(gate.outcome(), Outcome::Success);
    assert!(!gate.card().ratified());
    gate.readers.card.inner_mut().re_present();

    let before = gate.content();
    let verdict = gate.validate();
    assert_eq!((verdict.outcome, verdict.accepted), (Outcome::Success, None));
    assert_eq!(verdict.findings.last(), Some(&Finding::Recovery));
    assert_eq!(gate.content(), before);
    assert_eq!(gate.counters(), [9, 0, 0, 0]);
    assert_eq!(gate.cancelled(), Outcome::Invalid(InvalidCard::AlreadyTapped(moment(TODAY))), "ratified now");
}

#[test]
fn an_event_of_tomorrow() {
    let mut gate = ten_trips().with_event_at("2025-06-18T08:00", [2, 0, 0, 0]);
    assert_eq!(gate.cancelled(), Outcome::Invalid(InvalidCard::AlreadyTapped(moment("2025-06-18T08:00"))));
}

#[test]
fn the_last_day_of_the_card() {
    assert_eq!(ten_trips().now("2031-06-01T23:59").outcome(), Outcome::Success);
    let expired = Outcome::Invalid(InvalidCard::Expired(day("2031-06-01")));
    assert_eq!(ten_trips().now("2031-06-02T00:00").cancelled(), expired);
}

#[test]
fn a_contract_that_ended_yesterday() {
    let gate = Gate::new(PRIME).with_priorities([1, 0, 0, 0]).with_contract(1, 1, "2025-06-16");
    let mut gate = gate;
    let verdict = gate.validate();
    assert_eq!((verdict.outcome, verdict.closed), (Outcome::Empty(EmptyCard::Expired), true));
    assert_eq!(gate.event().priority(1), Priority::Expired);
}

#[test]
fn a_contract_that_ends_today() {
    let mut gate = Gate::new(PRIME).with_priorities([1, 0, 0, 0]).with_contract(1, 1, "2025-06-17");
    assert_eq!(gate.outcome(), Outcome::Success);
}

#[test]
fn a_light_card_has_two_slots() {
    let light = || Gate::new("kit-light-classic-v3");
    assert_eq!(light().with_priorities([0, 0, 1, 0]).cancelled(), Outcome::Empty(EmptyCard::NoContract));
    let mut gate = light().with_priorities([0, 2, 1, 0]).with_contract(2, 2, FAR).with_counters(&[0, 4]);
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.counters().get(..2), Some(&[0, 3][..]));
    assert_eq!(gate.event().priorities, [0, 2, 0, 0].map(Priority::from));
}

#[test]
fn a_basic_card_has_one_slot() {
    let mut gate = Gate::new("kit-basic-v2").with_priorities([2, 1, 0, 0]).with_contract(1, 2, FAR).with_counters(&[4]);
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.counters(), [3]);
}

#[test]
fn extended_cards_validate_in_an_extended_session() {
    let gate = Gate::new("kit-prime-extended-v3").with_priorities([2, 0, 0, 0]).with_contract(1, 2, FAR);
    let mut gate = gate.with_counters(&[10, 0, 0, 0]);
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.counters(), [9, 0, 0, 0]);
}

#[test]
fn an_unknown_priority_is_never_chosen_and_never_rewritten() {
    let mut gate = Gate::new(PRIME).with_priorities([7, 0, 0, 0]).with_contract(1, 7, FAR);
    assert_eq!(gate.cancelled(), Outcome::Empty(EmptyCard::NoContract));
    let gate = Gate::new(PRIME).with_priorities([7, 1, 0, 0]).with_contract(2, 1, FAR);
    let mut gate = gate;
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(gate.event().priorities, [7, 1, 0, 0].map(Priority::from));
}

#[test]
fn structures_of_other_versions() {
    let wrong = |file, record: &[u8]| ten_trips().with(&[(file, 1, record)]).cancelled();
    let environment = Outcome::Invalid(InvalidCard::EnvironmentVersion(2));
    assert_eq!(wrong(TicketingFile::Environment, &[2]), environment);
    assert_eq!(wrong(TicketingFile::Events, &[2]), Outcome::Invalid(InvalidCard::EventVersion(2)));
    let contract = |version| Outcome::Invalid(InvalidCard::ContractVersion { slot: 1, version });
    assert_eq!(wrong(TicketingFile::Contracts, &[2]), contract(2));
    assert_eq!(wrong(TicketingFile::Contracts, &[0]), contract(0));
}

#[test]
fn event_and_contract_disagree() {
    let mut gate = ten_trips().with_contract(1, 1, FAR);
    let outcome = gate.cancelled();
    let (priority, tariff) = (Priority::MultiTrip, Priority::SeasonPass);
    assert_eq!(outcome, Outcome::Invalid(InvalidCard::Disagreement { slot: 1, priority, tariff }));
}

#[test]
fn validations_are_logged() {
    let mut gate = ten_trips();
    gate.validate();
    let first = gate.record(TicketingFile::Events, 1);
    let mut gate = gate.now("2025-06-17T18:00");
    gate.validate();
    assert_eq!(gate.record(TicketingFile::Events, 2), first);
}

/// Wherever the card is torn away: nothing was taken, or the trip with its event, never one of them alone.
#[test]
fn a_card_torn_away_at_any_command() {
    for at in 1..9 {
        let mut gate = ten_trips();
        let first = gate.readers.card.inner().traffic().commands;
        gate.readers.card.inner_mut().add_fault(Fault::after(first + at, Loss::Peer));
        let torn = gate.try_validate();
        let paid = gate.counters() == [9, 0, 0, 0];
        assert_eq!(gate.event().is_validation(), paid, "command {at}");
        let fate = match torn {
            Ok(verdict) => {
                assert_eq!((at, verdict.outcome), (8, Outcome::Success), "the ratification is not waited for");
                continue;
            }
            Err(Error::Lost { peer: Peer::Card, fate, .. }) => fate,
            Err(other) => panic!("{other}"),
        };
        match at {
            7 => assert_eq!((fate, paid), (Fate::Unknown, true)),
            _ => assert_eq!((fate, paid), (Fate::NotCommitted, false), "command {at}"),
        }
    }
}

/// "A life of a card", to the byte.
#[test]
fn a_life_of_a_card() {
    let mut gate = Gate::new(PRIME);
    let text = |gate: &Gate, file, number| encode(&gate.record(file, number));
    let environment = "0100000001160D1E8D0000000000000000000000000000000000000000";
    assert_eq!(text(&gate, TicketingFile::Environment, 1), environment);
    gate.load(load::Goods::Trips(10), "2025-06-16").outcome.unwrap();
    let contract = "0102160D1E8D0000000000000000000000000000000000000000000000";
    assert_eq!(text(&gate, TicketingFile::Contracts, 1), contract);
    assert_eq!(text(&gate, TicketingFile::Events, 1), "0100000000000000000002000000000000000000000000000000000000");
    assert_eq!(gate.counters(), [10, 0, 0, 0]);

    let pass = decode("0101160D162B0000000000000000000000000000000000000000000000").unwrap();
    let event = decode("0100000000000000000002010000000000000000000000000000000000").unwrap();
    let gate = gate.with(&[(TicketingFile::Contracts, 2, &pass), (TicketingFile::Events, 1, &event)]);
    let mut gate = gate.now("2025-06-17T08:32");
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(text(&gate, TicketingFile::Events, 1), "01160E0200000000050202010000000000000000000000000000000000");
    assert_eq!(gate.counters(), [10, 0, 0, 0]);

    let mut gate = gate.now("2025-07-17T18:05");
    assert_eq!(gate.outcome(), Outcome::Success);
    assert_eq!(text(&gate, TicketingFile::Events, 1), "01162C043D0000000501021F0000000000000000000000000000000000");
    assert_eq!(gate.counters(), [9, 0, 0, 0]);
}
