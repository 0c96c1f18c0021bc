//! The command line of Ogygia, as a library so that it can be tested.
//!
//! Arguments are parsed ([`args`]), turned into what is needed ([`run`] and the modules below it), and run. The exit
//! codes are told at the end of each command's help, and by [`Failure::exit_code`](error::Failure::exit_code).

#![forbid(unsafe_code)]

mod account;
pub mod args;
pub mod bench;
mod clock;
pub mod conform;
pub mod error;
mod explain;
pub mod hex;
pub mod image;
pub mod options;
pub mod pki;
mod read;
mod readers;
pub mod record;
pub mod sam;
pub mod scenario;
pub mod store;
pub mod terminal;
pub mod ticketing;

use std::io::{self, Write};

use args::{Action, Arguments};
use error::Failure;
use options::Options;
use scenario::{Scenario, Stage};
use terminal::Terminal;
use ticketing::{Location, Moment};

/// Runs the command, writes what it has to say to `out`, and returns the exit code. What must not be mixed with an object
/// in `out` goes to `err`.
///
/// # Errors
///
/// What keeps the command from its work.
pub fn run(arguments: &Arguments, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    match &arguments.action {
        Action::Run(run) if run.list => list(out),
        Action::Run(run) => run_scenario(run, out, err),
        Action::Read(read) => read::run(read, out),
        Action::Readers => readers::run(out),
        Action::Pki { action } => pki::run(action, out),
        Action::Sam { action } => sam::run(action, out),
        Action::Bench(bench) => bench::run(bench, out),
        Action::Conform { paths } => {
            let report = conform::replay(paths).map_err(|error| Failure::usage(error.to_string()))?;
            let code = u8::from(report.tally().failed != 0);
            heard(report.write(out).map_err(Failure::from), code)
        }
    }
}

fn list(out: &mut dyn Write) -> Result<u8, Failure> {
    for scenario in Scenario::ALL {
        writeln!(out, "{:<28}{}", scenario.name(), scenario.shows())?;
    }
    Ok(0)
}

fn run_scenario(run: &args::Run, out: &mut dyn Write, err: &mut dyn Write) -> Result<u8, Failure> {
    let name = run.scenario.as_deref().unwrap_or_default();
    let scenario = Scenario::named(name)?;
    let options = Options::of(run, scenario)?;
    let location = Location::parse(&run.location)
        .ok_or_else(|| Failure::usage(format!("no location {:?}; name one or give a number", run.location)))?;
    let clock = clock::now(run.now.as_deref())?;
    let now = Moment::from_civil(clock)
        .ok_or_else(|| Failure::usage(format!("a card cannot express the day of {clock}: 2010-01-01 to 2054-11-09")))?;
    let args::CardChoice { file, profile } = &run.card;
    let stored = store::open(file.as_deref(), profile.as_deref(), scenario.default_profile())?;
    let terminal = Terminal::with(stored.card, run.policy.into(), run.model);
    let mut stage =
        Stage { terminal, clock, now, location, options, fresh: stored.fresh, setup: Vec::new(), before: None };
    let report = scenario.run(&mut stage);
    // The card comes first: it has changed whether anybody reads of it or not.
    if let Some(file) = &stored.file {
        store::save(stage.terminal.card.inner().card(), file)?;
    }
    let written = if run.json {
        let written = report.to_json().and_then(|json| Ok(writeln!(out, "{json}").and_then(|()| out.flush())?));
        if !report.succeeded() {
            // The object has no member for it.
            writeln!(err, "ogygia: {}", report.done.result)?;
        }
        written
    } else {
        account::write(&report, &stage, out).map_err(Failure::from)
    };
    heard(written, u8::from(!report.succeeded()))
}

/// The exit code, once everything is `written`; also when the reader had enough of it, as `head` has.
///
/// # Errors
///
/// What else went wrong with the writing.
pub fn heard(written: Result<(), Failure>, code: u8) -> Result<u8, Failure> {
    match written {
        Ok(()) | Err(Failure::Unheard) => Ok(code),
        Err(failure) => Err(failure),
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Unheard,
            _ => Self::failed(format!("the output cannot be written: {error}")),
        }
    }
}
