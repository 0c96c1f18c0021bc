//! What came out of a replay.

use std::collections::BTreeMap;
use std::io::{self, Write};

/// What became of the cases of some vector files.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The files, in order of their paths.
    pub files: Vec<FileReport>,
}

/// What became of the cases of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The name of the file, without folders.
    pub name: String,
    /// The cases, in the order of the file.
    pub cases: Vec<CaseReport>,
}

/// What became of one case.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The name of the case.
    pub name: String,
    /// What kind of transaction it is.
    pub mode: String,
    /// Its labels and points: what may differ from the recording, and why.
    pub reasons: Vec<String>,
    /// How it came out.
    pub outcome: Outcome,
}

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it was recorded.
    AsRecorded,
    /// Not as it was recorded, but as its twin has it, which follows every recommendation.
    AsRecommended,
    /// Otherwise, and the case has a reason and no twin: the first difference.
    Differs(String),
    /// Otherwise: the first difference, from the recording and from the twin if there is one.
    Failed(String),
}

/// How many cases came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// As recorded, or as recommended.
    pub passed: usize,
    /// Otherwise, with a reason.
    pub differing: usize,
    /// Otherwise.
    pub failed: usize,
}

impl CaseReport {
    /// Whether it came out as it was recorded or as it is recommended.
    #[must_use]
    pub const fn passed(&self) -> bool {
        matches!(self.outcome, Outcome::AsRecorded | Outcome::AsRecommended)
    }

    /// What differs, if the case failed.
    #[must_use]
    pub fn failure(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Failed(difference) => Some(difference),
            Outcome::AsRecorded | Outcome::AsRecommended | Outcome::Differs(_) => None,
        }
    }

    const fn differs(&self) -> bool {
        matches!(self.outcome, Outcome::Differs(_))
    }
}

impl FileReport {
    /// The numbers of this file.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(self.cases.iter())
    }
}

impl Tally {
    fn of<'a>(cases: impl Iterator<Item = &'a CaseReport>) -> Self {
        cases.fold(Self::default(), |tally, case| match case.outcome {
            Outcome::AsRecorded | Outcome::AsRecommended => Self { passed: tally.passed + 1, ..tally },
            Outcome::Differs(_) => Self { differing: tally.differing + 1, ..tally },
            Outcome::Failed(_) => Self { failed: tally.failed + 1, ..tally },
        })
    }
}

impl Report {
    /// All cases, of all files.
    pub fn cases(&self) -> impl Iterator<Item = &CaseReport> {
        self.files.iter().flat_map(|file| &file.cases)
    }

    /// The numbers of all files together.
    #[must_use]
    pub fn tally(&self) -> Tally {
        Tally::of(self.cases())
    }

    /// How many cases differ from the recording with a reason and without a twin, per label or point. A case counts for
    /// each of its reasons.
    #[must_use]
    pub fn reasons(&self) -> BTreeMap<&str, usize> {
        let mut reasons = BTreeMap::new();
        for reason in self.cases().filter(|case| case.differs()).flat_map(|case| &case.reasons) {
            *reasons.entry(reason.as_str()).or_default() += 1;
        }
        reasons
    }

    /// Writes a line per failure, a line per file, the cases that differ with a reason, and at last `N passed, M failed`.
    ///
    /// # Errors
    ///
    /// `out` cannot be written to.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for case in self.cases() {
            if let Some(difference) = case.failure() {
                writeln!(out, "FAILED {}: {difference}", case.name)?;
            }
        }
        for file in &self.files {
            let Tally { passed, differing, failed } = file.tally();
            writeln!(out, "{}: {passed} passed, {differing} differ with a reason, {failed} failed", file.name)?;
        }
        for (reason, count) in self.reasons() {
            writeln!(out, "differ with {reason}: {count}")?;
        }
        let Tally { passed, differing, failed } = self.tally();
        writeln!(out, "{differing} cases differ with a reason")?;
        writeln!(out, "{passed} passed, {failed} failed")
    }
}
