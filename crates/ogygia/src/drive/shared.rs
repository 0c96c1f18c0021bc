//! One SAM for several transactions.

use crate::error::{Error, Misuse};
use crate::sam::Turn;
use crate::sam_transaction::SamTransaction;
use crate::transaction::Transaction;

/// One SAM that several transactions use in turn, each as long as it keeps its turn.
///
/// What a SAM remembers (the diversifier selected, a challenge given, the digest of a session) is one for all, and who
/// relies on it must be alone with it. So each user asks for its [turn](Self::turn) before it begins to process
/// anything. When somebody else had the SAM meanwhile, the user is told to forget what the SAM knew for it: what it
/// sends next selects and fetches anew. A session that was open then is lost.
///
/// ```
/// use ogygia::drive::{NoSam, SharedSam};
/// use ogygia::sam::{Sam, SamImage};
/// use ogygia::sam_transaction::SamTransaction;
///
/// let mut shared = SharedSam::new(NoSam);
/// let mut transaction = SamTransaction::new(SamImage::new(Sam::from_power_on_data(&[])));
/// let channel = shared.turn(&mut transaction)?;
/// # let _ = channel;
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Debug)]
pub struct SharedSam<C> {
    channel: C,
    /// How often the SAM has changed hands; 0 while nobody had it.
    turns: usize,
}

/// Who relies on what a SAM remembers: transactions with a card, and with the SAM itself.
pub trait SamUser {
    /// Forgets what the SAM remembers for it.
    ///
    /// # Errors
    ///
    /// What is lost with it; or that a request is under way.
    fn forget_sam(&mut self) -> Result<(), Error>;

    /// The turn that it had last, for [`SharedSam`] to look at and to change.
    fn last_turn(&mut self) -> &mut Turn;
}

macro_rules! user {
    ($kind:ty) => {
        impl SamUser for $kind {
            fn forget_sam(&mut self) -> Result<(), Error> {
                Self::forget_sam(self)
            }

            fn last_turn(&mut self) -> &mut Turn {
                &mut self.turn
            }
        }
    };
}
user!(Transaction);
user!(SamTransaction);

impl<C> SharedSam<C> {
    /// The SAM behind this channel, which nobody uses yet: what the first user knows of it, it may keep.
    pub const fn new(channel: C) -> Self {
        Self { channel, turns: 0 }
    }

    /// The channel, for `user`.
    ///
    /// # Errors
    ///
    /// [`Misuse::SamTaken`]: somebody else had the SAM meanwhile, and with that `user` has lost its open session. It has
    /// the turn now, and [`resume`](super::resume) sends the abort. [`Misuse::Busy`]: a request is under way, and the
    /// turn stays where it was.
    pub fn turn(&mut self, user: &mut impl SamUser) -> Result<&mut C, Error> {
        if *user.last_turn() == Turn(Some(self.turns)) {
            return Ok(&mut self.channel);
        }
        let forgotten = if self.turns == 0 { Ok(()) } else { user.forget_sam() };
        if forgotten.is_ok() || forgotten == Err(Misuse::SamTaken.into()) {
            self.lost_power();
            *user.last_turn() = Turn(Some(self.turns));
        }
        forgotten.map(|()| &mut self.channel)
    }

    /// The channel, for something that relies on nothing: a selection, the ciphering for another SAM. Nobody has the turn
    /// afterwards.
    pub const fn between_turns(&mut self) -> &mut C {
        self.lost_power();
        &mut self.channel
    }

    /// The SAM has lost its power: it remembers nothing for anybody.
    pub const fn lost_power(&mut self) {
        self.turns = self.turns.wrapping_add(1);
    }

    /// Gives the channel back.
    pub fn into_inner(self) -> C {
        self.channel
    }
}
