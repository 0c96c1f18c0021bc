//! Validation: specification 08, section of this name, with the decisions of part E.

mod decision;

pub use decision::{Accepted, EmptyCard, Finding, InvalidCard, Left, Outcome, Verdict};

use ogygia::card::Level;
use ogygia::command::{
    AppendRecord, CancelSession, ChangeCounter, CloseSession, CounterChange, OpenSession, ReadCounters, ReadRecords,
    UpdateRecord,
};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error, Misuse};

use super::layout::{TicketingFile, slots};
use super::values::{Location, Moment, Priority, Version};
use super::{Contract, Environment, Event, RECORD_SIZE, known_record, settle};

/// What a validator knows when a card comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terminal {
    /// Its clock.
    pub now: Moment,
    /// Where it stands.
    pub location: Location,
    /// The amount of one trip of a stored value contract.
    pub fare: u32,
}

/// Validates the selected card of `transaction` in a session with key 3.
///
/// A card that is refused is a verdict and no error.
///
/// # Errors
///
/// What went wrong. The session is void then; whether the card has committed it is told by the error.
pub fn validate(
    transaction: &mut Transaction,
    readers: &mut impl Driver,
    terminal: &Terminal,
) -> Result<Verdict, Error> {
    let slots = slots(transaction.card().product());
    let mut validation = Validation {
        transaction: &mut *transaction,
        readers: &mut *readers,
        terminal,
        slots,
        counters_read: false,
        verdict: Verdict::default(),
    };
    let validated = validation.run();
    let verdict = validation.verdict;
    settle(validated.map(|outcome| Verdict { outcome, ..verdict }), transaction, readers)
}

struct Validation<'a, R> {
    transaction: &'a mut Transaction,
    readers: &'a mut R,
    terminal: &'a Terminal,
    slots: u8,
    counters_read: bool,
    verdict: Verdict,
}

/// How the search for a contract goes on.
enum Search {
    Next,
    Accept(Accepted),
    Refuse(InvalidCard),
}

impl<R: Driver> Validation<'_, R> {
    fn run(&mut self) -> Result<Outcome, Error> {
        self.transaction.prepare(OpenSession { level: Level::Debit })?;
        let environment = self.read(TicketingFile::Environment, 1, Environment::decode)?.unwrap_or_default();
        self.verdict.environment = Some(environment);
        if let Some(reason) = self.reject_environment(&environment) {
            return self.cancel(Outcome::Invalid(reason));
        }
        self.note(Finding::Environment(environment));
        let Some(event) = self.read(TicketingFile::Events, 1, Event::decode)? else {
            return self.cancel(Outcome::Empty(EmptyCard::NeverLoaded));
        };
        let event = event.of_slots(self.slots);
        self.verdict.event = Some(event);
        match event.version {
            Version::Current => {}
            Version::Undefined => return self.cancel(Outcome::Empty(EmptyCard::NeverLoaded)),
            Version::Other(version) => return self.cancel(Outcome::Invalid(InvalidCard::EventVersion(version))),
        }
        if let Some(outcome) = self.already_tapped(&event)? {
            return Ok(outcome);
        }
        self.choose(event)
    }

    fn reject_environment(&self, environment: &Environment) -> Option<InvalidCard> {
        match environment.version {
            Version::Current if environment.end.is_past(self.terminal.now.date) => {
                Some(InvalidCard::Expired(environment.end))
            }
            Version::Current => None,
            Version::Undefined | Version::Other(_) => Some(InvalidCard::EnvironmentVersion(environment.version.into())),
        }
    }

    /// Anti-passback: the same minute, or an event that lies in the future.
    fn already_tapped(&mut self, event: &Event) -> Result<Option<Outcome>, Error> {
        let minutes = i64::from(self.terminal.now.minutes()) - i64::from(event.at.minutes());
        if !event.is_validation() {
            self.note(Finding::NeverValidated);
            return Ok(None);
        }
        self.note(Finding::LastValidation { at: event.at, minutes });
        if minutes >= 1 {
            return Ok(None);
        }
        if self.transaction.card().ratified() == Some(false) {
            self.note(Finding::Recovery);
            self.close()?;
            return Ok(Some(Outcome::Success));
        }
        self.cancel(Outcome::Invalid(InvalidCard::AlreadyTapped(event.at))).map(Some)
    }

    fn choose(&mut self, mut event: Event) -> Result<Outcome, Error> {
        let candidates = candidates(&event);
        if candidates.is_empty() {
            return self.cancel(Outcome::Empty(EmptyCard::NoContract));
        }
        self.note(Finding::Candidates(candidates.clone()));
        let before = event;
        for (slot, priority) in candidates {
            match self.judge(slot, priority, &mut event)? {
                Search::Next => {}
                Search::Accept(accepted) => return self.accept(accepted, event),
                Search::Refuse(reason) => return self.cancel(Outcome::Invalid(reason)),
            }
        }
        let outcome = Outcome::Empty(self.verdict.last_refusal());
        if event == before { self.cancel(outcome) } else { self.keep_expired(event, outcome) }
    }

    /// Whether the contract of a slot can be used.
    fn judge(&mut self, slot: u8, priority: Priority, event: &mut Event) -> Result<Search, Error> {
        let contract = self.read(TicketingFile::Contracts, slot, Contract::decode)?.unwrap_or_default();
        if contract.version != Version::Current {
            return Ok(Search::Refuse(InvalidCard::ContractVersion { slot, version: contract.version.into() }));
        }
        if contract.tariff != priority {
            return Ok(Search::Refuse(InvalidCard::Disagreement { slot, priority, tariff: contract.tariff }));
        }
        if contract.end.is_past(self.terminal.now.date) {
            self.note(Finding::Expired { slot, contract });
            event.set_priority(slot, Priority::Expired);
            return Ok(Search::Next);
        }
        let by = match priority {
            Priority::MultiTrip => 1,
            Priority::StoredValue => self.terminal.fare,
            _ => return Ok(Search::Accept(Accepted { slot, contract, left: Left::Unlimited })),
        };
        let before = self.counter(slot)?;
        if before == 0 {
            self.note(Finding::UsedUp { slot, contract });
            event.set_priority(slot, Priority::Expired);
            return Ok(Search::Next);
        }
        let Some(after) = before.checked_sub(by) else {
            self.note(Finding::Insufficient { slot, amount: before, fare: by });
            return Ok(Search::Next);
        };
        Ok(Search::Accept(Accepted { slot, contract, left: Left::Counted { before, after } }))
    }

    /// Writes the event and takes the trip in one go, and closes.
    fn accept(&mut self, accepted: Accepted, event: Event) -> Result<Outcome, Error> {
        self.note(Finding::Accepted(accepted));
        let event =
            Event { at: self.terminal.now, location: self.terminal.location, contract_used: accepted.slot, ..event };
        if let Left::Counted { before, after } = accepted.left {
            self.transaction.prepare(ChangeCounter {
                change: CounterChange::Decrease,
                sfi: TicketingFile::Counters.sfi(),
                counter: accepted.slot,
                by: before - after,
            })?;
        }
        self.transaction.prepare(AppendRecord { sfi: TicketingFile::Events.sfi(), data: &event.encode() })?;
        self.close()?;
        self.verdict.accepted = Some(accepted);
        self.verdict.new_event = Some(event);
        Ok(Outcome::Success)
    }

    /// No contract can be used, but some were found expired: the next terminal need not look at them again.
    fn keep_expired(&mut self, event: Event, outcome: Outcome) -> Result<Outcome, Error> {
        let data = event.encode();
        self.transaction.prepare(UpdateRecord { sfi: TicketingFile::Events.sfi(), record: 1, data: &data })?;
        self.close()?;
        self.verdict.new_event = Some(event);
        Ok(outcome)
    }

    fn close(&mut self) -> Result<(), Error> {
        self.transaction.prepare(CloseSession)?;
        self.readers.run(self.transaction, ChannelControl::CloseAfter)?;
        self.verdict.closed = true;
        Ok(())
    }

    fn cancel(&mut self, outcome: Outcome) -> Result<Outcome, Error> {
        self.transaction.prepare(CancelSession)?;
        self.readers.run(self.transaction, ChannelControl::CloseAfter)?;
        Ok(outcome)
    }

    fn read<T>(
        &mut self,
        file: TicketingFile,
        record: u8,
        decode: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.transaction.prepare(ReadRecords { sfi: file.sfi(), records: record..=record, size: RECORD_SIZE })?;
        self.readers.run(self.transaction, ChannelControl::KeepOpen)?;
        Ok(decode(known_record(self.transaction.card(), file, record)))
    }

    /// The counter of a slot. All are read at once, the first time that one is needed: in this session, whatever the
    /// image knew before, for only so is the value authentic.
    fn counter(&mut self, slot: u8) -> Result<u32, Error> {
        let sfi = TicketingFile::Counters.sfi();
        if !self.counters_read {
            self.transaction.prepare(ReadCounters { sfi, count: self.slots })?;
            self.readers.run(self.transaction, ChannelControl::KeepOpen)?;
            self.counters_read = true;
        }
        let known = self.transaction.card().file(sfi).and_then(|file| file.counter(slot));
        known.ok_or(Error::Misuse(Misuse::CounterUnknown))
    }

    fn note(&mut self, finding: Finding) {
        self.verdict.findings.push(finding);
    }
}

/// The slots worth a look, best first; of equals the first slot first.
fn candidates(event: &Event) -> Vec<(u8, Priority)> {
    let mut candidates: Vec<_> = (1..).zip(event.priorities).filter(|(_, priority)| priority.is_usable()).collect();
    candidates.sort_by_key(|(_, priority)| u8::from(*priority));
    candidates
}

#[cfg(test)]
mod tests;
