//! Invalidate and Rehabilitate: specification 01, sections of these names.

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{Encoder, Exchange, Exchanged};
use super::terms::Terms;
use crate::apdu::Case;
use crate::card::Content;
use crate::error::{Error, Misbehaviour, Misuse};

/// Makes the application unusable, usually in a session with the debit key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalidate;

/// Makes an invalidated application usable again, usually in a session with the personalisation key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rehabilitate;

pub(super) const REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
];

impl Invalidate {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare(ChangeValidity { invalidates: true }, list, terms)
    }
}

impl Rehabilitate {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare(ChangeValidity { invalidates: false }, list, terms)
    }
}

fn prepare(step: ChangeValidity, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
    terms.secured(step.name())?;
    if terms.card.invalidated() == step.invalidates {
        return Err(Misuse::Invalidation.into());
    }
    list.push_modifying(step, 5, terms)
}

/// One Invalidate or Rehabilitate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeValidity {
    invalidates: bool,
}

impl Exchange for ChangeValidity {
    fn name(&self) -> CommandName {
        if self.invalidates { CommandName::Invalidate } else { CommandName::Rehabilitate }
    }

    fn case(&self) -> Case {
        Case::One
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let ins = if self.invalidates { 0x04 } else { 0x44 };
        Apdu::bare(to.header(ins, 0x00, 0x00))
    }

    fn modifies(&self) -> bool {
        true
    }

    fn only_succeeds(&self) -> bool {
        true
    }

    fn change(&self, _exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        content.invalidated = self.invalidates;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{applied, card, encoded};

    /// Worked example 97.
    #[test]
    fn encoding_and_image() {
        let r3 = "0A3C2005141001";
        let mut card = card(r3);
        let (invalidate, rehabilitate) = (ChangeValidity { invalidates: true }, ChangeValidity { invalidates: false });
        assert_eq!(encoded(&invalidate, r3), "0004000000");
        assert_eq!(encoded(&rehabilitate, r3), "0044000000");
        applied(&invalidate, &mut card, "9000").unwrap();
        assert!(card.invalidated());
        applied(&rehabilitate, &mut card, "9000").unwrap();
        assert!(!card.invalidated());
    }
}
