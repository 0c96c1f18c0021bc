//! The same for each policy and each driver of the core: also with two requests under way.

use std::future::poll_fn;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ogygia::apdu::Batch;
use ogygia::card::Card;
use ogygia::drive::{AsyncChannel, Channel, run, run_async, send_each};
use ogygia::transaction::{Policy, Transaction};
use ogygia::{ChannelControl, Error, Loss, Peer, Request};

use super::allocations;
use super::two_peers::{self, answer, prepare_readings, prepare_writings};

/// A peer that is ready when it is asked a second time.
struct Reader {
    /// It refuses the command with this instruction.
    refuses: Option<u8>,
}

impl Reader {
    fn answer(&self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        send_each(request, responses, |command, out| {
            if command.get(1).copied() == self.refuses {
                out.extend_from_slice(&[0x6F, 0x00]);
            } else {
                answer(request.peer, command, out);
            }
            Ok(())
        })
    }
}

impl Channel for Reader {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.answer(request, responses)
    }
}

impl AsyncChannel for Reader {
    async fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        let mut asked = false;
        poll_fn(|_| if std::mem::replace(&mut asked, true) { Poll::Ready(()) } else { Poll::Pending }).await;
        self.answer(request, responses)
    }
}

#[derive(Clone, Copy, Debug)]
enum Driver {
    Blocking,
    Async,
}

type Step = (fn(&mut Transaction), ChannelControl);

const STEPS: [Step; 2] = [(prepare_readings, ChannelControl::KeepOpen), (prepare_writings, ChannelControl::CloseAfter)];

fn validate(driver: Driver, transaction: &mut Transaction, refuses: Option<u8>) -> Result<(), Error> {
    let (mut card, mut sam) = (Reader { refuses }, Reader { refuses: None });
    for (prepare, channel) in STEPS {
        prepare(transaction);
        match driver {
            Driver::Blocking => run(transaction, &mut card, &mut sam, channel)?,
            Driver::Async => {
                let mut future = pin!(run_async(transaction, &mut card, &mut sam, channel));
                let mut context = Context::from_waker(Waker::noop());
                loop {
                    if let Poll::Ready(outcome) = future.as_mut().poll(&mut context) {
                        break outcome?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn again(driver: Driver, transaction: &mut Transaction, card: &Card, refuses: Option<u8>) -> u64 {
    allocations(|| {
        transaction.restart(card).unwrap();
        let outcome = validate(driver, transaction, refuses);
        let expected = refuses.is_none();
        if outcome.is_ok() == expected { Ok(()) } else { Err("it did not end as it should") }
    })
}

/// The writing, that is refused while the SAM makes the MAC over it.
const APPEND: u8 = 0xE2;

#[test]
fn nothing_is_allocated_once_warm() {
    for policy in [Policy::Grouped, Policy::Overlapped] {
        for driver in [Driver::Blocking, Driver::Async] {
            let mut transaction = two_peers::transaction(policy);
            let card = transaction.card().clone();
            assert!(again(driver, &mut transaction, &card, None) > 0, "the counter does not count");
            for refuses in [None, Some(APPEND), None] {
                let counted = again(driver, &mut transaction, &card, refuses);
                assert_eq!(counted, 0, "{policy:?} {driver:?} {refuses:?}");
            }
            assert!(transaction.poll(Peer::Card).is_none());
        }
    }
}
