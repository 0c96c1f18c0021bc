//! RSA public keys of authorities: 2048 bits, exponent 65537. Specification 04, "Key formats".

use alloc::boxed::Box;
use core::fmt;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Odd, U2048};

use super::KeyDefect;

/// How many limbs a modulus has on this machine.
pub(super) const LIMBS: usize = U2048::LIMBS;

/// Bytes of a modulus, and of a signature.
pub(super) const MODULUS_LEN: usize = 256;

/// The public exponent.
const EXPONENT: [u8; 3] = [0x01, 0x00, 0x01];

/// An RSA public key that can be used: an odd modulus of 2048 bits; the exponent is 65537.
#[derive(Clone, PartialEq, Eq)]
pub struct RsaPublicKey {
    /// On the heap: it is a kilobyte, and keys are moved about. Computed once, for it costs as much as a
    /// verification.
    params: Box<FixedMontyParams<LIMBS>>,
}

impl RsaPublicKey {
    /// The key of a modulus.
    ///
    /// # Errors
    ///
    /// [`KeyDefect::Size`], [`KeyDefect::Even`].
    pub fn new(modulus: &[u8; MODULUS_LEN]) -> Result<Self, KeyDefect> {
        let [first, ..] = modulus;
        if first & 0x80 == 0 {
            return Err(KeyDefect::Size);
        }
        let modulus = Odd::new(U2048::from_be_slice(modulus)).into_option().ok_or(KeyDefect::Even)?;
        // The modulus is public.
        Ok(Self { params: Box::new(FixedMontyParams::new_vartime(modulus)) })
    }

    /// The key of a modulus and an exponent of any length, as key objects give them.
    ///
    /// # Errors
    ///
    /// [`KeyDefect::Size`], [`KeyDefect::Even`], [`KeyDefect::Exponent`].
    pub fn from_parts(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyDefect> {
        let modulus = without_zeros(modulus).try_into().map_err(|_| KeyDefect::Size)?;
        if without_zeros(exponent) != EXPONENT {
            return Err(KeyDefect::Exponent);
        }
        Self::new(modulus)
    }

    /// The modulus, most significant byte first.
    #[must_use]
    pub fn modulus(&self) -> [u8; MODULUS_LEN] {
        to_bytes(self.params.modulus().as_ref())
    }

    #[cfg(feature = "pki-authority")]
    pub(super) const fn params(&self) -> &FixedMontyParams<LIMBS> {
        &self.params
    }

    /// `signature` to the power of the exponent; nothing when it is not below the modulus.
    pub(super) fn raise(&self, signature: &[u8; MODULUS_LEN]) -> Option<[u8; MODULUS_LEN]> {
        let signature = U2048::from_be_slice(signature);
        if signature >= *self.params.modulus().as_ref() {
            return None;
        }
        // 65537 is 2 to the 16, and one. All of it is public.
        let base = FixedMontyForm::new(&signature, &self.params);
        let raised = base.square_repeat_vartime(16).mul(&base);
        Some(to_bytes(&raised.retrieve()))
    }
}

impl fmt::Debug for RsaPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RsaPublicKey(")?;
        self.modulus().iter().take(8).try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str("...)")
    }
}

pub(super) fn to_bytes(number: &U2048) -> [u8; MODULUS_LEN] {
    let encoded = number.to_be_bytes();
    // The length is that of the type.
    encoded.as_slice().first_chunk().copied().unwrap_or([0; MODULUS_LEN])
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moduli_that_cannot_be_used() {
        let mut modulus = [0xFF; 256];
        assert!(RsaPublicKey::new(&modulus).is_ok());
        modulus[255] = 0xFE;
        assert_eq!(RsaPublicKey::new(&modulus), Err(KeyDefect::Even));
        modulus[0] = 0x7F;
        assert_eq!(RsaPublicKey::new(&modulus), Err(KeyDefect::Size));
    }

    #[test]
    fn parts_of_a_key_object() {
        let modulus = [&[0, 0][..], &[0xFF; 256]].concat();
        assert!(RsaPublicKey::from_parts(&modulus, &[0, 1, 0, 1]).is_ok());
        assert_eq!(RsaPublicKey::from_parts(&modulus, &[3]), Err(KeyDefect::Exponent));
        assert_eq!(RsaPublicKey::from_parts(&[0xFF; 128], &[1, 0, 1]), Err(KeyDefect::Size));
        assert_eq!(RsaPublicKey::from_parts(&[], &[1, 0, 1]), Err(KeyDefect::Size));
    }

    #[test]
    fn what_is_not_below_the_modulus_is_no_signature() {
        let modulus = [0xFF; 256];
        let key = RsaPublicKey::new(&modulus).unwrap();
        assert_eq!(key.raise(&modulus), None);
        let mut one = [0; 256];
        one[255] = 1;
        assert_eq!(key.raise(&one), Some(one));
        let mut less_by_one = modulus;
        less_by_one[255] = 0xFE;
        assert_eq!(key.raise(&less_by_one), Some(less_by_one), "minus one to an odd power");
    }
}
