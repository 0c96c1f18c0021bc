//! The loops that carry requests to channels: one blocking, one async, over the same core.

use alloc::vec::Vec;

use crate::apdu::{Batch, Response};
use crate::request::{Loss, Request};

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
    fn transmit(
        &mut self,
        request: &Request<'_>,
        responses: &mut Batch,
    ) -> impl Future<Output = Result<(), Loss>>;
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
        let mut sent = Ok(());
        responses.push_with(|out| sent = send(command, out));
        if let Err(loss) = sent {
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
