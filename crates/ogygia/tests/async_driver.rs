//! The async driver sends what the blocking one sends, and ends as it ends, with an executor of twenty lines and channels
//! that are never ready at once. A future that is dropped while it waits loses nothing: the transaction stays where it
//! was.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

mod two_peers;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use ogygia::apdu::Batch;
use ogygia::card::Sfi;
use ogygia::drive::{AsyncChannel, Channel, resume_async, run, run_async, send_each};
use ogygia::transaction::{Policy, SessionReport, Transaction};
use ogygia::{ChannelControl, Error, Loss, Peer, Request};
use two_peers::{answer, prepare_readings, prepare_writings};

/// What was sent, to whom, in which request, with which channel control.
type Log = Vec<(Peer, usize, ChannelControl, Vec<u8>)>;

/// Both peers, played by the instruction of each command. Card and SAM share the count of commands.
#[derive(Default)]
struct Peers {
    log: Log,
    requests: usize,
    fault: Option<(usize, Fault)>,
}

/// What goes wrong with one command, counted over both peers.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Lost(Loss),
    Refused,
}

impl Peers {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.requests += 1;
        let Self { log, requests, fault } = self;
        send_each(request, responses, |command, out| {
            log.push((request.peer, *requests, request.channel, command.to_vec()));
            match *fault {
                Some((at, Fault::Lost(loss))) if at < log.len() => return Err(loss),
                Some((at, Fault::Refused)) if at + 1 == log.len() => out.extend_from_slice(&[0x6F, 0x00]),
                _ => answer(request.peer, command, out),
            }
            Ok(())
        })
    }
}

/// The peers, ready at once.
struct Fast<'a>(&'a RefCell<Peers>);

impl Channel for Fast<'_> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.0.borrow_mut().transmit(request, responses)
    }
}

/// The peers behind something that is not ready when it is first asked.
struct Slow<'a>(&'a RefCell<Peers>);

impl AsyncChannel for Slow<'_> {
    async fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let mut asked = false;
        poll_fn(|context| {
            if std::mem::replace(&mut asked, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.0.borrow_mut().transmit(request, responses)
    }
}

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls `future` whenever it was woken, at most `polls` times; nothing when it is not ready then.
fn block_on<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut future = pin!(future);
    for poll in 0..polls {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Some(value);
        }
        assert_eq!(woken.0.load(Ordering::Relaxed), poll + 1, "who waits is woken");
    }
    None
}

/// How a transaction ended: outcome, report, counter 1 and the new event of the image, and all that was sent.
type Ending = (Result<(), Error>, SessionReport, Option<u32>, Option<Vec<u8>>, Log);

fn ending(outcome: Result<(), Error>, transaction: &Transaction, peers: RefCell<Peers>) -> Ending {
    let counter = transaction.card().file(Sfi(0x19)).and_then(|file| file.counter(1));
    let event = transaction.card().file(Sfi(8)).and_then(|file| file.record(1)).map(<[u8]>::to_vec);
    (outcome, transaction.session(), counter, event, peers.into_inner().log)
}

fn peers(fault: Option<(usize, Fault)>) -> RefCell<Peers> {
    Peers { fault, ..Peers::default() }.into()
}

fn blocking(fault: Option<(usize, Fault)>) -> Ending {
    let peers = peers(fault);
    let mut transaction = two_peers::transaction(Policy::Grouped);
    let (mut card, mut sam) = (Fast(&peers), Fast(&peers));
    prepare_readings(&mut transaction);
    let mut outcome = run(&mut transaction, &mut card, &mut sam, ChannelControl::KeepOpen);
    if outcome.is_ok() {
        prepare_writings(&mut transaction);
        outcome = run(&mut transaction, &mut card, &mut sam, ChannelControl::CloseAfter);
    }
    ending(outcome, &transaction, peers)
}

fn waiting(fault: Option<(usize, Fault)>) -> Ending {
    let peers = peers(fault);
    let mut transaction = two_peers::transaction(Policy::Grouped);
    let (mut card, mut sam) = (Slow(&peers), Slow(&peers));
    let outcome = async {
        prepare_readings(&mut transaction);
        run_async(&mut transaction, &mut card, &mut sam, ChannelControl::KeepOpen).await?;
        prepare_writings(&mut transaction);
        run_async(&mut transaction, &mut card, &mut sam, ChannelControl::CloseAfter).await
    };
    let outcome = block_on(outcome, 20).unwrap();
    ending(outcome, &transaction, peers)
}

#[test]
fn the_same_exchanges() {
    let blocking = blocking(None);
    let (outcome, report, counter, event, log) = &blocking;
    assert_eq!((*outcome, *counter, event.as_deref()), (Ok(()), Some(6), Some(&[0xEE][..])));
    assert!(report.authenticated.is_some() && report.ratified);
    assert_eq!(log.len(), 12);
    assert_eq!(blocking, waiting(None));
}

#[test]
fn the_same_failures() {
    let commands = blocking(None).4.len();
    for at in 0..commands {
        for fault in [Fault::Lost(Loss::Peer), Fault::Lost(Loss::Reader), Fault::Refused] {
            let fault = Some((at, fault));
            assert_eq!(blocking(fault), waiting(fault), "{fault:?}");
        }
    }
}

#[test]
fn a_future_that_is_dropped_loses_nothing() {
    let whole = blocking(None);
    let peers = peers(None);
    let mut transaction = two_peers::transaction(Policy::Grouped);
    let (mut card, mut sam) = (Slow(&peers), Slow(&peers));
    let mut dropped = 0;
    for (prepare, channel) in [
        (prepare_readings as fn(&mut Transaction), ChannelControl::KeepOpen),
        (prepare_writings, ChannelControl::CloseAfter),
    ] {
        prepare(&mut transaction);
        // Polled once, the channel has not sent anything yet; polled twice, the next request waits.
        let begun = block_on(run_async(&mut transaction, &mut card, &mut sam, channel), 1);
        assert_eq!(begun, None);
        loop {
            dropped += 1;
            if let Some(outcome) = block_on(resume_async(&mut transaction, &mut card, &mut sam), 2) {
                assert_eq!(outcome, Ok(()));
                break;
            }
        }
    }
    assert_eq!(dropped, 5, "once for each request");
    assert_eq!(ending(Ok(()), &transaction, peers), whole);
}
