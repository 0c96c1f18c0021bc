//! Messages between terminal and card whose data are ciphered, and what the SAM makes of them: specification 02, "early
//! authentication and encryption".

use ogygia::apdu::{Response, StatusWord};
use ogygia::card::Sfi;
use ogygia::command::CommandName;

use super::card::{self, bytes_of, place};
use super::{Command, Meaning, is_success, short_hex, short_hex_without};
use crate::record::Exchange;

/// Bytes of a command in front of its data.
const HEADER: usize = 5;

/// Headers and status words are in clear, data are not.
pub(super) fn meaning<'a>(command: &Command<'a>) -> Option<Meaning<'a>> {
    let Meaning { name, asks, answer } = card::meaning(command)?;
    if is_always_clear(name) {
        return Some(Meaning { name, asks, answer });
    }
    let asks = if command.data.is_empty() { asks } else { with_data(command) };
    let answer = move |response: Response<'_>| match response.data.len() {
        0 => answer(response),
        length if is_success(response) || response.status == StatusWord::POSTPONED => {
            Some(format!("{length} bytes, ciphered"))
        }
        _ => None,
    };
    Some(Meaning { name, asks, answer: Box::new(answer) })
}

/// What opens, manages and closes the session.
const fn is_always_clear(name: CommandName) -> bool {
    matches!(
        name,
        CommandName::OpenSecureSession
            | CommandName::ManageSecureSession
            | CommandName::CloseSecureSession
            | CommandName::AbortSecureSession
            | CommandName::Ratification
    )
}

fn with_data(command: &Command<'_>) -> String {
    let (p1, p2, length) = (command.p1, command.p2, command.data.len());
    let place = place(Sfi(p2 >> 3));
    let place = match command.ins {
        0x30 | 0x32 => format!("{place}, counter {p1}: "),
        0xDC | 0xD2 => format!("{place}, record {p1}: "),
        0xE2 => format!("{place}, a new record 1: "),
        0x38 | 0x3A => format!("{place}: "),
        0xB3 | 0xA2 => format!("{place}, from record {p1} on: "),
        0xD6 | 0xD0 => format!("{}: ", bytes_of("replace", p1, p2)),
        _ => String::new(),
    };
    format!("{place}{length} bytes, ciphered")
}

/// Whether `exchange` decides if the data of what follows are ciphered, and how.
pub(super) fn decided(name: CommandName, command: &Command<'_>, exchange: &Exchange) -> Option<bool> {
    let accepted = exchange.response.as_deref().and_then(Response::parse).is_some_and(is_success);
    match name {
        CommandName::ManageSecureSession if accepted => Some(command.p2 & 2 != 0),
        CommandName::OpenSecureSession | CommandName::CloseSecureSession | CommandName::AbortSecureSession => {
            Some(false)
        }
        _ => None,
    }
}

/// A message that passes through the SAM: what it is depends on that before it.
pub(super) fn at_the_sam<'a>(command: &Command<'a>, is_answer: bool) -> Meaning<'a> {
    const STATUS: usize = 2;
    let message = short_hex_without(command.data, &command.hidden);
    let has_data = command.data.len() > if is_answer { STATUS } else { HEADER };
    let asks = match (is_answer, has_data) {
        (false, true) => format!("cipher this command to the card: {message}"),
        (false, false) => format!("a command to the card, without data to cipher: {message}"),
        (true, true) => format!("decipher this answer of the card: {message}"),
        (true, false) => format!("an answer of the card, without data to decipher: {message}"),
    };
    Meaning::new(CommandName::SamDigestUpdate, asks, move |made| match (is_answer, has_data) {
        (true, true) => format!("it says {}", short_hex(made)),
        (false, true) => "here it is".to_owned(),
        (_, false) => "done".to_owned(),
    })
}
