//! The card request that is being put together, or is under way.

use alloc::vec::Vec;

use crate::apdu::{Batch, Case, MAX_COMMAND_LEN, StatusSet};
use crate::card::{PostponedCounters, Sfi};
use crate::command::{Encoder, Exchange, List, Prepared};
use crate::hint::unlikely;

/// Consecutive commands of the prepared list in one request: specification 02, "Cutting the list into blocks".
#[derive(Debug, Default)]
pub(super) struct Block {
    /// Place of the first command in the prepared list.
    pub(super) first: usize,
    /// As they are sent.
    pub(super) commands: Batch,
    pub(super) accepts: Vec<StatusSet>,
    /// The same commands in clear, where they are ciphered; empty entries where they are not, or none. The last ones may
    /// still be on their way through the cipher.
    clear: Batch,
    /// Places of the commands that are ciphered.
    ciphered: Vec<usize>,
    /// The list holds a PIN or a private key, which may be among them.
    secret: bool,
    /// Answers that were certain, and are digested, of the first commands. Empty where nothing is digested.
    pub(super) predictions: Batch,
    /// The files that commands with such answers act on, or make current.
    touched: FileSet,
}

/// Files, by their short identifiers; 0 stands for the one that is current.
#[derive(Clone, Copy, Debug, Default)]
struct FileSet(u32);

impl FileSet {
    const CURRENT: Self = Self(1);

    /// The file, or every file that it may be.
    fn of(file: Sfi) -> Self {
        match file {
            Sfi(number @ 1..32) => Self(1 << number),
            _ => Self(u32::MAX),
        }
    }
}

impl Block {
    /// An empty block that begins the list. Commands of one that holds a PIN or a private key are wiped, and leave nothing
    /// behind when they grow.
    pub(super) fn begin(&mut self, list: &List) {
        self.restart(0);
        self.secret = list.is_secret();
        if unlikely(self.secret) {
            let room = list.len() * MAX_COMMAND_LEN;
            self.commands.make_room(room);
            self.clear.make_room(room);
        }
    }

    /// An empty block that begins with this command of the list.
    pub(super) fn restart(&mut self, first: usize) {
        self.first = first;
        if unlikely(self.secret) {
            self.commands.wipe();
            self.clear.wipe();
        }
        self.commands.clear();
        self.clear.clear();
        self.accepts.clear();
        self.ciphered.clear();
        self.predictions.clear();
        self.touched = FileSet::default();
    }

    /// Place in the prepared list of the command that comes next.
    pub(super) fn end(&self) -> usize {
        self.first + self.commands.len()
    }

    pub(super) fn push(&mut self, prepared: &Prepared, postponed: PostponedCounters, encoder: &Encoder<'_>) {
        self.commands.push_with(|out| prepared.step.encode(encoder, out));
        self.accepts.push(prepared.continues_after(postponed));
    }

    /// Takes a command in clear that has yet to be ciphered.
    pub(super) fn push_clear(&mut self, prepared: &Prepared, encoder: &Encoder<'_>) {
        while self.clear.len() < self.commands.len() {
            self.clear.push(&[]);
        }
        self.clear.push_with(|out| prepared.step.encode(encoder, out));
    }

    /// Forgets commands in clear that are not going to be ciphered, from `len` on.
    pub(super) fn truncate_clear(&mut self, len: usize) {
        self.clear.truncate(len);
    }

    /// Takes the command that was built in clear as the SAM has ciphered it: without the Le of case 4, which goes back.
    pub(super) fn push_ciphered(&mut self, prepared: &Prepared, postponed: PostponedCounters, command: &[u8]) {
        self.ciphered.push(self.commands.len());
        self.commands.push_with(|out| {
            out.extend_from_slice(command);
            if let Case::Four(le) = prepared.step.case() {
                out.push(le);
            }
        });
        self.accepts.push(prepared.continues_after(postponed));
    }

    /// Sends the command that was built in clear as it is.
    pub(super) fn push_as_clear(&mut self, accepts: StatusSet) {
        let command = self.clear.get(self.commands.len()).unwrap_or_default();
        self.commands.push(command);
        self.accepts.push(accepts);
    }

    /// The answer to this command was predicted.
    pub(super) fn note_predicted(&mut self, prepared: &Prepared) {
        if prepared.facts.modifies() {
            self.touched.0 |= FileSet::of(prepared.facts.file).0;
        }
    }

    /// Behind a command whose answer was predicted, another file may be current, also where it only reads.
    pub(super) fn note_another_file(&mut self) {
        self.touched.0 |= FileSet::CURRENT.0;
    }

    /// Whether the answer to this command depends on a file that predicted commands act on, or make current.
    pub(super) fn is_touched_by_predictions(&self, prepared: &Prepared) -> bool {
        prepared.facts.takes_image() && self.touched.0 & FileSet::of(prepared.facts.file).0 != 0
    }

    pub(super) fn was_ciphered(&self, index: usize) -> bool {
        self.ciphered.contains(&index)
    }

    /// The command as it was before it was ciphered.
    pub(super) fn clear(&self, index: usize) -> &[u8] {
        if unlikely(!self.clear.is_empty())
            && let Some(clear @ [_, ..]) = self.clear.get(index)
        {
            return clear;
        }
        self.commands.get(index).unwrap_or_default()
    }

    /// The command as [`clear`](Self::clear) has it, if what it changes depends on that.
    pub(super) fn applied(&self, prepared: &Prepared, index: usize) -> &[u8] {
        if unlikely(prepared.facts.applies_command()) { self.clear(index) } else { &[] }
    }

    /// The part of the command, as [`clear`](Self::clear) has it, that enters the digest.
    pub(super) fn clear_digested(&self, prepared: &Prepared, index: usize) -> &[u8] {
        prepared.digested_part(self.clear(index))
    }
}
