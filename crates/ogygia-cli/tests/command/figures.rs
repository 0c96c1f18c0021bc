//! The figures of `run --json`, to the byte: specification 02, "The figures".

use serde_json::{Value, json};

use crate::helper::Folder;
use crate::run;

fn figures(scenario: &str) -> Value {
    figures_of(&[scenario])
}

fn figures_of(arguments: &[&str]) -> Value {
    let output = run(&[arguments, &["--json"]].concat());
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    serde_json::from_str(&output.stdout).unwrap()
}

/// Requests, commands, bytes out and in; then whether a session authenticated, and the prefetches.
type Line = [usize; 4];

#[track_caller]
fn has(scenario: &str, card: Line, sam: Line, authenticated: bool, sam_prefetches: usize) {
    // The channel is closed with the last request, but where the card may have to be asked for its issuer behind that.
    let card_closings = usize::from(scenario == "pki");
    let expected = json!({
        "scenario": scenario, "policy": "grouped", "outcome": "success", "authenticated": authenticated,
        "selection_requests": 1, "card_requests": card[0], "sam_requests": sam[0], "sam_prefetches": sam_prefetches,
        "card_closings": card_closings, "card_apdus": card[1], "sam_apdus": sam[1],
        "card_bytes": { "out": card[2], "in": card[3] }, "sam_bytes": { "out": sam[2], "in": sam[3] },
        "model": "default",
    });
    let mut found = figures(scenario);
    for time in ["virtual_us", "virtual_leave_us", "virtual_selection_us"] {
        assert!(found.as_object_mut().unwrap().remove(time).unwrap().as_u64() > Some(0), "{time}");
    }
    assert_eq!(found, expected);
}

/// Under the overlapped policy, in the time of a model.
fn times(scenario: &str, more: &[&str]) -> [u64; 5] {
    let figures = figures_of(&[&[scenario], more].concat());
    ["card_requests", "sam_requests", "virtual_us", "virtual_leave_us", "virtual_selection_us"]
        .map(|name| figures[name].as_u64().unwrap())
}

/// In microseconds, and always the same.
#[test]
fn virtual_time() {
    assert_eq!(times("validation-embedded", &[]), [6, 2, 335_533, 335_533, 8_265]);
    assert_eq!(times("validation-embedded", &["--policy", "overlapped"]), [8, 3, 239_824, 239_824, 8_265]);
    let fast = ["--policy", "overlapped", "--model", "fast"];
    assert_eq!(times("validation-embedded", &fast), [8, 6, 46_684, 46_684, 2_520]);
    let distributed = ["--model", "distributed"];
    assert_eq!(times("sale-distributed", &distributed), [2, 3, 571_001, 571_001, 71_277]);
}

/// A new card is prepared with sessions of its own, on the same clock; that does not change when the gate opens.
#[test]
fn a_new_card_takes_as_long_as_a_known_one() {
    let folder = Folder::new("gate");
    let on_a_card = |scenario: &str| times(scenario, &["--card", &folder.path(scenario), "--model", "distributed"]);
    for (scenario, gate_us) in [("pki", 133_545), ("sale-distributed", 571_001)] {
        let (new, known) = (on_a_card(scenario), on_a_card(scenario));
        assert_eq!(new, known, "{scenario}");
        assert_eq!(new[2], gate_us, "{scenario}");
    }
}

#[test]
fn without_a_session() {
    has("plain-pin", [2, 2, 18, 4], [0, 0, 0, 0], false, 0);
    has("change-key-and-pin", [4, 4, 68, 24], [2, 5, 64, 58], false, 0);
    has("signature-outside-session", [1, 2, 10, 62], [1, 2, 46, 4], false, 0);
    has("sv-outside-session", [2, 2, 34, 40], [2, 3, 80, 17], false, 0);
}

#[test]
fn validations_and_a_sale() {
    has("validation-embedded", [6, 9, 88, 152], [2, 5, 265, 34], true, 2);
    has("validation-simple", [6, 9, 88, 152], [3, 6, 260, 20], true, 0);
    has("sale-distributed", [2, 9, 142, 175], [3, 7, 352, 22], true, 0);
}

#[test]
fn in_a_session() {
    has("pin-in-session", [4, 9, 96, 102], [4, 8, 242, 32], true, 0);
    has("signature-in-session", [2, 7, 78, 90], [4, 9, 275, 34], true, 0);
    has("sv-in-session", [2, 7, 94, 118], [4, 8, 286, 35], true, 0);
    has("multiple-sessions", [4, 14, 330, 52], [5, 11, 421, 38], true, 0);
}

/// One byte to the card is ours: the Le of the ciphered Decrease, which the analysed engine leaves out (point G7).
#[test]
fn in_the_extended_mode() {
    has("extended-authentication", [7, 10, 111, 170], [5, 8, 286, 40], true, 0);
    has("extended-encryption", [7, 10, 102, 162], [8, 17, 311, 217], true, 0);
}

/// Specification 02, E.17: the authority is known.
#[test]
fn with_certificates() {
    has("pki", [1, 5, 35, 483], [0, 0, 0, 0], true, 0);
}

/// Ours, without figures in the specification.
#[test]
fn ticketing_flows() {
    let counts = |scenario| {
        let figures = figures(scenario);
        ["card_requests", "sam_requests", "sam_prefetches"].map(|name| figures[name].as_u64().unwrap())
    };
    assert_eq!(counts("validate"), [5, 2, 1]);
    assert_eq!(counts("personalize"), [2, 3, 0]);
    assert_eq!(counts("load-contract"), [4, 6, 0]);
    assert_eq!(counts("control"), [2, 3, 0]);
}

/// The table of all scenarios has a line for each policy and model, and does not depend on the day.
#[test]
fn bench() {
    let table = crate::helper::ogygia(&["bench", "plain-pin", "validation-simple"]);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""));
    assert_eq!(table.stdout.lines().count(), 1 + 2 * 3 * 2);
    assert_eq!(table.stdout, crate::helper::ogygia(&["bench", "plain-pin", "validation-simple"]).stdout);
    let lines = crate::helper::ogygia(&["bench", "sale-distributed", "--model", "distributed", "--json"]).stdout;
    let objects: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["specified_sam_bytes"], 352 + 22);
    assert_eq!(objects[0]["sam_bytes"], json!({ "out": 352, "in": 22 }));
    // What both commands count, they count under the same names and in the same form.
    let counted = figures_of(&["sale-distributed", "--model", "distributed"]);
    let counted = counted.as_object().unwrap().iter().filter(|(name, _)| objects[0].get(name).is_some());
    let counted: Vec<_> = counted.map(|(name, value)| (name, value == &objects[0][name])).collect();
    assert!(counted.len() >= 11 && counted.iter().all(|(_, is_same)| *is_same), "{counted:?}");
    crate::helper::ogygia(&["bench", "no-such"]).is_refused(2, "no scenario");
    assert_eq!(crate::helper::ogygia(&["bench", "--model", "no-such"]).code, 2);
}

/// A request without commands takes its time, and is told of, but is not one of those that the specification counts.
#[test]
fn the_account_shows_when_the_channel_is_closed() {
    let account = run(&["pki", "--model", "distributed"]).stdout;
    for line in [
        "terminal → card reader, request 1, from 58.3 to 191.8 ms",
        "terminal → card reader, closes the channel, from 191.8 to 242.1 ms",
        "card: 1 request with 5 commands, 35 bytes out, 483 in; selection apart",
        "and 1 request that only closes the channel",
        "SAM:  0 requests with 0 commands, 0 bytes out, 0 in",
    ] {
        assert!(account.lines().any(|found| found.trim() == line), "{line}:\n{account}");
    }
    assert!(!run(&["sale-distributed"]).stdout.contains("closes the channel"));
}

/// Who is at work while somebody else is.
#[test]
fn the_account_shows_what_overlaps() {
    let account = run(&["validation-embedded", "--policy", "overlapped"]).stdout;
    for line in [
        "terminal → card reader, request 1, from 8.3 to 22.6 ms",
        "terminal → SAM, request 1, from 8.3 to 63.6 ms",
        "terminal → card reader, request 8, from 153.7 to 196.1 ms",
        "terminal → SAM, request 3, from 153.7 to 248.1 ms",
        "time: 239.8 ms until the gate may open, 239.8 ms until the card may leave, after 8.3 ms of selection",
    ] {
        assert!(account.lines().any(|found| found.trim() == line), "{line}");
    }
}
