//! The lock of a SAM, and Unlock.
//!
//! The specification names what a lock can do ("Unlock", and the refusals of "Write Key"), not the bits of its
//! parameters: these are ours. All of them take effect at the reset that follows the writing.

use super::{Fresh, VirtualSam};
use crate::cipher::{LockSecret, same};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// Locked after each reset, until the static value is given.
pub(super) const LOCK_STATIC: u8 = 0x01;
/// Locked after each reset, until the value for a challenge is given.
pub(super) const LOCK_DYNAMIC: u8 = 0x02;
/// Parameters and system keys cannot be written.
pub(super) const LOCK_SYSTEM: u8 = 0x04;
/// Work keys cannot be written.
pub(super) const LOCK_WORK_KEYS: u8 = 0x08;
/// The lock itself cannot be written.
pub(super) const LOCK_ITSELF: u8 = 0x80;

/// First byte of the SAM parameters: nothing is written in the clear.
const NO_PLAIN_WRITING: u8 = 0x01;
/// First byte of the SAM parameters: work keys may be written in the clear.
const PLAIN_WORK_KEYS: u8 = 0x02;

/// The lock that a SAM keeps.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) index: u8,
    pub(super) parameters: u8,
    pub(super) secret: LockSecret,
}

impl Lock {
    /// What Read Key Parameters tells of it: KIF, KVC, ALG, PAR1 to PAR10.
    pub(super) fn record(&self) -> Vec<u8> {
        vec![super::keys::LOCK_KIF, self.index, 0, 0, 0, 0, 0, self.parameters, 0, 0, 0, 0, 0]
    }
}

/// What holds since the last reset.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SinceReset {
    pub(super) locked: bool,
    lock: u8,
    parameters: u8,
}

impl SinceReset {
    pub(super) fn new(lock: Option<&Lock>, parameters: &[u8; 29]) -> Self {
        let [first, ..] = *parameters;
        let lock = lock.map_or(0, |lock| lock.parameters);
        Self { locked: lock & (LOCK_STATIC | LOCK_DYNAMIC) != 0, lock, parameters: first }
    }

    /// Whether this bit of the lock is in force.
    pub(super) const fn has(self, lock: u8) -> bool {
        self.lock & lock != 0
    }

    pub(super) const fn writes_plain(self) -> bool {
        self.parameters & NO_PLAIN_WRITING == 0
    }

    pub(super) const fn writes_plain_work_keys(self) -> bool {
        self.writes_plain() && self.parameters & PLAIN_WORK_KEYS != 0
    }
}

impl VirtualSam {
    /// Whether it is locked: it answers Unlock, Get Challenge and readings only.
    #[must_use]
    pub const fn is_locked(&self) -> bool {
        self.since_reset.locked
    }

    /// What whoever unlocks this SAM must know; nothing when it has no lock.
    #[must_use]
    pub fn lock_secret(&self) -> Option<&LockSecret> {
        self.lock.as_ref().map(|lock| &lock.secret)
    }

    pub(super) fn unlock(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        if !matches!(command.data.len(), LockSecret::STATIC_LEN | LockSecret::DYNAMIC_LEN) {
            return Err(status::WRONG_LENGTH);
        }
        let lock = self.lock.as_ref().filter(|_| self.since_reset.locked).ok_or(status::FORBIDDEN)?;
        let right = if command.data.len() == LockSecret::STATIC_LEN {
            self.since_reset.has(LOCK_STATIC) && same(&command.data, &lock.secret.static_value(self.serial))
        } else {
            let value = lock.secret.dynamic_value(self.serial, fresh.challenge8()?);
            self.since_reset.has(LOCK_DYNAMIC) && same(&command.data, &value)
        };
        if !right {
            return Err(status::WRONG_MAC);
        }
        self.since_reset.locked = false;
        Ok(Reply::done())
    }
}
