//! The prepared list, and the session as its commands will leave it.

use alloc::vec::Vec;

use super::drift::Drifts;
use super::manage::Manage;
use super::open::{MergedRead, Opening};
use super::pki_session::PkiOpening;
use super::prepared::Prepared;
use super::session::Close;
use super::step::{Exchange, Moment, Span, Step};
use super::stored_value::Plan;
use super::terms::{Mode, Terms};
use crate::card::{Level, SessionBudget};
use crate::error::{Error, Misuse};
use crate::hint::unlikely;
use crate::secret;

/// The commands that wait for processing.
#[derive(Debug, Default)]
pub(crate) struct List {
    prepared: Vec<Prepared>,
    payload: Vec<u8>,
    /// The payload holds a PIN or a private key.
    secret: bool,
    /// Where a command stands that is prepared now.
    moment: Moment,
    session: Planned,
    pub(super) drifts: Drifts,
    pub(super) stored_value: Plan,
    /// The card has foretold a session, and that counts for the commands that come.
    pub(crate) pre_opened: bool,
}

/// What the session of the prepared commands was opened with, and how much may still be modified in it.
#[derive(Clone, Copy, Debug)]
struct Planned {
    level: Level,
    remaining: u32,
}

impl Default for Planned {
    fn default() -> Self {
        Self { level: Level::Debit, remaining: 0 }
    }
}

impl List {
    pub(crate) fn commands(&self) -> &[Prepared] {
        &self.prepared
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Prepared> {
        self.prepared.get(index)
    }

    /// The commands from this place on.
    pub(crate) fn from(&self, index: usize) -> &[Prepared] {
        self.prepared.get(index..).unwrap_or_default()
    }

    pub(crate) fn len(&self) -> usize {
        self.prepared.len()
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Whether the payload holds a PIN or a private key.
    pub(crate) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether a command prepared now is inside a session.
    pub(crate) fn in_session(&self) -> bool {
        self.moment.in_session()
    }

    /// Forgets the commands, not the session that they opened.
    pub(crate) fn clear(&mut self) {
        self.prepared.clear();
        self.drifts.clear();
        if unlikely(core::mem::take(&mut self.secret)) {
            secret::zero(&mut self.payload);
        }
        self.payload.clear();
    }

    /// Forgets the commands and the session.
    pub(crate) fn reset(&mut self) {
        self.clear();
        self.moment = Moment::default();
        self.stored_value = Plan::default();
        self.pre_opened = false;
    }

    pub(super) fn outside_session(&self) -> Result<(), Error> {
        if unlikely(self.in_session()) { Err(Misuse::SessionOpen.into()) } else { Ok(()) }
    }

    pub(super) fn inside_session(&self) -> Result<(), Error> {
        if unlikely(!self.in_session()) { Err(Misuse::NoSession.into()) } else { Ok(()) }
    }

    pub(super) fn store(&mut self, data: &[u8]) -> Span {
        self.store_with(|out| out.extend_from_slice(data))
    }

    /// As [`store`](Self::store), for what must not stay in memory.
    pub(super) fn store_secret(&mut self, data: &[u8]) -> Span {
        self.secret = true;
        self.store(data)
    }

    /// Stores at most 255 bytes that `write` appends.
    pub(super) fn store_with(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        if unlikely(self.secret) {
            secret::make_room(&mut self.payload, usize::from(u8::MAX));
        }
        let start = self.payload.len();
        write(&mut self.payload);
        Span::between(start, self.payload.len())
    }

    pub(crate) fn push(&mut self, exchange: impl Exchange + Into<Step>) {
        self.prepared.push(Prepared::new(exchange, self.moment.with_pre_opening(self.pre_opened)));
    }

    /// Appends a modifying command whose APDU is `length` bytes long, in another session when it does not fit in this
    /// one: specification 02, "Modification buffer and multiple sessions".
    pub(super) fn push_modifying(
        &mut self,
        exchange: impl Exchange + Into<Step>,
        length: usize,
        terms: &Terms<'_>,
    ) -> Result<(), Error> {
        if self.in_session() && terms.means.mode == Mode::Symmetric {
            let (budget, cost) = match terms.card.session_budget() {
                SessionBudget::Commands(budget) => (budget, 1),
                // Each modification takes its data and six bytes; of the five bytes of the header, none counts.
                SessionBudget::Bytes(budget) => (budget, u32::try_from(length + 1).unwrap_or(u32::MAX)),
            };
            self.session.remaining = match self.session.remaining.checked_sub(cost) {
                Some(remaining) => remaining,
                None => self.split(budget.checked_sub(cost), terms)?,
            };
        }
        self.push(exchange);
        Ok(())
    }

    #[cold]
    fn split(&mut self, remaining: Option<u32>, terms: &Terms<'_>) -> Result<u32, Error> {
        let remaining = remaining.filter(|_| terms.means.multiple_sessions).ok_or(Misuse::SessionBufferOverflow)?;
        self.push(Close { ratified: true });
        self.pre_opened = false;
        self.push(Opening { level: self.session.level, read: None, extended: terms.extended(), pre_opened: false });
        if self.is_encrypted() {
            self.push(Manage { authenticate: false, encrypt: true });
        }
        self.stored_value.done_in_session = false;
        Ok(remaining)
    }

    pub(super) fn open(&mut self, level: Level, terms: &Terms<'_>) {
        let (SessionBudget::Bytes(remaining) | SessionBudget::Commands(remaining)) = terms.card.session_budget();
        self.pre_opened = self.pre_opened && terms.extended() && terms.card.pre_open == Some(level);
        self.push(Opening { level, read: None, extended: terms.extended(), pre_opened: self.pre_opened });
        self.moment = Moment::SESSION;
        self.session = Planned { level, remaining };
        self.stored_value.done_in_session = false;
    }

    /// Changes the Manage Secure Session that was prepared last, or appends one that changes nothing yet.
    pub(super) fn manage(&mut self, change: impl FnOnce(&mut Manage)) {
        if !matches!(self.prepared.last(), Some(Prepared { step: Step::Manage(_), .. })) {
            self.push(Manage { authenticate: false, encrypt: self.is_encrypted() });
        }
        if let Some(last) = self.prepared.last_mut()
            && let Step::Manage(mut manage) = last.step
        {
            change(&mut manage);
            *last = Prepared::new(manage, last.moment);
        }
    }

    /// Whether a command prepared now is ciphered.
    pub(super) fn is_encrypted(&self) -> bool {
        self.moment.encrypted()
    }

    pub(super) fn set_encrypted(&mut self, encrypted: bool) {
        self.moment = self.moment.with_encryption(encrypted);
    }

    pub(super) fn open_pki(&mut self, opening: PkiOpening) {
        self.push(opening);
        // Its level and its budget are not used: it is not split, and no key is chosen.
        self.moment = Moment::SESSION;
    }

    pub(super) fn close(&mut self, exchange: impl Exchange + Into<Step>) {
        self.push(exchange);
        self.moment = Moment::default();
        self.pre_opened = false;
    }

    /// Lets the opening that was prepared last read a record, if it can: specification 02, "Reading through the
    /// opening".
    pub(super) fn merge_read(&mut self, read: MergedRead, terms: &Terms<'_>) -> bool {
        if !self.in_session() || self.pre_opened || !terms.means.read_on_opening || !read.fits_opening(terms) {
            return false;
        }
        match self.prepared.last_mut() {
            Some(Prepared { step: Step::Opening(opening @ Opening { read: None, .. }), .. }) => {
                opening.read = Some(read);
                true
            }
            Some(Prepared { step: Step::PkiOpening(opening @ PkiOpening { read: None, .. }), .. }) => {
                opening.read = Some(read);
                true
            }
            _ => false,
        }
    }
}
