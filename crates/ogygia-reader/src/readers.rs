//! Two readers, each in its thread.

use std::io;
use std::sync::mpsc::{Receiver, sync_channel};

use ogygia::apdu::Batch;
use ogygia::drive::{Channel, Driver};
use ogygia::transaction::Transaction;
use ogygia::{Error, Loss, Peer, Request};

use crate::lane::{Delivery, Lane};

/// A card reader and a SAM reader, each with a thread of its own.
///
/// A [`Driver`]: its `run` processes what was prepared and waits for the outcome. With
/// [`Policy::Overlapped`](ogygia::transaction::Policy::Overlapped), a SAM that is still at work then goes on while the
/// application decides, and the next `run` takes its answers. So the readers serve one transaction at a time; give them
/// to the next one when the session of the one before is over, or call [`settle`](Self::settle).
///
/// Once warm, carrying requests does not allocate. Dropped, it waits for what is under way.
///
/// ```no_run
/// use ogygia::drive::{Channel, Driver};
/// use ogygia::transaction::Transaction;
/// use ogygia::{ChannelControl, Error};
/// use ogygia_reader::Readers;
///
/// fn validate(
///     transaction: &mut Transaction,
///     card: impl Channel + Send + 'static,
///     sam: impl Channel + Send + 'static,
/// ) -> Result<(), Box<dyn std::error::Error>> {
///     let mut readers = Readers::new(card, sam)?;
///     // Prepare what is to be read in the session, then:
///     readers.run(transaction, ChannelControl::KeepOpen)?;
///     // Decide, while the SAM digests what was read; prepare what is to be written, then:
///     readers.run(transaction, ChannelControl::CloseAfter)?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Readers {
    card: Lane,
    sam: Lane,
    done: Receiver<Delivery>,
    /// What the SAM was asked last, to know whether its answer is still waited for.
    asked_sam: Batch,
}

impl Readers {
    /// Starts a thread for each reader.
    ///
    /// # Errors
    ///
    /// The system has no thread to give.
    pub fn new(card: impl Channel + Send + 'static, sam: impl Channel + Send + 'static) -> io::Result<Self> {
        let (done, deliveries) = sync_channel(2);
        let card = Lane::start(Peer::Card, card, done.clone())?;
        let sam = Lane::start(Peer::Sam, sam, done)?;
        Ok(Self { card, sam, done: deliveries, asked_sam: Batch::new() })
    }

    /// Waits until no reader has anything to do, and hands the answer of the SAM to `transaction` if it was asked for it.
    ///
    /// # Errors
    ///
    /// None that an exchange can cause: those are reported when the transaction goes on.
    pub fn settle(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        while !(self.card.is_free() && self.sam.is_free()) {
            self.take_one(transaction)?;
        }
        Ok(())
    }

    /// Asks everybody who is free for what the transaction wants of them.
    fn begin(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        for (peer, lane) in [(Peer::Card, &mut self.card), (Peer::Sam, &mut self.sam)] {
            let Some(request) = transaction.poll(peer).filter(|_| lane.is_free()) else { continue };
            if peer == Peer::Sam {
                note(&mut self.asked_sam, &request);
            }
            if !lane.begin(&request) {
                transaction.handle_lost(peer, Loss::Reader, &Batch::new())?;
            }
        }
        Ok(())
    }

    /// Waits for the first answer.
    fn take_one(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        // A thread that is at work sends what came of it, whatever happens to it.
        let Ok(Delivery { peer, parcel, sent }) = self.done.recv() else { return Ok(()) };
        // An answer of the SAM may be one to a question of a transaction before this one.
        let asked = transaction.poll(peer);
        let waited_for = asked.is_some_and(|request| peer == Peer::Card || *request.commands == self.asked_sam);
        let handled = match sent {
            _ if !waited_for => Ok(()),
            Ok(()) => transaction.handle(peer, &parcel.responses),
            Err(loss) => transaction.handle_lost(peer, loss, &parcel.responses),
        };
        if peer == Peer::Card {
            self.card.take_back(parcel);
        } else {
            self.asked_sam.wipe();
            self.sam.take_back(parcel);
        }
        handled
    }
}

/// Commands may hold a PIN: they are wiped when they are answered.
fn note(asked: &mut Batch, request: &Request<'_>) {
    asked.wipe();
    asked.append(request.commands);
}

impl Driver for Readers {
    fn resume(&mut self, transaction: &mut Transaction) -> Result<(), Error> {
        while transaction.is_processing() {
            self.begin(transaction)?;
            if let Some(outcome) = transaction.outcome() {
                return outcome;
            }
            if self.card.is_free() && self.sam.is_free() {
                // Lost before it began: there is more to ask, or an outcome.
                continue;
            }
            self.take_one(transaction)?;
        }
        Ok(())
    }
}
