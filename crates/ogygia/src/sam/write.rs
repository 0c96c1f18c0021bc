//! Writing into a SAM, and the ciphering of that by a control SAM: specification 03, "Write Parameters", "Write
//! Ceilings", "Write Key", "SAM Data Cipher", "SAM Generate Key".

use alloc::vec::Vec;

use super::command::{Encoder, Expected, Purpose, refusals};
use super::counter::{CounterRecord, IncrementAccess, check_ceiling};
use super::image::{PARAMETERS_LEN, SamImage};
use super::key::{ANY_RECORD, KEY_RECORDS, SystemKey};
use super::signature::Diversifier;
use crate::apdu::Case;
use crate::card::{KeyId, Kvc};
use crate::command::{CommandName, Refusal, Refusals};
use crate::error::{Argument, Error, Misuse};
use crate::secret::Secret;

pub(crate) const WRITE_PARAMETERS_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess),
];
pub(crate) const WRITE_CEILINGS_REFUSALS: Refusals = WRITE_PARAMETERS_REFUSALS;
pub(crate) const WRITE_KEY_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess),
    (0x6A87, Refusal::IllegalData),
];
pub(crate) const SAM_DATA_CIPHER_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A83, Refusal::DataAccess),
];
/// The specification knows no table: that of Card Generate Key (point G-21).
pub(crate) const SAM_GENERATE_KEY_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess),
];

/// Writes the parameters of a SAM, ciphered by a control SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteParameters {
    /// All of them.
    pub parameters: [u8; PARAMETERS_LEN],
}

/// Gives a SAM a system key of the control SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferSystemKey {
    /// Which one.
    pub key: SystemKey,
    /// Its version.
    pub kvc: Kvc,
    /// What it may be used for: its parameters 1 to 10.
    pub parameters: [u8; 10],
    /// The SAM gets the key that belongs to its serial number instead of the common one.
    pub diversified: bool,
}

/// Gives a SAM a work key of the control SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferWorkKey {
    /// Which one.
    pub key: KeyId,
    /// What it may be used for: its parameters 1 to 10.
    pub parameters: [u8; 10],
    /// Into which record, 1 to 126; one that is free when absent.
    pub record: Option<u8>,
    /// For whom the key is made.
    pub diversification: KeyDiversification,
}

/// For whom a key that is transferred is made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyDiversification {
    /// For all: the key itself.
    #[default]
    None,
    /// For the serial number of the SAM that gets it.
    Target,
    /// For these eight bytes.
    Given([u8; 8]),
}

/// Gives a SAM a lock of the control SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransferLock {
    /// Its index.
    pub index: u8,
    /// Its parameters.
    pub parameters: u8,
    /// The SAM gets the lock that belongs to its serial number instead of the common one.
    pub diversified: bool,
}

/// Writes a lock in clear. No control SAM is needed; the value passes in the open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WriteLock {
    /// Its index.
    pub index: u8,
    /// Its parameters.
    pub parameters: u8,
    /// Its value.
    pub value: Secret<16>,
}

/// Writes one ceiling, ciphered by a control SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteCeiling {
    /// The event counter, 0 to 26.
    pub counter: u8,
    /// The ceiling, 0 to [`MAX_CEILING`](super::MAX_CEILING).
    pub ceiling: u32,
}

/// Writes one ceiling and who may increase its counter, ciphered by a control SAM.
///
/// Nine neighbours are written together, those prepared one after the other in one command. What was not prepared keeps
/// its ceiling and access: they must have been read, or the processing fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigureCounter {
    /// The event counter, 0 to 26.
    pub counter: u8,
    /// The ceiling, 0 to [`MAX_CEILING`](super::MAX_CEILING).
    pub ceiling: u32,
    /// Who may increase the counter. Counter 0 is always protected.
    pub access: IncrementAccess,
}

/// Where a transferred lock has its parameters, among the ten parameters of a key (point G-14).
const LOCK_PARAMETERS: usize = 5;
/// The KIF of a lock.
const LOCK_KIF: u8 = 0xEF;
/// P2 for a lock.
const LOCK: u8 = 0xE0;
/// P2 for a system key.
const SYSTEM_KEY: u8 = 0xC0;
/// P2 for the parameters of the SAM.
const PARAMETERS: u8 = 0xA0;
/// P2 for one ceiling.
const ONE_CEILING: u8 = 0xB8;
/// P2 for the first record of ceilings.
const CEILING_RECORD: u8 = 0xB1;
/// Bytes of a ciphered block.
pub(crate) const BLOCK_LEN: usize = BLOCK_ANSWER_LEN as usize;
const BLOCK_ANSWER_LEN: u16 = 48;

/// What a control SAM ciphers and the target takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writing {
    Parameters([u8; PARAMETERS_LEN]),
    SystemKey(TransferSystemKey),
    WorkKey(TransferWorkKey),
    Lock(TransferLock),
    Ceiling(WriteCeiling),
    Ceilings(CounterRecord, [Option<(u32, IncrementAccess)>; 9]),
}

impl WriteCeiling {
    pub(crate) fn writing(self) -> Result<Writing, Error> {
        CounterRecord::of(self.counter)?;
        check_ceiling(self.ceiling)?;
        Ok(Writing::Ceiling(self))
    }
}

impl ConfigureCounter {
    pub(crate) fn writing(self) -> Result<Writing, Error> {
        let record = CounterRecord::of(self.counter)?;
        check_ceiling(self.ceiling)?;
        let mut given = [None; 9];
        for (place, counter) in given.iter_mut().zip(record.counters()) {
            *place = (counter == self.counter).then_some((self.ceiling, self.access));
        }
        Ok(Writing::Ceilings(record, given))
    }
}

impl TransferWorkKey {
    pub(crate) fn writing(self) -> Result<Writing, Error> {
        match self.record {
            Some(record) if !KEY_RECORDS.contains(&record) => Err(Argument::KeyRecord.into()),
            _ => Ok(Writing::WorkKey(self)),
        }
    }
}

impl Writing {
    /// Whether `other` could be added, because it writes the same record.
    pub(crate) fn merge(&mut self, other: &Self) -> bool {
        let (Self::Ceilings(record, given), Self::Ceilings(other, more)) = (self, other) else { return false };
        if record != other {
            return false;
        }
        given.iter_mut().zip(more).for_each(|(place, added)| *place = added.or(*place));
        true
    }

    /// The key of the target that deciphers it.
    pub(crate) const fn system_key(&self) -> SystemKey {
        match self {
            Self::Parameters(_) | Self::SystemKey(_) | Self::Lock(_) => SystemKey::Personalization,
            Self::WorkKey(_) => SystemKey::KeyManagement,
            Self::Ceiling(_) | Self::Ceilings(..) => SystemKey::Reloading,
        }
    }

    /// The serial number of the target, as the control SAM takes it for this.
    pub(crate) fn diversifier(&self, [a, b, c, d]: [u8; 4]) -> Diversifier {
        match self {
            Self::Parameters(_) | Self::Ceiling(_) | Self::Ceilings(..) => Diversifier::short([a, b, c, d]),
            Self::SystemKey(_) | Self::WorkKey(_) | Self::Lock(_) => Diversifier::whole([0, 0, 0, 0, a, b, c, d]),
        }
    }

    /// P2 of the commands.
    pub(crate) fn reference(&self) -> u8 {
        match self {
            Self::Parameters(_) => PARAMETERS,
            Self::SystemKey(_) => SYSTEM_KEY,
            Self::WorkKey(transfer) => transfer.record.unwrap_or(ANY_RECORD),
            Self::Lock(_) => LOCK,
            Self::Ceiling(_) => ONE_CEILING,
            Self::Ceilings(record, _) => CEILING_RECORD + record.number(),
        }
    }

    /// Whether this writes ceilings of `record`.
    pub(crate) fn touches(&self, record: CounterRecord) -> bool {
        match self {
            Self::Ceiling(write) => record.counters().contains(&write.counter),
            Self::Ceilings(written, _) => *written == record,
            Self::Parameters(_) | Self::SystemKey(_) | Self::WorkKey(_) | Self::Lock(_) => false,
        }
    }

    /// The ceilings that it writes.
    pub(crate) fn ceilings(&self) -> impl Iterator<Item = (u8, u32, Option<IncrementAccess>)> {
        let (one, record) = match *self {
            Self::Ceiling(write) => (Some((write.counter, write.ceiling, None)), None),
            Self::Ceilings(record, given) => (None, Some((record, given))),
            Self::Parameters(_) | Self::SystemKey(_) | Self::WorkKey(_) | Self::Lock(_) => (None, None),
        };
        let all = record.into_iter().flat_map(|(record, given)| record.counters().zip(given));
        let all = all.filter_map(|(counter, given)| given.map(|(ceiling, access)| (counter, ceiling, Some(access))));
        one.into_iter().chain(all)
    }

    /// Whether both write ceilings of one record.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        CounterRecord::ALL.into_iter().any(|record| self.touches(record) && other.touches(record))
    }

    /// Completes a record of ceilings with what is in force in the target.
    pub(crate) fn complete(&mut self, image: &SamImage) -> Result<(), Error> {
        let Self::Ceilings(record, given) = self else { return Ok(()) };
        for (place, counter) in given.iter_mut().zip(record.counters()) {
            if place.is_none() {
                let (ceiling, access) = image.ceiling_in_force(counter);
                *place = Some(ceiling.zip(access).ok_or(Misuse::CeilingUnknown { counter })?);
            }
        }
        Ok(())
    }

    /// The record in clear, filled up with zeros. A record of ceilings is complete; of keys and locks there is none.
    pub(crate) fn record(&self) -> [u8; PARAMETERS_LEN] {
        let mut record = [0; PARAMETERS_LEN];
        let mut fill = |bytes: &mut dyn Iterator<Item = u8>| {
            record.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        };
        match self {
            Self::Parameters(parameters) => fill(&mut parameters.iter().copied()),
            Self::Ceiling(write) => fill(&mut [write.counter].into_iter().chain(three_bytes(write.ceiling))),
            Self::Ceilings(record, given) => fill(&mut ceiling_record(*record, given)),
            Self::SystemKey(_) | Self::WorkKey(_) | Self::Lock(_) => {}
        }
        record
    }

    /// Notes in the image what the target has accepted.
    pub(crate) fn note(&self, image: &mut SamImage) {
        match self {
            Self::SystemKey(transfer) => image.replace_system_key(transfer.key, transfer.kvc),
            Self::Ceiling(write) => image.note_ceiling(write.counter, write.ceiling, None),
            Self::Ceilings(record, given) => {
                for (counter, (ceiling, access)) in
                    record.counters().zip(given).filter_map(|(counter, given)| Some((counter, (*given)?)))
                {
                    image.note_ceiling(counter, ceiling, Some(access));
                }
            }
            Self::Parameters(_) | Self::WorkKey(_) | Self::Lock(_) => {}
        }
    }
}

#[cfg(feature = "reload")]
impl Writing {
    /// The writing of ceilings that has this reference and this record in clear.
    pub(crate) fn of_ceilings(reference: u8, record: &[u8; PARAMETERS_LEN]) -> Option<Self> {
        if reference == ONE_CEILING {
            let [counter, high, middle, low, filler @ ..] = record;
            let ceiling = u32::from_be_bytes([0, *high, *middle, *low]);
            let writing = WriteCeiling { counter: *counter, ceiling }.writing().ok();
            return writing.filter(|_| filler.iter().all(|byte| *byte == 0));
        }
        let number = reference.checked_sub(CEILING_RECORD)?;
        let counters = CounterRecord::ALL.into_iter().find(|record| record.number() == number)?;
        let (triples, configuration) = record.as_chunks::<3>();
        let configuration = u16::from_be_bytes(configuration.try_into().ok()?);
        let mut given = [None; 9];
        for (bit, (place, [high, middle, low])) in given.iter_mut().zip(triples).enumerate() {
            let ceiling = u32::from_be_bytes([0, *high, *middle, *low]);
            check_ceiling(ceiling).ok()?;
            let free = configuration >> bit & 1 == 1;
            *place = Some((ceiling, if free { IncrementAccess::Free } else { IncrementAccess::Protected }));
        }
        let writing = Self::Ceilings(counters, given);
        (writing.record() == *record).then_some(writing)
    }
}

impl Writing {
    /// Notes in the image that the target may have accepted it.
    pub(crate) fn doubt(&self, image: &mut SamImage) {
        match self {
            Self::SystemKey(transfer) => image.doubt_system_key(transfer.key),
            Self::Ceiling(write) => image.doubt_ceiling(write.counter),
            Self::Ceilings(record, _) => record.counters().for_each(|counter| image.doubt_ceiling(counter)),
            Self::Parameters(_) | Self::WorkKey(_) | Self::Lock(_) => {}
        }
    }
}

/// Nine ceilings, and a bit for each counter that everybody may increase.
fn ceiling_record(record: CounterRecord, given: &[Option<(u32, IncrementAccess)>; 9]) -> impl Iterator<Item = u8> {
    let mut configuration = 0_u16;
    for (bit, (counter, given)) in record.counters().zip(given).enumerate() {
        if counter != 0 && given.is_some_and(|(_, access)| access == IncrementAccess::Free) {
            configuration |= 1 << bit;
        }
    }
    let ceilings = given.map(|given| given.map_or(0, |(ceiling, _)| ceiling));
    ceilings.into_iter().flat_map(three_bytes).chain(configuration.to_be_bytes())
}

const fn three_bytes(number: u32) -> [u8; 3] {
    let [_, high, middle, low] = number.to_be_bytes();
    [high, middle, low]
}

/// What a control SAM gives is copied into the next command: it must have the length of a block.
fn block(name: CommandName) -> Expected {
    Expected { name, answer_len: BLOCK_ANSWER_LEN, purpose: Purpose::Material }
}

fn taken(name: CommandName) -> Expected {
    Expected { name, answer_len: 0, purpose: Purpose::Itself }
}

impl Encoder {
    /// Has a control SAM cipher `writing` for the target key of this version. A record of ceilings is complete.
    pub(crate) fn cipher(self, writing: &Writing, kvc: Kvc, out: &mut Vec<u8>) -> Expected {
        let reference = writing.reference();
        match writing {
            Writing::Parameters(_) | Writing::Ceiling(_) | Writing::Ceilings(..) => {
                let data = [&[kvc.0][..], &writing.record()].concat();
                self.header(0x16, 0x00, reference).write(Case::Three, &data, out);
                block(CommandName::SamSamDataCipher)
            }
            Writing::SystemKey(TransferSystemKey { key, kvc: version, parameters, diversified }) => {
                let source = [key.kif().0, version.0];
                self.generate_key_for_sam([u8::from(*diversified), reference], kvc, source, parameters, &[], out)
            }
            Writing::WorkKey(TransferWorkKey { key, parameters, diversification, .. }) => {
                let source = [key.kif.0, key.kvc.0];
                let (p1, diversifier) = match diversification {
                    KeyDiversification::None => (0, &[][..]),
                    KeyDiversification::Target => (1, &[][..]),
                    KeyDiversification::Given(diversifier) => (1, &diversifier[..]),
                };
                self.generate_key_for_sam([p1, reference], kvc, source, parameters, diversifier, out)
            }
            Writing::Lock(TransferLock { index, parameters, diversified }) => {
                let mut all = [0; 10];
                if let Some(place) = all.get_mut(LOCK_PARAMETERS) {
                    *place = *parameters;
                }
                let source = [LOCK_KIF, *index];
                self.generate_key_for_sam([u8::from(*diversified), reference], kvc, source, &all, &[], out)
            }
        }
    }

    fn generate_key_for_sam(
        self,
        [p1, p2]: [u8; 2],
        kvc: Kvc,
        source: [u8; 2],
        parameters: &[u8; 10],
        diversifier: &[u8],
        out: &mut Vec<u8>,
    ) -> Expected {
        let data: Vec<u8> = [&[kvc.0][..], &source, parameters, diversifier].concat();
        self.header(0x16, p1, p2).write(Case::Three, &data, out);
        block(CommandName::SamSamGenerateKey)
    }

    /// Has the target write what a control SAM has ciphered.
    pub(crate) fn write(self, writing: &Writing, mode: WriteMode, block: &[u8], out: &mut Vec<u8>) -> Expected {
        let (ins, name) = match writing {
            Writing::Parameters(_) => (0xD8, CommandName::SamWriteParameters),
            Writing::Ceiling(_) | Writing::Ceilings(..) => (0xD8, CommandName::SamWriteCeilings),
            Writing::SystemKey(_) | Writing::WorkKey(_) | Writing::Lock(_) => (0x1A, CommandName::SamWriteKey),
        };
        let p1 = match mode {
            WriteMode::Dynamic => 0x00,
            WriteMode::Static => 0x08,
        };
        self.header(ins, p1, writing.reference()).write(Case::Three, block, out);
        taken(name)
    }

    /// Writes a lock in clear.
    pub(crate) fn write_lock(self, lock: &WriteLock, out: &mut Vec<u8>) -> Expected {
        let mut block = [0; BLOCK_LEN];
        let head = [LOCK_KIF, lock.index, 0, 0, 0, 0, 0, lock.parameters, 0, 0, 0, 0, 0];
        let fields = head.iter().chain(lock.value.reveal()).chain(&[LOCK]);
        block.iter_mut().skip(8).zip(fields).for_each(|(to, from)| *to = *from);
        if let Some(padding) = block.get_mut(45) {
            *padding = 0x80;
        }
        self.header(0x1A, 0x80, LOCK).write(Case::Three, &block, out);
        block.fill(0);
        core::hint::black_box(&block);
        taken(CommandName::SamWriteKey)
    }
}

/// How the target knows that a block was made for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteMode {
    /// By a challenge that it has just given.
    Dynamic,
    /// By the value of an event counter: the block was made without the target.
    Static,
}

#[cfg(test)]
mod tests;
