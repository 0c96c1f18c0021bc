//! The scenarios that `ogygia run` plays.

mod personalize;
mod scripted;
mod setup;
mod validate;

use std::fmt::Display;

use jiff::civil::DateTime;
use ogygia::transaction::Transaction;
use serde::Serialize;

use crate::error::Failure;
use crate::record::{Counts, Entry, Volume};
use crate::terminal::Terminal;
use crate::ticketing::{Location, Moment};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Makes a delivered card one of ours.
    Personalize,
    /// Decides whether a card may travel.
    Validate,
    /// Scenario 5 of the specification.
    ValidationEmbedded,
    /// Scenario 6 of the specification.
    ValidationSimple,
    /// Scenario 7 of the specification.
    SaleDistributed,
}

impl Scenario {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 5] =
        [Self::Personalize, Self::Validate, Self::ValidationEmbedded, Self::ValidationSimple, Self::SaleDistributed];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personalize => "personalize",
            Self::Validate => "validate",
            Self::ValidationEmbedded => "validation-embedded",
            Self::ValidationSimple => "validation-simple",
            Self::SaleDistributed => "sale-distributed",
        }
    }

    /// What it shows, in one line.
    #[must_use]
    pub const fn shows(self) -> &'static str {
        match self {
            Self::Personalize => "a delivered card becomes a ticketing card: one session with the issuer key",
            Self::Validate => "a traveller's card at a gate: a contract is chosen, a trip taken, or the card refused",
            Self::ValidationEmbedded => {
                "the fastest validation with one SAM: its challenge is fetched before the card comes"
            }
            Self::ValidationSimple => "the same validation without that: one more request to the SAM",
            Self::SaleDistributed => "a sale over remote readers: as few round trips as possible",
        }
    }

    /// The scenario of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The profile of the card, unless one is named.
    ///
    /// The figures of the scripted scenarios are for cards of regular mode that take 250 bytes at once. The regular kit
    /// cards take 235, the others have the extended mode; `hce-prime3` is the one with both.
    #[must_use]
    pub const fn default_profile(self) -> &'static str {
        match self {
            Self::Personalize | Self::Validate => "kit-prime-regular-v3",
            Self::ValidationEmbedded | Self::ValidationSimple | Self::SaleDistributed => "hce-prime3",
        }
    }

    fn play(self, stage: &mut Stage) -> Result<Done, Failure> {
        match self {
            Self::Personalize => personalize::play(stage),
            Self::Validate => validate::play(stage),
            Self::ValidationEmbedded => scripted::validation(stage, true),
            Self::ValidationSimple => scripted::validation(stage, false),
            Self::SaleDistributed => scripted::sale(stage),
        }
    }

    /// Plays it, whatever comes of it.
    #[must_use]
    pub fn run(self, stage: &mut Stage) -> Report {
        let played = self.play(stage);
        let done = played.unwrap_or_else(|failure| Done {
            outcome: if failure.is_card_lost() { Outcome::CardLost } else { Outcome::Error },
            result: format!("failed: {failure}"),
            ..Done::default()
        });
        Report { scenario: self, setup: std::mem::take(&mut stage.setup), entries: stage.terminal.log.entries(), done }
    }
}

/// What a scenario is played with.
#[derive(Debug)]
pub struct Stage {
    /// The two readers, a card before one and a SAM in the other.
    pub terminal: Terminal,
    /// The terminal's clock.
    pub clock: DateTime,
    /// The same, as the card has it.
    pub now: Moment,
    /// Where the terminal stands.
    pub location: Location,
    /// The amount of one trip of a stored value contract.
    pub fare: u32,
    /// The card was never used: it is made what the scenario needs.
    pub fresh: bool,
    /// What was done for that.
    pub setup: Vec<String>,
}

/// How a scenario ended, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// As the traveller hopes.
    Success,
    /// The card may not travel.
    InvalidCard,
    /// The card has nothing to travel with.
    EmptyCard,
    /// The card left too early.
    CardLost,
    /// Anything else.
    #[default]
    Error,
}

impl Outcome {
    /// The word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::InvalidCard => "invalid card",
            Self::EmptyCard => "empty card",
            Self::CardLost => "card lost",
            Self::Error => "error",
        }
    }
}

/// What one scenario has to say of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How it ended.
    pub outcome: Outcome,
    /// Card and terminal have proved to each other that they hold the keys.
    pub authenticated: bool,
    /// What was decided, and why; a sentence each.
    pub decided: Vec<String>,
    /// What the card holds now that it did not before.
    pub changed: Vec<Change>,
    /// The end in one line.
    pub result: String,
}

/// One thing that changed on the card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub place: String,
    /// What was there.
    pub before: String,
    /// What is there.
    pub after: String,
}

impl Change {
    fn new(place: impl Into<String>, before: impl Display, after: impl Display) -> Self {
        Self { place: place.into(), before: before.to_string(), after: after.to_string() }
    }
}

/// A scenario that was played.
#[derive(Clone, Debug)]
pub struct Report {
    /// Which one.
    pub scenario: Scenario,
    /// What was done to the card before, a line each.
    pub setup: Vec<String>,
    /// Everything that was said.
    pub entries: Vec<Entry>,
    /// What came of it.
    pub done: Done,
}

/// The one object of `--json`.
#[derive(Debug, Serialize)]
struct Json<'a> {
    scenario: &'a str,
    policy: &'a str,
    outcome: &'a str,
    authenticated: bool,
    selection_requests: usize,
    card_requests: usize,
    sam_requests: usize,
    sam_prefetches: usize,
    card_apdus: usize,
    sam_apdus: usize,
    card_bytes: Volume,
    sam_bytes: Volume,
    virtual_us: Option<u64>,
}

impl Report {
    /// Whether all is well, so that the exit code is 0.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.done.outcome == Outcome::Success
    }

    /// What went over the wire.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts::of(&self.entries)
    }

    /// The report as one JSON object.
    ///
    /// # Errors
    ///
    /// None is known.
    pub fn to_json(&self) -> Result<String, Failure> {
        let counts = self.counts();
        let json = Json {
            scenario: self.scenario.name(),
            policy: "grouped",
            outcome: self.done.outcome.word(),
            authenticated: self.done.authenticated,
            selection_requests: counts.selection_requests,
            card_requests: counts.card_requests,
            sam_requests: counts.sam_requests,
            sam_prefetches: counts.sam_prefetches,
            card_apdus: counts.card_apdus,
            sam_apdus: counts.sam_apdus,
            card_bytes: counts.card_bytes,
            sam_bytes: counts.sam_bytes,
            virtual_us: None,
        };
        serde_json::to_string_pretty(&json).map_err(|error| Failure::failed(error.to_string()))
    }
}

/// Whether the last session of `transaction` has proved what it should.
fn is_authenticated(transaction: &Transaction) -> bool {
    transaction.session().authenticated.is_some()
}

#[cfg(test)]
mod tests;
