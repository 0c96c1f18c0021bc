//! A peer that answers what was recorded, and compares what it is asked.
//!
//! Each peer has a script of its own, and neither knows how far the other one is. What must wait for the other peer
//! (specification 02, E.19) is held by the bytes: an answer is given out only when it is asked for, and the command that
//! depends on it carries a part of it that nobody can know before. Open Secure Session carries the challenge of the SAM;
//! Digest Init the answer to the opening; Close Secure Session the MAC of Digest Close; Digest Authenticate and SV Check
//! the MAC of the card; SV Prepare the answer to SV Get, and the operation that of SV Prepare; what is ciphered the
//! challenge of the card. Sent too early, such a command would have other bytes, and the case would fail. The test
//! `what_waits_for_the_other_peer_carries_its_answer` in `tests/vectors.rs` checks that the recordings are so, of
//! openings, closings and authentications. What must wait for the same peer is in the order of its script.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use ogygia::apdu::{Batch, Response};
use ogygia::drive::Channel;
use ogygia::{ChannelControl, Loss, Request};

use super::vector::Step;
use crate::hex;

/// What one peer was recorded to answer, in order.
#[derive(Debug, Default)]
pub(super) struct Script {
    entries: Vec<Entry>,
    next: usize,
    step: usize,
    requests: usize,
    /// How many requests with commands each step was recorded to make.
    recorded: BTreeMap<usize, usize>,
    /// The first thing that was not as recorded, and when that was.
    difference: Option<(u32, String)>,
    /// Counts the requests to both peers.
    clock: Rc<Cell<u32>>,
    closed: bool,
    /// The selection of the diversifier that is selected, as far as it was answered.
    selected: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Entry {
    step: usize,
    exchange: usize,
    command: Vec<u8>,
    response: Vec<u8>,
    lost: Option<Loss>,
    used: bool,
}

const SUCCESS: [u8; 2] = [0x90, 0x00];

impl Script {
    /// What the card and the SAM were recorded to answer.
    pub(super) fn of_both(steps: &[Step]) -> (Self, Self) {
        let clock = Rc::default();
        (Self::new("card", steps, Rc::clone(&clock)), Self::new("sam", steps, clock))
    }

    /// What the target SAM and the control SAM were recorded to answer.
    pub(super) fn of_sams(steps: &[Step]) -> (Self, Self) {
        let clock = Rc::default();
        (Self::new("sam", steps, Rc::clone(&clock)), Self::new("control_sam", steps, clock))
    }

    fn new(peer: &str, steps: &[Step], clock: Rc<Cell<u32>>) -> Self {
        let mut script = Self { clock, ..Self::default() };
        let all =
            steps.iter().enumerate().flat_map(|(step, s)| s.exchanges.iter().map(move |exchange| (step, exchange)));
        for (number, (step, exchange)) in all.enumerate().filter(|(_, (_, exchange))| exchange.to == peer) {
            let lost = exchange.lost.as_deref().map(|what| if what == "reader" { Loss::Reader } else { Loss::Peer });
            if !exchange.apdus.is_empty() {
                *script.recorded.entry(step).or_default() += 1;
            }
            script.entries.extend(exchange.apdus.iter().map(|(command, response)| Entry {
                step,
                exchange: number,
                command: command.0.clone(),
                response: response.0.clone(),
                lost,
                used: false,
            }));
        }
        script
    }

    pub(super) fn begin(&mut self, step: usize) {
        self.step = step;
        self.requests = 0;
        self.closed = false;
    }

    /// The first thing that one of the peers was asked and that was not recorded.
    pub(super) fn first_difference(peers: &[(&Self, &str)]) -> Result<(), String> {
        let told = |(script, peer): &(&Self, &str)| {
            let (when, what) = script.difference.clone()?;
            Some((when, format!("to the {peer}: {what}")))
        };
        match peers.iter().filter_map(told).min() {
            Some((_, what)) => Err(what),
            None => Ok(()),
        }
    }

    /// What was not as recorded, up to the end of the step, besides what was asked.
    pub(super) fn end(&mut self) -> Result<(), String> {
        let allowed = self.recorded.get(&self.step).copied().unwrap_or(0);
        if self.requests > allowed {
            return Err(format!("{} requests where {allowed} were recorded", self.requests));
        }
        while let Some(entry) = self.entries.get(self.next) {
            if entry.step > self.step {
                break;
            }
            if !entry.used && !entry.is_redundant_selection(self.selected.as_deref()) {
                return Err(format!("not sent: {}", hex::encode(&entry.command)));
            }
            self.next += 1;
        }
        Ok(())
    }

    /// Whether the channel was closed in this step.
    pub(super) fn closed(&self) -> bool {
        self.closed
    }

    /// The entry that answers `command`.
    fn find(&mut self, command: &[u8]) -> Option<usize> {
        let mut index = self.next;
        loop {
            let entry = self.entries.get(index)?;
            if entry.used {
                index += 1;
            } else if entry.answers(command) {
                self.next = index + 1;
                return Some(index);
            } else if entry.is_redundant_selection(self.selected.as_deref()) {
                index += 1;
            } else {
                break;
            }
        }
        // The answer to an abort may have been recorded later.
        let later = |(index, entry): (usize, &Entry)| {
            (index >= self.next && !entry.used && entry.is_abort() && entry.answers(command)).then_some(index)
        };
        self.entries.iter().enumerate().find_map(later)
    }

    fn expected(&self) -> String {
        let rest = self.entries.get(self.next..).unwrap_or_default();
        rest.iter().find(|entry| !entry.used).map_or("nothing".into(), |entry| hex::encode(&entry.command))
    }

    fn serve(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let mut ended = None;
        let mut exchange = None;
        for (index, command) in request.commands.iter().enumerate() {
            let Some(found) = self.find(command) else {
                if ended.is_some() {
                    // Not sent: the request has stopped.
                    break;
                }
                let expected = self.expected();
                let difference = || (self.clock.get(), format!("sent {} instead of {expected}", hex::encode(command)));
                self.difference.get_or_insert_with(difference);
                return Err(Loss::Reader);
            };
            let Some(entry) = self.entries.get_mut(found) else { return Err(Loss::Reader) };
            entry.used = true;
            exchange = Some(entry.exchange);
            if ended.is_some() {
                continue;
            }
            if entry.response.is_empty() {
                ended = Some(entry.lost.map_or(Ok(()), Err));
                continue;
            }
            if entry.is_selection() {
                self.selected = (entry.response == SUCCESS).then(|| entry.command.clone());
            }
            responses.push(&entry.response);
            let status = Response::parse(&entry.response).map(|response| response.status);
            if !status.is_some_and(|status| request.accepts(index, status)) {
                ended = Some(Ok(()));
            }
        }
        self.serve_surplus(exchange, responses);
        ended.unwrap_or(Ok(()))
    }

    fn serve_surplus(&mut self, exchange: Option<usize>, responses: &mut Batch) {
        while let Some(entry) = self.entries.get_mut(self.next) {
            if !entry.command.is_empty() || Some(entry.exchange) != exchange {
                break;
            }
            entry.used = true;
            responses.push(&entry.response);
            self.next += 1;
        }
    }
}

impl Entry {
    /// The recorded terminal loses the Le of case 4 when it has a command ciphered; one that keeps it is right.
    fn answers(&self, command: &[u8]) -> bool {
        let ciphered = match command {
            [_, _, _, _, lc, data @ .., 0] if data.len() == usize::from(*lc) => command.get(..command.len() - 1),
            _ => None,
        };
        self.command == command || ciphered.is_some_and(|ciphered| self.command == ciphered)
    }

    fn is_selection(&self) -> bool {
        matches!(self.command.as_slice(), [0x80 | 0x94, 0x14, 0x00, 0x00, ..])
    }

    /// Select Diversifier that was not refused: it may be left out where the same one is selected already.
    fn is_redundant_selection(&self, selected: Option<&[u8]>) -> bool {
        self.is_selection()
            && selected == Some(self.command.as_slice())
            && (self.response == SUCCESS || self.response.is_empty())
    }

    fn is_abort(&self) -> bool {
        matches!(self.command.as_slice(), [_, 0x8E, 0x00, 0x00, 0x00])
    }
}

impl Channel for Script {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        if !request.commands.is_empty() {
            self.requests += 1;
        }
        self.clock.set(self.clock.get() + 1);
        self.closed = request.channel == ChannelControl::CloseAfter;
        self.serve(request, responses)
    }
}
