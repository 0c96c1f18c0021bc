//! The signature of a session. Specification 04, "What the card signs".

use core::fmt;

use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::ecdsa::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

use super::{PkiError, VerifiedKey};
use crate::card::PUBLIC_KEY_LEN;

/// Bytes of a signature: two numbers of 32 bytes.
const SIGNATURE_LEN: usize = 64;

/// What is signed in front of the first message.
const PREFIX: u8 = 0x10;

/// What says that both coordinates of a point follow.
const UNCOMPRESSED: u8 = 0x04;

/// The hash of what was exchanged in a session, opening included, closing excluded.
///
/// Commands and answers come in pairs. A command comes as a digest takes it, without the Le of case 4
/// ([`Case::digested`](crate::apdu::Case::digested)); an answer comes whole, with its status word.
#[derive(Clone)]
pub struct SessionDigest(Sha256);

impl SessionDigest {
    /// Begins with the opening.
    ///
    /// # Errors
    ///
    /// [`PkiError::MessageLength`].
    pub fn new(command: &[u8], answer: &[u8]) -> Result<Self, PkiError> {
        let mut digest = Self(Sha256::new_with_prefix([PREFIX]));
        digest.add(command, answer)?;
        Ok(digest)
    }

    /// Goes on with a command and its answer.
    ///
    /// # Errors
    ///
    /// [`PkiError::MessageLength`]; nothing has been added then.
    pub fn add(&mut self, command: &[u8], answer: &[u8]) -> Result<(), PkiError> {
        let lengths = [length_byte(command)?, length_byte(answer)?];
        for (length, message) in lengths.into_iter().zip([command, answer]) {
            self.0.update([length]);
            self.0.update(message);
        }
        Ok(())
    }

    /// What the card signs.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}

impl fmt::Debug for SessionDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionDigest(..)")
    }
}

fn length_byte(message: &[u8]) -> Result<u8, PkiError> {
    u8::try_from(message.len()).map_err(|_| PkiError::MessageLength(message.len()))
}

/// A public key that cards sign with: a point of the curve P-256. Anybody can make one; one that is proved is a
/// [`VerifiedKey`].
#[derive(Clone, PartialEq, Eq)]
pub struct CardPublicKey(VerifyingKey);

impl CardPublicKey {
    /// The key of two coordinates.
    ///
    /// # Errors
    ///
    /// [`PkiError::PublicKeyLength`], [`PkiError::PublicKeyPoint`].
    pub fn new(bytes: &[u8]) -> Result<Self, PkiError> {
        let coordinates: &[u8; PUBLIC_KEY_LEN] =
            bytes.try_into().map_err(|_| PkiError::PublicKeyLength(bytes.len()))?;
        let mut point = [UNCOMPRESSED; PUBLIC_KEY_LEN + 1];
        let [_, tail @ ..] = &mut point;
        tail.copy_from_slice(coordinates);
        VerifyingKey::from_sec1_bytes(&point).map(Self).map_err(|_| PkiError::PublicKeyPoint)
    }

    #[cfg(feature = "pki-authority")]
    pub(super) fn of_point(key: p256::PublicKey) -> Self {
        Self(VerifyingKey::from(key))
    }

    /// The two coordinates.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; PUBLIC_KEY_LEN] {
        let point = self.0.to_sec1_point(false);
        point.as_bytes().last_chunk().copied().unwrap_or([0; PUBLIC_KEY_LEN])
    }

    /// Checks a signature of a session. It proves nothing about whose key it is.
    ///
    /// # Errors
    ///
    /// [`PkiError::SignatureMissing`], [`PkiError::SignatureZero`], [`PkiError::SessionSignatureLength`],
    /// [`PkiError::SessionSignature`].
    pub fn verify(&self, session: SessionDigest, signature: &[u8]) -> Result<(), PkiError> {
        let signature: &[u8; SIGNATURE_LEN] = match signature.len() {
            0 => return Err(PkiError::SignatureMissing),
            len => signature.try_into().map_err(|_| PkiError::SessionSignatureLength(len))?,
        };
        if signature.chunks(SIGNATURE_LEN / 2).any(|half| half.iter().all(|byte| *byte == 0)) {
            return Err(PkiError::SignatureZero);
        }
        // Halves that are not below the order of the curve are refused here.
        let signature = Signature::from_slice(signature).map_err(|_| PkiError::SessionSignature)?;
        self.0.verify_prehash(&session.finish(), &signature).map_err(|_| PkiError::SessionSignature)
    }
}

impl fmt::Debug for CardPublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardPublicKey(")?;
        self.to_bytes().iter().take(8).try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str("...)")
    }
}

/// Verifies one session of a card whose key is proved.
#[derive(Clone, Debug)]
pub struct SessionVerifier {
    key: CardPublicKey,
    digest: SessionDigest,
}

/// Proof that a card with a verified certificate took part in a session as the terminal saw it. Only a verified
/// signature makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionProof(());

impl SessionVerifier {
    /// Begins with the opening of the session: its command without Le, and its whole answer.
    ///
    /// # Errors
    ///
    /// [`PkiError::PublicKeyPoint`], [`PkiError::MessageLength`].
    pub fn start(key: &VerifiedKey, command: &[u8], answer: &[u8]) -> Result<Self, PkiError> {
        Ok(Self { key: CardPublicKey::new(key.as_bytes())?, digest: SessionDigest::new(command, answer)? })
    }

    /// Goes on with a command of the session and its answer: see [`SessionDigest`].
    ///
    /// # Errors
    ///
    /// [`PkiError::MessageLength`]; nothing has been added then.
    pub fn add(&mut self, command: &[u8], answer: &[u8]) -> Result<(), PkiError> {
        self.digest.add(command, answer)
    }

    /// Ends with what the card answered to the closing, without status word.
    ///
    /// # Errors
    ///
    /// Those of [`CardPublicKey::verify`].
    pub fn verify(self, signature: &[u8]) -> Result<SessionProof, PkiError> {
        self.key.verify(self.digest, signature).map(SessionProof)
    }
}
