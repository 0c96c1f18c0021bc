//! Several selections, tried in order.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::Selection;
use crate::apdu::Batch;
use crate::card::Card;
use crate::error::{Error, Fate, Misuse};
use crate::request::{Loss, Peer, Request};

/// Power-on data as a pattern: bytes that must be there, and bytes that do not matter, from the first on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerOnFilter {
    pattern: Vec<Option<u8>>,
    /// Whether more bytes may follow.
    open_end: bool,
}

impl PowerOnFilter {
    /// Exactly as many bytes as `pattern` has.
    #[must_use]
    pub fn exactly(pattern: &[Option<u8>]) -> Self {
        Self { pattern: pattern.to_vec(), open_end: false }
    }

    /// At least the bytes of `pattern`.
    #[must_use]
    pub fn beginning(pattern: &[Option<u8>]) -> Self {
        Self { pattern: pattern.to_vec(), open_end: true }
    }

    /// Whether `power_on_data` fits.
    #[must_use]
    pub fn passes(&self, power_on_data: &[u8]) -> bool {
        let lengths =
            power_on_data.len() == self.pattern.len() || (self.open_end && power_on_data.len() > self.pattern.len());
        lengths
            && self.pattern.iter().zip(power_on_data).all(|(wanted, byte)| wanted.is_none_or(|wanted| wanted == *byte))
    }
}

/// What a scenario came to.
#[derive(Debug)]
pub enum Outcome {
    /// The card is the one that the selection at this place wanted.
    Matched {
        /// Place of the selection in the scenario, from 0.
        index: usize,
        /// The image of the card.
        card: Box<Card>,
    },
    /// No selection wanted it.
    NoMatch,
    /// The answers of the card are refused, or it was lost.
    Failed(Error),
}

/// Selections that are tried in order until one matches: `poll`, `handle`, `handle_lost`, as a transaction is driven.
#[derive(Debug, Default)]
pub struct Scenario {
    selections: Vec<Selection>,
    power_on_data: Vec<u8>,
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Trying(usize),
    Done(Outcome),
}

impl Scenario {
    /// A scenario without selections, which no card matches.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a selection, tried after those before; gives its place.
    pub fn add(&mut self, selection: Selection) -> usize {
        self.selections.push(selection);
        self.selections.len() - 1
    }

    /// Begins with a card that has just been powered.
    pub fn begin(&mut self, power_on_data: &[u8]) {
        self.power_on_data.clear();
        self.power_on_data.extend_from_slice(power_on_data);
        self.try_from(0);
    }

    /// The request to send, the same until it is answered.
    #[must_use]
    pub fn poll(&self) -> Option<Request<'_>> {
        match self.state {
            State::Trying(index) => self.selections.get(index).map(Selection::request),
            State::Idle | State::Done(_) => None,
        }
    }

    /// Takes the answers to the request.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked.
    pub fn handle(&mut self, answers: &Batch) -> Result<(), Error> {
        let (index, selection) = self.current()?;
        match selection.card(&self.power_on_data, answers) {
            Ok(Some(card)) => self.state = State::Done(Outcome::Matched { index, card: Box::new(card) }),
            Ok(None) => self.try_from(index + 1),
            Err(error) => self.state = State::Done(Outcome::Failed(error)),
        }
        Ok(())
    }

    /// Takes note that the card was lost.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked.
    pub fn handle_lost(&mut self, loss: Loss) -> Result<(), Error> {
        self.current()?;
        let lost = Error::Lost { peer: Peer::Card, loss, fate: Fate::Untouched };
        self.state = State::Done(Outcome::Failed(lost));
        Ok(())
    }

    /// The outcome, once nothing more is to be sent.
    pub fn outcome(&mut self) -> Option<Outcome> {
        match core::mem::take(&mut self.state) {
            State::Done(outcome) => Some(outcome),
            other => {
                self.state = other;
                None
            }
        }
    }

    fn current(&self) -> Result<(usize, &Selection), Error> {
        let State::Trying(index) = self.state else { return Err(Misuse::NotAsked.into()) };
        self.selections.get(index).map(|selection| (index, selection)).ok_or(Misuse::NotAsked.into())
    }

    fn try_from(&mut self, first: usize) {
        let passes = |selection: &Selection| {
            let filtered = selection.filter.as_ref();
            filtered.is_none_or(|filter| filter.passes(&self.power_on_data))
        };
        let next = self.selections.iter().enumerate().skip(first).find(|(_, selection)| passes(selection));
        self.state = match next {
            // Without name and commands there is nothing to send: the power-on data decide.
            Some((index, selection)) if selection.request().commands.is_empty() => {
                match selection.card(&self.power_on_data, &Batch::new()) {
                    Ok(Some(card)) => State::Done(Outcome::Matched { index, card: Box::new(card) }),
                    Ok(None) => State::Done(Outcome::NoMatch),
                    Err(error) => State::Done(Outcome::Failed(error)),
                }
            }
            Some((index, _)) => State::Trying(index),
            None => State::Done(Outcome::NoMatch),
        };
    }
}
