//! Read Records and Read Record Multiple.

use super::VirtualCard;
use super::layout::File;
use crate::command::{Command, Reply};
use crate::profile::{FileKind, ProductType};
use crate::status::{self, Refusal};

impl VirtualCard {
    pub(super) fn read_records(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let several = match command.p2 & 0x07 {
            4 => false,
            5 if self.reads_several_records() => true,
            _ => return Err(status::WRONG_P1P2),
        };
        if !command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        let file = self.file(command.p2 >> 3)?;
        self.allow_record(&file, command.p1)?;
        let asked = usize::from(command.le.unwrap_or(0));
        if several { self.several(&file, command.p1, asked) } else { self.one(&file, command.p1, asked) }
    }

    /// Whether record `number` of `file` exists and may be read.
    pub(super) fn allow_record(&self, file: &File, number: u8) -> Result<(), Refusal> {
        if file.kind == FileKind::Binary {
            return Err(status::WRONG_FILE_TYPE);
        }
        if !(1..=file.records).contains(&number) {
            return Err(status::RECORD_NOT_FOUND);
        }
        self.allow_read(file, None)
    }

    pub(super) fn bytes(&self, file: &File, number: u8) -> Result<Vec<u8>, Refusal> {
        self.memory.content.read(&file.place, number).ok_or(status::RECORD_NOT_FOUND)
    }

    fn one(&self, file: &File, number: u8, asked: usize) -> Result<Reply, Refusal> {
        let mut record = self.bytes(file, number)?;
        match asked {
            // Old cards: no data unless the length is asked for.
            0 if !self.profile.behaviour.le_zero_supported => record.clear(),
            0 => {}
            length if length > record.len() => {
                if !self.profile.behaviour.le_zero_supported {
                    return Ok(Reply::done());
                }
                return Err(status::other_length(record.len()));
            }
            length => record.truncate(length),
        }
        Ok(Reply::with(record))
    }

    /// As many whole records as fit in what is asked for, and in one answer.
    fn several(&self, file: &File, first: u8, asked: usize) -> Result<Reply, Refusal> {
        let capacity = usize::from(self.profile.payload_capacity);
        let room = if asked == 0 { capacity } else { asked };
        let mut data = Vec::new();
        for number in first..=file.records {
            let record = self.bytes(file, number)?;
            if data.len() + record.len() + 2 > room {
                break;
            }
            data.extend([number, u8::try_from(record.len()).unwrap_or(u8::MAX)]);
            data.extend(record);
        }
        Ok(Reply::with(data))
    }

    pub(super) fn read_record_multiple(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !self.reads_several_records() {
            return Err(status::UNKNOWN_INS);
        }
        if command.p2 & 0x07 != 5 {
            return Err(status::WRONG_P1P2);
        }
        let [tag, inner, offset, length] = command.exactly()?;
        let file = self.file(command.p2 >> 3)?;
        self.allow_record(&file, command.p1)?;
        let end = u16::from(offset) + u16::from(length);
        if (tag, inner) != (0x54, 0x02) || length == 0 || end > file.record_size {
            return Err(status::WRONG_DATA);
        }
        let capacity = usize::from(self.profile.payload_capacity);
        let mut data = Vec::new();
        for number in command.p1..=file.records {
            if data.len() + usize::from(length) > capacity {
                return Ok(Reply::with(data).and(status::POSTPONED));
            }
            let record = self.bytes(&file, number)?;
            data.extend(record.get(usize::from(offset)..usize::from(end)).unwrap_or_default());
        }
        Ok(Reply::with(data))
    }

    /// Whether the card knows binary files and multiple counters.
    pub(super) fn is_prime_2_or_3(&self) -> bool {
        matches!(self.product(), ProductType::Prime2 | ProductType::Prime3)
    }
}
