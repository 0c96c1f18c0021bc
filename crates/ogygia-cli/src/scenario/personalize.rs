//! `personalize`.

use ogygia::transaction::Transaction;

use super::{Contents, Done, Outcome, Proof, Stage, setup};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::LOADER;
use crate::ticketing::layout::slots;
use crate::ticketing::personalize::personalize;

pub(super) fn play(stage: &mut Stage) -> Result<Done, Failure> {
    let environment = setup::environment(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(LOADER, true)?;
    let mut transaction = Transaction::new(card, terminal.security(false))?;
    terminal.begin(Phase::Transaction);
    personalize(&mut transaction, terminal, &environment)?;
    let slots = slots(transaction.card().product());
    let mut decided = vec![
        "The application and its file structure are known.".to_owned(),
        format!("This product has {slots} contract slots, each with its counter; all are emptied."),
    ];
    if stage.before.as_ref().is_some_and(Contents::is_personalized) {
        decided.push(
            "This card had been used: its environment, contracts, counters and latest event are erased, whatever they \
             were."
                .to_owned(),
        );
    }
    let sessions = transaction.session().committed;
    Ok(Done {
        outcome: Outcome::Success,
        proofs: Proof::of_session(&transaction),
        decided,
        changed: Vec::new(),
        result: format!(
            "personalized: card number {}, works until {}, in {sessions} {}",
            environment.number,
            environment.end,
            if sessions == 1 { "session" } else { "sessions" }
        ),
    })
}
