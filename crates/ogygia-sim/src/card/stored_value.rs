//! Stored Value: SV Get, Reload, Debit, Undebit.

use super::VirtualCard;
use super::layout::{File, Place};
use super::memory::Purse;
use super::session::Session;
use crate::cipher::{Key, KeyId, SvOperation, same};
use crate::command::{Command, Reply};
use crate::hex::Hex;
use crate::status::{self, Refusal};

const GET: u8 = 0x7C;
const RELOAD: u8 = 0xB8;
const DEBIT: u8 = 0xBA;
const UNDEBIT: u8 = 0xBC;

/// File structure of a Stored Value application.
const STRUCTURE: u8 = 0x20;
/// Usual identifiers of the log files.
const LOAD_LOG: u16 = 0x1014;
const DEBIT_LOG: u16 = 0x1015;

/// Which instructions take the Stored Value class.
pub(super) const fn is_stored_value(ins: u8) -> bool {
    matches!(ins, GET | RELOAD | DEBIT | UNDEBIT)
}

/// What an operation needs of the SV Get before it.
#[derive(Debug)]
pub(super) struct SvGet {
    header: [u8; 4],
    response: Vec<u8>,
    extended: bool,
    reload: bool,
    kvc: u8,
}

/// A reload, debit or undebit, cut into its parts.
struct Operation<'a> {
    /// Bytes that the SAM saw.
    partial: Vec<u8>,
    challenge: [u8; 3],
    sam: [u8; 4],
    number: [u8; 3],
    mac: &'a [u8],
}

impl VirtualCard {
    pub(super) fn sv_get(&mut self, command: &Command) -> Result<Reply, Refusal> {
        self.purse_here()?;
        if self.in_signed_session() || self.field.session.as_ref().is_some_and(Session::purse_used) {
            return Err(status::FORBIDDEN);
        }
        let extended_known = self.application().is_some_and(|application| application.features.extended_mode);
        let extended = match command.p1 {
            0 => false,
            1 if extended_known => true,
            _ => return Err(status::UNKNOWN_KEY_INDEX),
        };
        let reload = match command.p2 {
            0x07 => true,
            0x09 => false,
            _ => return Err(status::UNKNOWN_KEY_INDEX),
        };
        let kvc = self.purse_key(reload).ok_or(status::SECURITY_STATUS)?.0.kvc;
        let data = self.sv_get_data(extended, reload, kvc)?;
        let asked = command.le.unwrap_or(0);
        if !command.data.is_empty() || (asked != 0 && usize::from(asked) != data.len()) {
            return Err(status::LE_DOES_NOT_MATCH);
        }
        let reply = Reply::with(data);
        self.field.sv_get = Some(SvGet {
            header: [command.ins, command.p1, command.p2, asked],
            response: reply.clone().into_bytes(),
            extended,
            reload,
            kvc,
        });
        Ok(reply)
    }

    fn sv_get_data(&mut self, extended: bool, reload: bool, kvc: u8) -> Result<Vec<u8>, Refusal> {
        let challenge: [u8; 8] = self.random();
        let purse = self.purse_here()?;
        let mut data = Vec::new();
        let (signature, _) = purse.signature.split_at(if extended { 6 } else { 3 });
        if extended {
            data.extend(challenge);
        }
        data.push(kvc);
        data.extend(purse.tnum.to_be_bytes());
        data.extend(signature);
        if !extended {
            data.extend(challenge.iter().take(2));
        }
        data.extend(balance_bytes(purse.balance));
        if extended || reload {
            data.extend(purse.load_log.0);
        }
        if extended || !reload {
            data.extend(purse.debit_log.0);
        }
        Ok(data)
    }

    pub(super) fn sv_operation(&mut self, command: &Command, get: Option<SvGet>) -> Result<Reply, Refusal> {
        let purse = self.purse_here()?.clone();
        let reload = command.ins == RELOAD;
        let get = get.filter(|get| get.reload == reload).ok_or(status::FORBIDDEN)?;
        let operation = cut(command, &get)?;
        let change = change(command, &get)?;
        let new = new_purse(command, &purse, change)?;
        if self.memory.transaction_counter == 0 {
            return Err(status::EXHAUSTED);
        }
        let (_, key) = self.purse_key(reload).ok_or(status::FORBIDDEN)?;
        let signed = SvOperation {
            get_header: &get.header,
            get_response: &get.response,
            partial: &operation.partial,
            challenge: operation.challenge,
            sam: operation.sam,
            number: operation.number,
        };
        let terminal = signed.terminal(&key);
        if !same(operation.mac, terminal.split_at(operation.mac.len().min(terminal.len())).0) {
            return Err(status::WRONG_MAC);
        }
        self.charge(command.data.len(), false)?;
        self.spend_transaction()?;
        let card = signed.card(&key);
        self.commit_purse(Purse { signature: Hex(card), ..new }, reload);
        let answer = card.split_at(if get.extended { 6 } else { 3 }).0.to_vec();
        if self.postpone(&answer) {
            self.note_purse_use();
            return Ok(Reply::done().and(status::POSTPONED));
        }
        Ok(Reply::with(answer))
    }

    /// Stores the purse and writes its log file, where the card has one.
    fn commit_purse(&mut self, purse: Purse, reload: bool) {
        let log = if reload { purse.load_log.to_vec() } else { purse.debit_log.to_vec() };
        self.memory.content.purse = Some(purse);
        if let Some(place) = self.log_file(reload) {
            self.memory.content.append(&place, &log);
        }
    }

    fn log_lid(&self, reload: bool) -> u16 {
        let (load, debit) = self
            .profile
            .stored_value
            .as_ref()
            .map_or((LOAD_LOG, DEBIT_LOG), |purse| (purse.load_log_lid.0, purse.debit_log_lid.0));
        if reload { load } else { debit }
    }

    fn log_file(&self, reload: bool) -> Option<Place> {
        let lid = self.log_lid(reload);
        let mut files = self.applications.iter().flat_map(|application| &application.files);
        files.find(|file| file.lid == lid).map(|file| file.place.clone())
    }

    /// Whether `file` is one of the logs of the purse.
    pub(super) fn is_purse_log(&self, file: &File) -> bool {
        self.memory.content.purse.is_some() && [true, false].map(|reload| self.log_lid(reload)).contains(&file.lid)
    }

    /// The purse, when the current directory gives access to it.
    fn purse_here(&self) -> Result<&Purse, Refusal> {
        let here = self.application().is_some_and(|application| application.features.stored_value);
        self.memory.content.purse.as_ref().filter(|_| here).ok_or(status::UNKNOWN_INS)
    }

    /// Name and value of the key that reloads, or debits and undebits: of the Stored Value application where the card
    /// has one, else of the current directory.
    fn purse_key(&self, reload: bool) -> Option<(KeyId, Key)> {
        let own = |at: &usize| {
            self.applications.get(*at).is_some_and(|application| {
                let [_, _, _, structure, ..] = application.startup;
                structure == STRUCTURE || application.files.iter().any(|file| file.lid == self.log_lid(true))
            })
        };
        let at = (0..self.applications.len()).find(own).or(self.field.application)?;
        let [_, load, debit] = *self.memory.keys.get(at)?;
        let (kif, kvc) = if reload { (KeyId::SV_LOAD_KIF, load.kvc) } else { (KeyId::SV_DEBIT_KIF, debit.kvc) };
        let id = KeyId::new(kif, kvc);
        Some((id, self.keys.diversified(id, &self.applications.get(self.field.application?)?.serial)?))
    }
}

/// Cuts an operation; its length must be that of the form in which SV Get was asked.
fn cut<'a>(command: &'a Command, get: &SvGet) -> Result<Operation<'a>, Refusal> {
    // Data bytes that the SAM saw, then serial number, transaction number, MAC.
    let seen = if get.reload { 11 } else { 8 };
    let mac_len = if get.extended { 10 } else { 5 };
    if command.data.len() != seen + 7 + mac_len {
        return Err(status::WRONG_LENGTH);
    }
    let parts = || {
        let (signed, rest) = command.data.split_at_checked(seen)?;
        let (sam, rest) = rest.split_first_chunk::<4>()?;
        let (number, mac) = rest.split_first_chunk::<3>()?;
        let (last, fields) = signed.split_first()?;
        let mut partial = vec![command.ins, 0, 0, command.lc(), 0];
        partial.extend_from_slice(fields);
        Some(Operation { partial, challenge: [command.p1, command.p2, *last], sam: *sam, number: *number, mac })
    };
    parts().ok_or(status::WRONG_LENGTH)
}

/// What the operation adds to the balance; the KVC must be the one that SV Get told.
fn change(command: &Command, get: &SvGet) -> Result<i32, Refusal> {
    let (amount, kvc) = match (command.ins, command.data.as_slice()) {
        (RELOAD, [_, _, _, _, kvc, _, high, middle, low, ..]) => {
            (i32::from_be_bytes([*high, *middle, *low, 0]) >> 8, *kvc)
        }
        (_, [_, high, low, _, _, _, _, kvc, ..]) => (i32::from(i16::from_be_bytes([*high, *low])), *kvc),
        _ => return Err(status::WRONG_LENGTH),
    };
    let sign_fits = match command.ins {
        DEBIT => amount <= 0,
        UNDEBIT => amount >= 0,
        _ => true,
    };
    if kvc == get.kvc && sign_fits { Ok(amount) } else { Err(status::FORBIDDEN) }
}

/// The purse after the operation, but for the MAC.
fn new_purse(command: &Command, purse: &Purse, change: i32) -> Result<Purse, Refusal> {
    let tnum = purse.tnum.checked_add(1).filter(|tnum| *tnum < u16::MAX).ok_or(status::EXHAUSTED)?;
    let balance = purse.balance.saturating_add(change);
    if !(-0x80_0000..=0x7F_FFFF).contains(&balance) {
        return Err(status::FORBIDDEN);
    }
    let mut new = Purse { balance, tnum, ..purse.clone() };
    let (balance, tnum) = (balance_bytes(balance), tnum.to_be_bytes());
    let data = command.data.as_slice();
    let part = |range: std::ops::Range<usize>| data.get(range).unwrap_or_default();
    if command.ins == RELOAD {
        fill(&mut new.load_log.0, &[part(1..6), &balance, part(6..9), part(9..18), &tnum]);
    } else {
        fill(&mut new.debit_log.0, &[part(1..15), &balance, &tnum]);
    }
    Ok(new)
}

fn fill(log: &mut [u8], parts: &[&[u8]]) {
    for (to, from) in log.iter_mut().zip(parts.iter().copied().flatten()) {
        *to = *from;
    }
}

fn balance_bytes(balance: i32) -> [u8; 3] {
    let [_, high, middle, low] = balance.to_be_bytes();
    [high, middle, low]
}
