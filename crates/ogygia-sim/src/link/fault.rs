//! Faults to inject.

use ogygia::Loss;

use crate::pki::flip;

/// What happens to one command of a link.
#[derive(Debug)]
pub struct Fault {
    /// Which command, counted from 0 over the life of the link; commands refused while it is down do not count.
    pub at: u64,
    /// What happens to it.
    pub kind: FaultKind,
}

/// Changes an answer on the way.
pub type Change = Box<dyn FnMut(&mut Vec<u8>) + Send>;

/// What happens to a command.
pub enum FaultKind {
    /// The device never gets it.
    LostBefore(Loss),
    /// The device executes it, its answer is lost.
    LostAfter(Loss),
    /// The device executes it, these bytes arrive instead of its answer.
    Replaced(Vec<u8>),
    /// The device executes it, only so many bytes of its answer arrive.
    Truncated(usize),
    /// The device executes it, its answer is changed on the way.
    Changed(Change),
    /// It is changed on the way; the device executes what arrives.
    CommandChanged(Change),
}

impl Fault {
    /// Command `at` is lost on its way to the device.
    #[must_use]
    pub const fn before(at: u64, loss: Loss) -> Self {
        Self { at, kind: FaultKind::LostBefore(loss) }
    }

    /// The answer to command `at` is lost.
    #[must_use]
    pub const fn after(at: u64, loss: Loss) -> Self {
        Self { at, kind: FaultKind::LostAfter(loss) }
    }

    /// Other bytes arrive instead of the answer to command `at`.
    #[must_use]
    pub fn replaced(at: u64, answer: impl Into<Vec<u8>>) -> Self {
        Self { at, kind: FaultKind::Replaced(answer.into()) }
    }

    /// Of the answer to command `at` only the first `length` bytes arrive.
    #[must_use]
    pub const fn truncated(at: u64, length: usize) -> Self {
        Self { at, kind: FaultKind::Truncated(length) }
    }

    /// The answer to command `at` is changed by `change`.
    #[must_use]
    pub fn changed(at: u64, change: impl FnMut(&mut Vec<u8>) + Send + 'static) -> Self {
        Self { at, kind: FaultKind::Changed(Box::new(change)) }
    }

    /// One bit of the answer to command `at` is flipped. Bit 0 is the highest of the first byte; behind the end there
    /// is nothing to flip.
    #[must_use]
    pub fn flipped(at: u64, bit: usize) -> Self {
        Self::changed(at, move |answer| flip(answer, bit))
    }

    /// One bit of command `at` is flipped on its way to the device.
    #[must_use]
    pub fn command_flipped(at: u64, bit: usize) -> Self {
        Self { at, kind: FaultKind::CommandChanged(Box::new(move |command: &mut Vec<u8>| flip(command, bit))) }
    }
}

impl std::fmt::Debug for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::LostBefore(loss) => f.debug_tuple("LostBefore").field(loss).finish(),
            Self::LostAfter(loss) => f.debug_tuple("LostAfter").field(loss).finish(),
            Self::Replaced(answer) => f.debug_tuple("Replaced").field(&answer.len()).finish(),
            Self::Truncated(length) => f.debug_tuple("Truncated").field(length).finish(),
            Self::Changed(_) => f.write_str("Changed(..)"),
            Self::CommandChanged(_) => f.write_str("CommandChanged(..)"),
        }
    }
}
