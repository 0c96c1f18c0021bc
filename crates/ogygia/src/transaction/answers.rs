//! Reading the answers of the card, and what they change.
//!
//! Specification 02, "Sending a block and parsing".

use super::Transaction;
use crate::apdu::{Batch, Response, StatusWord};
use crate::command::{Exchange, Exchanged, Prepared, Step};
use crate::error::{Error, Misbehaviour, Untrusted};
use crate::request::Peer;

/// Why an answer is not accepted; its place is added where it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    Misbehaved(Misbehaviour),
    Untrusted(Untrusted),
}

impl From<Misbehaviour> for Refused {
    fn from(how: Misbehaviour) -> Self {
        Self::Misbehaved(how)
    }
}

impl From<Untrusted> for Refused {
    fn from(what: Untrusted) -> Self {
        Self::Untrusted(what)
    }
}

impl Transaction {
    /// Applies answers to the commands of the block, in order, up to the first that is not accepted.
    pub(super) fn take_answers(&mut self, responses: &Batch) -> Result<(), Error> {
        let commands = self.block.commands.len();
        if responses.len() > commands {
            return Err(Error::ResponseCount { peer: Peer::Card, commands, responses: responses.len() });
        }
        responses.iter().enumerate().try_for_each(|(index, answer)| self.take_answer(index, answer))
    }

    fn take_answer(&mut self, index: usize, bytes: &[u8]) -> Result<(), Error> {
        let Some(prepared) = self.list.get(self.block.first + index) else { return Ok(()) };
        let command = prepared.step.name();
        let misbehaved = |how| Error::PeerMisbehaved { peer: Peer::Card, index, command, how };
        let answer = match Response::parse(bytes) {
            Some(answer) => answer,
            // Nobody looks at the answer to a ratification; but this one does not show that the card got the command.
            None if matches!(prepared.step, Step::Ratify(_)) => return Ok(()),
            None => return Err(misbehaved(Misbehaviour::NoStatus)),
        };
        if !prepared.step.accepts().contains(answer.status) {
            prepared.step.refused(answer.status, &mut self.card);
            let tolerated = prepared.step.tolerates(prepared.moment).is_some_and(|set| set.contains(answer.status));
            let refused = Error::Status { peer: Peer::Card, index, command, status: answer.status };
            return if tolerated { Ok(()) } else { Err(refused) };
        }
        self.accept(prepared, index, answer).map_err(|refused| match refused {
            Refused::Misbehaved(how) => misbehaved(how),
            Refused::Untrusted(what) => what.into(),
        })?;
        self.digest_answer(prepared, index, bytes).map_err(misbehaved)
    }

    fn accept(&mut self, prepared: Prepared, index: usize, answer: Response<'_>) -> Result<(), Refused> {
        prepared.step.answer_length().check(answer.data)?;
        match prepared.step {
            Step::Opening(opening) => {
                let predicted = self.block.predictions.get(index).is_some();
                self.opened(&opening, answer.data, predicted)
            }
            Step::Close(close) => self.closed(close.ratified, answer.data),
            Step::Abort(_) => {
                self.aborted(answer);
                Ok(())
            }
            Step::Ratify(_) => {
                self.session.ratify();
                Ok(())
            }
            step => {
                let command = self.block.commands.get(index).unwrap_or_default();
                step.apply(&Exchanged { answer, command, payload: self.list.payload() }, &mut self.card)?;
                if answer.status == StatusWord::POSTPONED && prepared.moment.in_session {
                    self.session.postpone(&step);
                }
                if let (Step::StoredValue(operation), Some(symmetric)) = (step, &mut self.symmetric)
                    && !operation.in_session()
                {
                    symmetric.service.verify_stored_value(answer.data);
                }
                Ok(())
            }
        }
    }

    /// Has the SAM digest what was exchanged, or compares it with what it has digested already: point G73.
    fn digest_answer(&mut self, prepared: Prepared, index: usize, bytes: &[u8]) -> Result<(), Misbehaviour> {
        if !prepared.moment.in_session || !prepared.step.digested() {
            return Ok(());
        }
        match (self.block.predictions.get(index), &mut self.symmetric) {
            (Some(prediction), _) if prediction == bytes => Ok(()),
            (Some(_), _) => Err(Misbehaviour::NotAsPredicted),
            (None, Some(symmetric)) => {
                symmetric.service.digest(self.block.digested(index), bytes);
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }
}
