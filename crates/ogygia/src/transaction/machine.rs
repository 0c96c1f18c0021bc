//! The state machine: what is asked of whom next, and what an answer means.
//!
//! Specification 02, "Process" and "Failures". Both exchange policies share this file. A state names who is waited for:
//! under the overlapped policy the SAM may have a request as well while the card, or the application, is (`overlap`).

use core::hint::cold_path;

use super::Transaction;
use super::block::Block;
use super::overlap::NextMaterial;
use crate::apdu::Batch;
use crate::command::{Abort, Moment, Prepared, Step};
use crate::error::{Error, Fate};
use crate::hint::unlikely;
use crate::request::{ChannelControl, Loss, Peer, Request};

/// What the transaction waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// The application: commands are prepared.
    Idle,
    /// The application, for another card: the last one was refused.
    NoCard,
    /// The card.
    Card(CardWork),
    /// The SAM.
    Sam(SamWork),
    /// The application again, to take the outcome.
    Done,
}

/// What the card request under way is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CardWork {
    /// A block of prepared commands.
    Block(ChannelControl),
    /// The abort of a session that an error has made void.
    Abort,
    /// The abort of a session that the card opened when it was only asked to foretell one: point E-04.
    AbortStray,
    /// The reading of the certificate of the card's authority; then the answer that waits for it is read.
    Issuer,
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
    BeforeReport,
    /// The commands that wait for it, ciphered.
    Cipher,
    /// The answers that wait for it, deciphered.
    Decipher,
    /// An answer of the block before, deciphered, before anything more is built.
    Continue,
    /// Nothing more: what waited is sent.
    Rest,
    /// The next transaction.
    Prefetch,
}

impl Transaction {
    pub(super) fn request(&self, peer: Peer) -> Option<Request<'_>> {
        match (self.state, peer) {
            (State::Card(CardWork::Block(channel)), Peer::Card) => Some(self.block_request(channel)),
            (State::Card(work), Peer::Card) => Some(self.rarer_request(work)),
            (state, Peer::Sam) if matches!(state, State::Sam(_)) || self.is_sam_ahead() => {
                self.symmetric.as_ref().map(|symmetric| symmetric.service.request())
            }
            _ => None,
        }
    }

    fn block_request(&self, channel: ChannelControl) -> Request<'_> {
        let Block { commands, accepts, .. } = &self.block;
        Request { peer: Peer::Card, commands, accepts, stop: true, channel }
    }

    #[cold]
    fn rarer_request(&self, work: CardWork) -> Request<'_> {
        let channel = match work {
            CardWork::Block(channel) => channel,
            CardWork::Abort | CardWork::AbortStray => ChannelControl::KeepOpen,
            CardWork::Issuer => self.channel,
            CardWork::CloseChannel => ChannelControl::CloseAfter,
        };
        match (work, &self.asymmetric) {
            (CardWork::Issuer, Some(asymmetric)) => {
                let commands = asymmetric.request();
                Request { peer: Peer::Card, commands, accepts: &[], stop: true, channel }
            }
            _ => self.block_request(channel),
        }
    }

    /// Enters the state that `next` leads to, or begins to fail.
    #[inline(always)]
    pub(super) fn enter(&mut self, next: Result<State, Error>) {
        let next = if unlikely(self.sam_failure.is_some()) { self.heed_sam_failure(next) } else { next };
        match next {
            // What is prepared waits for its own processing.
            Ok(State::Done) if matches!(self.state, State::Sam(SamWork::Prefetch)) => self.state = State::Done,
            Ok(State::Done) => {
                self.list.clear();
                self.state = State::Done;
            }
            Ok(state) => self.state = state,
            Err(error) => self.report(error),
        }
        if self.overlaps() {
            self.work_ahead();
        }
    }

    /// Begins to fail with `error`; but a card that has committed a session is verified before.
    #[cold]
    fn report(&mut self, error: Error) {
        if (self.catch_up() || self.is_verifying()) && self.seal() {
            self.outcome = Err(error);
            self.state = State::Sam(SamWork::BeforeReport);
        } else {
            self.fail(error);
        }
    }

    /// Forgets what was prepared, and aborts the session if the card has one: specification 02, "Failures".
    #[cold]
    pub(super) fn fail(&mut self, error: Error) {
        self.outcome = Err(error);
        self.list.reset();
        self.block.restart(0);
        // The card may have used up what it foretold.
        self.card.pre_open = None;
        self.deferred = None;
        self.next_material = NextMaterial::Unasked;
        self.sam_failure = None;
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.reset();
        }
        if let Some(asymmetric) = &mut self.asymmetric {
            asymmetric.reset();
        }
        if self.closed_ahead.take().is_some() {
            // The card has executed the closing behind the answer that is refused: there is nothing to abort.
            self.session.void(&mut self.card.content);
        }
        if !self.session.is_open() {
            self.state = State::Done;
            return;
        }
        self.state = self.abort(CardWork::Abort);
    }

    pub(super) fn abort(&mut self, work: CardWork) -> State {
        self.push_to_block(&Prepared::new(Abort, Moment::default()));
        State::Card(work)
    }

    pub(super) fn next_after_card(&mut self, work: CardWork, responses: &Batch) -> Result<State, Error> {
        match work {
            CardWork::Block(_) => self.take_answers(responses),
            work => self.next_after_rarer_card_work(work, responses),
        }
    }

    #[cold]
    fn next_after_rarer_card_work(&mut self, work: CardWork, responses: &Batch) -> Result<State, Error> {
        match work {
            CardWork::Block(_) => self.take_answers(responses),
            CardWork::Abort => {
                self.session.void(&mut self.card.content);
                self.card.forget_sv_get();
                Ok(State::Done)
            }
            CardWork::AbortStray => {
                self.card.has_stray_session = false;
                self.block.restart(0);
                self.advance()
            }
            CardWork::Issuer => {
                if let Err(error) = self.take_issuer(responses) {
                    // A card that does not even give this is not asked to abort.
                    self.session.void(&mut self.card.content);
                    return Err(error);
                }
                self.take_received_from(self.held.start)
            }
            CardWork::CloseChannel => Ok(State::Done),
        }
    }

    /// All the answers were read.
    pub(super) fn after_block(&mut self, answered: usize) -> Result<State, Error> {
        if unlikely(answered < self.block.commands.len()) {
            return Err(self.wrong_count(answered));
        }
        self.check_sam(answered)?;
        self.next_block();
        self.advance()
    }

    pub(super) fn next_block(&mut self) {
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
        if let CardWork::Issuer = work {
            let fate = self.closed_ahead.unwrap_or_else(|| self.fate_of_card_loss(usize::MAX, loss));
            return Err(Error::Lost { peer: Peer::Card, loss, fate });
        }
        let CardWork::Block(_) = work else { return self.next_after_card(work, received) };
        self.note_closed_ahead(received);
        // What is ciphered stays unread: nobody will decipher it any more.
        let _ciphered = self.read_answers(0, received)?;
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
        let Some(symmetric) = &mut self.symmetric else { return Ok(State::Done) };
        let ahead = symmetric.service.has_next();
        let handled = symmetric.service.handle(responses);
        if let Some(proof) = symmetric.service.take_authenticated() {
            self.session.authenticate(proof);
        }
        if let Err(error) = handled {
            cold_path();
            if (ahead && self.session.is_open()) || (self.list.len() > 0 && work != SamWork::Prefetch) {
                return Err(error);
            }
            // Nothing is being processed: an error of what waited for the SAM does not touch the session.
            self.outcome = Err(error);
            return Ok(State::Done);
        }
        if unlikely(symmetric.service.depart_next()) {
            // What was answered was given to the SAM ahead of what is waited for.
            return Ok(State::Sam(work));
        }
        self.apply_deferred()?;
        match work {
            SamWork::Material => self.next_material = NextMaterial::AtHand,
            SamWork::Continue | SamWork::Rest => {}
            rarer => return self.next_after_rarer_sam_work(rarer),
        }
        self.advance()
    }

    #[cold]
    fn next_after_rarer_sam_work(&mut self, work: SamWork) -> Result<State, Error> {
        match work {
            SamWork::Material | SamWork::Continue | SamWork::Rest => self.advance(),
            SamWork::Cipher => {
                self.take_ciphered();
                self.advance()
            }
            SamWork::Decipher => {
                self.held.clone().try_for_each(|index| self.apply_at(index))?;
                self.take_received_from(self.held.end)
            }
            SamWork::BeforeBlock(channel) => {
                self.channel_closed = channel == ChannelControl::CloseAfter;
                Ok(State::Card(CardWork::Block(channel)))
            }
            SamWork::BeforeReport => match self.outcome {
                Err(Error::Lost { peer, loss, fate: Fate::Unverified }) => {
                    Err(Error::Lost { peer, loss, fate: Fate::Committed })
                }
                outcome => outcome.map(|()| State::Done),
            },
            SamWork::Prefetch => {
                if let Some(symmetric) = &mut self.symmetric {
                    symmetric.service.keep_challenge();
                }
                Ok(State::Done)
            }
        }
    }
}
