//! `ogygia readers`, on virtual readers of the real PC/SC service: see the tests of `ogygia-reader`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may stop")]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../ogygia-reader/tests/pcsc/daemon.rs"]
mod daemon;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../../ogygia-reader/tests/pcsc/vpcd.rs"]
mod vpcd;

use std::process::{Command, Output};

use daemon::Daemon;
use ogygia_sim::{KeySet, SamProduct, SamProfile, VirtualSam};
use vpcd::Inserted;

fn ogygia(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ogygia")).args(arguments).output().unwrap()
}

fn readers() -> Output {
    ogygia(&["readers"])
}

#[test]
fn readers_are_listed_with_what_is_in_them() {
    let daemon = Daemon::start();
    let sam = VirtualSam::new(SamProduct::C1, [0x11, 0x22, 0x33, 0x44], &KeySet::new(b"readers"));
    let atr: String = sam.power_on_data().iter().map(|byte| format!("{byte:02X}")).collect();
    let inserted = Inserted::new(1, sam);
    let output = readers();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &[][..]));
    // There may be real ones beside them.
    let told = String::from_utf8(output.stdout).unwrap();
    let ours: Vec<Vec<&str>> =
        told.lines().filter(|line| line.starts_with("Virtual PCD")).map(|line| line.split("  ").collect()).collect();
    let [first, second] = ours.as_slice() else { panic!("{told}") };
    assert_eq!((first[0], *first.last().unwrap()), ("Virtual PCD 00 00", "empty"));
    assert_eq!(second[0], "Virtual PCD 00 01");
    assert_eq!(second[second.len() - 2..], [atr.as_str(), "SAM C1 11223344"]);
    inserted.remove();

    daemon.killer().kill();
    let output = readers();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &[][..]));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "ogygia: the PC/SC service does not run\n");
    daemon.restart();
}

/// As with the virtual one, but for its name, and that it remembers what it has signed.
#[test]
fn a_sam_in_a_reader() {
    let daemon = Daemon::start();
    let keys = ogygia_cli::terminal::keys();
    let profile = SamProfile::builtin("sam-locked").unwrap().unwrap();
    let locked = VirtualSam::personalized(&profile, [0x0A, 0x0B, 0x0C, 0x0D], &keys).unwrap();
    let value = profile.lock_secret(&keys).unwrap().static_value(locked.serial());
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("unlock-value");
    std::fs::write(&file, value.iter().map(|byte| format!("{byte:02X}")).collect::<String>() + "\n").unwrap();
    let unlock = file.to_str().unwrap();
    let inserted = Inserted::new(1, locked);
    let asked = |arguments: &[&str]| {
        let output = ogygia(&[&["sam"], arguments, &["--sam-reader", "PCD 00 01"]].concat());
        (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };

    let (code, told, _) = asked(&["info"]);
    assert_eq!((code, told.lines().next()), (Some(0), Some("SAM C1 0A0B0C0D")));
    let (code, _, why) = asked(&["sign", "0011223344556677"]);
    assert_eq!(code, Some(1));
    assert!(why.contains("6985"), "{why}");
    for counter in 1..=2 {
        let (code, told, why) = asked(&["sign", "0011223344556677", "--trace", "0", "--unlock-value", unlock]);
        assert_eq!((code, why.as_str()), (Some(0), ""));
        assert!(told.contains(&format!("serial number 0A0B0C0D, counter {counter}\n")), "{told}");
    }
    let (code, told, _) = asked(&["counters"]);
    assert_eq!(code, Some(0));
    assert!(told.contains("\n        7         2 "), "{told}");
    inserted.remove();

    let (code, _, why) = asked(&["info"]);
    assert_eq!(code, Some(1));
    assert!(why.starts_with("ogygia: ") && why.lines().count() == 1, "{why}");
    let output = ogygia(&["sam", "info", "--sam-reader", "no such reader"]);
    assert_eq!(output.status.code(), Some(1));
    drop(daemon);
}
