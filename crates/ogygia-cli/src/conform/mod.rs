//! Replays recorded exchanges and judges what the core does.

mod certificates;
mod kind;
mod operation;
mod play;
mod report;
mod script;
mod security;
mod selection;
mod signature;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, iter};

pub use report::{CaseReport, FileReport, Outcome, Report, Tally};

use certificates::{Judged, Judgement};
use vector::{Case, File};

/// The mode that certificate vectors count under.
pub const CERTIFICATES: &str = "certificates";

/// Replays the vectors in `paths`, files or folders, and reports to `out`: see [`Report::write`].
///
/// # Errors
///
/// A path that cannot be read, or is no vector file; or `out` cannot be written to.
///
/// # Returns
///
/// Whether nothing failed.
pub fn run(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let report = replay(paths)?;
    report.write(out)?;
    Ok(report.tally().failed == 0)
}

/// Replays the vectors in `paths`, files or folders.
///
/// A case that has a twin of its name in the folder `recommended` beside its own passes when it equals either.
///
/// # Errors
///
/// A path that cannot be read, or is no vector file.
pub fn replay(paths: &[PathBuf]) -> io::Result<Report> {
    let files = files(paths)?.iter().map(|path| replay_file(path)).collect::<io::Result<_>>()?;
    Ok(Report { files })
}

/// All vector files below the paths, in order of their names.
fn files(paths: &[PathBuf]) -> io::Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    for path in paths {
        if !path.is_dir() {
            found.insert(path.clone());
            continue;
        }
        for entry in fs::read_dir(path).map_err(|error| named(path, error))? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "json") {
                found.insert(file);
            }
        }
    }
    if found.is_empty() { Err(io::Error::other("no vector files there")) } else { Ok(found) }
}

fn named(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

fn load(path: &Path) -> io::Result<Vec<Case>> {
    let text = fs::read(path).map_err(|error| named(path, error))?;
    let file: File = serde_json::from_slice(&text).map_err(|error| named(path, error))?;
    if file.format != vector::FORMAT {
        return Err(named(path, format!("format {} is not {}", file.format, vector::FORMAT)));
    }
    Ok(file.cases)
}

fn replay_file(path: &Path) -> io::Result<FileReport> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = fs::read(path).map_err(|error| named(path, error))?;
    if certificates::is_certificates(&text) {
        return Ok(FileReport { name, cases: judge_certificates(path, &text)? });
    }
    let twins = twins(path)?;
    let cases = load(path)?.into_iter().map(|case| {
        let outcome = judge(&case, twins.get(&case.name));
        CaseReport { name: case.name, mode: case.mode, reasons: [case.suspect, case.points].concat(), outcome }
    });
    Ok(FileReport { name, cases: cases.collect() })
}

fn judge_certificates(path: &Path, text: &[u8]) -> io::Result<Vec<CaseReport>> {
    let judged = certificates::judge(text).map_err(|error| named(path, error))?;
    let report = |judged: Judged| {
        let (outcome, reasons) = match judged.judgement {
            Judgement::Passed => (Outcome::AsRecorded, Vec::new()),
            Judgement::Differs(reason) => (Outcome::Differs(reason.into()), vec![reason.into()]),
            Judgement::Failed(difference) => (Outcome::Failed(difference), Vec::new()),
        };
        CaseReport { name: judged.name, mode: CERTIFICATES.into(), reasons, outcome }
    };
    Ok(judged.into_iter().map(report).collect())
}

/// The cases as a terminal plays them that follows every recommendation.
fn twins(path: &Path) -> io::Result<BTreeMap<String, Case>> {
    let beside = path.parent().and_then(Path::parent).zip(path.file_name());
    let twin = beside.map(|(folder, name)| folder.join("recommended").join(name)).filter(|twin| twin.exists());
    let cases = twin.map(|twin| load(&twin)).transpose()?.unwrap_or_default();
    Ok(cases.into_iter().map(|case| (case.name.clone(), case)).collect())
}

fn judge(case: &Case, twin: Option<&Case>) -> Outcome {
    let mut differences = Vec::new();
    for (version, outcome) in
        iter::once((case, Outcome::AsRecorded)).chain(twin.map(|twin| (twin, Outcome::AsRecommended)))
    {
        match play::play(version) {
            Ok(()) => return outcome,
            Err(difference) => differences.push(difference),
        }
    }
    let unknown = differences.iter().any(|difference| difference.contains("unknown "));
    let difference = differences.join(" | recommended: ");
    if twin.is_none() && !unknown && !(case.suspect.is_empty() && case.points.is_empty()) {
        Outcome::Differs(difference)
    } else {
        Outcome::Failed(difference)
    }
}
