//! Who said what to whom: a channel that writes down what passes through it, request by request.

use std::cell::RefCell;
use std::rc::Rc;

use ogygia::apdu::Batch;
use ogygia::drive::Channel;
use ogygia::{Loss, Peer, Request};
use ogygia_sim::clock::{Face, Model};

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
    /// What was sent. Commands that a refusal kept back are not here. Empty when the request only closed the channel.
    pub exchanges: Vec<Exchange>,
    /// What broke.
    pub lost: Option<Loss>,
    /// When it was sent, in microseconds of virtual time; 0 without a clock.
    pub began_us: u64,
    /// How long it took.
    pub took_us: u64,
}

impl Entry {
    /// Whether the request had no command, and closed the channel to the card: it takes its time all the same.
    #[must_use]
    pub const fn only_closes(&self) -> bool {
        self.exchanges.is_empty()
    }
}

impl Exchange {
    /// Bytes of the answer, with its status word; 0 when it was lost.
    #[must_use]
    pub fn answer_len(&self) -> usize {
        self.response.as_ref().map_or(0, Vec::len)
    }
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
    time: Option<(Face, Model)>,
}

impl Log {
    /// What follows is for this.
    pub fn begin(&self, phase: Phase) {
        self.0.borrow_mut().phase = phase;
    }

    /// What follows is written with its time.
    pub fn look_at(&self, face: &Face, model: Model) {
        self.0.borrow_mut().time = Some((face.clone(), model));
    }

    /// How long `request` takes, with these answers.
    fn took_us(&self, request: &Request<'_>, responses: &Batch, lost: bool) -> u64 {
        let lost = lost.then_some(&[][..]);
        let inner = self.0.borrow();
        inner.time.as_ref().map_or(0, |(_, model)| model.request_us(request, responses.iter().chain(lost)))
    }

    /// What was written so far.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        self.0.borrow().entries.clone()
    }

    fn add(&self, peer: Peer, exchanges: Vec<Exchange>, lost: Option<Loss>, took_us: u64) {
        let mut inner = self.0.borrow_mut();
        let phase = inner.phase;
        let began_us = inner.time.as_ref().map_or(0, |(face, _)| face.now_us());
        inner.entries.push(Entry { peer, phase, exchanges, lost, began_us, took_us });
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
        self.log.add(self.peer, exchanges, lost, 0);
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
        let took_us = self.log.took_us(request, responses, result.is_err());
        self.log.add(self.peer, exchanges, result.err(), took_us);
        result
    }
}

/// What went over the wire, counted as specification 02, "How exchanges are counted", does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests to the card, without selection, and without those that only close the channel.
    pub card_requests: usize,
    /// Requests that only close the channel to the card. The specification does not count them (point G48).
    pub card_closings: usize,
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
    /// In both directions.
    #[must_use]
    pub const fn sum(self) -> usize {
        self.out + self.back
    }

    fn add(&mut self, entry: &Entry) {
        for exchange in &entry.exchanges {
            self.out += exchange.command.len();
            self.back += exchange.answer_len();
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
                (Phase::Prefetch, Peer::Sam | Peer::ControlSam) => {
                    counts.sam_prefetches += 1;
                    counts.sam_bytes.add(entry);
                }
                (Phase::Transaction, Peer::Card) if entry.only_closes() => counts.card_closings += 1,
                (Phase::Transaction, Peer::Card) => {
                    counts.card_requests += 1;
                    counts.card_apdus += entry.exchanges.len();
                    counts.card_bytes.add(entry);
                }
                (Phase::Transaction, Peer::Sam | Peer::ControlSam) => {
                    counts.sam_requests += 1;
                    counts.sam_apdus += entry.exchanges.len();
                    counts.sam_bytes.add(entry);
                }
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ogygia::card::Sfi;
    use ogygia::command::ReadRecord;
    use ogygia::drive::{Driver, NoSam, run};
    use ogygia::transaction::{Security, Transaction};
    use ogygia::{ChannelControl, Error};
    use ogygia_sim::{CardLink, Fault};

    use crate::terminal::Terminal;

    /// Reads three records in one request, of which the fault hits one.
    fn read_three(fault: Option<Fault>) -> (Result<(), Error>, Vec<Entry>) {
        let mut terminal = Terminal::new(crate::store::new_card("kit-prime-regular-v3").unwrap());
        let card = terminal.select_any(None).unwrap();
        let log = Log::default();
        log.begin(Phase::Transaction);
        let link: CardLink = terminal.card.into_inner();
        let link = fault.into_iter().fold(link, CardLink::with_fault);
        let mut recorded = Recorded::new(link, Peer::Card, &log);
        let mut transaction = Transaction::new(card, Security::None).unwrap();
        for sfi in [0x07, 0x08, 0x09] {
            transaction.prepare(ReadRecord { sfi: Sfi(sfi), record: 1 }).unwrap();
        }
        let result = run(&mut transaction, &mut recorded, &mut NoSam, ChannelControl::CloseAfter);
        (result, log.entries())
    }

    fn answered(entries: &[Entry]) -> Vec<Option<usize>> {
        let exchanges = entries.iter().flat_map(|entry| &entry.exchanges);
        exchanges.map(|exchange| exchange.response.as_ref().map(Vec::len)).collect()
    }

    #[test]
    fn a_request_is_one_entry() {
        let (result, entries) = read_three(None);
        assert_eq!((result, entries.len()), (Ok(()), 1));
        assert_eq!(answered(&entries), [Some(31), Some(31), Some(31)]);
    }

    /// The terminal has nothing to say any more, and closes the channel.
    #[test]
    fn a_closing_of_the_channel_is_an_entry_of_its_own() {
        let mut terminal = Terminal::new(crate::store::new_card("kit-prime-regular-v3").unwrap());
        let card = terminal.select_any(None).unwrap();
        terminal.begin(Phase::Transaction);
        let mut transaction = Transaction::new(card, Security::None).unwrap();
        transaction.prepare(ReadRecord { sfi: Sfi(0x07), record: 1 }).unwrap();
        terminal.run(&mut transaction, ChannelControl::KeepOpen).unwrap();
        terminal.run(&mut transaction, ChannelControl::CloseAfter).unwrap();
        let entries = terminal.log.entries();
        let counts = Counts::of(&entries);
        assert_eq!((counts.card_requests, counts.card_apdus, counts.card_closings), (1, 1, 1));
        let [.., reading, closing] = entries.as_slice() else { panic!("{entries:?}") };
        assert!(closing.only_closes() && !reading.only_closes());
        let way = terminal.model().card_reader;
        assert_eq!((closing.began_us, closing.took_us), (reading.began_us + reading.took_us, way.request_us));
    }

    #[test]
    fn a_lost_command_was_sent() {
        let (result, entries) = read_three(Some(Fault::after(2, Loss::Peer)));
        assert!(result.is_err());
        assert_eq!(answered(&entries), [Some(31), None]);
        assert_eq!(entries[0].lost, Some(Loss::Peer));
        let counts = Counts::of(&entries);
        assert_eq!((counts.card_apdus, counts.card_bytes), (2, Volume { out: 10, back: 31 }));
    }

    #[test]
    fn a_command_kept_back_was_not_sent() {
        let (result, entries) = read_three(Some(Fault::replaced(2, [0x69, 0x82])));
        assert!(result.is_err());
        assert_eq!(answered(&entries), [Some(31), Some(2)]);
    }
}
