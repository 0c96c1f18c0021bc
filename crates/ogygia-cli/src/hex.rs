//! Hexadecimal text, upper case without separators.

use serde::{Deserialize, Deserializer, de::Error};

/// The text of `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// The bytes of `text`; nothing when it is no hexadecimal text.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) {
        return None;
    }
    text.as_bytes().chunks(2).map(|pair| Some(digit(pair.first()?)? << 4 | digit(pair.last()?)?)).collect()
}

/// `N` bytes, for the command line.
///
/// # Errors
///
/// What is expected.
pub fn fixed<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let expected = || format!("{N} byte{} in hexadecimal digits", if N == 1 { "" } else { "s" });
    decode(text).and_then(|bytes| bytes.try_into().ok()).ok_or_else(expected)
}

/// Bytes that are hexadecimal text in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hex(pub Vec<u8>);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        decode(&text).map(Self).ok_or_else(|| D::Error::custom(format!("not hexadecimal: {text:.40}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(decode("00fF1a"), Some(vec![0x00, 0xFF, 0x1A]));
        assert_eq!(encode(&[0x00, 0xFF, 0x1A]), "00FF1A");
        assert_eq!(decode("0"), None);
        assert_eq!(decode("0G"), None);
        assert_eq!(decode("é"), None);
    }
}
