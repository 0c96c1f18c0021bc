//! Scenario 11: more modifications than fit in a session.

use ogygia::ChannelControl::CloseAfter;
use ogygia::card::{Level, SessionBudget};
use ogygia::command::{CloseSession, Command, OpenSession, UpdateRecord};
use ogygia::transaction::Transaction;

use super::super::{Done, Outcome, Proof, Stage};
use super::process;
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::LOADER;
use crate::ticketing::layout::CONTRACT_LIST;

const UPDATES: u8 = 10;
const SIZE: usize = 24;

/// Ten times the same record, which the ticketing application does not use: what is written does not matter here.
pub(in crate::scenario) fn multiple_sessions(stage: &mut Stage) -> Result<Done, Failure> {
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(LOADER, true)?;
    let budget = match card.session_budget() {
        SessionBudget::Bytes(bytes) => format!("{bytes} bytes; each update takes {} of them", SIZE + 6),
        SessionBudget::Commands(commands) => format!("{commands} commands"),
    };
    let mut transaction = Transaction::new(card, terminal.security(false))?;
    terminal.begin(Phase::Transaction);
    let records: Vec<[u8; SIZE]> = (1..=UPDATES).map(|number| [number; SIZE]).collect();
    let mut step: Vec<Command<'_>> = vec![OpenSession { level: Level::Load }.into()];
    step.extend(records.iter().map(|data| UpdateRecord { sfi: CONTRACT_LIST, record: 1, data }.into()));
    step.push(CloseSession.into());
    process(&mut transaction, terminal, &step, CloseAfter)?;
    let sessions = match transaction.session().committed {
        1 => "1 session".to_owned(),
        several => format!("{several} sessions"),
    };
    Ok(Done {
        outcome: Outcome::Success,
        proofs: Proof::of_session(&transaction),
        decided: vec![
            format!("A session of this card modifies {budget}. So {UPDATES} updates take {sessions}."),
            "No session is opened before the card has proved itself in the one before. A card that is torn away between \
             them keeps the first."
                .to_owned(),
        ],
        changed: Vec::new(),
        result: format!("written: {UPDATES} updates in {sessions}"),
    })
}
