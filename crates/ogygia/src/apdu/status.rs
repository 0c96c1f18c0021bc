//! Status words, and sets of them.

use core::fmt;

/// The two bytes that end every response. Unknown values are kept as they came.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StatusWord(pub u16);

impl StatusWord {
    /// `9000`: executed.
    pub const SUCCESS: Self = Self(0x9000);
    /// `6200`: executed, the answer comes later or is partial.
    pub const POSTPONED: Self = Self(0x6200);
    /// `6283`: selected, but the application is invalidated.
    pub const INVALIDATED: Self = Self(0x6283);
    /// `6983`: the PIN is blocked.
    pub const PIN_BLOCKED: Self = Self(0x6983);
    /// `6985`: conditions of use not met.
    pub const ACCESS_FORBIDDEN: Self = Self(0x6985);
    /// `6988`: wrong MAC, signature or cryptogram.
    pub const WRONG_MAC: Self = Self(0x6988);
    /// `6A82`: file not found.
    pub const FILE_NOT_FOUND: Self = Self(0x6A82);
    /// `6A83`: record not found.
    pub const RECORD_NOT_FOUND: Self = Self(0x6A83);

    /// The two bytes, first one first.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 2] {
        self.0.to_be_bytes()
    }

    /// The number of PIN presentations that a `63Cx` leaves.
    #[must_use]
    pub const fn attempts_left(self) -> Option<u8> {
        let [first, second] = self.to_bytes();
        if first == 0x63 && second >> 4 == 0xC { Some(second & 0x0F) } else { None }
    }
}

impl fmt::Display for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

impl fmt::Debug for StatusWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}

/// The status words after which a reader sends the next command of a request.
///
/// Always holds `9000`. One byte, so that it travels with each command.
///
/// ```
/// use ogygia::apdu::{StatusSet, StatusWord};
///
/// let set = StatusSet::SUCCESS.with(StatusSet::POSTPONED);
/// assert!(set.contains(StatusWord::SUCCESS) && set.contains(StatusWord::POSTPONED));
/// assert!(!set.contains(StatusWord::FILE_NOT_FOUND));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSet(u8);

impl StatusSet {
    /// `9000` alone.
    pub const SUCCESS: Self = Self(0);
    /// `6200`.
    pub const POSTPONED: Self = Self(1);
    /// `6A82` and `6A83`: a file or record that is not there.
    pub const NOT_FOUND: Self = Self(1 << 1);
    /// `6283`.
    pub const INVALIDATED: Self = Self(1 << 2);
    /// `63C0` to `63CF` and `6983`: what is left of a PIN.
    pub const PIN: Self = Self(1 << 3);
    /// `6985`.
    pub const ACCESS_FORBIDDEN: Self = Self(1 << 4);
    /// `6A83` alone.
    pub const RECORD_NOT_FOUND: Self = Self(1 << 5);
    /// Every status word.
    pub const ANY: Self = Self(1 << 7);

    /// The union of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    const fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether `status` belongs to the set.
    #[must_use]
    pub fn contains(self, status: StatusWord) -> bool {
        status == StatusWord::SUCCESS || self.contains_failure(status)
    }

    #[cold]
    fn contains_failure(self, status: StatusWord) -> bool {
        let member = match status {
            StatusWord::POSTPONED => Self::POSTPONED,
            StatusWord::FILE_NOT_FOUND => Self::NOT_FOUND,
            StatusWord::RECORD_NOT_FOUND => Self(Self::NOT_FOUND.0 | Self::RECORD_NOT_FOUND.0),
            StatusWord::INVALIDATED => Self::INVALIDATED,
            StatusWord::PIN_BLOCKED => Self::PIN,
            StatusWord::ACCESS_FORBIDDEN => Self::ACCESS_FORBIDDEN,
            other if other.attempts_left().is_some() => Self::PIN,
            _ => Self::ANY,
        };
        self.has(member) || self.has(Self::ANY)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_only_its_words() {
        let words = [0x9000, 0x6200, 0x6A82, 0x6A83, 0x6283, 0x63C2, 0x6983, 0x6985, 0x6B00].map(StatusWord);
        let members = |set: StatusSet| words.map(|word| u8::from(set.contains(word)));
        assert_eq!(members(StatusSet::SUCCESS), [1, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(members(StatusSet::POSTPONED), [1, 1, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(members(StatusSet::NOT_FOUND), [1, 0, 1, 1, 0, 0, 0, 0, 0]);
        assert_eq!(members(StatusSet::INVALIDATED), [1, 0, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!(members(StatusSet::PIN), [1, 0, 0, 0, 0, 1, 1, 0, 0]);
        assert_eq!(members(StatusSet::ACCESS_FORBIDDEN), [1, 0, 0, 0, 0, 0, 0, 1, 0]);
        assert_eq!(members(StatusSet::RECORD_NOT_FOUND), [1, 0, 0, 1, 0, 0, 0, 0, 0]);
        assert_eq!(members(StatusSet::ANY), [1; 9]);
    }

    #[test]
    fn attempts() {
        assert_eq!(StatusWord(0x63C2).attempts_left(), Some(2));
        assert_eq!(StatusWord(0x6302).attempts_left(), None);
        assert_eq!(StatusWord(0x64C2).attempts_left(), None);
    }
}
