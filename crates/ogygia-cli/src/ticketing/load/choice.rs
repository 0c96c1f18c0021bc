//! Which slot is loaded, with what, and why none is.

use std::fmt;

use super::Order;
use crate::ticketing::holdings::Holdings;
use crate::ticketing::values::{DateCompact, Priority, Version};
use crate::ticketing::{Contract, Event, unfit};

/// For how many days a season pass is valid beyond the day of its sale.
const PASS_DAYS: u16 = 30;
const COUNTER_MAX: u32 = 0x00FF_FFFF;

/// What is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goods {
    /// Thirty days more.
    SeasonPass,
    /// So many trips.
    Trips(u32),
    /// So much stored value.
    Value(u32),
}

/// What a loading does to its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The slot was free.
    New,
    /// It held a contract of this tariff already, which goes on.
    Reload,
    /// It held another contract, which is lost: expired, or the only one that the product can hold.
    Replace,
}

/// A counter before and after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// When the card came.
    pub before: u32,
    /// When it left.
    pub after: u32,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Where, from 1.
    pub slot: u8,
    /// What becomes of what is there.
    pub kind: Kind,
    /// The new contract.
    pub contract: Contract,
    /// Its counter, where it has one.
    pub counter: Option<Counted>,
    /// The new event: other priorities, and the rest as it was.
    pub event: Event,
}

/// Why nothing is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Not personalized, or by a later version of this application.
    EnvironmentVersion(u8),
    /// The card itself has expired.
    Expired(DateCompact),
    /// The event was written by a later version of this application.
    EventVersion(u8),
    /// The event lists a contract where there is none.
    Disagreement {
        /// The slot.
        slot: u8,
        /// What the event says.
        priority: Priority,
    },
    /// All slots hold contracts that are valid, of other tariffs.
    Full,
    /// More than a counter can hold.
    TooMuch {
        /// What is there already.
        left: u32,
        /// What is wanted.
        more: u32,
    },
}

impl Goods {
    /// The tariff of the contract.
    #[must_use]
    pub const fn tariff(self) -> Priority {
        match self {
            Self::SeasonPass => Priority::SeasonPass,
            Self::Trips(_) => Priority::MultiTrip,
            Self::Value(_) => Priority::StoredValue,
        }
    }

    /// How much is counted down, if anything is.
    const fn quantity(self) -> Option<u32> {
        match self {
            Self::SeasonPass => None,
            Self::Trips(quantity) | Self::Value(quantity) => Some(quantity),
        }
    }
}

/// Chooses the slot for `order`, and what is written.
///
/// # Errors
///
/// Why nothing can be loaded.
pub fn choose(holdings: &Holdings, order: &Order) -> Result<Plan, Refusal> {
    let event = mark_expired(holdings, order.today)?;
    let tariff = order.goods.tariff();
    let (slot, kind) = slot(holdings, &event, tariff)?;
    let (_, old, left) = holdings.slots().find(|(number, _, _)| *number == slot).ok_or(Refusal::Full)?;
    let counter = match order.goods.quantity() {
        None => None,
        Some(more) => {
            let kept = if kind == Kind::Reload { left } else { 0 };
            let after = kept.checked_add(more).filter(|after| *after <= COUNTER_MAX);
            Some(Counted { before: left, after: after.ok_or(Refusal::TooMuch { left: kept, more })? })
        }
    };
    let contract = Contract {
        version: Version::Current,
        tariff,
        sold: order.today,
        end: end(holdings, order, old, kind),
        ..Contract::default()
    };
    let mut event = Event { version: Version::Current, ..event };
    event.set_priority(slot, tariff);
    Ok(Plan { slot, kind, contract, counter, event })
}

/// Checks the card; gives its event with the priorities of expired contracts marked.
fn mark_expired(holdings: &Holdings, today: DateCompact) -> Result<Event, Refusal> {
    let Holdings { environment, event, .. } = holdings;
    match environment.version {
        Version::Current if environment.end.is_past(today) => return Err(Refusal::Expired(environment.end)),
        Version::Current => {}
        other => return Err(Refusal::EnvironmentVersion(other.into())),
    }
    if let Version::Other(version) = event.version {
        return Err(Refusal::EventVersion(version));
    }
    let mut marked = *event;
    for (slot, contract, _) in holdings.slots() {
        let priority = event.priority(slot);
        match contract.version {
            Version::Undefined if priority != Priority::Blank => return Err(Refusal::Disagreement { slot, priority }),
            // What is unknown is never rewritten.
            Version::Current if contract.tariff.is_usable() && contract.end.is_past(today) => {
                if !matches!(priority, Priority::Unknown(_)) {
                    marked.set_priority(slot, Priority::Expired);
                }
            }
            Version::Undefined | Version::Current | Version::Other(_) => {}
        }
    }
    Ok(marked)
}

/// The slot of this tariff, else the only one, else the first that is free, else the first that has expired.
fn slot(holdings: &Holdings, event: &Event, tariff: Priority) -> Result<(u8, Kind), Refusal> {
    let same =
        |(_, contract, _): &(u8, &Contract, u32)| contract.version == Version::Current && contract.tariff == tariff;
    if let Some((slot, _, _)) = holdings.slots().find(same) {
        return Ok((slot, Kind::Reload));
    }
    if let [only] = holdings.contracts.as_slice() {
        return Ok((1, if only.version == Version::Undefined { Kind::New } else { Kind::Replace }));
    }
    let with = |priority| holdings.slots().map(|(slot, ..)| slot).find(|slot| event.priority(*slot) == priority);
    let free = with(Priority::Blank).map(|slot| (slot, Kind::New));
    free.or_else(|| with(Priority::Expired).map(|slot| (slot, Kind::Replace))).ok_or(Refusal::Full)
}

/// A pass goes on from where it ended, but lasts as long as a new one at least; others last as long as the card.
fn end(holdings: &Holdings, order: &Order, old: &Contract, kind: Kind) -> DateCompact {
    let new = order.today.plus_days(PASS_DAYS);
    match (order.goods, kind) {
        (Goods::SeasonPass, Kind::Reload) => old.end.plus_days(PASS_DAYS).max(new),
        (Goods::SeasonPass, Kind::New | Kind::Replace) => new,
        (Goods::Trips(_) | Goods::Value(_), _) => holdings.environment.end,
    }
}

impl fmt::Display for Goods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SeasonPass => f.write_str("a season pass"),
            Self::Trips(1) => f.write_str("1 trip"),
            Self::Trips(trips) => write!(f, "{trips} trips"),
            Self::Value(amount) => write!(f, "{amount} of stored value"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentVersion(version) => unfit::environment_version(f, *version),
            Self::Expired(end) => unfit::expired(f, *end),
            Self::EventVersion(version) => unfit::event_version(f, *version),
            Self::Disagreement { slot, priority } => {
                write!(f, "contract {slot} is blank, though the event lists it as {priority}")
            }
            Self::Full => f.write_str("all slots hold contracts that are valid"),
            Self::TooMuch { left, more } => write!(f, "{left} and {more} more are too much for a counter"),
        }
    }
}
