//! What was decided, and why.

use std::fmt;

use crate::ticketing::values::{DateCompact, Moment, Priority};
use crate::ticketing::{Contract, Environment, Event, unfit};

/// How a validation ended when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The gate opens.
    Success,
    /// The card is not one that may travel now.
    Invalid(InvalidCard),
    /// The card has nothing to travel with.
    Empty(EmptyCard),
}

/// Why a card is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidCard {
    /// Not personalized, or by a later version of this application.
    EnvironmentVersion(u8),
    /// The card itself has expired.
    Expired(DateCompact),
    /// The event was written by a later version of this application.
    EventVersion(u8),
    /// It was validated less than a minute ago, or in the future.
    AlreadyTapped(Moment),
    /// The event names a contract that is not there.
    ContractVersion {
        /// Its slot.
        slot: u8,
        /// What its record says.
        version: u8,
    },
    /// Event and contract do not say the same.
    Disagreement {
        /// The slot.
        slot: u8,
        /// What the event says.
        priority: Priority,
        /// What the contract says.
        tariff: Priority,
    },
}

/// Why a card has nothing to travel with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmptyCard {
    /// Nothing was ever loaded.
    NeverLoaded,
    /// No slot has a contract that could be used.
    NoContract,
    /// The last contract looked at has expired.
    Expired,
    /// The last contract looked at has no trips left.
    NoTripsLeft,
    /// The last contract looked at has no, or too little, value left.
    InsufficientValue,
}

/// One step of the way to the decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finding {
    /// The card is one of ours, and has not expired.
    Environment(Environment),
    /// It was loaded, but never validated.
    NeverValidated,
    /// The last validation, and how long ago it was.
    LastValidation {
        /// When.
        at: Moment,
        /// How many minutes ago; negative when it lies in the future.
        minutes: i64,
    },
    /// The last validation was written, but the card left before the answer: it is as good as this one.
    Recovery,
    /// The slots to look at, in this order.
    Candidates(Vec<(u8, Priority)>),
    /// The end date is past.
    Expired {
        /// The slot.
        slot: u8,
        /// Its contract.
        contract: Contract,
    },
    /// Its counter is 0.
    UsedUp {
        /// The slot.
        slot: u8,
        /// Its contract.
        contract: Contract,
    },
    /// Its amount is less than the fare.
    Insufficient {
        /// The slot.
        slot: u8,
        /// What is left.
        amount: u32,
        /// What one trip costs.
        fare: u32,
    },
    /// This one is used.
    Accepted(Accepted),
}

/// The contract that is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Its slot, from 1.
    pub slot: u8,
    /// The contract.
    pub contract: Contract,
    /// What is left of it.
    pub left: Left,
}

/// What is left of a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It counts nothing down.
    Unlimited,
    /// Trips or amount.
    Counted {
        /// When the card came.
        before: u32,
        /// When it left.
        after: u32,
    },
}

/// What became of a validation, and how it came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub outcome: Outcome,
    /// The steps to it.
    pub findings: Vec<Finding>,
    /// The environment, if it was read.
    pub environment: Option<Environment>,
    /// The latest event when the card came, if it was read.
    pub event: Option<Event>,
    /// The latest event when the card left, if it was written.
    pub new_event: Option<Event>,
    /// The contract used.
    pub accepted: Option<Accepted>,
    /// The session was closed, and not cancelled.
    pub closed: bool,
}

impl Default for Verdict {
    /// Nothing known: the card is not ours.
    fn default() -> Self {
        Self {
            outcome: Outcome::Invalid(InvalidCard::EnvironmentVersion(0)),
            findings: Vec::new(),
            environment: None,
            event: None,
            new_event: None,
            accepted: None,
            closed: false,
        }
    }
}

impl Verdict {
    /// Why the contract looked at last could not be used.
    pub(super) fn last_refusal(&self) -> EmptyCard {
        match self.findings.last() {
            Some(Finding::Expired { .. }) => EmptyCard::Expired,
            Some(Finding::UsedUp { contract, .. }) if contract.tariff == Priority::MultiTrip => EmptyCard::NoTripsLeft,
            Some(Finding::UsedUp { .. } | Finding::Insufficient { .. }) => EmptyCard::InsufficientValue,
            _ => EmptyCard::NoContract,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Success => f.write_str("accepted"),
            Self::Invalid(reason) => write!(f, "invalid card, {reason}"),
            Self::Empty(reason) => write!(f, "empty card, {reason}"),
        }
    }
}

impl fmt::Display for InvalidCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentVersion(version) => unfit::environment_version(f, *version),
            Self::Expired(end) => unfit::expired(f, *end),
            Self::EventVersion(version) => unfit::event_version(f, *version),
            Self::AlreadyTapped(at) => write!(f, "already tapped ({at})"),
            Self::ContractVersion { slot, version: 0 } => {
                write!(f, "contract {slot} is blank, though the event lists it")
            }
            Self::ContractVersion { slot, version } => unfit::contract_version(f, *slot, *version),
            Self::Disagreement { slot, priority, tariff } => {
                write!(f, "contract {slot} is {tariff}, but the event lists it as {priority}")
            }
        }
    }
}

impl fmt::Display for EmptyCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NeverLoaded => "nothing was ever loaded",
            Self::NoContract => "no valid title",
            Self::Expired => "expired title",
            Self::NoTripsLeft => "no trips left",
            Self::InsufficientValue => "insufficient stored value",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(environment) => {
                write!(f, "The card is one of ours (number {}) and works until {}.", environment.number, environment.end)
            }
            Self::NeverValidated => f.write_str("It was never validated: nothing to fear from anti-passback."),
            Self::LastValidation { at, minutes: minutes @ 1.. } => {
                write!(f, "Anti-passback: the last validation, {at}, was {minutes} min ago; at least 1 is needed.")
            }
            Self::LastValidation { at, minutes: 0 } => {
                write!(f, "Anti-passback: the last validation, {at}, was in this very minute; at least 1 is needed.")
            }
            Self::LastValidation { at, .. } => {
                write!(f, "Anti-passback: the last validation, {at}, lies in the future.")
            }
            Self::Recovery => f.write_str(
                "That session was not ratified: the card left before its answer arrived. The trip was paid, so the card \
                 is let through, and nothing is written.",
            ),
            Self::Candidates(slots) => {
                f.write_str("Contracts to try, best first:")?;
                for (index, (slot, priority)) in slots.iter().enumerate() {
                    let separator = if index == 0 { "" } else { "," };
                    write!(f, "{separator} slot {slot} ({priority})")?;
                }
                f.write_str(".")
            }
            Self::Expired { slot, contract } => {
                write!(f, "Slot {slot}: {} expired on {}; marked as expired.", contract.tariff, contract.end)
            }
            Self::UsedUp { slot, contract } => {
                write!(f, "Slot {slot}: {} has nothing left; marked as expired.", contract.tariff)
            }
            Self::Insufficient { slot, amount, fare } => {
                write!(f, "Slot {slot}: {amount} left, less than the fare of {fare}.")
            }
            Self::Accepted(accepted) => accepted.fmt(f),
        }
    }
}

impl fmt::Display for Accepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { slot, contract, left } = self;
        write!(f, "Slot {slot} is chosen: {}, valid until {}", contract.tariff, contract.end)?;
        match left {
            Left::Unlimited => f.write_str("; it counts nothing down."),
            Left::Counted { before, after } => write!(f, "; {before} left before, {after} after."),
        }
    }
}
