//! The session that is open on the card, and how it ends.

use alloc::vec::Vec;
use core::hint::cold_path;

use super::Transaction;
use crate::apdu::Response;
use crate::card::{Content, KeyId, Level, Sfi};
use crate::command::{Closed, Opened, Opening, SessionForm, Step};
use crate::error::{Error, Malformed, Misbehaviour, Untrusted};
use crate::sam::Proof;

use super::answers::Refused;

/// What the terminal knows of the session on the card.
#[derive(Debug, Default)]
pub(super) struct Session {
    open: Option<Open>,
    /// What the card postponed to the closing, in the order of the commands.
    postponed: Vec<Postponed>,
    /// The image as it was when the session opened.
    backup: Content,
    report: SessionReport,
}

#[derive(Clone, Copy, Debug)]
struct Open {
    form: SessionForm,
    manageable: bool,
}

/// A command that was answered `6200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Postponed {
    Counter { sfi: Sfi, counter: u8 },
    StoredValue { mac_len: usize },
}

/// Proof that a card holds the keys that it claims. Only a verified MAC makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authenticated(());

/// What became of the last session of a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionReport {
    /// How many sessions the card has committed, in this transaction.
    pub committed: u32,
    /// The card's MAC over its last committed session was verified.
    pub authenticated: Option<Authenticated>,
    /// The card has proved itself early in the session that was opened last, whatever became of that:
    /// [`AuthenticateEarly`](crate::command::AuthenticateEarly).
    pub authenticated_early: Option<Authenticated>,
    /// The card knows that its answer to the last closing was received; otherwise it will say at its next opening that
    /// this session was not ratified.
    pub ratified: bool,
}

impl Session {
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    pub(super) fn report(&self) -> SessionReport {
        self.report
    }

    pub(super) fn restart(&mut self) {
        self.open = None;
        self.postponed.clear();
        self.report = SessionReport::default();
    }

    /// The card has proved itself. A session may be over by the time that the SAM says so of a MAC in it.
    pub(super) fn authenticate(&mut self, proof: Proof) {
        let report = match proof {
            Proof::Early => &mut self.report.authenticated_early,
            Proof::Closing => &mut self.report.authenticated,
        };
        *report = Some(Authenticated(()));
    }

    pub(super) fn ratify(&mut self) {
        self.report.ratified = true;
    }

    /// Notes that the card will answer `step` at the closing.
    #[cold]
    pub(super) fn postpone(&mut self, step: &Step) {
        match step {
            Step::ChangeOne(change) => {
                let (sfi, counter) = change.target();
                self.postponed.push(Postponed::Counter { sfi, counter });
            }
            Step::StoredValue(operation) => {
                let mac_len = if operation.is_extended() { 6 } else { 3 };
                self.postponed.push(Postponed::StoredValue { mac_len });
            }
            _ => {}
        }
    }

    /// The card has opened a session that it will sign. When it is told again, nothing changes.
    #[cfg(feature = "pki")]
    pub(super) fn open_asymmetric(&mut self, content: &Content) {
        if self.open.is_none() {
            self.backup.clone_from(content);
            self.postponed.clear();
            self.report.authenticated = None;
            self.open = Some(Open { form: SessionForm::Regular, manageable: false });
        }
    }

    /// The card has closed that session. It is ratified by the command that comes next.
    #[cfg(feature = "pki")]
    pub(super) fn close_asymmetric(&mut self) {
        self.open = None;
        self.report.committed += 1;
        self.report.authenticated = None;
        self.report.ratified = false;
    }

    /// The session is over and void; the image goes back to what it was before. False when none was open.
    pub(super) fn void(&mut self, content: &mut Content) -> bool {
        let was_open = self.open.take().is_some();
        if was_open {
            content.clone_from(&self.backup);
        }
        was_open
    }
}

impl Transaction {
    /// The card has opened a session: specification 02, "Opening".
    ///
    /// When its answer was `predicted`, the digest has begun with it already.
    pub(super) fn opened(&mut self, opening: &Opening, data: &[u8], predicted: bool) -> Result<(), Refused> {
        let form = self.opening_form;
        self.session.backup.clone_from(&self.card.content);
        self.session.postponed.clear();
        self.session.report.authenticated_early = None;
        self.session.open = Some(Open { form, manageable: true });
        let Some(opened) = Opened::parse(data, self.card.product(), form, opening.read) else {
            return Err(Misbehaviour::Malformed(Malformed::Opening).into());
        };
        self.session.open = Some(Open { form, manageable: opened.manageable });
        if !(form == SessionForm::Extended && opened.manageable) {
            self.card.identity.features.extended = false;
        }
        self.card.ratified = Some(opened.ratified);
        self.card.transaction_counter = Some(opened.transaction_counter);
        if let Some(read) = opening.read {
            self.card.content.files.replace(read.sfi, read.record, opened.record);
        }
        if predicted {
            return if data == self.card.pre_open_data { Ok(()) } else { Err(Misbehaviour::NotAsPredicted.into()) };
        }
        let digestible = self.start_digest(opening.level, &opened, data)?;
        if digestible { Ok(()) } else { Err(Misbehaviour::from(Malformed::Opening).into()) }
    }

    fn start_digest(&mut self, level: Level, opened: &Opened<'_>, data: &[u8]) -> Result<bool, Untrusted> {
        let Some(symmetric) = &mut self.symmetric else { return Ok(true) };
        let (kif, kvc) = symmetric.settings.session_key(level, opened.kif, opened.kvc)?;
        Ok(symmetric.service.start_digest(self.opening_form, KeyId { kif, kvc }, data))
    }

    /// Begins the digest with what the card foretold at its selection: specification 02, "Pre-opened session".
    #[cold]
    pub(super) fn predict_opening(&mut self, opening: Opening) -> Result<bool, Error> {
        let data = core::mem::take(&mut self.card.pre_open_data);
        let opened = Opened::parse(&data, self.card.product(), self.opening_form, opening.read);
        let started = match opened {
            Some(opened) => self.start_digest(opening.level, &opened, &data),
            None => Ok(false),
        };
        if started == Ok(true) {
            self.block.predictions.push(&data);
        }
        self.card.pre_open_data = data;
        Ok(started?)
    }

    /// The card has closed, and committed, the session: specification 02, "Closing".
    pub(super) fn closed(&mut self, ratified: bool, data: &[u8]) -> Result<(), Refused> {
        let open = self.session.open.take();
        self.session.report.committed += 1;
        self.session.report.authenticated = None;
        self.session.report.ratified = ratified;
        let mac_len = match open {
            Some(Open { form: SessionForm::Extended, manageable: false }) => self.unmanaged_mac_len(data),
            Some(Open { form, .. }) => form.mac_len(),
            None => SessionForm::Regular.mac_len(),
        };
        let Some(closed) = Closed::parse(data, mac_len) else {
            return Err(Misbehaviour::Malformed(Malformed::Closing).into());
        };
        let stored_value_mac = self.take_postponed(&closed)?;
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.verify_mac(closed.mac);
            if let Some(mac) = stored_value_mac {
                symmetric.service.verify_stored_value(mac);
            }
        }
        Ok(())
    }

    /// The MAC of an extended session without AES keys is what remains behind the postponed data that are due, of 4 or
    /// 8 bytes: point G9.
    #[cold]
    fn unmanaged_mac_len(&self, data: &[u8]) -> usize {
        let len = |postponed: &Postponed| match postponed {
            Postponed::Counter { .. } => 4,
            Postponed::StoredValue { mac_len } => 1 + mac_len,
        };
        let due: usize = self.session.postponed.iter().map(len).sum();
        match data.len().saturating_sub(due) {
            8 => SessionForm::Extended.mac_len(),
            _ => SessionForm::Regular.mac_len(),
        }
    }

    /// There are as many postponed answers as commands that were answered `6200`. A counter whose value could not be
    /// predicted has the one that comes now.
    /// Gives the MAC of a Stored Value operation.
    fn take_postponed<'a>(&mut self, closed: &Closed<'a>) -> Result<Option<&'a [u8]>, Misbehaviour> {
        if !closed.has_postponed() && self.session.postponed.is_empty() {
            return Ok(None);
        }
        cold_path();
        let mut stored_value_mac = None;
        let malformed = Misbehaviour::from(Malformed::Closing);
        if closed.postponed().count() != self.session.postponed.len() {
            return Err(malformed);
        }
        for (postponed, answer) in self.session.postponed.iter().zip(closed.postponed()) {
            match postponed {
                Postponed::Counter { sfi, counter } => {
                    let value = answer.try_into().map_err(|_| malformed)?;
                    let files = &mut self.card.content.files;
                    let known = files.addressed(*sfi).and_then(|file| file.known_counter(*counter));
                    if known.is_none() {
                        files.set_counter(*sfi, *counter, value);
                    }
                }
                Postponed::StoredValue { mac_len } if answer.len() == *mac_len => stored_value_mac = Some(answer),
                Postponed::StoredValue { .. } => return Err(malformed),
            }
        }
        Ok(stored_value_mac)
    }

    /// An abort was answered, whatever the answer: the session is over.
    #[cold]
    pub(super) fn aborted(&mut self, _answer: Response<'_>) {
        self.session.void(&mut self.card.content);
        self.card.forget_sv_get();
        self.catch_up();
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.end_session();
        }
    }
}
