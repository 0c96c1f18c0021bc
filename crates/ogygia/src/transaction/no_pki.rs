//! What stands for sessions that the card signs where they are left out: nothing of it can exist.

use super::Transaction;
use super::answers::{Read, Refused};
use super::machine::State;
use crate::apdu::{Batch, Response};
use crate::command::{PkiOpening, Prepared};
use crate::error::Error;

/// The asymmetric side of a transaction.
#[derive(Debug)]
pub(super) enum Asymmetric {}

impl Asymmetric {
    pub(super) fn reset(&mut self) {
        match *self {}
    }

    pub(super) const fn request(&self) -> &Batch {
        match *self {}
    }

    pub(super) fn add(&mut self, _command: &[u8], _answer: &[u8]) -> Result<(), Refused> {
        match *self {}
    }
}

impl Transaction {
    pub(super) const fn may_need_issuer(&self) -> bool {
        false
    }

    pub(super) fn pki_opened(
        &mut self,
        _opening: PkiOpening,
        _place: (&Prepared, usize),
        _answer: Response<'_>,
        _bytes: &[u8],
    ) -> Result<Read, Refused> {
        Ok(Read::Clear)
    }

    pub(super) fn pki_closed(&mut self, _signature: &[u8]) -> Result<(), Refused> {
        Ok(())
    }

    pub(super) fn ask_issuer(&mut self, _index: usize) -> State {
        State::Card(super::machine::CardWork::Issuer)
    }

    pub(super) fn take_issuer(&mut self, _responses: &Batch) -> Result<(), Error> {
        Ok(())
    }

    pub(super) fn note_closed_ahead(&mut self, _responses: &Batch) {}
}
