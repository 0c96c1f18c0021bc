//! `load-contract`.

use ogygia::transaction::Transaction;

use super::{Done, Outcome, Proof, Stage, setup};
use crate::error::Failure;
use crate::hex;
use crate::record::Phase;
use crate::ticketing::Version;
use crate::ticketing::application::LOADER;
use crate::ticketing::load::{Kind, Loading, Order, Plan, Refusal, load};

pub(super) fn play(stage: &mut Stage) -> Result<Done, Failure> {
    setup::personalize(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    terminal.begin(Phase::Selection);
    let card = terminal.select(LOADER, true)?;
    let serial = card.full_serial_number();
    if stage.options.serial.is_some_and(|wanted| wanted != serial) {
        return Err(Failure::failed(format!("not the same card: this one is {}", hex::encode(&serial))));
    }
    let mut transaction = Transaction::new(card, terminal.security(false))?;
    terminal.begin(Phase::Transaction);
    let order = Order { goods: stage.options.goods, today: stage.now.date };
    let loading = load(&mut transaction, terminal, &order)?;
    Ok(Done {
        outcome: match loading.outcome {
            Ok(_) => Outcome::Success,
            Err(Refusal::Full) => Outcome::CardFull,
            Err(Refusal::TooMuch { .. }) => Outcome::Error,
            Err(_) => Outcome::InvalidCard,
        },
        proofs: Proof::of_session(&transaction),
        decided: decided(&loading),
        changed: Vec::new(),
        result: match loading.outcome {
            Ok(plan) => result(&order, &plan),
            Err(refusal) => format!("refused: {refusal}"),
        },
    })
}

fn decided(loading: &Loading) -> Vec<String> {
    let mut decided =
        vec![format!("Read in a first session, so that it is authentic: {}.", loading.before.environment)];
    for (slot, contract, counter) in
        loading.before.slots().filter(|(_, contract, _)| contract.version != Version::Undefined)
    {
        let left = if contract.tariff.is_counted() { format!(", {counter} left") } else { String::new() };
        decided.push(format!("Slot {slot}: {contract}{left}."));
    }
    decided.push(match loading.outcome {
        Ok(Plan { slot, kind: Kind::New, .. }) => format!("Slot {slot} is the first that is free."),
        Ok(Plan { slot, kind: Kind::Reload, .. }) => format!("Slot {slot} has this tariff: it is loaded again."),
        Ok(Plan { slot, kind: Kind::Replace, .. }) => {
            format!("No slot is free; the contract in slot {slot} is replaced.")
        }
        Err(refusal) => format!("Refused ({refusal}). No second session is opened: nothing is written."),
    });
    decided
}

fn result(order: &Order, plan: &Plan) -> String {
    let (goods, slot, end) = (order.goods, plan.slot, plan.contract.end);
    match plan.counter {
        Some(counted) => format!("loaded: {goods} into slot {slot}, {} now, valid until {end}", counted.after),
        None => format!("loaded: {goods} into slot {slot}, valid until {end}"),
    }
}
