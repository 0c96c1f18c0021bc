//! Days, and when certificates are valid. Specification 04, "Dates".

use super::PkiError;
use crate::day::Day;

impl Day {
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
