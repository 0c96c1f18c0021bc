//! One SAM for several transactions.

use crate::error::Error;
use crate::sam_transaction::SamTransaction;
use crate::transaction::Transaction;

/// One SAM that several transactions use in turn, each as long as it keeps its turn.
///
/// What a SAM remembers (the diversifier selected, a challenge given, the digest of a session) is one for all, and who
/// relies on it must be alone with it. Each user has a [`Seat`]; before it begins
/// to process anything it asks for its [turn](Self::turn). When somebody else had the turn meanwhile, the user is told to forget what the SAM knew for it:
/// what it sends next selects and fetches anew. A session that was open then is lost.
///
/// ```
/// use ogygia::drive::{NoSam, SharedSam};
/// use ogygia::sam::{Sam, SamImage};
/// use ogygia::sam_transaction::SamTransaction;
///
/// let mut shared = SharedSam::new(NoSam);
/// let (one, other) = (shared.seat(), shared.seat());
/// let mut transaction = SamTransaction::new(SamImage::new(Sam::from_power_on_data(&[])));
/// let channel = shared.turn(&one, &mut transaction)?;
/// # let _ = (channel, other);
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Debug)]
pub struct SharedSam<C> {
    channel: C,
    seats: usize,
    owner: Option<Seat>,
}

/// A place at a [`SharedSam`], for one transaction.
#[derive(Debug, PartialEq, Eq)]
pub struct Seat(usize);

impl Seat {
    /// The same place, for [`SharedSam`] itself.
    const fn same(&self) -> Self {
        Self(self.0)
    }
}

/// Who relies on what a SAM remembers.
pub trait SamUser {
    /// Forgets it.
    ///
    /// # Errors
    ///
    /// What is lost with it; or that a request is under way.
    fn forget_sam(&mut self) -> Result<(), Error>;
}

impl SamUser for Transaction {
    fn forget_sam(&mut self) -> Result<(), Error> {
        Self::forget_sam(self)
    }
}

impl SamUser for SamTransaction {
    fn forget_sam(&mut self) -> Result<(), Error> {
        Self::forget_sam(self)
    }
}

impl<C> SharedSam<C> {
    /// The SAM behind this channel, which nobody has used yet.
    pub const fn new(channel: C) -> Self {
        Self { channel, seats: 0, owner: None }
    }

    /// One more place.
    pub const fn seat(&mut self) -> Seat {
        self.seats = self.seats.saturating_add(1);
        Seat(self.seats)
    }

    /// The channel, for the `user` on this seat.
    ///
    /// # Errors
    ///
    /// What `user` has lost because somebody else had the turn: a card transaction its open session
    /// ([`Misuse::SamTaken`](crate::Misuse::SamTaken)). It has the turn now, and
    /// [`resume`](super::resume) sends the abort of the session.
    pub fn turn(&mut self, seat: &Seat, user: &mut impl SamUser) -> Result<&mut C, Error> {
        if self.owner.as_ref() != Some(seat) {
            self.owner = Some(seat.same());
            user.forget_sam()?;
        }
        Ok(&mut self.channel)
    }

    /// The SAM has lost its power: it remembers nothing for anybody.
    pub fn lost_power(&mut self) {
        self.owner = None;
    }
}
