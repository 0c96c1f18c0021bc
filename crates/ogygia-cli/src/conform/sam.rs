//! Cases on a SAM itself, without a card.

mod operation;
mod selection;

use ogygia::sam::{KeyReference, Sam, SamImage};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{ChannelControl, drive};
use serde_json::Value;

use super::kind;
use super::play::{channel, same_image, same_kind_by};
use super::script::Script;
use super::vector::{Case, Step};
use crate::sam::image;
use operation::Pending;

/// The first thing that was not as recorded, or `Ok`.
pub(super) fn play(case: &Case) -> Result<(), String> {
    let power_on_data = &case.sam.as_ref().ok_or("no SAM")?.power_on_data.0;
    let Some(image) = selection::select(power_on_data, case.sam_selection.as_ref())? else {
        return same_image(case.sam_image.as_ref(), &Value::Null);
    };
    let (image, asked) = play_steps(case, image)?;
    same_image(case.sam_image.as_ref(), &image::to_json(&image, &asked))
}

/// The image after the steps, and the work keys that were asked for.
fn play_steps(case: &Case, image: SamImage) -> Result<(SamImage, Vec<KeyReference>), String> {
    let asked = operation::work_keys(case)?;
    if case.sam_transaction.is_none() {
        return Ok((image, asked));
    }
    let control = case.control_sam.as_ref().map(|sam| Sam::from_power_on_data(&sam.power_on_data.0));
    let secure = case.sam_transaction.as_deref() == Some("secure_write");
    let kept = image.clone();
    let transaction = match control.as_ref().filter(|_| secure) {
        Some(control) => SamTransaction::with_control_sam(image, control),
        None => Ok(SamTransaction::new(image)),
    };
    let refused = transaction.as_ref().err().copied();
    same_kind_by(kind::of_sam, "creation", case.creation_error.as_deref(), refused)?;
    let Ok(mut transaction) = transaction else { return Ok((kept, asked)) };
    let mut scripts = Script::of_sams(&case.steps);
    let mut pending = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        scripts.0.begin(index);
        scripts.1.begin(index);
        play_step(&mut transaction, step, control.as_ref(), &mut scripts, &mut pending)
            .map_err(|what| format!("step {index}, {}: {what}", step.op))?;
    }
    operation::compare(&transaction, &pending)?;
    Ok((transaction.into_image(), asked))
}

fn play_step<'a>(
    transaction: &mut SamTransaction,
    step: &'a Step,
    control_sam: Option<&Sam>,
    (target, control): &mut (Script, Script),
    pending: &mut Vec<Pending<'a>>,
) -> Result<(), String> {
    let result = match step.op.as_str() {
        "process" => drive::run_sam(transaction, target, control, channel(step)?),
        "sam_export_context" => drive::read_context(transaction, target).and_then(|()| transaction.context().map(drop)),
        "sam_async_reload" => operation::reload(transaction, step, control_sam, (target, control))?,
        _ => operation::prepare(transaction, step, pending)?,
    };
    Script::first_difference(&[(target, "target SAM"), (control, "control SAM")])?;
    target.end().map_err(|what| format!("to the target SAM: {what}"))?;
    control.end().map_err(|what| format!("to the control SAM: {what}"))?;
    same_kind_by(kind::of_sam, "result", step.error.as_deref(), result.err())?;
    let closes = match step.op.as_str() {
        "process" => channel(step)? == ChannelControl::CloseAfter,
        other => other == "sam_async_reload",
    };
    if closes && result.is_ok() && !target.closed() {
        return Err("the channel was not closed".into());
    }
    Ok(())
}
