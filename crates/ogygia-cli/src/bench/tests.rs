use ogygia::Peer;

use super::*;
use crate::record::{Entry, Phase};

fn gate_us(line: &Line) -> u64 {
    line.report.durations.gate_us
}

/// Nothing but a little of the readers' time stands between the overlapped policy and what is possible.
#[test]
fn the_embedded_validation() {
    let [grouped, overlapped] = measure(Scenario::ValidationEmbedded, Model::DEFAULT).unwrap();
    assert!(gate_us(&overlapped) * 100 <= gate_us(&grouped) * 80, "a fifth shorter");
    assert!(overlapped.over_bound() <= 100, "within a tenth of the bound");
}

/// Three exchanges with each peer, and hardly more time than they take: selection included.
#[test]
fn the_distributed_sale() {
    let model = Model::DISTRIBUTED;
    let [Line { report, .. }, _] = measure(Scenario::SaleDistributed, model).unwrap();
    let counts = report.counts();
    assert_eq!((counts.selection_requests + counts.card_requests, counts.sam_requests), (3, 3));
    let whole = report.durations.selection_us + report.durations.leave_us;
    let device_us = |entry: &Entry| {
        let exchanges = entry.exchanges.iter();
        exchanges.map(|exchange| model.exchange_us(entry.peer, &exchange.command, exchange.answer_len())).sum::<u64>()
    };
    let devices: u64 = report.entries.iter().filter(|entry| entry.phase != Phase::Setup).map(device_us).sum();
    let least = 6 * 50_000 + devices;
    assert!((least..=least + least / 20).contains(&whole), "{whole} instead of {least}");
}

/// Both policies tell the card the same; the overlapped one is no slower at a gate, where no network is between; and
/// nothing is faster than the bound.
#[test]
fn every_scenario() {
    let mut printed = Vec::new();
    for scenario in Scenario::ALL {
        for model in Model::ALL {
            let [grouped, overlapped] = measure(scenario, model).unwrap();
            let place = format!("{} {}", scenario.name(), model.name);
            for line in [&grouped, &overlapped] {
                let durations = line.report.durations;
                assert!(line.bound.gate_us > 0 && durations.gate_us >= line.bound.gate_us, "{place}");
                assert!(durations.leave_us >= line.bound.leave_us, "{place}");
            }
            assert!(model == Model::DISTRIBUTED || gate_us(&overlapped) <= gate_us(&grouped), "{place}");
            assert_eq!(told_card(&grouped), told_card(&overlapped), "{place}");
            printed.extend([grouped.text(), overlapped.text()]);
        }
    }
    check_page(&printed);
}

/// The page about performance shows what is printed: all of the default model, and some of the others.
fn check_page(printed: &[String]) {
    let page = include_str!("../../../../docs/PERFORMANCE.md");
    let names = Scenario::ALL.map(Scenario::name);
    let is_line = |line: &&str| line.split_once("  ").is_some_and(|(name, _)| names.contains(&name)) || is_long(line);
    let shown: Vec<&str> = page.lines().filter(is_line).collect();
    for line in &shown {
        assert!(printed.iter().any(|printed| printed == line), "not printed any more: {line}");
    }
    let models = |line: &&String| line.contains(" default ");
    assert!(printed.iter().filter(models).all(|line| shown.contains(&line.as_str())));
    assert!(shown.len() > 50, "{}", shown.len());
}

/// The one name that leaves a single space.
fn is_long(line: &str) -> bool {
    line.starts_with("signature-outside-session ")
}

/// The instructions of all commands to the card.
fn told_card(line: &Line) -> Vec<Option<u8>> {
    let entries = line.report.entries.iter().filter(|entry| entry.peer == Peer::Card && entry.phase != Phase::Setup);
    entries.flat_map(|entry| &entry.exchanges).map(|exchange| exchange.command.get(1).copied()).collect()
}

fn exchange(command: &[u8]) -> crate::record::Exchange {
    crate::record::Exchange { command: command.to_vec(), response: Some(vec![0x90, 0x00]) }
}

/// A bound computed by hand: the SAM selects while the card opens and reads; then the MAC, the closing, the proof.
#[test]
fn the_longest_chain() {
    let model = Model { card_reader: Default::default(), sam_reader: Default::default(), ..Model::DEFAULT };
    let request = |peer, commands: &[&[u8]]| {
        let exchanges = commands.iter().map(|command| exchange(command)).collect();
        Entry { peer, phase: Phase::Transaction, exchanges, lost: None, began_us: 0, took_us: 0 }
    };
    let open: &[u8] = &[0x00, 0x8A, 0x03, 0x01, 0x04, 1, 2, 3, 4, 0];
    let read: &[u8] = &[0x00, 0xB2, 0x01, 0x3C, 0x1D];
    let append: &[u8] = &[0x00, 0xE2, 0x00, 0x40, 0x01, 1];
    let close: &[u8] = &[0x00, 0x8E, 0x00, 0x00, 0x04, 1, 2, 3, 4, 0];
    let ratify: &[u8] = &[0x00, 0xB2, 0x00, 0x00, 0x00];
    let sam = [0x14, 0x8A, 0x8C, 0x8E, 0x82].map(|instruction| [0x80, instruction, 0, 0, 0]);
    let [select, init, update, mac, proof] = sam.each_ref();
    let entries = [
        request(Peer::Card, &[open]),
        request(Peer::Card, &[read]),
        request(Peer::Sam, &[select, init, update, mac]),
        request(Peer::Card, &[append, close, ratify]),
        request(Peer::Sam, &[proof]),
    ];
    let takes = |peer, command: &[u8]| model.exchange_us(peer, command, 2);
    let card = |commands: &[&[u8]]| commands.iter().map(|command| takes(Peer::Card, command)).sum::<u64>();
    let of_sam = |commands: &[&[u8]]| commands.iter().map(|command| takes(Peer::Sam, command)).sum::<u64>();
    let ready = of_sam(&[select, init, update, mac]);
    assert!(ready > card(&[open, read, append]));
    let closed = ready + card(&[close]);
    let bound = bound(&entries, &model);
    assert_eq!(bound.gate_us, closed + of_sam(&[proof]));
    assert_eq!(bound.leave_us, bound.gate_us.max(closed + card(&[ratify])));
}

/// The card proves itself with its signature: the channel is closed behind that. What it aborts proves nothing.
#[test]
fn the_chain_of_a_card_that_signs() {
    let model = Model::DISTRIBUTED;
    let request = |exchanges| {
        let (peer, phase) = (Peer::Card, Phase::Transaction);
        Entry { peer, phase, exchanges, lost: None, began_us: 0, took_us: 0 }
    };
    let close: &[u8] = &[0x00, 0x8E, 0x00, 0x00, 0x00];
    let signed = crate::record::Exchange { command: close.to_vec(), response: Some(vec![0; 64 + 2]) };
    let way = model.card_reader.request_us + model.card_reader.network_us;
    for (closing, answer, is_signed) in [(signed, 66, true), (exchange(close), 2, false)] {
        let done = way + model.card_reader.command_us + model.exchange_us(Peer::Card, close, answer);
        let bound = bound(&[request(vec![closing]), request(vec![])], &model);
        assert_eq!(bound.gate_us, if is_signed { done } else { done + way });
        assert_eq!(bound.leave_us, done + way);
    }
}

/// Scripts read this.
#[test]
fn the_table() {
    let mut out = Vec::new();
    write(&[Scenario::ValidationEmbedded], &[Model::DEFAULT], false, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let expected = [
        "scenario                  model        policy       card    SAM card bytes  SAM bytes   than spec     gate    leave    bound     over",
        "validation-embedded       default      grouped       6/9    2/5     88+152     265+34       +0 +0    335.5    335.5    239.5   40.0 %",
        "validation-embedded       default      overlapped    8/9    3/5     88+152     265+34       +0 +0    239.8    239.8    239.5    0.1 %",
    ];
    assert_eq!(text.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn one_object_per_line() {
    let mut out = Vec::new();
    write(&[Scenario::Pki], &[Model::FAST], true, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let objects: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = objects.iter().map(|object| object["policy"].as_str().unwrap()).collect();
    assert_eq!(names, ["grouped", "overlapped"]);
    assert_eq!(objects[0]["scenario"], "pki");
    assert_eq!(objects[0]["specified_card_bytes"], serde_json::Value::Null);
    assert!(objects[0]["bound_us"].as_u64() <= objects[0]["virtual_us"].as_u64());
}
