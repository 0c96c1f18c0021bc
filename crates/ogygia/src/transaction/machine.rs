//! The state machine: what is asked of whom next, and what an answer means.
//!
//! Specification 02, "Process" and "Failures". Both exchange policies would share this file: the grouped policy asks
//! the SAM only when its answer is needed, so that one peer at a time has a request under way.

use super::Transaction;
use crate::apdu::{Batch, Response, StatusWord};
use crate::command::{Abort, Encoder, Exchange, Exchanged, Forecast, Material, Prepared, Step};
use crate::error::{Error, Fate, Misbehaviour, Untrusted};
use crate::request::{ChannelControl, Loss, Peer, Request};

/// What the transaction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The application: commands are prepared.
    Idle,
    /// The card.
    Card(CardWork),
    /// The SAM.
    Sam(SamWork),
    /// The application again, to take the outcome.
    Done(Result<(), Error>),
}

/// What the card request under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardWork {
    /// A block of prepared commands.
    Block(ChannelControl),
    /// The abort of a session that an error has made void.
    Abort(Error),
    /// The abort of a session that the card opened when it was only asked to foretell one: point E-04.
    AbortStray,
    /// Nothing but the closing of the channel.
    CloseChannel,
}

/// What the answers of the SAM are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SamWork {
    /// The next prepared command, which cannot be built without them.
    Material,
    /// Being sure of the card before anything more is sent to it.
    BeforeBlock(ChannelControl),
    /// Being sure of a card that has committed a session before an error is reported.
    BeforeReport(Error),
    /// Nothing more: what waited is sent.
    Rest,
    /// The next transaction.
    Prefetch,
}

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
    pub(super) fn request(&self, peer: Peer) -> Option<Request<'_>> {
        match (self.state, peer) {
            (State::Card(work), Peer::Card) => Some(Request {
                peer,
                commands: &self.block.commands,
                accepts: &self.block.accepts,
                stop: true,
                channel: match work {
                    CardWork::Block(channel) => channel,
                    CardWork::Abort(_) | CardWork::AbortStray => ChannelControl::KeepOpen,
                    CardWork::CloseChannel => ChannelControl::CloseAfter,
                },
            }),
            (State::Sam(_), Peer::Sam) => self.symmetric.as_ref().map(|symmetric| symmetric.service.request()),
            _ => None,
        }
    }

    /// Enters the state that `next` leads to, or begins to fail.
    pub(super) fn enter(&mut self, next: Result<State, Error>) {
        match next {
            // What is prepared waits for its own processing.
            Ok(State::Done(outcome)) if self.state == State::Sam(SamWork::Prefetch) => {
                self.state = State::Done(outcome);
            }
            Ok(State::Done(outcome)) => {
                self.list.clear();
                self.block.restart(0);
                self.state = State::Done(outcome);
            }
            Ok(state) => self.state = state,
            Err(error) => self.report(error),
        }
    }

    /// Begins to fail with `error`; but a card that has committed a session is verified before.
    fn report(&mut self, error: Error) {
        if self.is_verifying() && self.seal() {
            self.state = State::Sam(SamWork::BeforeReport(error));
        } else {
            self.fail(error);
        }
    }

    /// Forgets what was prepared, and aborts the session if the card has one: specification 02, "Failures".
    pub(super) fn fail(&mut self, error: Error) {
        self.list.reset();
        self.block.restart(0);
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.reset();
        }
        if !self.session.is_open() {
            self.state = State::Done(Err(error));
            return;
        }
        self.state = self.abort(CardWork::Abort(error));
    }

    fn abort(&mut self, work: CardWork) -> State {
        self.push_to_block(Prepared { step: Step::Abort(Abort), moment: Default::default() });
        State::Card(work)
    }

    /// Begins with the first prepared command.
    pub(super) fn begin(&mut self) -> Result<State, Error> {
        self.block.restart(0);
        self.scratch.applied = None;
        if self.card.has_stray_session && self.list.len() > 0 {
            return Ok(self.abort(CardWork::AbortStray));
        }
        self.advance()
    }

    /// Puts commands into the block until an answer is needed.
    pub(super) fn advance(&mut self) -> Result<State, Error> {
        while let Some(prepared) = self.list.get(self.block.first + self.block.commands.len()) {
            let material = prepared.step.material();
            if material != Material::None && self.symmetric.is_some() {
                if !self.synchronize_block()? {
                    return Ok(self.send_block(ChannelControl::KeepOpen));
                }
                if !self.ask_material(material, prepared.step)? {
                    return Ok(State::Sam(SamWork::Material));
                }
            }
            self.push_to_block(prepared);
        }
        Ok(self.conclude())
    }

    /// All commands are in the block, or beyond: the rest is sent.
    fn conclude(&mut self) -> State {
        if !self.block.commands.is_empty() {
            return self.send_block(self.channel);
        }
        if self.seal() {
            return State::Sam(SamWork::Rest);
        }
        if self.list.len() == 0 && self.channel == ChannelControl::CloseAfter {
            return State::Card(CardWork::CloseChannel);
        }
        State::Done(Ok(()))
    }

    fn send_block(&mut self, channel: ChannelControl) -> State {
        if self.is_verifying() && self.seal() {
            return State::Sam(SamWork::BeforeBlock(channel));
        }
        State::Card(CardWork::Block(channel))
    }

    /// Whether the card has committed a session and its authenticity is in question.
    pub(super) fn is_verifying(&self) -> bool {
        self.symmetric.as_ref().is_some_and(|symmetric| symmetric.service.is_verifying())
    }

    fn seal(&mut self) -> bool {
        self.symmetric.as_mut().is_some_and(|symmetric| symmetric.service.seal())
    }

    /// Asks the SAM for what `step` is built with. True when it is at hand.
    fn ask_material(&mut self, material: Material, step: Step) -> Result<bool, Error> {
        let Some(symmetric) = &mut self.symmetric else { return Ok(true) };
        let service = &mut symmetric.service;
        let challenge = self.card.challenge.unwrap_or_default();
        let at_hand = match material {
            Material::None => true,
            Material::Challenge => {
                if let Step::Opening(opening) = step {
                    self.opening_form = opening.form(&self.card);
                }
                service.ask_challenge(self.opening_form)
            }
            Material::Mac => {
                service.ask_mac();
                false
            }
            Material::PinPresentation { pin, key } => {
                service.ask_pin_block(challenge, pin.of(self.list.payload()), key);
                false
            }
            Material::PinChange { pin, key } => {
                service.ask_new_pin_block(challenge, pin.of(self.list.payload()), key);
                false
            }
            Material::CardKey { new, issuer } => {
                service.ask_key_block(challenge, new, issuer);
                false
            }
            Material::StoredValue => {
                self.ask_stored_value(step)?;
                return Ok(false);
            }
        };
        if !at_hand {
            service.seal();
        }
        Ok(at_hand)
    }

    fn push_to_block(&mut self, prepared: Prepared) {
        let material = match (&self.symmetric, prepared.step.material()) {
            (None, _) | (_, Material::None) => &[],
            (Some(symmetric), Material::Challenge) => symmetric.service.challenge(self.opening_form),
            (Some(symmetric), _) => symmetric.service.material(),
        };
        let encoder = Encoder {
            product: self.card.product(),
            quirks: self.card.identity.quirks,
            payload: self.list.payload(),
            material,
            purse_kvc: self.card.sv_get.kvc.unwrap_or_default(),
            sam_serial_number: self.symmetric.as_ref().map_or([0; 4], |symmetric| symmetric.settings.sam.serial_number),
        };
        self.block.push(prepared, self.card.postponed, &encoder);
    }

    /// Has the SAM digest the commands of the block before the card has seen them, as far as their answers are certain.
    /// False when one is not: specification 02, "Which commands need the crypto service, which can be anticipated".
    fn synchronize_block(&mut self) -> Result<bool, Error> {
        while let Some(prepared) = self.list.get(self.block.first + self.block.predictions.len()) {
            if self.block.predictions.len() == self.block.commands.len() {
                break;
            }
            let certain = match prepared.step {
                step if step.ends_block(prepared.moment, self.card.postponed) => false,
                Step::Opening(opening) => self.predict_opening(opening)?,
                _ => self.predict(prepared),
            };
            if !certain {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn predict(&mut self, prepared: Prepared) -> bool {
        let index = self.block.predictions.len();
        if !prepared.moment.in_session || !prepared.step.digested() {
            self.block.predictions.push(&[]);
            return true;
        }
        if prepared.step.depends_on_image() {
            self.update_scratch();
        }
        let Self { block, card, scratch, list, symmetric, .. } = self;
        let mut certain = false;
        let from = Forecast {
            product: card.product(),
            postponed: card.postponed,
            content: &scratch.content,
            pre_opened: prepared.moment.pre_opened,
            payload: list.payload(),
        };
        block.predictions.push_with(|out| certain = prepared.step.predict(&from, out));
        if !certain {
            block.predictions.truncate(index);
            return false;
        }
        if let (Some(symmetric), Some(answer)) = (symmetric, block.predictions.get(index)) {
            symmetric.service.digest(block.digested(index), answer);
        }
        true
    }

    /// The scratch image is the image as the predicted commands of the block will leave it.
    fn update_scratch(&mut self) {
        let Self { block, card, scratch, list, .. } = self;
        if scratch.applied.is_none() {
            scratch.content.clone_from(&card.content);
        }
        let done = scratch.applied.unwrap_or(0);
        for (index, prediction) in block.predictions.iter().enumerate().skip(done) {
            if let (Some(prepared), Some(answer)) = (list.get(block.first + index), Response::parse(prediction)) {
                let command = block.commands.get(index).unwrap_or_default();
                let exchanged = Exchanged { answer, command, payload: list.payload() };
                // A prediction that does not fit the image was not made from it; the real answer will tell.
                let _ = prepared.step.change(&exchanged, &mut scratch.content);
            }
        }
        scratch.applied = Some(block.predictions.len());
    }

    pub(super) fn next_after_card(&mut self, work: CardWork, responses: &Batch) -> Result<State, Error> {
        match work {
            CardWork::Block(_) => {
                self.take_answers(responses)?;
                self.after_block(responses.len())
            }
            CardWork::Abort(error) => {
                self.session.void(&mut self.card.content);
                self.card.forget_sv_get();
                Ok(State::Done(Err(error)))
            }
            CardWork::AbortStray => {
                self.card.has_stray_session = false;
                self.block.restart(0);
                self.advance()
            }
            CardWork::CloseChannel => Ok(State::Done(Ok(()))),
        }
    }

    fn after_block(&mut self, answered: usize) -> Result<State, Error> {
        let commands = self.block.commands.len();
        if answered < commands {
            return Err(Error::ResponseCount { peer: Peer::Card, commands, responses: answered });
        }
        self.next_block();
        self.advance()
    }

    fn next_block(&mut self) {
        self.block.restart(self.block.first + self.block.commands.len());
        self.scratch.applied = None;
    }

    /// The card is lost. What it answered before counts: specification 02, points G22 and G23.
    pub(super) fn next_after_card_loss(
        &mut self,
        work: CardWork,
        loss: Loss,
        received: &Batch,
    ) -> Result<State, Error> {
        let CardWork::Block(_) = work else { return self.next_after_card(work, received) };
        self.take_answers(received)?;
        let answered = received.len();
        if self.only_ratification_missing(answered) {
            self.next_block();
            return self.advance();
        }
        Err(Error::Lost { peer: Peer::Card, loss, fate: self.fate_of_card_loss(answered, loss) })
    }

    fn only_ratification_missing(&self, answered: usize) -> bool {
        let last = self.block.commands.len();
        answered + 1 == last
            && self.list.len() == self.block.first + last
            && self.list.get(self.block.first + answered).is_some_and(|last| matches!(last.step, Step::Ratify(_)))
    }

    pub(super) fn next_after_sam(&mut self, work: SamWork, responses: &Batch) -> Result<State, Error> {
        let Some(symmetric) = &mut self.symmetric else { return Ok(State::Done(Ok(()))) };
        let handled = symmetric.service.handle(responses);
        if (self.list.len() == 0 || work == SamWork::Prefetch)
            && let Err(error) = handled
        {
            // Nothing is being processed: an error of what waited for the SAM does not touch the session.
            return Ok(State::Done(Err(error)));
        }
        if symmetric.service.take_authenticated() {
            self.session.authenticate();
        }
        handled?;
        match work {
            SamWork::Material => {
                if let Some(prepared) = self.list.get(self.block.first + self.block.commands.len()) {
                    self.push_to_block(prepared);
                }
                self.advance()
            }
            SamWork::BeforeBlock(channel) => Ok(State::Card(CardWork::Block(channel))),
            SamWork::BeforeReport(Error::Lost { peer, loss, fate: Fate::Unverified }) => {
                Err(Error::Lost { peer, loss, fate: Fate::Committed })
            }
            SamWork::BeforeReport(error) => Err(error),
            SamWork::Rest => Ok(self.conclude()),
            SamWork::Prefetch => {
                if let Some(symmetric) = &mut self.symmetric {
                    symmetric.service.keep_challenge();
                }
                Ok(State::Done(Ok(())))
            }
        }
    }

    /// Applies answers to the commands of the block, in order, up to the first that is not accepted.
    fn take_answers(&mut self, responses: &Batch) -> Result<(), Error> {
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
