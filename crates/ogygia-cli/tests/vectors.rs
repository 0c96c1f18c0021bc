//! Replays the recorded exchanges, and checks that the list of deviations says what differs.
//!
//! All vectors are replayed where they are: in `../shared` beside the repository, or in the folder that
//! `OGYGIA_SHARED` names. Elsewhere the few are that `tests/vectors/choose` has chosen; but not in continuous
//! integration, where missing vectors are a failure.
//!
//! Cases that differ with a reason and have no twin are in `tests/vectors/differences.txt`, each with its first
//! difference. To write that file anew, after each change of it has been read and found right:
//!
//! ```text
//! OGYGIA_WRITE_DIFFERENCES=1 cargo test -p ogygia-cli --test vectors differences
//! ```
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

use ogygia_cli::conform::{self, CaseReport, Outcome, Report};
use serde_json::Value;

/// Where the vectors are that are replayed.
struct Vectors {
    exchanges: PathBuf,
    all: bool,
}

fn vectors() -> Vectors {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let shared = workspace.join(env::var_os("OGYGIA_SHARED").unwrap_or_else(|| "../shared".into()));
    let exchanges = shared.join("vectors/exchanges");
    if exchanges.is_dir() {
        return Vectors { exchanges, all: true };
    }
    assert!(env::var_os("CI").is_none(), "CI is set, and there are no vectors in {}", exchanges.display());
    Vectors { exchanges: kept("exchanges"), all: false }
}

/// A folder of the vectors that the repository keeps.
fn kept(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(folder)
}

fn report() -> &'static Report {
    static REPORT: OnceLock<Report> = OnceLock::new();
    REPORT.get_or_init(|| conform::replay(&[vectors().exchanges]).unwrap())
}

fn cases() -> impl Iterator<Item = &'static CaseReport> {
    report().cases()
}

#[test]
fn no_case_fails() {
    let failures: Vec<_> =
        cases().filter_map(|case| Some(format!("{}: {}", case.name, case.failure()?))).take(20).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    let passed = cases().filter(|case| case.passed()).count();
    let least = if vectors().all { 3000 } else { 80 };
    assert!(passed > least, "only {passed} cases passed");
}

#[test]
fn every_mode_is_replayed() {
    let modes: BTreeSet<_> = cases().map(|case| case.mode.as_str()).collect();
    assert_eq!(modes, BTreeSet::from(["extended", "free", "pki", "regular", "sam", "selection"]));
}

/// How many cases of one label or point came out as recommended and not as recorded, and how many as neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    recommended: usize,
    otherwise: usize,
}

fn counted() -> BTreeMap<String, Counts> {
    let mut counted = BTreeMap::<_, Counts>::new();
    for case in cases() {
        for reason in &case.reasons {
            let counts = counted.entry(reason.clone()).or_default();
            match case.outcome {
                Outcome::AsRecommended => counts.recommended += 1,
                Outcome::Differs(_) => counts.otherwise += 1,
                Outcome::AsRecorded | Outcome::Failed(_) => {}
            }
        }
    }
    counted
}

/// The entries of the list of deviations: `### REASON: N as recommended, M otherwise`.
fn documented() -> BTreeMap<String, Counts> {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/DEVIATIONS.md");
    let text = fs::read_to_string(document).unwrap();
    let mut documented = BTreeMap::new();
    for entry in text.lines().filter_map(|line| line.strip_prefix("### ")) {
        let parsed = entry.split_once(": ").and_then(|(reason, counts)| {
            let (recommended, otherwise) = counts.strip_suffix(" otherwise")?.split_once(" as recommended, ")?;
            Some((reason, Counts { recommended: recommended.parse().ok()?, otherwise: otherwise.parse().ok()? }))
        });
        let (reason, counts) = parsed.unwrap_or_else(|| panic!("no entry: {entry}"));
        assert!(documented.insert(reason.to_string(), counts).is_none(), "{reason} has two entries");
    }
    documented
}

#[test]
fn the_list_of_deviations_has_what_differs() {
    let (counted, documented) = (counted(), documented());
    let mut wrong = Vec::new();
    for (reason, counts) in &counted {
        let said = documented.get(reason);
        let Counts { recommended, otherwise } = counts;
        let right = match said {
            Some(said) => !vectors().all || said == counts,
            None => *counts == Counts::default(),
        };
        if !right {
            wrong.push(format!("### {reason}: {recommended} as recommended, {otherwise} otherwise (says {said:?})"));
        }
    }
    if vectors().all {
        wrong.extend(
            documented.keys().filter(|reason| !counted.contains_key(*reason)).map(|gone| format!("gone: {gone}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Cases without a twin that differ with a reason, sorted: the name, a tab, and how it differs first.
fn differences() -> String {
    let line = |case: &CaseReport| match &case.outcome {
        Outcome::Differs(difference) => Some(format!("{}\t{}\n", case.name, shortened(difference))),
        Outcome::AsRecorded | Outcome::AsRecommended | Outcome::Failed(_) => None,
    };
    let mut lines: Vec<_> = cases().filter_map(line).collect();
    lines.sort_unstable();
    lines.concat()
}

/// One line of about 100 characters, which is another one for every other text.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 100 && !text.contains(['\n', '\r']) {
        return text.into();
    }
    // FNV-1a: the same with every compiler and on every machine.
    let hash = text
        .bytes()
        .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3));
    let start: String = text.chars().take(80).map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{start}… {hash:016X}")
}

#[test]
fn long_differences_are_shortened() {
    assert_eq!(shortened(&"a".repeat(100)), "a".repeat(100));
    assert_eq!(shortened("a\nb"), "a b… E5BEB1190415E670");
    assert_ne!(shortened(&("a".repeat(100) + "b")), shortened(&("a".repeat(100) + "c")));
    assert_eq!(shortened(&"é".repeat(200)).chars().count(), 98);
}

/// A case that differs must not come to differ in another way, or become another one, unseen.
#[test]
fn the_differences_are_the_known_ones() {
    if !vectors().all {
        return;
    }
    let (file, now) = (kept("differences.txt"), differences());
    if env::var_os("OGYGIA_WRITE_DIFFERENCES").is_some() {
        assert!(env::var_os("CI").is_none(), "CI is set, and does not write");
        fs::write(&file, &now).unwrap();
    }
    let known = fs::read_to_string(&file).unwrap();
    let (old, new): (BTreeSet<_>, BTreeSet<_>) = (known.lines().collect(), now.lines().collect());
    let gone = old.difference(&new).map(|line| format!("- {line}"));
    let come = new.difference(&old).map(|line| format!("+ {line}"));
    let changes: Vec<_> = gone.chain(come).take(40).collect();
    assert!(changes.is_empty(), "{}", changes.join("\n"));
    assert_eq!(known, now, "sorted, without anything else");
}

fn files_of(folder: &Path) -> BTreeMap<String, Vec<Value>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let mut file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let cases = file.get_mut("cases").and_then(Value::as_array_mut).map(std::mem::take).unwrap();
        files.insert(path.file_name().unwrap().to_string_lossy().into_owned(), cases);
    }
    files
}

/// What the repository keeps is enough to find most mistakes without the other vectors.
#[test]
fn the_vectors_that_are_kept_show_everything() {
    let files = files_of(&kept("exchanges"));
    let cases: Vec<_> = files.values().flatten().collect();
    assert!((180..=260).contains(&cases.len()), "{}", cases.len());
    let text = |case: &Value, name| case.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let modes: BTreeSet<_> = cases.iter().map(|case| text(case, "mode")).collect();
    assert_eq!(modes, ["extended", "free", "pki", "regular", "sam", "selection"].map(String::from).into());
    let product = |case: &&Value| text(case, "name").split('/').nth(1).unwrap_or_default().to_string();
    for mode in ["free", "regular", "selection"] {
        let products: BTreeSet<_> = cases.iter().filter(|case| text(case, "mode") == mode).map(product).collect();
        for one in ["prime1", "prime2", "prime2_post", "prime2_case1", "prime3", "prime3_ext", "light", "basic"] {
            assert!(products.contains(one), "{mode} {one}");
        }
    }
    let exchanges = |case: &Value| case.to_string();
    for (what, least) in [("\"lost\":\"card\"", 5), ("\"lost\":\"reader\"", 4), ("\"error\":\"card_status\"", 8)] {
        let count = cases.iter().filter(|case| exchanges(case).contains(what)).count();
        assert!(count >= least, "{count} cases with {what}");
    }
    assert!(files_of(&kept("recommended")).values().map(Vec::len).sum::<usize>() >= 20);
}

/// What the repository keeps is what the vectors have now.
#[test]
fn the_vectors_that_are_kept_are_no_other_ones() {
    let Vectors { exchanges, all } = vectors();
    if !all {
        return;
    }
    for folder in ["exchanges", "recommended"] {
        let from = exchanges.with_file_name(folder);
        let (here, there) = (files_of(&kept(folder)), files_of(&from));
        for (file, cases) in &here {
            let known = there.get(file).unwrap();
            assert!(cases.iter().all(|case| known.contains(case)), "{file}: run tests/vectors/choose again");
        }
        if folder == "exchanges" {
            assert!(here.keys().eq(there.keys()), "a file is not shown");
        }
    }
}

/// What the peers of a case have answered so far that the other one needs.
#[derive(Default)]
struct Answered {
    challenges: Vec<String>,
    closings: Vec<String>,
    card: Vec<String>,
}

impl Answered {
    /// Takes one more exchange. Which dependent command it is, if it is one, and whether it carries what it depends on.
    fn takes(&mut self, to: &str, command: &str, answer: &str) -> Option<(&'static str, bool)> {
        let length = command.get(8..10).and_then(|lc| usize::from_str_radix(lc, 16).ok()).unwrap_or_default();
        let data = command.get(10..10 + 2 * length).unwrap_or_default();
        let body = answer.get(..answer.len().saturating_sub(4)).unwrap_or_default();
        let instruction = command.get(2..4).unwrap_or_default();
        let any = |answers: &[String], carried: &dyn Fn(&str) -> bool| answers.iter().any(|answer| carried(answer));
        let found = match (to, instruction) {
            // A session that is not extended takes the first four bytes of a challenge of eight.
            ("card", "8A") if length > 0 => {
                let carried =
                    |challenge: &str| data.ends_with(challenge) || (!data.is_empty() && challenge.starts_with(data));
                Some(("opening", any(&self.challenges, &carried)))
            }
            ("card", "8E") if length > 0 => Some(("closing", any(&self.closings, &|mac| mac == data))),
            // Postponed data may stand before the MAC of the card.
            ("sam", "82") => {
                Some(("authentication", any(&self.card, &|answer| !data.is_empty() && answer.ends_with(data))))
            }
            _ => None,
        };
        let answers = match (to, instruction) {
            ("sam", "84") => &mut self.challenges,
            ("sam", "8E") => &mut self.closings,
            ("card", "8E" | "82") => &mut self.card,
            _ => return found,
        };
        // No answer, or a refusal, has nothing that another command could carry.
        if body.len() >= 8 {
            answers.push(body.into());
        }
        found
    }
}

/// So a terminal that does not wait for the other peer sends other bytes, and fails: no case lets a session be opened
/// before the challenge is there, closed before the digest is, or authenticated before the card has closed it.
#[test]
fn what_waits_for_the_other_peer_carries_its_answer() {
    let Vectors { exchanges, all } = vectors();
    let mut seen = BTreeMap::<_, usize>::new();
    for folder in [exchanges.with_file_name("recommended"), exchanges] {
        for case in files_of(&folder).into_values().flatten() {
            if !matches!(case.get("mode").and_then(Value::as_str), Some("regular" | "extended")) {
                continue;
            }
            let mut answered = Answered::default();
            answered.challenges.extend(case.get("prefetched_challenge").and_then(Value::as_str).map(String::from));
            let lists = |of: &Value, name| of.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
            for exchange in lists(&case, "steps").iter().flat_map(|step| lists(step, "exchanges")) {
                let to = exchange.get("to").and_then(Value::as_str).unwrap_or_default();
                for apdu in lists(&exchange, "apdus") {
                    let [command, answer] = serde_json::from_value::<[String; 2]>(apdu).unwrap();
                    if let Some((what, carried)) = answered.takes(to, &command, &answer) {
                        assert!(carried, "{}: {what} {command}", case.get("name").unwrap());
                        *seen.entry(what).or_default() += 1;
                    }
                }
            }
        }
    }
    let least = if all { 2000 } else { 40 };
    assert!(seen.len() == 3 && seen.values().all(|count| *count > least), "{seen:?}");
}

#[test]
fn what_does_not_wait_is_found() {
    let mut answered = Answered::default();
    let opening = "008A0101040102030400";
    let closing = "008E800004A1A2A3A400";
    assert_eq!(answered.takes("card", opening, ""), Some(("opening", false)));
    assert_eq!(answered.takes("sam", "8084000004", "010203049000"), None);
    assert_eq!(answered.takes("card", opening, "9000"), Some(("opening", true)));
    assert_eq!(answered.takes("card", closing, ""), Some(("closing", false)));
    assert_eq!(answered.takes("sam", "808E000004", "A1A2A3A49000"), None);
    assert_eq!(answered.takes("sam", "8082000004B1B2B3B4", "9000"), Some(("authentication", false)));
    assert_eq!(answered.takes("card", closing, "B1B2B3B49000"), Some(("closing", true)));
    assert_eq!(answered.takes("sam", "8082000004B1B2B3B4", "9000"), Some(("authentication", true)));
}
