//! What a card with a key pair computes: ECDSA on the curve P-256 over SHA-256. No secret of cards: it is public.

use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::hex::Hex;

/// Bytes of a public key: both coordinates of a point.
pub(crate) const PUBLIC_LEN: usize = 64;
/// Bytes of a private key.
pub(crate) const PRIVATE_LEN: usize = 32;
/// Bytes of a signature: two numbers.
pub(crate) const SIGNATURE_LEN: usize = 64;

/// The key pair of a directory. `Debug` hides it, dropping it wipes it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct KeyPair(SigningKey);

impl KeyPair {
    /// The key pair of a private key; nothing when it is zero or too large.
    pub(crate) fn from_private(private: &[u8; PRIVATE_LEN]) -> Option<Self> {
        SigningKey::from_slice(private).ok().map(Self)
    }

    pub(crate) fn public(&self) -> [u8; PUBLIC_LEN] {
        let point = self.0.verifying_key().to_sec1_point(false);
        point.as_bytes().last_chunk().copied().unwrap_or([0; PUBLIC_LEN])
    }

    pub(crate) fn private(&self) -> Zeroizing<[u8; PRIVATE_LEN]> {
        Zeroizing::new(self.0.to_bytes().into())
    }
}

impl std::fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyPair(..)")
    }
}

impl Serialize for KeyPair {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(*self.private()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for KeyPair {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Hex(private) = Hex::<[u8; PRIVATE_LEN]>::deserialize(deserializer)?;
        Self::from_private(&Zeroizing::new(private)).ok_or_else(|| de::Error::custom("no private key of the curve"))
    }
}

/// What a card signs of a session: specification 04, "What the card signs".
#[derive(Clone)]
pub(crate) struct Transcript(Sha256);

impl Transcript {
    pub(crate) fn new() -> Self {
        Self(Sha256::new_with_prefix([0x10]))
    }

    /// Adds a command without the Le of case 4, or an answer with its status word, behind its length modulo 256.
    pub(crate) fn add(&mut self, message: &[u8]) {
        let [.., length] = message.len().to_be_bytes();
        self.0.update([length]);
        self.0.update(message);
    }

    /// The signature: the same each time, since its random number follows from key and message (RFC 6979).
    pub(crate) fn sign(self, key: &KeyPair) -> Option<[u8; SIGNATURE_LEN]> {
        let signature: Signature = key.0.sign_prehash(&self.0.finalize()).ok()?;
        Some(signature.to_bytes().into())
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Transcript(..)")
    }
}
