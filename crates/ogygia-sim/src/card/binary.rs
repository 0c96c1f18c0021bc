//! Read, Update and Write Binary.

use super::VirtualCard;
use super::access::Group;
use super::layout::File;
use crate::command::{Command, Reply};
use crate::profile::FileKind;
use crate::status::{self, Refusal};

impl VirtualCard {
    pub(super) fn read_binary(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        let (file, offset) = self.binary(command)?;
        self.allow_read(&file, None)?;
        let content = self.bytes(&file, 1)?;
        let rest = content.get(offset..).filter(|rest| !rest.is_empty()).ok_or(status::RECORD_NOT_FOUND)?;
        let asked = usize::from(command.le.unwrap_or(0));
        if asked > rest.len() {
            return Err(status::other_length(rest.len()));
        }
        let length = if asked == 0 { rest.len().min(usize::from(self.profile.payload_capacity)) } else { asked };
        Ok(Reply::with(rest.get(..length).unwrap_or(rest)))
    }

    /// Update Binary and Write Binary.
    pub(super) fn modify_binary(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let (file, offset) = self.binary(command)?;
        let size = usize::from(file.record_size);
        if offset >= size {
            return Err(status::RECORD_NOT_FOUND);
        }
        if command.data.is_empty() || offset + command.data.len() > size {
            return Err(status::WRONG_LENGTH);
        }
        let update = command.ins == 0xD6;
        self.allow_modification(&file, if update { Group::Update } else { Group::WriteDecrease })?;
        self.charge(command.data.len(), false)?;
        if update {
            self.memory.content.put(&file.place, 1, offset, &command.data);
        } else {
            self.memory.content.or(&file.place, 1, offset, &command.data);
        }
        Ok(Reply::done())
    }

    /// File and offset: P1 with bit 7 names a file, without it is the high byte of an offset in the current one.
    fn binary(&mut self, command: &Command) -> Result<(File, usize), Refusal> {
        if !self.is_prime_2_or_3() {
            return Err(status::UNKNOWN_INS);
        }
        let (sfi, offset) = match command.p1 {
            p1 @ 0x80..=0x9F => (p1 & 0x1F, u16::from(command.p2)),
            0xA0..=0xFF => return Err(status::WRONG_P1P2),
            high => (0, u16::from_be_bytes([high, command.p2])),
        };
        let file = self.file(sfi)?;
        if file.kind == FileKind::Binary { Ok((file, usize::from(offset))) } else { Err(status::WRONG_FILE_TYPE) }
    }
}
