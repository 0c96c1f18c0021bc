//! One exchange with the card, prepared.

use alloc::vec::Vec;

use super::apdu::Apdu;
use super::binary;
use super::counters::{ChangeOne, ChangeSeveral};
use super::get_data::GetOne;
use super::manage::Manage;
use super::name::CommandName;
use super::open::{Opening, PreOpen};
use super::pin::{Challenge, Change, Verify};
use super::pki_session::{PkiClose, PkiOpening};
use super::put_data::{Generate, Put};
use super::read_records::Read;
use super::search_records::{ReadPart, Search};
use super::select_file::Select;
use super::session::{Abort, Close, Ratify};
use super::stored_value::{Get, Operation};
use super::validity::ChangeValidity;
use super::write_records::Write;
use crate::apdu::{Case, Header, Response, StatusSet, StatusWord};
use crate::card::{Card, CardClass, Content, Kvc, PostponedCounters, Product, Quirks, Sfi};
use crate::error::Misbehaviour;

/// Where a command stood when it was prepared.
///
/// One byte, because each command carries it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moment(u8);

impl Moment {
    const IN_SESSION: u8 = 1;
    const PRE_OPENED: u8 = 1 << 1;
    const ENCRYPTED: u8 = 1 << 2;

    /// Inside a session that was opened in the usual way.
    pub(super) const SESSION: Self = Self(Self::IN_SESSION);

    /// The same session, opened beforehand if that is so; outside a session, that means nothing.
    pub(super) const fn with_pre_opening(self, pre_opened: bool) -> Self {
        if pre_opened && self.in_session() { Self(self.0 | Self::PRE_OPENED) } else { self }
    }

    /// The same session, encrypted or not; outside a session, that means nothing.
    pub(super) const fn with_encryption(self, encrypted: bool) -> Self {
        match (self.in_session(), encrypted) {
            (true, true) => Self(self.0 | Self::ENCRYPTED),
            (true, false) => Self(self.0 & !Self::ENCRYPTED),
            (false, _) => self,
        }
    }

    /// Inside a session.
    pub(crate) const fn in_session(self) -> bool {
        self.0 & Self::IN_SESSION != 0
    }

    /// Inside a session that was opened beforehand.
    pub(crate) const fn pre_opened(self) -> bool {
        self.0 & Self::PRE_OPENED != 0
    }

    /// Inside a session, with encryption active.
    pub(crate) const fn encrypted(self) -> bool {
        self.0 & Self::ENCRYPTED != 0
    }
}

/// Bytes of the list's payload that belong to one command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    start: u32,
    len: u32,
}

/// What a prediction is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Forecast<'a> {
    pub(crate) product: Product,
    pub(crate) postponed: PostponedCounters,
    pub(crate) content: &'a Content,
    /// The session was opened beforehand, so that what it reads is known.
    pub(crate) pre_opened: bool,
    /// Data of all prepared commands.
    pub(crate) payload: &'a [u8],
}

/// A command and its accepted answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchanged<'a> {
    pub(crate) answer: Response<'a>,
    /// The command as it was built, in clear; empty when it says that nothing depends on it.
    pub(crate) command: &'a [u8],
    /// Data of all prepared commands.
    pub(crate) payload: &'a [u8],
}

/// What encoding a command takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoder<'a> {
    pub(crate) product: Product,
    pub(crate) quirks: Quirks,
    /// Data of all prepared commands.
    pub(crate) payload: &'a [u8],
    /// What the SAM gave for this command: challenge, MAC, cryptogram.
    pub(crate) material: &'a [u8],
    /// Version of the purse's key, as the last SV Get told.
    pub(crate) purse_kvc: Kvc,
    /// Of the SAM that signs.
    pub(crate) sam_serial_number: [u8; 4],
}

impl<'a> Encoder<'a> {
    pub(crate) fn class(&self) -> CardClass {
        self.product.class()
    }

    pub(super) fn header(&self, ins: u8, p1: u8, p2: u8) -> Header {
        Header::new(self.class().byte(), ins, p1, p2)
    }

    pub(crate) fn data(&self, span: Span) -> &'a [u8] {
        span.of(self.payload)
    }
}

impl Span {
    /// From one length of the payload to another. What lies beyond 4 GiB is nowhere.
    pub(super) fn between(start: usize, end: usize) -> Self {
        let [start, len] = [start, end - start].map(|place| u32::try_from(place).unwrap_or(u32::MAX));
        Self { start, len }
    }

    pub(super) const fn len(self) -> usize {
        self.len as usize
    }

    pub(crate) fn of(self, payload: &[u8]) -> &[u8] {
        let start = self.start as usize;
        payload.get(start..start + self.len()).unwrap_or_default()
    }
}

/// The length that the data field of an accepted answer must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerLength {
    /// Not checked, or checked by the command itself.
    Any,
    /// So many bytes.
    Exactly(u8),
}

impl AnswerLength {
    pub(crate) fn check(self, data: &[u8]) -> Result<(), Misbehaviour> {
        match self {
            Self::Exactly(expected) if usize::from(expected) != data.len() => {
                Err(Misbehaviour::UnexpectedLength { expected: usize::from(expected), received: data.len() })
            }
            Self::Exactly(_) | Self::Any => Ok(()),
        }
    }
}

/// What every exchange knows of itself.
pub(crate) trait Exchange {
    /// For errors and accounts.
    fn name(&self) -> CommandName;

    /// Which case of command it is.
    fn case(&self) -> Case;

    /// Its header, and its data where the case has some.
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a>;

    /// Appends the command to `out`.
    #[inline(always)]
    fn encode(&self, to: &Encoder<'_>, out: &mut Vec<u8>) {
        self.apdu(to).write(self.case(), out);
    }

    /// After which answers the reader sends the next command: specification 02, "Accepted status words".
    fn continues_after(&self, _moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        self.accepts()
    }

    /// Which answers are successes.
    fn accepts(&self) -> StatusSet {
        StatusSet::SUCCESS
    }

    /// Which refusals only mean that the image is not filled.
    fn tolerates(&self, _moment: Moment) -> Option<StatusSet> {
        None
    }

    /// The length of the data field of an accepted answer.
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(0)
    }

    /// Whether the command changes what the card holds.
    fn modifies(&self) -> bool {
        false
    }

    /// Whether what follows cannot be built before this is answered, inside a session or outside; it is `undetermined` as
    /// long as nobody knows whether the card postpones answers.
    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        false
    }

    /// The file that it acts on; the one used last where it names none.
    fn file(&self) -> Sfi {
        Sfi::CURRENT
    }

    /// Whether its answer is predicted from what the image has of that file.
    fn takes_image(&self) -> bool {
        false
    }

    /// Whether command and answer enter the digest of the session: specification 01, "What is fed to the session
    /// MAC".
    fn digested(&self) -> bool {
        true
    }

    /// What the SAM must give before the command can be built.
    fn material(&self) -> Material {
        Material::None
    }

    /// Whether the answer is certain to be `9000` alone, whatever the image holds: specification 01, "Anticipation". What
    /// comes behind such a command need not wait for it.
    fn only_succeeds(&self) -> bool {
        false
    }

    /// Appends the answer that the card is certain to give, status word included, or returns false: specification 01,
    /// "Anticipation".
    fn predict(&self, _from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        let certain = self.only_succeeds();
        if certain {
            out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
        }
        certain
    }

    /// Whether what an accepted answer changes depends on the bytes of the command.
    fn applies_command(&self) -> bool {
        false
    }

    /// What an accepted answer changes in the part of the image that a session can take back.
    fn change(&self, _exchanged: &Exchanged<'_>, _content: &mut Content) -> Result<(), Misbehaviour> {
        Ok(())
    }

    /// What an accepted answer changes in the whole image.
    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        self.change(exchanged, &mut card.content)
    }

    /// What a refusal tells of the card.
    fn refused(&self, _status: StatusWord, _card: &mut Card) {}
}

/// What a command is built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Material {
    /// Nothing of the SAM.
    None,
    /// A challenge, for an opening.
    Challenge,
    /// The terminal's MAC.
    Mac,
    /// The terminal's MAC before the closing.
    EarlyMac,
    /// A PIN, ciphered for a presentation.
    PinPresentation,
    /// A new PIN, ciphered.
    PinChange,
    /// A new key, ciphered.
    CardKey,
    /// What signs a Stored Value operation.
    StoredValue,
}

macro_rules! steps {
    ($($name:ident($kind:ty)),* $(,)?) => {
        /// One exchange of any family. Each command of a request is one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Step {
            $($name($kind)),*
        }

        $(impl From<$kind> for Step {
            fn from(step: $kind) -> Self {
                Self::$name(step)
            }
        })*

        macro_rules! each {
            ($step:expr, $exchange:ident => $call:expr) => {
                match $step { $(Step::$name($exchange) => $call),* }
            };
        }
    };
}

steps! {
    Select(Select),
    Get(GetOne),
    Put(Put),
    Generate(Generate),
    Read(Read),
    ReadPart(ReadPart),
    Search(Search),
    ReadBinary(binary::Read),
    Write(Write),
    WriteBinary(binary::Write),
    ChangeOne(ChangeOne),
    ChangeSeveral(ChangeSeveral),
    Challenge(Challenge),
    Verify(Verify),
    Change(Change),
    ChangeValidity(ChangeValidity),
    SvGet(Get),
    StoredValue(Operation),
    PreOpen(PreOpen),
    Opening(Opening),
    PkiOpening(PkiOpening),
    PkiClose(PkiClose),
    Manage(Manage),
    Close(Close),
    Abort(Abort),
    Ratify(Ratify),
}

impl Exchange for Step {
    fn name(&self) -> CommandName {
        each!(self, exchange => exchange.name())
    }

    fn case(&self) -> Case {
        each!(self, exchange => exchange.case())
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        each!(self, exchange => exchange.apdu(to))
    }

    #[inline(always)]
    fn encode(&self, to: &Encoder<'_>, out: &mut Vec<u8>) {
        each!(self, exchange => exchange.encode(to, out));
    }

    fn continues_after(&self, moment: Moment, postponed: PostponedCounters) -> StatusSet {
        each!(self, exchange => exchange.continues_after(moment, postponed))
    }

    fn accepts(&self) -> StatusSet {
        each!(self, exchange => exchange.accepts())
    }

    fn tolerates(&self, moment: Moment) -> Option<StatusSet> {
        each!(self, exchange => exchange.tolerates(moment))
    }

    fn answer_length(&self) -> AnswerLength {
        each!(self, exchange => exchange.answer_length())
    }

    fn modifies(&self) -> bool {
        each!(self, exchange => exchange.modifies())
    }

    fn ends_block(&self, moment: Moment, undetermined: bool) -> bool {
        each!(self, exchange => exchange.ends_block(moment, undetermined))
    }

    fn file(&self) -> Sfi {
        each!(self, exchange => exchange.file())
    }

    fn takes_image(&self) -> bool {
        each!(self, exchange => exchange.takes_image())
    }

    fn digested(&self) -> bool {
        each!(self, exchange => exchange.digested())
    }

    fn material(&self) -> Material {
        each!(self, exchange => exchange.material())
    }

    fn only_succeeds(&self) -> bool {
        each!(self, exchange => exchange.only_succeeds())
    }

    fn applies_command(&self) -> bool {
        each!(self, exchange => exchange.applies_command())
    }

    #[inline]
    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        each!(self, exchange => exchange.predict(from, out))
    }

    #[inline]
    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        each!(self, exchange => exchange.change(exchanged, content))
    }

    #[inline]
    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        each!(self, exchange => exchange.apply(exchanged, card))
    }

    fn refused(&self, status: StatusWord, card: &mut Card) {
        each!(self, exchange => exchange.refused(status, card));
    }
}

#[cfg(test)]
pub(crate) mod tests;
