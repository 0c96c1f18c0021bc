//! The scenarios that `ogygia run` plays.

mod changes;
mod control;
mod load;
mod personalize;
mod proof;
mod report;
mod scripted;
mod setup;
mod validate;

pub use changes::Contents;
pub(crate) use proof::NOTHING;
pub use proof::Proof;
pub use report::{Change, Done, Outcome, Report, policy_name};

use jiff::civil::DateTime;

use crate::error::Failure;
use crate::options::Options;
use crate::terminal::Terminal;
use crate::ticketing::application::Refused;
use crate::ticketing::{Location, Moment};

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Scenario 1 of the specification.
    PlainPin,
    /// Scenario 2.
    ChangeKeyAndPin,
    /// Scenario 3.
    SignatureOutsideSession,
    /// Scenario 4.
    SvOutsideSession,
    /// Scenario 5.
    ValidationEmbedded,
    /// Scenario 6.
    ValidationSimple,
    /// Scenario 7.
    SaleDistributed,
    /// Scenario 8.
    PinInSession,
    /// Scenario 9.
    SignatureInSession,
    /// Scenario 10.
    SvInSession,
    /// Scenario 11.
    MultipleSessions,
    /// Scenario 12.
    ExtendedAuthentication,
    /// Scenario 13.
    ExtendedEncryption,
    /// The session of a card that signs.
    Pki,
    /// Makes a delivered card one of ours.
    Personalize,
    /// Sells a contract.
    LoadContract,
    /// Decides whether a card may travel.
    Validate,
    /// Shows what a traveller has.
    Control,
}

/// What is to be known of a scenario before it is played.
struct About {
    name: &'static str,
    shows: &'static str,
    profile: &'static str,
}

/// A card as it is sold today.
const KIT: &str = "kit-prime-regular-v3";
/// A card with the 250 bytes, the regular mode and the ratification by a command that the figures assume. The kit cards
/// have none with all three.
const PHONE: &str = "hce-prime3";
/// The same with a purse, and no phone.
const REFERENCE: &str = "reference-prime3";
/// A session of it modifies 215 bytes.
const LIGHT: &str = "kit-light-classic-v3";
/// With the extended mode and 250 bytes.
const EXTENDED: &str = "kit-prime-extended-v3";
/// With asymmetric keys and 250 bytes.
const SIGNING: &str = "kit-prime-pki-v3";

const fn about(name: &'static str, profile: &'static str, shows: &'static str) -> About {
    About { name, shows, profile }
}

impl Scenario {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 18] = [
        Self::PlainPin,
        Self::ChangeKeyAndPin,
        Self::SignatureOutsideSession,
        Self::SvOutsideSession,
        Self::ValidationEmbedded,
        Self::ValidationSimple,
        Self::SaleDistributed,
        Self::PinInSession,
        Self::SignatureInSession,
        Self::SvInSession,
        Self::MultipleSessions,
        Self::ExtendedAuthentication,
        Self::ExtendedEncryption,
        Self::Pki,
        Self::Personalize,
        Self::LoadContract,
        Self::Validate,
        Self::Control,
    ];

    const fn about(self) -> About {
        match self {
            Self::PlainPin => {
                about("plain-pin", REFERENCE, "a PIN is presented and changed, in clear: there is no SAM")
            }
            Self::ChangeKeyAndPin => about(
                "change-key-and-pin",
                REFERENCE,
                "a key and the PIN are replaced, ciphered by the SAM, without a session",
            ),
            Self::SignatureOutsideSession => about(
                "signature-outside-session",
                REFERENCE,
                "a signed record is verified without a session: card and SAM once each",
            ),
            Self::SvOutsideSession => {
                about("sv-outside-session", REFERENCE, "the purse is loaded without a session: its own MACs protect it")
            }
            Self::ValidationEmbedded => about(
                "validation-embedded",
                PHONE,
                "the fastest validation with one SAM: its challenge is fetched before the card comes",
            ),
            Self::ValidationSimple => {
                about("validation-simple", PHONE, "the same validation without that: one more request to the SAM")
            }
            Self::SaleDistributed => {
                about("sale-distributed", PHONE, "a sale over remote readers: as few round trips as possible")
            }
            Self::PinInSession => about(
                "pin-in-session",
                REFERENCE,
                "a validation for which the holder presents a PIN, ciphered with the session key",
            ),
            Self::SignatureInSession => about(
                "signature-in-session",
                REFERENCE,
                "a validation that verifies two signatures and signs the event",
            ),
            Self::SvInSession => about(
                "sv-in-session",
                REFERENCE,
                "a validation paid from the purse: one session binds debit and event together",
            ),
            Self::MultipleSessions => about(
                "multiple-sessions",
                LIGHT,
                "more writing than fits in a session: it is closed, and another one opened",
            ),
            Self::ExtendedAuthentication => about(
                "extended-authentication",
                EXTENDED,
                "a validation that knows the card to be genuine before it reads on",
            ),
            Self::ExtendedEncryption => about(
                "extended-encryption",
                EXTENDED,
                "a validation of which those who listen learn nothing: the SAM ciphers",
            ),
            Self::Pki => about(
                "pki",
                SIGNING,
                "a card is read that signs the session: the terminal needs no SAM, and no secret at all",
            ),
            Self::Personalize => {
                about("personalize", KIT, "a delivered card becomes a ticketing card: one session with the issuer key")
            }
            Self::LoadContract => about(
                "load-contract",
                KIT,
                "a contract is sold: the card is read, a slot chosen, and written in a second session",
            ),
            Self::Validate => about(
                "validate",
                KIT,
                "a traveller's card at a gate: a contract is chosen, a trip taken, or the card refused",
            ),
            Self::Control => {
                about("control", KIT, "an inspector's look: which titles there are, and whether one is validated")
            }
        }
    }

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.about().name
    }

    /// What it shows, in one line.
    #[must_use]
    pub const fn shows(self) -> &'static str {
        self.about().shows
    }

    /// Whether it needs a SAM.
    #[must_use]
    pub const fn has_sam(self) -> bool {
        !matches!(self, Self::PlainPin | Self::Pki)
    }

    /// The profile of the card, unless one is named.
    #[must_use]
    pub const fn default_profile(self) -> &'static str {
        self.about().profile
    }

    /// The scenario of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The same.
    ///
    /// # Errors
    ///
    /// There is none: what names there are.
    pub fn named(name: &str) -> Result<Self, Failure> {
        Self::from_name(name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Failure::usage(format!("no scenario {name:?}; there are: {names}"))
        })
    }

    fn play(self, stage: &mut Stage) -> Result<Done, Failure> {
        match self {
            Self::PlainPin => scripted::plain_pin(stage),
            Self::ChangeKeyAndPin => scripted::change_key_and_pin(stage),
            Self::SignatureOutsideSession => scripted::signature_outside_session(stage),
            Self::SvOutsideSession => scripted::sv_outside_session(stage),
            Self::ValidationEmbedded => scripted::validation(stage, true),
            Self::ValidationSimple => scripted::validation(stage, false),
            Self::SaleDistributed => scripted::sale(stage),
            Self::PinInSession => scripted::pin_in_session(stage),
            Self::SignatureInSession => scripted::signature_in_session(stage),
            Self::SvInSession => scripted::sv_in_session(stage),
            Self::MultipleSessions => scripted::multiple_sessions(stage),
            Self::ExtendedAuthentication => scripted::extended_authentication(stage),
            Self::ExtendedEncryption => scripted::extended_encryption(stage),
            Self::Pki => scripted::pki(stage),
            Self::Personalize => personalize::play(stage),
            Self::LoadContract => load::play(stage),
            Self::Validate => validate::play(stage),
            Self::Control => control::play(stage),
        }
    }

    /// What to do about a card that was made just now for a profile that was named.
    fn hint(self, failure: &Failure, stage: &Stage) -> String {
        let id = &stage.terminal.card.inner().card().profile().id;
        let own = self.default_profile();
        match failure {
            Failure::Refused(Refused::NotFound) if stage.fresh && id != own => {
                format!(" ({id}); without --profile, {} takes {own}", self.name())
            }
            _ => String::new(),
        }
    }

    /// Plays it, whatever comes of it.
    #[must_use]
    pub fn run(self, stage: &mut Stage) -> Report {
        let played = self.play(stage);
        let mut done = played.unwrap_or_else(|failure| Done {
            outcome: if failure.is_card_lost() { Outcome::CardLost } else { Outcome::Error },
            result: format!("failed: {failure}{}", self.hint(&failure, stage)),
            ..Done::default()
        });
        // Also of a scenario that failed: it may have written before.
        if let Some(before) = stage.before.take() {
            done.changed.splice(0..0, before.changes(&stage.contents()));
        }
        Report {
            scenario: self,
            setup: std::mem::take(&mut stage.setup),
            entries: stage.terminal.log.entries(),
            done,
            policy: stage.terminal.policy,
            model: *stage.terminal.model(),
            durations: stage.terminal.durations(),
        }
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
    /// What is asked for beyond that.
    pub options: Options,
    /// The card was never used: it is made what the scenario needs.
    pub fresh: bool,
    /// What was done for that.
    pub setup: Vec<String>,
    /// What the card held when the scenario proper began.
    pub before: Option<Contents>,
}

impl Stage {
    /// A stage whose card was never used, without any option.
    #[must_use]
    pub fn fresh(terminal: Terminal, clock: DateTime, now: Moment) -> Self {
        Self {
            terminal,
            clock,
            now,
            location: Location(0),
            options: Options::default(),
            fresh: true,
            setup: Vec::new(),
            before: None,
        }
    }

    /// What the card holds.
    fn contents(&self) -> Contents {
        Contents::of(self.terminal.card.inner().card())
    }

    /// The scenario proper begins: what changes from now on, it has changed.
    fn begin(&mut self) {
        self.before = Some(self.contents());
    }
}

#[cfg(test)]
mod tests;
