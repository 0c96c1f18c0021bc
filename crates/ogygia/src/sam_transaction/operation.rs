//! The operations, and how they are prepared.

use alloc::vec::Vec;

use super::results::{CertificateId, KeyPairId};
use super::{SamTransaction, Step};
use crate::apdu::MAX_COMMAND_LEN;
use crate::error::{Error, Misuse};
use crate::sam::lane::{Line, Then};
use crate::sam::read::ReadCommand;
use crate::sam::write::Writing;
use crate::sam::{
    CertifyCard, ComputeSignature, ConfigureCounter, Diversifier, Encoder, Expected, KeyReference, SamData,
    SignatureId, TransferLock, TransferSystemKey, TransferWorkKey, VerifySignature, WriteCeiling, WriteLock,
    WriteParameters,
};

macro_rules! commands {
    ($($name:ident($kind:ty)),* $(,)?) => {
        /// An operation on a SAM that gives no result of its own: what is read is in the image.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant is the operation of its name")]
        pub enum SamCommand {
            $($name($kind)),*
        }

        $(impl From<$kind> for SamCommand {
            fn from(command: $kind) -> Self {
                Self::$name(command)
            }
        })*
    };
}

commands! {
    Read(SamData),
    WriteLock(WriteLock),
    WriteParameters(WriteParameters),
    TransferSystemKey(TransferSystemKey),
    TransferWorkKey(TransferWorkKey),
    TransferLock(TransferLock),
    WriteCeiling(WriteCeiling),
    ConfigureCounter(ConfigureCounter),
}

/// The length of the challenge that a ciphered writing takes.
const CHALLENGE_LEN: u8 = 8;

impl SamTransaction {
    /// Checks an operation and puts it at the end of what is prepared.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or a writing without control SAM. What is prepared stays as it is.
    pub fn prepare(&mut self, command: impl Into<SamCommand>) -> Result<(), Error> {
        self.check_idle()?;
        match command.into() {
            SamCommand::Read(data) => self.prepare_reading(data),
            SamCommand::WriteLock(lock) => {
                self.push(None, |sam, out| Line::new(sam.write_lock(&lock, out), Then::LockWritten));
                Ok(())
            }
            SamCommand::WriteParameters(write) => self.prepare_writing(Writing::Parameters(write.parameters)),
            SamCommand::TransferSystemKey(transfer) => self.prepare_writing(Writing::SystemKey(transfer)),
            SamCommand::TransferWorkKey(transfer) => self.prepare_writing(transfer.writing()?),
            SamCommand::TransferLock(transfer) => self.prepare_writing(Writing::Lock(transfer)),
            SamCommand::WriteCeiling(write) => self.prepare_writing(write.writing()?),
            SamCommand::ConfigureCounter(configure) => self.prepare_writing(configure.writing()?),
        }
    }

    /// Has the target sign data. Its serial number diversifies the key, unless the operation says otherwise.
    ///
    /// # Errors
    ///
    /// An argument out of its range. What is prepared stays as it is.
    pub fn prepare_signature(&mut self, compute: &ComputeSignature<'_>) -> Result<SignatureId, Error> {
        self.check_idle()?;
        let diversifier = compute.check()?.unwrap_or(self.own_diversifier());
        let id = self.results.signatures.add_computation(compute);
        self.push(Some(diversifier), |sam, out| Line::new(sam.compute(compute, id, out), Then::Signature));
        Ok(id)
    }

    /// Has the target verify a signature. A wrong one makes the processing fail.
    ///
    /// # Errors
    ///
    /// An argument out of its range. What is prepared stays as it is.
    pub fn prepare_verification(&mut self, verify: &VerifySignature<'_>) -> Result<SignatureId, Error> {
        self.check_idle()?;
        let diversifier = verify.check()?.unwrap_or(self.own_diversifier());
        let id = self.results.signatures.add_verification(verify);
        self.push(Some(diversifier), |sam, out| Line::new(sam.verify(verify, id, out), Then::Signature));
        Ok(id)
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

    /// Has the target make a key pair for a card.
    ///
    /// # Errors
    ///
    /// A request is under way.
    pub fn prepare_key_pair(&mut self) -> Result<KeyPairId, Error> {
        self.check_idle()?;
        let id = self.results.expect_key_pair();
        self.push(None, |sam, out| Line::new(sam.generate_key_pair(out), Then::KeyPair(id)));
        Ok(KeyPairId(id))
    }

    /// Has the target make the certificate of a card.
    ///
    /// # Errors
    ///
    /// An argument out of its range.
    pub fn prepare_certificate(&mut self, certify: &CertifyCard<'_>) -> Result<CertificateId, Error> {
        self.check_idle()?;
        certify.check()?;
        let id = self.results.expect_certificate();
        self.push(None, |sam, out| Line::new(sam.compute_certificate(certify, out), Then::Certificate(id)));
        Ok(CertificateId(id))
    }

    pub(super) fn push(&mut self, diversifier: Option<Diversifier>, write: impl FnOnce(Encoder, &mut Vec<u8>) -> Line) {
        let Self { encoder, commands, steps, .. } = self;
        commands.0.make_room(MAX_COMMAND_LEN);
        commands.0.push_with(|out| steps.push(Step::Send(write(*encoder, out), diversifier)));
    }

    pub(super) fn read(encoder: Encoder, command: ReadCommand, out: &mut Vec<u8>) -> Line {
        Line::read(encoder.read(command, out), command)
    }

    /// Event counters and ceilings that are prepared already are not read twice (point G-45).
    fn prepare_reading(&mut self, data: SamData) -> Result<(), Error> {
        data.for_each(|command| {
            if !self.is_prepared(command) {
                self.push(None, |sam, out| Self::read(sam, command, out));
            }
        })
    }

    fn is_prepared(&self, command: ReadCommand) -> bool {
        let (ReadCommand::EventCounters(record) | ReadCommand::Ceilings(record)) = command else { return false };
        let since_written = self.steps.iter().rev().take_while(|step| match step {
            Step::Send(Line { then: Then::Reloaded(writing, counter), .. }, _) => {
                !writing.touches(record) && !counter.is_some_and(|counter| record.counters().contains(&counter))
            }
            Step::Send(..) => true,
            Step::Write(writing) => !writing.touches(record),
        });
        let reads = |line: &Line| matches!(line.then, Then::Read(read) if read == command);
        since_written.into_iter().any(|step| matches!(step, Step::Send(line, _) if reads(line)))
    }

    fn prepare_writing(&mut self, writing: Writing) -> Result<(), Error> {
        if self.control.is_none() {
            return Err(Misuse::NoControlSam.into());
        }
        let mut prepared = self.steps.iter_mut().rev().filter_map(|step| match step {
            Step::Write(other) => Some(other),
            Step::Send(..) => None,
        });
        // Not across another writing of the same ceilings: the last one wins.
        let same = prepared.find(|other| other.overlaps(&writing));
        if same.is_some_and(|other| other.merge(&writing)) {
            return Ok(());
        }
        let key = writing.system_key();
        if self.image.system_kvc(key).is_none() {
            let command = ReadCommand::KeyParameters(KeyReference::System(key));
            self.push(None, |sam, out| Self::read(sam, command, out));
        }
        self.push(None, |sam, out| {
            let expected: Expected = sam.get_challenge(CHALLENGE_LEN, out);
            Line::new(expected, Then::Challenge)
        });
        self.steps.push(Step::Write(writing));
        Ok(())
    }

    fn own_diversifier(&self) -> Diversifier {
        Diversifier::short(self.image.sam().serial_number)
    }
}
