//! Who said what to whom: a channel that writes down what passes through it, request by request.

use std::cell::RefCell;
use std::rc::Rc;

use ogygia::apdu::Batch;
use ogygia::drive::Channel;
use ogygia::{Loss, Peer, Request};

/// What a request was for. The specification counts transactions only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Making the card what the scenario needs. Not part of the scenario.
    #[default]
    Setup,
    /// Fetching a challenge for a card that is not there yet.
    Prefetch,
    /// Finding the application.
    Selection,
    /// The transaction.
    Transaction,
}

/// A command and its answer; none when it was lost.
#[derive(Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The command. It may hold a PIN.
    pub command: Vec<u8>,
    /// The answer.
    pub response: Option<Vec<u8>>,
}

/// One request: commands that travelled together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// To whom.
    pub peer: Peer,
    /// What for.
    pub phase: Phase,
    /// What was sent. Commands that a refusal kept back are not here.
    pub exchanges: Vec<Exchange>,
    /// What broke.
    pub lost: Option<Loss>,
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let response = self.response.as_ref().map(Vec::len);
        f.debug_struct("Exchange").field("command", &self.command.len()).field("response", &response).finish()
    }
}

/// A list of requests that several channels write. Clones write the same one.
#[derive(Clone, Debug, Default)]
pub struct Log(Rc<RefCell<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    phase: Phase,
    entries: Vec<Entry>,
}

impl Log {
    /// What follows is for this.
    pub fn begin(&self, phase: Phase) {
        self.0.borrow_mut().phase = phase;
    }

    /// What was written so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.borrow().entries.clone()
    }

    fn add(&self, peer: Peer, exchanges: Vec<Exchange>, lost: Option<Loss>) {
        // A request without commands closes a channel: nothing is said.
        if !exchanges.is_empty() || lost.is_some() {
            let mut inner = self.0.borrow_mut();
            let phase = inner.phase;
            inner.entries.push(Entry { peer, phase, exchanges, lost });
        }
    }
}

/// A channel whose requests are written to a [`Log`].
#[derive(Debug)]
pub struct Recorded<C> {
    channel: C,
    peer: Peer,
    log: Log,
}

impl<C> Recorded<C> {
    /// Writes what goes to `peer` through `channel` to `log`.
    pub fn new(channel: C, peer: Peer, log: &Log) -> Self {
        Self { channel, peer, log: log.clone() }
    }

    /// The channel.
    pub fn inner(&self) -> &C {
        &self.channel
    }

    /// The channel, to use it behind the back of the log.
    pub fn inner_mut(&mut self) -> &mut C {
        &mut self.channel
    }

    /// Gives the channel back.
    pub fn into_inner(self) -> C {
        self.channel
    }

    /// Writes down a request that did not go through [`Channel::transmit`].
    pub(crate) fn note(&self, exchanges: Vec<Exchange>, lost: Option<Loss>) {
        self.log.add(self.peer, exchanges, lost);
    }
}

impl<C: Channel> Channel for Recorded<C> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let result = self.channel.transmit(request, responses);
        // A command whose answer is lost was sent all the same.
        let sent = responses.len() + usize::from(result.is_err());
        let answers = responses.iter().map(|answer| Some(answer.to_vec())).chain([None]);
        let exchanges = request.commands.iter().zip(answers).take(sent);
        let exchanges = exchanges.map(|(command, response)| Exchange { command: command.to_vec(), response }).collect();
        self.log.add(self.peer, exchanges, result.err());
        result
    }
}

/// What went over the wire, counted as specification 02, "How exchanges are counted", does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests to the card, without selection.
    pub card_requests: usize,
    /// Requests to the SAM, without prefetches.
    pub sam_requests: usize,
    /// Requests that fetch a challenge in advance.
    pub sam_prefetches: usize,
    /// Requests that select the application.
    pub selection_requests: usize,
    /// Commands in the card requests.
    pub card_apdus: usize,
    /// Commands in the SAM requests.
    pub sam_apdus: usize,
    /// Bytes of the card requests.
    pub card_bytes: Volume,
    /// Bytes of the SAM requests and of the prefetches.
    pub sam_bytes: Volume,
}

/// Bytes of commands, and of answers with their status words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Volume {
    /// From the terminal.
    pub out: usize,
    /// To the terminal.
    #[serde(rename = "in")]
    pub back: usize,
}

impl Volume {
    fn add(&mut self, entry: &Entry) {
        for exchange in &entry.exchanges {
            self.out += exchange.command.len();
            self.back += exchange.response.as_ref().map_or(0, Vec::len);
        }
    }
}

impl Counts {
    /// Counts all but the setup.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            match (entry.phase, entry.peer) {
                (Phase::Setup, _) | (Phase::Prefetch, Peer::Card) => {}
                (Phase::Selection, _) => counts.selection_requests += 1,
                (Phase::Prefetch, Peer::Sam) => {
                    counts.sam_prefetches += 1;
                    counts.sam_bytes.add(entry);
                }
                (Phase::Transaction, Peer::Card) => {
                    counts.card_requests += 1;
                    counts.card_apdus += entry.exchanges.len();
                    counts.card_bytes.add(entry);
                }
                (Phase::Transaction, Peer::Sam) => {
                    counts.sam_requests += 1;
                    counts.sam_apdus += entry.exchanges.len();
                    counts.sam_bytes.add(entry);
                }
            }
        }
        counts
    }
}
