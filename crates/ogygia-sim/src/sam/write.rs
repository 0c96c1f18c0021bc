//! Write Parameters and Write Ceilings, and how any written block is deciphered.

use super::counters::{CeilingRecord, LAST_COUNTER, MAX_CEILING, bytes3, number3};
use super::keys::SystemKey;
use super::unlock::LOCK_SYSTEM;
use super::{Algorithm, Fresh, VirtualSam};
use crate::cipher::{BLOCK_LEN, RECORD_LEN, WrittenRecord};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// P1 of a block that was ciphered for a challenge of this SAM.
pub(super) const DYNAMIC: u8 = 0x00;
/// P1 of a block that was ciphered for the value of a counter of this SAM.
pub(super) const STATIC: u8 = 0x08;
/// The bit of P1 with which writing parameters and ceilings is not allowed.
const FORBIDDEN_BIT: u8 = 0x40;

/// A written block, deciphered.
pub(super) struct Deciphered {
    pub(super) written: WrittenRecord,
    /// Counts the writing once it is accepted.
    pub(super) counter: Option<u8>,
    algorithm: Algorithm,
}

/// What a writing changes, once everything is checked.
enum Change {
    Parameters([u8; RECORD_LEN]),
    Ceiling(u8, u32),
    /// By number of the record.
    Ceilings(usize, CeilingRecord),
}

impl VirtualSam {
    pub(super) fn write(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        let which = match command.p2 {
            0xA0 => SystemKey::Personalization,
            0xB1..=0xB3 | 0xB8 => SystemKey::Reloading,
            _ => return Err(status::WRONG_KEY_REFERENCE),
        };
        let block = command.exactly()?;
        match command.p1 {
            DYNAMIC | STATIC => {}
            p1 if p1 & FORBIDDEN_BIT != 0 => return Err(status::FORBIDDEN),
            _ => return Err(status::WRONG_KEY_REFERENCE),
        }
        if which == SystemKey::Personalization && self.since_reset.has(LOCK_SYSTEM) {
            return Err(status::FORBIDDEN);
        }
        let deciphered = self.decipher(which, command, fresh, &block)?;
        let change = self.change(command.p2, &deciphered)?;
        // Counted before: the new ceiling may be the one of the very counter.
        self.counters.count(deciphered.counter)?;
        match change {
            Change::Parameters(parameters) => self.parameters = parameters,
            Change::Ceiling(number, ceiling) => self.counters.set_ceiling(number, ceiling),
            Change::Ceilings(record, ceilings) => self.counters.write_record(record, &ceilings),
        }
        Ok(Reply::done())
    }

    /// What a record for `reference` changes.
    fn change(&self, reference: u8, deciphered: &Deciphered) -> Result<Change, Refusal> {
        let record = &deciphered.written.record;
        match reference {
            0xA0 => Ok(Change::Parameters(**record)),
            0xB8 => one_ceiling(record),
            reference => {
                let number = usize::from(reference - 0xB1);
                let new = CeilingRecord::parse(number, record).ok_or(status::WRONG_DATA)?;
                if deciphered.algorithm == Algorithm::Des && self.counters.grows_too_much(number, &new) {
                    return Err(status::WRONG_DATA);
                }
                Ok(Change::Ceilings(number, new))
            }
        }
    }

    /// Deciphers a block with a system key. Only what is accepted in the end counts as a use of the key: otherwise a
    /// stale block would make those behind it stale too.
    pub(super) fn decipher(
        &self,
        which: SystemKey,
        command: &Command,
        fresh: &Fresh,
        block: &[u8; BLOCK_LEN],
    ) -> Result<Deciphered, Refusal> {
        let key = self.keys.system(which).ok_or(status::RECORD_NOT_FOUND)?;
        if !key.parameters.deciphers() {
            return Err(status::FORBIDDEN);
        }
        let counter = key.parameters.counter();
        let challenge = if command.p1 == STATIC {
            if !key.parameters.is_static() {
                return Err(status::FORBIDDEN);
            }
            // Without a counter the challenge is zero: specification of the SAM layer, "Asynchronous write transaction".
            let [high, middle, low] = bytes3(counter.and_then(|counter| self.counters.value(counter)).unwrap_or(0));
            [0, 0, 0, 0, 0, high, middle, low]
        } else {
            fresh.challenge8()?
        };
        self.counters.check(counter)?;
        let value = key.diversified(Some(&self.serial)).ok_or(status::FORBIDDEN)?;
        let written = WrittenRecord::open(&value, &challenge, block).ok_or(status::WRONG_MAC)?;
        if written.reference != command.p2 {
            return Err(status::WRONG_DATA);
        }
        Ok(Deciphered { written, counter, algorithm: key.algorithm })
    }
}

fn one_ceiling(record: &[u8; RECORD_LEN]) -> Result<Change, Refusal> {
    let [number, c0, c1, c2, filler @ ..] = record;
    let ceiling = number3([*c0, *c1, *c2]);
    let right = *number <= LAST_COUNTER && ceiling <= MAX_CEILING && filler.iter().all(|byte| *byte == 0);
    if right { Ok(Change::Ceiling(*number, ceiling)) } else { Err(status::WRONG_DATA) }
}
