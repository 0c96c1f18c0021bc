//! No PIN is ever shown.

use crate::helper::{Folder, Output, ogygia};
use crate::run;

/// Neither digits nor bytes. The PIN at delivery is looked for by its bytes only: other things have zeros too.
#[track_caller]
fn hides(output: &Output, pins: &[&str]) {
    let said = format!("{}{}", output.stdout, output.stderr);
    for pin in pins {
        let bytes: String = pin.bytes().map(|byte| format!("{byte:02X}")).collect();
        assert!(!said.contains(&bytes), "{said}");
        assert!(*pin == "0000" || !said.contains(pin), "{said}");
    }
}

#[test]
fn pins_are_masked_everywhere() {
    let new = ["--new-pin", "7359"];
    for (scenario, typed) in [("plain-pin", &new[..]), ("change-key-and-pin", &new), ("pin-in-session", &[])] {
        for json in [&[][..], &["--json"]] {
            let output = run(&[&[scenario], typed, json].concat());
            assert_eq!(output.code, 0);
            hides(&output, &["0000", "7359"]);
            assert_eq!(output.stdout.contains("****"), json.is_empty());
        }
    }
}

/// What is ciphered is masked too, at the card and at the SAM.
#[test]
fn the_masks() {
    let shown = |scenario: &str, lines: &[&str]| {
        let account = run(&[scenario]).stdout;
        for line in lines {
            assert!(account.contains(line), "{line} is not in\n{account}");
        }
    };
    shown("plain-pin", &[" 0020000004**** → 9000\n", " 00D800FF04**** → 9000\n", "before: ****\n", "after:  ****\n"]);
    shown("change-key-and-pin", &[" 801240FF0A2179**** → ****9000\n", " 00D800FF10**** → 9000\n"]);
    shown("pin-in-session", &[" 801280FF063079**** → ****9000\n", " 0020000008**** → 9000\n"]);
}

/// Also a wrong one, and one that is no PIN at all.
#[test]
fn pins_that_are_refused() {
    let wrong = run(&["pin-in-session", "--pin", "7359"]);
    assert_eq!(wrong.code, 1);
    assert!(wrong.stdout.contains("WRONG; presentations left: 2"), "{}", wrong.stdout);
    hides(&wrong, &["7359", "0000"]);
    let object = run(&["pin-in-session", "--pin", "7359", "--json"]);
    assert!(object.stderr.contains("63C2: PIN wrong or blocked\n"), "{}", object.stderr);
    hides(&object, &["7359", "0000"]);
    for typed in ["73591", "735", "735A", "73\u{df}"] {
        let output = run(&["plain-pin", "--pin", typed]);
        output.is_refused(2, "a PIN has four digits");
        hides(&output, &[typed]);
    }
    hides(&ogygia(&["run", "--help"]), &["4711"]);
}

/// The holder has to know the new PIN from then on.
#[test]
fn a_pin_that_was_changed() {
    let folder = Folder::new("pin");
    let file = folder.path("card.json");
    let plain = |pin: &str, new: &str| run(&["plain-pin", "--card", &file, "--pin", pin, "--new-pin", new]);
    assert_eq!(plain("0000", "7359").code, 0);
    let old = plain("0000", "7359");
    assert_eq!(old.code, 1);
    assert!(old.stdout.ends_with("63C2: PIN wrong or blocked\n"), "{}", old.stdout);
    assert_eq!(plain("7359", "0000").code, 0);
    hides(&ogygia(&["read", "--card", &file]), &["7359", "0000"]);
    hides(&ogygia(&["read", "--card", &file, "--json"]), &["7359", "0000"]);
}
