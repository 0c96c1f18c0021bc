//! Selection of a SAM: specification 03, "SAM identification and selection".

use alloc::vec::Vec;

use crate::apdu::Batch;
use crate::error::{Argument, Error, Fate, Misuse};
use crate::request::{ChannelControl, Loss, Peer, Request};
use crate::sam::lane::{Lane, Line, Then};
use crate::sam::read::ReadCommand;
use crate::sam::unlock::UNLOCK_ACCEPTS;
use crate::sam::{Encoder, Sam, SamData, SamImage, SamProduct, UnlockValue};
use crate::secret::Secret;

/// Which SAMs are wanted.
///
/// ```
/// use ogygia::sam::{Sam, SamProduct};
/// use ogygia::selection::SamFilter;
///
/// let mut sam = Sam::from_power_on_data(&[
///     0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0x00,
/// ]);
/// let filter = SamFilter::ANY.of_product(SamProduct::SamC1)?.with_serial([0x11, 0x22, 0, 0], [0xFF, 0xFF, 0, 0]);
/// assert!(filter.matches(&sam));
/// sam.serial_number = [0x11, 0x23, 0x33, 0x44];
/// assert!(!filter.matches(&sam));
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamFilter {
    product: Option<SamProduct>,
    serial: [u8; 4],
    mask: [u8; 4],
}

/// The application type of every SAM.
const SAM_TYPE: u8 = 0x80;

impl SamFilter {
    /// Every SAM.
    pub const ANY: Self = Self { product: None, serial: [0; 4], mask: [0; 4] };

    /// Only those of this product.
    ///
    /// # Errors
    ///
    /// The unknown product.
    pub fn of_product(self, product: SamProduct) -> Result<Self, Error> {
        if product == SamProduct::Unknown {
            return Err(Argument::Sam.into());
        }
        Ok(Self { product: Some(product), ..self })
    }

    /// Only those whose serial number is `serial` where `mask` has ones. `FFFFFFFF` asks for one SAM, `FFFF0000` for
    /// those of a range.
    #[must_use]
    pub const fn with_serial(self, serial: [u8; 4], mask: [u8; 4]) -> Self {
        Self { serial, mask, ..self }
    }

    /// Whether the SAM is wanted.
    #[must_use]
    pub fn matches(&self, sam: &Sam) -> bool {
        let product = self.product.is_none_or(|product| product == sam.product && sam.application_type == SAM_TYPE);
        let serial = u32::from_be_bytes(self.serial) ^ u32::from_be_bytes(sam.serial_number);
        product && serial & u32::from_be_bytes(self.mask) == 0
    }
}

/// A wanted SAM: how it is unlocked, and what is read of it at once.
///
/// Nothing of it is used up: [`begin`](Self::begin) makes the exchanges for one SAM, as often as there are SAMs.
#[derive(Clone, Debug)]
pub struct SamSelection {
    filter: SamFilter,
    unlock: Unlock,
    class: Option<SamProduct>,
    reads: Vec<ReadCommand>,
    challenge: bool,
}

/// How a SAM is unlocked: specification 03, A.5 "Unlock".
#[derive(Clone, Debug)]
enum Unlock {
    /// It is not locked.
    None,
    /// By this value.
    Direct(Secret<16>, SamProduct),
    /// By the value for its serial number.
    Static,
    /// By the value for its serial number and a challenge.
    Dynamic,
}

impl SamSelection {
    /// Every SAM, not locked.
    #[must_use]
    pub const fn new() -> Self {
        Self { filter: SamFilter::ANY, unlock: Unlock::None, class: None, reads: Vec::new(), challenge: false }
    }

    /// Only SAMs that the filter lets pass.
    #[must_use]
    pub const fn with_filter(mut self, filter: SamFilter) -> Self {
        self.filter = filter;
        self
    }

    /// Also fetches a challenge, for the first session of a card transaction:
    /// [`SamImage::take_challenge`], then
    /// [`Transaction::set_prefetched_challenge`](crate::transaction::Transaction::set_prefetched_challenge).
    #[must_use]
    pub const fn with_challenge(mut self) -> Self {
        self.challenge = true;
        self
    }

    /// Sends the readings with the class byte of `product`, whichever SAM it turns out to be: for readers that have
    /// the requests built before the SAM has power. Otherwise it is that of the SAM (point G-4).
    #[must_use]
    pub const fn with_class_of(mut self, product: SamProduct) -> Self {
        self.class = Some(product);
        self
    }

    /// The SAM is locked, and this value unlocks it: the first command of the request, with the class byte of `product`.
    ///
    /// # Errors
    ///
    /// [`Misuse::UnlockConfigured`]: it was said already how the SAM is unlocked.
    pub fn unlock_with(&mut self, value: Secret<16>, product: SamProduct) -> Result<(), Error> {
        self.set_unlock(Unlock::Direct(value, product))
    }

    /// The SAM is locked; what unlocks it depends on its serial number, and will be [asked for](SamStep::Unlock).
    ///
    /// # Errors
    ///
    /// [`Misuse::UnlockConfigured`]: it was said already how the SAM is unlocked.
    pub fn unlock_static(&mut self) -> Result<(), Error> {
        self.set_unlock(Unlock::Static)
    }

    /// The SAM is locked; what unlocks it depends on its serial number and on a challenge, and will be
    /// [asked for](SamStep::Unlock).
    ///
    /// # Errors
    ///
    /// [`Misuse::UnlockConfigured`]: it was said already how the SAM is unlocked.
    pub fn unlock_dynamic(&mut self) -> Result<(), Error> {
        self.set_unlock(Unlock::Dynamic)
    }

    fn set_unlock(&mut self, unlock: Unlock) -> Result<(), Error> {
        if !matches!(self.unlock, Unlock::None) {
            return Err(Misuse::UnlockConfigured.into());
        }
        self.unlock = unlock;
        Ok(())
    }

    /// Adds something that is read when the SAM is there. What is added already is not read twice, except parameters
    /// of keys.
    ///
    /// # Errors
    ///
    /// An argument out of its range.
    pub fn prepare(&mut self, data: SamData) -> Result<(), Error> {
        data.for_each(|command| {
            let counters = matches!(command, ReadCommand::EventCounters(_) | ReadCommand::Ceilings(_));
            if !(counters && self.reads.contains(&command)) {
                self.reads.push(command);
            }
        })
    }

    /// The exchanges that select the SAM with these power-on data; nothing when the filter does not let it pass.
    ///
    /// # Errors
    ///
    /// There are no power-on data.
    pub fn begin(&self, power_on_data: &[u8]) -> Result<Option<SamSelecting<'_>>, Error> {
        if power_on_data.is_empty() {
            return Err(Argument::PowerOnData.into());
        }
        let sam = Sam::from_power_on_data(power_on_data);
        Ok(self.filter.matches(&sam).then(|| SamSelecting::new(self, sam)))
    }
}

impl Default for SamSelection {
    fn default() -> Self {
        Self::new()
    }
}

/// One SAM that is being selected.
///
/// Asked for what it needs [next](Self::next), and given that, until it [has an image](Self::finish).
#[derive(Debug)]
pub struct SamSelecting<'a> {
    selection: &'a SamSelection,
    image: SamImage,
    lane: Lane,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The challenge for the value that unlocks is asked for.
    Challenging,
    /// Somebody must give the value that unlocks, for this challenge.
    Locked(Option<[u8; 8]>),
    /// The last request.
    Reading,
    Done(Result<(), Error>),
}

/// What the selection of a SAM needs next.
#[derive(Clone, Copy, Debug)]
pub enum SamStep<'a> {
    /// This request: it does not stop at a status word.
    Send(Request<'a>),
    /// The value that unlocks this SAM, for the challenge if there is one: [`SamSelecting::unlock`].
    Unlock(Sam, Option<[u8; 8]>),
}

const CHALLENGE_LEN: u8 = 8;

impl<'a> SamSelecting<'a> {
    fn new(selection: &'a SamSelection, sam: Sam) -> Self {
        let (image, lane) = (SamImage::new(sam), Lane::to(Peer::Sam));
        let mut this = Self { selection, image, lane, state: State::Locked(None) };
        match &selection.unlock {
            Unlock::None => this.read(),
            Unlock::Direct(value, product) => {
                let value = UnlockValue::Static(value.clone());
                this.push_unlock(*product, &value);
                this.read();
            }
            Unlock::Static => {}
            Unlock::Dynamic => {
                this.push_challenge();
                this.state = State::Challenging;
            }
        }
        this
    }

    /// What is needed next; nothing when all is there. Asking again gives the same.
    #[must_use]
    pub fn next(&self) -> Option<SamStep<'_>> {
        match self.state {
            State::Challenging | State::Reading => {
                let request = self.lane.request(ChannelControl::KeepOpen);
                Some(SamStep::Send(Request { stop: false, ..request }))
            }
            State::Locked(challenge) => Some(SamStep::Unlock(self.image.sam(), challenge)),
            State::Done(_) => None,
        }
    }

    /// Gives what unlocks the SAM; nothing when nobody knows it.
    ///
    /// # Errors
    ///
    /// [`Misuse::UnlockMissing`]: without it the SAM is not selected. [`Misuse::NotAsked`]: it was not asked for.
    pub fn unlock(&mut self, value: Option<&UnlockValue>) -> Result<(), Error> {
        if !matches!(self.state, State::Locked(_)) {
            return Err(Misuse::NotAsked.into());
        }
        let Some(value) = value else { return self.fail(Misuse::UnlockMissing.into()) };
        let product = self.image.sam().product;
        self.push_unlock(product, value);
        self.read();
        Ok(())
    }

    /// Takes the answers to the request.
    ///
    /// # Errors
    ///
    /// What is wrong with them: the SAM is not selected. Or nothing was asked for.
    pub fn handle(&mut self, responses: &Batch) -> Result<(), Error> {
        if !matches!(self.state, State::Challenging | State::Reading) {
            return Err(Misuse::NotAsked.into());
        }
        let Self { lane, image, .. } = self;
        let taken = lane.answers(responses, |answered| answered.check().and_then(|()| answered.read_into(image)));
        if let Err(error) = taken {
            return self.fail(error);
        }
        self.lane.clear();
        self.state = match self.state {
            // It is used up with that.
            State::Challenging => State::Locked(self.image.take_challenge()),
            _ => State::Done(Ok(())),
        };
        Ok(())
    }

    /// The request is lost.
    ///
    /// # Errors
    ///
    /// The loss: the SAM is not selected. Or nothing was asked for.
    pub fn handle_lost(&mut self, loss: Loss) -> Result<(), Error> {
        if !matches!(self.state, State::Challenging | State::Reading) {
            return Err(Misuse::NotAsked.into());
        }
        self.fail(Error::Lost { peer: Peer::Sam, loss, fate: Fate::Untouched })
    }

    /// The image of the SAM that is selected.
    ///
    /// # Errors
    ///
    /// Why it is not, or not yet.
    pub fn finish(self) -> Result<SamImage, Error> {
        match self.state {
            State::Done(outcome) => outcome.map(|()| self.image),
            State::Challenging | State::Locked(_) | State::Reading => Err(Misuse::Busy.into()),
        }
    }

    fn fail(&mut self, error: Error) -> Result<(), Error> {
        self.lane.clear();
        self.state = State::Done(Err(error));
        Err(error)
    }

    /// Adds what is read; without that, and without anything before it, nothing is to be sent.
    fn read(&mut self) {
        let sam = self.encoder();
        for &command in &self.selection.reads {
            self.lane.write(|out| Line::read(sam.read(command, out), command));
        }
        if self.selection.challenge {
            self.push_challenge();
        }
        self.state = if self.lane.is_empty() { State::Done(Ok(())) } else { State::Reading };
    }

    fn push_challenge(&mut self) {
        let sam = self.encoder();
        self.lane.write(|out| Line::new(sam.get_challenge(CHALLENGE_LEN, out), Then::Challenge));
    }

    fn push_unlock(&mut self, product: SamProduct, value: &UnlockValue) {
        self.lane.write(|out| {
            let line = Line::new(Encoder(product).unlock(value, out), Then::Nothing);
            Line { accepts: UNLOCK_ACCEPTS, ..line }
        });
    }

    fn encoder(&self) -> Encoder {
        Encoder(self.selection.class.unwrap_or(self.image.sam().product))
    }
}
