//! Invalidate and Rehabilitate.

use super::VirtualCard;
use super::access::Group;
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

impl VirtualCard {
    pub(super) fn change_validity(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        command.without_data()?;
        let at = self.field.application.ok_or(status::FORBIDDEN)?;
        let application = self.application().ok_or(status::FORBIDDEN)?;
        let invalidate = command.ins == 0x04;
        let group = if invalidate { Group::INVALIDATE } else { Group::REHABILITATE };
        self.allow(application.access.rule(group), None)?;
        if self.is_invalidated() == invalidate {
            return Err(status::FORBIDDEN);
        }
        self.charge(0, false)?;
        if let Some(status) = self.memory.content.df_status.get_mut(at) {
            status.0 ^= 1;
        }
        Ok(Reply::done())
    }
}
