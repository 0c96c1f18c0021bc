//! Data Cipher, PSO Compute Signature, PSO Verify Signature.

use std::collections::BTreeMap;

use super::VirtualSam;
use super::counters::bytes3;
use crate::cipher::{KeyId, basic_signature, same, traceable_signature};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// Verifications in busy mode that are refused after a wrong one. A real SAM counts seconds; there is no clock here.
const BUSY_REFUSALS: u8 = 2;

const BUSY: u8 = 0x80;
const TRACEABLE: u8 = 0x40;
const FULL_SERIAL: u8 = 0x20;

/// What the SAM keeps for signatures.
#[derive(Debug, Default)]
pub(super) struct Signatures {
    /// By key, for those without an event counter.
    counters: BTreeMap<KeyId, u32>,
    refusals_left: u8,
}

impl Signatures {
    fn next(&mut self, id: KeyId) -> u32 {
        let counter = self.counters.entry(id).or_default();
        *counter = (*counter + 1) & 0x00FF_FFFF;
        *counter
    }
}

/// The data of a PSO command, cut.
struct Signed<'a> {
    id: KeyId,
    mode: u8,
    /// In bits, in traceability mode.
    offset: Option<usize>,
    size: usize,
    message: &'a [u8],
}

impl VirtualSam {
    pub(super) fn data_cipher(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0x40, 0x00)?;
        let [kif, kvc, message @ ..] = command.data.as_slice() else { return Err(status::WRONG_LENGTH) };
        if message.is_empty() || message.len() > 208 || !message.len().is_multiple_of(8) {
            return Err(status::WRONG_LENGTH);
        }
        let id = KeyId::new(*kif, *kvc);
        let (_, key) = self.key(id)?;
        if key.is_aes() || !key.parameters.signs() || !key.parameters.ciphers() {
            return Err(status::FORBIDDEN);
        }
        Ok(Reply::with(basic_signature(&self.use_key(id)?, message)))
    }

    pub(super) fn pso(&mut self, command: &Command) -> Result<Reply, Refusal> {
        match (command.p1, command.p2) {
            (0x9E, 0x9A) => self.compute(command),
            (0x00, 0xA8) => self.verify(command),
            _ => Err(status::WRONG_P1P2),
        }
    }

    fn compute(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let signed = cut(&command.data)?;
        let (key, found) = self.key(signed.id)?;
        let counter = found.parameters.counter();
        let mut message = signed.message.to_vec();
        let [s0, serial @ ..] = self.serial;
        let mut trace = if signed.mode & FULL_SERIAL != 0 { vec![s0] } else { Vec::new() };
        trace.extend(serial);
        if signed.offset.is_some_and(|offset| offset + 8 * (trace.len() + 3) > 8 * message.len()) {
            return Err(status::WRONG_DATA);
        }
        let counted = self.counters.count(counter)?;
        if let Some(offset) = signed.offset {
            trace.extend(bytes3(counted.unwrap_or_else(|| self.signatures.next(signed.id))));
            overwrite(&mut message, offset, &trace);
        }
        let signature = traceable_signature(&key, signed.mode, &message);
        let mut data = if signed.offset.is_some() { message } else { Vec::new() };
        data.extend(signature.into_iter().take(signed.size));
        Ok(Reply::with(data))
    }

    fn verify(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let signed = cut(&command.data)?;
        let (key, _) = self.key(signed.id)?;
        let length = signed.message.len().checked_sub(signed.size).filter(|length| *length > 0);
        let (message, given) = signed.message.split_at(length.ok_or(status::WRONG_DATA)?);
        let busy = signed.mode & BUSY != 0;
        if busy && self.signatures.refusals_left > 0 {
            self.signatures.refusals_left -= 1;
            return Err(status::SECURITY_STATUS);
        }
        let signature = traceable_signature(&key, signed.mode, message);
        if signature.get(..signed.size).is_some_and(|expected| same(given, expected)) {
            return Ok(Reply::done());
        }
        if busy {
            self.signatures.refusals_left = BUSY_REFUSALS;
        }
        Err(status::WRONG_MAC)
    }
}

/// Cuts the common head of the PSO commands.
fn cut(data: &[u8]) -> Result<Signed<'_>, Refusal> {
    let ([reference, kif, kvc, mode], rest) = data.split_first_chunk::<4>().ok_or(status::WRONG_LENGTH)?;
    let size = usize::from(mode & 0x0F);
    let traceable = mode & TRACEABLE != 0;
    let reserved = mode & 0x10 != 0 || (mode & FULL_SERIAL != 0 && !traceable);
    if *reference != 0xFF || reserved || !(1..=8).contains(&size) {
        return Err(status::WRONG_DATA);
    }
    let (offset, message) = if traceable {
        let (offset, message) = rest.split_first_chunk::<2>().ok_or(status::WRONG_LENGTH)?;
        (Some(usize::from(u16::from_be_bytes(*offset))), message)
    } else {
        (None, rest)
    };
    if message.is_empty() {
        return Err(status::WRONG_LENGTH);
    }
    Ok(Signed { id: KeyId::new(*kif, *kvc), mode: *mode, offset, size, message })
}

/// Puts `with` into `message` from bit `offset` on, counted from the first bit of the first byte.
fn overwrite(message: &mut [u8], offset: usize, with: &[u8]) {
    let bits = with.iter().flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1));
    for (place, bit) in (offset..).zip(bits) {
        if let Some(byte) = message.get_mut(place / 8) {
            let mask = 0x80 >> (place % 8);
            *byte = if bit == 1 { *byte | mask } else { *byte & !mask };
        }
    }
}
