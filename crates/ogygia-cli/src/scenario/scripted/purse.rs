//! Scenarios 4 and 10: the purse of the card.

use ogygia::ChannelControl::{CloseAfter, KeepOpen};
use ogygia::card::{Level, Purse, Sfi};
use ogygia::command::{
    AppendRecord, CloseSession, Command, OpenSession, ReadRecord, SvDebit, SvGet, SvOperation, SvReload,
};
use ogygia::transaction::Transaction;

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, Validation, process, read_event, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::Moment;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;

/// What is loaded.
const LOAD: i32 = 2000;
/// What a trip costs.
const FARE: u16 = 180;
/// Records of the log of debits.
const DEBIT_LOGS: u8 = 3;

fn balance(transaction: &Transaction) -> i32 {
    transaction.card().purse().map_or(0, |purse: Purse| purse.balance)
}

fn reload(now: Moment) -> SvReload {
    SvReload { amount: LOAD, date: now.date.0.to_be_bytes(), time: now.time.0.to_be_bytes(), free: [0, 0] }
}

/// Scenario 4: SV Get must be answered before the SAM can sign what follows.
pub(in crate::scenario) fn sv_outside_session(stage: &mut Stage) -> Result<Done, Failure> {
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let debits = (1..=DEBIT_LOGS).map(|record| ReadRecord { sfi: Sfi::SV_DEBIT_LOG, record });
    let logs = [ReadRecord { sfi: Sfi::SV_LOAD_LOG, record: 1 }].into_iter().chain(debits);
    let logs: Vec<Command<'_>> = logs.map(Command::from).collect();
    let card = terminal.select_with(VALIDATOR, false, &logs)?;
    let mut transaction = Transaction::new(card, terminal.security(false))?;
    terminal.begin(Phase::Transaction);
    process(&mut transaction, terminal, &[SvGet { operation: SvOperation::Reload }.into()], KeepOpen)?;
    process(&mut transaction, terminal, &[reload(stage.now).into()], CloseAfter)?;
    let after = balance(&transaction);
    Ok(Done {
        outcome: Outcome::Success,
        // The processing would have failed, had the SAM found the MAC of the purse wrong.
        proofs: vec![Proof::Purse],
        decided: vec!["The two logs came with the selection.".to_owned()],
        changed: Vec::new(),
        result: format!("loaded: {LOAD}, the purse holds {after}"),
    })
}

/// Money for the purse of a fresh card.
fn load_new_purse(stage: &mut Stage) -> Result<(), Failure> {
    setup::prepare(stage)?;
    if !stage.fresh {
        return Ok(());
    }
    let now = stage.now;
    let (mut transaction, terminal) = setup::begin(stage)?;
    process(&mut transaction, terminal, &[SvGet { operation: SvOperation::Reload }.into()], KeepOpen)?;
    process(&mut transaction, terminal, &[reload(now).into()], CloseAfter)?;
    stage.setup.push(format!("loaded with the key of the purse: {LOAD}"));
    Ok(())
}

/// Scenario 10: the debit counts only if the session is committed.
pub(in crate::scenario) fn sv_in_session(stage: &mut Stage) -> Result<Done, Failure> {
    load_new_purse(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select_with(VALIDATOR, false, &[read_event()])?;
    let mut transaction = Transaction::new(card, terminal.security(true))?;
    terminal.begin(Phase::Transaction);
    let first: [Command<'_>; 4] = [
        OpenSession { level: Level::Debit }.into(),
        record(TicketingFile::Environment.sfi(), 1),
        record(TicketingFile::Contracts.sfi(), SLOT),
        SvGet { operation: SvOperation::Debit }.into(),
    ];
    process(&mut transaction, terminal, &first, KeepOpen)?;
    let validation = Validation::of(&transaction, stage.now, stage.location);
    let data = validation.event.encode();
    let (date, time) = (stage.now.date.0.to_be_bytes(), stage.now.time.0.to_be_bytes());
    let second: [Command<'_>; 3] = [
        SvDebit { amount: FARE, date, time }.into(),
        AppendRecord { sfi: TicketingFile::Events.sfi(), data: &data }.into(),
        CloseSession.into(),
    ];
    process(&mut transaction, terminal, &second, CloseAfter)?;
    let after = balance(&transaction);
    let mut proofs = Proof::of_session(&transaction);
    // Verified with the session, or the processing would have failed.
    proofs.push(Proof::Purse);
    Ok(Done {
        outcome: Outcome::Success,
        proofs,
        decided: vec![
            "The answer to the debit is certain (6200, without data), so the SAM can digest it before the card has it: no \
             request of its own."
                .to_owned(),
        ],
        changed: Vec::new(),
        result: format!("accepted: {FARE} paid, the purse holds {after}"),
    })
}
