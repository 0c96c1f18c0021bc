//! Private keys.

use core::fmt;

use crypto_bigint::modular::FixedMontyForm;
use crypto_bigint::{NonZero, U1024, U2048};
use crypto_primes::{Flavor, random_prime};
use p256::SecretKey;
use p256::elliptic_curve::Generate;
use rand_core::CryptoRng;
use zeroize::{Zeroize, Zeroizing};

use super::super::rsa::{MODULUS_LEN, to_bytes};
use super::super::{CardPublicKey, RsaPublicKey};
use super::IssueError;

/// The RSA private key of an authority. Wiped when it goes.
///
/// Signing takes the same time whatever the key is.
pub struct RsaPrivateKey {
    public: RsaPublicKey,
    exponent: U2048,
}

impl RsaPrivateKey {
    /// A new key, of primes drawn from `rng`.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        loop {
            let p = Zeroizing::new(random_prime::<U1024, _>(rng, Flavor::Any, U1024::BITS));
            let q = Zeroizing::new(random_prime::<U1024, _>(rng, Flavor::Any, U1024::BITS));
            if let Some(key) = Self::from_primes(&p, &q) {
                return key;
            }
        }
    }

    /// Nothing when the product of the primes is too short, or they do not go with the exponent.
    fn from_primes(p: &U1024, q: &U1024) -> Option<Self> {
        let modulus: U2048 = p.concatenating_mul(q);
        let less = |prime: &U1024| Zeroizing::new(prime.wrapping_sub(&U1024::ONE));
        let order: Zeroizing<U2048> = Zeroizing::new(less(p).concatenating_mul(&less(q)));
        let order = Zeroizing::new(NonZero::new(*order).into_option()?);
        let exponent = Zeroizing::new(U2048::from_u32(65537).invert_mod(&order).into_option()?);
        Self::new(&to_bytes(&modulus), *exponent).ok()
    }

    /// A key from its modulus and its private exponent.
    ///
    /// # Errors
    ///
    /// [`IssueError::KeyPair`]: they do not belong together, or the modulus has not 2048 bits.
    pub fn from_parts(modulus: &[u8; MODULUS_LEN], exponent: &[u8; MODULUS_LEN]) -> Result<Self, IssueError> {
        Self::new(modulus, U2048::from_be_slice(exponent))
    }

    fn new(modulus: &[u8; MODULUS_LEN], exponent: U2048) -> Result<Self, IssueError> {
        let key = Self { public: RsaPublicKey::new(modulus).map_err(|_| IssueError::KeyPair)?, exponent };
        let message = [0x02; MODULUS_LEN];
        if key.public.raise(&key.raise(&message)) == Some(message) { Ok(key) } else { Err(IssueError::KeyPair) }
    }

    /// The public key.
    #[must_use]
    pub const fn public_key(&self) -> &RsaPublicKey {
        &self.public
    }

    /// The private exponent, to be stored. This shows what must not be shown.
    #[must_use]
    pub fn expose_exponent(&self) -> Zeroizing<[u8; MODULUS_LEN]> {
        Zeroizing::new(to_bytes(&self.exponent))
    }

    /// `block`, which is below the modulus, to the power of the private exponent.
    pub(super) fn raise(&self, block: &[u8; MODULUS_LEN]) -> [u8; MODULUS_LEN] {
        let base = FixedMontyForm::new(&U2048::from_be_slice(block), self.public.params());
        to_bytes(&base.pow(&self.exponent).retrieve())
    }
}

impl Drop for RsaPrivateKey {
    fn drop(&mut self) {
        self.exponent.zeroize();
    }
}

impl fmt::Debug for RsaPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RsaPrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}

/// The key pair of a card. Wiped when it goes.
pub struct CardKeyPair(SecretKey);

impl CardKeyPair {
    /// Bytes of a private key.
    pub const PRIVATE_LEN: usize = 32;

    /// A new key pair, drawn from `rng`.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R) -> Self {
        Self(SecretKey::generate_from_rng(rng))
    }

    /// The key pair of a private key.
    ///
    /// # Errors
    ///
    /// [`IssueError::KeyPair`]: zero, or not below the order of the curve.
    pub fn from_private(private: &[u8; Self::PRIVATE_LEN]) -> Result<Self, IssueError> {
        SecretKey::from_slice(private).map(Self).map_err(|_| IssueError::KeyPair)
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> CardPublicKey {
        CardPublicKey::of_point(self.0.public_key())
    }

    /// The private key, to be stored. This shows what must not be shown.
    #[must_use]
    pub fn expose_private(&self) -> Zeroizing<[u8; Self::PRIVATE_LEN]> {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

impl fmt::Debug for CardKeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardKeyPair(..)")
    }
}
