//! What is not shown: PINs, in clear or ciphered, wherever an account would print them.

use std::iter;
use std::ops::Range;

use ogygia::Peer;

use super::short_hex_without;
use crate::record::Exchange;

const VERIFY_PIN: u8 = 0x20;
const CHANGE_PIN: u8 = 0xD8;
const DIGEST_UPDATE: u8 = 0x8C;
const CARD_CIPHER: u8 = 0x12;
/// P2 of a Digest Update that ciphers, too.
const CIPHER: u8 = 0x80;
/// Bytes in front of the data of a command.
const HEADER: usize = 5;

/// The command of `exchange` in hexadecimal digits, its PIN masked.
pub(crate) fn shown_command(peer: Peer, exchange: &Exchange) -> String {
    short_hex_without(&exchange.command, &hidden(peer, &exchange.command))
}

/// The answer of `exchange`, a PIN that it holds masked.
pub(crate) fn shown_response(peer: Peer, exchange: &Exchange) -> String {
    let Some(response) = exchange.response.as_deref() else { return "nothing".to_owned() };
    let data = 0..response.len().saturating_sub(2);
    let hidden = match (peer, exchange.command.get(1..4)) {
        (Peer::Sam, Some([CARD_CIPHER, 0x80 | 0x40, 0xFF])) => Some(data),
        (Peer::Sam, Some([DIGEST_UPDATE, 0x00, CIPHER])) => in_card_command(response.get(data).unwrap_or_default()),
        _ => None,
    };
    short_hex_without(response, hidden.as_slice())
}

/// Where in `command` something is not to be shown.
pub(super) fn hidden(peer: Peer, command: &[u8]) -> Vec<Range<usize>> {
    match (peer, command) {
        (Peer::Card, command) => in_card_command(command).into_iter().collect(),
        (Peer::Sam, [_, CARD_CIPHER, 0x80 | 0x40, 0xFF, ..]) => {
            let key = 2;
            iter::once(HEADER + key..command.len()).collect()
        }
        (Peer::Sam, [_, DIGEST_UPDATE, p1, _, _, data @ ..]) => {
            let in_data = if *p1 == 0x80 { in_blocks(data) } else { in_card_command(data).into_iter().collect() };
            in_data.into_iter().map(|range| HEADER + range.start..HEADER + range.end).collect()
        }
        _ => Vec::new(),
    }
}

/// A PIN in a command to the card. An answer that looks like one is masked too, which does no harm.
fn in_card_command(command: &[u8]) -> Option<Range<usize>> {
    match command {
        [_, VERIFY_PIN, 0x00, 0x00, _, _, ..] | [_, CHANGE_PIN, _, 0xFF, _, _, ..] => Some(HEADER..command.len()),
        _ => None,
    }
}

/// PINs in what the SAM digests: blocks with their length in front.
fn in_blocks(data: &[u8]) -> Vec<Range<usize>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(length) = data.get(at) {
        let start = at + 1;
        let end = (start + usize::from(*length)).min(data.len());
        let block = data.get(start..end).unwrap_or_default();
        found.extend(in_card_command(block).map(|range| start + range.start..start + range.end));
        at = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hex::decode;

    fn shown(peer: Peer, command: &str, response: &str) -> (String, String) {
        let exchange = Exchange { command: decode(command).unwrap(), response: decode(response) };
        (shown_command(peer, &exchange), shown_response(peer, &exchange))
    }

    #[test]
    fn pins_are_masked() {
        let command = |peer, command| shown(peer, command, "9000").0;
        assert_eq!(command(Peer::Card, "002000000431323334"), "0020000004****");
        assert_eq!(command(Peer::Card, "00200000081122334455667788"), "0020000008****");
        assert_eq!(command(Peer::Card, "00D800FF0431323334"), "00D800FF04****");
        assert_eq!(command(Peer::Card, "0020000000"), "0020000000", "the status alone");
        assert_eq!(command(Peer::Card, "00D800030411223344"), "00D800030411223344", "a ciphered key");
        assert_eq!(command(Peer::Sam, "801280FF06307931323334"), "801280FF063079****");
        assert_eq!(command(Peer::Sam, "801240FF0A21790000000031323334"), "801240FF0A2179****");
        assert_eq!(command(Peer::Sam, "808C000009002000000431323334"), "808C0000090020000004****");
        assert_eq!(
            command(Peer::Sam, "808C800014029000090020000004313233340290000400B00000"),
            "808C80001402900009002000000 4****0290000400B00000".replace(' ', "")
        );
        assert_eq!(shown(Peer::Sam, "801280FF06307931323334", "11223344556677889000").1, "****9000");
        assert_eq!(shown(Peer::Sam, "801280FF06307931323334", "6A83").1, "6A83");
        let ciphered = shown(Peer::Sam, "808C008009002000000431323334", "0020000004A1A2A3A49000");
        assert_eq!(ciphered, ("808C0080090020000004****".to_owned(), "0020000004****9000".to_owned()));
    }

    /// Whatever is cut off, no more is shown.
    #[test]
    fn cut_commands() {
        for (peer, command) in [(Peer::Card, "002000000431323334"), (Peer::Sam, "808C80000A09002000000431323334")] {
            let whole = decode(command).unwrap();
            for length in 0..=whole.len() {
                let exchange = Exchange { command: whole[..length].to_vec(), response: None };
                assert!(!shown_command(peer, &exchange).contains("3132"), "{length}");
            }
        }
    }
}
