//! Update, Write and Append Record.

use super::VirtualCard;
use super::access::Group;
use super::layout::File;
use crate::command::{Command, Reply};
use crate::profile::FileKind;
use crate::status::{self, Refusal};

impl VirtualCard {
    pub(super) fn update_record(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let file = self.target(command)?;
        if file.kind == FileKind::Binary || (file.kind == FileKind::Cyclic && command.p1 != 1) {
            return Err(status::WRONG_FILE_TYPE);
        }
        self.admit(&file, command, Group::Update)?;
        self.memory.content.put(&file.place, command.p1, 0, &command.data);
        Ok(Reply::done())
    }

    pub(super) fn write_record(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let file = self.target(command)?;
        match file.kind {
            FileKind::Linear => {}
            FileKind::Cyclic if command.p1 == 1 => {}
            _ => return Err(status::WRONG_FILE_TYPE),
        }
        self.admit(&file, command, Group::WriteDecrease)?;
        self.memory.content.or(&file.place, command.p1, 0, &command.data);
        Ok(Reply::done())
    }

    pub(super) fn append_record(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if command.p1 != 0 || command.p2 & 0x07 != 0 {
            return Err(status::WRONG_P1P2);
        }
        let file = self.file(command.p2 >> 3)?;
        if file.kind != FileKind::Cyclic {
            return Err(status::WRONG_FILE_TYPE);
        }
        self.admit(&file, command, Group::AppendIncrease)?;
        self.memory.content.append(&file.place, &command.data);
        Ok(Reply::done())
    }

    /// The file of a command that names record and file; a record that does not exist is told before the type.
    fn target(&mut self, command: &Command) -> Result<File, Refusal> {
        if command.p2 & 0x07 != 4 {
            return Err(status::WRONG_P1P2);
        }
        let file = self.file(command.p2 >> 3)?;
        if file.kind != FileKind::Binary && !(1..=file.records).contains(&command.p1) {
            return Err(status::RECORD_NOT_FOUND);
        }
        Ok(file)
    }

    /// Length, access, buffer: in this order.
    fn admit(&mut self, file: &File, command: &Command, group: Group) -> Result<(), Refusal> {
        if command.data.is_empty() || command.data.len() > usize::from(file.record_size) {
            return Err(status::WRONG_LENGTH);
        }
        self.allow_modification(file, group)?;
        self.charge(command.data.len(), file.kind == FileKind::Counters)
    }
}
