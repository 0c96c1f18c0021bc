//! Get Data and Get Challenge.

use super::VirtualCard;
use super::select::{file_size, kind_byte, tlv};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

pub(super) const GET_DATA: u8 = 0xCA;

impl VirtualCard {
    pub(super) fn get_data(&self, command: &Command) -> Result<Reply, Refusal> {
        if !command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        let object = (command.p1, command.p2);
        let asymmetric = matches!(object, (0xDF, 0x2C | 0x4A..=0x4D));
        if self.field.session.is_some() && !(asymmetric && self.in_signed_session()) {
            return Err(status::FORBIDDEN);
        }
        if !self.profile.behaviour.get_data_supported {
            return Err(status::NO_DATA_OBJECT);
        }
        match object {
            (0x00, 0x6F) => self.fci(),
            (0x00, 0x62) => Ok(Reply::with(tlv(&[0x62], &self.fcp()?))),
            (0x00, 0xC0) => self.file_list(),
            (0x01, 0x85) => {
                let traceability = self.profile.traceability.as_ref().ok_or(status::NO_DATA_OBJECT)?;
                Ok(Reply::with(traceability.0.clone()))
            }
            (_, name) if asymmetric => self.get_object(name),
            _ => Err(status::WRONG_P1P2),
        }
    }

    fn file_list(&self) -> Result<Reply, Refusal> {
        let application = self.application().ok_or(status::NO_DATA_OBJECT)?;
        let entries = application.files.iter().map(|file| {
            let [high, low] = file.lid.to_be_bytes();
            let [size, count] = file_size(file);
            tlv(&[0xC1], &[high, low, file.sfi, kind_byte(file.kind), size, count])
        });
        Ok(Reply::with(tlv(&[0xC0], &entries.collect::<Vec<_>>().concat())))
    }

    pub(super) fn get_challenge(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        if !command.data.is_empty() || !matches!(command.le, None | Some(0 | 8)) {
            return Err(status::WRONG_LENGTH);
        }
        let challenge = self.random();
        self.field.challenge = Some(challenge);
        Ok(Reply::with(challenge))
    }
}
