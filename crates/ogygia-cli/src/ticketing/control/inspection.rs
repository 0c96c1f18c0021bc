//! What an inspector is told.

use std::fmt;

use super::Controller;
use crate::ticketing::holdings::Holdings;
use crate::ticketing::values::{DateCompact, Location, Moment, Priority, Version};
use crate::ticketing::{Contract, Event, unfit};

/// How a control ended when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All was read, also when there is no title at all.
    TitlesFound,
    /// Nothing was ever loaded: a clean card.
    Empty,
    /// The card is none of ours, or not valid.
    Refused(Refusal),
}

/// Why a card is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not personalized, or by a later version of this application.
    EnvironmentVersion(u8),
    /// The card itself has expired.
    Expired(DateCompact),
    /// The event was written by a later version of this application.
    EventVersion(u8),
    /// A contract was written by a later version of this application.
    ContractVersion {
        /// Its slot.
        slot: u8,
        /// What its record says.
        version: u8,
    },
}

/// One contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Title {
    /// Its slot, from 1.
    pub slot: u8,
    /// The contract.
    pub contract: Contract,
    /// Its end date is past.
    pub expired: bool,
    /// When it was validated for the present trip.
    pub validated: Option<Moment>,
    /// Trips or amount left, where they are counted.
    pub left: Option<u32>,
}

/// What a title means to the traveller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It is validated.
    InOrder,
    /// It could be used, but is not validated.
    MustValidate,
    /// Its end date is past.
    Expired,
    /// Its counter is 0.
    NothingLeft,
    /// Its tariff is unknown.
    Unknown,
}

/// The last validation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastValidation {
    /// Of which slot.
    pub slot: u8,
    /// The tariff of its contract now.
    pub tariff: Priority,
    /// When.
    pub at: Moment,
    /// Where.
    pub location: Location,
    /// It still counts, here and now.
    pub counts: bool,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How it ended.
    pub outcome: Outcome,
    /// Everything that was read.
    pub holdings: Holdings,
    /// The contracts, of an outcome that has them.
    pub titles: Vec<Title>,
    /// The last validation, if there was one.
    pub last: Option<LastValidation>,
}

impl Inspection {
    /// Judges what was read.
    #[must_use]
    pub fn of(holdings: Holdings, controller: &Controller) -> Self {
        let outcome = judge(&holdings, controller.now.date);
        let mut inspection = Self { outcome, holdings, titles: Vec::new(), last: None };
        if outcome == Outcome::TitlesFound {
            inspection.titles = titles(&inspection.holdings, controller);
            inspection.last = last_validation(&inspection.holdings, controller);
        }
        inspection
    }
}

fn judge(holdings: &Holdings, today: DateCompact) -> Outcome {
    let Holdings { environment, event, .. } = holdings;
    if environment.version != Version::Current {
        return Outcome::Refused(Refusal::EnvironmentVersion(environment.version.into()));
    }
    if environment.end.is_past(today) {
        return Outcome::Refused(Refusal::Expired(environment.end));
    }
    match event.version {
        Version::Undefined => return Outcome::Empty,
        Version::Current => {}
        Version::Other(version) => return Outcome::Refused(Refusal::EventVersion(version)),
    }
    let unknown = holdings.slots().find_map(|(slot, contract, _)| match contract.version {
        Version::Other(version) => Some(Refusal::ContractVersion { slot, version }),
        Version::Undefined | Version::Current => None,
    });
    unknown.map_or(Outcome::TitlesFound, Outcome::Refused)
}

/// Whether the event is a validation that still counts: here, today, and not too long ago.
fn counts(event: &Event, controller: &Controller) -> bool {
    let until = event.at.minutes().saturating_add(controller.validity);
    event.is_validation()
        && event.location == controller.location
        && event.at.date >= controller.now.date
        && until >= controller.now.minutes()
}

fn titles(holdings: &Holdings, controller: &Controller) -> Vec<Title> {
    let event = &holdings.event;
    let there = holdings.slots().filter(|(_, contract, _)| contract.version == Version::Current);
    let title = |(slot, contract, counter): (u8, &Contract, u32)| Title {
        slot,
        contract: *contract,
        expired: contract.end.is_past(controller.now.date),
        validated: (event.contract_used == slot && counts(event, controller)).then_some(event.at),
        left: contract.tariff.is_counted().then_some(counter),
    };
    there.map(title).collect()
}

fn last_validation(holdings: &Holdings, controller: &Controller) -> Option<LastValidation> {
    let event = &holdings.event;
    let used = holdings.slots().find(|(slot, ..)| *slot == event.contract_used);
    event.is_validation().then(|| LastValidation {
        slot: event.contract_used,
        tariff: used.map(|(_, contract, _)| contract.tariff).unwrap_or_default(),
        at: event.at,
        location: event.location,
        counts: counts(event, controller),
    })
}

impl Title {
    /// What it means to the traveller.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.validated, self.contract.tariff, self.left) {
            (Some(_), ..) => Status::InOrder,
            _ if self.expired => Status::Expired,
            (None, tariff, _) if !tariff.is_usable() => Status::Unknown,
            (None, _, Some(0)) => Status::NothingLeft,
            (None, ..) => Status::MustValidate,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InOrder => "in order",
            Self::MustValidate => "must be validated",
            Self::Expired => "expired",
            Self::NothingLeft => "nothing left",
            Self::Unknown => "unknown tariff",
        })
    }
}

impl fmt::Display for Title {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, contract, .. } = self;
        write!(f, "Slot {slot}: {}, from {} to {}", contract.tariff, contract.sold, contract.end)?;
        if let Some(left) = self.left {
            write!(f, ", {left} left")?;
        }
        match self.validated {
            Some(at) => write!(f, ", validated {at}: {}.", self.status()),
            None => write!(f, ": {}.", self.status()),
        }
    }
}

impl fmt::Display for LastValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, tariff, at, location, counts } = self;
        let counts = if *counts { "it counts" } else { "it does not count here and now" };
        write!(f, "Last validation: {at} at {location}, slot {slot} ({tariff}); {counts}.")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentVersion(version) => unfit::environment_version(f, *version),
            Self::Expired(end) => unfit::expired(f, *end),
            Self::EventVersion(version) => unfit::event_version(f, *version),
            Self::ContractVersion { slot, version } => unfit::contract_version(f, *slot, *version),
        }
    }
}
