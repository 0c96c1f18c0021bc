//! `control`.

use ogygia::transaction::{Security, Transaction};

use super::{Done, Outcome, Proof, Stage, setup};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::control::{self, Controller, Inspection, Mode, control};

pub(super) fn play(stage: &mut Stage) -> Result<Done, Failure> {
    setup::travel(stage)?;
    let controller = Controller { now: stage.now, location: stage.location, validity: stage.options.validity };
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    let security = if stage.options.sam { terminal.security(false) } else { Security::None };
    let mut transaction = Transaction::new(card, security)?;
    terminal.begin(Phase::Transaction);
    let inspection = if stage.options.sam {
        control(&mut transaction, terminal, &controller, Mode::Session)?
    } else {
        control(&mut transaction, terminal, &controller, Mode::Plain)?
    };
    let proofs = Proof::of_session(&transaction);
    Ok(Done {
        outcome: match inspection.outcome {
            control::Outcome::TitlesFound => Outcome::Success,
            control::Outcome::Empty => Outcome::EmptyCard,
            control::Outcome::Refused(_) => Outcome::Error,
        },
        decided: decided(&inspection),
        changed: Vec::new(),
        result: result(&inspection, !proofs.is_empty()),
        proofs,
    })
}

fn decided(inspection: &Inspection) -> Vec<String> {
    let mut decided = vec![match inspection.outcome {
        control::Outcome::Refused(refusal) => format!("Refused ({refusal})."),
        control::Outcome::Empty => "The card is clean: nothing was ever loaded.".to_owned(),
        control::Outcome::TitlesFound => {
            let environment = inspection.holdings.environment;
            format!("The card is one of ours (number {}) and works until {}.", environment.number, environment.end)
        }
    }];
    decided.extend(inspection.titles.iter().map(ToString::to_string));
    decided.extend(inspection.last.map(|last| last.to_string()));
    decided
}

fn result(inspection: &Inspection, authenticated: bool) -> String {
    match inspection.outcome {
        control::Outcome::TitlesFound => {
            let how = if authenticated { "authenticated by the SAM" } else { "not authenticated" };
            format!("titles found: {}, {how}", inspection.titles.len())
        }
        control::Outcome::Empty => "empty card: clean".to_owned(),
        control::Outcome::Refused(refusal) => format!("error: {refusal}"),
    }
}
