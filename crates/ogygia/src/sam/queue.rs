//! SAM commands that wait, and those under way.

use alloc::vec::Vec;

use super::command::Expected;
use crate::apdu::{Batch, Response, StatusSet};
use crate::error::{Error, Misbehaviour};
use crate::request::Peer;

/// Commands of one SAM request.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub(super) commands: Batch,
    pub(super) accepts: Vec<StatusSet>,
    expected: Vec<Expected>,
}

/// One command of a request, with its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Queued<'a> {
    pub(crate) index: usize,
    pub(crate) expected: Expected,
    pub(crate) answer: Response<'a>,
}

impl Queue {
    pub(super) fn clear(&mut self) {
        // A PIN may be among them.
        self.commands.wipe();
        self.accepts.clear();
        self.expected.clear();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(super) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Expected) {
        let mut expected = None;
        self.commands.push_with(|out| expected = Some(write(out)));
        self.expected.extend(expected);
        self.accepts.push(StatusSet::SUCCESS);
    }

    /// Appends all of `other`, which is empty afterwards.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.commands.extend(other.commands.iter());
        self.accepts.extend_from_slice(&other.accepts);
        self.expected.extend_from_slice(&other.expected);
        other.clear();
    }

    /// Hands the answers over in order, with the first thing that is wrong behind them.
    pub(super) fn answers(
        &self,
        responses: &Batch,
        mut each: impl FnMut(Queued<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = Error::ResponseCount { peer: Peer::Sam, commands: self.commands.len(), responses: responses.len() };
        if responses.len() > self.commands.len() {
            return Err(count);
        }
        for (index, (bytes, &expected)) in responses.iter().zip(&self.expected).enumerate() {
            let command = expected.name;
            let misbehaved = |how| Error::PeerMisbehaved { peer: Peer::Sam, index, command, how };
            let answer = Response::parse(bytes).ok_or(misbehaved(Misbehaviour::NoStatus))?;
            each(Queued { index, expected, answer })?;
        }
        if responses.len() < self.commands.len() { Err(count) } else { Ok(()) }
    }
}

impl Queued<'_> {
    /// The answer as it should be, or what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let (index, command) = (self.index, self.expected.name);
        if !StatusSet::SUCCESS.contains(self.answer.status) {
            return Err(Error::Status { peer: Peer::Sam, index, command, status: self.answer.status });
        }
        let (expected, received) = (self.expected.answer_len, self.answer.data.len());
        if expected != 0 && expected != received {
            let how = Misbehaviour::UnexpectedLength { expected, received };
            return Err(Error::PeerMisbehaved { peer: Peer::Sam, index, command, how });
        }
        Ok(())
    }
}
