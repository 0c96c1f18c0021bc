//! What preparing depends on, apart from the list itself.

use super::name::CommandName;
use crate::card::{Card, KeyId, Product, Sfi};
use crate::error::{Argument, Error};
use crate::hint::unlikely;

/// Which operations a transaction offers: specification 02, "Kinds of transaction and their operations".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// No session.
    Free,
    /// Sessions under the control of a SAM.
    Symmetric,
    /// Sessions that the card signs.
    Asymmetric,
}

/// What a transaction has to secure sessions with, and how it wants them: the same for each card.
#[derive(Clone, Debug)]
pub(crate) struct Means {
    pub(crate) mode: Mode,
    /// The most data bytes of one command that can be secured.
    pub(crate) capacity: u8,
    /// The most bytes that the SAM digests at once.
    pub(crate) digest_capacity: u8,
    /// Sessions in extended form can be opened, with cards that have them.
    pub(crate) extended: bool,
    /// A session that overflows is closed and another one opened.
    pub(crate) multiple_sessions: bool,
    /// A ratification command follows the last closing.
    pub(crate) ratify: bool,
    /// The first record is read by the opening itself.
    pub(crate) read_on_opening: bool,
    /// PINs travel in clear although there is a SAM.
    pub(crate) pin_plain: bool,
    /// Ciphers a PIN that is presented outside a session.
    pub(crate) pin_verification_key: Option<KeyId>,
    /// Ciphers a new PIN.
    pub(crate) pin_modification_key: Option<KeyId>,
    /// SV Get reads both logs.
    pub(crate) both_sv_logs: bool,
    /// Card and SAM work at the same time.
    pub(crate) overlapped: bool,
    /// What is ciphered passes through the SAM by itself, before anything more is sent.
    pub(crate) stepwise: bool,
}

/// What preparing depends on, apart from the list itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'a> {
    pub(crate) card: &'a Card,
    pub(crate) means: &'a Means,
    /// The card has a session open now.
    pub(crate) session_is_open: bool,
}

impl Means {
    /// Nothing is secured.
    pub(crate) const NONE: Self = Self {
        mode: Mode::Free,
        capacity: u8::MAX,
        digest_capacity: 0,
        extended: false,
        multiple_sessions: false,
        ratify: false,
        read_on_opening: false,
        pin_plain: false,
        pin_verification_key: None,
        pin_modification_key: None,
        both_sv_logs: false,
        overlapped: false,
        stepwise: false,
    };
}

impl Terms<'_> {
    pub(super) fn product(&self) -> Product {
        self.card.product()
    }

    /// The most data bytes of one command: what card and SAM both take.
    pub(super) fn capacity(&self) -> u8 {
        self.card.payload_capacity().min(self.means.capacity)
    }

    /// Sessions open in extended form.
    pub(crate) fn extended(&self) -> bool {
        self.means.extended && self.card.features().extended
    }

    /// The largest counter number, and the most counters of one operation.
    fn counter_limit(&self) -> u8 {
        self.capacity() / 3
    }

    pub(super) fn check_counter_number(&self, number: u8, lowest: u8) -> Result<(), Error> {
        check((lowest..=self.counter_limit()).contains(&number), Argument::CounterNumber)
    }

    pub(super) fn check_counter_count(&self, count: usize) -> Result<(), Error> {
        check((1..=usize::from(self.counter_limit())).contains(&count), Argument::CounterCount)
    }

    pub(super) fn check_data(&self, data: &[u8]) -> Result<(), Error> {
        check((1..=usize::from(self.capacity())).contains(&data.len()), Argument::Data)
    }

    pub(super) fn check_size(&self, size: u8) -> Result<(), Error> {
        check((1..=self.capacity()).contains(&size), Argument::RecordSize)
    }

    /// Sessions exist where there is something to secure them with.
    pub(super) fn has_sessions(&self, command: CommandName) -> Result<(), Error> {
        if unlikely(self.means.mode == Mode::Free) { Err(Error::Unsupported(command)) } else { Ok(()) }
    }

    /// Some operations take a SAM.
    pub(super) fn secured(&self, command: CommandName) -> Result<(), Error> {
        match self.means.mode {
            Mode::Free | Mode::Asymmetric => Err(Error::Unsupported(command)),
            Mode::Symmetric => Ok(()),
        }
    }
}

pub(super) fn check(valid: bool, argument: Argument) -> Result<(), Error> {
    if unlikely(!valid) { Err(argument.into()) } else { Ok(()) }
}

pub(super) fn check_sfi(sfi: Sfi) -> Result<(), Error> {
    check(sfi.0 <= 30, Argument::Sfi)
}

pub(super) fn check_record(number: u8) -> Result<(), Error> {
    check_records(number, number)
}

/// The first and the last record of a range.
pub(super) fn check_records(first: u8, last: u8) -> Result<(), Error> {
    check(first >= 1 && first <= last && last <= 250, Argument::RecordNumber)
}
