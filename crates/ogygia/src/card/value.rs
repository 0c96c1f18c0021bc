//! Types for the values that name things on a card.

use core::fmt;

macro_rules! byte_value {
    ($(#[$doc:meta])* $name:ident($inner:ty), $width:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!("{:0", $width, "X}"), self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:0", $width, "X})"), self.0)
            }
        }
    };
}

byte_value! {
    /// Short file identifier, 0 to 30; 0 names the file used last. Checked when a command is prepared.
    Sfi(u8), 2
}
byte_value! {
    /// Long file identifier.
    Lid(u16), 4
}
byte_value! {
    /// Key identifier. `FF` in an answer of a card means that the card does not tell.
    Kif(u8), 2
}
byte_value! {
    /// Key version and category.
    Kvc(u8), 2
}

impl Sfi {
    /// The file used last.
    pub const CURRENT: Self = Self(0);
    /// The load log of the Stored Value structure.
    pub const SV_LOAD_LOG: Self = Self(0x14);
    /// The debit log of the Stored Value structure.
    pub const SV_DEBIT_LOG: Self = Self(0x15);
}

/// A key, by its identifier and its version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyId {
    /// Identifier.
    pub kif: Kif,
    /// Version and category.
    pub kvc: Kvc,
}

/// Write access level: which of the three keys of the application opens a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Key 1, of the issuer: everything may be written.
    Personalization = 1,
    /// Key 2: what loading needs.
    Load = 2,
    /// Key 3: what validation needs.
    Debit = 3,
}

impl Level {
    /// The three levels, strongest first.
    pub const ALL: [Self; 3] = [Self::Personalization, Self::Load, Self::Debit];

    /// The number of the key, 1 to 3.
    #[must_use]
    pub const fn key_index(self) -> u8 {
        match self {
            Self::Personalization => 1,
            Self::Load => 2,
            Self::Debit => 3,
        }
    }
}

/// The largest value of a counter: three bytes.
pub const COUNTER_MAX: u32 = 0x00FF_FFFF;

/// A three-byte number, as in counters and transaction counters.
#[must_use]
pub(crate) const fn u24(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    u32::from_be_bytes([0, a, b, c])
}

/// The three low bytes of `value`.
#[must_use]
pub(crate) const fn u24_bytes(value: u32) -> [u8; 3] {
    let [_, a, b, c] = value.to_be_bytes();
    [a, b, c]
}

/// A three-byte number in two's complement, as in Stored Value balances.
#[must_use]
pub(crate) const fn s24(bytes: [u8; 3]) -> i32 {
    let [a, b, c] = bytes;
    i32::from_be_bytes([a, b, c, 0]) >> 8
}

/// The three low bytes of `value` in two's complement.
#[must_use]
pub(crate) const fn s24_bytes(value: i32) -> [u8; 3] {
    let [_, a, b, c] = value.to_be_bytes();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_byte_numbers() {
        assert_eq!(u24([0x00, 0x11, 0x22]), 0x1122);
        assert_eq!(u24_bytes(0x0011_2233), [0x11, 0x22, 0x33]);
        assert_eq!(s24([0xFF, 0xFF, 0xFE]), -2);
        assert_eq!(s24([0x7F, 0xFF, 0xFF]), 8_388_607);
        assert_eq!(s24_bytes(-2), [0xFF, 0xFF, 0xFE]);
    }
}
