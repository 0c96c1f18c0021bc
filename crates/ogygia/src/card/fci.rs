//! What an FCI says: specification 01, "FCI parsing".

use super::startup::StartupInfo;
use crate::apdu::tlv;
use crate::error::Malformed;

const TAG_DF_NAME: u32 = 0x84;
const TAG_SERIAL_NUMBER: u32 = 0xC7;
const TAG_STARTUP_INFO: u32 = 0x53;

/// The elements that the image needs, each of a length that it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fci<'a> {
    pub(super) df_name: &'a [u8],
    pub(super) serial_number: [u8; 8],
    pub(super) startup: &'a [u8; StartupInfo::LEN],
    /// Bytes of the startup information without a meaning.
    pub(super) more_startup: &'a [u8],
}

impl<'a> Fci<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match Self::parse_usual(bytes) {
            Some(fci) => Ok(fci),
            None => Self::parse_any(bytes),
        }
    }

    /// These elements in the order of the specification, and nothing else, as nearly every card has it: one look instead
    /// of a walk through the templates.
    #[inline]
    fn parse_usual(bytes: &'a [u8]) -> Option<Self> {
        let [0x6F, template @ 0..=0x7F, 0x84, name_len, ref rest @ ..] = *bytes else { return None };
        let (df_name, rest) = rest.split_at_checked(usize::from(name_len))?;
        let [0xA5, proprietary, 0xBF, 0x0C, discretionary, 0xC7, 8, ref in_serial @ ..] = *rest else { return None };
        let (serial_number, in_startup) = in_serial.split_first_chunk()?;
        let [0x53, startup_len, ref startup @ ..] = *in_startup else { return None };
        let lengths = [(template, bytes.len() - 2), (proprietary, rest.len() - 2), (discretionary, rest.len() - 5)];
        let all_reach_the_end = lengths.iter().all(|&(length, rest)| usize::from(length) == rest);
        if !all_reach_the_end || usize::from(startup_len) != startup.len() {
            return None;
        }
        let (startup, more_startup) = startup.split_first_chunk()?;
        is_df_name(df_name).then_some(Self { df_name, serial_number: *serial_number, startup, more_startup })
    }

    /// Whatever else is among them, in any order.
    #[cold]
    fn parse_any(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut df_name = None;
        let mut serial_number = None;
        let mut startup = None;
        tlv::visit(bytes, |tag, value| match tag {
            TAG_DF_NAME => df_name = Some(value),
            TAG_SERIAL_NUMBER => serial_number = Some(value),
            TAG_STARTUP_INFO => startup = Some(value),
            _ => {}
        })?;
        let df_name = df_name.filter(|name| is_df_name(name)).ok_or(Malformed::Tag(TAG_DF_NAME))?;
        let serial_number = serial_number.and_then(|serial| serial.try_into().ok());
        let serial_number = serial_number.ok_or(Malformed::Tag(TAG_SERIAL_NUMBER))?;
        let startup = startup.and_then(<[u8]>::split_first_chunk);
        let (startup, more_startup) = startup.ok_or(Malformed::Tag(TAG_STARTUP_INFO))?;
        Ok(Self { df_name, serial_number, startup, more_startup })
    }
}

fn is_df_name(name: &[u8]) -> bool {
    matches!(name.len(), 5..=16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_hex::hex;
    use alloc::vec::Vec;

    /// Of the worked examples 1 and 5.
    const USUAL: [&str; 2] = [
        "6F23 8409 315449432E49434131 A516 BF0C13 C708 0000000011223344 5307 0A3C2005141001",
        "6F2A 8410 A0000004040125090101000000000000 A516 BF0C13 C708 0000000011223344 5307 0A2E1142000101",
    ];

    #[test]
    fn usual() {
        for usual in USUAL.map(hex) {
            let fci = Fci::parse_usual(&usual).unwrap();
            assert_eq!(Ok(fci), Fci::parse_any(&usual));
            assert_eq!(fci.serial_number, [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
        }
    }

    /// What the short way accepts, the long one reads as the same: with any byte changed to anything, taken away, or
    /// given twice, and with any length.
    #[test]
    fn both_ways_agree() {
        let mut accepted = 0;
        let mut compare = |bytes: &[u8]| {
            if let Some(fci) = Fci::parse_usual(bytes) {
                assert_eq!(Ok(fci), Fci::parse_any(bytes), "{bytes:02X?}");
                accepted += 1;
            }
        };
        for usual in USUAL.map(hex) {
            for at in 0..usual.len() {
                let (before, after) = usual.split_at(at);
                compare(before);
                compare(&[before, &after[1..]].concat());
                compare(&[before, &after[..1], after].concat());
                for value in 0..=u8::MAX {
                    let changed = [before, &[value], &after[1..]].concat();
                    compare(&changed);
                    let more: Vec<_> = changed.iter().copied().chain([0x55]).collect();
                    compare(&more);
                }
            }
        }
        assert!(accepted > 24 * 256);
    }

    /// Startup information of any length that fits a template whose length is one byte.
    #[test]
    fn startup_of_any_length() {
        for more in 0..=0x7F - 35 {
            let mut bytes = hex(USUAL[0]);
            for length in [1, 14, 17, 29] {
                bytes[length] += more;
            }
            bytes.extend((0..more).map(|_| 0xEE));
            let fci = Fci::parse_usual(&bytes).unwrap();
            assert_eq!(Ok(fci), Fci::parse_any(&bytes));
            assert_eq!(fci.more_startup.len(), usize::from(more));
        }
    }
}
