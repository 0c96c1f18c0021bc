//! What both benchmarks measure, so that time and instructions speak of the same work.

use std::hint::black_box;

use ogygia::apdu::{Batch, Case, Header, tlv};

/// One piece of work, ready to run any number of times.
pub(crate) type Work = Box<dyn FnMut()>;

/// Makes the preparations, which are not measured.
pub(crate) type Prepare = fn() -> Work;

/// Every piece of work, with the name under which it is reported. Names stay: their counts are compared over time.
pub(crate) const ALL: &[(&str, Prepare)] = &[("batch-of-reads", batch_of_reads), ("select-answer", select_answer)];

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
        let visited = tlv::visit(black_box(&answer), &mut |_, value| bytes += value.len());
        assert!(visited.is_ok() && black_box(bytes) == 23, "the answer is well formed");
    })
}
