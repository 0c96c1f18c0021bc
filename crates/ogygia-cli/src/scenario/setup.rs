//! Making a fresh card one that has something to validate.

use ogygia::transaction::Transaction;

use super::Stage;
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::Terminal;
use crate::ticketing::application::LOADER;
use crate::ticketing::{Environment, load, personalize, validate};

const TRIPS: u32 = 10;

/// The environment that the loader of this stage writes. Its count of cards begins with 1 in each run.
pub(super) fn environment(stage: &Stage) -> Result<Environment, Failure> {
    personalize::environment(stage.clock.date(), 1).ok_or_else(|| {
        Failure::usage("a card personalized on this day would work beyond 2054, which it cannot express")
    })
}

/// Personalizes a fresh card. Other cards are left as they are.
pub(super) fn personalize(stage: &mut Stage) -> Result<(), Failure> {
    if !stage.fresh {
        return Ok(());
    }
    let environment = environment(stage)?;
    let (mut transaction, terminal) = begin(stage)?;
    personalize::personalize(&mut transaction, terminal, &environment)?;
    stage.setup.push(format!("personalized with key 1: {environment}"));
    Ok(())
}

/// Personalizes a fresh card and loads trips. Other cards are left as they are.
pub(super) fn prepare(stage: &mut Stage) -> Result<(), Failure> {
    personalize(stage)?;
    if !stage.fresh {
        return Ok(());
    }
    let order = load::Order { goods: load::Goods::Trips(TRIPS), today: stage.now.date };
    let (mut transaction, terminal) = begin(stage)?;
    let loading = load::load(&mut transaction, terminal, &order)?;
    let plan = loading.outcome.map_err(|refusal| Failure::failed(refusal.to_string()))?;
    stage.setup.push(format!("loaded with key 2: {} into slot {}, {}", order.goods, plan.slot, plan.contract));
    Ok(())
}

/// As [`prepare`], and validates.
pub(super) fn travel(stage: &mut Stage) -> Result<(), Failure> {
    prepare(stage)?;
    if !stage.fresh {
        return Ok(());
    }
    let validator = validate::Terminal { now: stage.now, location: stage.location, fare: stage.options.fare };
    let (mut transaction, terminal) = begin(stage)?;
    validate::validate(&mut transaction, terminal, &validator)?;
    stage.setup.push(format!("validated with key 3: {} at {}", stage.now, stage.location));
    Ok(())
}

/// A transaction with the card, not part of the scenario.
pub(super) fn begin(stage: &mut Stage) -> Result<(Transaction, &mut Terminal), Failure> {
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Setup);
    let card = terminal.select(LOADER, true)?;
    Ok((Transaction::new(card, terminal.security(false))?, terminal))
}
