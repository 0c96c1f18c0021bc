//! The async driver asks card and SAM at the same time where the overlapped policy has something for both, in whatever
//! order they answer; and it ends as the blocking one ends.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop")]

mod two_peers;

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use ogygia::apdu::Batch;
use ogygia::drive::{AsyncChannel, Channel, run, run_async, run_steps_async, send_each};
use ogygia::transaction::{Policy, Transaction};
use ogygia::{ChannelControl, Error, Loss, Peer, Request};
use two_peers::{answer, prepare_readings, prepare_writings};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    Begins(Peer),
    Ends(Peer),
}

/// What one peer is told, and when.
#[derive(Debug)]
struct Desk {
    events: Mutex<Vec<Event>>,
    told: [Mutex<Vec<Vec<u8>>>; 2],
    /// The first two bytes of the command at which a peer is lost, and how. How many digest updates there are depends on
    /// who is faster, so that a number would not do.
    fault: Option<(Peer, [u8; 2], Loss)>,
}

impl Desk {
    fn new(fault: Option<(Peer, [u8; 2], Loss)>) -> Self {
        Self { events: Mutex::default(), told: Default::default(), fault }
    }

    fn note(&self, event: Event) {
        self.events.lock().unwrap().push(event);
    }

    fn told(&self, peer: Peer) -> Vec<Vec<u8>> {
        self.told[usize::from(peer == Peer::Sam)].lock().unwrap().clone()
    }

    fn transmit(&self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let mut told = self.told[usize::from(request.peer == Peer::Sam)].lock().unwrap();
        send_each(request, responses, |command, out| {
            told.push(command.to_vec());
            match self.fault {
                Some((peer, at, loss)) if peer == request.peer && told.iter().any(|told| told.starts_with(&at)) => {
                    Err(loss)
                }
                _ => {
                    answer(request.peer, command, out);
                    Ok(())
                }
            }
        })
    }
}

/// A reader that takes so many polls for a request.
struct Reader<'a> {
    desk: &'a Desk,
    peer: Peer,
    polls: usize,
}

impl AsyncChannel for Reader<'_> {
    async fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.desk.note(Event::Begins(self.peer));
        let mut left = self.polls;
        poll_fn(|context| {
            context.waker().wake_by_ref();
            left = left.saturating_sub(1);
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let sent = self.desk.transmit(request, responses);
        self.desk.note(Event::Ends(self.peer));
        sent
    }
}

impl Channel for Reader<'_> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.desk.transmit(request, responses)
    }
}

struct Nobody;

impl Wake for Nobody {
    fn wake(self: Arc<Self>) {}
}

/// Polls until it is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    let waker = Waker::from(Arc::new(Nobody));
    let mut future = pin!(future);
    for _ in 0..10_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return value;
        }
    }
    panic!("it does not come to an end")
}

fn readers(desk: &Desk, paces: [usize; 2]) -> [Reader<'_>; 2] {
    let [card, sam] = paces;
    [Reader { desk, peer: Peer::Card, polls: card }, Reader { desk, peer: Peer::Sam, polls: sam }]
}

type Step = (fn(&mut Transaction), ChannelControl);

const STEPS: [Step; 2] = [(prepare_readings, ChannelControl::KeepOpen), (prepare_writings, ChannelControl::CloseAfter)];

/// One call after the other.
fn in_calls(desk: &Desk, policy: Policy, paces: [usize; 2]) -> (Result<(), Error>, Transaction) {
    let mut transaction = two_peers::transaction(policy);
    let [mut card, mut sam] = readers(desk, paces);
    let outcome = block_on(async {
        for (prepare, channel) in STEPS {
            prepare(&mut transaction);
            run_async(&mut transaction, &mut card, &mut sam, channel).await?;
        }
        Ok(())
    });
    (outcome, transaction)
}

/// All in one call.
fn in_steps(desk: &Desk, policy: Policy, paces: [usize; 2]) -> (Result<(), Error>, Transaction) {
    let mut transaction = two_peers::transaction(policy);
    let [mut card, mut sam] = readers(desk, paces);
    let mut steps = STEPS.into_iter();
    let outcome = block_on(run_steps_async(&mut transaction, &mut card, &mut sam, |transaction| {
        Ok(steps.next().map(|(prepare, channel)| {
            prepare(transaction);
            channel
        }))
    }));
    (outcome, transaction)
}

fn blocking(desk: &Desk, policy: Policy) -> (Result<(), Error>, Transaction) {
    let mut transaction = two_peers::transaction(policy);
    let [mut card, mut sam] = readers(desk, [1, 1]);
    let outcome = STEPS.into_iter().try_for_each(|(prepare, channel)| {
        prepare(&mut transaction);
        run(&mut transaction, &mut card, &mut sam, channel)
    });
    (outcome, transaction)
}

/// How often a peer began while the other one was at work.
fn overlaps(events: &[Event]) -> usize {
    let mut at_work = [false; 2];
    let mut overlaps = 0;
    for event in events {
        let (Event::Begins(peer) | Event::Ends(peer)) = *event;
        let place = usize::from(peer == Peer::Sam);
        assert_eq!(at_work[place], *event == Event::Ends(peer), "one request per peer");
        at_work[place] = !at_work[place];
        overlaps += usize::from(at_work == [true; 2]);
    }
    assert_eq!(at_work, [false; 2], "nobody is left behind");
    overlaps
}

const PACES: [[usize; 2]; 5] = [[2, 1], [2, 2], [3, 2], [2, 9], [9, 2]];

#[test]
fn both_are_asked_at_once() {
    let grouped = Desk::new(None);
    assert_eq!(in_calls(&grouped, Policy::Grouped, [3, 3]).0, Ok(()));
    assert_eq!(overlaps(&grouped.events.lock().unwrap()), 0);
    for paces in PACES {
        for all in [in_calls, in_steps] {
            let desk = Desk::new(None);
            let (outcome, transaction) = all(&desk, Policy::Overlapped, paces);
            assert_eq!(outcome, Ok(()), "{paces:?}");
            assert!(transaction.session().authenticated.is_some() && transaction.session().ratified);
            assert_eq!(desk.told(Peer::Card), grouped.told(Peer::Card), "{paces:?}");
            // The diversifier with the opening, the opening with the readings, the MAC with the writings, the
            // verification with the ratification.
            assert!(overlaps(&desk.events.lock().unwrap()) >= 3, "{paces:?} {:?}", desk.events);
        }
    }
}

/// A SAM that is slower than the application goes on from one step to the next.
#[test]
fn the_sam_goes_on_between_two_steps() {
    let behind = |events: &[Event]| {
        let card_begins =
            |nth| events.iter().enumerate().filter(|(_, event)| **event == Event::Begins(Peer::Card)).nth(nth);
        let (third, _) = card_begins(2).unwrap();
        events.iter().take(third).filter(|event| matches!(event, Event::Begins(Peer::Sam))).count()
            - events.iter().take(third).filter(|event| matches!(event, Event::Ends(Peer::Sam))).count()
    };
    // The third card request is the first of the second step.
    let desk = Desk::new(None);
    in_steps(&desk, Policy::Overlapped, [2, 99]).0.unwrap();
    assert_eq!(behind(&desk.events.lock().unwrap()), 1);
    let desk = Desk::new(None);
    in_calls(&desk, Policy::Overlapped, [2, 99]).0.unwrap();
    assert_eq!(behind(&desk.events.lock().unwrap()), 0);
}

#[test]
fn the_same_failures() {
    let whole = Desk::new(None);
    blocking(&whole, Policy::Overlapped).0.unwrap();
    for peer in [Peer::Card, Peer::Sam] {
        for command in whole.told(peer) {
            let at = *command.first_chunk::<2>().unwrap();
            for loss in [Loss::Peer, Loss::Reader] {
                let fault = Some((peer, at, loss));
                let (expected, blocked) = blocking(&Desk::new(fault), Policy::Overlapped);
                for paces in PACES {
                    for all in [in_calls, in_steps] {
                        let desk = Desk::new(fault);
                        let (outcome, transaction) = all(&desk, Policy::Overlapped, paces);
                        assert_eq!(outcome, expected, "{fault:?} {paces:?}");
                        assert_eq!(transaction.session(), blocked.session(), "{fault:?} {paces:?}");
                        assert!(!transaction.is_session_open());
                        overlaps(&desk.events.lock().unwrap());
                    }
                }
            }
        }
    }
}

/// A step that cannot be prepared ends the session.
#[test]
fn a_refused_step_is_aborted() {
    let desk = Desk::new(None);
    let mut transaction = two_peers::transaction(Policy::Overlapped);
    let [mut card, mut sam] = readers(&desk, [1, 5]);
    let first = RefCell::new(true);
    let outcome = block_on(run_steps_async(&mut transaction, &mut card, &mut sam, |transaction| {
        if first.replace(false) {
            prepare_readings(transaction);
            return Ok(Some(ChannelControl::KeepOpen));
        }
        transaction.abandon()?;
        Ok(None)
    }));
    assert_eq!(outcome, Err(Error::Misuse(ogygia::Misuse::Abandoned)));
    assert_eq!(desk.told(Peer::Card).last().unwrap(), &[0x00, 0x8E, 0x00, 0x00, 0x00]);
    assert!(!transaction.is_session_open());
}

/// Executors with several threads can take it.
#[test]
fn the_future_can_be_sent() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let desk = Desk::new(None);
    let mut transaction = two_peers::transaction(Policy::Overlapped);
    let [mut card, mut sam] = readers(&desk, [1, 1]);
    prepare_readings(&mut transaction);
    let channel = ChannelControl::KeepOpen;
    let future = is_send(run_async(&mut transaction, &mut card, &mut sam, channel));
    assert_eq!(block_on(future), Ok(()));
}
