//! The card request that is being put together, or is under way.

use alloc::vec::Vec;

use crate::apdu::{Batch, Case, StatusSet};
use crate::card::PostponedCounters;
use crate::command::{Encoder, Exchange, Prepared};

/// Consecutive commands of the prepared list in one request: specification 02, "Cutting the list into blocks".
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Place of the first command in the prepared list.
    pub(super) first: usize,
    pub(super) commands: Batch,
    pub(super) accepts: Vec<StatusSet>,
    cases: Vec<Case>,
    /// Answers that were certain, and are digested, of the first commands. Empty where nothing is digested.
    pub(super) predictions: Batch,
}

impl Block {
    /// An empty block that begins with this command of the prepared list.
    pub(super) fn restart(&mut self, first: usize) {
        self.first = first;
        // A PIN may be among them.
        self.commands.wipe();
        self.accepts.clear();
        self.cases.clear();
        self.predictions.clear();
    }

    pub(super) fn push(&mut self, prepared: Prepared, postponed: PostponedCounters, encoder: &Encoder<'_>) {
        let mut case = Case::One;
        self.commands.push_with(|out| case = prepared.step.encode(encoder, out));
        self.cases.push(case);
        self.accepts.push(prepared.step.continues_after(prepared.moment, postponed));
    }

    /// The part of a command that enters the digest.
    pub(super) fn digested(&self, index: usize) -> &[u8] {
        let command = self.commands.get(index).unwrap_or_default();
        self.cases.get(index).map_or(command, |case| case.digested(command))
    }
}
