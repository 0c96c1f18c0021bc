//! The selection of a case.

use ogygia::apdu::{Batch, Response};
use ogygia::card::{Card, Sfi};
use ogygia::command::{Command, GetData, PreOpenSession, ReadBinary, ReadCounters, ReadRecord};
use ogygia::{Error, selection};

use super::operation::{self, Arguments, Refused};
use super::play::same_kind;
use super::vector::{CardData, Selection, Step};
use crate::hex;

/// The image that the selection of a case gives; nothing when it did not match, or failed as recorded.
pub(super) fn select(card: &CardData, recorded: Option<&Selection>) -> Result<Option<Card>, String> {
    let Some(recorded) = recorded else {
        let selection = selection::Selection::by_power_on_data();
        return read(&selection, card, &Batch::new()).map(Some).map_err(|error| format!("selection: {error}"));
    };
    let mut selection = selection::Selection::by_power_on_data();
    if recorded.accept_invalidated {
        selection = selection.accept_invalidated();
    }
    for (index, step) in recorded.preparations.iter().enumerate() {
        let prepared = prepare(&mut selection, step)?;
        same_kind("result", step.error.as_deref(), prepared.err())
            .map_err(|what| format!("preparation {index}, {}: {what}", step.op))?;
    }
    let select_response = card.select_response.as_ref().map(|response| response.0.as_slice());
    let matches = select_response.is_none_or(|response| selection.matches(response) || !is_answer(response));
    if !matches || recorded.matched == Some(false) {
        return if matches == (recorded.matched != Some(false)) { Ok(None) } else { Err("matched otherwise".into()) };
    }
    let mut answers = Batch::new();
    exchange(&selection, recorded, &mut answers)?;
    if recorded.matched.is_none() {
        return Ok(None);
    }
    let read = read(&selection, card, &answers);
    let failed = read.as_ref().err().map(|_| "selection");
    if failed != recorded.error.as_deref() {
        let detail = read.err().map(|error| error.to_string()).unwrap_or_default();
        return Err(format!("selection: {failed:?} {detail} instead of {:?}", recorded.error));
    }
    Ok(read.ok())
}

fn is_answer(response: &[u8]) -> bool {
    Response::parse(response).is_some()
}

fn read(selection: &selection::Selection, card: &CardData, answers: &Batch) -> Result<Card, Error> {
    let power_on_data = card.power_on_data.as_ref().map_or(&[][..], |bytes| &bytes.0);
    let select_response = card.select_response.as_ref().map(|response| response.0.as_slice());
    selection.read(select_response, power_on_data, answers.iter())
}

/// Compares the commands, and takes the recorded answers.
fn exchange(selection: &selection::Selection, recorded: &Selection, answers: &mut Batch) -> Result<(), String> {
    let apdus: Vec<_> = recorded.exchanges.iter().flat_map(|exchange| &exchange.apdus).collect();
    let sent: Vec<_> =
        apdus.iter().map(|(command, _)| command.0.as_slice()).filter(|command| !command.is_empty()).collect();
    let request = selection.request();
    for (index, command) in request.commands.iter().enumerate() {
        let recorded = sent.get(index).copied().unwrap_or_default();
        if command != recorded {
            return Err(format!("selection sent {} instead of {}", hex::encode(command), hex::encode(recorded)));
        }
    }
    if request.commands.len() != sent.len() {
        return Err(format!("selection sent {} commands instead of {}", request.commands.len(), sent.len()));
    }
    answers.extend(apdus.iter().map(|(_, answer)| answer.0.as_slice()).filter(|answer| !answer.is_empty()));
    Ok(())
}

fn prepare(selection: &mut selection::Selection, step: &Step) -> Result<Result<(), Error>, Refused> {
    let arguments = Arguments(&step.arguments);
    let command: Command<'_> = match step.op.as_str() {
        "select_file" => operation::select_file(&arguments)?.into(),
        "get_data" => GetData { tag: operation::data_tag(arguments.text("tag")?)? }.into(),
        "read_record" => ReadRecord { sfi: Sfi(arguments.byte("sfi")?), record: arguments.byte("record")? }.into(),
        "read_binary" => ReadBinary {
            sfi: Sfi(arguments.byte("sfi")?),
            offset: arguments.number("offset", u16::MAX)?,
            length: arguments.number("length", 0)?,
        }
        .into(),
        "read_counter" => ReadCounters { sfi: Sfi(arguments.byte("sfi")?), count: arguments.byte("count")? }.into(),
        "pre_open_secure_session" => PreOpenSession { level: operation::level(arguments.text("level")?)? }.into(),
        other => return Err(format!("unknown operation {other}")),
    };
    Ok(selection.prepare(command))
}
