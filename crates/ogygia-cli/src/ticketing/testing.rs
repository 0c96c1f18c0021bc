//! A card before the terminals of this application, for tests.

use jiff::civil::DateTime;
use ogygia::card::Level;
use ogygia::command::{CloseSession, OpenSession, UpdateRecord};
use ogygia::drive::Driver;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error, Peer};

use super::application::{LOADER, VALIDATOR};
use super::layout::TicketingFile;
use super::validate::{Outcome, Terminal, Verdict, validate};
use super::values::{DateCompact, Location, Moment, Priority, Version};
use super::{Contract, Event, load, personalize};
use crate::record::Phase;
use crate::store::new_card;
use crate::terminal::Terminal as Readers;

pub(super) const PRIME: &str = "kit-prime-regular-v3";
/// Identifier of the directory of the application on every kit card.
pub(super) const DIRECTORY: u16 = 0x2000;
pub(super) const TODAY: &str = "2025-06-17T08:32";

pub(super) fn moment(text: &str) -> Moment {
    Moment::from_civil(text.parse::<DateTime>().unwrap()).unwrap()
}

pub(super) fn day(text: &str) -> DateCompact {
    DateCompact::from_civil(text.parse().unwrap()).unwrap()
}

/// A card before a validator.
pub(super) struct Gate {
    pub(super) readers: Readers,
    pub(super) terminal: Terminal,
}

impl Gate {
    /// A card personalized on 16 June 2025.
    pub(super) fn new(profile: &str) -> Self {
        let readers = Readers::new(new_card(profile).unwrap());
        let terminal = Terminal { now: moment(TODAY), location: Location(5), fare: 1 };
        let mut gate = Self { readers, terminal };
        let issued = "2025-06-16".parse().unwrap();
        let environment = personalize::environment(issued, 1).unwrap();
        gate.at_loader(|transaction, readers| personalize::personalize(transaction, readers, &environment));
        gate
    }

    pub(super) fn at_loader(&mut self, work: impl FnOnce(&mut Transaction, &mut Readers) -> Result<(), Error>) {
        let card = self.readers.select(LOADER, true).unwrap();
        let mut transaction = Transaction::new(card, self.readers.security(false)).unwrap();
        work(&mut transaction, &mut self.readers).unwrap();
        assert!(transaction.session().authenticated.is_some());
    }

    /// Loads, and checks that what is refused is not written.
    pub(super) fn load(&mut self, goods: load::Goods, today: &str) -> load::Loading {
        let (before, order) = (self.content(), load::Order { goods, today: day(today) });
        let mut loading = None;
        self.at_loader(|transaction, readers| {
            loading = Some(load::load(transaction, readers, &order)?);
            Ok(())
        });
        assert!(!self.card().session_open());
        let loading = loading.unwrap();
        assert_eq!(loading.outcome.is_err(), self.content() == before);
        loading
    }

    /// Writes records as an issuer may.
    pub(super) fn with(mut self, records: &[(TicketingFile, u8, &[u8])]) -> Self {
        self.at_loader(|transaction, readers| {
            transaction.prepare(OpenSession { level: Level::Personalization })?;
            for &(file, record, data) in records {
                transaction.prepare(UpdateRecord { sfi: file.sfi(), record, data })?;
            }
            transaction.prepare(CloseSession)?;
            readers.run(transaction, ChannelControl::CloseAfter)
        });
        self
    }

    /// An event that was never a validation, with these priorities.
    pub(super) fn with_priorities(self, priorities: [u8; 4]) -> Self {
        let event = Event { version: Version::Current, priorities: priorities.map(Priority::from), ..Event::default() };
        self.with(&[(TicketingFile::Events, 1, &event.encode())])
    }

    pub(super) fn with_event_at(self, at: &str, priorities: [u8; 4]) -> Self {
        let event = Event {
            version: Version::Current,
            at: moment(at),
            location: Location(5),
            contract_used: 1,
            priorities: priorities.map(Priority::from),
        };
        self.with(&[(TicketingFile::Events, 1, &event.encode())])
    }

    pub(super) fn with_contract(self, slot: u8, tariff: u8, end: &str) -> Self {
        let contract = Contract {
            version: Version::Current,
            tariff: tariff.into(),
            sold: day("2025-06-16"),
            end: day(end),
            ..Contract::default()
        };
        self.with(&[(TicketingFile::Contracts, slot, &contract.encode())])
    }

    pub(super) fn with_counters(self, values: &[u8]) -> Self {
        let record: Vec<u8> = values.iter().flat_map(|value| [0, 0, *value]).collect();
        self.with(&[(TicketingFile::Counters, 1, &record)])
    }

    pub(super) fn now(mut self, now: &str) -> Self {
        self.terminal.now = moment(now);
        self
    }

    pub(super) fn fare(mut self, fare: u32) -> Self {
        self.terminal.fare = fare;
        self
    }

    pub(super) fn try_validate(&mut self) -> Result<Verdict, Error> {
        let card = self.readers.select(VALIDATOR, false).unwrap();
        let mut transaction = Transaction::new(card, self.readers.security(true)).unwrap();
        self.readers.log.begin(Phase::Transaction);
        let verdict = validate(&mut transaction, &mut self.readers, &self.terminal)?;
        assert!(!transaction.is_session_open() && !self.card().session_open());
        assert_eq!(transaction.session().authenticated.is_some(), verdict.closed);
        self.readers.log.begin(Phase::Setup);
        Ok(verdict)
    }

    pub(super) fn validate(&mut self) -> Verdict {
        self.try_validate().unwrap()
    }

    pub(super) fn outcome(&mut self) -> Outcome {
        self.validate().outcome
    }

    pub(super) fn card(&self) -> &ogygia_sim::VirtualCard {
        self.readers.card.inner().card()
    }

    pub(super) fn record(&self, file: TicketingFile, number: u8) -> Vec<u8> {
        self.card().record_by_sfi(DIRECTORY, file.sfi().0, number).unwrap()
    }

    pub(super) fn event(&self) -> Event {
        Event::decode(&self.record(TicketingFile::Events, 1)).unwrap()
    }

    pub(super) fn counters(&self) -> Vec<u32> {
        crate::ticketing::values::counters(&self.record(TicketingFile::Counters, 1)).into_iter().take(4).collect()
    }

    /// Everything that the application keeps on the card.
    pub(super) fn content(&self) -> Vec<Vec<u8>> {
        let numbers = |file| (1..=4).map_while(move |number| self.card().record_by_sfi(DIRECTORY, file, number));
        [0x07, 0x08, 0x09, 0x19].into_iter().flat_map(numbers).collect()
    }

    /// The last command that the card got.
    pub(super) fn last_command(&self) -> Vec<u8> {
        let entries = self.readers.log.entries();
        let mut told = entries.iter().filter(|entry| entry.peer == Peer::Card).flat_map(|entry| &entry.exchanges);
        told.next_back().unwrap().command.clone()
    }

    /// Validates, and checks that the card was refused, its session cancelled, and nothing written.
    pub(super) fn cancelled(&mut self) -> Outcome {
        let before = self.content();
        let verdict = self.validate();
        assert!(!verdict.closed);
        assert_eq!(self.content(), before);
        assert_eq!(self.last_command(), [0x00, 0x8E, 0x00, 0x00, 0x00]);
        verdict.outcome
    }
}

/// Far away.
pub(super) const FAR: &str = "2031-06-01";
