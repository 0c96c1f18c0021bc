//! PIN and keys: specification 01, "Get Challenge", "Verify PIN", "Change PIN", "Change Key".

use core::fmt;

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Material, Moment, Span};
use super::terms::{Mode, Terms, check};
use crate::apdu::{Case, StatusSet, StatusWord};
use crate::card::{Card, KeyId, Level, Product};
use crate::error::{Argument, Error, Misbehaviour, Misuse};

/// The four bytes of a PIN. Never shown, and wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin([u8; Self::LEN]);

impl Pin {
    /// Bytes of a PIN.
    pub const LEN: usize = 4;

    /// A PIN of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(****)")
    }
}

impl Drop for Pin {
    fn drop(&mut self) {
        self.0 = [0; Self::LEN];
        core::hint::black_box(&self.0);
    }
}

/// Presents the PIN: in clear without SAM or where the settings say so, ciphered by the SAM otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyPin {
    /// What the holder typed.
    pub pin: Pin,
}

/// Asks how many times the PIN may still be presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckPinStatus;

/// Changes the PIN, outside a session: in clear, after a presentation, or ciphered by the SAM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangePin {
    /// The new one.
    pub pin: Pin,
}

/// Replaces one of the keys of the application by one that the SAM holds. Outside a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeKey {
    /// Which key of the card, 1 to 3.
    pub index: u8,
    /// The new key.
    pub new: KeyId,
    /// The issuer key that ciphers it; KIF and KVC 0: none does.
    pub issuer: KeyId,
}

pub(super) const CHALLENGE_REFUSALS: Refusals = &[];

pub(super) const VERIFY_REFUSALS: Refusals = &[
    (0x63C0, Refusal::Pin),
    (0x63C1, Refusal::Pin),
    (0x63C2, Refusal::Pin),
    (0x6983, Refusal::Pin),
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6D00, Refusal::IllegalParameter),
];

pub(super) const CHANGE_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6A80, Refusal::SecurityData),
    (0x6A87, Refusal::IllegalParameter),
    (0x6B00, Refusal::IllegalParameter),
];

/// How often a PIN may be presented after it was presented well.
const ATTEMPTS: u8 = 3;

impl Terms<'_> {
    fn has_pin(&self, command: CommandName) -> Result<(), Error> {
        if self.card.features().pin { Ok(()) } else { Err(Error::Unsupported(command)) }
    }

    fn pin_is_ciphered(&self) -> bool {
        self.means.mode == Mode::Symmetric && !self.means.pin_plain
    }
}

impl VerifyPin {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_pin(CommandName::VerifyPin)?;
        if !terms.pin_is_ciphered() {
            let pin = list.store_secret(&self.pin.0);
            list.push(Verify::Plain(pin));
            return Ok(());
        }
        let key = if list.in_session() { None } else { Some(terms.means.pin_verification_key.ok_or(Misuse::PinKey)?) };
        let pin = list.store_secret(&self.pin.0);
        list.push(Challenge);
        list.push(Verify::Ciphered { pin, key });
        Ok(())
    }
}

impl CheckPinStatus {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_pin(CommandName::VerifyPin)?;
        list.push(Verify::Status);
        Ok(())
    }
}

impl ChangePin {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_pin(CommandName::ChangePin)?;
        list.outside_session()?;
        if !terms.pin_is_ciphered() {
            let pin = list.store_secret(&self.pin.0);
            list.push(Change::PlainPin(pin));
            return Ok(());
        }
        let key = terms.means.pin_modification_key.ok_or(Misuse::PinKey)?;
        let pin = list.store_secret(&self.pin.0);
        list.push(Challenge);
        list.push(Change::CipheredPin { pin, key });
        Ok(())
    }
}

impl ChangeKey {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.secured(CommandName::ChangeKey)?;
        if terms.product() == Product::Basic {
            return Err(Error::Unsupported(CommandName::ChangeKey));
        }
        list.outside_session()?;
        let level = Level::ALL.into_iter().find(|level| level.key_index() == self.index);
        check(level.is_some(), Argument::KeyIndex)?;
        list.push(Challenge);
        list.push(Change::Key { index: self.index, new: self.new, issuer: self.issuer });
        Ok(())
    }
}

/// One Get Challenge to the card: what comes next is ciphered with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Challenge;

impl Exchange for Challenge {
    fn name(&self) -> CommandName {
        CommandName::GetChallenge
    }

    fn case(&self) -> Case {
        Case::Two(8)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::bare(to.header(0x84, 0x00, 0x00))
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(8)
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        true
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        card.challenge = exchanged.answer.data.first_chunk().copied();
        Ok(())
    }
}

/// One Verify PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verify {
    Status,
    Plain(Span),
    /// The key is that of the session when none is given.
    Ciphered {
        pin: Span,
        key: Option<KeyId>,
    },
}

impl Exchange for Verify {
    fn name(&self) -> CommandName {
        CommandName::VerifyPin
    }

    fn case(&self) -> Case {
        match self {
            Self::Status => Case::One,
            Self::Plain(_) | Self::Ciphered { .. } => Case::Three,
        }
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let data = match self {
            Self::Status => &[],
            Self::Plain(pin) => to.data(*pin),
            Self::Ciphered { .. } => to.material,
        };
        Apdu::new(to.header(0x20, 0x00, 0x00), data)
    }

    /// What is left is what the status form asks for.
    fn accepts(&self) -> StatusSet {
        match self {
            Self::Status => StatusSet::PIN,
            Self::Plain(_) | Self::Ciphered { .. } => StatusSet::SUCCESS,
        }
    }

    fn material(&self) -> Material {
        match self {
            Self::Status | Self::Plain(_) => Material::None,
            Self::Ciphered { .. } => Material::PinPresentation,
        }
    }

    fn only_succeeds(&self) -> bool {
        match self {
            Self::Status => false,
            // A wrong PIN ends the session anyway.
            Self::Plain(_) | Self::Ciphered { .. } => true,
        }
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        card.pin_attempts = Some(attempts(exchanged.answer.status).unwrap_or(ATTEMPTS));
        Ok(())
    }

    fn refused(&self, status: StatusWord, card: &mut Card) {
        if let Some(attempts) = attempts(status) {
            card.pin_attempts = Some(attempts);
        }
    }
}

fn attempts(status: StatusWord) -> Option<u8> {
    match status {
        StatusWord::PIN_BLOCKED => Some(0),
        status => status.attempts_left(),
    }
}

/// One Change PIN or Change Key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    PlainPin(Span),
    CipheredPin { pin: Span, key: KeyId },
    Key { index: u8, new: KeyId, issuer: KeyId },
}

impl Exchange for Change {
    fn name(&self) -> CommandName {
        match self {
            Self::PlainPin(_) | Self::CipheredPin { .. } => CommandName::ChangePin,
            Self::Key { .. } => CommandName::ChangeKey,
        }
    }

    fn case(&self) -> Case {
        Case::Three
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (p2, data) = match self {
            Self::PlainPin(pin) => (0xFF, to.data(*pin)),
            Self::CipheredPin { .. } => (0xFF, to.material),
            Self::Key { index, .. } => (*index, to.material),
        };
        Apdu::new(to.header(0xD8, 0x00, p2), data)
    }

    fn modifies(&self) -> bool {
        true
    }

    fn digested(&self) -> bool {
        false
    }

    fn material(&self) -> Material {
        match *self {
            Self::PlainPin(_) => Material::None,
            Self::CipheredPin { .. } => Material::PinChange,
            Self::Key { .. } => Material::CardKey,
        }
    }

    fn apply(&self, _exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        match self {
            Self::PlainPin(_) | Self::CipheredPin { .. } => card.pin_attempts = Some(ATTEMPTS),
            Self::Key { .. } => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{applied, card, encoded, encoded_with, processed};
    use crate::test_hex::hex;

    const PIN_CARD: &str = "0A3C2112141001";

    /// Worked examples 63, 65, 66 and 67.
    #[test]
    fn plain() {
        let mut card = card(PIN_CARD);
        let verify = VerifyPin { pin: Pin::new(*b"1234") };
        processed(&mut card, verify.into(), &["002000000431323334"], &["9000"]).unwrap();
        assert_eq!(card.pin_attempts_remaining(), Some(3));
        processed(&mut card, CheckPinStatus.into(), &["0020000000"], &["63C1"]).unwrap();
        assert_eq!(card.pin_attempts_remaining(), Some(1));
        Verify::Status.refused(StatusWord::PIN_BLOCKED, &mut card);
        assert_eq!(card.pin_attempts_remaining(), Some(0));
        let change = ChangePin { pin: Pin::new(*b"4567") };
        processed(&mut card, change.into(), &["00D800FF0434353637"], &["9000"]).unwrap();
        assert_eq!(card.pin_attempts_remaining(), Some(3));
    }

    /// Worked examples 64, 68 and 69.
    #[test]
    fn ciphered() {
        let mut card = card(PIN_CARD);
        assert_eq!(encoded(&Challenge, PIN_CARD), "0084000008");
        applied(&Challenge, &mut card, "C1C2C3C4C5C6C7C89000").unwrap();
        assert_eq!(card.challenge, hex("C1C2C3C4C5C6C7C8").try_into().ok());
        let pin = Span::between(0, 4);
        let key = KeyId { kif: crate::card::Kif(1), kvc: crate::card::Kvc(2) };
        let verify = Verify::Ciphered { pin, key: None };
        assert_eq!(encoded_with(&verify, PIN_CARD, &hex("1122334455667788")), "00200000081122334455667788");
        let change = Change::CipheredPin { pin, key };
        assert_eq!(encoded_with(&change, PIN_CARD, &[0x88; 16]), alloc::format!("00D800FF10{}", "88".repeat(16)));
        let key = Change::Key { index: 1, new: key, issuer: key };
        assert_eq!(encoded_with(&key, PIN_CARD, &[0x11; 32]), alloc::format!("00D8000120{}", "11".repeat(32)));
    }

    #[test]
    fn cards_without_pin() {
        let verify = VerifyPin { pin: Pin::new(*b"1234") };
        let refused = processed(&mut card("0A3C2005141001"), verify.into(), &[], &[]);
        assert_eq!(refused, Err(Error::Unsupported(CommandName::VerifyPin)));
    }

    #[test]
    fn never_shown() {
        let verify = VerifyPin { pin: Pin::new(*b"1234") };
        assert_eq!(alloc::format!("{verify:?}"), "VerifyPin { pin: Pin(****) }");
    }
}
