//! One case: the calls are made, the peers answer as recorded, and everything is compared.

use std::slice::Iter;

use ogygia::drive;
use ogygia::transaction::Transaction;
use ogygia::{ChannelControl, Error};
use serde_json::Value;

use super::script::Script;
use super::signature::{self, Pending};
use super::vector::{CardData, Case, Step};
use super::{kind, operation, sam, security, selection};
use crate::hex::Hex;
use crate::image;

/// The first thing that was not as recorded, or `Ok`.
pub(super) fn play(case: &Case) -> Result<(), String> {
    match case.mode.as_str() {
        "selection" => {
            let image = selection::select(card_data(case)?, case.selection.as_ref())?;
            let played = image.as_ref().map_or(Value::Null, image::to_json);
            same_image(Some(case.image.as_ref().unwrap_or(&Value::Null)), &played)
        }
        "sam" => sam::play(case),
        "free" | "regular" | "extended" | "pki" => match play_transaction(case)? {
            Some(image) => same_image(case.image.as_ref(), &image),
            None => Ok(()),
        },
        other => Err(format!("unknown mode {other}")),
    }
}

fn card_data(case: &Case) -> Result<&CardData, String> {
    case.card.as_ref().ok_or_else(|| "no card".into())
}

/// The calls of a case with a transaction.
///
/// # Returns
///
/// The image after them; nothing when there was no transaction.
pub(super) fn play_transaction(case: &Case) -> Result<Option<Value>, String> {
    let card = card_data(case)?;
    let Some(image) = selection::select(card, case.selection.as_ref())? else { return Ok(None) };
    let transaction = security::of(case, card.contactless)?.and_then(|security| Transaction::new(image, security));
    same_kind("creation", case.creation_error.as_deref(), transaction.as_ref().err().copied())?;
    let Ok(mut transaction) = transaction else { return Ok(None) };
    if let Some(challenge) = &case.prefetched_challenge {
        let challenge = challenge.0.as_slice().try_into().map_err(|_| "a prefetched challenge has eight bytes")?;
        transaction.set_prefetched_challenge(challenge);
    }
    let mut scripts = Script::of_both(&case.steps);
    let mut searches = Vec::new();
    let mut signatures = Vec::new();
    let mut challenges = case.terminal_challenges.iter();
    for (index, step) in case.steps.iter().enumerate() {
        scripts.0.begin(index);
        scripts.1.begin(index);
        play_step(&mut transaction, step, &mut scripts, &mut signatures, &mut challenges)
            .map_err(|what| format!("step {index}, {}: {what}", step.op))?;
        same_matches(&transaction, step, &mut searches).map_err(|what| format!("step {index}, {}: {what}", step.op))?;
    }
    signature::compare(&transaction, &signatures)?;
    Ok(Some(image::to_json(transaction.card())))
}

fn play_step<'a>(
    transaction: &mut Transaction,
    step: &'a Step,
    (card, sam): &mut (Script, Script),
    signatures: &mut Vec<Pending<'a>>,
    challenges: &mut Iter<'_, Hex>,
) -> Result<(), String> {
    let result = match step.op.as_str() {
        "prefetch_challenge" => transaction.prefetch_challenge().and_then(|()| drive::resume(transaction, card, sam)),
        "compute_signature" | "verify_signature" => signature::prepare(transaction, step, signatures)?,
        "process" => drive::run(transaction, card, sam, channel(step)?),
        _ => {
            let prepared = operation::prepare(transaction, step, challenges)?;
            // A refused preparation aborts the session; the error that comes back is the one that it gave.
            let _ = drive::resume(transaction, card, sam);
            prepared
        }
    };
    Script::first_difference(&[(card, "card"), (sam, "SAM")])?;
    card.end().map_err(|what| format!("to the card: {what}"))?;
    sam.end().map_err(|what| format!("to the SAM: {what}"))?;
    same_kind("result", step.error.as_deref(), result.err())?;
    if step.op == "process" && result.is_ok() && channel(step)? == ChannelControl::CloseAfter && !card.closed() {
        return Err("the channel was not closed".into());
    }
    Ok(())
}

/// The searches that are prepared are compared once they were processed.
fn same_matches<'a>(transaction: &Transaction, step: &'a Step, searches: &mut Vec<&'a Step>) -> Result<(), String> {
    match step.op.as_str() {
        "search_records" if step.error.is_none() => searches.push(step),
        "process" => {
            for (index, search) in searches.drain(..).enumerate() {
                let recorded = search.arguments.get("matches").cloned().unwrap_or_else(|| Value::Array(Vec::new()));
                let played = Value::from(transaction.matches(index).unwrap_or_default());
                if let Some(difference) = first_difference("matches", &recorded, &played) {
                    return Err(difference);
                }
            }
        }
        _ if step.error.is_some() => searches.clear(),
        _ => {}
    }
    Ok(())
}

pub(super) fn channel(step: &Step) -> Result<ChannelControl, String> {
    match step.arguments.get("channel").and_then(Value::as_str) {
        Some("close_after") => Ok(ChannelControl::CloseAfter),
        Some("keep_open") | None => Ok(ChannelControl::KeepOpen),
        Some(other) => Err(format!("unknown channel control {other}")),
    }
}

pub(super) fn same_kind(what: &str, recorded: Option<&str>, error: Option<Error>) -> Result<(), String> {
    same_kind_by(kind::of, what, recorded, error)
}

/// What the reference called an internal failure is a failure of any kind.
pub(super) fn same_kind_by(
    kind: fn(Error) -> &'static str,
    what: &str,
    recorded: Option<&str>,
    error: Option<Error>,
) -> Result<(), String> {
    let played = error.map(kind);
    let same = match (recorded, played) {
        (Some("internal"), Some(_)) => true,
        (recorded, played) => recorded == played,
    };
    let detail = error.map(|error| format!(" ({error})")).unwrap_or_default();
    let name = |kind: Option<&str>| kind.unwrap_or("success").to_string();
    if same { Ok(()) } else { Err(format!("{what}: {}{detail} instead of {}", name(played), name(recorded))) }
}

pub(super) fn same_image(recorded: Option<&Value>, played: &Value) -> Result<(), String> {
    let Some(recorded) = recorded else { return Ok(()) };
    first_difference("image", recorded, played).map_or(Ok(()), Err)
}

pub(super) fn first_difference(path: &str, recorded: &Value, played: &Value) -> Option<String> {
    match (recorded, played) {
        (Value::Object(a), Value::Object(b)) => {
            let names = a.keys().chain(b.keys().filter(|name| !a.contains_key(*name)));
            names.into_iter().find_map(|name| {
                let null = &Value::Null;
                first_difference(&format!("{path}.{name}"), a.get(name).unwrap_or(null), b.get(name).unwrap_or(null))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(i, (a, b))| first_difference(&format!("{path}[{i}]"), a, b))
        }
        _ if recorded == played => None,
        _ => Some(format!("{path}: {} instead of {}", shortened(played), shortened(recorded))),
    }
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 160 { format!("{}…", text.chars().take(160).collect::<String>()) } else { text }
}
