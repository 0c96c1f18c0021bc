//! `ogygia bench`: scenario by scenario, what each policy takes, in the time of each model.

mod bound;

use std::io::Write;

use jiff::civil::date;
use ogygia::transaction::Policy;
use ogygia_sim::clock::Model;
use serde::Serialize;

use crate::account::milliseconds;
use crate::args;
use crate::error::Failure;
use crate::heard;
use crate::record::{Counts, Volume};
use crate::scenario::{Report, Scenario, Stage, policy_name};
use crate::store;
use crate::terminal::Terminal;
use crate::ticketing::Moment;

pub use bound::{Bound, bound};

const POLICIES: [Policy; 2] = [Policy::Grouped, Policy::Overlapped];

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    /// How the scenario ended, with what it took.
    pub report: Report,
    /// The shortest time that is possible.
    pub bound: Bound,
}

/// Plays `scenario` with a new card.
///
/// # Errors
///
/// The scenario does not end as it should.
pub fn measure(scenario: Scenario, model: Model) -> Result<[Line; 2], Failure> {
    let [grouped, overlapped] = POLICIES.map(|policy| play(scenario, policy, model));
    let (grouped, overlapped) = (grouped?, overlapped?);
    let bound = bound(&grouped.entries, &model);
    Ok([grouped, overlapped].map(|report| Line { report, bound }))
}

fn play(scenario: Scenario, policy: Policy, model: Model) -> Result<Report, Failure> {
    // The day is always the same, and so is the table.
    let clock = date(2026, 1, 1).at(12, 0, 0, 0);
    let now = Moment::from_civil(clock).ok_or_else(|| Failure::failed("a card cannot express the day"))?;
    let terminal = Terminal::with(store::new_card(scenario.default_profile())?, policy, model);
    let report = scenario.run(&mut Stage::fresh(terminal, clock, now));
    if report.succeeded() {
        Ok(report)
    } else {
        Err(Failure::failed(format!("{}: {}", scenario.name(), report.done.result)))
    }
}

/// Bytes to and from the card, and the SAM, in one sum each, as the specification has them: specification 02, "The figures".
const fn specified(scenario: Scenario) -> Option<[usize; 2]> {
    Some(match scenario {
        Scenario::PlainPin => [18 + 4, 0],
        Scenario::ChangeKeyAndPin => [68 + 24, 64 + 58],
        Scenario::SignatureOutsideSession => [10 + 62, 46 + 4],
        Scenario::SvOutsideSession => [34 + 40, 80 + 17],
        Scenario::ValidationEmbedded => [88 + 152, 265 + 34],
        Scenario::ValidationSimple => [88 + 152, 260 + 20],
        Scenario::SaleDistributed => [142 + 175, 352 + 22],
        Scenario::PinInSession => [96 + 102, 242 + 32],
        Scenario::SignatureInSession => [78 + 90, 275 + 34],
        Scenario::SvInSession => [94 + 118, 286 + 35],
        Scenario::MultipleSessions => [330 + 52, 434 + 40],
        Scenario::ExtendedAuthentication => [111 + 170, 286 + 40],
        Scenario::ExtendedEncryption => [101 + 162, 311 + 217],
        Scenario::Pki | Scenario::Personalize | Scenario::LoadContract | Scenario::Validate | Scenario::Control => {
            return None;
        }
    })
}

/// One object of `--json`: what `ogygia run --json` counts, under the same names, and what it is compared with.
#[derive(Debug, Serialize)]
struct Json<'a> {
    scenario: &'a str,
    model: &'a str,
    policy: &'a str,
    card_requests: usize,
    card_closings: usize,
    sam_requests: usize,
    card_apdus: usize,
    sam_apdus: usize,
    card_bytes: Volume,
    sam_bytes: Volume,
    specified_card_bytes: Option<usize>,
    specified_sam_bytes: Option<usize>,
    virtual_us: u64,
    virtual_leave_us: u64,
    bound_us: u64,
}

impl Line {
    fn counts(&self) -> Counts {
        self.report.counts()
    }

    /// How many tenths of a percent the gate opens later than it could.
    #[must_use]
    pub fn over_bound(&self) -> u64 {
        let (gate, bound) = (self.report.durations.gate_us, self.bound.gate_us);
        (gate.saturating_sub(bound) * 1_000).checked_div(bound).unwrap_or_default()
    }

    fn json(&self) -> Result<String, Failure> {
        let counts = self.counts();
        let specified = specified(self.report.scenario);
        let json = Json {
            scenario: self.report.scenario.name(),
            model: self.report.model.name,
            policy: policy_name(self.report.policy),
            card_requests: counts.card_requests,
            card_closings: counts.card_closings,
            sam_requests: counts.sam_requests,
            card_apdus: counts.card_apdus,
            sam_apdus: counts.sam_apdus,
            card_bytes: counts.card_bytes,
            sam_bytes: counts.sam_bytes,
            specified_card_bytes: specified.map(|[card, _]| card),
            specified_sam_bytes: specified.map(|[_, sam]| sam),
            virtual_us: self.report.durations.gate_us,
            virtual_leave_us: self.report.durations.leave_us,
            bound_us: self.bound.gate_us,
        };
        serde_json::to_string(&json).map_err(|error| Failure::failed(error.to_string()))
    }

    fn text(&self) -> String {
        let counts = self.counts();
        let (card, sam) = (counts.card_bytes, counts.sam_bytes);
        let than_specified = specified(self.report.scenario).map_or_else(
            || "-".to_owned(),
            |[card_bytes, sam_bytes]| {
                format!("{} {}", difference(card.sum(), card_bytes), difference(sam.sum(), sam_bytes))
            },
        );
        let over = self.over_bound();
        row(&[
            self.report.scenario.name(),
            self.report.model.name,
            policy_name(self.report.policy),
            &format!("{}/{}", counts.card_requests, counts.card_apdus),
            &format!("{}/{}", counts.sam_requests, counts.sam_apdus),
            &format!("{}+{}", card.out, card.back),
            &format!("{}+{}", sam.out, sam.back),
            &than_specified,
            &milliseconds(self.report.durations.gate_us),
            &milliseconds(self.report.durations.leave_us),
            &milliseconds(self.bound.gate_us),
            &format!("{}.{} %", over / 10, over % 10),
        ])
    }
}

fn difference(bytes: usize, specified: usize) -> String {
    if bytes < specified { format!("-{}", specified - bytes) } else { format!("+{}", bytes - specified) }
}

/// Names to the left, figures to the right.
fn row(cells: &[&str; 12]) -> String {
    let [scenario, model, policy, card, sam, card_bytes, sam_bytes, than_specified, gate, leave, bound, over] = cells;
    format!(
        "{scenario:<26}{model:<13}{policy:<11}{card:>6}{sam:>7}{card_bytes:>11}{sam_bytes:>11}{than_specified:>12}\
         {gate:>9}{leave:>9}{bound:>9}{over:>9}"
    )
}

const HEADING: [&str; 12] = [
    "scenario",
    "model",
    "policy",
    "card",
    "SAM",
    "card bytes",
    "SAM bytes",
    "than spec",
    "gate",
    "leave",
    "bound",
    "over",
];

/// Prints the table.
pub(crate) fn run(bench: &args::Bench, out: &mut dyn Write) -> Result<u8, Failure> {
    let named = bench.scenarios.iter().map(|name| Scenario::named(name)).collect::<Result<Vec<_>, _>>()?;
    let scenarios = if named.is_empty() { Scenario::ALL.to_vec() } else { named };
    let models = bench.model.map_or(Model::ALL.to_vec(), |model| vec![model]);
    heard(write(&scenarios, &models, bench.json, out), 0)
}

fn write(scenarios: &[Scenario], models: &[Model], json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if !json {
        writeln!(out, "{}", row(&HEADING))?;
    }
    for &scenario in scenarios {
        for &model in models {
            for line in measure(scenario, model)? {
                writeln!(out, "{}", if json { line.json()? } else { line.text() })?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
