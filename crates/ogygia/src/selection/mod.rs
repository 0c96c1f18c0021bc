//! Selection: which cards are wanted, and what is read of them at once.
//!
//! Specification 02, "Selection of a Calypso card". A [`Selection`] is one wanted application with the commands that
//! travel with it; a [`Scenario`] tries several in order; a [`SamSelection`] is a wanted SAM. Like a transaction, none of
//! them does input or output.

mod sam;
mod scenario;

use alloc::vec::Vec;

pub use sam::{SamFilter, SamSelecting, SamSelection, SamStep};
pub use scenario::{Outcome, PowerOnFilter, Scenario};

use crate::apdu::{Batch, Case, Header, Response, StatusSet};
use crate::card::{Card, Product, Quirks};
use crate::command::{
    Command, Encoder, Exchange, Exchanged, List, Means, PreOpened, ReadBinary, Step, Terms, check_at_selection,
};
use crate::error::{Argument, Error, Misbehaviour, Misuse};
use crate::request::{ChannelControl, Peer, Request};

/// Which of the applications whose names begin alike: specification 02, "Where selection ends and the card layer
/// begins".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Occurrence {
    /// The first.
    #[default]
    First,
    /// The last.
    Last,
    /// The one after the current one.
    Next,
    /// The one before the current one.
    Previous,
}

/// One wanted application, with the commands that are sent when it is there.
///
/// ```
/// use ogygia::apdu::Batch;
/// use ogygia::card::Sfi;
/// use ogygia::command::ReadRecord;
/// use ogygia::selection::{Occurrence, Selection};
///
/// let mut selection = Selection::by_name(b"1TIC.ICA", Occurrence::First)?;
/// selection.prepare(ReadRecord { sfi: Sfi(7), record: 1 })?;
/// assert_eq!(selection.request().commands.len(), 2);
///
/// let fci = [
///     0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
///     0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
///     0x01, 0x90, 0x00,
/// ];
/// let answers: Batch = [&fci[..], &[0x11, 0x22, 0x90, 0x00]].into_iter().collect();
/// let card = selection.card(&[], &answers)?.expect("the card has the application");
/// assert_eq!(card.file(Sfi(7)).unwrap().record(1), Some(&[0x11, 0x22][..]));
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Debug)]
pub struct Selection {
    named: bool,
    accept_invalidated: bool,
    list: List,
    commands: Batch,
    accepts: Vec<StatusSet>,
    filter: Option<PowerOnFilter>,
    pre_opening: bool,
}

/// The most bytes of one command or answer: the product is not known yet.
const CAPACITY: u8 = 250;

impl Selection {
    /// The application whose name begins with `name`, of at most 16 bytes.
    ///
    /// # Errors
    ///
    /// A longer name.
    pub fn by_name(name: &[u8], occurrence: Occurrence) -> Result<Self, Error> {
        if name.len() > 16 {
            return Err(Argument::Name.into());
        }
        let mut selection = Self::by_power_on_data();
        selection.named = true;
        let p2 = match occurrence {
            Occurrence::First => 0,
            Occurrence::Last => 1,
            Occurrence::Next => 2,
            Occurrence::Previous => 3,
        };
        selection.commands.push_with(|out| Header::new(0x00, 0xA4, 0x04, p2).write(Case::Four(0), name, out));
        selection.accepts.push(StatusSet::SUCCESS);
        Ok(selection)
    }

    /// A card without name: one of revision 1, recognised by its power-on data.
    #[must_use]
    pub fn by_power_on_data() -> Self {
        Self {
            named: false,
            accept_invalidated: false,
            list: List::default(),
            commands: Batch::new(),
            accepts: Vec::new(),
            filter: None,
            pre_opening: false,
        }
    }

    /// Only cards whose power-on data the filter lets pass.
    #[must_use]
    pub fn with_filter(mut self, filter: PowerOnFilter) -> Self {
        self.filter = Some(filter);
        self
    }

    /// Also an application that is invalidated.
    #[must_use]
    pub fn accept_invalidated(mut self) -> Self {
        self.accept_invalidated = true;
        if let Some(accepts) = self.accepts.first_mut().filter(|_| self.named) {
            *accepts = StatusSet::INVALIDATED;
        }
        self
    }

    /// Adds a command that is sent when the application is there: Select File, Get Data (but for keys and
    /// certificates), Read Record, Read Binary, Read Counters, Pre-open. All are sent, whatever the answers before.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or another command.
    pub fn prepare<'a>(&mut self, command: impl Into<Command<'a>>) -> Result<(), Error> {
        let command = command.into();
        check_at_selection(&command)?;
        if let Command::PreOpenSession(_) = command {
            if self.pre_opening {
                return Err(Misuse::SessionOpen.into());
            }
            self.pre_opening = true;
        }
        let first = self.list.len();
        let blank = Card::blank();
        match command {
            // The range is checked; whether the product has binary files is not known.
            Command::ReadBinary(read @ ReadBinary { .. }) => read.reads(CAPACITY).for_each(|read| self.list.push(read)),
            // As many as a card can have, none included.
            Command::ReadCounters(read) => self.list.push(read.at_selection()?),
            command => command.prepare(&mut self.list, &terms(&blank))?,
        }
        for prepared in self.list.commands().iter().skip(first) {
            let encoder = Encoder::at_selection(self.list.payload());
            self.commands.push_with(|out| {
                prepared.step.encode(&encoder, out);
            });
            self.accepts.push(StatusSet::ANY);
        }
        Ok(())
    }

    /// The one request of the selection: Select Application, unless the card has no name, and the commands prepared.
    #[must_use]
    pub fn request(&self) -> Request<'_> {
        Request {
            peer: Peer::Card,
            commands: &self.commands,
            accepts: &self.accepts,
            stop: true,
            channel: ChannelControl::KeepOpen,
        }
    }

    /// Whether the answer to Select Application means that the application is there.
    #[must_use]
    pub fn matches(&self, select_response: &[u8]) -> bool {
        let accepted = if self.accept_invalidated { StatusSet::INVALIDATED } else { StatusSet::SUCCESS };
        Response::parse(select_response).is_some_and(|response| accepted.contains(response.status))
    }

    /// The image of the card, from the answers to the [request](Self::request); nothing when it is not the one wanted.
    ///
    /// # Errors
    ///
    /// What is wrong with the answers. A reading that was refused is none: its content is just not known.
    pub fn card(&self, power_on_data: &[u8], answers: &Batch) -> Result<Option<Card>, Error> {
        if !self.named {
            return self.read(None, power_on_data, answers.iter()).map(Some);
        }
        let select_response = answers.get(0).ok_or(self.count(answers.len()))?;
        if !self.matches(select_response) {
            return Ok(None);
        }
        self.read(Some(select_response), power_on_data, answers.iter().skip(1)).map(Some)
    }

    /// As [`card`](Self::card), when a reader has sent Select Application itself, or recognised a card without name.
    /// `answers` are those to the commands prepared.
    ///
    /// # Errors
    ///
    /// As [`card`](Self::card).
    pub fn read<'a>(
        &self,
        select_response: Option<&[u8]>,
        power_on_data: &[u8],
        answers: impl ExactSizeIterator<Item = &'a [u8]>,
    ) -> Result<Card, Error> {
        let mut card = Card::blank();
        card.reset(select_response, power_on_data).map_err(Error::refused_selection)?;
        if answers.len() != self.list.len() {
            return Err(self.count(answers.len()));
        }
        for (index, (prepared, answer)) in self.list.commands().iter().zip(answers).enumerate() {
            apply(prepared.step, index, answer, self.list.payload(), &mut card)?;
        }
        Ok(card)
    }

    fn count(&self, responses: usize) -> Error {
        Error::ResponseCount { peer: Peer::Card, commands: self.commands.len(), responses }
    }
}

fn apply(step: Step, index: usize, bytes: &[u8], payload: &[u8], card: &mut Card) -> Result<(), Error> {
    let command = step.name();
    let misbehaved = |how| Error::PeerMisbehaved { peer: Peer::Card, index, command, how };
    let answer = Response::parse(bytes).ok_or(misbehaved(Misbehaviour::NoStatus))?;
    if let Step::PreOpen(pre_open) = step {
        PreOpened::take(pre_open, answer, card);
        return Ok(());
    }
    let applied = if step.accepts().contains(answer.status) {
        let length = step.answer_length().check(answer.data);
        length.and_then(|()| step.apply(&Exchanged { answer, command: &[], payload }, card)).map_err(misbehaved)
    } else {
        Err(Error::Status { peer: Peer::Card, index, command, status: answer.status })
    };
    match step {
        // What was not read will be, in a transaction, if it matters: point G77.
        Step::Read(_) | Step::ReadBinary(_) => Ok(()),
        _ => applied,
    }
}

fn terms(card: &Card) -> Terms<'_> {
    Terms { card, means: &Means::NONE, session_is_open: false }
}

impl<'a> Encoder<'a> {
    /// For a card of unknown product: the form of revision 3.
    fn at_selection(payload: &'a [u8]) -> Self {
        Self {
            product: Product::PrimeRevision3,
            quirks: Quirks { payload_capacity: CAPACITY, legacy_case_1: false },
            payload,
            material: &[],
            purse_kvc: Default::default(),
            sam_serial_number: [0; 4],
        }
    }
}

#[cfg(test)]
mod tests;
