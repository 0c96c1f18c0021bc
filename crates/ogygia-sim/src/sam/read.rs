//! Read Parameters, Read Event Counter, Read Ceilings, Read Key Parameters.

use super::counters::bytes3;
use super::keys::{RECORDS, SystemKey};
use super::{SamKey, VirtualSam};
use crate::cipher::{KeyId, RECORD_LEN, read_signature};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// Bytes of an answer with a record of 29.
const ANSWER_LEN: u8 = 48;
/// Bytes of an answer with the parameters of a key.
const KEY_ANSWER_LEN: u8 = 32;

impl VirtualSam {
    /// Read Parameters, Read Event Counter and Read Ceilings share an instruction.
    pub(super) fn read(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !command.data.is_empty() || !matches!(command.le, None | Some(0 | ANSWER_LEN)) {
            return Err(status::WRONG_LENGTH);
        }
        self.file(command.p1, command.p2).ok_or(status::WRONG_KEY_REFERENCE)?;
        self.count_reading()?;
        // Looked up behind the counting, so that a reading tells itself.
        let record = self.file(command.p1, command.p2).ok_or(status::WRONG_KEY_REFERENCE)?;
        Ok(self.told(&record, command.p2))
    }

    /// The record of a reference; nothing when it has no meaning.
    fn file(&self, p1: u8, reference: u8) -> Option<Vec<u8>> {
        let record = |first: u8| usize::from(reference - first);
        match (p1, reference) {
            (0, 0xA0) => Some(self.parameters.to_vec()),
            (0, 0xE1..=0xE3) => self.counters.values_record(record(0xE1)),
            (0, 0xB1..=0xB3) => self.counters.ceilings_record(record(0xB1)),
            (0, 0x81..=0x9B) => single(reference - 0x81, self.counters.value(reference - 0x81)),
            (counter, 0xB8) => single(counter, self.counters.ceiling(counter)),
            _ => None,
        }
    }

    pub(super) fn read_key_parameters(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !matches!(command.le, None | Some(0 | KEY_ANSWER_LEN)) {
            return Err(status::WRONG_LENGTH);
        }
        let name: [u8; 2] = command.exactly()?;
        if command.p1 != 0 {
            return Err(status::WRONG_KEY_REFERENCE);
        }
        let record = self.key_record(command.p2, name)?;
        self.count_reading()?;
        Ok(self.told(&record, command.p2))
    }

    /// The parameters that a reference and the data behind it name.
    fn key_record(&self, reference: u8, [kif, kvc]: [u8; 2]) -> Result<Vec<u8>, Refusal> {
        let named = (kif, kvc) != (0, 0);
        let keys = &self.keys;
        let key = match reference {
            0xC1..=0xC4 if !named => SystemKey::of_reference(reference).and_then(|which| keys.system(which)),
            0xC0 => SystemKey::of_kif(kif).and_then(|which| keys.system(which)),
            0xE0 if !named => return self.lock.as_ref().map(super::Lock::record).ok_or(status::RECORD_NOT_FOUND),
            0xF0 => keys.work(KeyId::new(kif, kvc)),
            0xF8 => keys.of_kif(kif).next(),
            0xFA => keys.of_kif(kif).skip_while(|key| key.id.kvc != kvc).nth(1),
            record if RECORDS.contains(&record) && !named => keys.record(record),
            0xC1..=0xC4 | 0xE0 | 0x01..=0x7E => None,
            _ => return Err(status::WRONG_KEY_REFERENCE),
        };
        key.map(SamKey::record).ok_or(status::RECORD_NOT_FOUND)
    }

    /// Counts the use of the Authentication key, which signs what is read.
    fn count_reading(&mut self) -> Result<(), Refusal> {
        let counter = self.keys.system(SystemKey::Authentication).and_then(|key| key.parameters.counter());
        self.counters.count(counter).map(drop)
    }

    /// The block that tells `record`, signed when there is a key for it. Specification of the SAM layer, "Layout of the
    /// blocks read from or written to SAM files".
    fn told(&self, record: &[u8], reference: u8) -> Reply {
        let signer = self.keys.system(SystemKey::Authentication);
        let signed = signer.and_then(|signer| Some((signer.diversified(Some(&self.serial))?, signer.name())));
        let (signature, name) = match &signed {
            Some((key, name)) => (read_signature(key, record, reference, self.serial), *name),
            None => ([0; 8], [0; 3]),
        };
        let mut block = signature.to_vec();
        block.extend_from_slice(record);
        block.push(reference);
        block.extend(self.serial);
        block.extend(name);
        block.extend([0x80, 0x00, 0x00]);
        let reply = Reply::with(block);
        if signed.is_some() { reply } else { reply.and(status::NOT_SIGNED) }
    }
}

/// The record of one counter or ceiling: its number, its value, zeros.
fn single(number: u8, value: Option<u32>) -> Option<Vec<u8>> {
    let mut record = vec![number];
    record.extend(bytes3(value?));
    record.resize(RECORD_LEN, 0);
    Some(record)
}
