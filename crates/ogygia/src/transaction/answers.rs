//! Reading the answers of the card, and what they change.
//!
//! Specification 02, "Sending a block and parsing".

use core::hint::cold_path;

use super::Transaction;
use super::machine::State;
use crate::apdu::{Batch, Response, StatusWord};
use crate::command::{Exchange, Exchanged, Prepared, Step};
use crate::error::{Error, Misbehaviour, Untrusted};
use crate::hint::unlikely;
use crate::request::{ChannelControl, Peer};

/// Why an answer is not accepted; its place is added where it is known.
#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    Status(StatusWord),
    Unsupported,
    Misbehaved(Misbehaviour),
    Untrusted(Untrusted),
    #[cfg(feature = "pki")]
    Misuse(crate::error::Misuse),
    #[cfg(feature = "pki")]
    Pki(crate::pki::PkiError),
}

impl Refused {
    /// The error, with the place of the answer.
    #[cold]
    pub(super) fn at(self, index: usize, prepared: &Prepared) -> Error {
        let command = prepared.step.name();
        match self {
            Self::Status(status) => Error::Status { peer: Peer::Card, index, command, status },
            Self::Unsupported => Error::Unsupported(command),
            Self::Misbehaved(how) => Error::PeerMisbehaved { peer: Peer::Card, index, command, how },
            Self::Untrusted(what) => what.into(),
            #[cfg(feature = "pki")]
            Self::Misuse(misuse) => misuse.into(),
            #[cfg(feature = "pki")]
            Self::Pki(error) => Error::Pki(error),
        }
    }
}

/// What became of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// It was read.
    Clear,
    /// The SAM must decipher it before.
    Ciphered,
    /// The card must be asked for the certificate of its authority before.
    #[cfg_attr(not(feature = "pki"), expect(dead_code, reason = "only with the feature"))]
    NeedsIssuer,
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
    /// Reads the answers to the commands of the block, in order, up to the first that is not accepted, and tells what
    /// comes next.
    pub(super) fn take_answers(&mut self, responses: &Batch) -> Result<State, Error> {
        self.note_closed_ahead(responses);
        self.take_answers_from(0, responses)
    }

    pub(super) fn take_answers_from(&mut self, first: usize, responses: &Batch) -> Result<State, Error> {
        let Some((index, read)) = self.read_answers(first, responses)? else {
            return self.after_block(responses.len());
        };
        if first == 0 {
            self.received.clear();
            self.received.extend(responses.iter());
        }
        match read {
            Read::NeedsIssuer => {
                self.channel_closed = self.channel == ChannelControl::CloseAfter;
                Ok(self.ask_issuer(index))
            }
            Read::Clear | Read::Ciphered => self.wait_for_decipher(index, responses),
        }
    }

    /// Goes on with the answers that were received, from `first` on, now that they can be read.
    pub(super) fn take_received_from(&mut self, first: usize) -> Result<State, Error> {
        let received = core::mem::take(&mut self.received);
        let next = self.take_answers_from(first, &received);
        self.received = received;
        next
    }

    /// The number of answers is not the number of commands.
    #[cold]
    pub(super) fn wrong_count(&self, responses: usize) -> Error {
        Error::ResponseCount { peer: Peer::Card, commands: self.block.commands.len(), responses }
    }

    /// Reads answers from `first` on; gives the place of the first that cannot be read yet.
    pub(super) fn read_answers(&mut self, first: usize, responses: &Batch) -> Result<Option<(usize, Read)>, Error> {
        if unlikely(responses.len() > self.block.commands.len()) {
            return Err(self.wrong_count(responses.len()));
        }
        let mut index = first;
        loop {
            index = self.take_certain(index, responses)?;
            let Some(bytes) = responses.get(index) else { return Ok(None) };
            match self.take_answer(index, bytes)? {
                Read::Clear => index += 1,
                read => return Ok(Some((index, read))),
            }
        }
    }

    /// Takes answers that are as they were foretold, from `first` on; gives the place of the first that is not. They are
    /// digested, and known to be acceptable: only the image has yet to learn of them.
    fn take_certain(&mut self, first: usize, responses: &Batch) -> Result<usize, Error> {
        let Self { block, list, card, session, .. } = self;
        let mut index = first;
        while let Some(prediction) = block.predictions.get(index) {
            let (Some(prepared), Some(bytes)) = (list.get(block.first + index), responses.get(index)) else { break };
            let Some(answer) = Response::parse(bytes) else { break };
            let same = match (prediction, bytes) {
                // As most are; comparing these takes no call.
                ([a, b], [c, d]) => (a, b) == (c, d),
                _ => prediction == bytes,
            };
            if !prepared.is_digested() || !same {
                break;
            }
            let exchanged = Exchanged { answer, command: block.applied(prepared, index), payload: list.payload() };
            prepared.step.apply(&exchanged, card).map_err(|how| Refused::Misbehaved(how).at(index, prepared))?;
            if unlikely(answer.status == StatusWord::POSTPONED) {
                session.postpone(&prepared.step);
            }
            index += 1;
        }
        Ok(index)
    }

    fn take_answer(&mut self, index: usize, bytes: &[u8]) -> Result<Read, Error> {
        let Some(prepared) = &self.list.get(self.block.first + index).copied() else { return Ok(Read::Clear) };
        let answer = match Response::parse(bytes) {
            Some(answer) => answer,
            // Nobody looks at the answer to a ratification; but this one does not show that the card got the command.
            None if matches!(prepared.step, Step::Ratify(_)) => return Ok(Read::Clear),
            None => return Err(Refused::Misbehaved(Misbehaviour::NoStatus).at(index, prepared)),
        };
        let encrypted = prepared.is_encrypted() && self.block.predictions.get(index).is_none();
        if unlikely(encrypted) && self.digest_ciphered(prepared, index, bytes) {
            return Ok(Read::Ciphered);
        }
        if unlikely(!prepared.facts.accepts.contains(answer.status)) {
            return self.refuse_answer(prepared, index, answer.status).map(|()| Read::Clear);
        }
        if let Step::PkiOpening(opening) = prepared.step {
            cold_path();
            let opened = self.pki_opened(opening, (prepared, index), answer, bytes);
            return opened.map_err(|refused| refused.at(index, prepared));
        }
        self.accept(prepared, index, answer).map_err(|refused| refused.at(index, prepared))?;
        if !encrypted {
            self.digest_answer(prepared, index, bytes).map_err(|refused| refused.at(index, prepared))?;
        }
        Ok(Read::Clear)
    }

    #[cold]
    fn refuse_answer(&mut self, prepared: &Prepared, index: usize, status: StatusWord) -> Result<(), Error> {
        prepared.step.refused(status, &mut self.card);
        let tolerated = prepared.step.tolerates(prepared.moment).is_some_and(|set| set.contains(status));
        if tolerated { Ok(()) } else { Err(self.refusal(prepared, status).at(index, prepared)) }
    }

    /// A card without AES keys refuses to have its session managed: that is no error of the card.
    fn refusal(&self, prepared: &Prepared, status: StatusWord) -> Refused {
        match prepared.step {
            Step::Manage(_) if status == StatusWord::ACCESS_FORBIDDEN && !self.card.features().extended => {
                Refused::Unsupported
            }
            _ => Refused::Status(status),
        }
    }

    fn accept(&mut self, prepared: &Prepared, index: usize, answer: Response<'_>) -> Result<(), Refused> {
        prepared.facts.answer_length.check(answer.data)?;
        match &prepared.step {
            Step::Opening(opening) => {
                let predicted = self.block.predictions.get(index).is_some();
                self.opened(opening, answer.data, predicted)
            }
            Step::Close(close) => self.closed(close.ratified, answer.data),
            Step::Ratify(_) => {
                self.session.ratify();
                Ok(())
            }
            Step::PkiClose(_) | Step::Abort(_) | Step::Manage(_) => self.accept_rarer(&prepared.step, answer),
            step => {
                let Self { block, list, card, .. } = self;
                let command = block.applied(prepared, index);
                step.apply(&Exchanged { answer, command, payload: list.payload() }, card)?;
                self.note_applied(prepared, answer);
                Ok(())
            }
        }
    }

    #[cold]
    fn accept_rarer(&mut self, step: &Step, answer: Response<'_>) -> Result<(), Refused> {
        match step {
            Step::PkiClose(_) => self.pki_closed(answer.data)?,
            Step::Abort(_) => self.aborted(answer),
            Step::Manage(manage) => {
                if let (true, Some(symmetric)) = (manage.authenticate, &mut self.symmetric) {
                    symmetric.service.verify_early_mac(answer.data);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What an answer leads to beside its effect on the image.
    pub(super) fn note_applied(&mut self, prepared: &Prepared, answer: Response<'_>) {
        if unlikely(answer.status == StatusWord::POSTPONED) && prepared.moment.in_session() {
            self.session.postpone(&prepared.step);
        }
        if let (Step::StoredValue(operation), Some(symmetric)) = (prepared.step, &mut self.symmetric)
            && !operation.in_session()
        {
            symmetric.service.verify_stored_value(answer.data);
        }
    }

    /// Has the SAM digest what was exchanged, or compares it with what it has digested already: point G73. A session that
    /// the card signs is hashed here.
    fn digest_answer(&mut self, prepared: &Prepared, index: usize, bytes: &[u8]) -> Result<(), Refused> {
        if !prepared.is_digested() {
            return Ok(());
        }
        if let Some(prediction) = self.block.predictions.get(index) {
            return if prediction == bytes { Ok(()) } else { Err(Misbehaviour::NotAsPredicted.into()) };
        }
        let command = self.block.clear_digested(prepared, index);
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.digest(command, bytes);
        }
        self.asymmetric.as_mut().map_or(Ok(()), |asymmetric| asymmetric.add(command, bytes))
    }
}
