//! One command of the list, with what can be known of it beforehand.

use super::step::{Exchange, Material, Moment, Step};
use crate::apdu::StatusSet;
use crate::card::PostponedCounters;

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
    /// Command and answer enter the digest of the session, if there is one.
    pub(crate) digested: bool,
    /// It changes what the card holds.
    pub(crate) modifies: bool,
    /// The SAM must give something before it can be built.
    pub(crate) takes_material: bool,
    /// Of a card that postpones no answers: see [`Prepared::continues_after`].
    continues_after: StatusSet,
}

impl Prepared {
    pub(crate) fn new(exchange: impl Exchange + Into<Step>, moment: Moment) -> Self {
        let facts = Facts {
            accepts: exchange.accepts(),
            digested: exchange.digested(),
            modifies: exchange.modifies(),
            takes_material: exchange.material() != Material::None,
            continues_after: exchange.continues_after(moment, PostponedCounters::No),
        };
        Self { step: exchange.into(), moment, facts }
    }

    /// After which answers the reader sends the next command. Whether the card postpones answers may have come out since
    /// the command was prepared.
    pub(crate) fn continues_after(&self, postponed: PostponedCounters) -> StatusSet {
        match postponed {
            PostponedCounters::No => self.facts.continues_after,
            other => self.step.continues_after(self.moment, other),
        }
    }

    /// Whether it enters the digest of a session.
    pub(crate) const fn is_digested(&self) -> bool {
        self.moment.in_session && self.facts.digested
    }

    /// Whether it goes through the cipher. Only a SAM makes a session encrypted.
    pub(crate) const fn is_encrypted(&self) -> bool {
        self.moment.encrypted && self.facts.digested
    }

    /// Whether it can be built, and sent, from what the terminal has.
    pub(crate) const fn is_plain(&self) -> bool {
        !self.facts.takes_material && !self.is_encrypted()
    }
}
