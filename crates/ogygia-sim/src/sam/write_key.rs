//! Write Key: system keys, work keys, and the lock.

use super::keys::{KeyParameters, LOCK_KIF, RECORDS, SamKey, SystemKey, Value};
use super::unlock::{LOCK_ITSELF, LOCK_SYSTEM, LOCK_WORK_KEYS, Lock};
use super::write::{DYNAMIC, STATIC};
use super::{Algorithm, Fresh, VirtualSam};
use crate::cipher::{BLOCK_LEN, Key, KeyId, LockSecret, WrittenRecord};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// P1 of a block in the clear.
const PLAIN: u8 = 0x80;
/// Bytes of a block with transfer-control data behind it.
const WITH_TRANSFER_CONTROL: usize = 0x50;

/// What is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Target {
    System,
    Lock,
    /// In this record; nothing when the SAM chooses one.
    Work(Option<u8>),
}

/// What a writing changes, once everything is checked.
enum Change {
    System(SystemKey, SamKey),
    Lock(Lock),
    Work(u8, SamKey),
}

impl Target {
    fn of(reference: u8) -> Option<Self> {
        match reference {
            0xC0 => Some(Self::System),
            0xE0 => Some(Self::Lock),
            0xF0 => Some(Self::Work(None)),
            record if RECORDS.contains(&record) => Some(Self::Work(Some(record))),
            _ => None,
        }
    }

    const fn deciphered_by(self) -> SystemKey {
        match self {
            Self::System | Self::Lock => SystemKey::Personalization,
            Self::Work(_) => SystemKey::KeyManagement,
        }
    }
}

impl VirtualSam {
    pub(super) fn write_key(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        let target = Target::of(command.p2).ok_or(status::WRONG_KEY_REFERENCE)?;
        let (plain, controlled) = form(command, target)?;
        let block = command.data.first_chunk().ok_or(status::WRONG_LENGTH)?;
        self.may_write(target, plain)?;
        let (written, counter) = if plain {
            let written = WrittenRecord::plain(block).filter(|written| written.reference == command.p2);
            (written.ok_or(status::WRONG_DATA)?, None)
        } else {
            let deciphered = self.decipher(target.deciphered_by(), command, fresh, block)?;
            (deciphered.written, deciphered.counter)
        };
        let change = match target {
            Target::Lock => Change::Lock(lock(&written)?),
            Target::System => system_key(&written)?,
            Target::Work(record) => self.work_key(record, key(&written, plain)?, controlled)?,
        };
        self.counters.count(counter)?;
        match change {
            Change::Lock(lock) => self.lock = Some(lock),
            Change::System(which, key) => self.keys.set_system(which, key),
            Change::Work(record, key) => self.keys.add_work(Some(record), key),
        }
        Ok(Reply::done())
    }

    /// Refuses what locks, parameters and occupied records forbid.
    fn may_write(&self, target: Target, plain: bool) -> Result<(), Refusal> {
        let since = self.since_reset;
        let allowed = match target {
            Target::System => !since.has(LOCK_SYSTEM),
            Target::Lock => !since.has(LOCK_ITSELF) && (!plain || since.writes_plain()),
            Target::Work(record) => {
                let room = match record {
                    Some(record) => self.keys.record(record).is_none(),
                    None => self.keys.free_record().is_some(),
                };
                room && !since.has(LOCK_WORK_KEYS) && (!plain || since.writes_plain_work_keys())
            }
        };
        if allowed { Ok(()) } else { Err(status::FORBIDDEN) }
    }

    fn work_key(&self, record: Option<u8>, key: SamKey, controlled: bool) -> Result<Change, Refusal> {
        let masters = [SystemKey::Personalization.kif(), SystemKey::KeyManagement.kif()];
        let guarded = self.since_reset.has(LOCK_SYSTEM) && masters.contains(&key.id.kif);
        if guarded || self.keys.work(key.id).is_some() || key.parameters.names_transfer_control() != controlled {
            return Err(status::WRONG_DATA);
        }
        if controlled {
            // Nothing fills the records for transfer control, so the one that is named is empty.
            return Err(status::RECORD_NOT_FOUND);
        }
        let record = record.or_else(|| self.keys.free_record()).ok_or(status::FORBIDDEN)?;
        Ok(Change::Work(record, key))
    }
}

/// Whether the block is in the clear, and whether transfer-control data are behind it.
fn form(command: &Command, target: Target) -> Result<(bool, bool), Refusal> {
    let plain = match command.p1 {
        DYNAMIC | STATIC => false,
        PLAIN if target != Target::System => true,
        _ => return Err(status::WRONG_KEY_REFERENCE),
    };
    match command.data.len() {
        BLOCK_LEN => Ok((plain, false)),
        WITH_TRANSFER_CONTROL if plain || !matches!(target, Target::Work(_)) => Err(status::LC_DOES_NOT_MATCH),
        WITH_TRANSFER_CONTROL => Ok((plain, true)),
        _ => Err(status::WRONG_LENGTH),
    }
}

/// A record of a key, cut: name, parameters, value.
fn cut(written: &WrittenRecord) -> ([u8; 3], KeyParameters, Key) {
    let [kif, kvc, alg, rest @ ..] = *written.record;
    let [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10, value @ ..] = rest;
    ([kif, kvc, alg], KeyParameters([p1, p2, p3, p4, p5, p6, p7, p8, p9, p10]), Key::new(value))
}

fn key(written: &WrittenRecord, plain: bool) -> Result<SamKey, Refusal> {
    let ([kif, kvc, alg], parameters, value) = cut(written);
    let algorithm = Algorithm::from_byte(alg).ok_or(status::WRONG_DATA)?;
    if parameters.counter_is_wrong() || !(plain || parameters.ends_with_zeros()) {
        return Err(status::WRONG_DATA);
    }
    let value = if written.diversified { Value::Fixed(value) } else { Value::Master(value) };
    Ok(SamKey { id: KeyId::new(kif, kvc), algorithm, parameters, value })
}

/// A KIF without its high bit is no KIF of a system key, nor is one with it of which nothing is known.
fn system_key(written: &WrittenRecord) -> Result<Change, Refusal> {
    let key = key(written, false)?;
    Ok(Change::System(SystemKey::of_kif(key.id.kif).ok_or(status::WRONG_DATA)?, key))
}

fn lock(written: &WrittenRecord) -> Result<Lock, Refusal> {
    let ([kif, index, alg], KeyParameters(parameters), value) = cut(written);
    let [0, 0, 0, 0, lock, 0, 0, 0, 0, 0] = parameters else { return Err(status::WRONG_DATA) };
    if kif != LOCK_KIF || alg != 0 {
        return Err(status::WRONG_DATA);
    }
    Ok(Lock { index, parameters: lock, secret: LockSecret::new(value) })
}
