//! Answers to a selection, and power-on data, of any bytes and of well-formed ones that were spoiled: none makes the core
//! panic, what is refused leaves a blank image, and what is accepted is the same in new memory and in used one.
//!
//! Everything is drawn from fixed seeds.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

#[path = "arbitrary/operations.rs"]
#[allow(dead_code, reason = "only its cards are used")]
mod operations;

use std::cell::Cell;

use ogygia::card::{Card, Product};
use operations::{power_on_data, select_responses};
use proptest::prelude::*;
use proptest::test_runner::{RngSeed, TestRunner};

/// How bytes are spoiled.
#[derive(Clone, Debug)]
enum Spoiling {
    Flip(usize, u8),
    Set(usize, u8),
    Remove(usize),
    Insert(usize, u8),
    Truncate(usize),
    /// A part is there twice.
    Repeat(usize, usize),
}

fn spoiling() -> impl Strategy<Value = Spoiling> {
    let at = || 0..64_usize;
    // Bytes that mean something in a TLV structure.
    let byte = prop_oneof![
        any::<u8>(),
        prop::sample::select(vec![0x00, 0x53, 0x6F, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xA5, 0xBF, 0x0C, 0xC7, 0xFF]),
    ];
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Spoiling::Flip(at, 1 << bit)),
        (at(), byte.clone()).prop_map(|(at, byte)| Spoiling::Set(at, byte)),
        at().prop_map(Spoiling::Remove),
        (at(), byte).prop_map(|(at, byte)| Spoiling::Insert(at, byte)),
        at().prop_map(Spoiling::Truncate),
        (at(), 1..20_usize).prop_map(|(at, len)| Spoiling::Repeat(at, len)),
    ]
}

fn spoil(bytes: &mut Vec<u8>, spoiling: &Spoiling) {
    let len = bytes.len();
    match *spoiling {
        Spoiling::Flip(at, bit) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= bit),
        Spoiling::Set(at, value) => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
        Spoiling::Remove(at) => drop(bytes.drain(at.min(len)..(at + 1).min(len))),
        Spoiling::Insert(at, byte) => bytes.insert(at.min(len), byte),
        Spoiling::Truncate(at) => bytes.truncate(at),
        Spoiling::Repeat(at, more) => bytes.extend_from_within(at.min(len)..(at + more).min(len)),
    }
}

fn spoiled(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (bytes, prop::collection::vec(spoiling(), 0..4)).prop_map(|(mut bytes, spoilings)| {
        spoilings.iter().for_each(|spoiling| spoil(&mut bytes, spoiling));
        bytes
    })
}

/// Nested templates of random tags and lengths, so that the walk through them is long.
fn nested() -> impl Strategy<Value = Vec<u8>> {
    let tags = prop::sample::select(vec![vec![0x6F], vec![0xA5], vec![0xBF, 0x0C], vec![0x84], vec![0x53], vec![0xC7]]);
    prop::collection::vec((tags, prop_oneof![6 => 0..12_u8, 1 => any::<u8>()], 0..12_u8), 0..20).prop_map(|elements| {
        elements
            .iter()
            .flat_map(|(tag, len, byte)| tag.iter().chain([len, byte]).copied().collect::<Vec<_>>())
            .collect()
    })
}

/// All that an image is, in words.
fn shown(card: &Card) -> String {
    format!("{card:?}")
}

/// One card after the other in the same memory, which knew another card before.
fn check(select_response: Option<&[u8]>, power_on_data: &[u8], accepted: &Cell<u32>) {
    let mut used = Card::from_select_response(&operations::select_response(
        [0x0A, 0x3C, 0x23, 0x20, 0x14, 0x10, 0x01],
        [0x62, 0x83],
    ))
    .unwrap();
    let mut fresh = Card::blank();
    let read = used.reset(select_response, power_on_data);
    assert_eq!(fresh.reset(select_response, power_on_data), read);
    assert_eq!(shown(&used), shown(&fresh));
    let made = match select_response {
        Some(response) => Card::from_select_response(response).map(drop),
        None => Card::from_power_on_data(power_on_data).map(drop),
    };
    assert_eq!(made, read);
    if read.is_err() {
        assert_eq!(shown(&used), shown(&Card::blank()));
    } else if used.product() != Product::Unknown {
        accepted.set(accepted.get() + 1);
        assert!(used.startup_info().as_bytes().len() >= 7 && used.payload_capacity() > 0);
        assert!(select_response.is_none() || (5..=16).contains(&used.df_name().len()));
    }
    let mut copy = Card::blank();
    copy.copy_from(&used);
    assert_eq!(shown(&copy), shown(&used));
}

fn runner(seed: u64, cases: u32) -> TestRunner {
    let rng_seed = RngSeed::Fixed(seed);
    TestRunner::new(ProptestConfig { cases, rng_seed, failure_persistence: None, ..ProptestConfig::default() })
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..most)
}

#[test]
fn answers_to_a_selection() {
    let accepted = Cell::new(0);
    let responses = prop_oneof![6 => spoiled(select_responses()), 1 => bytes(300), 1 => nested()];
    let run = runner(3, 3000).run(&(responses, bytes(30)), |(response, power_on_data)| {
        check(Some(&response), &power_on_data, &accepted);
        Ok(())
    });
    run.unwrap();
    let accepted = accepted.get();
    assert!((500..2500).contains(&accepted), "{accepted}");
}

#[test]
fn power_on_data_of_cards() {
    let accepted = Cell::new(0);
    let run = runner(4, 1000).run(&prop_oneof![3 => spoiled(power_on_data()), 1 => bytes(40)], |power_on_data| {
        check(None, &power_on_data, &accepted);
        Ok(())
    });
    run.unwrap();
    let accepted = accepted.get();
    assert!((200..800).contains(&accepted), "{accepted}");
}
