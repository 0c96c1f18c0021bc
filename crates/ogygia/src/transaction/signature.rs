//! Signatures of data beside a card transaction: specification 02, "Data signatures (crypto extension)".

use super::Transaction;
use crate::command::CommandName;
use crate::error::Error;
use crate::sam::{ComputeSignature, SignatureId, SignatureOutcome, VerifySignature};

impl Transaction {
    /// Has the SAM sign data with its next request, or when nothing else is left to process.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or no SAM. What is prepared stays as it is.
    pub fn prepare_signature(&mut self, compute: &ComputeSignature<'_>) -> Result<SignatureId, Error> {
        self.check_idle()?;
        let symmetric = self.symmetric.as_mut();
        let symmetric = symmetric.ok_or(Error::Unsupported(CommandName::SamPsoComputeSignature))?;
        symmetric.service.queue_signature(compute)
    }

    /// Has the SAM verify a signature with its next request, or when nothing else is left to process. A wrong one makes
    /// the processing fail.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or no SAM. What is prepared stays as it is.
    pub fn prepare_verification(&mut self, verify: &VerifySignature<'_>) -> Result<SignatureId, Error> {
        self.check_idle()?;
        let symmetric = self.symmetric.as_mut();
        let symmetric = symmetric.ok_or(Error::Unsupported(CommandName::SamPsoVerifySignature))?;
        symmetric.service.queue_verification(verify)
    }

    /// As [`prepare_verification`](Self::prepare_verification), but only for a SAM that is not revoked: `is_revoked` is
    /// asked with the serial number (three or four bytes) and the counter that the data holds. They are not verified yet;
    /// ask again when the signature is.
    ///
    /// # Errors
    ///
    /// Also [`Untrusted::SamRevoked`](crate::Untrusted::SamRevoked).
    pub fn prepare_verification_unless(
        &mut self,
        verify: &VerifySignature<'_>,
        is_revoked: impl FnOnce(&[u8], u32) -> bool,
    ) -> Result<SignatureId, Error> {
        self.check_idle()?;
        verify.check_unless(is_revoked)?;
        self.prepare_verification(verify)
    }

    /// What became of a signature; nothing as long as the SAM has not told.
    #[must_use]
    pub fn signature(&self, id: SignatureId) -> Option<SignatureOutcome<'_>> {
        self.symmetric.as_ref()?.service.signature(id)
    }
}
