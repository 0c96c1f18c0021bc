//! Who may do what: access conditions, current file, modification buffer.

use super::VirtualCard;
use super::layout::{Access, File};
use super::session::Session;
use crate::profile::{BudgetUnit, ProductType};
use crate::status::{self, Refusal};

/// An access condition: specification of card profiles, "Access condition".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Always,
    Never,
    Pin,
    /// A session with this key, or one of a lower number.
    Session(u8),
    /// The same with ciphering on.
    Confidential(u8),
    /// The same after the PIN.
    ConfidentialAndPin(u8),
}

/// The rule of a condition byte and a key index. Reserved values refuse everything.
pub(super) const fn rule(ac: u8, key: u8) -> Rule {
    match ac {
        0x1F => Rule::Always,
        0x01 => Rule::Pin,
        0x10 | 0x12 => Rule::Session(key),
        0x14 => Rule::Confidential(key),
        0x15 => Rule::ConfidentialAndPin(key),
        _ => Rule::Never,
    }
}

/// The groups of commands that an access condition rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    Read,
    Update,
    WriteDecrease,
    AppendIncrease,
}

impl Group {
    /// Groups of a directory: the same places mean something else.
    pub(super) const REHABILITATE: Self = Self::Read;
    pub(super) const INVALIDATE: Self = Self::Update;
}

impl Access {
    pub(super) const fn rule(&self, group: Group) -> Rule {
        let [read, update, write, append] = self.rules;
        match group {
            Group::Read => read,
            Group::Update => update,
            Group::WriteDecrease => write,
            Group::AppendIncrease => append,
        }
    }
}

impl VirtualCard {
    /// The file that `sfi` names in the current directory, which becomes current; 0 names the current one.
    pub(super) fn file(&mut self, sfi: u8) -> Result<File, Refusal> {
        let files = &self.application().ok_or(status::FILE_NOT_FOUND)?.files;
        if sfi == 0 {
            let current = self.field.file.ok_or(status::NO_CURRENT_EF)?;
            return files.get(current).cloned().ok_or(status::NO_CURRENT_EF);
        }
        let index = files.iter().position(|file| file.sfi == sfi).ok_or(status::FILE_NOT_FOUND)?;
        let file = files.get(index).cloned().ok_or(status::FILE_NOT_FOUND)?;
        self.field.file = Some(index);
        Ok(file)
    }

    /// Whether the state of PIN and session satisfies `rule`; `opening` is the level of a session being opened.
    pub(super) fn allow(&self, rule: Rule, opening: Option<u8>) -> Result<(), Refusal> {
        let session = self.field.session.as_ref();
        let level = opening.or_else(|| session.and_then(Session::level));
        let with_key = |key| level.is_some_and(|level| level <= key);
        let ciphered = opening.is_none() && session.is_some_and(Session::is_ciphered);
        let allowed = match rule {
            Rule::Always => true,
            Rule::Never => return Err(status::FORBIDDEN),
            Rule::Pin => self.field.pin_verified,
            Rule::Session(key) => with_key(key),
            Rule::Confidential(key) => with_key(key) && ciphered,
            Rule::ConfidentialAndPin(key) => with_key(key) && ciphered && self.field.pin_verified,
        };
        if allowed { Ok(()) } else { Err(status::SECURITY_STATUS) }
    }

    /// Whether `file` may be read now.
    pub(super) fn allow_read(&self, file: &File, opening: Option<u8>) -> Result<(), Refusal> {
        self.allow(file.access.rule(Group::Read), opening)?;
        let purse_used = self.field.session.as_ref().is_some_and(Session::purse_used);
        if purse_used && self.is_purse_log(file) { Err(status::FORBIDDEN) } else { Ok(()) }
    }

    /// Whether `file` may be modified now by a command of `group`.
    pub(super) fn allow_modification(&self, file: &File, group: Group) -> Result<(), Refusal> {
        let rule = file.access.rule(group);
        if self.is_invalidated() && rule != Rule::Never {
            return Err(status::FORBIDDEN);
        }
        // A terminal that proves nothing may change what anybody may.
        if self.in_signed_session() && !matches!(rule, Rule::Always | Rule::Never) {
            return Err(status::SECURITY_STATUS);
        }
        self.allow(rule, None)
    }

    /// Takes the room of one modification of `data` bytes from the buffer of the open session. Outside a session a
    /// command is a modification of its own, and finds the buffer empty.
    pub(super) fn charge(&mut self, data: usize, counter: bool) -> Result<(), Refusal> {
        let (budget, product) = (self.profile.session_budget, self.product());
        let Some(session) = self.field.session.as_mut() else { return Ok(()) };
        let cost = match budget.unit {
            BudgetUnit::Bytes => u32::try_from(data).unwrap_or(u32::MAX).saturating_add(6),
            BudgetUnit::Commands => 1,
        };
        // A Basic card keeps one of its places for the counter.
        let reserved = u32::from(product == ProductType::Basic);
        let (generic, counters) = if product == ProductType::Basic {
            (budget.value.saturating_sub(reserved), reserved)
        } else {
            (budget.value, budget.value)
        };
        session.spend(cost, counter, generic, counters, budget.value)
    }
}
