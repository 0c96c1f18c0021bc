//! The life of a card, from one run to the next: specification 08, "A life of a card" and "Cases a test should have".

use serde_json::Value;

use crate::helper::{Folder, Output, ogygia};

/// A card in a file.
struct Card {
    _folder: Folder,
    file: String,
}

impl Card {
    fn new(name: &str) -> Self {
        let folder = Folder::new(name);
        Self { file: folder.path("card.json"), _folder: folder }
    }

    fn try_run(&self, now: &str, arguments: &[&str]) -> Output {
        ogygia(&[&["run"], arguments, &["--card", &self.file, "--now", now]].concat())
    }

    /// The last line of what must succeed.
    #[track_caller]
    fn run(&self, now: &str, arguments: &[&str]) -> String {
        let output = self.try_run(now, arguments);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
        output.stdout.lines().last().unwrap().to_owned()
    }

    fn record(&self, sfi: u64, number: &str) -> String {
        let image = ogygia(&["read", "--json", "--card", &self.file]).stdout;
        let image: Value = serde_json::from_str(&image).unwrap();
        let file = image["files"].as_array().unwrap().iter().find(|file| file["sfi"] == sfi).unwrap();
        file["records"][number].as_str().unwrap().to_owned()
    }

    fn content(&self) -> Vec<String> {
        let records = [(7, "1"), (8, "1"), (8, "2"), (9, "1"), (9, "2"), (0x19, "1")];
        records.map(|(sfi, number)| self.record(sfi, number)).to_vec()
    }
}

const BLANK: &str = "0000000000000000000000000000000000000000000000000000000000";
const DAY: &str = "2025-06-16T10:00";

#[test]
fn from_personalization_to_control() {
    let card = Card::new("life");
    let counters = |card: &Card| card.record(0x19, "1")[..24].to_owned();

    card.run(DAY, &["personalize"]);
    let environment = "0100000001160D1E8D0000000000000000000000000000000000000000";
    assert_eq!(card.record(7, "1"), environment);
    assert_eq!(card.record(8, "1"), BLANK);
    assert!(["1", "2", "3", "4"].iter().all(|number| card.record(9, number) == BLANK));
    assert_eq!(counters(&card), "000000000000000000000000");

    let loaded = card.run(DAY, &["load-contract", "--trips", "10"]);
    assert_eq!(loaded, "loaded: 10 trips into slot 1, 10 now, valid until 2031-06-01");
    let trips = "0102160D1E8D0000000000000000000000000000000000000000000000";
    assert_eq!(card.record(9, "1"), trips);
    assert_eq!(counters(&card), "00000A000000000000000000");
    assert_eq!(card.record(8, "1"), "0100000000000000000002000000000000000000000000000000000000");

    let loaded = card.run(DAY, &["load-contract", "--tariff", "season-pass"]);
    assert_eq!(loaded, "loaded: a season pass into slot 2, valid until 2025-07-16");
    let pass = "0101160D162B0000000000000000000000000000000000000000000000";
    assert_eq!(card.record(9, "2"), pass);
    assert_eq!(card.record(8, "1"), "0100000000000000000002010000000000000000000000000000000000");

    let first = "01160E0200000000050202010000000000000000000000000000000000";
    assert_eq!(card.run("2025-06-17T08:32", &["validate"]), "accepted: season pass valid until 2025-07-16");
    assert_eq!(card.record(8, "1"), first);
    assert_eq!(counters(&card), "00000A000000000000000000");

    assert_eq!(card.run("2025-07-17T18:05", &["validate"]), "accepted: multi-trip in slot 1, 9 left");
    let second = "01162C043D0000000501021F0000000000000000000000000000000000";
    assert_eq!(card.record(8, "1"), second);
    assert_eq!(card.record(8, "2"), first, "the log grows");
    assert_eq!(counters(&card), "000009000000000000000000");

    let control = card.try_run("2025-07-17T18:30", &["control"]);
    let told = [
        "Slot 1: multi-trip, from 2025-06-16 to 2031-06-01, 9 left, validated 2025-07-17 18:05: in order.",
        "Slot 2: season pass, from 2025-06-16 to 2025-07-16: expired.",
        "Last validation: 2025-07-17 18:05 at Paris (5), slot 1 (multi-trip); it counts.",
        "Card and terminal authenticated each other",
    ];
    assert!(told.iter().all(|text| control.stdout.contains(text)), "{}", control.stdout);
    assert!(control.stdout.ends_with("titles found: 2, authenticated by the SAM\n"));
    let records = [(7, "1", environment), (8, "1", second), (8, "2", first), (9, "1", trips), (9, "2", pass)];
    assert!(records.iter().all(|(sfi, number, record)| card.record(*sfi, number) == *record), "control writes nothing");
}

#[test]
fn controls_elsewhere_and_too_late() {
    let card = Card::new("control");
    card.run(DAY, &["personalize"]);
    card.run(DAY, &["load-contract"]);
    card.run("2025-06-17T08:32", &["validate"]);
    let status = |now, arguments: &[&str]| {
        let output = card.try_run(now, &[&["control"], arguments].concat());
        assert_eq!(output.code, 0);
        let line = output.stdout.lines().find(|line| line.contains("Slot 1: ")).unwrap();
        line.rsplit(": ").next().unwrap().to_owned()
    };
    assert_eq!(status("2025-06-17T09:32", &[]), "in order.");
    assert_eq!(status("2025-06-17T09:32", &["--location", "Riga"]), "must be validated.");
    assert_eq!(status("2025-06-17T09:33", &[]), "must be validated.");
    assert_eq!(status("2025-06-17T09:33", &["--validity", "90"]), "in order.");
    assert_eq!(status("2025-06-18T00:10", &["--validity", "6000"]), "must be validated.");
    assert_eq!(status("2025-06-17T09:00", &["--no-sam"]), "in order.");
}

#[test]
fn a_control_without_a_sam() {
    let card = Card::new("plain");
    card.run(DAY, &["personalize"]);
    card.run(DAY, &["load-contract"]);
    let output = card.try_run(DAY, &["control", "--no-sam"]);
    assert!(output.stdout.contains("Terminal: no SAM") && output.stdout.contains("Nothing was proved"));
    assert!(output.stdout.ends_with("titles found: 1, not authenticated\n"));
    let json = card.try_run(DAY, &["control", "--no-sam", "--json"]);
    let json: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(
        (&json["authenticated"], &json["sam_requests"], &json["card_requests"]),
        (&false.into(), &0.into(), &1.into())
    );
    card.try_run(DAY, &["validate", "--no-sam"]).is_refused(2, "--no-sam does not belong to validate, but to control");
}

fn outcome(output: &Output) -> (i32, String) {
    let object: Value = serde_json::from_str(&output.stdout).unwrap();
    (output.code, object["outcome"].as_str().unwrap().to_owned())
}

#[test]
fn a_card_that_is_full() {
    let card = Card::new("full");
    card.run(DAY, &["personalize", "--profile", "kit-light-classic-v3"]);
    card.run(DAY, &["load-contract", "--tariff", "season-pass"]);
    card.run(DAY, &["load-contract", "--tariff", "multi-trip", "--trips", "3"]);
    let before = card.content();
    let value = ["load-contract", "--tariff", "stored-value", "--amount", "500"];
    let full = card.try_run(DAY, &value);
    assert!(full.stdout.contains("What changed on the card\n  nothing\n"), "{}", full.stdout);
    assert!(full.stdout.ends_with("refused: all slots hold contracts that are valid\n"));
    assert_eq!(outcome(&card.try_run(DAY, &[&value[..], &["--json"]].concat())), (1, "card full".to_owned()));
    assert_eq!(card.content(), before);
    let loaded = card.run("2025-07-17T10:00", &value);
    assert_eq!(
        loaded, "loaded: 500 of stored value into slot 1, 500 now, valid until 2031-06-01",
        "the pass has expired"
    );
}

#[test]
fn the_only_slot_of_a_basic_card() {
    let card = Card::new("basic");
    card.run(DAY, &["personalize", "--profile", "kit-basic-v2"]);
    card.run(DAY, &["load-contract", "--tariff", "season-pass"]);
    let loaded = card.run(DAY, &["load-contract"]);
    assert_eq!(loaded, "loaded: 10 trips into slot 1, 10 now, valid until 2031-06-01");
    assert!(card.record(9, "1").starts_with("0102160D1E8D"), "replaced");
}

#[test]
fn cards_that_are_not_loaded_or_controlled() {
    let card = Card::new("refused");
    card.run(DAY, &["personalize"]);
    assert_eq!(outcome(&card.try_run(DAY, &["control", "--json"])), (1, "empty card".to_owned()));
    card.run(DAY, &["load-contract"]);
    let other = card.try_run(DAY, &["load-contract", "--serial", "0000000011223347"]);
    assert!(other.stdout.ends_with("failed: not the same card: this one is 0000000011223346\n"), "{}", other.stdout);
    card.run(DAY, &["load-contract", "--serial", "0000000011223346"]);
    card.try_run(DAY, &["load-contract", "--serial", "11"]).is_refused(2, "no serial number");
    let last = "2031-06-01T23:59";
    card.run(last, &["load-contract"]);
    card.run(last, &["control"]);
    let late = "2031-06-02T00:00";
    assert_eq!(outcome(&card.try_run(late, &["load-contract", "--json"])), (1, "invalid card".to_owned()));
    assert_eq!(outcome(&card.try_run(late, &["control", "--json"])), (1, "error".to_owned()));
    assert_eq!(ogygia(&["run", "load-contract", "--trips", "0"]).code, 2);
    assert_eq!(ogygia(&["run", "load-contract", "--tariff", "free"]).code, 2);
}
