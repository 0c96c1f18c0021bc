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
use ogygia_sim::{KeySet, SamProduct, VirtualSam};
use vpcd::Inserted;

fn readers() -> Output {
    Command::new(env!("CARGO_BIN_EXE_ogygia")).arg("readers").output().unwrap()
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
