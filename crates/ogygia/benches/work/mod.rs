//! What both benchmarks measure, so that time and instructions speak of the same work.

pub(crate) mod growth;
mod validation;

use std::hint::black_box;

use ogygia::Request;
use ogygia::apdu::{Batch, Case, Header, tlv};
use ogygia::card::Card;
use validation::{Peers, Round};

/// One piece of work, ready to run any number of times.
pub(crate) type Work = Box<dyn FnMut()>;

/// Makes the preparations, which are not measured.
pub(crate) type Prepare = fn() -> Work;

/// Every piece of work, with the name under which it is reported. Names stay: their counts are compared over time.
pub(crate) const ALL: &[(&str, Prepare)] = &[
    ("batch-of-reads", batch_of_reads),
    ("select-answer", select_answer),
    ("card-image", card_image),
    ("transaction-first", transaction_first),
    ("transaction-warm", transaction_warm),
];

/// Eight record reads written into a reused batch.
fn batch_of_reads() -> Work {
    let mut batch = Batch::new();
    Box::new(move || {
        batch.clear();
        for record in 1..=8 {
            batch.push_with(|out| Header::new(0x00, 0xB2, black_box(record), 0x3C).write(Case::Two(29), &[], out));
        }
        black_box(&batch);
    })
}

/// The answer to a selection, visited element by element. The answer is made up.
fn select_answer() -> Work {
    let answer = [
        &[0x6F, 0x22, 0x84, 0x08][..],
        b"1TIC.ICA",
        &[0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7, 0x08, 0, 0, 0, 0, 1, 2, 3, 4],
        &[0x53, 0x07, 0x0A, 0x3C, 0x22, 0x05, 0x14, 0x10, 0x01],
    ]
    .concat();
    Box::new(move || {
        let mut bytes = 0;
        let visited = tlv::visit(black_box(&answer), |_, value| bytes += value.len());
        assert!(visited.is_ok() && black_box(bytes) == 23, "the answer is well formed");
    })
}

/// The image of a card from its answer to the selection, in memory that is there.
fn card_image() -> Work {
    let mut card = Card::blank();
    Box::new(move || {
        let read = card.reset(Some(black_box(validation::SELECTED)), &[]);
        assert!(read.is_ok(), "the answer is well formed");
        black_box(&card);
    })
}

/// A validation with the first card: its image, the memory of the transaction, all its requests, and the end of both.
/// Answers are canned.
fn transaction_first() -> Work {
    let peers = Peers::new();
    Box::new(move || {
        let validated = validation::card()
            .and_then(validation::transaction)
            .and_then(|mut transaction| peers.validate(&mut transaction, seen));
        assert_eq!(validated, Ok(()));
    })
}

/// The same with each card that follows.
fn transaction_warm() -> Work {
    let peers = Peers::new();
    let mut transaction = validation::card().and_then(validation::transaction);
    let looked = transaction.as_mut().map_err(|wrong| *wrong).and_then(|tx| peers.validate_and_look(tx));
    assert_eq!(looked, Ok(()));
    Box::new(move || {
        let validated = transaction.as_mut().map_err(|wrong| *wrong).and_then(|transaction| {
            validation::restart(transaction)?;
            peers.validate(transaction, seen)
        });
        assert_eq!(validated, Ok(()));
    })
}

/// The request is there; what it says is looked at elsewhere.
fn seen(_: &Round, request: &Request<'_>) -> bool {
    black_box(request);
    true
}
