//! Close and Abort Secure Session, ratification: specification 01, sections of these names, and 02, "Closing".

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::open::PreOpen;
use super::pki_session::PkiClose;
use super::step::{AnswerLength, Encoder, Exchange, Material, Moment};
use super::terms::{Mode, Terms};
use crate::apdu::{Case, StatusSet};
use crate::card::{Level, PostponedCounters, Product};
use crate::error::Error;
use crate::hint::unlikely;

/// Opens a secure session. Readings prepared right behind it may travel in the same command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenSession {
    /// With which key.
    pub level: Level,
}

/// Has an extended card say at its selection what it will answer to an opening, so that a whole session can travel in
/// one request. Only with a selection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PreOpenSession {
    /// With which key the session will be opened.
    pub level: Level,
}

/// Closes the session: card and terminal authenticate each other, and what was written stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseSession;

/// Gives the session up: the card takes back what was written. Allowed without session too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CancelSession;

pub(super) const REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6B00, Refusal::IllegalParameter),
];

impl PreOpenSession {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        if terms.card.product() != Product::Unknown {
            return Err(Error::Unsupported(CommandName::OpenSecureSession));
        }
        list.push(PreOpen { level: self.level });
        Ok(())
    }
}

impl OpenSession {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.secured(CommandName::OpenSecureSession)?;
        list.outside_session()?;
        list.open(self.level, terms);
        Ok(())
    }
}

impl CloseSession {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_sessions(CommandName::CloseSecureSession)?;
        list.inside_session()?;
        if terms.means.mode == Mode::Asymmetric {
            list.close(PkiClose);
            return Ok(());
        }
        list.close(Close { ratified: !terms.means.ratify });
        if terms.means.ratify {
            list.push(Ratify);
        }
        Ok(())
    }
}

impl CancelSession {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_sessions(CommandName::AbortSecureSession)?;
        list.close(Abort);
        Ok(())
    }
}

/// One Close Secure Session with a MAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Close {
    /// The card considers the session ratified at once.
    pub(crate) ratified: bool,
}

impl Exchange for Close {
    fn name(&self) -> CommandName {
        CommandName::CloseSecureSession
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    /// The material is the terminal's MAC.
    #[inline(always)]
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let p1 = if self.ratified { 0x80 } else { 0x00 };
        Apdu::new(to.header(0x8E, p1, 0x00), to.material)
    }

    /// The structure is checked by [`Closed::parse`].
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        true
    }

    fn digested(&self) -> bool {
        false
    }

    fn material(&self) -> Material {
        Material::Mac
    }
}

/// What the answer to a closing says: specification 01, "Response, symmetric".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed<'a> {
    /// Answers that the card had postponed, each behind a length that counts itself.
    postponed: &'a [u8],
    pub(crate) mac: &'a [u8],
}

impl<'a> Closed<'a> {
    /// Cuts the data field before the last `mac_len` bytes.
    pub(crate) fn parse(data: &'a [u8], mac_len: usize) -> Option<Self> {
        let (postponed, mac) = data.split_at_checked(data.len().checked_sub(mac_len)?)?;
        let closed = Self { postponed, mac };
        if unlikely(closed.has_postponed()) {
            let counted: usize = closed.postponed().map(|answer| answer.len() + 1).sum();
            return (counted == postponed.len()).then_some(closed);
        }
        Some(closed)
    }

    /// Whether there are postponed answers.
    pub(crate) fn has_postponed(&self) -> bool {
        !self.postponed.is_empty()
    }

    /// The postponed answers, in the order of their commands.
    pub(crate) fn postponed(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = self.postponed;
        core::iter::from_fn(move || {
            let length = usize::from(*rest.first()?);
            let answer = rest.get(1..length).filter(|answer| !answer.is_empty())?;
            rest = rest.get(length..)?;
            Some(answer)
        })
    }
}

/// One Abort Secure Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Abort;

impl Exchange for Abort {
    fn name(&self) -> CommandName {
        CommandName::AbortSecureSession
    }

    fn case(&self) -> Case {
        Case::One
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::bare(to.header(0x8E, 0x00, 0x00))
    }

    fn continues_after(&self, _moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        StatusSet::SUCCESS
    }

    /// No answer is an error: the session is over whatever the card says.
    fn accepts(&self) -> StatusSet {
        StatusSet::ANY
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }
}

/// The ratification command: a reading that is wrong on purpose. It shows the card that its answer was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratify;

impl Exchange for Ratify {
    fn name(&self) -> CommandName {
        CommandName::Ratification
    }

    fn case(&self) -> Case {
        Case::One
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::bare(to.header(0xB2, 0x00, 0x00))
    }

    fn accepts(&self) -> StatusSet {
        StatusSet::ANY
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{encoded, encoded_with};
    use crate::test_hex::hex;
    use alloc::vec::Vec;

    const R3: &str = "0A3C2005141001";
    const R2: &str = "0A2E1142000101";

    /// Worked examples 90 to 93.
    #[test]
    fn encoding() {
        let close = |ratified, mac| encoded_with(&Close { ratified }, R3, &hex(mac));
        assert_eq!(close(true, "12345678"), "008E8000041234567800");
        assert_eq!(close(false, "12345678"), "008E0000041234567800");
        assert_eq!(close(true, "1122334455667788"), "008E800008112233445566778800");
        assert_eq!(encoded(&Abort, R3), "008E000000");
        assert_eq!(encoded(&Abort, R2), "948E000000");
        assert_eq!(encoded(&Ratify, R3), "00B2000000");
    }

    #[test]
    fn postponed_data_and_mac() {
        let data = hex("04000063 04A1A2A3 B1B2B3B4");
        let closed = Closed::parse(&data, 4).unwrap();
        assert_eq!(closed.postponed().collect::<Vec<_>>(), [hex("000063"), hex("A1A2A3")]);
        assert_eq!(closed.mac, hex("B1B2B3B4"));
        let data = hex("8877665544332211");
        assert_eq!(Closed::parse(&data, 8).unwrap().postponed().count(), 0);
    }

    #[test]
    fn closings_that_cannot_be_cut() {
        for data in ["112233", "00B1B2B3B4", "01B1B2B3B4", "04000063FFB1B2B3B4", "050000B1B2B3B4"] {
            assert_eq!(Closed::parse(&hex(data), 4), None, "{data}");
        }
    }
}
