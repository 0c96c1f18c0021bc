//! What the SAM does while the card, or the application, is waited for: specification 02, "What depends on what".
//!
//! The state of the machine says who is waited for; the service of the SAM knows whether a request is under way besides.
//! What is waited for of the SAM departs behind that, so that no peer ever has two requests.

use super::Transaction;
use super::machine::{CardWork, State};
use crate::apdu::Batch;
use crate::command::{Material, Prepared, Step};
use crate::error::{Error, Fate};
use crate::hint::unlikely;
use crate::request::{Loss, Peer};
use crate::sam::Meanwhile;

/// What the next command is built with, where the SAM must give it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum NextMaterial {
    /// The SAM was not asked.
    #[default]
    Unasked,
    /// It was asked while the card executes what stands before.
    Asked,
    /// It was given.
    AtHand,
}

/// What went wrong with the SAM while somebody else was waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct SamFailure {
    how: Failed,
    /// The authenticity of a card that has committed a session was in question.
    verifying: bool,
}

/// What a loss means is known only when it is reported: the card may execute something until then.
#[derive(Clone, Copy, Debug)]
enum Failed {
    Answered(Error),
    Lost(Loss),
}

impl Transaction {
    /// Whether the policy lets card and SAM work at the same time.
    pub(super) fn overlaps(&self) -> bool {
        unlikely(self.means.overlapped)
    }

    /// Whether the SAM has a request although it is not waited for.
    pub(super) fn is_sam_ahead(&self) -> bool {
        self.symmetric.as_ref().is_some_and(|symmetric| symmetric.service.is_under_way())
    }

    /// Whether the block is sent before `next` is put into it, so that the SAM can begin with its answers: behind an
    /// opening that was not foretold, and on both sides of a ratification.
    pub(super) fn cuts_before(&self, next: &Step) -> bool {
        self.overlaps()
            && match self.block_steps().last() {
                Some(Step::Opening(opening)) => !opening.pre_opened,
                Some(Step::Close(_)) => matches!(next, Step::Ratify(_)),
                Some(Step::Ratify(_)) => true,
                _ => false,
            }
    }

    /// Whether the block can be sent while the SAM makes the MAC over it.
    pub(super) fn can_send_before_mac(&self) -> bool {
        self.overlaps() && !self.block.commands.is_empty() && !self.is_verifying() && !self.is_deferring()
    }

    /// Whether the block is nothing but a ratification, for which the terminal need not be sure of the card.
    pub(super) fn overlaps_ratification(&self) -> bool {
        self.overlaps() && self.block_steps().all(|step| matches!(step, Step::Ratify(_)))
    }

    fn block_steps(&self) -> impl DoubleEndedIterator<Item = Step> + '_ {
        let first = self.block.first;
        let block = self.list.commands().get(first..first + self.block.commands.len()).unwrap_or_default();
        block.iter().map(|prepared| prepared.step)
    }

    /// Gives the SAM what it can already do, where the policy lets it.
    pub(super) fn work_ahead(&mut self) {
        let meanwhile = match self.state {
            State::Card(CardWork::Block(_)) => self.meanwhile(),
            State::Idle => Meanwhile::Nothing,
            State::Done if self.outcome.is_ok() => Meanwhile::Nothing,
            State::NoCard | State::Card(_) | State::Sam(_) | State::Done => return,
        };
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.work_ahead(meanwhile);
        }
    }

    /// What the card does with the block.
    fn meanwhile(&self) -> Meanwhile {
        let behind = self.list.commands().get(self.block.first..).unwrap_or_default();
        let needs_keys = |prepared: &Prepared| match prepared.facts.material {
            Material::PinPresentation | Material::PinChange | Material::CardKey | Material::StoredValue => true,
            // Behind it, an operation is prepared: that is what it is for.
            _ => matches!(prepared.step, Step::SvGet(_)),
        };
        if self.block_steps().any(|step| matches!(step, Step::Opening(_))) {
            Meanwhile::Opens
        } else if behind.iter().any(needs_keys) {
            Meanwhile::NeedsKeys
        } else {
            Meanwhile::Executes
        }
    }

    /// The SAM has answered while somebody else is waited for.
    pub(super) fn take_ahead(&mut self, responses: &Batch) {
        let Some(symmetric) = &mut self.symmetric else { return };
        let service = &mut symmetric.service;
        let verifying = service.is_verifying();
        let handled = service.handle(responses);
        if let Some(proof) = service.take_authenticated() {
            self.session.authenticate(proof);
        }
        match handled {
            Ok(()) if service.depart_next() => {}
            Ok(()) if self.next_material == NextMaterial::Asked => self.next_material = NextMaterial::AtHand,
            Ok(()) => {}
            Err(error) => self.sam_failure = Some(SamFailure { how: Failed::Answered(error), verifying }),
        }
        self.work_ahead();
    }

    /// The SAM was lost while somebody else is waited for.
    pub(super) fn lose_ahead(&mut self, loss: Loss) {
        let Some(symmetric) = &mut self.symmetric else { return };
        let verifying = symmetric.service.is_verifying();
        if symmetric.service.lose() {
            self.sam_failure = Some(SamFailure { how: Failed::Lost(loss), verifying });
        }
    }

    /// Takes back what the SAM need not answer any more: for drivers that know that it was never sent.
    pub(crate) fn take_back_void_request(&mut self) {
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.take_back_void();
        }
    }

    /// What went wrong with the SAM meanwhile, if anything: before more is asked of it, when the card has answered
    /// `answered` commands of the block.
    pub(super) fn check_sam(&mut self, answered: usize) -> Result<(), Error> {
        if unlikely(self.sam_failure.is_some()) { self.give_sam_failure(answered) } else { Ok(()) }
    }

    #[cold]
    fn give_sam_failure(&mut self, answered: usize) -> Result<(), Error> {
        self.sam_failure.take().map_or(Ok(()), |failure| Err(self.error_of(failure, answered)))
    }

    /// What comes next, when something went wrong with the SAM meanwhile. An error of the card would have been reported
    /// before the SAM was even asked, except when the SAM was asked about the card.
    #[cold]
    pub(super) fn heed_sam_failure(&mut self, next: Result<State, Error>) -> Result<State, Error> {
        match (self.sam_failure.take(), next) {
            (None, next) => next,
            (Some(SamFailure { verifying: false, .. }), Err(error)) => Err(error),
            (Some(_), Ok(State::Done)) if self.outcome.is_err() => Ok(State::Done),
            (Some(failure), _) => Err(self.error_of(failure, 0)),
        }
    }

    /// The error, with what it means now.
    #[cold]
    fn error_of(&self, SamFailure { how, verifying }: SamFailure, answered: usize) -> Error {
        match how {
            Failed::Answered(error) => error,
            Failed::Lost(loss) => {
                let fate = match self.fate_of_sam_loss(answered) {
                    Fate::NotCommitted => Fate::NotCommitted,
                    _ if verifying => Fate::Unverified,
                    fate => fate,
                };
                Error::Lost { peer: Peer::Sam, loss, fate }
            }
        }
    }
}
