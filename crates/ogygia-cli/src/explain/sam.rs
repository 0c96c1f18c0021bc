//! Commands to the SAM.

use ogygia::apdu::{Response, StatusWord};
use ogygia::command::CommandName;

use super::{Command, Meaning, short_hex, short_hex_without};

/// Whether the SAM is to cipher or decipher a message between terminal and card.
pub(super) const fn is_ciphering(command: &Command<'_>) -> bool {
    matches!((command.ins, command.p1, command.p2), (0x8C, 0x00, 0x80))
}

pub(super) fn meaning<'a>(command: &Command<'a>) -> Option<Meaning<'a>> {
    let done = |_: &[u8]| "done".to_owned();
    Some(match (command.ins, command.p1) {
        (0x14, _) => Meaning::new(
            CommandName::SamSelectDiversifier,
            format!("work with the keys of the card {}", short_hex(command.data)),
            done,
        ),
        (0x84, _) => Meaning::new(
            CommandName::SamGetChallenge,
            "a random number, which makes the next session unlike any other",
            |challenge| format!("{} bytes", challenge.len()),
        ),
        (0x8A, _) => Meaning::new(CommandName::SamDigestInit, digest_init(command.p1, command.data), done),
        (0x8C, 0x80) => Meaning::new(
            CommandName::SamDigestUpdateMultiple,
            format!("{} messages between terminal and card", count_blocks(command.data)),
            done,
        ),
        (0x8C, _) => Meaning::new(
            CommandName::SamDigestUpdate,
            format!("one message between terminal and card: {}", short_hex_without(command.data, &command.hidden)),
            done,
        ),
        (0x8E, _) => {
            Meaning::new(CommandName::SamDigestClose, "the MAC over all these messages, for the card to check", |_| {
                "here it is".to_owned()
            })
        }
        (0x82, _) => authenticate(),
        (0x88, _) => Meaning::new(
            CommandName::SamDigestInternalAuthenticate,
            "a MAC over the session so far, for the card to check",
            |_| "here it is".to_owned(),
        ),
        (0x86, _) => Meaning::new(CommandName::SamGiveRandom, "here is the card's challenge", done),
        (0x12, 0xFF) => generate_key(command),
        (0x12, p1) => cipher_pin(p1, command.data),
        (0x56, _) => prepare(CommandName::SamSvPrepareLoad, "a reload"),
        (0x54, _) => prepare(CommandName::SamSvPrepareDebit, "a debit"),
        (0x5C, _) => prepare(CommandName::SamSvPrepareUndebit, "a debit taken back"),
        (0x58, _) => sv_check(),
        (0x2A, 0x9E) => compute(command.data),
        (0x2A, _) => verify(command.data),
        (0x1C, _) => {
            Meaning::new(CommandName::SamDataCipher, format!("cipher data with key {}", key(command.data)), |data| {
                format!("{} bytes", data.len())
            })
        }
        _ => return None,
    })
}

fn digest_init(p1: u8, data: &[u8]) -> String {
    let kind = if p1 == 2 { "an extended MAC" } else { "a MAC" };
    match data {
        [kif, kvc, ..] => {
            format!("begin {kind} with key KIF {kif:02X} KVC {kvc:02X}, over what the card answered to the opening")
        }
        _ => format!("begin {kind}"),
    }
}

/// How many blocks, each behind its length.
pub(super) fn count_blocks(mut data: &[u8]) -> usize {
    let mut blocks = 0;
    while let Some((length, rest)) = data.split_first() {
        blocks += 1;
        data = rest.get(usize::from(*length)..).unwrap_or_default();
    }
    blocks
}

fn authenticate<'a>() -> Meaning<'a> {
    let answer = |response: Response<'_>| match response.status {
        StatusWord::SUCCESS => Some("yes: the card is genuine, and so is all it said".to_owned()),
        StatusWord::WRONG_MAC => Some("NO: this card does not hold the keys".to_owned()),
        _ => None,
    };
    let asks = "is this the MAC of a card that holds the keys, over the same messages?".to_owned();
    Meaning { name: CommandName::SamDigestAuthenticate, asks, answer: Box::new(answer) }
}

/// The key that data begin with.
fn key(data: &[u8]) -> String {
    match data {
        [kif, kvc, ..] => format!("KIF {kif:02X} KVC {kvc:02X}"),
        _ => "that is not named".to_owned(),
    }
}

fn cipher_pin<'a>(p1: u8, data: &[u8]) -> Meaning<'a> {
    let what = if p1 == 0x40 { "a new PIN" } else { "the PIN" };
    let asks = format!("cipher {what}, with the card's challenge and key {}", key(data));
    Meaning::new(CommandName::SamCardCipherPin, asks, |_| "here it is: it serves once".to_owned())
}

fn generate_key<'a>(command: &Command<'_>) -> Meaning<'a> {
    let asks = match command.data {
        [_, _, kif, kvc, _] => format!(
            "wrap the card's key KIF {kif:02X} KVC {kvc:02X} for this challenge, under key {}",
            key(command.data)
        ),
        data => format!("wrap the card's key {} for this challenge, under the null key", key(data)),
    };
    Meaning::new(CommandName::SamCardGenerateKey, asks, |data| format!("here it is, {} bytes", data.len()))
}

fn prepare<'a>(name: CommandName, what: &str) -> Meaning<'a> {
    let asks = format!("sign {what} of the purse, which the card described so");
    Meaning::new(name, asks, |_| "challenge, number and MAC for the card to check".to_owned())
}

fn sv_check<'a>() -> Meaning<'a> {
    let answer = |response: Response<'_>| match response.status {
        StatusWord::SUCCESS => Some("yes: the card's purse has done it".to_owned()),
        StatusWord::WRONG_MAC => Some("NO: the purse is not to be believed".to_owned()),
        _ => None,
    };
    let asks = "is this the MAC of a purse that has done the operation?".to_owned();
    Meaning { name: CommandName::SamSvCheck, asks, answer: Box::new(answer) }
}

/// Behind a byte, the key; then the mode, whose last digit is the size of the signature.
fn signing(data: &[u8]) -> (String, usize) {
    match data {
        [_, kif, kvc, mode, rest @ ..] => {
            let offset = if mode & 0x40 == 0 { 0 } else { 2 };
            (format!("KIF {kif:02X} KVC {kvc:02X}"), rest.len().saturating_sub(offset))
        }
        _ => ("that is not named".to_owned(), 0),
    }
}

fn compute<'a>(data: &[u8]) -> Meaning<'a> {
    let (key, length) = signing(data);
    Meaning::new(CommandName::SamPsoComputeSignature, format!("sign {length} bytes with key {key}"), |signature| {
        format!("{} bytes", signature.len())
    })
}

fn verify<'a>(data: &[u8]) -> Meaning<'a> {
    let size = data.get(3).map_or(0, |mode| usize::from(mode & 0x0F));
    let (key, length) = signing(data);
    let answer = |response: Response<'_>| match response.status {
        StatusWord::SUCCESS => Some("yes: nobody changed it since".to_owned()),
        StatusWord::WRONG_MAC => Some("NO: it was made otherwise, or changed".to_owned()),
        _ => None,
    };
    let asks = format!("are these {} bytes signed with key {key}?", length.saturating_sub(size));
    Meaning { name: CommandName::SamPsoVerifySignature, asks, answer: Box::new(answer) }
}
