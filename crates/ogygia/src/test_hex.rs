//! Hexadecimal text for tests.

use alloc::vec::Vec;

/// The bytes of `text`; spaces are ignored.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> =
        text.chars().filter_map(|c| if c == ' ' { None } else { Some(c.to_digit(16).unwrap()) }).collect();
    assert_eq!(digits.len() % 2, 0, "{text}");
    digits.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap()).collect()
}
