//! The part beside the control SAM.

use alloc::vec::Vec;

use super::super::control_encoder;
use super::super::machine::{ask_block, block_of};
use super::{Block, Reload, ReloadContext};
use crate::apdu::Batch;
use crate::error::{Error, Fate, Misuse};
use crate::request::{ChannelControl, Loss, Peer, Request};
use crate::sam::lane::Lane;
use crate::sam::write::{BLOCK_LEN, Writing};
use crate::sam::{ConfigureCounter, Encoder, Sam, SamImage, WriteCeiling};

/// Has a control SAM cipher ceilings for a target that is elsewhere.
///
/// [`prepare`](Self::prepare) and [`configure`](Self::configure) say what is to be written; [`process`](Self::process)
/// begins; then the control SAM is driven ([`drive::run_reload`](crate::drive::run_reload)), a request for each
/// command; [`finish`](Self::finish) gives the reload.
#[derive(Debug)]
pub struct ReloadBuilder {
    context: ReloadContext,
    control: Encoder,
    writings: Vec<Writing>,
    blocks: Vec<Block>,
    lane: Lane,
    state: State,
    /// For drivers, so that they need no memory of their own.
    pub(crate) responses: Batch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preparing,
    Ciphering,
    Done(Result<(), Error>),
}

/// The highest value of an event counter.
const MAX_COUNTER: u32 = 0xFF_FFFF;

impl ReloadBuilder {
    /// Ceilings for the SAM of `context`, ciphered by `control`.
    ///
    /// # Errors
    ///
    /// A control SAM of unknown product.
    pub fn new(context: ReloadContext, control: &Sam) -> Result<Self, Error> {
        Ok(Self {
            context,
            control: control_encoder(control)?,
            writings: Vec::new(),
            blocks: Vec::new(),
            lane: Lane::to(Peer::ControlSam),
            state: State::Preparing,
            responses: Batch::new(),
        })
    }

    /// Adds one ceiling.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or it is too late.
    pub fn prepare(&mut self, write: WriteCeiling) -> Result<(), Error> {
        self.check_preparing()?;
        self.writings.push(write.writing()?);
        Ok(())
    }

    /// Adds a ceiling with the access to its counter. All nine counters of its record must be added, since the target
    /// cannot be asked for those that are not: they become one command.
    ///
    /// # Errors
    ///
    /// An argument out of its range, or it is too late.
    pub fn configure(&mut self, configure: ConfigureCounter) -> Result<(), Error> {
        self.check_preparing()?;
        let writing = configure.writing()?;
        if !self.writings.iter_mut().any(|other| other.merge(&writing)) {
            self.writings.push(writing);
        }
        Ok(())
    }

    /// Begins, once.
    ///
    /// # Errors
    ///
    /// [`Misuse::CeilingUnknown`]: not all counters of a record were given (point G-13).
    /// [`Misuse::EventCounterExhausted`]: the event counter of the target has not so many values left. Or it has begun
    /// already.
    pub fn process(&mut self) -> Result<(), Error> {
        self.check_preparing()?;
        let nothing_known = SamImage::new(Sam::from_power_on_data(&[]));
        self.writings.iter_mut().try_for_each(|writing| writing.complete(&nothing_known))?;
        if let Some((_, value)) = self.context.counter {
            let last = u32::try_from(self.writings.len()).ok().and_then(|len| value.checked_add(len));
            if last.is_none_or(|last| last > MAX_COUNTER) {
                return Err(Misuse::EventCounterExhausted.into());
            }
        }
        self.advance();
        Ok(())
    }

    /// The request to `peer` that is under way; only the control SAM is asked. Asking again gives the same.
    #[must_use]
    pub fn poll(&self, peer: Peer) -> Option<Request<'_>> {
        let asked = self.state == State::Ciphering && peer == Peer::ControlSam;
        asked.then(|| self.lane.request(ChannelControl::KeepOpen))
    }

    /// Takes the answers to the request to `peer`. [`outcome`](Self::outcome) has what is wrong with them; then there
    /// will be no reload.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle(&mut self, peer: Peer, responses: &Batch) -> Result<(), Error> {
        if self.poll(peer).is_none() {
            return Err(Misuse::NotAsked.into());
        }
        let checked = self.lane.answers(responses, |answered| answered.check());
        match checked {
            Ok(()) => {
                // The length was checked.
                let ciphered = block_of(&self.lane, responses).try_into().unwrap_or([0; BLOCK_LEN]);
                let writing = self.writings.get(self.blocks.len()).copied();
                self.blocks.extend(writing.map(|writing| Block { writing, ciphered }));
                self.advance();
            }
            Err(error) => self.state = State::Done(Err(error)),
        }
        Ok(())
    }

    /// Takes note that `peer` was lost: there will be no reload, and nothing was written.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle_lost(&mut self, peer: Peer, loss: Loss, _received: &Batch) -> Result<(), Error> {
        if self.poll(peer).is_none() {
            return Err(Misuse::NotAsked.into());
        }
        self.state = State::Done(Err(Error::Lost { peer, loss, fate: Fate::Untouched }));
        Ok(())
    }

    /// How it ended; nothing before.
    #[must_use]
    pub const fn outcome(&self) -> Option<Result<(), Error>> {
        match self.state {
            State::Done(outcome) => Some(outcome),
            State::Preparing | State::Ciphering => None,
        }
    }

    /// The reload.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn finish(self) -> Result<Reload, Error> {
        self.outcome().unwrap_or(Err(Misuse::Busy.into()))?;
        Ok(Reload { context: self.context, blocks: self.blocks })
    }

    fn check_preparing(&self) -> Result<(), Error> {
        if self.state == State::Preparing { Ok(()) } else { Err(Misuse::Busy.into()) }
    }

    fn advance(&mut self) {
        self.lane.clear();
        let done = self.blocks.len();
        let Some(writing) = self.writings.get(done) else {
            self.state = State::Done(Ok(()));
            return;
        };
        let (ReloadContext { serial_number, kvc, .. }, challenge) = (self.context, self.challenge(done));
        ask_block(&mut self.lane, self.control, serial_number, writing, challenge, kvc);
        self.state = State::Ciphering;
    }

    /// What stands for the challenge of the target: the value that its event counter will have when it has executed
    /// `done` commands. Zeros without a counter.
    fn challenge(&self, done: usize) -> [u8; 8] {
        let moved = u32::try_from(done).unwrap_or(u32::MAX);
        let value = self.context.counter.map_or(0, |(_, value)| value.saturating_add(moved));
        let [_, high, middle, low] = value.to_be_bytes();
        [0, 0, 0, 0, 0, high, middle, low]
    }
}
