//! Commands to the purse of a card: SV Get and the Stored Value operations.

use ogygia::apdu::{Response, StatusWord};
use ogygia::command::CommandName;

use super::{Meaning, is_success, short_hex};

/// A balance or an amount: three bytes with a sign.
fn s24([a, b, c]: [u8; 3]) -> i32 {
    i32::from_be_bytes([a, b, c, 0]) >> 8
}

pub(super) fn get<'a>(p1: u8, p2: u8) -> Meaning<'a> {
    let (extended, what) = (p1 != 0, if p2 == 0x07 { "a reload" } else { "a debit" });
    let asks = format!("what is in the purse? {what} will follow");
    Meaning::new(CommandName::SvGet, asks, move |data| described(extended, data))
}

fn described(extended: bool, data: &[u8]) -> String {
    let parts = match (extended, data) {
        (false, [kvc, t0, t1, _, _, _, _, _, b0, b1, b2, ..]) => Some((*kvc, [*t0, *t1], [*b0, *b1, *b2])),
        (true, [_, _, _, _, _, _, _, _, kvc, t0, t1, _, _, _, _, _, _, b0, b1, b2, ..]) => {
            Some((*kvc, [*t0, *t1], [*b0, *b1, *b2]))
        }
        _ => None,
    };
    match parts {
        Some((kvc, number, balance)) => format!(
            "{}, after {} operations; its key is KVC {kvc:02X}, and here is its challenge",
            s24(balance),
            u16::from_be_bytes(number)
        ),
        None => short_hex(data),
    }
}

pub(super) fn reload<'a>(data: &[u8]) -> Meaning<'a> {
    let amount = match data {
        [_, _, _, _, _, _, a, b, c, ..] => s24([*a, *b, *c]),
        _ => 0,
    };
    operation(CommandName::SvReload, format!("{amount} into the purse, by leave of the SAM's MAC"))
}

pub(super) fn debit<'a>(name: CommandName, data: &[u8]) -> Meaning<'a> {
    let amount = match data {
        [_, a, b, ..] => i32::from(i16::from_be_bytes([*a, *b])),
        _ => 0,
    };
    let way = if name == CommandName::SvUndebit { "back into" } else { "out of" };
    operation(name, format!("{} {way} the purse, by leave of the SAM's MAC", amount.abs()))
}

fn operation<'a>(name: CommandName, asks: String) -> Meaning<'a> {
    let answer = |response: Response<'_>| match response.status {
        StatusWord::POSTPONED => Some("done; the purse's own MAC comes with the closing".to_owned()),
        _ if is_success(response) => Some("done; here is the purse's own MAC".to_owned()),
        _ => None,
    };
    Meaning { name, asks, answer: Box::new(answer) }
}
