//! Scenarios 5 and 6: validations.

use ogygia::ChannelControl;
use ogygia::card::Level;
use ogygia::command::{Command, OpenSession, ReadCounters};
use ogygia::transaction::Transaction;

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, Validation, process, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::placeholder;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};

/// Scenario 5 when the challenge is fetched before the card comes, scenario 6 when not.
pub(in crate::scenario) fn validation(stage: &mut Stage, prefetch: bool) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    let mut transaction = Transaction::new(placeholder()?, terminal.security(true))?;
    if prefetch {
        terminal.prefetch(&mut transaction)?;
    }
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    transaction.restart(&card)?;

    terminal.begin(Phase::Transaction);
    let counters = TicketingFile::Counters.sfi();
    let steps: [&[Command<'_>]; 5] = [
        &[OpenSession { level: Level::Debit }.into(), record(TicketingFile::Environment.sfi(), 1)],
        &[record(TicketingFile::Events.sfi(), 1)],
        &[record(CONTRACT_LIST, 1)],
        &[record(TicketingFile::Contracts.sfi(), SLOT)],
        &[ReadCounters { sfi: counters, count: SLOT }.into()],
    ];
    for step in steps {
        process(&mut transaction, terminal, step, ChannelControl::KeepOpen)?;
    }
    let validation = Validation::of(&transaction, stage.now, stage.location);
    let data = validation.event.encode();
    process(&mut transaction, terminal, &validation.last_step(&data), ChannelControl::CloseAfter)?;
    if prefetch {
        terminal.prefetch(&mut transaction)?;
    }
    Ok(Done {
        outcome: Outcome::Success,
        proofs: Proof::of_session(&transaction),
        decided: vec!["Nothing: the steps of the specification are played as they stand.".to_owned()],
        changed: Vec::new(),
        result: validation.result(&transaction),
    })
}
