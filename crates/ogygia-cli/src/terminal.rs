//! The terminal: a card reader and a SAM reader whose traffic is written down.

use ogygia::apdu::Batch;
use ogygia::card::{Card, CardClass, KeyId, Kif, Kvc};
use ogygia::command::{Command, CommandName};
use ogygia::drive::Driver;
use ogygia::sam::Sam;
use ogygia::selection::{Occurrence, Outcome, Scenario, Selection};
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{Error, Malformed, Misbehaviour, Peer};
use ogygia_sim::clock::{Clock, Model};
use ogygia_sim::{CardLink, KeySet, SamLink, SamProduct, VirtualCard, VirtualSam};

use crate::error::Failure;
use crate::record::{Exchange, Log, Phase, Recorded};
use crate::ticketing::{self, application};

/// From which all keys of the simulation are derived: every virtual card fits every virtual SAM.
const SEED: &[u8] = b"ogygia";
const SAM_SERIAL: [u8; 4] = [0xA0, 0xB1, 0xC2, 0xD3];

/// Signs the records of some scenarios.
pub const SIGNING_KEY: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
/// The version that replaces a debit key.
pub const NEXT_KVC: Kvc = Kvc(0x7A);
/// Keys that no card has at its delivery: for signatures; a session's next debit key, and a purse's.
const OTHER_KEYS: [ogygia_sim::KeyId; 3] = [
    ogygia_sim::KeyId::new(SIGNING_KEY.kif.0, SIGNING_KEY.kvc.0),
    ogygia_sim::KeyId::new(0x30, NEXT_KVC.0),
    ogygia_sim::KeyId::new(ogygia_sim::KeyId::SV_DEBIT_KIF, NEXT_KVC.0),
];

/// The keys of the simulation.
#[must_use]
pub fn keys() -> KeySet {
    let mut keys = KeySet::new(SEED);
    OTHER_KEYS.into_iter().for_each(|key| keys.add(key, None, false));
    keys
}

/// A terminal with its two readers.
#[derive(Debug)]
pub struct Terminal {
    /// The reader of the card.
    pub card: Recorded<CardLink>,
    /// The reader of the SAM.
    pub sam: Recorded<SamLink>,
    /// What both were told.
    pub log: Log,
    /// When requests are released.
    pub policy: Policy,
    clock: Clock,
    times: Times,
}

/// When what happened, in microseconds of virtual time.
#[derive(Clone, Copy, Debug, Default)]
struct Times {
    phase: Phase,
    /// The last selection began.
    selection: u64,
    /// The first transaction behind it began.
    transaction: Option<u64>,
    /// The last outcome of a transaction.
    done: u64,
    authenticated: Option<u64>,
}

/// How long a scenario takes, in microseconds of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// The selection, which comes before everything else.
    pub selection_us: u64,
    /// From the first request of the transaction until the gate may open: the card is authenticated. Until all is done
    /// where no session authenticates it.
    pub gate_us: u64,
    /// From there until the card may leave: all is done, and its session ratified.
    pub leave_us: u64,
}

impl Driver for Terminal {
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        let outcome = self.clock.resume(transaction, &mut self.card, &mut self.sam);
        if self.times.phase == Phase::Transaction {
            self.times.done = self.clock.now_us();
            self.times.authenticated = self.clock.marks().authenticated_us;
        }
        outcome
    }
}

impl Terminal {
    /// A terminal with a virtual SAM, before which `card` lies. It asks one peer at a time, in the time of the default
    /// model.
    #[must_use]
    pub fn new(card: VirtualCard) -> Self {
        Self::with(card, Policy::Grouped, Model::DEFAULT)
    }

    /// The same, with another policy, and in the time of another model.
    #[must_use]
    pub fn with(card: VirtualCard, policy: Policy, model: Model) -> Self {
        let log = Log::default();
        let sam = VirtualSam::new(SamProduct::C1, SAM_SERIAL, &keys());
        Self {
            card: Recorded::new(CardLink::new(card), Peer::Card, &log),
            sam: Recorded::new(SamLink::new(sam), Peer::Sam, &log),
            log,
            policy,
            clock: Clock::new(model),
            times: Times::default(),
        }
    }

    /// What follows is for this.
    pub fn begin(&mut self, phase: Phase) {
        self.log.begin(phase);
        self.times.phase = phase;
        match phase {
            Phase::Selection => {
                self.times.selection = self.clock.now_us();
                self.times.transaction = None;
            }
            Phase::Transaction => {
                self.times.transaction.get_or_insert(self.clock.now_us());
            }
            Phase::Setup | Phase::Prefetch => {}
        }
    }

    /// How long the last transaction took, with the selection before it.
    #[must_use]
    pub fn durations(&self) -> Durations {
        let Times { selection, transaction, done, authenticated, .. } = self.times;
        let began = transaction.unwrap_or(done);
        let gate = authenticated.filter(|at| (began..=done).contains(at)).unwrap_or(done);
        let since = |at: u64| at.saturating_sub(began);
        Durations { selection_us: began.saturating_sub(selection), gate_us: since(gate), leave_us: since(done) }
    }

    /// How long things take.
    #[must_use]
    pub const fn model(&self) -> &Model {
        self.clock.model()
    }

    /// What secures the transactions of this terminal; with ratification where it validates.
    #[must_use]
    pub fn security(&self, ratification: bool) -> Security {
        Security::Symmetric(self.settings(ratification))
    }

    /// The same, to be changed where a scenario needs it.
    #[must_use]
    pub fn settings(&self, ratification: bool) -> SymmetricSettings {
        let sam = Sam::from_power_on_data(self.sam.inner().sam().power_on_data());
        let mut settings = ticketing::settings(sam, ratification);
        settings.policy = self.policy;
        settings
    }

    /// Selects the first of `names` that is on the card and whose application is served.
    ///
    /// # Errors
    ///
    /// The card was lost, or is refused.
    pub fn select(&mut self, names: application::Names, invalidated_too: bool) -> Result<Card, Failure> {
        self.select_with(names, invalidated_too, &[])
    }

    /// As [`select`](Self::select); `commands` travel in the same request, and what is read enters the image.
    ///
    /// # Errors
    ///
    /// The card was lost or is refused, or a command cannot be sent with a selection.
    pub fn select_with(
        &mut self,
        names: application::Names,
        invalidated_too: bool,
        commands: &[Command<'_>],
    ) -> Result<Card, Failure> {
        let mut scenario = Scenario::new();
        for name in names {
            let mut selection = Selection::by_name(name, Occurrence::First)?;
            if invalidated_too {
                selection = selection.accept_invalidated();
            }
            commands.iter().try_for_each(|command| selection.prepare(command.clone()))?;
            scenario.add(selection);
        }
        let found = self.play(scenario)?;
        let (name, card) =
            found.and_then(|(index, card)| Some((*names.get(index)?, card))).ok_or(application::Refused::NotFound)?;
        application::check(&card, name)?;
        Ok(card)
    }

    /// Selects an application to look at it: the one whose name begins with `name`. Without a name, one of ours if there
    /// is one, else the first that has a name, else the one that is there without selection.
    ///
    /// # Errors
    ///
    /// The card was lost, has no such application, or cannot be understood.
    pub fn select_any(&mut self, name: Option<&[u8]>) -> Result<Card, Failure> {
        let profile = self.card.inner().card().profile();
        let own = profile.applications.iter().filter_map(|application| application.df_name.as_ref());
        let own: Vec<Vec<u8>> = own.map(|name| name.to_vec()).collect();
        let any: Vec<&[u8]> = application::VALIDATOR.into_iter().chain(own.iter().map(Vec::as_slice)).collect();
        let names = name.map_or(any, |name| vec![name]);
        let mut scenario = Scenario::new();
        for name in &names {
            scenario.add(Selection::by_name(name, Occurrence::First)?.accept_invalidated());
        }
        if let Some((_, card)) = self.play(scenario)? {
            return Ok(card);
        }
        for name in names {
            if let Some(card) = self.select_legacy(name)? {
                return Ok(card);
            }
        }
        if name.is_some() {
            return Err(Failure::failed("there is no application of this name on the card"));
        }
        Card::from_power_on_data(self.card.inner().card().power_on_data()).map_err(malformed)
    }

    /// Selects by name with the class of revisions 1 and 2, for cards that know no other. [`Selection`] always has the
    /// other class, as the specification says; a reader that sends this one hands over the answer.
    fn select_legacy(&mut self, name: &[u8]) -> Result<Option<Card>, Failure> {
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        let mut command = vec![CardClass::Legacy.byte(), 0xA4, 0x04, 0x00, length];
        command.extend_from_slice(name);
        command.push(0x00);
        let mut answer = Vec::new();
        let sent = self.card.inner_mut().send(&command, &mut answer);
        let response = sent.is_ok().then(|| answer.clone());
        self.card.note(vec![Exchange { command, response }], sent.err());
        sent?;
        let selection = Selection::by_power_on_data().accept_invalidated();
        if !selection.matches(&answer) {
            return Ok(None);
        }
        selection.read(Some(&answer), &[], [].into_iter()).map(Some).map_err(refused)
    }

    /// Tries one selection after the other: the place of the one that matched, and the image of the card.
    fn play(&mut self, mut scenario: Scenario) -> Result<Option<(usize, Card)>, Failure> {
        let power_on_data = self.card.inner().card().power_on_data().to_vec();
        scenario.begin(&power_on_data);
        let mut answers = Batch::new();
        while let Some(request) = scenario.poll() {
            answers.clear();
            self.clock.transmit(&request, &mut self.card, &mut answers)?;
            scenario.handle(&answers)?;
        }
        match scenario.outcome() {
            Some(Outcome::Matched { index, card }) => Ok(Some((index, *card))),
            Some(Outcome::Failed(error)) => Err(refused(error)),
            Some(Outcome::NoMatch) | None => Ok(None),
        }
    }

    /// Fetches a challenge for the next card, as part of `transaction`.
    ///
    /// # Errors
    ///
    /// What went wrong with the SAM.
    pub fn prefetch(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        self.begin(Phase::Prefetch);
        transaction.prefetch_challenge()?;
        self.resume(transaction)
    }
}

fn malformed(what: Malformed) -> Failure {
    Failure::failed(format!("what the card says of itself is malformed: {what}"))
}

/// What an error of the selection means to the one who shows the card.
fn refused(error: Error) -> Failure {
    match error {
        Error::PeerMisbehaved {
            command: CommandName::SelectApplication, how: Misbehaviour::Malformed(what), ..
        } => malformed(what),
        other => other.into(),
    }
}

/// The image of no card in particular. A transaction needs one before the first card comes, to keep the challenge that
/// is fetched for it.
///
/// # Errors
///
/// None: the answer below is well formed.
pub fn placeholder() -> Result<Card, Failure> {
    const ANSWER: [u8; 39] = [
        0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
        0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
        0x01, 0x90, 0x00,
    ];
    Card::from_select_response(&ANSWER).map_err(malformed)
}

#[cfg(test)]
mod tests {
    use ogygia::ChannelControl;
    use ogygia::card::Level;
    use ogygia::command::{CloseSession, Invalidate, OpenSession};

    use super::*;
    use crate::ticketing::application::{LOADER, Refused, VALIDATOR};

    #[test]
    fn an_invalidated_application() {
        let mut terminal = Terminal::new(crate::store::new_card("kit-prime-regular-v3").unwrap());
        let card = terminal.select(VALIDATOR, false).unwrap();
        let mut transaction = Transaction::new(card, terminal.security(false)).unwrap();
        let commands: [Command<'_>; 3] =
            [OpenSession { level: Level::Personalization }.into(), Invalidate.into(), CloseSession.into()];
        commands.into_iter().for_each(|command| transaction.prepare(command).unwrap());
        terminal.run(&mut transaction, ChannelControl::CloseAfter).unwrap();
        assert!(matches!(terminal.select(VALIDATOR, false), Err(Failure::Refused(Refused::NotFound))));
        assert!(terminal.select(LOADER, true).unwrap().invalidated());
        assert!(terminal.select_any(None).unwrap().invalidated());
    }
}
