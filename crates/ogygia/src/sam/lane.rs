//! The commands of one request to one SAM, and what is done with their answers: specification 03, "Status processing"
//! and "Batches".

use alloc::vec::Vec;

use super::command::Expected;
use super::image::SamImage;
use super::read::ReadCommand;
use super::signature::Diversifier;
use super::write::Writing;
use crate::apdu::{Batch, MAX_COMMAND_LEN, Response, StatusSet};
use crate::error::{Error, Misbehaviour};
use crate::request::{ChannelControl, Peer, Request};

/// A command with what is expected of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) expected: Expected,
    pub(crate) accepts: StatusSet,
    pub(crate) then: Then,
}

/// What an answer is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Then {
    Nothing,
    Diversifier(Diversifier),
    Challenge,
    Read(ReadCommand),
    /// The place is in what is expected.
    Signature,
    KeyPair(usize),
    Certificate(usize),
    /// The ciphered block, for the target.
    Block,
    Written(Writing),
    /// A lock in clear.
    LockWritten,
    /// Written with a block that was made without the target: an event counter of it has moved.
    Reloaded(Writing, Option<u8>),
}

impl Line {
    pub(crate) const fn new(expected: Expected, then: Then) -> Self {
        Self { expected, accepts: StatusSet::SUCCESS, then }
    }

    pub(crate) const fn read(expected: Expected, command: ReadCommand) -> Self {
        Self { expected, accepts: command.accepts(), then: Then::Read(command) }
    }

    /// Whether the answer tells that something was written.
    pub(crate) const fn writes(&self) -> bool {
        matches!(self.then, Then::Written(_) | Then::LockWritten | Then::Reloaded(..))
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.commands.wipe();
    }
}

/// A line with its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answered<'a> {
    pub(crate) line: &'a Line,
    pub(crate) answer: Response<'a>,
    peer: Peer,
    index: usize,
}

#[derive(Debug)]
pub(crate) struct Lane {
    peer: Peer,
    commands: Batch,
    lines: Vec<Line>,
    accepts: Vec<StatusSet>,
}

impl Lane {
    pub(crate) const fn to(peer: Peer) -> Self {
        Self { peer, commands: Batch::new(), lines: Vec::new(), accepts: Vec::new() }
    }

    /// A lock in clear may be among the commands.
    pub(crate) fn clear(&mut self) {
        self.commands.wipe();
        self.lines.clear();
        self.accepts.clear();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(crate) fn push(&mut self, command: &[u8], line: Line) {
        self.commands.make_room(MAX_COMMAND_LEN);
        self.commands.push(command);
        self.lines.push(line);
        self.accepts.push(line.accepts);
    }

    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Line) {
        let Self { commands, lines, accepts, .. } = self;
        commands.make_room(MAX_COMMAND_LEN);
        commands.push_with(|out| {
            let line = write(out);
            lines.push(line);
            accepts.push(line.accepts);
        });
    }

    pub(crate) fn request(&self, channel: ChannelControl) -> Request<'_> {
        Request { peer: self.peer, commands: &self.commands, accepts: &self.accepts, stop: true, channel }
    }

    pub(crate) fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether something else than writings is among the commands.
    pub(crate) fn is_reading(&self) -> bool {
        !self.lines.iter().all(Line::writes)
    }

    /// The commands, as what is expected of them.
    pub(crate) fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Hands the answers over in order, up to the first thing that is wrong: specification 03, "Batches".
    pub(crate) fn answers(
        &self,
        responses: &Batch,
        mut each: impl FnMut(Answered<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let count = Error::ResponseCount { peer: self.peer, commands: self.lines.len(), responses: responses.len() };
        if responses.len() > self.lines.len() {
            return Err(count);
        }
        for (index, (bytes, line)) in responses.iter().zip(&self.lines).enumerate() {
            let how = Misbehaviour::NoStatus;
            let no_status = Error::PeerMisbehaved { peer: self.peer, index, command: line.expected.name, how };
            let answer = Response::parse(bytes).ok_or(no_status)?;
            each(Answered { line, answer, peer: self.peer, index })?;
        }
        if responses.len() < self.lines.len() { Err(count) } else { Ok(()) }
    }
}

impl Answered<'_> {
    /// Whether the status word is accepted, and the length is right.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let Expected { name, answer_len, .. } = self.line.expected;
        let status = self.answer.status;
        if !self.line.accepts.contains(status) {
            return Err(Error::Status { peer: self.peer, index: self.index, command: name, status });
        }
        // What accepts another word than success or unsigned data has nothing to say with it.
        let carries_data = StatusSet::POSTPONED.contains(status);
        let (answer_len, received) = (usize::from(answer_len), self.answer.data.len());
        if carries_data && answer_len != 0 && answer_len != received {
            return Err(self.misbehaved(Misbehaviour::UnexpectedLength { expected: answer_len, received }));
        }
        Ok(())
    }

    /// Takes what was read, or a challenge, into the image.
    pub(crate) fn read_into(&self, image: &mut SamImage) -> Result<(), Error> {
        match self.line.then {
            // The length was checked.
            Then::Challenge => image.set_challenge(self.answer.data.try_into().unwrap_or_default()),
            Then::Read(command) => command.apply(self.answer, image).map_err(|how| self.misbehaved(how))?,
            _ => {}
        }
        Ok(())
    }

    /// What is wrong with the answer, with its place.
    pub(crate) fn misbehaved(&self, how: Misbehaviour) -> Error {
        Error::PeerMisbehaved { peer: self.peer, index: self.index, command: self.line.expected.name, how }
    }
}
