//! The loops for SAMs: one that is selected, one that is worked on, one that ciphers for another.

use super::{AsyncChannel, Channel, NoSam};
use crate::apdu::Batch;
use crate::error::Error;
use crate::request::{ChannelControl, Loss, Peer, Request};
use crate::sam::{Sam, SamImage, UnlockValue};
use crate::sam_transaction::SamTransaction;
use crate::sam_transaction::reload::ReloadBuilder;
use crate::selection::{SamSelection, SamStep};

/// What works on SAMs, one request after the other.
trait Machine {
    fn poll(&self, peer: Peer) -> Option<Request<'_>>;
    fn handle(&mut self, peer: Peer, responses: &Batch) -> Result<(), Error>;
    fn handle_lost(&mut self, peer: Peer, loss: Loss, received: &Batch) -> Result<(), Error>;
    fn outcome(&mut self) -> Option<Result<(), Error>>;
    fn responses(&mut self) -> &mut Batch;

    fn answer(&mut self, peer: Peer, sent: Result<(), Loss>, responses: &Batch) -> Result<(), Error> {
        match sent {
            Ok(()) => self.handle(peer, responses),
            Err(loss) => self.handle_lost(peer, loss, responses),
        }
    }
}

macro_rules! machine {
    ($kind:ty) => {
        impl Machine for $kind {
            fn poll(&self, peer: Peer) -> Option<Request<'_>> {
                Self::poll(self, peer)
            }

            fn handle(&mut self, peer: Peer, responses: &Batch) -> Result<(), Error> {
                Self::handle(self, peer, responses)
            }

            fn handle_lost(&mut self, peer: Peer, loss: Loss, received: &Batch) -> Result<(), Error> {
                Self::handle_lost(self, peer, loss, received)
            }

            fn outcome(&mut self) -> Option<Result<(), Error>> {
                Self::outcome(self)
            }

            fn responses(&mut self) -> &mut Batch {
                &mut self.responses
            }
        }
    };
}
machine!(SamTransaction);
machine!(ReloadBuilder);

fn resume(machine: &mut impl Machine, target: &mut impl Channel, control: &mut impl Channel) -> Result<(), Error> {
    let mut responses = core::mem::take(machine.responses());
    let outcome = loop {
        // A private key may be among them.
        responses.wipe();
        let (peer, sent) = if let Some(request) = machine.poll(Peer::Sam) {
            (Peer::Sam, target.transmit(&request, &mut responses))
        } else if let Some(request) = machine.poll(Peer::ControlSam) {
            (Peer::ControlSam, control.transmit(&request, &mut responses))
        } else {
            break machine.outcome().unwrap_or(Ok(()));
        };
        if let Err(error) = machine.answer(peer, sent, &responses) {
            break Err(error);
        }
    };
    responses.wipe();
    *machine.responses() = responses;
    outcome
}

async fn resume_async(
    machine: &mut impl Machine,
    target: &mut impl AsyncChannel,
    control: &mut impl AsyncChannel,
) -> Result<(), Error> {
    let mut responses = core::mem::take(machine.responses());
    let outcome = loop {
        // A private key may be among them.
        responses.wipe();
        let (peer, sent) = if let Some(request) = machine.poll(Peer::Sam) {
            (Peer::Sam, target.transmit(&request, &mut responses).await)
        } else if let Some(request) = machine.poll(Peer::ControlSam) {
            (Peer::ControlSam, control.transmit(&request, &mut responses).await)
        } else {
            break machine.outcome().unwrap_or(Ok(()));
        };
        if let Err(error) = machine.answer(peer, sent, &responses) {
            break Err(error);
        }
    };
    responses.wipe();
    *machine.responses() = responses;
    outcome
}

/// Processes what was prepared for a SAM, and waits for the outcome. Without a control SAM, [`NoSam`] stands for it.
///
/// # Errors
///
/// What went wrong; what was prepared is forgotten.
pub fn run_sam(
    transaction: &mut SamTransaction,
    target: &mut impl Channel,
    control: &mut impl Channel,
    channel: ChannelControl,
) -> Result<(), Error> {
    transaction.process(channel)?;
    resume(transaction, target, control)
}

/// [`run_sam`] over async channels, with any executor.
///
/// # Errors
///
/// As [`run_sam`].
pub async fn run_sam_async(
    transaction: &mut SamTransaction,
    target: &mut impl AsyncChannel,
    control: &mut impl AsyncChannel,
    channel: ChannelControl,
) -> Result<(), Error> {
    transaction.process(channel)?;
    resume_async(transaction, target, control).await
}

/// Carries on until nothing more is to be sent. The request that was under way is sent again; where it may have been
/// executed, [`SamTransaction::handle_lost`] or [`SamTransaction::abandon`] is the better answer.
///
/// # Errors
///
/// As [`run_sam`].
pub fn resume_sam(
    transaction: &mut SamTransaction,
    target: &mut impl Channel,
    control: &mut impl Channel,
) -> Result<(), Error> {
    resume(transaction, target, control)
}

/// [`resume_sam`] over async channels, with any executor.
///
/// # Errors
///
/// As [`run_sam`].
pub async fn resume_sam_async(
    transaction: &mut SamTransaction,
    target: &mut impl AsyncChannel,
    control: &mut impl AsyncChannel,
) -> Result<(), Error> {
    resume_async(transaction, target, control).await
}

/// Reads what a reload needs to know of a SAM: [`SamTransaction::context`] has it then.
///
/// # Errors
///
/// What went wrong.
pub fn read_context(transaction: &mut SamTransaction, target: &mut impl Channel) -> Result<(), Error> {
    transaction.read_context()?;
    resume(transaction, target, &mut NoSam)
}

/// [`read_context`] over an async channel, with any executor.
///
/// # Errors
///
/// As [`read_context`].
pub async fn read_context_async(transaction: &mut SamTransaction, target: &mut impl AsyncChannel) -> Result<(), Error> {
    transaction.read_context()?;
    resume_async(transaction, target, &mut NoSam).await
}

/// Has a control SAM cipher a reload: [`ReloadBuilder::finish`] gives it then.
///
/// # Errors
///
/// What went wrong.
pub fn run_reload(reload: &mut ReloadBuilder, control: &mut impl Channel) -> Result<(), Error> {
    reload.process()?;
    resume(reload, &mut NoSam, control)
}

/// [`run_reload`] over an async channel, with any executor.
///
/// # Errors
///
/// As [`run_reload`].
pub async fn run_reload_async(reload: &mut ReloadBuilder, control: &mut impl AsyncChannel) -> Result<(), Error> {
    reload.process()?;
    resume_async(reload, &mut NoSam, control).await
}

/// Selects the SAM with these power-on data, if it is wanted. `unlock` is asked for what unlocks it, where that depends
/// on its serial number, and perhaps on a challenge.
///
/// # Errors
///
/// What went wrong; the SAM is not selected.
pub fn select_sam(
    selection: &SamSelection,
    power_on_data: &[u8],
    channel: &mut impl Channel,
    mut unlock: impl FnMut(&Sam, Option<[u8; 8]>) -> Option<UnlockValue>,
) -> Result<Option<SamImage>, Error> {
    let Some(mut selecting) = selection.begin(power_on_data)? else { return Ok(None) };
    let mut responses = Batch::new();
    while let Some(step) = selecting.next() {
        match step {
            SamStep::Unlock(sam, challenge) => selecting.unlock(unlock(&sam, challenge).as_ref())?,
            SamStep::Send(request) => {
                responses.clear();
                match channel.transmit(&request, &mut responses) {
                    Ok(()) => selecting.handle(&responses)?,
                    Err(loss) => selecting.handle_lost(loss)?,
                }
            }
        }
    }
    selecting.finish().map(Some)
}

/// [`select_sam`] over an async channel, with any executor.
///
/// # Errors
///
/// As [`select_sam`].
pub async fn select_sam_async(
    selection: &SamSelection,
    power_on_data: &[u8],
    channel: &mut impl AsyncChannel,
    mut unlock: impl FnMut(&Sam, Option<[u8; 8]>) -> Option<UnlockValue>,
) -> Result<Option<SamImage>, Error> {
    let Some(mut selecting) = selection.begin(power_on_data)? else { return Ok(None) };
    let mut responses = Batch::new();
    while let Some(step) = selecting.next() {
        match step {
            SamStep::Unlock(sam, challenge) => selecting.unlock(unlock(&sam, challenge).as_ref())?,
            SamStep::Send(request) => {
                responses.clear();
                match channel.transmit(&request, &mut responses).await {
                    Ok(()) => selecting.handle(&responses)?,
                    Err(loss) => selecting.handle_lost(loss)?,
                }
            }
        }
    }
    selecting.finish().map(Some)
}
