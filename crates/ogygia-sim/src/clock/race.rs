//! Card and SAM at work at the same time, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ogygia::apdu::Batch;
use ogygia::drive::Channel;
use ogygia::transaction::{SessionReport, Transaction};
use ogygia::{ChannelControl, Error, Loss, OwnedRequest, Peer, Request};

use super::Model;

/// A driver that measures in virtual time, and asks both peers at once where the transaction has something for both.
///
/// A device executes a request when it gets it, and its answers are held back until their time has come. A SAM that is
/// still at work when the outcome is known goes on: the next call takes its answers. So a clock belongs to one transaction
/// at a time; what was asked for another one is not handed over.
#[derive(Debug)]
pub struct Clock {
    model: Model,
    face: Face,
    card: Lane,
    sam: Lane,
    marks: Marks,
}

/// What a clock shows, for whoever notes when something is said. Clones show the same.
#[derive(Clone, Debug, Default)]
pub struct Face(Arc<AtomicU64>);

impl Face {
    /// Microseconds since the beginning.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn turn_to(&self, us: u64) {
        self.0.store(us, Ordering::Relaxed);
    }
}

/// When what happened, in microseconds of virtual time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// A card was found authentic last: the gate may open.
    pub authenticated_us: Option<u64>,
    /// The card was needed last: its last answer came.
    pub card_us: Option<u64>,
    /// The last outcome.
    pub done_us: Option<u64>,
}

/// What is under way to one peer.
#[derive(Debug)]
struct Lane {
    request: OwnedRequest,
    responses: Batch,
    /// When it is answered, and how; nothing when it is free.
    ends: Option<(u64, Result<(), Loss>)>,
}

impl Lane {
    const fn new(peer: Peer) -> Self {
        Self { request: OwnedRequest::new(peer), responses: Batch::new(), ends: None }
    }

    fn begin(&mut self, request: &Request<'_>, channel: &mut impl Channel, model: &Model, now_us: u64) {
        self.request.copy_from(request);
        self.responses.clear();
        let sent = channel.transmit(request, &mut self.responses);
        // A command whose answer is lost takes its time all the same.
        let lost = sent.is_err().then_some(&[][..]);
        let takes = model.request_us(request, self.responses.iter().chain(lost));
        self.ends = Some((now_us + takes, sent));
    }
}

impl Clock {
    /// A clock that begins with 0.
    #[must_use]
    pub fn new(model: Model) -> Self {
        Self {
            model,
            face: Face::default(),
            card: Lane::new(Peer::Card),
            sam: Lane::new(Peer::Sam),
            marks: Marks::default(),
        }
    }

    /// Microseconds since the beginning.
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.face.now_us()
    }

    /// What it shows.
    #[must_use]
    pub const fn face(&self) -> &Face {
        &self.face
    }

    /// When what happened.
    #[must_use]
    pub const fn marks(&self) -> Marks {
        self.marks
    }

    /// How long things take.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Time goes by, as when an application decides.
    pub fn pass(&mut self, us: u64) {
        self.face.turn_to(self.now_us() + us);
    }

    /// Sends one request outside of transactions, as a selection does, and waits for it.
    ///
    /// # Errors
    ///
    /// What was lost.
    pub fn transmit(
        &mut self,
        request: &Request<'_>,
        channel: &mut impl Channel,
        responses: &mut Batch,
    ) -> Result<(), Loss> {
        let sent = channel.transmit(request, responses);
        let lost = sent.is_err().then_some(&[][..]);
        self.pass(self.model.request_us(request, responses.iter().chain(lost)));
        sent
    }

    /// Processes what was prepared, until the outcome is known.
    ///
    /// # Errors
    ///
    /// As [`ogygia::drive::run`].
    pub fn run(
        &mut self,
        transaction: &mut Transaction,
        card: &mut impl Channel,
        sam: &mut impl Channel,
        channel: ChannelControl,
    ) -> Result<(), Error> {
        transaction.process(channel)?;
        self.resume(transaction, card, sam)
    }

    /// As [`ogygia::drive::resume`].
    ///
    /// # Errors
    ///
    /// As [`ogygia::drive::run`].
    pub fn resume(
        &mut self,
        transaction: &mut Transaction,
        card: &mut impl Channel,
        sam: &mut impl Channel,
    ) -> Result<(), Error> {
        if !transaction.is_processing() {
            return Ok(());
        }
        loop {
            if let (None, Some(request)) = (self.card.ends, transaction.poll(Peer::Card)) {
                self.card.begin(&request, card, &self.model, self.face.now_us());
            }
            if let (None, Some(request)) = (self.sam.ends, transaction.poll(Peer::Sam)) {
                self.sam.begin(&request, sam, &self.model, self.face.now_us());
            }
            if let Some(outcome) = transaction.outcome() {
                self.marks.done_us = Some(self.face.now_us());
                return outcome;
            }
            let (peer, lane) = match (self.card.ends, self.sam.ends) {
                (Some((card, _)), Some((sam, _))) if sam < card => (Peer::Sam, &mut self.sam),
                (Some(_), _) => (Peer::Card, &mut self.card),
                (None, Some(_)) => (Peer::Sam, &mut self.sam),
                (None, None) => return Ok(()),
            };
            let Some((ends, sent)) = lane.ends.take() else { return Ok(()) };
            self.face.turn_to(self.face.now_us().max(ends));
            let asked = lane.request.as_request();
            if transaction.poll(peer).is_none_or(|request| request.commands != asked.commands) {
                // It was asked for a transaction before this one.
                continue;
            }
            let before = transaction.session();
            match sent {
                Ok(()) => transaction.handle(peer, &lane.responses),
                Err(loss) => transaction.handle_lost(peer, loss, &lane.responses),
            }?;
            self.mark(peer, before, transaction.session());
        }
    }

    /// Notes what one answer changed: a session that opened and closed in one request was authenticated before and after.
    fn mark(&mut self, peer: Peer, before: SessionReport, after: SessionReport) {
        if peer == Peer::Card {
            self.marks.card_us = Some(self.face.now_us());
        }
        let is_news = before.authenticated.is_none() || after.committed > before.committed;
        if after.authenticated.is_some() && is_news {
            self.marks.authenticated_us = Some(self.face.now_us());
        }
    }
}
