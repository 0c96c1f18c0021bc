//! The SAM selection of a case.

use ogygia::sam::{SamImage, SamProduct, UnlockValue};
use ogygia::selection::{SamFilter, SamSelection};
use ogygia::{Argument, Error, Secret, drive};

use super::super::kind;
use super::super::operation::{Arguments, Refused};
use super::super::play::same_kind_by;
use super::super::script::Script;
use super::super::vector::{SamSelection as Recorded, Step};
use super::operation;

/// The image that the selection of a case gives; nothing when it failed, or was lost, as recorded.
pub(super) fn select(power_on_data: &[u8], recorded: Option<&Recorded>) -> Result<Option<SamImage>, String> {
    // The recorded terminal builds its commands before it knows the SAM.
    let mut selection = SamSelection::new().with_filter(SamFilter::ANY).with_class_of(SamProduct::SamC1);
    let Some(recorded) = recorded else {
        let selected = drive::select_sam(&selection, power_on_data, &mut drive::NoSam, |_, _| None);
        return selected.map_err(|error| format!("selection: {error}"));
    };
    let mut value = None;
    for (index, step) in recorded.preparations.iter().enumerate() {
        let prepared = prepare(&mut selection, step, &mut value)?;
        same_kind_by(kind::of_sam, "result", step.error.as_deref(), prepared.err())
            .map_err(|what| format!("preparation {index}, {}: {what}", step.op))?;
    }
    let step = Step {
        op: "selection".into(),
        error: None,
        exchanges: recorded.exchanges.clone(),
        arguments: serde_json::Map::new(),
    };
    let (mut script, _) = Script::of_sams(&[step]);
    script.begin(0);
    let selected = drive::select_sam(&selection, power_on_data, &mut script, |_, _| value.take());
    Script::first_difference(&[(&script, "target SAM")])?;
    script.end().map_err(|what| format!("to the target SAM: {what}"))?;
    let failure = selected.as_ref().err();
    let played = failure.map(|error| match error {
        Error::Lost { .. } if recorded.matched.is_none() => "lost",
        _ => "selection",
    });
    let expected = recorded.error.as_deref().or(if recorded.matched.is_none() { Some("lost") } else { None });
    if played != expected {
        return Err(format!("selection: {played:?} ({failure:?}) instead of {expected:?}"));
    }
    Ok(selected.ok().flatten())
}

/// Calls the preparation of `step`. What a provider of unlock values would answer becomes `value`.
fn prepare(
    selection: &mut SamSelection,
    step: &Step,
    value: &mut Option<UnlockValue>,
) -> Result<Result<(), Error>, Refused> {
    let arguments = Arguments(&step.arguments);
    Ok(match step.op.as_str() {
        "set_unlock_data" => match arguments.bytes("data")?.try_into() {
            Ok(data) => selection.unlock_with(Secret::new(data), product(arguments.text("product")?)?),
            Err(_) => Err(Argument::UnlockValue.into()),
        },
        "set_static_unlock_provider" | "set_dynamic_unlock_provider" => {
            let dynamic = step.op == "set_dynamic_unlock_provider";
            let set = if dynamic { selection.unlock_dynamic() } else { selection.unlock_static() };
            if set.is_ok() && arguments.flag("with_reader") {
                *value = UnlockValue::new(&arguments.bytes("data")?).ok();
            }
            set
        }
        other => match operation::read(other, &arguments)? {
            Some(data) => selection.prepare(data),
            None => return Err(format!("unknown operation {other}")),
        },
    })
}

fn product(name: &str) -> Result<SamProduct, Refused> {
    match name {
        "sam_c1" => Ok(SamProduct::SamC1),
        "hsm_c1" => Ok(SamProduct::HsmC1),
        "sam_s1e1" => Ok(SamProduct::SamS1E1),
        "sam_s1dx" => Ok(SamProduct::SamS1Dx),
        other => Err(format!("unknown product {other}")),
    }
}
