//! Both channels at the same time, in one future and without an executor of its own.

use core::future::poll_fn;
use core::pin::{Pin, pin};
use core::task::{Context, Poll};

use super::{AsyncChannel, answer};
use crate::apdu::Batch;
use crate::error::Error;
use crate::request::{ChannelControl, Loss, OwnedRequest, Peer};
use crate::transaction::Transaction;

/// [`run`](super::run) over async channels, with any executor. Where the transaction has something for both peers, both
/// are asked at the same time.
///
/// A SAM that is working when the outcome is known is waited for, since its channel is only lent to this call: see
/// [`run_steps_async`].
///
/// # Errors
///
/// As [`run`](super::run).
pub async fn run_async(
    transaction: &mut Transaction,
    card: &mut impl AsyncChannel,
    sam: &mut impl AsyncChannel,
    channel: ChannelControl,
) -> Result<(), Error> {
    transaction.process(channel)?;
    resume_async(transaction, card, sam).await
}

/// [`resume`](super::resume) over async channels, with any executor.
///
/// # Errors
///
/// As [`run`](super::run).
pub async fn resume_async(
    transaction: &mut Transaction,
    card: &mut impl AsyncChannel,
    sam: &mut impl AsyncChannel,
) -> Result<(), Error> {
    steps(transaction, card, sam, |_| Ok(None)).await
}

/// Processes one step after the other: `next` looks at the card, prepares what comes next, and says what happens to the
/// channel behind it; nothing when there is no more.
///
/// With [`Policy::Overlapped`](crate::transaction::Policy::Overlapped), the SAM goes on from one step to the next, which
/// calls of [`run_async`] in turn cannot let it do.
///
/// # Errors
///
/// As [`run`](super::run), of the first step that fails; or what `next` says.
pub async fn run_steps_async(
    transaction: &mut Transaction,
    card: &mut impl AsyncChannel,
    sam: &mut impl AsyncChannel,
    mut next: impl FnMut(&mut Transaction) -> Result<Option<ChannelControl>, Error>,
) -> Result<(), Error> {
    let begun = begin(transaction, &mut next);
    // Also after an error: the session may have to be aborted.
    let done = steps(transaction, card, sam, next).await;
    begun.and(done)
}

fn begin(
    transaction: &mut Transaction,
    next: &mut impl FnMut(&mut Transaction) -> Result<Option<ChannelControl>, Error>,
) -> Result<(), Error> {
    next(transaction)?.map_or(Ok(()), |channel| transaction.process(channel))
}

/// A channel with what travels on it: moved into the exchange that is under way, and given back by it.
struct Way<'a, C> {
    channel: &'a mut C,
    request: OwnedRequest,
    responses: Batch,
}

async fn exchange<C: AsyncChannel>(mut way: Way<'_, C>) -> (Way<'_, C>, Result<(), Loss>) {
    way.responses.clear();
    let sent = way.channel.transmit(&way.request.as_request(), &mut way.responses).await;
    (way, sent)
}

/// The request of `peer`, ready to be sent, when it has one and the way to it is free.
fn ready<'a, C>(transaction: &Transaction, peer: Peer, free: &mut Option<Way<'a, C>>) -> Option<Way<'a, C>> {
    let request = transaction.poll(peer).filter(|_| transaction.is_processing())?;
    let mut way = free.take()?;
    way.request.copy_from(&request);
    Some(way)
}

enum Answered<C, S> {
    Card(C),
    Sam(S),
    /// Nobody is asked.
    Nothing,
}

/// Which exchange is answered first. One that is answered at the same time is asked again later.
fn first<C: Future, S: Future>(
    at_card: &mut Pin<&mut Option<C>>,
    at_sam: &mut Pin<&mut Option<S>>,
    context: &mut Context<'_>,
) -> Poll<Answered<C::Output, S::Output>> {
    let card = at_card.as_mut().as_pin_mut().map(|future| future.poll(context));
    if let Some(Poll::Ready(done)) = card {
        return Poll::Ready(Answered::Card(done));
    }
    let sam = at_sam.as_mut().as_pin_mut().map(|future| future.poll(context));
    match (card, sam) {
        (_, Some(Poll::Ready(done))) => Poll::Ready(Answered::Sam(done)),
        (None, None) => Poll::Ready(Answered::Nothing),
        _ => Poll::Pending,
    }
}

async fn steps<C: AsyncChannel, S: AsyncChannel>(
    transaction: &mut Transaction,
    card: &mut C,
    sam: &mut S,
    mut next: impl FnMut(&mut Transaction) -> Result<Option<ChannelControl>, Error>,
) -> Result<(), Error> {
    let [(card_request, card_responses), (sam_request, sam_responses)] = core::mem::take(&mut transaction.buffers).0;
    let mut free_card = Some(Way { channel: card, request: card_request, responses: card_responses });
    let mut free_sam = Some(Way { channel: sam, request: sam_request, responses: sam_responses });
    let (mut at_card, mut at_sam) = (pin!(None), pin!(None));
    let mut outcome = Ok(());
    loop {
        if let Some(way) = ready(transaction, Peer::Card, &mut free_card) {
            at_card.set(Some(exchange(way)));
        }
        if let Some(way) = ready(transaction, Peer::Sam, &mut free_sam) {
            at_sam.set(Some(exchange(way)));
        }
        if let Some(done) = transaction.outcome() {
            outcome = outcome.and(done).and_then(|()| begin(transaction, &mut next));
            continue;
        }
        let handled = match poll_fn(|context| first(&mut at_card, &mut at_sam, context)).await {
            Answered::Card((way, sent)) => {
                at_card.set(None);
                let handled = answer(transaction, Peer::Card, sent, &way.responses);
                free_card = Some(way);
                handled
            }
            Answered::Sam((way, sent)) => {
                at_sam.set(None);
                let handled = answer(transaction, Peer::Sam, sent, &way.responses);
                free_sam = Some(way);
                handled
            }
            Answered::Nothing => break,
        };
        if handled.is_err() {
            outcome = handled;
            break;
        }
    }
    if let (Some(card), Some(sam)) = (free_card, free_sam) {
        transaction.buffers.0 = [(card.request, card.responses), (sam.request, sam.responses)];
    }
    outcome
}
