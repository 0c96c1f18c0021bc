//! Hexadecimal text, as the profiles and the saved cards write bytes.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Decodes `text`, upper or lower case, without separators.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// Encodes `bytes` in upper case, without separators.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A value that files write as hexadecimal text of a fixed or free number of digits.
pub trait HexValue: Sized {
    /// The value of `bytes`; nothing when their number is wrong.
    fn from_bytes(bytes: Vec<u8>) -> Option<Self>;
    /// The bytes, first one first.
    fn to_bytes(&self) -> Vec<u8>;
}

impl HexValue for Vec<u8> {
    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        Some(bytes)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

impl<const N: usize> HexValue for [u8; N] {
    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        bytes.try_into().ok()
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.as_slice().to_vec()
    }
}

impl HexValue for u8 {
    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        <[u8; 1]>::from_bytes(bytes).map(Self::from_be_bytes)
    }

    fn to_bytes(&self) -> Vec<u8> {
        vec![*self]
    }
}

impl HexValue for u16 {
    fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        <[u8; 2]>::from_bytes(bytes).map(Self::from_be_bytes)
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }
}

/// A value in hexadecimal text on the outside; transparent on the inside.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex<T>(pub T);

impl<T> Deref for Hex<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Hex<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: HexValue> fmt::Debug for Hex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encode(&self.0.to_bytes()))
    }
}

impl<T: HexValue> Serialize for Hex<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&encode(&self.0.to_bytes()))
    }
}

impl<'de, T: HexValue> Deserialize<'de> for Hex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = decode(&text).ok_or_else(|| de::Error::custom("not hexadecimal"))?;
        T::from_bytes(bytes).map(Hex).ok_or_else(|| de::Error::custom("wrong number of hexadecimal digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_cases_and_no_separators() {
        assert_eq!(decode("00aAFf"), Some(vec![0x00, 0xAA, 0xFF]));
        assert_eq!(decode("0"), None);
        assert_eq!(decode("0 11"), None);
        assert_eq!(encode(&[0x0A, 0xF0]), "0AF0");
    }

    #[test]
    fn sizes_are_checked() {
        assert_eq!(serde_json::from_str::<Hex<u16>>("\"2001\"").unwrap(), Hex(0x2001));
        assert!(serde_json::from_str::<Hex<u16>>("\"20\"").is_err());
        assert!(serde_json::from_str::<Hex<[u8; 4]>>("\"20000\"").is_err());
    }
}
