//! Replays recorded exchanges and judges what the core does.

mod certificates;
mod kind;
mod operation;
mod play;
mod script;
mod selection;
mod signature;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::{fs, iter};

use certificates::Judgement;
use vector::{Case, File};

/// How many cases of a run, or of one file, came out how.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
    /// Cases that differ from the recording with a reason, per label or point.
    differing: BTreeMap<String, usize>,
    differing_cases: usize,
}

/// What became of one case.
enum Verdict {
    Passed,
    Differs,
    Failed(String),
}

/// Replays the vectors in `paths`, files or folders, and reports to `out`: a line per failure, the cases that differ
/// with a reason, a line per file, and at last `N passed, M failed`.
///
/// A case that has a twin of its name in the folder `recommended` beside its own passes when it equals either.
///
/// # Errors
///
/// A path that cannot be read, or is no vector file; or `out` cannot be written to.
///
/// # Returns
///
/// Whether nothing failed.
pub fn run(paths: &[PathBuf], out: &mut dyn Write) -> io::Result<bool> {
    let mut total = Tally::default();
    let mut lines = Vec::new();
    for path in files(paths)? {
        let tally = run_file(&path, out)?;
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        lines.push(format!(
            "{name}: {} passed, {} differ with a reason, {} failed",
            tally.passed, tally.differing_cases, tally.failed
        ));
        total.add(tally);
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    for (reason, count) in &total.differing {
        writeln!(out, "differ with {reason}: {count}")?;
    }
    writeln!(out, "{} cases differ with a reason", total.differing_cases)?;
    writeln!(out, "{} passed, {} failed", total.passed, total.failed)?;
    Ok(total.failed == 0)
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.differing_cases += other.differing_cases;
        for (reason, count) in other.differing {
            *self.differing.entry(reason).or_default() += count;
        }
    }
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

fn run_file(path: &Path, out: &mut dyn Write) -> io::Result<Tally> {
    let text = fs::read(path).map_err(|error| named(path, error))?;
    if certificates::is_certificates(&text) {
        return run_certificates(path, &text, out);
    }
    let cases = load(path)?;
    let twins = twins(path)?;
    let mut tally = Tally::default();
    for case in &cases {
        match judge(case, twins.get(&case.name)) {
            Verdict::Passed => tally.passed += 1,
            Verdict::Differs => {
                tally.differing_cases += 1;
                for reason in case.suspect.iter().chain(&case.points) {
                    *tally.differing.entry(reason.clone()).or_default() += 1;
                }
            }
            Verdict::Failed(difference) => {
                tally.failed += 1;
                writeln!(out, "FAILED {}: {difference}", case.name)?;
            }
        }
    }
    Ok(tally)
}

fn run_certificates(path: &Path, text: &[u8], out: &mut dyn Write) -> io::Result<Tally> {
    let mut tally = Tally::default();
    for judged in certificates::judge(text).map_err(|error| named(path, error))? {
        match judged.judgement {
            Judgement::Passed => tally.passed += 1,
            Judgement::Differs(reason) => {
                tally.differing_cases += 1;
                *tally.differing.entry(format!("{reason}: not offered")).or_default() += 1;
            }
            Judgement::Failed(difference) => {
                tally.failed += 1;
                writeln!(out, "FAILED {}: {difference}", judged.name)?;
            }
        }
    }
    Ok(tally)
}

/// The cases as a terminal plays them that follows every recommendation.
fn twins(path: &Path) -> io::Result<BTreeMap<String, Case>> {
    let beside = path.parent().and_then(Path::parent).zip(path.file_name());
    let twin = beside.map(|(folder, name)| folder.join("recommended").join(name)).filter(|twin| twin.exists());
    let cases = twin.map(|twin| load(&twin)).transpose()?.unwrap_or_default();
    Ok(cases.into_iter().map(|case| (case.name.clone(), case)).collect())
}

fn judge(case: &Case, twin: Option<&Case>) -> Verdict {
    let mut differences = Vec::new();
    for version in iter::once(case).chain(twin) {
        match play::play(version) {
            Ok(()) => return Verdict::Passed,
            Err(difference) => differences.push(difference),
        }
    }
    let unknown = differences.iter().any(|difference| difference.contains("unknown "));
    if twin.is_none() && !unknown && !(case.suspect.is_empty() && case.points.is_empty()) {
        return Verdict::Differs;
    }
    Verdict::Failed(differences.join(" | recommended: "))
}
