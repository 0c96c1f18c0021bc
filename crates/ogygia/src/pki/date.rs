//! Days, and when certificates are valid. Specification 04, "Dates".

use core::fmt;

use super::PkiError;

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

    /// The limit that four bytes of a certificate express, in decimal digits; zeros are no limit.
    ///
    /// # Errors
    ///
    /// [`PkiError::Date`]: not decimal digits, or no day of the calendar.
    pub fn from_bcd(bytes: [u8; 4]) -> Result<Option<Self>, PkiError> {
        if bytes == [0; 4] {
            return Ok(None);
        }
        let [century, year, month, day] = bytes.map(|byte| {
            let (tens, ones) = (byte >> 4, byte & 0x0F);
            (tens <= 9 && ones <= 9).then_some(tens * 10 + ones)
        });
        let day = century.zip(year).zip(month.zip(day)).and_then(|((century, year), (month, day))| {
            Self::new(u16::from(century) * 100 + u16::from(year), month, day)
        });
        day.map(Some).ok_or(PkiError::Date)
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

/// The days on which something is valid, first and last included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    /// The first one; nothing when it has always been valid.
    pub start: Option<Day>,
    /// The last one; nothing when it stays valid.
    pub end: Option<Day>,
}

impl Validity {
    /// Always.
    pub const ALWAYS: Self = Self { start: None, end: None };

    pub(super) fn from_bcd(start: [u8; 4], end: [u8; 4]) -> Result<Self, PkiError> {
        Ok(Self { start: Day::from_bcd(start)?, end: Day::from_bcd(end)? })
    }

    #[cfg(feature = "pki-authority")]
    pub(super) fn to_bcd(self) -> ([u8; 4], [u8; 4]) {
        let bytes = |day: Option<Day>| day.map_or([0; 4], Day::to_bcd);
        (bytes(self.start), bytes(self.end))
    }

    /// Whether it has begun on this day.
    #[must_use]
    pub fn has_begun(&self, on: Day) -> bool {
        self.start.is_none_or(|start| start <= on)
    }

    /// Whether it is over on this day.
    #[must_use]
    pub fn is_over(&self, on: Day) -> bool {
        self.end.is_some_and(|end| end < on)
    }

    /// Whether it is within that of an issuer. A missing start is: the issuer's own start is looked at on the day of
    /// the verification. A missing end is not.
    #[must_use]
    pub fn is_within(&self, issuer: &Self) -> bool {
        let starts = self.start.is_none_or(|start| issuer.has_begun(start));
        let ends = issuer.end.is_none_or(|last| self.end.is_some_and(|end| end <= last));
        starts && ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_digits_both_ways() {
        let day = Day::new(2024, 2, 22).unwrap();
        assert_eq!(day.to_bcd(), [0x20, 0x24, 0x02, 0x22]);
        assert_eq!(Day::from_bcd([0x20, 0x24, 0x02, 0x22]), Ok(Some(day)));
        assert_eq!(Day::from_bcd([0; 4]), Ok(None));
        let last = Day::new(9999, 12, 31).unwrap();
        assert_eq!(Day::from_bcd(last.to_bcd()), Ok(Some(last)));
    }

    #[test]
    fn days_that_do_not_exist() {
        for bytes in [
            [0x20, 0x23, 0x02, 0x29],
            [0x19, 0x00, 0x02, 0x29],
            [0x20, 0x24, 0x13, 0x01],
            [0x20, 0x24, 0x00, 0x01],
            [0x20, 0x24, 0x04, 0x31],
            [0x20, 0x24, 0x01, 0x00],
            [0x2A, 0x24, 0x01, 0x01],
            [0x20, 0x24, 0x0A, 0x01],
            [0xFF; 4],
        ] {
            assert_eq!(Day::from_bcd(bytes), Err(PkiError::Date), "{bytes:02X?}");
        }
        assert!(Day::new(2000, 2, 29).is_some() && Day::new(10_000, 1, 1).is_none());
    }

    #[test]
    fn first_and_last_day_are_included() {
        let day = |day| Day::new(2026, 11, day).unwrap();
        let validity = Validity { start: Some(day(21)), end: Some(day(23)) };
        assert_eq!([20, 21, 23].map(|on| validity.has_begun(day(on))), [false, true, true]);
        assert_eq!([21, 23, 24].map(|on| validity.is_over(day(on))), [false, false, true]);
        assert!(Validity::ALWAYS.has_begun(day(1)) && !Validity::ALWAYS.is_over(day(30)));
    }

    #[test]
    fn within_that_of_the_issuer() {
        let day = |day| Day::new(2026, 11, day).ok_or(());
        let between = |start: Option<u8>, end: Option<u8>| Validity {
            start: start.map(|start| day(start).unwrap()),
            end: end.map(|end| day(end).unwrap()),
        };
        let issuer = between(Some(10), Some(20));
        assert!(between(Some(10), Some(20)).is_within(&issuer));
        assert!(between(None, Some(20)).is_within(&issuer));
        assert!(!between(Some(10), None).is_within(&issuer));
        assert!(!between(Some(9), Some(20)).is_within(&issuer));
        assert!(!between(Some(10), Some(21)).is_within(&issuer));
        assert!(between(Some(1), None).is_within(&Validity::ALWAYS));
    }
}
