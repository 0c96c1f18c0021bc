//! Replays recorded exchanges and judges what the core does.

mod certificates;
mod kind;
mod operation;
mod play;
mod report;
mod sam;
mod script;
mod security;
mod selection;
mod signature;
mod vector;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::{fs, iter};

pub use report::{CaseReport, FileReport, Outcome, Report, Tally};

use certificates::{Judged, Judgement};
use vector::{Case, Unreadable};

/// The mode that certificate vectors count under.
pub const CERTIFICATES: &str = "certificates";

/// Replays the vectors in `paths`: files, and the `.json` files of folders and of the folders below them.
///
/// A case that has a twin of its name in the folder `recommended` beside its own passes when it equals either.
///
/// A case that cannot be read has failed, and so has, as one case, a file that is no vector file; the others go on.
///
/// # Errors
///
/// A path that does not exist, or no case at all.
pub fn replay(paths: &[PathBuf]) -> io::Result<Report> {
    let report = Report { files: files(paths)?.iter().map(|path| replay_file(path)).collect() };
    if report.cases().next().is_none() { Err(io::Error::other("no cases there")) } else { Ok(report) }
}

/// All vector files of the paths, and of the folders below them, in order of their names. What is below and is a twin of
/// another file that was found is judged with that one.
fn files(paths: &[PathBuf]) -> io::Result<BTreeSet<PathBuf>> {
    let (mut found, mut below) = (BTreeSet::new(), BTreeSet::new());
    for path in paths {
        if fs::metadata(path).map_err(|error| named(path, error))?.is_dir() {
            let mut folders = search(path, &mut found)?;
            while let Some(folder) = folders.pop() {
                folders.extend(search(&folder, &mut below)?);
            }
        } else {
            found.insert(path.clone());
        }
    }
    let with_twins: BTreeSet<_> = found.union(&below).filter_map(|path| twin_of(path)).collect();
    found.extend(below.into_iter().filter(|path| !with_twins.contains(path)));
    if found.is_empty() { Err(io::Error::other("no vector files there")) } else { Ok(found) }
}

/// Adds the vector files of `folder` to those `found`. Returns the folders in it.
fn search(folder: &Path, found: &mut BTreeSet<PathBuf>) -> io::Result<Vec<PathBuf>> {
    let mut folders = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| named(folder, error))? {
        let entry = entry?;
        let path = entry.path();
        // A link to a folder is none: it may lead back.
        if entry.file_type()?.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            found.insert(path);
        }
    }
    Ok(folders)
}

/// Where the cases of a file would be as a terminal plays them that follows every recommendation; none for itself.
fn twin_of(path: &Path) -> Option<PathBuf> {
    let twin = path.parent()?.parent()?.join("recommended").join(path.file_name()?);
    (twin != path).then_some(twin)
}

fn named(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

fn replay_file(path: &Path) -> FileReport {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let cases = fs::read(path).map_err(|error| error.to_string()).and_then(|text| {
        if certificates::is_certificates(&text) {
            return judge_certificates(&text, &name);
        }
        let cases = vector::read(&text, &name)?;
        let (twins, mut reports) = twins(path);
        reports.extend(cases.into_iter().map(|case| match case {
            Ok(case) => report(&case, twins.get(&case.name)),
            Err(unreadable) => unreadable.into(),
        }));
        Ok(reports)
    });
    let cases = cases.unwrap_or_else(|why| vec![unreadable_file(name.clone(), &why)]);
    FileReport { name, cases }
}

fn report(case: &Case, twin: Option<&Case>) -> CaseReport {
    let reasons = [case.suspect.as_slice(), &case.points].concat();
    CaseReport { name: case.name.clone(), mode: case.mode.clone(), reasons, outcome: judge(case, twin) }
}

/// A file that cannot be read counts as one case that failed.
fn unreadable_file(name: String, why: &str) -> CaseReport {
    Unreadable { name, mode: String::new(), why: why.into() }.into()
}

impl From<Unreadable> for CaseReport {
    fn from(Unreadable { name, mode, why }: Unreadable) -> Self {
        let outcome = Outcome::Failed(format!("cannot be read: {why}"));
        Self { name, mode, reasons: Vec::new(), outcome }
    }
}

fn judge_certificates(text: &[u8], name: &str) -> Result<Vec<CaseReport>, String> {
    let report = |judged: Judged| {
        let (outcome, reasons) = match judged.judgement {
            Judgement::Passed => (Outcome::AsRecorded, Vec::new()),
            Judgement::Differs(reason) => (Outcome::Differs(reason.into()), vec![reason.into()]),
            Judgement::Failed(difference) => (Outcome::Failed(difference), Vec::new()),
        };
        CaseReport { name: judged.name, mode: CERTIFICATES.into(), reasons, outcome }
    };
    Ok(certificates::judge(text, name)?.into_iter().map(report).collect())
}

/// The cases as a terminal plays them that follows every recommendation, and what of them cannot be read.
fn twins(path: &Path) -> (BTreeMap<String, Case>, Vec<CaseReport>) {
    let beside = path.parent().and_then(Path::parent).zip(path.file_name());
    let Some((twin, file)) = beside.map(|(folder, file)| (folder.join("recommended").join(file), file)) else {
        return (BTreeMap::new(), Vec::new());
    };
    if !twin.exists() {
        return (BTreeMap::new(), Vec::new());
    }
    let name = format!("recommended/{}", file.to_string_lossy());
    let read = fs::read(&twin).map_err(|error| error.to_string()).and_then(|text| vector::read(&text, &name));
    let (mut twins, mut unreadable) = (BTreeMap::new(), Vec::new());
    match read {
        Ok(cases) => {
            for case in cases {
                match case {
                    Ok(case) => drop(twins.insert(case.name.clone(), case)),
                    Err(case) => {
                        let name = format!("recommended {}", case.name);
                        unreadable.push(Unreadable { name, ..case }.into());
                    }
                }
            }
        }
        Err(why) => unreadable.push(unreadable_file(name, &why)),
    }
    // A file that is replayed as its own twin says it already.
    if twin == path {
        unreadable.clear();
    }
    (twins, unreadable)
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

#[cfg(test)]
mod tests;
