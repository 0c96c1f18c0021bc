//! Scenarios 12 and 13: validations in the extended mode.

use ogygia::ChannelControl::{CloseAfter, KeepOpen};
use ogygia::card::Level;
use ogygia::command::{ActivateEncryption, AuthenticateEarly, Command, OpenSession, ReadCounters};
use ogygia::transaction::Transaction;

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, Validation, process, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};

/// Scenario 12: the card is known to be genuine before the rest of it is read.
pub(in crate::scenario) fn authentication(stage: &mut Stage) -> Result<Done, Failure> {
    let event = record(TicketingFile::Events.sfi(), 1);
    let done = validation(stage, &[&[AuthenticateEarly.into()], &[event]])?;
    // The processing would have failed, had the SAM found the card's MAC wrong.
    let proofs = [Proof::Early].into_iter().chain(done.proofs).collect();
    let decided = vec![
        "Card and terminal authenticate each other as soon as the session is open: whatever is decided behind it, is \
         decided about a card that is known to be genuine."
            .to_owned(),
    ];
    Ok(Done { proofs, decided, ..done })
}

/// Scenario 13: whoever listens learns nothing of what is read and written.
pub(in crate::scenario) fn encryption(stage: &mut Stage) -> Result<Done, Failure> {
    let event = record(TicketingFile::Events.sfi(), 1);
    let done = validation(stage, &[&[ActivateEncryption.into(), event]])?;
    let decided = vec![
        "All but the environment is ciphered: whoever listens learns which files are used, and nothing of what is in \
         them."
            .to_owned(),
        "A command without data is the same in clear and ciphered, so the card is asked at once, and the SAM gets \
         command and answer together."
            .to_owned(),
        "The answer to Append Record is certain (9000, without data), so the SAM deciphers the counter, ciphers the event \
         and makes the MAC in one request."
            .to_owned(),
    ];
    Ok(Done { decided, ..done })
}

/// A validation whose event is read by `steps`, with what belongs to the extended mode.
fn validation(stage: &mut Stage, steps: &[&[Command<'_>]]) -> Result<Done, Failure> {
    setup::prepare(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    let mut transaction = Transaction::new(card, terminal.security(true))?;
    terminal.begin(Phase::Transaction);
    let open = [OpenSession { level: Level::Debit }.into(), record(TicketingFile::Environment.sfi(), 1)];
    process(&mut transaction, terminal, &open, KeepOpen)?;
    for step in steps {
        process(&mut transaction, terminal, step, KeepOpen)?;
    }
    let counter = ReadCounters { sfi: TicketingFile::Counters.sfi(), count: SLOT };
    for read in [record(CONTRACT_LIST, 1), record(TicketingFile::Contracts.sfi(), SLOT), counter.into()] {
        process(&mut transaction, terminal, &[read], KeepOpen)?;
    }
    let validation = Validation::of(&transaction, stage.now, stage.location);
    let data = validation.event.encode();
    process(&mut transaction, terminal, &validation.last_step(&data), CloseAfter)?;
    Ok(Done {
        outcome: Outcome::Success,
        proofs: Proof::of_session(&transaction),
        decided: Vec::new(),
        changed: Vec::new(),
        result: validation.result(&transaction),
    })
}
