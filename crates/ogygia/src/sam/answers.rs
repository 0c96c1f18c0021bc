//! What the SAM has answered to the needs of a card transaction.

use core::fmt;
use core::hint::cold_path;

use super::command::{Proof, Purpose};
use super::queue::Queued;
use super::signature::Signatures;
use crate::apdu::{Batch, StatusWord};
use crate::command::CommandName;
use crate::error::{Error, Untrusted};
use crate::hint::unlikely;

/// Answers that carry data, until they are used.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) challenge: Option<[u8; 8]>,
    /// MACs, cryptograms, Stored Value data, ciphered commands, deciphered answers: in the order in which they are used.
    materials: Batch,
    /// How many of them were used.
    used: usize,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

impl Answers {
    /// Other answers come.
    pub(super) fn clear_materials(&mut self) {
        self.materials.clear();
        self.used = 0;
    }

    /// What the SAM gave for the next card command, or made of the card's answer. Each is given once.
    pub(super) fn next_material(&mut self) -> &[u8] {
        self.used += 1;
        self.materials.get(self.used - 1).unwrap_or_default()
    }

    /// Keeps what an answer gives.
    pub(super) fn take(
        &mut self,
        queued: &Queued<'_>,
        signatures: &mut Signatures,
        authenticated: &mut Option<Proof>,
    ) -> Result<(), Error> {
        if unlikely(queued.answer.status != StatusWord::SUCCESS || !queued.has_expected_length()) {
            return Err(refused(queued, signatures));
        }
        let data = queued.answer.data;
        match queued.expected.purpose {
            Purpose::Itself => {}
            Purpose::Challenge => self.challenge = Some(padded(data)),
            Purpose::Authentication(proof) => *authenticated = Some(proof),
            Purpose::Material => self.materials.push(data),
            Purpose::Signature(_) => {
                cold_path();
                return take_signature(queued, signatures);
            }
        }
        Ok(())
    }
}

fn take_signature(queued: &Queued<'_>, signatures: &mut Signatures) -> Result<(), Error> {
    signatures.take(*queued.expected, queued.answer.data).map_err(|wrong| match wrong {
        Ok(untrusted) => untrusted.into(),
        Err(how) => queued.misbehaved(how),
    })
}

/// What is wrong with an answer. A wrong MAC or signature is the card's doing, and no error of the SAM.
#[cold]
fn refused(queued: &Queued<'_>, signatures: &mut Signatures) -> Error {
    match (queued.answer.status, queued.expected.name) {
        (StatusWord::SUCCESS, _) => queued.unexpected_length(),
        (StatusWord::WRONG_MAC, CommandName::SamDigestAuthenticate) => Untrusted::SessionMac.into(),
        (StatusWord::WRONG_MAC, CommandName::SamSvCheck) => Untrusted::StoredValueMac.into(),
        (StatusWord::WRONG_MAC, CommandName::SamPsoVerifySignature) => {
            signatures.refuse(*queued.expected);
            Untrusted::Signature.into()
        }
        _ => queued.refused(),
    }
}

/// A challenge of four or eight bytes, as that length was checked.
fn padded(challenge: &[u8]) -> [u8; 8] {
    match (challenge.first_chunk::<8>(), challenge.first_chunk::<4>()) {
        (Some(long), _) => *long,
        (None, Some(&[a, b, c, d])) => [a, b, c, d, 0, 0, 0, 0],
        (None, None) => [0; 8],
    }
}
