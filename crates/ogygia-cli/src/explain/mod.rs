//! What a command asks and what its answer says, in words.
//!
//! Read from the bytes alone, as somebody would who listens in and has heard what was said before.

pub(crate) mod card;
mod certificates;
mod ciphered;
mod purse;
mod sam;
mod secret;

pub(crate) use secret::{shown_command, shown_response};

use std::ops::Range;

use ogygia::Peer;
use ogygia::apdu::Response;
use ogygia::command::CommandName;

use crate::hex;
use crate::record::Exchange;

/// What was said before, as far as it decides what an exchange means.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Context {
    /// The data of what terminal and card say are ciphered.
    pub(crate) ciphered: bool,
    /// The SAM has digested a command to the card, and next its answer.
    pub(crate) answer_next: bool,
}

/// An exchange in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explained {
    /// The command, as the specification calls it.
    pub(crate) name: String,
    /// What it asks.
    pub(crate) asks: String,
    /// What was answered.
    pub(crate) answers: String,
    /// It opens a session.
    pub(crate) opens: bool,
    /// It decides whether the data of what follows between terminal and card are ciphered, and how.
    pub(crate) ciphers: Option<bool>,
    /// It is a command that passes through the SAM before it is sent to the card.
    pub(crate) precedes: bool,
    /// How many messages between terminal and card it has the SAM digest.
    pub(crate) digested: usize,
}

impl Explained {
    fn unknown(name: String) -> Self {
        Self {
            name,
            asks: String::new(),
            answers: String::new(),
            opens: false,
            ciphers: None,
            precedes: false,
            digested: 0,
        }
    }
}

/// Puts an exchange with `peer` into words, after what the `context` says.
pub(crate) fn explain(context: Context, peer: Peer, exchange: &Exchange) -> Explained {
    let Some(command) = Command::parse(peer, &exchange.command) else {
        return Explained::unknown("Unknown command".to_owned());
    };
    let meaning = match peer {
        Peer::Card if context.ciphered => ciphered::meaning(&command),
        Peer::Card if certificates::is_close(&command, exchange.response.as_deref()) => Some(certificates::close()),
        Peer::Card => card::meaning(&command),
        Peer::Sam | Peer::ControlSam if sam::is_ciphering(&command) => {
            Some(ciphered::at_the_sam(&command, context.answer_next))
        }
        Peer::Sam | Peer::ControlSam => sam::meaning(&command),
    };
    let Some(Meaning { name, asks, answer }) = meaning else {
        return Explained::unknown(format!("Unknown command {:02X}", command.ins));
    };
    let answers = match exchange.response.as_deref().map(Response::parse) {
        None => "no answer: the connection was lost".to_owned(),
        Some(None) => "an answer without status word".to_owned(),
        Some(Some(response)) => answer(response).unwrap_or_else(|| refusal(name, response)),
    };
    let opens = name == CommandName::OpenSecureSession;
    let ciphers = ciphered::decided(name, &command, exchange);
    let precedes = peer == Peer::Sam && sam::is_ciphering(&command) && !context.answer_next;
    let digested = match name {
        CommandName::SamDigestUpdate => 1,
        CommandName::SamDigestUpdateMultiple => sam::count_blocks(command.data),
        _ => 0,
    };
    Explained { name: title(name), asks, answers, opens, ciphers, precedes, digested }
}

/// A command, cut into its parts.
struct Command<'a> {
    ins: u8,
    p1: u8,
    p2: u8,
    data: &'a [u8],
    /// Where in the data something is not to be shown.
    hidden: Vec<Range<usize>>,
}

impl<'a> Command<'a> {
    fn parse(peer: Peer, bytes: &'a [u8]) -> Option<Self> {
        let (&[_, ins, p1, p2], rest) = bytes.split_first_chunk::<4>()?;
        let data = match rest {
            [lc, data @ ..] => data.get(..usize::from(*lc)).unwrap_or_default(),
            [] => &[],
        };
        let hidden = secret::hidden(peer, bytes).into_iter();
        let hidden = hidden.map(|range| range.start.saturating_sub(5)..range.end.saturating_sub(5)).collect();
        Some(Self { ins, p1, p2, data, hidden })
    }
}

/// What a command means, and how to read its answer: nothing when it is a refusal.
struct Meaning<'a> {
    name: CommandName,
    asks: String,
    answer: Box<dyn Fn(Response<'_>) -> Option<String> + 'a>,
}

impl<'a> Meaning<'a> {
    fn new(name: CommandName, asks: impl Into<String>, answer: impl Fn(&[u8]) -> String + 'a) -> Self {
        let success = move |response: Response<'_>| is_success(response).then(|| answer(response.data));
        Self { name, asks: asks.into(), answer: Box::new(success) }
    }
}

fn is_success(response: Response<'_>) -> bool {
    response.status == ogygia::apdu::StatusWord::SUCCESS
}

fn refusal(name: CommandName, response: Response<'_>) -> String {
    match name.refusal(response.status) {
        Some(refusal) => format!("refused with {}: {refusal}", response.status),
        None => format!("refused with {}", response.status),
    }
}

/// The name as the first words of a line.
fn title(name: CommandName) -> String {
    match name {
        CommandName::Ratification => "Ratification command".to_owned(),
        other => other.to_string(),
    }
}

/// Bytes as hexadecimal text, cut in the middle when there are many.
pub(crate) fn short_hex(bytes: &[u8]) -> String {
    short_hex_without(bytes, &[])
}

/// The same, with asterisks for the bytes that are hidden.
fn short_hex_without(bytes: &[u8], hidden: &[Range<usize>]) -> String {
    const WHOLE: usize = 48;
    const HEAD: usize = 32;
    const TAIL: usize = 2;
    if bytes.len() <= WHOLE {
        return masked_hex(bytes, 0..bytes.len(), hidden);
    }
    let tail = bytes.len() - TAIL..bytes.len();
    let (head, tail) = (masked_hex(bytes, 0..HEAD, hidden), masked_hex(bytes, tail, hidden));
    format!("{head}…{tail} ({} bytes)", bytes.len())
}

fn masked_hex(bytes: &[u8], part: Range<usize>, hidden: &[Range<usize>]) -> String {
    const MASK: &str = "****";
    let mut text = String::new();
    let mut masking = false;
    for (at, byte) in bytes.iter().enumerate().take(part.end).skip(part.start) {
        let mask = hidden.iter().any(|range| range.contains(&at));
        match (mask, masking) {
            (true, false) => text.push_str(MASK),
            (true, true) => {}
            (false, _) => text.push_str(&hex::encode(&[*byte])),
        }
        masking = mask;
    }
    text
}

#[cfg(test)]
mod tests;
