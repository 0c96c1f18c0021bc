//! Loadings on the virtual card: the cases of the specification that concern them, and more.

use ogygia::{Fate, Loss, Peer};
use ogygia_sim::Fault;

use super::*;
use crate::hex::encode;
use crate::ticketing::Contract;
use crate::ticketing::testing::{FAR, Gate, PRIME, day};
use crate::ticketing::values::{Priority, Version};

const DAY: &str = "2025-06-16";

fn slot_and_kind(loading: &Loading) -> (u8, Kind) {
    loading.outcome.map(|plan| (plan.slot, plan.kind)).unwrap()
}

fn priorities(gate: &Gate) -> [u8; 4] {
    gate.event().priorities.map(u8::from)
}

fn contract(gate: &Gate, slot: u8) -> Contract {
    Contract::decode(&gate.record(TicketingFile::Contracts, slot)).unwrap()
}

/// "A life of a card", the loading part of it.
#[test]
fn records_to_the_byte() {
    let mut gate = Gate::new(PRIME);
    let text = |gate: &Gate, file, number| encode(&gate.record(file, number));
    assert_eq!(slot_and_kind(&gate.load(Goods::Trips(10), DAY)), (1, Kind::New));
    let trips = "0102160D1E8D0000000000000000000000000000000000000000000000";
    assert_eq!(text(&gate, TicketingFile::Contracts, 1), trips);
    assert!(text(&gate, TicketingFile::Counters, 1).starts_with("00000A000000000000000000"));
    assert_eq!(text(&gate, TicketingFile::Events, 1), "0100000000000000000002000000000000000000000000000000000000");

    assert_eq!(slot_and_kind(&gate.load(Goods::SeasonPass, DAY)), (2, Kind::New));
    let pass = "0101160D162B0000000000000000000000000000000000000000000000";
    assert_eq!(text(&gate, TicketingFile::Contracts, 2), pass);
    assert_eq!(text(&gate, TicketingFile::Contracts, 1), trips);
    assert_eq!(text(&gate, TicketingFile::Events, 1), "0100000000000000000002010000000000000000000000000000000000");

    assert_eq!(slot_and_kind(&gate.load(Goods::Value(2500), DAY)), (3, Kind::New));
    assert!(text(&gate, TicketingFile::Counters, 1).starts_with("00000A0000000009C4000000"));
    let value = "0103160D1E8D0000000000000000000000000000000000000000000000";
    assert_eq!(text(&gate, TicketingFile::Contracts, 3), value);
}

#[test]
fn a_reload_adds_to_what_is_left() {
    let mut gate = Gate::new(PRIME);
    gate.load(Goods::Trips(10), DAY).outcome.unwrap();
    let plan = gate.load(Goods::Trips(5), "2025-06-20").outcome.unwrap();
    assert_eq!((plan.slot, plan.kind, plan.counter.unwrap().after), (1, Kind::Reload, 15));
    assert_eq!(gate.counters(), [15, 0, 0, 0]);
    assert_eq!(contract(&gate, 1).sold, day("2025-06-20"));
}

/// Part E, 5: a pass goes on from where it ended, but never ends earlier than a new one would.
#[test]
fn a_reload_of_a_pass() {
    let reloaded_on = |today| {
        let mut gate = Gate::new(PRIME);
        gate.load(Goods::SeasonPass, DAY).outcome.unwrap();
        assert_eq!(slot_and_kind(&gate.load(Goods::SeasonPass, today)), (1, Kind::Reload));
        contract(&gate, 1).end
    };
    assert_eq!(reloaded_on("2025-06-20"), day("2025-08-15"), "16 July and thirty days");
    assert_eq!(reloaded_on("2025-07-16"), day("2025-08-15"), "on the last day");
    assert_eq!(reloaded_on("2025-09-01"), day("2025-10-01"), "long expired");
}

/// Four slots that are valid, of other tariffs.
#[test]
fn a_full_card() {
    let gate = Gate::new(PRIME).with_priorities([1, 1, 2, 2]);
    let gate = gate.with_contract(1, 1, FAR).with_contract(2, 1, FAR).with_contract(3, 2, FAR).with_contract(4, 2, FAR);
    let mut gate = gate;
    assert_eq!(gate.load(Goods::Value(5), DAY).outcome, Err(Refusal::Full));
    assert_eq!(slot_and_kind(&gate.load(Goods::Trips(5), DAY)), (3, Kind::Reload));
}

/// A contract that ended yesterday makes room; one that ends today does not. Part E, 7: it is marked.
#[test]
fn expired_contracts() {
    let gate = Gate::new(PRIME).with_priorities([1, 1, 2, 2]);
    let gate = gate.with_contract(1, 1, DAY).with_contract(2, 1, "2025-06-15").with_contract(3, 2, FAR);
    let mut gate = gate.with_contract(4, 2, "2025-06-15").with_counters(&[0, 0, 1, 7]);
    assert_eq!(slot_and_kind(&gate.load(Goods::Value(5), DAY)), (2, Kind::Replace));
    assert_eq!(priorities(&gate), [1, 3, 2, 31]);
    assert_eq!(gate.counters(), [0, 5, 1, 7], "what an expired contract had left is not added");
}

/// Part E, 14: what a validator marked as used up is reloaded where it is.
#[test]
fn trips_that_were_used_up() {
    let gate = Gate::new(PRIME).with_priorities([31, 0, 0, 0]).with_contract(1, 2, FAR);
    let mut gate = gate.with_counters(&[0, 0, 0, 0]);
    assert_eq!(slot_and_kind(&gate.load(Goods::Trips(5), DAY)), (1, Kind::Reload));
    assert_eq!((priorities(&gate), gate.counters()), ([2, 0, 0, 0], vec![5, 0, 0, 0]));
}

/// Part E, 8: an expired mark that a validator set stays, whatever the contract says.
#[test]
fn other_priorities_stay() {
    let gate = Gate::new(PRIME).with_event_at("2025-06-15T20:00", [31, 2, 7, 0]);
    let gate = gate.with_contract(1, 1, FAR).with_contract(2, 2, FAR).with_contract(3, 7, "2025-06-01");
    let mut gate = gate.with_counters(&[0, 3, 0, 0]);
    let before = gate.event();
    gate.load(Goods::Value(5), DAY).outcome.unwrap();
    assert_eq!(priorities(&gate), [31, 2, 7, 3], "an unknown priority is never rewritten");
    let event = gate.event();
    assert_eq!((event.at, event.location, event.contract_used), (before.at, before.location, before.contract_used));
    assert_eq!(gate.record(TicketingFile::Events, 2), [0; 29], "rewritten, not appended");
}

/// A slot of unknown tariff is no room, even when nothing else is.
#[test]
fn unknown_priorities_are_never_chosen() {
    let gate = Gate::new(PRIME).with_priorities([7, 7, 7, 7]);
    let gate = (1..=4).fold(gate, |gate, slot| gate.with_contract(slot, 7, FAR));
    assert_eq!({ gate }.load(Goods::Value(5), DAY).outcome, Err(Refusal::Full));
}

/// Not even when the contract behind it is known, and has expired.
#[test]
fn unknown_priorities_are_not_marked() {
    let mut gate = Gate::new(PRIME).with_priorities([7, 0, 0, 0]).with_contract(1, 1, "2025-06-01");
    assert_eq!(slot_and_kind(&gate.load(Goods::Value(5), DAY)), (2, Kind::New));
    assert_eq!(priorities(&gate), [7, 3, 0, 0]);
}

#[test]
fn the_only_slot_is_replaced() {
    let gate = Gate::new("kit-basic-v2").with_priorities([1, 0, 0, 0]).with_contract(1, 1, FAR);
    let mut gate = gate;
    assert_eq!(slot_and_kind(&gate.load(Goods::Trips(10), DAY)), (1, Kind::Replace));
    assert_eq!((priorities(&gate), contract(&gate, 1).tariff), ([2, 0, 0, 0], Priority::MultiTrip));
}

#[test]
fn light_has_two_slots() {
    let gate = Gate::new("kit-light-classic-v3").with_priorities([1, 0, 1, 0]).with_contract(1, 1, FAR);
    let mut gate = gate;
    assert_eq!(slot_and_kind(&gate.load(Goods::Trips(10), DAY)), (2, Kind::New));
    assert_eq!(priorities(&gate), [1, 2, 0, 0], "the third slot is none of this product");
    assert_eq!(gate.load(Goods::Value(1), DAY).outcome, Err(Refusal::Full));
}

#[test]
fn cards_that_are_not_loaded() {
    let refused = |gate: Gate, today| { gate }.load(Goods::SeasonPass, today).outcome.unwrap_err();
    let with_version = |version: u8| {
        let mut record = Gate::new(PRIME).record(TicketingFile::Environment, 1);
        record[0] = version;
        Gate::new(PRIME).with(&[(TicketingFile::Environment, 1, &record)])
    };
    assert_eq!(refused(with_version(0), DAY), Refusal::EnvironmentVersion(0));
    assert_eq!(refused(with_version(2), DAY), Refusal::EnvironmentVersion(2));
    assert_eq!(refused(Gate::new(PRIME), "2031-06-02"), Refusal::Expired(day(FAR)));
    assert!({ Gate::new(PRIME) }.load(Goods::SeasonPass, FAR).outcome.is_ok(), "the last day");
    let event = Gate::new(PRIME).with(&[(TicketingFile::Events, 1, &[2; 29])]);
    assert_eq!(refused(event, DAY), Refusal::EventVersion(2));
    let listed = Gate::new(PRIME).with_priorities([0, 2, 0, 0]);
    assert_eq!(refused(listed, DAY), Refusal::Disagreement { slot: 2, priority: Priority::MultiTrip });
    let mut full = Gate::new(PRIME).with_priorities([2, 0, 0, 0]).with_contract(1, 2, FAR).with_counters(&[1, 0, 0, 0]);
    let too_much = full.load(Goods::Trips(0x00FF_FFFF), DAY).outcome;
    assert_eq!(too_much, Err(Refusal::TooMuch { left: 1, more: 0x00FF_FFFF }));
    assert!(full.load(Goods::Trips(0x00FF_FFFE), DAY).outcome.is_ok());
}

/// As delivered, contracts hold something behind a version of 0.
#[test]
fn blank_is_blank_whatever_follows() {
    let mut delivered = [0xFF; 29];
    delivered[..2].fill(0);
    let mut gate = Gate::new(PRIME).with(&[(TicketingFile::Contracts, 1, &delivered)]);
    assert_eq!(contract(&gate, 1).version, Version::Undefined);
    assert_eq!(slot_and_kind(&gate.load(Goods::SeasonPass, DAY)), (1, Kind::New));
}

/// One more of the same number changes no counter: the others are written all the same.
#[test]
fn a_counter_that_stays() {
    let mut gate = Gate::new(PRIME).with_counters(&[10, 0, 0, 0]);
    let plan = gate.load(Goods::Trips(10), DAY).outcome.unwrap();
    assert_eq!(plan.counter.map(|counted| (counted.before, counted.after)), Some((10, 10)));
    assert_eq!(gate.counters(), [10, 0, 0, 0]);
}

/// Wherever the card is torn away it holds the old contract or the new one, and its fate is told.
#[test]
fn a_torn_card() {
    let mut fates = Vec::new();
    for at in 0.. {
        let mut gate = Gate::new(PRIME);
        let before = gate.content();
        let selected = gate.readers.select(crate::ticketing::application::LOADER, true).unwrap();
        let mut transaction = Transaction::new(selected, gate.readers.security(false)).unwrap();
        let first = gate.readers.card.inner().traffic().commands;
        gate.readers.card.inner_mut().add_fault(Fault::after(first + at, Loss::Peer));
        let order = Order { goods: Goods::Trips(10), today: day(DAY) };
        let loaded = load(&mut transaction, &mut gate.readers, &order);
        let Err(error) = loaded else { break };
        let Error::Lost { peer: Peer::Card, fate, .. } = error else { panic!("{error:?}") };
        let written = gate.content() != before;
        assert!(!written || fate == Fate::Unknown, "{at}: {fate:?}");
        fates.push(fate);
    }
    assert_eq!(fates.last(), Some(&Fate::Unknown), "the closing that writes");
    assert!(fates.len() >= 10, "{fates:?}");
}
