//! A transaction takes its memory once: on a reused one, nothing is allocated from the second card on, not even when a
//! transaction fails in between.
//!
//! Allocations are counted per thread, so that nothing else disturbs.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop")]

mod extended;
mod policies;
#[path = "../two_peers/mod.rs"]
mod two_peers;
#[path = "../../benches/work/validation.rs"]
mod validation;

use allocation_counter::measure;
use validation::{Peers, Wrong, card, restart, transaction};

/// How many allocations `work` makes, growing ones included.
fn allocations(work: impl FnOnce() -> Result<(), Wrong>) -> u64 {
    let mut done = Err("it was not measured");
    let counted = measure(|| done = work());
    done.unwrap();
    counted.count_total
}

#[test]
fn only_the_first_transaction_allocates() {
    let peers = Peers::new();
    let mut transaction = transaction(card().unwrap()).unwrap();

    let first = allocations(|| peers.validate_and_look(&mut transaction));
    assert!(first > 0, "the first transaction takes its memory, or the counter does not count");

    let second = allocations(|| {
        restart(&mut transaction)?;
        peers.validate_and_look(&mut transaction)
    });
    assert_eq!(second, 0, "the second transaction");

    let refused = allocations(|| {
        restart(&mut transaction)?;
        peers.refuse(&mut transaction)
    });
    assert_eq!(refused, 0, "the third, which is refused and aborted");

    let fourth = allocations(|| {
        restart(&mut transaction)?;
        peers.validate_and_look(&mut transaction)
    });
    assert_eq!(fourth, 0, "the fourth");
}
