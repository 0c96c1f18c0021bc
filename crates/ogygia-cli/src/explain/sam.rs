//! Commands to the SAM.

use ogygia::apdu::{Response, StatusWord};
use ogygia::command::CommandName;

use super::{Command, Meaning, short_hex};

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
        (0x8A, _) => Meaning::new(CommandName::SamDigestInit, digest_init(command.data), done),
        (0x8C, 0x80) => Meaning::new(
            CommandName::SamDigestUpdateMultiple,
            format!("{} messages between terminal and card", count_blocks(command.data)),
            done,
        ),
        (0x8C, _) => Meaning::new(
            CommandName::SamDigestUpdate,
            format!("one message between terminal and card: {}", short_hex(command.data)),
            done,
        ),
        (0x8E, _) => {
            Meaning::new(CommandName::SamDigestClose, "the MAC over all these messages, for the card to check", |_| {
                "here it is".to_owned()
            })
        }
        (0x82, _) => authenticate(),
        _ => return None,
    })
}

fn digest_init(data: &[u8]) -> String {
    match data {
        [kif, kvc, ..] => {
            format!("begin a MAC with key KIF {kif:02X} KVC {kvc:02X}, over what the card answered to the opening")
        }
        _ => "begin a MAC".to_owned(),
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
