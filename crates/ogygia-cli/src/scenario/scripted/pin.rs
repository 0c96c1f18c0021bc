//! Scenarios 1, 2 and 8: PIN and keys.

use ogygia::ChannelControl::{CloseAfter, KeepOpen};
use ogygia::card::{DirectoryHeader, KeyId, Level};
use ogygia::command::{ChangeKey, ChangePin, Command, OpenSession, ReadCounters, SelectFile, VerifyPin};
use ogygia::transaction::{Security, Transaction};

use super::super::{Change, Done, Outcome, Proof, Stage, setup};
use super::{SLOT, Validation, process, read_event, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::NEXT_KVC;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;

/// The version of the debit key at delivery, on the cards that have the next one.
const FIRST_KVC: ogygia::card::Kvc = ogygia::card::Kvc(0x79);

fn pin_changed() -> Change {
    Change::new("PIN", "****", "****")
}

/// Scenario 1: without a SAM a PIN travels in clear.
pub(in crate::scenario) fn plain_pin(stage: &mut Stage) -> Result<Done, Failure> {
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(VALIDATOR, false)?;
    let mut transaction = Transaction::new(card, Security::None)?;
    terminal.begin(Phase::Transaction);
    process(&mut transaction, terminal, &[VerifyPin { pin: stage.options.pin.clone() }.into()], KeepOpen)?;
    process(&mut transaction, terminal, &[ChangePin { pin: stage.options.new_pin.clone() }.into()], CloseAfter)?;
    Ok(Done {
        outcome: Outcome::Success,
        proofs: vec![Proof::Pin],
        decided: vec![
            "In clear, whoever listens learns both PINs; prepared together they would travel in one request."
                .to_owned(),
            "No key was used: nothing proves that the card is genuine.".to_owned(),
        ],
        changed: vec![pin_changed()],
        result: "done: the PIN was right, and is another one now".to_owned(),
    })
}

/// The three keys of the application, as its header names them.
fn keys(header: &DirectoryHeader) -> [KeyId; 3] {
    let [issuer, load, debit] = header.kif;
    let [issuer_kvc, load_kvc, debit_kvc] = header.kvc;
    [(issuer, issuer_kvc), (load, load_kvc), (debit, debit_kvc)].map(|(kif, kvc)| KeyId { kif, kvc })
}

/// Scenario 2: the selection asks the application for the names of its keys.
pub(in crate::scenario) fn change_key_and_pin(stage: &mut Stage) -> Result<Done, Failure> {
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select_with(VALIDATOR, false, &[SelectFile::CurrentDirectory.into()])?;
    let header = card.directory_header().filter(|header| header.kif.iter().all(|kif| kif.0 != 0));
    let [issuer, _, debit] = header.map(keys).ok_or_else(|| Failure::failed("the card does not tell its keys"))?;
    let mut settings = terminal.settings(false);
    settings.pin_modification_key = Some(issuer);
    let mut transaction = Transaction::new(card, Security::Symmetric(settings))?;
    terminal.begin(Phase::Transaction);
    let new = KeyId { kvc: if debit.kvc == NEXT_KVC { FIRST_KVC } else { NEXT_KVC }, ..debit };
    let change = ChangeKey { index: Level::Debit.key_index(), new, issuer };
    process(&mut transaction, terminal, &[change.into()], KeepOpen)?;
    process(&mut transaction, terminal, &[ChangePin { pin: stage.options.new_pin.clone() }.into()], CloseAfter)?;
    let name = |key: KeyId| format!("KIF {} KVC {}", key.kif, key.kvc);
    Ok(Done {
        outcome: Outcome::Success,
        proofs: vec![Proof::Key],
        decided: vec!["The SAM wraps key and PIN with the issuer key: no one who listens learns them.".to_owned()],
        changed: vec![Change::new("Key 3", name(debit), name(new)), pin_changed()],
        result: format!("done: the debit key is {} now, and the PIN another one", name(new)),
    })
}

/// Scenario 8: the PIN is ciphered with the key of the session.
pub(in crate::scenario) fn pin_in_session(stage: &mut Stage) -> Result<Done, Failure> {
    setup::prepare(stage)?;
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
        ReadCounters { sfi: TicketingFile::Counters.sfi(), count: SLOT }.into(),
    ];
    process(&mut transaction, terminal, &first, KeepOpen)?;
    process(&mut transaction, terminal, &[VerifyPin { pin: stage.options.pin.clone() }.into()], KeepOpen)?;
    let validation = Validation::of(&transaction, stage.now, stage.location);
    let data = validation.event.encode();
    process(&mut transaction, terminal, &validation.last_step(&data), CloseAfter)?;
    let mut proofs = Proof::of_session(&transaction);
    proofs.push(Proof::Pin);
    Ok(Done {
        outcome: Outcome::Success,
        proofs,
        decided: vec!["The PIN was right, or the card would have refused it: the session goes on.".to_owned()],
        changed: Vec::new(),
        result: validation.result(&transaction),
    })
}
