//! Instruction counts of the core, the same on every run: `crates/ogygia/benches/count-instructions` runs this under
//! callgrind, which counts only what happens inside [`measured`].
//!
//! With `--list` it names what can be measured; with a name it measures that; with neither, as `cargo bench` calls it,
//! it runs everything once, so that a bench that panics does not wait for the script to be noticed.

mod work;

use std::env;
use std::process::ExitCode;

use work::{Prepare, Work, growth};

fn main() -> ExitCode {
    let asked = env::args().nth(1).filter(|arg| arg != "--bench");
    match asked.as_deref() {
        Some("--list") => {
            all().for_each(|(name, _)| println!("{name}"));
        }
        Some(name) => {
            let Some((_, prepare)) = all().find(|(known, _)| *known == name) else {
                eprintln!("no work is called {name}");
                return ExitCode::FAILURE;
            };
            count(&mut prepare());
        }
        None => {
            all().for_each(|(_, prepare)| count(&mut prepare()));
            println!("ran once each; for counts, run crates/ogygia/benches/count-instructions");
        }
    }
    ExitCode::SUCCESS
}

fn all() -> impl Iterator<Item = &'static (&'static str, Prepare)> {
    work::ALL.iter().chain(growth::ALL)
}

/// Warms up, so that what is counted is the steady state, then runs the work once more where it is counted.
fn count(work: &mut Work) {
    work();
    measured(work);
}

/// What the script tells callgrind to count, by this function's name.
#[inline(never)]
fn measured(work: &mut Work) {
    work();
}
