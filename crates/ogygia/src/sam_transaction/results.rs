//! What came of operations that give a result of their own.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::SamTransaction;
use crate::sam::{SamKeyPair, SignatureId, SignatureOutcome, Signatures};

/// A key pair that was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyPairId(pub(super) usize);

/// A certificate that was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CertificateId(pub(super) usize);

const CERTIFICATE_LEN: usize = crate::sam::certify::CERTIFICATE_LEN;

#[derive(Debug, Default)]
pub(super) struct Results {
    pub(super) signatures: Signatures,
    /// Boxed, so that a growing list leaves no private key behind.
    key_pairs: Vec<Option<Box<SamKeyPair>>>,
    certificates: Vec<Option<Box<[u8; CERTIFICATE_LEN]>>>,
}

impl Results {
    pub(super) fn expect_key_pair(&mut self) -> usize {
        self.key_pairs.push(None);
        self.key_pairs.len() - 1
    }

    pub(super) fn expect_certificate(&mut self) -> usize {
        self.certificates.push(None);
        self.certificates.len() - 1
    }

    pub(super) fn set_key_pair(&mut self, place: usize, pair: SamKeyPair) {
        if let Some(place) = self.key_pairs.get_mut(place) {
            *place = Some(Box::new(pair));
        }
    }

    pub(super) fn set_certificate(&mut self, place: usize, certificate: [u8; CERTIFICATE_LEN]) {
        if let Some(place) = self.certificates.get_mut(place) {
            *place = Some(Box::new(certificate));
        }
    }
}

impl SamTransaction {
    /// What became of a signature; nothing as long as the SAM has not told.
    #[must_use]
    pub fn signature(&self, id: SignatureId) -> Option<SignatureOutcome<'_>> {
        self.results.signatures.outcome(id)
    }

    /// The key pair that was prepared; nothing as long as the SAM has not made it.
    #[must_use]
    pub fn key_pair(&self, KeyPairId(place): KeyPairId) -> Option<&SamKeyPair> {
        self.results.key_pairs.get(place)?.as_deref()
    }

    /// The certificate that was prepared, 316 bytes; nothing as long as the SAM has not made it. Who needs more than
    /// the bytes reads them with `ogygia::pki::CardCertificate`.
    #[must_use]
    pub fn certificate(&self, CertificateId(place): CertificateId) -> Option<&[u8; CERTIFICATE_LEN]> {
        self.results.certificates.get(place)?.as_deref()
    }

    /// Forgets all results: what they were prepared with names nothing any more.
    pub fn forget_results(&mut self) {
        self.results = Results::default();
    }
}
