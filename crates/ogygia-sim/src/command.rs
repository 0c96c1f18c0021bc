//! Commands as a card or a SAM receives them.

use zeroize::Zeroizing;

use crate::status::{self, Refusal};

/// A command, cut into its parts.
#[derive(Clone)]
pub(crate) struct Command {
    pub(crate) cla: u8,
    pub(crate) ins: u8,
    pub(crate) p1: u8,
    pub(crate) p2: u8,
    /// Data field; empty in cases 1 and 2. There may be PINs and keys in it, so it is wiped.
    pub(crate) data: Zeroizing<Vec<u8>>,
    /// Last byte where it is no Lc: Le, or the 00 that ends case 1.
    pub(crate) le: Option<u8>,
}

impl Command {
    /// Cuts `bytes` as the specification of card commands, "APDU cases and encoding of Lc and Le", says. A lone 00
    /// behind the header reads as case 1 or 2 alike.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let ([cla, ins, p1, p2], rest) = bytes.split_first_chunk::<4>().ok_or(status::WRONG_LENGTH)?;
        let (data, le) = match rest {
            [] => (&[][..], None),
            [le] => (&[][..], Some(*le)),
            [lc, body @ ..] => match body.split_at_checked(usize::from(*lc)) {
                Some((data, [])) => (data, None),
                Some((data, [le])) => (data, Some(*le)),
                _ => return Err(status::WRONG_LENGTH),
            },
        };
        Ok(Self { cla: *cla, ins: *ins, p1: *p1, p2: *p2, data: Zeroizing::new(data.to_vec()), le })
    }

    /// The bytes that a session digests: all, without the Le of case 4.
    pub(crate) fn digested(&self) -> Vec<u8> {
        let mut bytes = vec![self.cla, self.ins, self.p1, self.p2];
        if self.data.is_empty() {
            bytes.extend(self.le);
        } else {
            bytes.push(self.lc());
            bytes.extend_from_slice(&self.data);
        }
        bytes
    }

    /// Number of data bytes.
    pub(crate) fn lc(&self) -> u8 {
        u8::try_from(self.data.len()).unwrap_or(u8::MAX)
    }

    /// Refuses a data field or a length asked for.
    pub(crate) fn without_data(&self) -> Result<(), Refusal> {
        if self.data.is_empty() && self.le.unwrap_or(0) == 0 { Ok(()) } else { Err(status::WRONG_LENGTH) }
    }

    /// Refuses P1 and P2 other than these.
    pub(crate) fn with_parameters(&self, p1: u8, p2: u8) -> Result<(), Refusal> {
        if (self.p1, self.p2) == (p1, p2) { Ok(()) } else { Err(status::WRONG_P1P2) }
    }

    /// The data field when it has `N` bytes.
    pub(crate) fn exactly<const N: usize>(&self) -> Result<[u8; N], Refusal> {
        self.data.as_slice().try_into().map_err(|_| status::WRONG_LENGTH)
    }
}

/// An answer.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    pub(crate) data: Vec<u8>,
    pub(crate) status: Option<Refusal>,
}

impl Reply {
    /// `9000` alone.
    pub(crate) fn done() -> Self {
        Self::default()
    }

    /// Data and `9000`.
    pub(crate) fn with(data: impl Into<Vec<u8>>) -> Self {
        Self { data: data.into(), status: None }
    }

    /// The same data with another status word.
    pub(crate) fn and(self, status: Refusal) -> Self {
        Self { status: Some(status), ..self }
    }

    /// The bytes on the wire.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        let Self { mut data, status } = self;
        data.extend_from_slice(&status.unwrap_or(status::SUCCESS).to_bytes());
        data
    }
}

impl From<Result<Self, Refusal>> for Reply {
    fn from(result: Result<Self, Refusal>) -> Self {
        result.unwrap_or_else(|status| Self::done().and(status))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digested(text: &str) -> String {
        crate::hex::encode(&Command::parse(&crate::hex::decode(text).unwrap()).unwrap().digested())
    }

    #[test]
    fn only_the_le_of_case_4_is_not_digested() {
        assert_eq!(digested("0004000000"), "0004000000");
        assert_eq!(digested("00B2013C1D"), "00B2013C1D");
        assert_eq!(digested("00DC010C01AA"), "00DC010C01AA");
        assert_eq!(digested("003001800300006400"), "0030018003000064");
        let long = format!("00A2010F80{}00", "11".repeat(128));
        assert_eq!(digested(&long), long.strip_suffix("00").unwrap());
    }

    #[test]
    fn lengths_that_do_not_add_up_are_refused() {
        for text in ["", "00", "00B201", "00DC010C02AA", "00DC010C01AA0000"] {
            assert!(Command::parse(&crate::hex::decode(text).unwrap()).is_err(), "{text}");
        }
    }
}
