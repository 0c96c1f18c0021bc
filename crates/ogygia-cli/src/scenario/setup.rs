//! Making a fresh card one that has something to validate.

use ogygia::transaction::Transaction;

use super::Stage;
use crate::error::Failure;
use crate::record::Phase;
use crate::ticketing::application::LOADER;
use crate::ticketing::{Environment, load, personalize};

const TRIPS: u32 = 10;

/// The environment that the loader of this stage writes. Its count of cards begins with 1 in each run.
pub(super) fn environment(stage: &Stage) -> Result<Environment, Failure> {
    personalize::environment(stage.clock.date(), 1).ok_or_else(|| {
        Failure::usage("a card personalized on this day would work beyond 2054, which it cannot express")
    })
}

/// Personalizes a fresh card and loads trips. Other cards are left as they are.
pub(super) fn prepare(stage: &mut Stage) -> Result<(), Failure> {
    if !stage.fresh {
        return Ok(());
    }
    stage.terminal.log.begin(Phase::Setup);
    let environment = environment(stage)?;
    let card = stage.terminal.select(LOADER, true)?;
    let mut transaction = Transaction::new(card, stage.terminal.security(false))?;
    let terminal = &mut stage.terminal;
    personalize::personalize(&mut transaction, &mut terminal.card, &mut terminal.sam, &environment)?;
    stage.setup.push(format!("personalized with key 1: {environment}"));

    let card = terminal.select(LOADER, true)?;
    transaction.restart(&card)?;
    let order = load::Order { goods: load::Goods::Trips(TRIPS), today: stage.now.date };
    let loading = load::load(&mut transaction, &mut terminal.card, &mut terminal.sam, &order)?;
    let plan = loading.outcome.map_err(|refusal| Failure::failed(refusal.to_string()))?;
    stage.setup.push(format!("loaded with key 2: {} into slot {}, {}", order.goods, plan.slot, plan.contract));
    Ok(())
}
