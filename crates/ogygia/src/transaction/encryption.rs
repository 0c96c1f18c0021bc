//! Commands whose data are ciphered by the SAM: specification 02, "extended session with encryption", and point G6.
//!
//! Two facts save requests. A command without data, and an answer that is only a status word, are the same in clear and
//! ciphered: readings can be sent before the SAM has seen them, and the `9000` of a writing can be digested before it
//! came. And the SAM answers in order: what deciphers an answer, ciphers the next command and makes the MAC can be one
//! request.

use super::Transaction;
use super::answers::Refused;
use super::machine::{SamWork, State};
use crate::apdu::{Batch, Case, Response};
use crate::command::{Exchange, Exchanged, Forecast, Material, Prepared};
use crate::error::{Error, Misbehaviour};
use crate::hint::unlikely;
use crate::sam::Service;

/// An answer that the SAM has yet to decipher, of a command that ended its block.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deferred {
    prepared: Prepared,
    index: usize,
}

impl Transaction {
    fn is_stepwise(&self) -> bool {
        unlikely(self.means.stepwise)
    }

    /// Step by step, the SAM has digested every ciphered exchange before anything else happens, a failure included.
    pub(super) fn catch_up(&mut self) -> bool {
        self.is_stepwise() && self.flush_encrypted()
    }

    /// Queues the ciphered exchanges that the SAM has yet to digest. False when there are none.
    #[cold]
    pub(super) fn flush_encrypted(&mut self) -> bool {
        self.symmetric.as_mut().is_some_and(|symmetric| symmetric.service.flush_encrypted())
    }

    /// Builds the next command in clear, and tells whether the SAM must cipher it before it is sent.
    pub(super) fn build_clear(&mut self, prepared: &Prepared) -> bool {
        self.push_clear(prepared);
        self.is_stepwise() || matches!(prepared.step.case(), Case::Three | Case::Four(_))
    }

    /// Has the SAM cipher the command that was built last, and with it whatever follows that can be known by then.
    pub(super) fn ask_cipher(&mut self) -> State {
        self.queue_cipher(self.block.commands.len());
        let ahead = if self.is_stepwise() { 0 } else { self.ask_ahead() };
        let first = self.block.commands.len();
        self.held = first..first + 1 + ahead;
        self.seal();
        State::Sam(SamWork::Cipher)
    }

    fn queue_cipher(&mut self, index: usize) {
        if let (Some(symmetric), Some(prepared)) = (&mut self.symmetric, self.list.get(self.block.first + index)) {
            symmetric.service.ask_cipher(self.block.clear_digested(prepared, index));
        }
    }

    /// How many commands behind the one that is being ciphered are asked for in the same request.
    fn ask_ahead(&mut self) -> usize {
        let first = self.block.commands.len();
        for ahead in 0.. {
            let index = first + ahead;
            let (Some(last), Some(next)) =
                (self.list.get(self.block.first + index), self.list.get(self.block.first + index + 1))
            else {
                return ahead;
            };
            let (last, next) = (*last, *next);
            if !self.predict_ciphered(&last) {
                return ahead;
            }
            match next.facts.material {
                Material::Mac => {
                    self.with_service(Service::ask_mac);
                    return ahead + 1;
                }
                Material::None if next.is_encrypted() && self.build_clear(&next) => self.queue_cipher(index + 1),
                _ => {
                    self.block.truncate_clear(index + 1);
                    return ahead;
                }
            }
        }
        0
    }

    pub(super) fn with_service(&mut self, ask: impl FnOnce(&mut Service)) {
        if let Some(symmetric) = &mut self.symmetric {
            ask(&mut symmetric.service);
        }
    }

    /// Has the SAM digest the answer to a ciphered command before it came, when it can only be a status word.
    fn predict_ciphered(&mut self, prepared: &Prepared) -> bool {
        let index = self.block.predictions.len();
        if prepared.facts.material != Material::None || prepared.facts.takes_image() {
            return false;
        }
        let Self { block, card, list, .. } = self;
        let from = Forecast {
            product: card.product(),
            postponed: card.postponed,
            content: &card.content,
            pre_opened: false,
            payload: list.payload(),
        };
        let certain = block.predictions.push_with(|out| prepared.step.predict(&from, out));
        match (&mut self.symmetric, block.predictions.get(index)) {
            (Some(symmetric), Some(answer)) if certain && answer.len() == 2 => {
                symmetric.service.digest_encrypted(answer, false);
                block.note_predicted(prepared);
                true
            }
            _ => {
                block.predictions.truncate(index);
                false
            }
        }
    }

    /// The SAM has ciphered: the commands that waited for it go into the block.
    pub(super) fn take_ciphered(&mut self) {
        for index in self.held.clone() {
            let Some(&prepared) = self.list.get(self.block.first + index) else { return };
            match &mut self.symmetric {
                Some(symmetric) if prepared.is_encrypted() => {
                    self.block.push_ciphered(&prepared, self.card.postponed, symmetric.service.take_material());
                }
                _ => self.push_to_block(&prepared),
            }
        }
    }

    /// Has the SAM digest a ciphered exchange. True when it must decipher the answer before it can be read.
    #[cold]
    pub(super) fn digest_ciphered(&mut self, prepared: &Prepared, index: usize, answer: &[u8]) -> bool {
        let has_data = answer.len() > 2;
        let Some(symmetric) = &mut self.symmetric else { return false };
        if !self.block.was_ciphered(index) {
            symmetric.service.digest_encrypted(self.block.clear_digested(prepared, index), false);
        }
        symmetric.service.digest_encrypted(answer, has_data);
        has_data
    }

    /// The answer at `index` waits for the SAM, and with it those behind that do as well. When nothing follows it in its
    /// block, what comes next may be asked for in the same request.
    #[cold]
    pub(super) fn wait_for_decipher(&mut self, index: usize, responses: &Batch) -> Result<State, Error> {
        let last = self.block.commands.len();
        if index + 1 < last || responses.len() < last {
            self.held = index..self.digest_behind(index, responses);
            self.flush_encrypted();
            self.seal();
            return Ok(State::Sam(SamWork::Decipher));
        }
        if let Some(&prepared) = self.list.get(self.block.first + index) {
            self.deferred = Some(Deferred { prepared, index });
            self.deferred_command.clear();
            self.deferred_command.extend_from_slice(self.block.clear(index));
        }
        self.next_block();
        self.advance()
    }

    /// Has the SAM digest the answers behind that at `index` which it must decipher too, and gives the place of the first
    /// that it need not. An answer that may be refused is left for later: those before it are read first.
    fn digest_behind(&mut self, index: usize, responses: &Batch) -> usize {
        let mut behind = index + 1;
        while let (Some(&prepared), Some(bytes)) = (self.list.get(self.block.first + behind), responses.get(behind)) {
            let accepted = Response::parse(bytes)
                .is_some_and(|answer| !answer.data.is_empty() && prepared.facts.accepts.contains(answer.status));
            let ciphered = prepared.is_encrypted() && self.block.predictions.get(behind).is_none();
            if self.is_stepwise() || !accepted || !ciphered {
                break;
            }
            self.digest_ciphered(&prepared, behind, bytes);
            behind += 1;
        }
        behind
    }

    /// Whether the image lacks what the SAM has yet to decipher.
    pub(super) fn is_deferring(&self) -> bool {
        unlikely(self.deferred.is_some())
    }

    /// Applies the answer that was deferred, now that it is deciphered.
    pub(super) fn apply_deferred(&mut self) -> Result<(), Error> {
        match self.deferred.take() {
            Some(deferred) => self.apply_now(deferred),
            None => Ok(()),
        }
    }

    #[cold]
    fn apply_now(&mut self, Deferred { prepared, index }: Deferred) -> Result<(), Error> {
        let command = core::mem::take(&mut self.deferred_command);
        let applied = self.apply_deciphered(&prepared, &command);
        self.deferred_command = command;
        applied.map_err(|refused| refused.at(index, &prepared))
    }

    /// Applies the answer at `index` of the block, now that it is deciphered.
    pub(super) fn apply_at(&mut self, index: usize) -> Result<(), Error> {
        let Some(&prepared) = self.list.get(self.block.first + index) else { return Ok(()) };
        let mut command = core::mem::take(&mut self.deferred_command);
        command.clear();
        command.extend_from_slice(self.block.clear(index));
        let applied = self.apply_deciphered(&prepared, &command);
        self.deferred_command = command;
        applied.map_err(|refused| refused.at(index, &prepared))
    }

    fn apply_deciphered(&mut self, prepared: &Prepared, command: &[u8]) -> Result<(), Refused> {
        let Some(symmetric) = &mut self.symmetric else { return Ok(()) };
        let mut clear = core::mem::take(&mut self.deciphered);
        clear.clear();
        clear.extend_from_slice(symmetric.service.take_material());
        let applied = match Response::parse(&clear) {
            Some(answer) => self.accept_plain(prepared, command, answer),
            None => Err(Misbehaviour::NoStatus.into()),
        };
        self.deciphered = clear;
        applied
    }

    fn accept_plain(&mut self, prepared: &Prepared, command: &[u8], answer: Response<'_>) -> Result<(), Refused> {
        if !prepared.facts.accepts.contains(answer.status) {
            prepared.step.refused(answer.status, &mut self.card);
            return Err(Refused::Status(answer.status));
        }
        prepared.facts.answer_length.check(answer.data)?;
        prepared.step.apply(&Exchanged { answer, command, payload: self.list.payload() }, &mut self.card)?;
        self.note_applied(prepared, answer);
        Ok(())
    }
}
