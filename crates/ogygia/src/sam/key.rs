//! Keys of a SAM, as far as it tells about them: specification 03, "Read Key Parameters".

use core::fmt;

use crate::card::{KeyId, Kif, Kvc};
use crate::error::{Argument, Error};

/// A key that every SAM has, for a purpose of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SystemKey {
    /// Deciphers and authorises the writing of parameters, system keys and locks.
    Personalization,
    /// Deciphers and authorises the writing of work keys.
    KeyManagement,
    /// Deciphers and authorises the writing of ceilings.
    Reloading,
    /// Signs what is read from the SAM.
    Authentication,
}

impl SystemKey {
    /// All four, in the order of their references.
    pub const ALL: [Self; 4] = [Self::Personalization, Self::KeyManagement, Self::Reloading, Self::Authentication];

    /// Its key identifier, the same in every SAM.
    #[must_use]
    pub const fn kif(self) -> Kif {
        Kif(match self {
            Self::Personalization => 0xE1,
            Self::KeyManagement => 0xFD,
            Self::Reloading => 0xE7,
            Self::Authentication => 0xFA,
        })
    }

    /// What P2 of Read Key Parameters calls it.
    const fn reference(self) -> u8 {
        match self {
            Self::Personalization => 0xC1,
            Self::KeyManagement => 0xC2,
            Self::Reloading => 0xC3,
            Self::Authentication => 0xC4,
        }
    }
}

impl fmt::Display for SystemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Personalization => "Personalization key",
            Self::KeyManagement => "Key Management key",
            Self::Reloading => "Reloading key",
            Self::Authentication => "Authentication key",
        })
    }
}

/// How a key of a SAM is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyReference {
    /// A system key.
    System(SystemKey),
    /// The work key in this record, 1 to 126.
    Record(u8),
    /// The work key with this identifier and version.
    Work(KeyId),
}

/// P2 for a work key that is not named by its record.
pub(super) const ANY_RECORD: u8 = 0xF0;

/// The work key records of a SAM.
pub(super) const KEY_RECORDS: core::ops::RangeInclusive<u8> = 1..=126;

impl KeyReference {
    pub(super) fn check(self) -> Result<(), Error> {
        match self {
            Self::Record(record) if !KEY_RECORDS.contains(&record) => Err(Argument::KeyRecord.into()),
            _ => Ok(()),
        }
    }

    /// P2 and data of Read Key Parameters.
    pub(super) const fn to_command(self) -> (u8, [u8; 2]) {
        match self {
            Self::System(key) => (key.reference(), [0, 0]),
            Self::Record(record) => (record, [0, 0]),
            Self::Work(KeyId { kif, kvc }) => (ANY_RECORD, [kif.0, kvc.0]),
        }
    }
}

/// What a SAM tells about a key: its name, its algorithm, and ten bytes that say what it may be used for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct KeyParameters([u8; Self::LEN]);

impl KeyParameters {
    /// Bytes of the parameters, name and algorithm included.
    pub const LEN: usize = 13;

    pub(super) const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// KIF, KVC, algorithm, and the ten parameters.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Identifier and version.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        let [kif, kvc, ..] = self.0;
        KeyId { kif: Kif(kif), kvc: Kvc(kvc) }
    }

    /// Which cipher the key is for, coded.
    #[must_use]
    pub const fn algorithm(&self) -> u8 {
        let [_, _, algorithm, ..] = self.0;
        algorithm
    }

    /// The parameter of this number, 1 to 10; nothing for another number.
    #[must_use]
    pub fn parameter(&self, number: u8) -> Option<u8> {
        let [_, _, _, parameters @ ..] = &self.0;
        parameters.get(usize::from(number.checked_sub(1)?)).copied()
    }

    /// The event counter that each use of the key increases; nothing when it is free.
    #[must_use]
    pub const fn event_counter(&self) -> Option<u8> {
        match self.0 {
            [_, _, _, _, _, _, 0, ..] => None,
            [_, _, _, _, _, _, counter, ..] => Some(counter),
        }
    }
}

impl fmt::Debug for KeyParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyParameters(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_hex::hex;

    /// The Personalization key of the worked examples.
    #[test]
    fn parameters() {
        let bytes = hex("E1F1401112130115161718191A");
        let parameters = KeyParameters::new(bytes.as_slice().try_into().unwrap());
        assert_eq!(parameters.id(), KeyId { kif: SystemKey::Personalization.kif(), kvc: Kvc(0xF1) });
        assert_eq!((parameters.algorithm(), parameters.event_counter()), (0x40, Some(1)));
        assert_eq!([0, 1, 4, 10, 11].map(|n| parameters.parameter(n)), [None, Some(0x11), Some(1), Some(0x1A), None]);
        assert_eq!(alloc::format!("{parameters:?}"), "KeyParameters(E1F1401112130115161718191A)");
    }

    #[test]
    fn record_numbers() {
        let refused = |record| KeyReference::Record(record).check().is_err();
        assert_eq!([0, 1, 126, 127].map(refused), [true, false, false, true]);
    }
}
