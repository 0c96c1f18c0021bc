//! What a scenario has to say when it has been played.

use std::fmt::Display;

use ogygia::transaction::Policy;
use ogygia_sim::clock::Model;
use serde::Serialize;

use super::{Proof, Scenario};
use crate::error::Failure;
use crate::record::{Counts, Entry, Volume};
use crate::terminal::Durations;

/// How a scenario ended, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// As the traveller hopes.
    Success,
    /// The card may not travel.
    InvalidCard,
    /// The card has nothing to travel with.
    EmptyCard,
    /// The card has no room for what was bought.
    CardFull,
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
            Self::CardFull => "card full",
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
    /// What was proved, and to whom.
    pub proofs: Vec<Proof>,
    /// What was decided, and why; a sentence each.
    pub decided: Vec<String>,
    /// What is different on the card now: of the scenario itself, only PIN and keys; [`Scenario::run`] adds the files.
    pub changed: Vec<Change>,
    /// The end in one line.
    pub result: String,
}

impl Done {
    /// The card has proved, by a session, that it holds its keys.
    #[must_use]
    pub fn authenticated(&self) -> bool {
        self.proofs.iter().any(|proof| matches!(proof, Proof::Session | Proof::CardSignature))
    }
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
    pub(super) fn new(place: impl Into<String>, before: impl Display, after: impl Display) -> Self {
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
    /// When requests were released.
    pub policy: Policy,
    /// How long things took.
    pub model: Model,
    /// How long it took, in virtual time.
    pub durations: Durations,
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
    card_closings: usize,
    sam_requests: usize,
    sam_prefetches: usize,
    card_apdus: usize,
    sam_apdus: usize,
    card_bytes: Volume,
    sam_bytes: Volume,
    model: &'a str,
    virtual_us: u64,
    virtual_leave_us: u64,
    virtual_selection_us: u64,
}

/// The name of a policy on the command line.
#[must_use]
pub const fn policy_name(policy: Policy) -> &'static str {
    match policy {
        Policy::Grouped => "grouped",
        Policy::Overlapped => "overlapped",
    }
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
            policy: policy_name(self.policy),
            outcome: self.done.outcome.word(),
            authenticated: self.done.authenticated(),
            selection_requests: counts.selection_requests,
            card_requests: counts.card_requests,
            card_closings: counts.card_closings,
            sam_requests: counts.sam_requests,
            sam_prefetches: counts.sam_prefetches,
            card_apdus: counts.card_apdus,
            sam_apdus: counts.sam_apdus,
            card_bytes: counts.card_bytes,
            sam_bytes: counts.sam_bytes,
            model: self.model.name,
            virtual_us: self.durations.gate_us,
            virtual_leave_us: self.durations.leave_us,
            virtual_selection_us: self.durations.selection_us,
        };
        serde_json::to_string_pretty(&json).map_err(|error| Failure::failed(error.to_string()))
    }
}
