//! Commands to a card that signs its sessions.

use ogygia::card::Sfi;
use ogygia::command::CommandName;

use super::card::{content, place};
use super::{Command, Meaning, short_hex};
use crate::hex;

/// The length of a signature.
const SIGNATURE: usize = 64;

/// Get Data: certificates come in two parts.
pub(super) fn get_data<'a>(p1: u8, p2: u8) -> Meaning<'a> {
    let what = match (p1, p2) {
        (0xDF, 0x2C) => "your public key",
        (0xDF, 0x4A) => "the certificate of your authority, first part",
        (0xDF, 0x4B) => "the certificate of your authority, the rest",
        (0xDF, 0x4C) => "your certificate, first part",
        (0xDF, 0x4D) => "your certificate, the rest",
        _ => return Meaning::new(CommandName::GetData, format!("the data object {p1:02X}{p2:02X}"), short_hex),
    };
    Meaning::new(CommandName::GetData, what, |data| format!("{} bytes", data.len()))
}

/// The opening of a session without a key.
pub(super) fn open<'a>(record: u8, sfi: Sfi) -> Meaning<'a> {
    let reading = if record == 0 { String::new() } else { format!(", and read {}, record {record}", place(sfi)) };
    let asks = format!("open a session that you will sign{reading}; here is the terminal's challenge");
    Meaning::new(CommandName::OpenSecureSession, asks, move |data| opened(sfi, data).unwrap_or("open".to_owned()))
}

/// Name, serial number, a status, counter and challenge, flags, two bytes of no meaning here, and a record.
fn opened(sfi: Sfi, data: &[u8]) -> Option<String> {
    let (length, rest) = data.split_first()?;
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let (serial, rest) = rest.split_first_chunk::<8>()?;
    let (&[.., flags, _, _, _], record) = rest.split_first_chunk::<13>()?;
    let before = if flags & 1 == 0 { "ratified" } else { "NOT ratified" };
    let mut text = format!(
        "open, by application {} with serial number {}; the session before was {before}",
        hex::encode(name),
        hex::encode(serial)
    );
    if !record.is_empty() {
        text.push_str(&format!("; {}", content(sfi, record)));
    }
    Some(text)
}

/// The closing of such a session is, byte for byte, the abort of any other one. Only the answer tells.
pub(super) fn is_close(command: &Command<'_>, answer: Option<&[u8]>) -> bool {
    command.ins == 0x8E && command.data.is_empty() && answer.is_some_and(|answer| answer.len() == SIGNATURE + 2)
}

pub(super) fn close<'a>() -> Meaning<'a> {
    Meaning::new(CommandName::CloseSecureSession, "commit the session, and sign all of it", |_| {
        "all is written; here is the card's signature".to_owned()
    })
}
