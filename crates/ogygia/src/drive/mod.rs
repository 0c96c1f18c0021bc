//! The loops that carry requests to channels: blocking and async, over the same core.
//!
//! The blocking loop asks one peer at a time, whatever the [`Policy`](crate::transaction::Policy). The async one asks both
//! at once where the transaction has something for both. With one thread per reader, the crate `ogygia-reader` does the
//! same without async code.

mod sam;
mod shared;
mod together;

pub use sam::{
    read_context, read_context_async, resume_sam, resume_sam_async, run_reload, run_reload_async, run_sam,
    run_sam_async, select_sam, select_sam_async,
};
pub use shared::{SamUser, SharedSam};
pub use together::{resume_async, run_async, run_steps_async};

use alloc::vec::Vec;

use crate::apdu::{Batch, Response};
use crate::error::Error;
use crate::request::{ChannelControl, Loss, Peer, Request};
use crate::transaction::Transaction;

/// A way to one peer: a reader, a simulator, a replay, a network.
pub trait Channel {
    /// Sends `request` and appends the answers to `responses`, which the caller has cleared.
    ///
    /// Follows the stop rule and the channel control of the request. [`send_each`] does this over a function that
    /// sends one command.
    ///
    /// # Errors
    ///
    /// What was lost; the answers received before stay in `responses`, and count.
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss>;
}

impl<C: Channel + ?Sized> Channel for &mut C {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        (**self).transmit(request, responses)
    }
}

/// [`Channel`] for async code. Any executor will do.
pub trait AsyncChannel {
    /// As [`Channel::transmit`].
    ///
    /// # Errors
    ///
    /// What was lost; the answers received before stay in `responses`, and count.
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> impl Future<Output = Result<(), Loss>>;
}

/// Sends the commands of `request` one by one through `send`, following its stop rule.
///
/// `send` appends the answer, status word included, to the vector that it is given. Channel control is left to the
/// caller.
///
/// # Errors
///
/// The first loss that `send` reports.
pub fn send_each(
    request: &Request<'_>,
    responses: &mut Batch,
    mut send: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Loss>,
) -> Result<(), Loss> {
    for (index, command) in request.commands.iter().enumerate() {
        if let Err(loss) = responses.push_with(|out| send(command, out)) {
            responses.truncate(index);
            return Err(loss);
        }
        let status = responses.get(index).and_then(Response::parse).map(|response| response.status);
        if !status.is_some_and(|status| request.accepts(index, status)) {
            break;
        }
    }
    Ok(())
}

/// The channel to a SAM that there is not, for transactions without security. Every request to it is lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NoSam;

impl Channel for NoSam {
    fn transmit(&mut self, _request: &Request<'_>, _responses: &mut Batch) -> Result<(), Loss> {
        Err(Loss::Reader)
    }
}

impl AsyncChannel for NoSam {
    async fn transmit(&mut self, _request: &Request<'_>, _responses: &mut Batch) -> Result<(), Loss> {
        Err(Loss::Reader)
    }
}

/// Processes what was prepared, and waits for the outcome.
///
/// # Errors
///
/// What went wrong. A session that was open is void then, and its abort was sent.
pub fn run(
    transaction: &mut Transaction,
    card: &mut impl Channel,
    sam: &mut impl Channel,
    channel: ChannelControl,
) -> Result<(), Error> {
    transaction.process(channel)?;
    resume(transaction, card, sam)
}

/// Carries on until nothing more is to be sent: after [`Transaction::prefetch_challenge`], or to abort the session
/// that a refused [`Transaction::prepare`] has made void. Does nothing when nothing is under way.
///
/// What the SAM could do while the card works, it is asked when its result is needed: this loop knows no "while".
///
/// # Errors
///
/// As [`run`].
pub fn resume(transaction: &mut Transaction, card: &mut impl Channel, sam: &mut impl Channel) -> Result<(), Error> {
    let mut responses = core::mem::take(&mut transaction.responses);
    let outcome = loop {
        responses.clear();
        let (peer, sent) = if let Some(request) = transaction.poll(Peer::Card) {
            (Peer::Card, card.transmit(&request, &mut responses))
        } else if let Some(outcome) = transaction.outcome() {
            break outcome;
        } else if let (true, Some(request)) = (transaction.is_processing(), transaction.poll(Peer::Sam)) {
            (Peer::Sam, sam.transmit(&request, &mut responses))
        } else {
            break Ok(());
        };
        if let Err(error) = answer(transaction, peer, sent, &responses) {
            break Err(error);
        }
    };
    transaction.responses = responses;
    transaction.take_back_void_request();
    outcome
}

/// Carries the requests of transactions to a card and a SAM, so that an application need not know how.
pub trait Driver {
    /// Processes what was prepared, and waits for the outcome.
    ///
    /// # Errors
    ///
    /// What went wrong. A session that was open is void then, and its abort was sent.
    fn run(&mut self, transaction: &mut Transaction, channel: ChannelControl) -> Result<(), Error> {
        transaction.process(channel)?;
        self.resume(transaction)
    }

    /// As [`resume`].
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error>;
}

impl<D: Driver + ?Sized> Driver for &mut D {
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        (**self).resume(transaction)
    }
}

/// The [`Driver`] that asks one peer at a time.
#[derive(Clone, Copy, Debug, Default)]
pub struct InTurn<C, S> {
    /// The way to the card.
    pub card: C,
    /// The way to the SAM.
    pub sam: S,
}

impl<C: Channel, S: Channel> Driver for InTurn<C, S> {
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        resume(transaction, &mut self.card, &mut self.sam)
    }
}

fn answer(transaction: &mut Transaction, peer: Peer, sent: Result<(), Loss>, responses: &Batch) -> Result<(), Error> {
    match sent {
        Ok(()) => transaction.handle(peer, responses),
        Err(loss) => transaction.handle_lost(peer, loss, responses),
    }
}
