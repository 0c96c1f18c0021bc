//! Ceilings written without having target and control SAM at one place: specification 03, "Asynchronous write
//! transaction".
//!
//! Three parts, each at its own time and place:
//!
//! 1. Beside the target, [`SamTransaction::read_context`] learns what the ciphering needs: a [`ReloadContext`].
//! 2. Beside the control SAM, a [`ReloadBuilder`] has the ceilings ciphered: a [`Reload`].
//! 3. Beside the target again, [`SamTransaction::prepare_reload`] has it execute them.
//!
//! A context and a reload travel as bytes, under a key that both places share (feature `reload`). Each block is good
//! for one value of an event counter of the target, which moves with every one of them: a reload can be executed once,
//! by the SAM that it was made for, and not before an earlier one.

mod builder;
mod context;
#[cfg(feature = "reload")]
mod sealed;

pub use builder::ReloadBuilder;
pub use context::ReloadContext;
#[cfg(feature = "reload")]
pub use sealed::SealError;

pub(super) use context::Stage;

use alloc::vec::Vec;

use super::SamTransaction;
use crate::error::{Error, Misuse};
use crate::sam::IncrementAccess;
use crate::sam::lane::{Line, Then};
use crate::sam::write::{BLOCK_LEN, WriteMode, Writing};

/// Ceilings that were ciphered for one SAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reload {
    context: ReloadContext,
    blocks: Vec<Block>,
}

/// What is written, and its ciphered form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Block {
    writing: Writing,
    ciphered: [u8; BLOCK_LEN],
}

impl Reload {
    /// For which SAM, and for which state of it.
    #[must_use]
    pub const fn context(&self) -> &ReloadContext {
        &self.context
    }

    /// How many commands the target will execute.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether there is nothing to execute.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// What it writes: event counter, ceiling, and who may increase the counter where that is written, too.
    pub fn ceilings(&self) -> impl Iterator<Item = (u8, u32, Option<IncrementAccess>)> + '_ {
        self.blocks.iter().flat_map(|block| block.writing.ceilings())
    }

    /// What is left of it when the event counter of the target has this value: for one whose execution was interrupted.
    /// Nothing when it is for no such value. The caller has to know that what moved the counter was this reload.
    #[must_use]
    pub fn rest(&self, counter_value: u32) -> Option<Self> {
        let (counter, first) = self.context.counter?;
        let done = usize::try_from(counter_value.checked_sub(first)?).ok()?;
        let blocks = self.blocks.get(done..)?.to_vec();
        Some(Self { context: ReloadContext { counter: Some((counter, counter_value)), ..self.context }, blocks })
    }
}

impl SamTransaction {
    /// Has the target execute a reload.
    ///
    /// # Errors
    ///
    /// [`Misuse::OtherSam`]: it was made for another SAM. [`Misuse::ReloadStale`]: the event counter is known here, and
    /// has another value than the reload was made for. What is prepared stays as it is. Where the counter was not read,
    /// the target itself refuses a stale reload, with `6988`.
    pub fn prepare_reload(&mut self, reload: &Reload) -> Result<(), Error> {
        self.check_idle()?;
        let ReloadContext { serial_number, counter, .. } = reload.context;
        if serial_number != self.image.sam().serial_number {
            return Err(Misuse::OtherSam.into());
        }
        if let Some((counter, value)) = counter
            && self.image.counter_in_force(counter).is_some_and(|known| known != value)
        {
            return Err(Misuse::ReloadStale.into());
        }
        let moves = counter.map(|(counter, _)| counter);
        for Block { writing, ciphered } in &reload.blocks {
            self.push(None, |sam, out| {
                Line::new(sam.write(writing, WriteMode::Static, ciphered, out), Then::Reloaded(*writing, moves))
            });
        }
        Ok(())
    }
}
