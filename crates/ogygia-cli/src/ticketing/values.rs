//! The types that fields are made of: specification 08, "Types".

use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};

/// Days since 1 January 2010, local time. Values above [`MAX`](Self::MAX) are kept as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateCompact(pub u16);

/// Minutes since midnight, local time. Values from 1440 on are kept as they came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimeCompact(pub u16);

const EPOCH: Date = date(2010, 1, 1);
const MINUTES_PER_DAY: u32 = 24 * 60;

impl DateCompact {
    /// 9 November 2054.
    pub const MAX: Self = Self(0x3FFF);

    /// The number of a day; nothing before 2010 and after [`MAX`](Self::MAX).
    #[must_use]
    pub fn from_civil(day: Date) -> Option<Self> {
        let days = EPOCH.until(day).ok()?.get_days();
        u16::try_from(days).ok().map(Self).filter(|day| *day <= Self::MAX)
    }

    /// The day of the calendar.
    #[must_use]
    pub fn to_civil(self) -> Option<Date> {
        EPOCH.checked_add(i64::from(self.0).days()).ok()
    }

    /// So many days later, no later than [`MAX`](Self::MAX).
    #[must_use]
    pub fn plus_days(self, days: u16) -> Self {
        Self(self.0.saturating_add(days)).min(Self::MAX)
    }

    /// Whether the day lies strictly before `today`: an end date itself is still valid.
    #[must_use]
    pub fn is_past(self, today: Self) -> bool {
        self < today
    }
}

impl fmt::Display for DateCompact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.to_civil().filter(|_| *self <= Self::MAX) {
            Some(day) => write!(f, "{day}"),
            None => write!(f, "day {} (out of range)", self.0),
        }
    }
}

impl fmt::Display for TimeCompact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if u32::from(self.0) < MINUTES_PER_DAY {
            write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
        } else {
            write!(f, "minute {} (out of range)", self.0)
        }
    }
}

/// A minute of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// The day.
    pub date: DateCompact,
    /// The minute.
    pub time: TimeCompact,
}

impl Moment {
    /// The minute in which `at` lies; nothing where the card cannot express the day.
    #[must_use]
    pub fn from_civil(at: DateTime) -> Option<Self> {
        let minutes = u16::try_from(at.hour()).ok()? * 60 + u16::try_from(at.minute()).ok()?;
        Some(Self { date: DateCompact::from_civil(at.date())?, time: TimeCompact(minutes) })
    }

    /// Whole minutes since 1 January 2010.
    #[must_use]
    pub fn minutes(self) -> u32 {
        u32::from(self.date.0) * MINUTES_PER_DAY + u32::from(self.time.0)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.date, self.time)
    }
}

/// The version of a structure.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// 0: a blank record.
    #[default]
    Undefined,
    /// 1.
    Current,
    /// A version that does not exist yet, or 255, which is forbidden.
    Other(u8),
}

impl From<u8> for Version {
    fn from(byte: u8) -> Self {
        match byte {
            0 => Self::Undefined,
            1 => Self::Current,
            other => Self::Other(other),
        }
    }
}

impl From<Version> for u8 {
    fn from(version: Version) -> Self {
        match version {
            Version::Undefined => 0,
            Version::Current => 1,
            Version::Other(other) => other,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", u8::from(*self))
    }
}

/// The tariff of a contract, and the priority of its slot in the event. Lower goes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Priority {
    /// 0: no contract.
    #[default]
    Blank,
    /// 1.
    SeasonPass,
    /// 2: trips that are counted down.
    MultiTrip,
    /// 3: an amount that is counted down.
    StoredValue,
    /// 31: found expired, or used up.
    Expired,
    /// Anything else: never used, never rewritten.
    Unknown(u8),
}

impl Priority {
    /// Whether a contract of this kind counts something down.
    #[must_use]
    pub const fn is_counted(self) -> bool {
        matches!(self, Self::MultiTrip | Self::StoredValue)
    }

    /// Whether a validator may use such a contract.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        matches!(self, Self::SeasonPass | Self::MultiTrip | Self::StoredValue)
    }
}

impl From<u8> for Priority {
    fn from(byte: u8) -> Self {
        match byte {
            0 => Self::Blank,
            1 => Self::SeasonPass,
            2 => Self::MultiTrip,
            3 => Self::StoredValue,
            31 => Self::Expired,
            other => Self::Unknown(other),
        }
    }
}

impl From<Priority> for u8 {
    fn from(priority: Priority) -> Self {
        match priority {
            Priority::Blank => 0,
            Priority::SeasonPass => 1,
            Priority::MultiTrip => 2,
            Priority::StoredValue => 3,
            Priority::Expired => 31,
            Priority::Unknown(other) => other,
        }
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blank => f.write_str("-"),
            Self::SeasonPass => f.write_str("season pass"),
            Self::MultiTrip => f.write_str("multi-trip"),
            Self::StoredValue => f.write_str("stored value"),
            Self::Expired => f.write_str("expired"),
            Self::Unknown(other) => write!(f, "unknown ({other})"),
        }
    }
}

/// Where a terminal stands. Numbers without a name are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Location(pub u32);

const LOCATIONS: [&str; 12] = [
    "Bruxelles",
    "Konstanz",
    "Lisboa",
    "Milan",
    "Munich",
    "Paris",
    "Riga",
    "Roma",
    "Strasbourg",
    "Torino",
    "Venice",
    "Barcelona",
];

impl Location {
    /// Its name, if it has one.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        LOCATIONS.get(usize::try_from(self.0).ok()?).copied()
    }

    /// The location of this number, or of this name in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let by_name = (0..).zip(LOCATIONS).find(|(_, name)| name.eq_ignore_ascii_case(text));
        by_name.map(|(number, _)| number).or_else(|| text.parse().ok()).map(Self)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "location {}", self.0),
        }
    }
}

/// A three-byte number.
pub(crate) const fn u24([a, b, c]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, a, b, c])
}

/// The three low bytes of `value`.
pub(crate) const fn u24_bytes(value: u32) -> [u8; 3] {
    let [_, a, b, c] = value.to_be_bytes();
    [a, b, c]
}

/// The counters in a record, three bytes each; dead bytes at its end are left out.
///
/// ```
/// assert_eq!(ogygia_cli::ticketing::values::counters(&[0, 0, 10, 0, 0, 0, 0xFF]), [10, 0]);
/// ```
#[must_use]
pub fn counters(record: &[u8]) -> Vec<u32> {
    let (counters, _dead) = record.as_chunks::<3>();
    counters.iter().map(|bytes| u24(*bytes)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(DateCompact(0).to_string(), "2010-01-01");
        assert_eq!(DateCompact(4091).to_string(), "2021-03-15");
        assert_eq!(DateCompact::MAX.to_string(), "2054-11-09");
        assert_eq!(DateCompact(0x4000).to_string(), "day 16384 (out of range)");
        assert_eq!(DateCompact::from_civil(date(2025, 6, 16)), Some(DateCompact(0x160D)));
        assert_eq!(DateCompact::from_civil(date(2009, 12, 31)), None);
        assert_eq!(DateCompact::from_civil(date(2054, 11, 9)), Some(DateCompact::MAX));
        assert_eq!(DateCompact::from_civil(date(2054, 11, 10)), None);
        assert_eq!(DateCompact(16_380).plus_days(30), DateCompact::MAX);
    }

    #[test]
    fn the_end_date_is_valid() {
        assert!(!DateCompact(5).is_past(DateCompact(5)));
        assert!(DateCompact(4).is_past(DateCompact(5)));
    }

    #[test]
    fn minutes() {
        assert_eq!(TimeCompact(840).to_string(), "14:00");
        assert_eq!(TimeCompact(1440).to_string(), "minute 1440 (out of range)");
        let at = date(2025, 6, 17).at(8, 32, 59, 0);
        assert_eq!(Moment::from_civil(at), Some(Moment { date: DateCompact(5646), time: TimeCompact(512) }));
    }

    #[test]
    fn unknown_values_are_kept() {
        for byte in 0..=255 {
            assert_eq!(u8::from(Version::from(byte)), byte);
            assert_eq!(u8::from(Priority::from(byte)), byte);
        }
        assert!(!Priority::from(7).is_usable() && !Priority::from(31).is_usable() && !Priority::from(0).is_usable());
    }

    #[test]
    fn locations_by_name_or_number() {
        assert_eq!(Location::parse("paris"), Some(Location(5)));
        assert_eq!(Location::parse("5"), Some(Location(5)));
        assert_eq!(Location::parse("77").map(|at| at.to_string()), Some("location 77".to_owned()));
        assert_eq!(Location::parse("Atlantis"), None);
    }
}
