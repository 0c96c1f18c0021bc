//! What the command promises, one test each, on the binary itself.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    reason = "a failure is a failed test"
)]

mod figures;
mod helper;
mod life;
mod pki;
mod sam;
mod secrets;

use helper::{Folder, Output, ogygia, ogygia_in, unheard};
use serde_json::Value;

const NOW: [&str; 2] = ["--now", "2026-11-25T08:32"];
const A_MINUTE_LATER: [&str; 2] = ["--now", "2026-11-25T08:33"];

fn run_at(now: [&str; 2], arguments: &[&str]) -> Output {
    ogygia(&[&["run"], arguments, &now].concat())
}

fn run(arguments: &[&str]) -> Output {
    run_at(NOW, arguments)
}

/// Word by word and in this order, in one folder.
#[test]
fn the_examples_of_the_readme() {
    let folder = Folder::new("readme");
    let readme = include_str!("../../../../README.md");
    let examples: Vec<_> = readme.lines().filter_map(|line| line.strip_prefix("ogygia ")).collect();
    assert!(examples.len() > 5, "{examples:?}");
    for example in examples {
        let arguments: Vec<_> = example.split(" #").next().unwrap().split_whitespace().collect();
        let output = ogygia_in(&folder, &arguments);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{example}");
    }
    assert!(ogygia_in(&folder, &["read", "--card", "pki.json"]).stdout.contains("certificate"));
}

#[test]
fn scenarios_are_listed_one_on_each_line() {
    let output = ogygia(&["run", "--list"]);
    assert_eq!(output.code, 0);
    let names: Vec<_> = output.stdout.lines().map(|line| line.split_once(' ').unwrap().0).collect();
    let expected = [
        "plain-pin",
        "change-key-and-pin",
        "signature-outside-session",
        "sv-outside-session",
        "validation-embedded",
        "validation-simple",
        "sale-distributed",
        "pin-in-session",
        "signature-in-session",
        "sv-in-session",
        "multiple-sessions",
        "extended-authentication",
        "extended-encryption",
        "pki",
        "personalize",
        "load-contract",
        "validate",
        "control",
    ];
    assert_eq!(names, expected);
    assert!(output.stdout.lines().all(|line| line.len() > 30 && line.len() <= 120), "{}", output.stdout);
}

/// Whoever reads the account sees what is ciphered, and that the SAM alone makes it clear.
#[test]
fn the_accounts_of_extended_sessions() {
    let told = run(&["extended-encryption"]).stdout;
    assert!(told.contains("Manage Secure Session: the data of what follows are ciphered\n"), "{told}");
    assert!(told.contains("Decrease: Counters, counter 1: 3 bytes, ciphered\n"), "{told}");
    assert!(told.contains("← it says 0000099000\n"), "{told}");
    assert!(told.contains("without data to decipher: 9000; it is still to come, and certain\n"), "{told}");
    let early = run(&["extended-authentication"]).stdout;
    assert!(early.contains("12 messages between terminal and card; the last 4 are still to come, and certain\n"));
    assert!(early.contains("Before the terminal read on, card and terminal had authenticated each other"), "{early}");
    assert!(![told, early].concat().contains("Unknown command"));
}

/// The chain that was verified is shown, and a card from a file has its certificates still.
#[test]
fn the_account_of_a_session_that_the_card_signs() {
    let folder = Folder::new("signing-card");
    let card = folder.path("card.json");
    for _ in 0..2 {
        let output = run(&["pki", "--card", &card]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let told = output.stdout;
        assert!(told.contains("\n    root: key 00000001, trusted because the terminal has it\n"), "{told}");
        assert!(told.contains("authority: key 00000002, may certify cards, valid for ever, certified by the root\n"));
        assert!(told.contains("application A000000291FF9101, valid for ever, certified by key 00000002\n"), "{told}");
        assert!(told.contains("The card proved to the terminal that it is genuine"), "{told}");
        assert!(told.ends_with("genuine: contract 1: multi-trip, sold 2026-11-25, valid until 2032-11-01\n"), "{told}");
    }
    let read = ogygia(&["read", "--card", &card]).stdout;
    assert!(read.contains("certificate of a card\n") && read.contains("certificate of an authority\n"), "{read}");
    let unfit = run(&["pki", "--profile", "kit-prime-regular-v3"]);
    assert_eq!(unfit.code, 1);
    assert!(unfit.stdout.ends_with("this card has no asymmetric keys; kit-prime-pki-v3 is one that has\n"));
}

#[test]
fn the_account_of_a_validation() {
    let output = run(&["validate"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let told = [
        "personalized with key 1",
        "loaded with key 2: 10 trips",
        "terminal → SAM",
        "terminal → card reader",
        "Open Secure Session: open a session with key 3 (debit), and read Environment, record 1",
        "Read Records: Event log, record 1",
        "Digest Init:",
        "10 messages between terminal and card; the last 4 are still to come, and certain\n",
        "Decrease: Counters, counter 1: 1 less",
        "Append Record: Event log",
        "Digest Authenticate:",
        "Slot 1 is chosen: multi-trip, valid until 2032-11-01; 10 left before, 9 after.",
        "    before: never validated",
        "    after:  validated 2026-11-25 08:32 at Paris (5) with contract 1",
        "Card and terminal authenticated each other",
    ];
    let mut rest = output.stdout.as_str();
    for text in told {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text} is not told, or not in order:\n{}", output.stdout));
        rest = &rest[at..];
    }
    assert_eq!(output.stdout.lines().last(), Some("accepted: multi-trip in slot 1, 9 left"));
}

/// The contract is written as it was, so it did not change; the list did.
#[test]
fn the_account_of_a_sale() {
    let told = run(&["sale-distributed"]).stdout;
    let changed = told.split("What changed on the card\n").nth(1).unwrap().split("\n\n").next().unwrap();
    assert!(changed.starts_with("  Contract list, record 1\n    before: zeros\n    after:  02"), "{told}");
    assert!(changed.ends_with("  Counters, counter 1\n    before: 10\n    after:  20"), "{told}");
    assert!(!changed.contains("Contracts"), "{told}");
}

#[test]
fn personalize_lists_its_exchanges() {
    let output = run(&["personalize"]);
    assert_eq!(output.code, 0);
    assert_eq!(output.stdout.matches("    Update Record: ").count(), 7);
    assert!(output.stdout.ends_with("personalized: card number 1, works until 2032-11-01, in 1 session\n"));
}

#[test]
fn a_card_is_kept_between_runs() {
    let folder = Folder::new("kept");
    let file = folder.path("card.json");
    let validate = ["validate", "--card", &file];

    assert_eq!(run(&validate).code, 0);
    let again = run(&validate);
    assert_eq!(again.code, 1);
    assert!(again.stdout.contains("already tapped") && again.stdout.contains("cancelled"), "{}", again.stdout);
    assert!(again.stdout.contains("Nothing was proved") && !again.stdout.contains("authenticated each other"));
    assert!(again.stdout.contains("What changed on the card\n  nothing\n"));

    let later = run_at(A_MINUTE_LATER, &validate);
    assert_eq!(later.code, 0);
    assert!(!later.stdout.contains("personalized"), "only a new card is");
    assert!(later.stdout.ends_with("8 left\n"), "{}", later.stdout);
    assert_eq!(folder.names(), ["card.json"], "no file is left over");
}

#[test]
fn a_refusal_is_one_object_too() {
    let folder = Folder::new("refusal");
    let file = folder.path("card.json");
    let outcome = |arguments: &[&str]| {
        let output = run(arguments);
        let object: Value = serde_json::from_str(&output.stdout).unwrap();
        (output.code, object["outcome"].as_str().unwrap().to_owned(), object["authenticated"].as_bool().unwrap())
    };
    assert_eq!(outcome(&["validate", "--json", "--card", &file]), (0, "success".to_owned(), true));
    assert_eq!(outcome(&["validate", "--json", "--card", &file]), (1, "invalid card".to_owned(), false));
    assert_eq!(outcome(&["personalize", "--json", "--card", &file]), (0, "success".to_owned(), true));
    assert_eq!(outcome(&["validate", "--json", "--card", &file]), (1, "empty card".to_owned(), false));
    assert_eq!(outcome(&["validate", "--json", "--profile", "stored-value"]), (1, "error".to_owned(), false));
}

/// The reason is not lost: it stands beside the object.
#[test]
fn a_refusal_with_its_reason() {
    let folder = Folder::new("reason");
    let validate = ["validate", "--json", "--card", &folder.path("card.json")];
    assert_eq!(run(&validate).stderr, "");
    let again = run(&validate);
    assert_eq!(again.stderr, "ogygia: refused: invalid card, already tapped (2026-11-25 08:32)\n");
    let failed = run(&["validate", "--json", "--profile", "stored-value"]);
    assert!(failed.stderr.starts_with("ogygia: failed: no ticketing application on this card"), "{}", failed.stderr);
    assert_eq!(failed.stderr.lines().count(), 1);
}

#[test]
fn a_card_of_another_kind_is_told_of() {
    let output = run(&["validate", "--profile", "stored-value"]);
    assert_eq!((output.code, output.stderr.as_str()), (1, ""));
    assert_eq!(
        output.stdout.lines().last(),
        Some(
            "failed: no ticketing application on this card (stored-value); without --profile, validate takes \
             kit-prime-regular-v3"
        )
    );
}

#[test]
fn place_and_fare() {
    let riga = run(&["validate", "--location", "riga"]);
    assert!(riga.stdout.contains("at Riga (6)"), "{}", riga.stdout);
    assert_eq!(run(&["validate", "--location", "77"]).code, 0);
    run(&["validate", "--location", "Atlantis"]).is_refused(2, "no location \"Atlantis\";");
    assert_eq!(run(&["validate", "--fare", "0"]).code, 2);
    assert_eq!(run(&["validate", "--fare", "300", "--policy", "grouped"]).code, 0);
}

/// Rather than ignore it.
#[test]
fn options_of_other_scenarios() {
    let refused = |arguments: &[&str], why| run(arguments).is_refused(2, why);
    refused(&["validate", "--trips", "3"], "--trips does not belong to validate, but to load-contract");
    refused(&["control", "--pin", "73591"], "--pin does not belong to control, but to plain-pin and pin-in-session");
    refused(&["load-contract", "--tariff", "season-pass", "--trips", "3"], "--trips belongs to --tariff multi-trip");
    refused(&["load-contract", "--amount", "3"], "--amount belongs to --tariff stored-value");
}

#[test]
fn the_system_has_a_clock() {
    assert_eq!(ogygia(&["run", "validate"]).code, 0);
}

#[test]
fn times_that_a_card_cannot_express() {
    let at = |now| ogygia(&["run", "validate", "--now", now]);
    at("2009-12-31T23:59").is_refused(2, "2010");
    at("2054-11-10T00:00").is_refused(2, "2010");
    at("tomorrow").is_refused(2, "YYYY-MM-DDTHH:MM");
    assert_eq!(at("2010-01-01T00:00").code, 0);
}

/// As in a pipe before `head`: the end is quiet, and the exit code as it would have been.
#[test]
fn nobody_listens() {
    let quiet = |code: i32| (code, String::new());
    for arguments in [&["run", "--list"][..], &["run", "validate"], &["run", "validate", "--json"], &["read"]] {
        assert_eq!(unheard(arguments), quiet(0), "{arguments:?}");
    }
    assert_eq!(unheard(&["run", "validate", "--profile", "stored-value"]), quiet(1));
    let (code, told) = unheard(&["run", "validate", "--profile", "stored-value", "--json"]);
    assert!(code == 1 && told.starts_with("ogygia: failed: no ticketing"), "{told}");
}

#[test]
fn unknown_scenario() {
    run(&["lunch"]).is_refused(2, "no scenario \"lunch\"; there are: plain-pin, change-key-and-pin,");
}

#[test]
fn unknown_profile() {
    run(&["validate", "--profile", "kit"]).is_refused(2, "no profile \"kit\"; there are: ");
    ogygia(&["read", "--profile", "kit"]).is_refused(2, "kit-prime-regular-v3");
}

#[test]
fn a_card_of_another_profile() {
    let folder = Folder::new("profile");
    let file = folder.path("card.json");
    let light = ["validate", "--card", &file, "--profile", "kit-light-classic-v3"];
    assert_eq!(run(&light).code, 0);
    run(&["validate", "--card", &file, "--profile", "kit-basic-v2"]).is_refused(2, "of kit-light-classic-v3");
    ogygia(&["read", "--card", &file, "--profile", "kit-basic-v2"]).is_refused(2, "of kit-light-classic-v3");
    assert_eq!(run_at(A_MINUTE_LATER, &light).code, 0);
    assert_eq!(run_at(["--now", "2026-11-25T08:34"], &["validate", "--card", &file]).code, 0);
}

#[test]
fn help_tells_what_is_counted() {
    let output = ogygia(&["run", "--help"]);
    assert_eq!(output.code, 0);
    assert!(output.stdout.contains("sam_prefetches"), "{}", output.stdout);
}

#[test]
fn every_help_tells_the_exit_codes() {
    let all: [&[&str]; 8] =
        [&[], &["run"], &["read"], &["conform"], &["pki"], &["pki", "issue"], &["pki", "show"], &["pki", "verify"]];
    for command in all {
        for help in ["-h", "--help"] {
            let output = ogygia(&[command, &[help]].concat());
            assert_eq!(output.code, 0);
            assert_eq!(output.stdout.matches("Exit codes: 0 when all is as hoped; 1 when").count(), 1, "{command:?}");
        }
    }
}

#[test]
fn wrong_usage() {
    for arguments in [&[][..], &["run"], &["walk"], &["run", "validate", "--trace", "x"], &["conform"]] {
        assert_eq!(ogygia(arguments).code, 2, "{arguments:?}");
    }
}

#[test]
fn a_damaged_card_file_is_left_as_it_is() {
    let folder = Folder::new("damaged");
    let file = folder.path("card.json");
    assert_eq!(run(&["validate", "--card", &file]).code, 0);
    let whole = std::fs::read(&file).unwrap();
    let damages = [&b""[..], &whole[..whole.len() / 2], b"{}", b"\xFF\xFE", b"[1, 2"];
    for damaged in damages {
        std::fs::write(&file, damaged).unwrap();
        run(&["validate", "--card", &file]).is_refused(2, "left as it is");
        ogygia(&["read", "--card", &file]).is_refused(2, "left as it is");
        assert_eq!(std::fs::read(&file).unwrap(), damaged);
    }
    assert_eq!(folder.names(), ["card.json"]);
}

#[test]
fn a_place_that_cannot_be_written() {
    let folder = Folder::new("unwritable");
    run(&["validate", "--card", &folder.path("missing/card.json")]).is_refused(1, "cannot write");
    run(&["validate", "--card", &folder.path("")]).is_refused(2, "cannot read");
    assert!(folder.names().is_empty());
}

#[test]
fn read_shows_what_is_on_the_card() {
    let folder = Folder::new("read");
    let file = folder.path("card.json");
    ogygia(&["read", "--card", &file]).is_refused(2, "there is no card file");
    run(&["validate", "--card", &file]);
    let output = ogygia(&["read", "--card", &file]);
    assert_eq!(output.code, 0);
    let shown = [
        "application     A000000291FF9101, valid",
        "serial number   0000000011223346",
        "product         Calypso Prime revision 3",
        "2010  08   Event log       cyclic",
        "validated 2026-11-25 08:32 at Paris (5) with contract 1",
        "multi-trip, sold 2026-11-25, valid until 2032-11-01",
        "0000090000000000000000000000000000000000000000000000000000",
    ];
    for text in shown {
        assert!(output.stdout.contains(text), "{text} is not shown:\n{}", output.stdout);
    }
}

#[test]
fn read_prints_the_image() {
    let output = ogygia(&["read", "--json", "--profile", "kit-light-classic-v3"]);
    assert_eq!(output.code, 0);
    let image: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(image["df_name"], "A000000291FF9101");
    assert_eq!(image["product_type"], "light");
    assert_eq!(image["files"].as_array().unwrap().len(), 6);
}

#[test]
fn conform_tells_of_paths_that_are_not_there_and_goes_on_behind_broken_files() {
    let folder = Folder::new("conform");
    assert_eq!(ogygia(&["conform", &folder.path("missing.json")]).code, 2);
    std::fs::write(folder.path("other.json"), "{}").unwrap();
    let output = ogygia(&["conform", &folder.path("other.json")]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stdout.ends_with("\n0 passed, 1 failed\n"), "{}", output.stdout);
}

/// With everything that is there, in two folders and beside them.
#[test]
fn conform_searches_folders() {
    let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors");
    let whole = ogygia(&["conform", kept]);
    assert_eq!((whole.code, whole.stderr.as_str()), (0, ""));
    assert_eq!(whole.stdout, ogygia(&["conform", &format!("{kept}/exchanges")]).stdout);
    assert!(ogygia(&["conform", "--help"]).stdout.contains("the folders below"));
}

#[cfg(not(feature = "pcsc"))]
#[test]
fn readers_need_a_feature() {
    ogygia(&["readers"]).is_refused(1, "built without PC/SC readers; build it with --features pcsc");
}
