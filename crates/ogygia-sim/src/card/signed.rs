//! Sessions that the card signs: specification 04, "PKI secure session".

use super::VirtualCard;
use super::session::{Security, Session, length};
use crate::cipher::Transcript;
use crate::command::{Command, Reply};
use crate::profile::ProductType;
use crate::status::{self, Refusal};

/// Low bits of P2 of an opening that asks for a signature.
const SIGNED: u8 = 3;

impl VirtualCard {
    /// Whether an opening asks for a signature, on a directory that can give one.
    pub(super) fn opens_signed(&self, command: &Command) -> bool {
        let known = self.application().is_some_and(|application| application.features.pki_mode);
        command.p2 & 0x07 == SIGNED && known && self.product() == ProductType::Prime3
    }

    /// Whether the open session will be signed.
    pub(super) fn in_signed_session(&self) -> bool {
        self.field.session.as_ref().is_some_and(Session::is_signed)
    }

    pub(super) fn open_signed(&mut self, command: &Command) -> Result<Reply, Refusal> {
        // The challenge is only hashed, with the rest of the command.
        let [version, _challenge @ ..]: [u8; 9] = command.exactly()?;
        if version != 0 || command.le.unwrap_or(0) != 0 {
            return Err(status::WRONG_LENGTH);
        }
        if self.field.session.is_some() {
            return Err(status::FORBIDDEN);
        }
        if command.p1 & 0x07 != 0 {
            return Err(status::UNKNOWN_KEY_INDEX);
        }
        if self.objects().is_none_or(|objects| objects.key_pair.is_none()) {
            return Err(status::FORBIDDEN);
        }
        let record = self.record_to_read(command.p2 >> 3, command.p1 >> 3, None)?;
        let reply = Reply::with(self.signed_data(&record)?);
        let mut transcript = Transcript::new();
        transcript.add(&command.digested());
        transcript.add(&reply.clone().into_bytes());
        self.field.session = Some(Session::new(Security::Signed(transcript), self.memory.content.clone()));
        Ok(reply)
    }

    /// Data of the answer; the transaction counter goes down by one.
    fn signed_data(&mut self, record: &[u8]) -> Result<Vec<u8>, Refusal> {
        let left = self.spend_transaction()?.to_be_bytes();
        let random: [u8; 5] = self.random();
        let application = self.application().ok_or(status::FILE_NOT_FOUND)?;
        let name = application.name.as_deref().unwrap_or_default();
        let mut data = vec![length(name)];
        data.extend_from_slice(name);
        data.extend(application.serial);
        data.push(0x00);
        data.extend(left.iter().skip(1));
        data.extend(random);
        data.extend([u8::from(!self.memory.ratified), 0xFF, 0xFF, length(record)]);
        data.extend_from_slice(record);
        Ok(data)
    }

    /// Closes with a signature. An abort has the same bytes, so it closes too.
    pub(super) fn close_signed(&mut self, command: &Command, transcript: Transcript) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        command.without_data()?;
        let signature = self.objects().and_then(|objects| transcript.sign(objects.key_pair.as_ref()?));
        let Some(signature) = signature else {
            self.roll_back();
            return Err(status::SECURITY_STATUS);
        };
        self.field.session = None;
        self.memory.ratified = false;
        self.field.awaits_ratification = true;
        Ok(Reply::with(signature))
    }
}
