//! Unlocking a SAM: specification 03, "Unlock".

use alloc::vec::Vec;
use core::fmt;

use super::command::{Encoder, Expected, Purpose, refusals};
use crate::apdu::{Case, StatusSet};
use crate::command::{CommandName, Refusal, Refusals};
use crate::error::{Argument, Error};
use crate::secret::Secret;

pub(crate) const UNLOCK_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
];

/// A SAM that is not locked says `6985`: there was nothing to unlock.
pub(crate) const UNLOCK_ACCEPTS: StatusSet = StatusSet::ACCESS_FORBIDDEN;

/// What unlocks a SAM. Never shown, and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub enum UnlockValue {
    /// The value of its lock: 16 bytes.
    Static(Secret<16>),
    /// A value computed for a challenge of the SAM: 8 bytes.
    Dynamic(Secret<8>),
}

impl UnlockValue {
    /// A value of 8 or 16 bytes.
    ///
    /// # Errors
    ///
    /// Another length.
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        let long = bytes.try_into().map(|long| Self::Static(Secret::new(long)));
        long.or_else(|_| bytes.try_into().map(|short| Self::Dynamic(Secret::new(short))))
            .map_err(|_| Argument::UnlockValue.into())
    }

    fn reveal(&self) -> &[u8] {
        match self {
            Self::Static(value) => value.reveal(),
            Self::Dynamic(value) => value.reveal(),
        }
    }
}

impl fmt::Debug for UnlockValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnlockValue(..)")
    }
}

impl Encoder {
    pub(crate) fn unlock(self, value: &UnlockValue, out: &mut Vec<u8>) -> Expected {
        self.header(0x20, 0x00, 0x00).write(Case::Three, value.reveal(), out);
        Expected { name: CommandName::SamUnlock, answer_len: 0, purpose: Purpose::Itself }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::SamProduct;
    use crate::test_hex::hex;

    /// The worked examples.
    #[test]
    fn encoding() {
        let written = |product, value: &str| {
            let mut out = Vec::new();
            Encoder(product).unlock(&UnlockValue::new(&hex(value)).unwrap(), &mut out);
            out
        };
        let value = "00112233445566778899AABBCCDDEEFF";
        assert_eq!(written(SamProduct::SamC1, value), hex("802000001000112233445566778899AABBCCDDEEFF"));
        assert_eq!(written(SamProduct::SamS1Dx, value), hex("942000001000112233445566778899AABBCCDDEEFF"));
        assert_eq!(written(SamProduct::SamC1, "0011223344556677"), hex("80200000080011223344556677"));
    }

    #[test]
    fn lengths() {
        let fits = [0, 7, 8, 9, 15, 16, 17].map(|len| UnlockValue::new(&alloc::vec![0; len]).is_ok());
        assert_eq!(fits, [false, false, true, false, false, true, false]);
    }
}
