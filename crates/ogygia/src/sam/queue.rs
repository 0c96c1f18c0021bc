//! SAM commands that wait, and those under way.

use alloc::vec::Vec;
use core::hint::cold_path;
use core::ops::RangeBounds;

use super::command::{Expected, Purpose};
use crate::apdu::{Batch, MAX_COMMAND_LEN, Response, StatusWord, match_room};
use crate::error::{Error, Misbehaviour};
use crate::hint::unlikely;
use crate::request::Peer;

/// An answer that says nothing but that all is well.
const SUCCESS: [u8; 2] = StatusWord::SUCCESS.to_bytes();

/// Class, instruction, parameters, Lc.
const HEADER_LEN: usize = 5;

/// Commands of one SAM request.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) commands: Batch,
    expected: Vec<Expected>,
    /// A PIN is among them.
    secret: bool,
}

/// One command of a request, with its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued<'a> {
    pub(crate) index: usize,
    pub(crate) expected: &'a Expected,
    pub(crate) answer: Response<'a>,
}

impl Queue {
    pub(super) fn clear(&mut self) {
        if unlikely(core::mem::take(&mut self.secret)) {
            self.commands.wipe();
        }
        self.commands.clear();
        self.expected.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Expected) {
        if unlikely(self.secret) {
            self.commands.make_room(MAX_COMMAND_LEN);
        }
        let expected = &mut self.expected;
        self.commands.push_with(|out| expected.push(write(out)));
    }

    /// As [`push`](Self::push), for a command that must not stay in memory.
    pub(super) fn push_secret(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Expected) {
        self.guard();
        self.push(write);
    }

    /// Nothing of what is pushed until the queue is cleared must stay in memory.
    pub(super) fn guard(&mut self) {
        self.secret = true;
        self.commands.make_room(MAX_COMMAND_LEN);
    }

    /// The end of the arena is one more command: a header with Lc, and `data` bytes behind it.
    pub(super) fn end_command(&mut self, data: usize, expected: Expected) {
        if let Some(lc) = self.commands.end_entry(HEADER_LEN + data).get_mut(HEADER_LEN - 1) {
            *lc = u8::try_from(data).unwrap_or(u8::MAX);
        }
        self.expected.push(expected);
    }

    /// Gets as much room as `other` has, so that two that take turns are not both found too small.
    #[inline(always)]
    pub(super) fn match_room(&mut self, other: &Self) {
        self.commands.match_room(&other.commands);
        match_room(&mut self.expected, &other.expected);
    }

    /// Appends all of `other`, which is empty afterwards.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.secret |= other.secret;
        if unlikely(self.secret) {
            self.commands.make_room(other.commands.byte_len());
        }
        self.commands.append(&other.commands);
        self.expected.extend_from_slice(&other.expected);
        other.clear();
    }

    /// Moves the first `count` commands behind those of `to`.
    #[cold]
    pub(super) fn move_first(&mut self, count: usize, to: &mut Self) {
        to.copy_part(..count, self);
        self.commands.remove_first(count);
        self.expected.drain(..count.min(self.expected.len()));
    }

    /// Moves all but the first `count` commands behind those of `to`.
    #[cold]
    pub(super) fn move_behind(&mut self, count: usize, to: &mut Self) {
        to.secret |= self.secret;
        to.copy_part(count.., self);
        self.commands.truncate(count);
        self.expected.truncate(count);
    }

    fn copy_part(&mut self, part: impl RangeBounds<usize>, from: &Self) {
        for (index, expected) in from.expected.iter().enumerate().filter(|(index, _)| part.contains(index)) {
            let command = from.commands.get(index).unwrap_or_default();
            self.push(|out| {
                out.extend_from_slice(command);
                *expected
            });
        }
    }

    /// The number of answers is not the number of commands.
    #[cold]
    fn wrong_count(&self, responses: usize) -> Error {
        Error::ResponseCount { peer: Peer::Sam, commands: self.commands.len(), responses }
    }

    /// Hands all the answers over in order, and gives the first thing that is wrong: point G44.
    pub(super) fn answers(
        &self,
        responses: &Batch,
        mut each: impl FnMut(Queued<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if unlikely(responses.len() > self.commands.len()) {
            return Err(self.wrong_count(responses.len()));
        }
        let mut wrong = None;
        for (index, (expected, bytes)) in self.expected.iter().zip(responses.iter()).enumerate() {
            if *bytes == SUCCESS && expected.purpose == Purpose::Itself && expected.answer_len == 0 {
                // As most answers are.
                continue;
            }
            let answered = match Response::parse(bytes) {
                Some(answer) => each(Queued { index, expected, answer }),
                None => Err(no_status(index, expected)),
            };
            if let Err(error) = answered {
                cold_path();
                wrong.get_or_insert(error);
            }
        }
        match wrong {
            Some(error) => {
                cold_path();
                Err(error)
            }
            None if unlikely(responses.len() < self.commands.len()) => Err(self.wrong_count(responses.len())),
            None => Ok(()),
        }
    }
}

#[cold]
fn no_status(index: usize, expected: &Expected) -> Error {
    let how = Misbehaviour::NoStatus;
    Error::PeerMisbehaved { peer: Peer::Sam, index, command: expected.name, how }
}

impl Queued<'_> {
    /// Whether the answer has the length that it should have.
    pub(crate) fn has_expected_length(&self) -> bool {
        let expected = usize::from(self.expected.answer_len);
        expected == 0 || expected == self.answer.data.len()
    }

    /// The answer does not have that length.
    pub(crate) fn unexpected_length(&self) -> Error {
        let (expected, received) = (usize::from(self.expected.answer_len), self.answer.data.len());
        self.misbehaved(Misbehaviour::UnexpectedLength { expected, received })
    }

    /// The SAM has refused the command.
    pub(crate) fn refused(&self) -> Error {
        let (index, command, status) = (self.index, self.expected.name, self.answer.status);
        Error::Status { peer: Peer::Sam, index, command, status }
    }

    /// What is wrong with the answer, with its place.
    pub(crate) fn misbehaved(&self, how: Misbehaviour) -> Error {
        Error::PeerMisbehaved { peer: Peer::Sam, index: self.index, command: self.expected.name, how }
    }
}
