//! What the process has had in memory at most, as Linux counts it.

use std::fs;
use std::time::Duration;

/// Prints the line, or says that there is none, and how long it `took` to do what is weighed.
pub(crate) fn report(took: Duration) {
    println!("took: {} ns", took.as_nanos());
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    match status.lines().find(|line| line.starts_with("VmHWM:")) {
        Some(line) => println!("{line}"),
        None => println!("VmHWM: not known here"),
    }
}
