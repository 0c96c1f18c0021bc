//! What a terminal or a back office does with a SAM itself: specification 03, "Operations on the SAM itself".
//!
//! A [`SamTransaction`] works on one SAM, the *target*. What is written into it is mostly ciphered by another one, the
//! *control SAM*. Like a card transaction it does no input or output: operations are prepared, then processed by
//! requests to both, which [`drive`](crate::drive::run_sam) carries.
//!
//! Ceilings can also be written without having target and control SAM at one place: see [`reload`].

mod effects;
mod machine;
mod operation;
pub mod reload;
mod results;

pub use operation::SamCommand;
pub use results::{CertificateId, KeyPairId};

use alloc::vec::Vec;

use crate::apdu::Batch;
use crate::error::{Argument, Error, Misuse};
use crate::request::{ChannelControl, Peer};
use crate::sam::lane::{Lane, Line};
use crate::sam::write::Writing;
use crate::sam::{Diversifier, Encoder, Sam, SamImage, SamProduct, Turn};
use machine::State;
use results::Results;

/// The operations on one SAM: those prepared, those under way, and what came of them.
///
/// ```
/// use ogygia::apdu::Batch;
/// use ogygia::sam::{Sam, SamData, SamImage};
/// use ogygia::sam_transaction::SamTransaction;
/// use ogygia::{ChannelControl, Peer};
///
/// let power_on_data = [
///     0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0x00,
/// ];
/// let mut transaction = SamTransaction::new(SamImage::new(Sam::from_power_on_data(&power_on_data)));
/// transaction.prepare(SamData::Counter(4))?;
/// transaction.process(ChannelControl::KeepOpen)?;
///
/// let request = transaction.poll(Peer::Sam).unwrap();
/// assert_eq!(request.commands.get(0), Some(&[0x80, 0xBE, 0x00, 0xE1, 0x00][..]));
///
/// // Signature, nine values of three bytes, and what names them.
/// let mut counters = [0; 50];
/// counters[22] = 7;
/// counters[48] = 0x90;
/// let answers: Batch = [&counters[..], &counters[..]].into_iter().collect();
/// transaction.handle(Peer::Sam, &answers)?;
/// assert_eq!(transaction.outcome(), Some(Ok(())));
/// assert_eq!(transaction.image().counter(4), Some(7));
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Debug)]
pub struct SamTransaction {
    image: SamImage,
    encoder: Encoder,
    control: Option<Encoder>,
    steps: Vec<Step>,
    /// The commands of the steps that are no writing, in order.
    commands: Commands,
    /// Which diversifier the target has selected, as far as it has said so; and which one behind all that is built.
    confirmed: Option<Diversifier>,
    selected: Option<Diversifier>,
    results: Results,
    target: Lane,
    cipher: Lane,
    state: State,
    channel: ChannelControl,
    /// How far the steps are: the next one, and the next command.
    next: (usize, usize),
    /// How many writings were executed since the processing began.
    written: usize,
    /// Which turn with a shared SAM it had last.
    pub(crate) turn: Turn,
    /// For drivers, so that they need no memory of their own.
    pub(crate) responses: Batch,
}

/// What is to be done, in order.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The next command is sent, with a key for this diversifier.
    Send(Line, Option<Diversifier>),
    /// The control SAM ciphers this, and the target takes it.
    Write(Writing),
}

/// Commands that must not stay in memory: a lock in clear may be among them.
#[derive(Debug)]
struct Commands(Batch);

impl Drop for Commands {
    fn drop(&mut self) {
        self.0.wipe();
    }
}

impl SamTransaction {
    /// Operations on a SAM that was selected, without a control SAM.
    #[must_use]
    pub fn new(image: SamImage) -> Self {
        Self {
            encoder: Encoder(image.sam().product),
            image,
            control: None,
            steps: Vec::new(),
            commands: Commands(Batch::new()),
            confirmed: None,
            selected: None,
            results: Results::default(),
            target: Lane::to(Peer::Sam),
            cipher: Lane::to(Peer::ControlSam),
            state: State::Idle,
            channel: ChannelControl::KeepOpen,
            next: (0, 0),
            written: 0,
            turn: Turn::default(),
            responses: Batch::new(),
        }
    }

    /// Operations on a SAM, with another one that ciphers what is written.
    ///
    /// # Errors
    ///
    /// A control SAM of unknown product.
    pub fn with_control_sam(image: SamImage, control: &Sam) -> Result<Self, Error> {
        let control = control_encoder(control)?;
        Ok(Self { control: Some(control), ..Self::new(image) })
    }

    /// What is known of the target.
    #[must_use]
    pub const fn image(&self) -> &SamImage {
        &self.image
    }

    /// The challenge that the target gave last, for one use: as the prefetched one of the next card transaction. Nothing
    /// when it has been sent another command since, or has a request.
    pub fn take_challenge(&mut self) -> Option<[u8; 8]> {
        self.check_idle().ok()?;
        self.image.take_challenge()
    }

    /// Gives back what is known of the target.
    #[must_use]
    pub fn into_image(self) -> SamImage {
        self.image
    }

    /// The SAM has served somebody else, or lost its power: what it had selected, and its challenge, are not relied on
    /// any more. What is prepared stays, and selects again. [`SharedSam`](crate::drive::SharedSam) calls this.
    ///
    /// # Errors
    ///
    /// A request is under way: the SAM is not to be shared then.
    pub fn forget_sam(&mut self) -> Result<(), Error> {
        self.check_idle()?;
        self.image.take_challenge();
        self.confirmed = None;
        Ok(())
    }

    fn check_idle(&self) -> Result<(), Error> {
        if self.state == State::Idle { Ok(()) } else { Err(Misuse::Busy.into()) }
    }
}

/// The commands of a control SAM, which must be of a known product (point G-24).
fn control_encoder(control: &Sam) -> Result<Encoder, Error> {
    if control.product == SamProduct::Unknown { Err(Argument::Sam.into()) } else { Ok(Encoder(control.product)) }
}
