//! What the core asks of the outside: one request to one peer.

use alloc::vec::Vec;

use crate::apdu::{Batch, StatusSet, StatusWord};

/// Who answers commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// The card of the traveller.
    Card,
    /// The security module; the target, where two of them take part.
    Sam,
    /// The security module that ciphers what is written into another one.
    ControlSam,
}

/// What broke while a request was under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Loss {
    /// The peer itself: the card left the field, the SAM was pulled.
    Peer,
    /// The reader, or the way to it.
    Reader,
}

/// What happens to the physical channel after a request: specification 02, "Channel control".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ChannelControl {
    /// The card stays powered and selected.
    #[default]
    KeepOpen,
    /// The channel is closed when the request is finished, or has stopped.
    CloseAfter,
}

/// Commands that travel together: one round trip to a remote reader.
///
/// The commands are sent in order. Unless [`stop`](Self::stop) is false, sending ends after the first answer whose
/// status word is not among those that its command [accepts](Self::accepts); what was answered until then, that
/// answer included, is handed back. A request may be empty when it only closes the channel.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// To whom.
    pub peer: Peer,
    /// The commands, whole.
    pub commands: &'a Batch,
    /// Missing ones are `9000` alone.
    pub(crate) accepts: &'a [StatusSet],
    /// Whether an answer that its command does not accept ends the request.
    pub stop: bool,
    /// What to do with the channel afterwards.
    pub channel: ChannelControl,
}

impl Request<'_> {
    /// Whether the next command is sent after `status` answered the command at `index`.
    #[must_use]
    pub fn accepts(&self, index: usize, status: StatusWord) -> bool {
        !self.stop || self.accepts.get(index).copied().unwrap_or(StatusSet::SUCCESS).contains(status)
    }
}

/// A request that stands on its own: for a driver that has one under way while it goes on with the transaction, in a
/// thread or a future of its own.
///
/// Copied into again and again, it does not allocate once warm. `Debug` shows sizes only.
#[derive(Clone, Debug)]
pub struct OwnedRequest {
    peer: Peer,
    commands: Batch,
    accepts: Vec<StatusSet>,
    stop: bool,
    channel: ChannelControl,
}

impl OwnedRequest {
    /// An empty request, without memory yet.
    #[must_use]
    pub const fn new(peer: Peer) -> Self {
        let channel = ChannelControl::KeepOpen;
        Self { peer, commands: Batch::new(), accepts: Vec::new(), stop: true, channel }
    }

    /// Becomes a copy of `request`. Commands that were there before are wiped: one may have held a PIN.
    pub fn copy_from(&mut self, request: &Request<'_>) {
        self.commands.wipe();
        self.commands.append(request.commands);
        self.accepts.clear();
        self.accepts.extend_from_slice(request.accepts);
        (self.peer, self.stop, self.channel) = (request.peer, request.stop, request.channel);
    }

    /// The request.
    #[must_use]
    pub fn as_request(&self) -> Request<'_> {
        let Self { peer, commands, accepts, stop, channel } = self;
        Request { peer: *peer, commands, accepts, stop: *stop, channel: *channel }
    }

    /// Wipes the commands.
    pub fn wipe(&mut self) {
        self.commands.wipe();
    }
}

impl Drop for OwnedRequest {
    fn drop(&mut self) {
        self.wipe();
    }
}
