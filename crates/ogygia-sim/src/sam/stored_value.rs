//! SV Prepare and SV Check.

use super::VirtualSam;
use crate::cipher::{KeyId, SvOperation, same};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// State of the purse transaction.
#[derive(Debug, Default)]
pub(super) struct SvState {
    number: u32,
    /// MAC due from the card: 3 bytes, 6 in extended mode.
    due: Option<Vec<u8>>,
}

impl SvState {
    pub(super) fn forget(&mut self) {
        self.due = None;
    }

    fn next_number(&mut self) -> [u8; 3] {
        self.number = (self.number + 1) & 0x00FF_FFFF;
        let [_, high, middle, low] = self.number.to_be_bytes();
        [high, middle, low]
    }
}

/// The data of an SV Prepare, cut.
struct Prepare<'a> {
    header: &'a [u8],
    response: &'a [u8],
    partial: &'a [u8],
    extended: bool,
    kvc: u8,
}

impl VirtualSam {
    pub(super) fn sv_prepare(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if (command.p1, command.p2) != (0x01, 0xFF) {
            return Err(status::WRONG_KEY_REFERENCE);
        }
        let prepare = cut(command)?;
        if prepare.extended && !self.product.is_extended() {
            return Err(status::WRONG_LENGTH);
        }
        let kif = if command.ins == 0x56 { KeyId::SV_LOAD_KIF } else { KeyId::SV_DEBIT_KIF };
        let (key, _) = self.key(KeyId::new(kif, prepare.kvc))?;
        let [c0, c1, c2] = self.random();
        let operation = SvOperation {
            get_header: prepare.header,
            get_response: prepare.response,
            partial: prepare.partial,
            challenge: [c0, c1, c2],
            sam: self.serial,
            number: self.purse.next_number(),
        };
        let (terminal_len, card_len) = if prepare.extended { (10, 6) } else { (5, 3) };
        let mut data = operation.challenge.to_vec();
        data.extend(operation.number);
        data.extend(operation.terminal(&key).into_iter().take(terminal_len));
        self.purse.due = Some(operation.card(&key).into_iter().take(card_len).collect());
        Ok(Reply::with(data))
    }

    pub(super) fn sv_check(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        if !matches!(command.data.len(), 0 | 3 | 6) {
            return Err(status::WRONG_LENGTH);
        }
        let due = self.purse.due.take().ok_or(status::FORBIDDEN)?;
        // Without data the purse transaction is given up.
        if command.data.is_empty() || same(&due, &command.data) { Ok(Reply::done()) } else { Err(status::WRONG_MAC) }
    }
}

/// Cuts header, response and partial command apart and checks that they belong together.
fn cut(command: &Command) -> Result<Prepare<'_>, Refusal> {
    let (ins, operation, partial_len, short, long) = match command.ins {
        0x56 => (0xB8, 0x07, 15, 33, 61),
        0x54 => (0xBA, 0x09, 12, 30, 61),
        _ => (0xBC, 0x09, 12, 30, 61),
    };
    let data = command.data.as_slice();
    let response_len = data.len().checked_sub(4 + partial_len).ok_or(status::WRONG_LENGTH)?;
    let extended = match response_len.checked_sub(2) {
        Some(length) if length == short => false,
        Some(length) if length == long => true,
        _ => return Err(status::WRONG_LENGTH),
    };
    let (header, rest) = data.split_at_checked(4).ok_or(status::WRONG_LENGTH)?;
    let (response, partial) = rest.split_at_checked(response_len).ok_or(status::WRONG_LENGTH)?;
    let p1 = u8::from(extended);
    let lc = match (ins, extended) {
        (0xB8, false) => 0x17,
        (0xB8, true) => 0x1C,
        (_, false) => 0x14,
        (_, true) => 0x19,
    };
    let consistent = header.starts_with(&[0x7C, p1, operation])
        && partial.starts_with(&[ins, 0, 0, lc, 0])
        && response.ends_with(&[0x90, 0x00]);
    let kvc = response.get(if extended { 8 } else { 0 }).copied().filter(|_| consistent).ok_or(status::WRONG_DATA)?;
    Ok(Prepare { header, response, partial, extended, kvc })
}
