//! Days of the calendar, as certificates write them.

use core::fmt;

/// A day of the calendar, from the year 0 to the year 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day {
    year: u16,
    month: u8,
    day: u8,
}

impl Day {
    /// A day; nothing when the calendar has no such day, or the year has more than four digits.
    #[must_use]
    pub const fn new(year: u16, month: u8, day: u8) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if year > 9999 || day == 0 || day > days { None } else { Some(Self { year, month, day }) }
    }

    /// Year, 0 to 9999.
    #[must_use]
    pub const fn year(self) -> u16 {
        self.year
    }

    /// Month, 1 to 12.
    #[must_use]
    pub const fn month(self) -> u8 {
        self.month
    }

    /// Day of the month, 1 to 31.
    #[must_use]
    pub const fn day(self) -> u8 {
        self.day
    }

    /// The day in decimal digits, as certificates write it.
    #[must_use]
    pub fn to_bcd(self) -> [u8; 4] {
        let [thousands, hundreds, tens, ones] =
            [1000, 100, 10, 1].map(|unit| u8::try_from(self.year / unit % 10).unwrap_or_default());
        [(thousands << 4) | hundreds, (tens << 4) | ones, digits(self.month), digits(self.day)]
    }
}

/// A number below 100 in two decimal digits.
const fn digits(number: u8) -> u8 {
    ((number / 10) << 4) | (number % 10)
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Day({self})")
    }
}
