//! `validate`: the decision procedure, on a card that has something to validate.

use ogygia::transaction::Transaction;

use super::{Done, Outcome, Proof, Stage, setup};
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::placeholder;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::validate::{self, Left, Verdict, validate};

pub(super) fn play(stage: &mut Stage) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    let mut transaction = Transaction::new(placeholder()?, terminal.security(true))?;
    terminal.prefetch(&mut transaction)?;
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    transaction.restart(&card)?;
    terminal.begin(Phase::Transaction);
    let validator = validate::Terminal { now: stage.now, location: stage.location, fare: stage.options.fare };
    let verdict = validate(&mut transaction, terminal, &validator)?;
    Ok(Done {
        outcome: match verdict.outcome {
            validate::Outcome::Success => Outcome::Success,
            validate::Outcome::Invalid(_) => Outcome::InvalidCard,
            validate::Outcome::Empty(_) => Outcome::EmptyCard,
        },
        proofs: Proof::of_session(&transaction),
        decided: decided(&verdict),
        changed: Vec::new(),
        result: result(&verdict),
    })
}

fn decided(verdict: &Verdict) -> Vec<String> {
    let mut decided: Vec<_> = verdict.findings.iter().map(ToString::to_string).collect();
    match verdict.outcome {
        validate::Outcome::Success => {}
        refused if verdict.closed => {
            decided.push(format!("Refused ({refused}). The session is closed, to keep what was marked as expired."));
        }
        refused => decided.push(format!("Refused ({refused}). The session is cancelled: nothing is written.")),
    }
    decided
}

fn result(verdict: &Verdict) -> String {
    match (verdict.outcome, verdict.accepted) {
        (validate::Outcome::Success, Some(accepted)) => match accepted.left {
            Left::Unlimited => format!("accepted: {} valid until {}", accepted.contract.tariff, accepted.contract.end),
            Left::Counted { after, .. } => {
                format!("accepted: {} in slot {}, {after} left", accepted.contract.tariff, accepted.slot)
            }
        },
        (validate::Outcome::Success, None) => "accepted: it had been validated already, and left too early".to_owned(),
        (refused, _) => format!("refused: {refused}"),
    }
}
