//! What the card keeps when it leaves the field.

use serde::{Deserialize, Serialize};

use super::certificates::Objects;
use super::layout::Place;
use crate::cipher::KeyId;
use crate::hex::Hex;

/// Everything that persists.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Memory {
    /// What a session that does not end well leaves as it was.
    pub(super) content: Content,
    /// The three keys of each directory, by name: values are derived.
    pub(super) keys: Vec<[KeyId; 3]>,
    /// One for all directories, one for each, or none.
    pub(super) pins: Vec<Pin>,
    /// By directory; none on cards without asymmetric mode.
    pub(super) asymmetric: Vec<Objects>,
    /// 24 bits.
    pub(super) transaction_counter: u32,
    pub(super) ratified: bool,
    /// Number of randoms drawn.
    pub(super) randoms: u64,
}

/// What sessions change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub(super) stores: Vec<Store>,
    /// By directory.
    pub(super) df_status: Vec<Hex<u8>>,
    pub(super) purse: Option<Purse>,
}

/// The bytes of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Store {
    pub(super) records: Vec<Hex<Vec<u8>>>,
}

/// The purse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Purse {
    /// 24 bits, signed.
    pub(super) balance: i32,
    pub(super) tnum: u16,
    /// MAC of the last operation.
    pub(super) signature: Hex<[u8; 6]>,
    pub(super) load_log: Hex<[u8; 22]>,
    pub(super) debit_log: Hex<[u8; 19]>,
}

/// A PIN and the presentations left.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    pub(super) value: Hex<[u8; 4]>,
    pub(super) attempts: u8,
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pin").field("attempts", &self.attempts).finish_non_exhaustive()
    }
}

impl Memory {
    pub(super) fn df_status(&self, application: usize) -> u8 {
        self.content.df_status.get(application).map_or(0, |status| status.0)
    }
}

impl Content {
    /// Record `number`, from 1. A simulated counter reads as its three bytes and zeros.
    pub(super) fn read(&self, place: &Place, number: u8) -> Option<Vec<u8>> {
        let index = usize::from(number.checked_sub(1)?);
        let records = &self.stores.get(place.store())?.records;
        match place {
            Place::Store(_) => records.get(index).map(|record| record.0.clone()),
            Place::Counter { counter, size, .. } => {
                if index != 0 {
                    return None;
                }
                let mut record = records.first()?.get(counter_range(*counter)?)?.to_vec();
                record.resize(*size, 0);
                Some(record)
            }
        }
    }

    /// Puts `bytes` at `offset` of record `number`; what would stand behind the end is dropped.
    pub(super) fn put(&mut self, place: &Place, number: u8, offset: usize, bytes: &[u8]) {
        if let Some(target) = self.target(place, number) {
            for (to, from) in target.iter_mut().skip(offset).zip(bytes) {
                *to = *from;
            }
        }
    }

    /// Sets the bits of `bytes` at `offset` of record `number`.
    pub(super) fn or(&mut self, place: &Place, number: u8, offset: usize, bytes: &[u8]) {
        if let Some(target) = self.target(place, number) {
            for (to, from) in target.iter_mut().skip(offset).zip(bytes) {
                *to |= *from;
            }
        }
    }

    /// Makes `bytes`, completed with zeros, the first record; the last one is dropped.
    pub(super) fn append(&mut self, place: &Place, bytes: &[u8]) {
        if let Some(store) = self.stores.get_mut(place.store()) {
            let Some(mut new) = store.records.pop() else { return };
            let size = new.len();
            new.0 = bytes.to_vec();
            new.0.resize(size, 0);
            store.records.insert(0, new);
        }
    }

    fn target(&mut self, place: &Place, number: u8) -> Option<&mut [u8]> {
        let index = usize::from(number.checked_sub(1)?);
        let records = &mut self.stores.get_mut(place.store())?.records;
        match place {
            Place::Store(_) => records.get_mut(index).map(|record| record.0.as_mut_slice()),
            Place::Counter { counter, .. } => records.first_mut()?.get_mut(counter_range(*counter)?),
        }
    }
}

/// The bytes of counter `number`, from 1, in its record.
pub(super) fn counter_range(number: u8) -> Option<std::ops::Range<usize>> {
    let start = usize::from(number.checked_sub(1)?) * 3;
    Some(start..start + 3)
}
