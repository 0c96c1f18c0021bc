//! One command of the list, with what can be known of it beforehand.

use super::step::{AnswerLength, Exchange, Material, Moment, Step};
use crate::apdu::{Case, StatusSet};
use crate::card::{PostponedCounters, Sfi};
use crate::hint::unlikely;

/// A command, where it stood when it was prepared, and what it said of itself then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prepared {
    pub(crate) step: Step,
    pub(crate) moment: Moment,
    pub(crate) facts: Facts,
}

/// What a command says of itself once and for all. It is asked when it is prepared, while the compiler still knows of
/// which family it is; asking a [`Step`] goes through a table, and the list is gone through several times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// Which answers are successes.
    pub(crate) accepts: StatusSet,
    /// Of a card that postpones no answers: see [`Prepared::continues_after`].
    continues_after: StatusSet,
    /// How long the data of an accepted answer are.
    pub(crate) answer_length: AnswerLength,
    /// What the SAM must give before it can be built.
    pub(crate) material: Material,
    /// The file that it acts on; the one used last where it names none.
    pub(crate) file: Sfi,
    /// Those that are true or false, a bit each.
    bits: u8,
}

impl Facts {
    const DIGESTED: u8 = 1;
    const MODIFIES: u8 = 1 << 1;
    const ONLY_SUCCEEDS: u8 = 1 << 2;
    const APPLIES_COMMAND: u8 = 1 << 3;
    const TAKES_IMAGE: u8 = 1 << 4;
    const ENDS_BLOCK: u8 = 1 << 5;
    const ENDS_BLOCK_UNDETERMINED: u8 = 1 << 6;
    const CASE_4: u8 = 1 << 7;

    fn of(exchange: &impl Exchange, moment: Moment) -> Self {
        let bit = |is: bool, bit: u8| if is { bit } else { 0 };
        Self {
            accepts: exchange.accepts(),
            continues_after: exchange.continues_after(moment, PostponedCounters::No),
            answer_length: exchange.answer_length(),
            material: exchange.material(),
            file: exchange.file(),
            bits: bit(exchange.digested(), Self::DIGESTED)
                | bit(exchange.modifies(), Self::MODIFIES)
                | bit(exchange.only_succeeds(), Self::ONLY_SUCCEEDS)
                | bit(exchange.applies_command(), Self::APPLIES_COMMAND)
                | bit(exchange.takes_image(), Self::TAKES_IMAGE)
                | bit(exchange.ends_block(moment, false), Self::ENDS_BLOCK)
                | bit(exchange.ends_block(moment, true), Self::ENDS_BLOCK_UNDETERMINED)
                | bit(matches!(exchange.case(), Case::Four(_)), Self::CASE_4),
        }
    }

    /// Command and answer enter the digest of the session, if there is one.
    const fn digested(self) -> bool {
        self.bits & Self::DIGESTED != 0
    }

    /// It changes what the card holds.
    pub(crate) const fn modifies(self) -> bool {
        self.bits & Self::MODIFIES != 0
    }

    /// Its answer is certain, and `9000` alone.
    pub(crate) const fn only_succeeds(self) -> bool {
        self.bits & Self::ONLY_SUCCEEDS != 0
    }

    /// Its answer is predicted from what the image has of its file.
    pub(crate) const fn takes_image(self) -> bool {
        self.bits & Self::TAKES_IMAGE != 0
    }

    /// Its last byte is the Le of case 4.
    const fn is_case_4(self) -> bool {
        self.bits & Self::CASE_4 != 0
    }

    /// Its bytes are needed when it is answered.
    pub(crate) const fn applies_command(self) -> bool {
        self.bits & Self::APPLIES_COMMAND != 0
    }
}

impl Prepared {
    pub(crate) fn new(exchange: impl Exchange + Into<Step>, moment: Moment) -> Self {
        let facts = Facts::of(&exchange, moment);
        Self { step: exchange.into(), moment, facts }
    }

    /// After which answers the reader sends the next command. Whether the card postpones answers may have come out since
    /// the command was prepared.
    pub(crate) fn continues_after(&self, postponed: PostponedCounters) -> StatusSet {
        if unlikely(postponed != PostponedCounters::No) {
            return self.step.continues_after(self.moment, postponed);
        }
        self.facts.continues_after
    }

    /// Whether what follows cannot be built before this is answered.
    pub(crate) const fn ends_block(&self, postponed: PostponedCounters) -> bool {
        let bit = match postponed {
            PostponedCounters::Undetermined => Facts::ENDS_BLOCK_UNDETERMINED,
            PostponedCounters::No | PostponedCounters::Yes => Facts::ENDS_BLOCK,
        };
        self.facts.bits & bit != 0
    }

    /// The part of the command, as it was built, that enters a digest: specification 01, "What is fed to the session MAC".
    pub(crate) fn digested_part<'a>(&self, command: &'a [u8]) -> &'a [u8] {
        if self.facts.is_case_4() { Case::Four(0).digested(command) } else { command }
    }

    /// Whether building it takes the image. What the SAM makes of its digest, or of the command itself, does not.
    pub(crate) const fn needs_image(&self) -> bool {
        match self.facts.material {
            Material::Mac | Material::EarlyMac => false,
            Material::None => !self.is_encrypted(),
            _ => true,
        }
    }

    /// Whether it enters the digest of a session.
    pub(crate) const fn is_digested(&self) -> bool {
        self.moment.in_session() && self.facts.digested()
    }

    /// Whether it goes through the cipher. Only a SAM makes a session encrypted.
    pub(crate) const fn is_encrypted(&self) -> bool {
        unlikely(self.moment.encrypted()) && self.facts.digested()
    }

    /// Whether it can be built, and sent, from what the terminal has.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self.facts.material, Material::None) && !self.is_encrypted()
    }
}
