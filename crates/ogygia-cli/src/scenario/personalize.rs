//! `personalize`.

use ogygia::transaction::Transaction;

use super::{Change, Done, Outcome, Proof, Stage, setup};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::LOADER;
use crate::ticketing::layout::{TicketingFile, slots};
use crate::ticketing::personalize::personalize;

pub(super) fn play(stage: &mut Stage) -> Result<Done, Failure> {
    let environment = setup::environment(stage)?;
    let terminal = &mut stage.terminal;
    terminal.log.begin(Phase::Selection);
    let card = terminal.select(LOADER, true)?;
    let mut transaction = Transaction::new(card, terminal.security(false))?;
    terminal.log.begin(Phase::Transaction);
    personalize(&mut transaction, &mut terminal.card, &mut terminal.sam, &environment)?;
    let slots = slots(transaction.card().product());
    let sessions = transaction.session().committed;
    Ok(Done {
        outcome: Outcome::Success,
        proofs: Proof::of_session(&transaction),
        decided: vec![
            "The application and its file structure are known.".to_owned(),
            format!("This product has {slots} contract slots, each with its counter; all are emptied."),
        ],
        changed: vec![
            Change::new(TicketingFile::Environment.to_string(), "not read", environment),
            Change::new(TicketingFile::Events.to_string(), "not read", "blank"),
            Change::new(format!("Contracts 1 to {slots}"), "not read", "blank"),
            Change::new(format!("Counters 1 to {slots}"), "not read", "0"),
        ],
        result: format!(
            "personalized: card number {}, works until {}, in {sessions} {}",
            environment.number,
            environment.end,
            if sessions == 1 { "session" } else { "sessions" }
        ),
    })
}
