//! Event counters and their ceilings: specification 03, "Counter geometry".

use crate::error::{Argument, Error};

/// How many event counters a SAM has, numbered from 0.
pub const COUNTERS: u8 = 27;

/// The highest ceiling that may be written.
pub const MAX_CEILING: u32 = 0xFF_FFFA;

/// Who may increase an event counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncrementAccess {
    /// Only the SAM itself, when a key is used that is tied to the counter.
    Protected,
    /// Everybody.
    Free,
}

/// Nine neighbouring counters, which are read together, and whose ceilings are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CounterRecord(u8);

/// Counters in a record.
const PER_RECORD: u8 = 9;

impl CounterRecord {
    pub(crate) const ALL: [Self; 3] = [Self(0), Self(1), Self(2)];

    /// The record of a counter.
    pub(crate) const fn of(counter: u8) -> Result<Self, Error> {
        if counter < COUNTERS {
            Ok(Self(counter / PER_RECORD))
        } else {
            Err(Error::Misuse(crate::Misuse::Argument(Argument::CounterNumber)))
        }
    }

    /// 0, 1 or 2.
    pub(super) const fn number(self) -> u8 {
        self.0
    }

    /// The numbers of its counters.
    pub(crate) fn counters(self) -> core::ops::Range<u8> {
        let first = PER_RECORD * self.0;
        first..first + PER_RECORD
    }
}

pub(super) fn check_ceiling(ceiling: u32) -> Result<(), Error> {
    if ceiling <= MAX_CEILING { Ok(()) } else { Err(Argument::Ceiling.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn geometry() {
        let record = |counter| CounterRecord::of(counter).map(CounterRecord::number);
        assert_eq!([0, 8, 9, 17, 18, 26].map(record), [Ok(0), Ok(0), Ok(1), Ok(1), Ok(2), Ok(2)]);
        assert_eq!(record(27), Err(Argument::CounterNumber.into()));
        let all = CounterRecord::ALL.into_iter().flat_map(CounterRecord::counters);
        assert!(all.eq(0..COUNTERS));
    }

    #[test]
    fn ceilings() {
        assert!(check_ceiling(MAX_CEILING).is_ok() && check_ceiling(MAX_CEILING + 1).is_err());
    }
}
