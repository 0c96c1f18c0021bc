//! Commands that read or write certificates and keys, and whole transactions.

use ogygia::apdu::Batch;
use ogygia::card::Card;
use ogygia::command::{DataTag, GenerateKeyPair, GetData, PutData};
use ogygia::drive::{self, Channel};
use ogygia::transaction::{Security, Transaction};
use ogygia::{ChannelControl, Loss, Request};
use serde_json::{Value, json};

use super::{Answer, Context, Unanswered, Vector, sam, same, wrong};
use crate::conform::play;
use crate::hex::{self, Hex};

/// Cards with asymmetric keys, by how much they take at once.
const TAKES_250: &str = "6F238409315449432E49434131A516BF0C13C70800000000AABBCCDD53070A3D30051410019000";
const TAKES_235: &str = "6F238409315449432E49434131A516BF0C13C70800000000AABBCCDD53070A3C30051410019000";

/// Reads an object of a card.
pub(super) fn get_data(vector: &Vector) -> Result<Answer, Unanswered> {
    let pairs = vector.pairs("apdus")?;
    let (tag, read): (_, fn(&Card) -> &[u8]) = match first_command(&pairs) {
        [0x00, 0xCA, 0xDF, 0x2C, ..] => {
            (DataTag::CardPublicKey, |card| card.card_public_key().map_or(&[], <[u8; 64]>::as_slice))
        }
        [0x00, 0xCA, 0xDF, 0x4C, ..] => (DataTag::CardCertificate, Card::card_certificate),
        [0x00, 0xCA, 0xDF, 0x4A, ..] => (DataTag::CaCertificate, Card::ca_certificate),
        [0x80, ..] => return sam::command(vector),
        other => return Err(wrong(format!("unknown command {}", hex::encode(other)))),
    };
    let mut transaction = transaction_with(TAKES_250)?;
    transaction.prepare(GetData { tag }).map_err(|error| error.to_string())?;
    replay(&mut transaction, pairs)?;
    same("data", read(transaction.card()), &vector.hex.0)?;
    Ok(Answer::Valid)
}

/// Writes an object to a card, or has it make a key pair.
pub(super) fn put_data(vector: &Vector) -> Result<Answer, Unanswered> {
    let pairs = vector.pairs("apdus")?;
    let data = vector.hex.0.as_slice();
    let card = if vector.name.ends_with("capacity-235") { TAKES_235 } else { TAKES_250 };
    let mut transaction = transaction_with(card)?;
    let prepared = match first_command(&pairs) {
        [_, 0xDA, 0xDF, 0x3C, ..] => transaction.prepare(PutData::KeyPair(data)),
        [_, 0xDA, 0xDF, 0x4C, ..] => transaction.prepare(PutData::CardCertificate(data)),
        [_, 0xDA, 0xDF, 0x4A, ..] => transaction.prepare(PutData::CaCertificate(data)),
        [_, 0x46, ..] => transaction.prepare(GenerateKeyPair),
        other => return Err(wrong(format!("unknown command {}", hex::encode(other)))),
    };
    prepared.map_err(|error| error.to_string())?;
    replay(&mut transaction, pairs)?;
    Ok(Answer::Valid)
}

/// A whole transaction, turned into a case of the exchange vectors.
pub(super) fn transaction(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    let case = serde_json::from_value(as_case(context, vector)?).map_err(|error| error.to_string())?;
    let played =
        play::play_transaction(&case).and_then(|image| same_named(vector.members.get("image"), image.as_ref()));
    match played {
        // The errors are those of the steps: they were compared.
        Ok(()) if vector.expected.valid => Ok(Answer::Valid),
        Ok(()) => Ok(Answer::Refused { kind: expected_kind(vector)?, why: String::new() }),
        Err(difference) => Err(doubtful(vector).map_or_else(|| wrong(difference), Unanswered::Differs)),
    }
}

/// Compares those members of the image that the vector names.
fn same_named(recorded: Option<&Value>, played: Option<&Value>) -> Result<(), String> {
    let Some(members) = recorded.and_then(Value::as_object) else { return Ok(()) };
    let null = Value::Null;
    let differing = members.iter().find_map(|(name, value)| {
        let played = played.and_then(|played| played.get(name)).unwrap_or(&null);
        play::first_difference(&format!("image.{name}"), value, played)
    });
    differing.map_or(Ok(()), Err)
}

/// The doubtful point of which the recorded terminal does not follow the recommendation: these vectors do not name them.
fn doubtful(vector: &Vector) -> Option<&'static str> {
    let steps = vector.members.get("steps").and_then(Value::as_array)?;
    steps.iter().find_map(|step| {
        let apdus = step.get("exchanges")?.as_array()?.iter().filter_map(|exchange| exchange.get("apdus")?.as_array());
        let text = |pair: &Value, place: usize| pair.get(place).and_then(Value::as_str).map(str::to_owned);
        let pairs: Vec<_> = apdus.flatten().filter_map(|pair| text(pair, 0).zip(text(pair, 1))).collect();
        let (opening, after) = pairs.iter().position(|(command, _)| command.starts_with("008A")).and_then(|place| {
            let (upto, after) = pairs.split_at_checked(place + 1)?;
            Some((upto.last()?, after))
        })?;
        let sends = |start: &str| after.iter().any(|(command, _)| command.starts_with(start));
        if opening.1.len() == 4 && sends("00CADF4A") {
            return Some("04/15.17");
        }
        let refused = step.get("error").and_then(Value::as_str) == Some("invalid_certificate");
        (refused && !sends("008E")).then_some("04/15.14")
    })
}

/// The kinds that a transaction can end with, by name.
fn expected_kind(vector: &Vector) -> Result<&'static str, Unanswered> {
    let named = vector.expected.error.as_deref().unwrap_or_default();
    ["invalid_certificate", "invalid_card_signature", "card_status", "crypto", "state", "unsupported", "argument"]
        .into_iter()
        .find(|kind| *kind == named)
        .ok_or_else(|| wrong(format!("unknown kind of error {named}")))
}

fn as_case(context: &Context<'_>, vector: &Vector) -> Result<Value, Unanswered> {
    let (mut roots, mut authorities) = (Vec::new(), Vec::new());
    for name in vector.names("trusted") {
        let trusted = context.vector(name)?;
        if trusted.kind == "pca_public_key" {
            roots.push(json!([trusted.text("reference")?, hex::encode(&trusted.hex.0)]));
        } else {
            authorities.push(json!(hex::encode(&trusted.hex.0)));
        }
    }
    let parsers = vector.members.get("parsers_registered").and_then(Value::as_bool).unwrap_or(true);
    let steps = vector.members.get("steps").and_then(Value::as_array).ok_or_else(|| wrong("no steps"))?;
    let challenges = challenges(steps);
    let steps: Vec<Value> = steps.iter().flat_map(calls).collect();
    Ok(json!({
        "name": vector.name,
        "mode": "pki",
        "card": { "select_response": vector.text("select_response")?, "power_on_data": null, "contactless": true },
        "sam": null,
        "settings": {
            "pca": roots, "ca": authorities, "ca_parser": parsers, "card_parser": parsers,
            "test_mode": vector.text("mode")? == "test",
        },
        "terminal_challenges": challenges,
        "steps": steps,
    }))
}

/// What the terminal drew: the challenges in the openings.
fn challenges(steps: &[Value]) -> Vec<String> {
    let exchanges = steps.iter().filter_map(|step| step.get("exchanges")?.as_array()).flatten();
    let apdus = exchanges.filter_map(|exchange| exchange.get("apdus")?.as_array()).flatten();
    let commands = apdus.filter_map(|pair| pair.get(0)?.as_str());
    commands
        .filter(|command| command.starts_with("008A"))
        .filter_map(|command| command.get(12..28))
        .map(Into::into)
        .collect()
}

/// The calls of a step. Its exchanges and its error are those of the last one.
fn calls(step: &Value) -> Vec<Value> {
    let mut calls: Vec<Value> = step.get("calls").and_then(Value::as_array).cloned().unwrap_or_default();
    if let Some(last) = calls.last_mut().and_then(Value::as_object_mut) {
        for name in ["exchanges", "error"] {
            if let Some(value) = step.get(name) {
                last.entry(name).or_insert_with(|| value.clone());
            }
        }
    }
    calls
}

pub(super) fn first_command(pairs: &[(Hex, Hex)]) -> &[u8] {
    pairs.first().map_or(&[], |(command, _)| command.0.as_slice())
}

fn transaction_with(card: &str) -> Result<Transaction, Unanswered> {
    let selected = hex::decode(card).unwrap_or_default();
    let card = Card::from_select_response(&selected).map_err(|error| error.to_string())?;
    Ok(Transaction::new(card, Security::None).map_err(|error| error.to_string())?)
}

fn replay(transaction: &mut Transaction, pairs: Vec<(Hex, Hex)>) -> Result<(), Unanswered> {
    let mut card = Recorded::new(pairs);
    let ran = drive::run(transaction, &mut card, &mut drive::NoSam, ChannelControl::KeepOpen);
    card.end()?;
    ran.map_err(|error| wrong(error.to_string()))
}

/// Answers what was recorded, in the same order, and is lost when asked for anything else.
pub(super) struct Recorded {
    pairs: Vec<(Hex, Hex)>,
    next: usize,
}

impl Recorded {
    pub(super) const fn new(pairs: Vec<(Hex, Hex)>) -> Self {
        Self { pairs, next: 0 }
    }

    /// Whether all that was recorded was sent.
    pub(super) fn end(&self) -> Result<(), Unanswered> {
        match self.pairs.get(self.next) {
            Some((command, _)) => Err(wrong(format!("not sent: {}", hex::encode(&command.0)))),
            None => Ok(()),
        }
    }
}

impl Channel for Recorded {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        for command in request.commands.iter() {
            let (recorded, response) = self.pairs.get(self.next).ok_or(Loss::Peer)?;
            if recorded.0 != command {
                return Err(Loss::Peer);
            }
            responses.push(&response.0);
            self.next += 1;
        }
        Ok(())
    }
}
