//! Who said what to whom.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ogygia::Peer;

/// A command and its answer.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Who was asked.
    pub peer: Peer,
    /// Number of the request on this link, from 1: commands of one request share it. 0: sent outside a request.
    pub request: u64,
    /// The command. It may hold a PIN.
    pub command: Vec<u8>,
    /// The answer; nothing when it, or the command, was lost.
    pub response: Option<Vec<u8>>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("peer", &self.peer)
            .field("request", &self.request)
            .field("command", &self.command.len())
            .field("response", &self.response.as_ref().map(Vec::len))
            .finish()
    }
}

/// A list of exchanges that several links can write, so that it shows what the card and the SAM were told in order.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<Exchange>>>);

impl Recorder {
    /// An empty list. Clones write the same one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was noted so far, in order.
    #[must_use]
    pub fn exchanges(&self) -> Vec<Exchange> {
        self.lock().clone()
    }

    /// Takes what was noted so far.
    #[must_use]
    pub fn take(&self) -> Vec<Exchange> {
        std::mem::take(&mut *self.lock())
    }

    pub(super) fn note(&self, exchange: Exchange) {
        self.lock().push(exchange);
    }

    /// A list is whole whatever happened to the thread that held it.
    fn lock(&self) -> MutexGuard<'_, Vec<Exchange>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
