//! A batch is a list of byte strings: whatever is done to it, it holds what a vector of vectors would.
//!
//! Everything is drawn from a fixed seed.
use ogygia::apdu::Batch;
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

#[derive(Clone, Debug)]
enum Change {
    Push(Vec<u8>),
    /// In two pieces.
    PushWith(Vec<u8>, Vec<u8>),
    Extend(Vec<Vec<u8>>),
    Truncate(usize),
    Clear,
    Wipe,
    /// Goes on with a copy.
    Clone,
}

fn entry() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..5)
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => entry().prop_map(Change::Push),
        2 => (entry(), entry()).prop_map(|(first, second)| Change::PushWith(first, second)),
        1 => prop::collection::vec(entry(), 0..4).prop_map(Change::Extend),
        2 => (0..12_usize).prop_map(Change::Truncate),
        1 => Just(Change::Clear),
        1 => Just(Change::Wipe),
        1 => Just(Change::Clone),
    ]
}

fn apply(change: Change, batch: &mut Batch, model: &mut Vec<Vec<u8>>) {
    match change {
        Change::Push(entry) => {
            batch.push(&entry);
            model.push(entry);
        }
        Change::PushWith(first, second) => {
            batch.push_with(|out| {
                out.extend_from_slice(&first);
                out.extend_from_slice(&second);
            });
            model.push([first, second].concat());
        }
        Change::Extend(entries) => {
            batch.extend(entries.iter().map(Vec::as_slice));
            model.extend(entries);
        }
        Change::Truncate(len) => {
            batch.truncate(len);
            model.truncate(len);
        }
        Change::Clear => {
            batch.clear();
            model.clear();
        }
        Change::Wipe => {
            batch.wipe();
            model.clear();
        }
        Change::Clone => *batch = batch.clone(),
    }
}

fn check(batch: &Batch, model: &[Vec<u8>]) {
    assert_eq!(batch.iter().collect::<Vec<_>>(), model);
    assert_eq!((batch.iter().len(), batch.len(), batch.is_empty()), (model.len(), model.len(), model.is_empty()));
    assert_eq!(batch.byte_len(), model.iter().map(Vec::len).sum::<usize>());
    for index in 0..model.len() + 2 {
        assert_eq!(batch.get(index), model.get(index).map(Vec::as_slice));
    }
    let same: Batch = model.iter().map(Vec::as_slice).collect();
    assert_eq!(*batch, same);
    let shown = format!("Batch {{ entries: {}, bytes: {} }}", batch.len(), batch.byte_len());
    assert_eq!(format!("{batch:?}"), shown, "its content is not shown");
}

#[test]
fn a_batch_is_a_list_of_byte_strings() {
    let rng_seed = RngSeed::Fixed(5);
    let config = ProptestConfig { cases: 500, rng_seed, failure_persistence: None, ..ProptestConfig::default() };
    let run = TestRunner::new(config).run(&prop::collection::vec(change(), 0..40), |changes| {
        let (mut batch, mut model) = (Batch::new(), Vec::new());
        for change in changes {
            apply(change, &mut batch, &mut model);
            check(&batch, &model);
        }
        Ok(())
    });
    run.unwrap();
}

/// Entries split at other places are not the same entries.
#[test]
fn bounds_count() {
    let one: Batch = [&b"ab"[..], b"c"].into_iter().collect();
    let other: Batch = [&b"a"[..], b"bc"].into_iter().collect();
    assert_ne!(one, other);
}
