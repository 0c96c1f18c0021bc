//! What the tests of all families use.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::command::{Command, List, Means, Terms};
use crate::error::Error;
use crate::test_hex::hex;

/// A card with this startup information, or `atr` for one of revision 1.
pub(crate) fn card(startup: &str) -> Card {
    if startup == "atr" {
        return Card::from_power_on_data(&hex("3B8F8001805A0A010320031112345678829000F7")).unwrap();
    }
    let fci = format!("6F238409315449432E49434131A516BF0C13C708000000001122334453 07{startup}9000");
    Card::from_select_response(&hex(&fci)).unwrap()
}

fn upper(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

pub(crate) fn encoded(step: &impl Exchange, startup: &str) -> String {
    encoded_with(step, startup, &[])
}

pub(crate) fn encoded_with(step: &impl Exchange, startup: &str, material: &[u8]) -> String {
    let card = card(startup);
    let mut out = Vec::new();
    step.encode(&encoder(&card, &[], material), &mut out);
    upper(&out)
}

pub(crate) fn applied(step: &impl Exchange, card: &mut Card, answer: &str) -> Result<(), Misbehaviour> {
    applied_as(step, card, "", answer)
}

/// For a step whose effect depends on the command as it was sent.
pub(crate) fn applied_as(
    step: &impl Exchange,
    card: &mut Card,
    command: &str,
    answer: &str,
) -> Result<(), Misbehaviour> {
    let (command, answer) = (hex(command), hex(answer));
    step.apply(&Exchanged { answer: Response::parse(&answer).unwrap(), command: &command, payload: &[] }, card)
}

fn encoder<'a>(card: &Card, payload: &'a [u8], material: &'a [u8]) -> Encoder<'a> {
    Encoder {
        product: card.product(),
        quirks: card.identity.quirks,
        payload,
        material,
        purse_kvc: Kvc(0),
        sam_serial_number: [0; 4],
    }
}

const MEANS: Means = Means { read_on_opening: true, ..Means::NONE };

fn terms(card: &Card) -> Terms<'_> {
    Terms { card, means: &MEANS, session_is_open: false }
}

fn encoded_list(list: &List, card: &Card) -> Vec<String> {
    let encode = |prepared: &crate::command::Prepared| {
        let mut out = Vec::new();
        prepared.step.encode(&encoder(card, list.payload(), &[]), &mut out);
        upper(&out)
    };
    list.commands().iter().map(encode).collect()
}

/// The commands that the operations become.
pub(crate) fn prepared(startup: &str, commands: &[Command<'_>]) -> Result<Vec<String>, Error> {
    let card = card(startup);
    let mut list = List::default();
    commands.iter().try_for_each(|command| command.prepare(&mut list, &terms(&card)))?;
    Ok(encoded_list(&list, &card))
}

/// Prepares one operation, compares its commands, and lets `answers` change the image.
#[expect(clippy::needless_pass_by_value, reason = "operations are written in place")]
pub(crate) fn processed(
    card: &mut Card,
    command: Command<'_>,
    expected: &[&str],
    answers: &[&str],
) -> Result<(), Error> {
    let mut list = List::default();
    command.prepare(&mut list, &terms(card))?;
    assert_eq!(encoded_list(&list, card), expected);
    for (index, (prepared, answer)) in list.commands().iter().zip(answers).enumerate() {
        let answer = hex(answer);
        let step = prepared.step;
        let command = hex(expected.get(index).unwrap());
        let exchanged =
            Exchanged { answer: Response::parse(&answer).unwrap(), command: &command, payload: list.payload() };
        step.apply(&exchanged, card).map_err(|how| Error::PeerMisbehaved {
            peer: crate::Peer::Card,
            index,
            command: step.name(),
            how,
        })?;
    }
    Ok(())
}
