//! Command APDUs in their four cases.

use alloc::vec::Vec;

/// Header, Lc, 255 bytes of data, Le.
pub(crate) const MAX_COMMAND_LEN: usize = 261;

/// The four bytes that begin a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Class.
    pub cla: u8,
    /// Instruction.
    pub ins: u8,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
}

/// What follows the header: specification 01, "APDU cases and encoding of Lc and Le".
///
/// The case belongs to the command and is never guessed from its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Case {
    /// No data, no answer: a fifth byte `00` follows.
    One,
    /// An answer of this length (0: whatever there is).
    Two(u8),
    /// Data, no answer.
    Three,
    /// Data and an answer of this length (0: whatever there is).
    Four(u8),
}

impl Header {
    /// A header from its four bytes.
    #[must_use]
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self { cla, ins, p1, p2 }
    }

    /// Appends the whole command to `out`.
    ///
    /// `data` is only used by cases 3 and 4. Callers keep it within 255 bytes; what is longer is cut, because a
    /// length that does not fit its byte must not reach a card.
    ///
    /// ```
    /// use ogygia::apdu::{Case, Header};
    ///
    /// let mut out = Vec::new();
    /// Header::new(0x00, 0x32, 0x01, 0x80).write(Case::Four(0), &[0x00, 0x00, 0x64], &mut out);
    /// assert_eq!(out, [0x00, 0x32, 0x01, 0x80, 0x03, 0x00, 0x00, 0x64, 0x00]);
    /// ```
    #[inline]
    pub fn write(self, case: Case, data: &[u8], out: &mut Vec<u8>) {
        let lc = u8::try_from(data.len()).unwrap_or(u8::MAX);
        let (fifth, data, le) = match case {
            Case::One => (0, &[][..], None),
            Case::Two(le) => (le, &[][..], None),
            Case::Three => (lc, data, None),
            Case::Four(le) => (lc, data, Some(le)),
        };
        out.extend_from_slice(&[self.cla, self.ins, self.p1, self.p2, fifth]);
        if !data.is_empty() {
            out.extend_from_slice(data.get(..usize::from(lc)).unwrap_or(data));
        }
        if let Some(le) = le {
            out.push(le);
        }
    }
}

impl Case {
    /// The part of a command of this case that enters a session digest: all of it but the Le of case 4
    /// (specification 01, "What is fed to the session MAC").
    #[must_use]
    pub fn digested(self, command: &[u8]) -> &[u8] {
        match (self, command.split_last()) {
            (Self::Four(_), Some((_, without_le))) => without_le,
            _ => command,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(case: Case, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        Header::new(0x00, 0xA4, 0x09, 0x00).write(case, data, &mut out);
        out
    }

    #[test]
    fn four_cases() {
        assert_eq!(written(Case::One, &[]), [0x00, 0xA4, 0x09, 0x00, 0x00]);
        assert_eq!(written(Case::Two(0x1D), &[]), [0x00, 0xA4, 0x09, 0x00, 0x1D]);
        assert_eq!(written(Case::Three, &[1, 2]), [0x00, 0xA4, 0x09, 0x00, 2, 1, 2]);
        assert_eq!(written(Case::Four(0), &[1, 2]), [0x00, 0xA4, 0x09, 0x00, 2, 1, 2, 0]);
    }

    #[test]
    fn le_of_case_four_is_not_digested() {
        let long = [0x11; 200];
        let command = written(Case::Four(0), &long);
        assert_eq!(Case::Four(0).digested(&command).len(), 205);
        let read = written(Case::Two(0xFF), &[]);
        assert_eq!(Case::Two(0xFF).digested(&read), read);
    }
}
