//! The keys of a SAM and their parameters: specification of the SAM layer, "Read Key Parameters" and "Write Key".

use std::collections::BTreeMap;

use super::counters::LAST_COUNTER;
use crate::cipher::{Key, KeyId, KeySet};

/// First and last record of work keys.
pub(super) const RECORDS: std::ops::RangeInclusive<u8> = 0x01..=0x7E;
/// KIF of the lock, and of what a control SAM transfers as one.
pub(super) const LOCK_KIF: u8 = 0xEF;

/// The key serves ciphering (PAR1). The specification names what PAR1 and PAR5 enable, not the bits: these are ours,
/// chosen so that the parameters of its examples enable what the examples do.
const PAR1_CIPHER: u8 = 0x01;
/// The key serves deciphering (PAR1).
const PAR1_DECIPHER: u8 = 0x10;
/// The key deciphers what was ciphered without a challenge of this SAM (PAR1).
const PAR1_STATIC: u8 = 0x20;
/// The key signs with Data Cipher (PAR5).
const PAR5_SIGN: u8 = 0x01;
/// PAR6 names a transfer-control record.
const PAR6_TRANSFER_CONTROL: u8 = 0x80;

/// The algorithm of a key. The number for the DES family stands in the examples of the specification; those for AES
/// are the labels of the card profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Algorithm {
    /// Of the DES family.
    #[default]
    #[serde(rename = "des")]
    Des,
    /// AES, of the first kind.
    #[serde(rename = "aes_a0")]
    AesA0,
    /// AES, of the second kind.
    #[serde(rename = "aes_b0")]
    AesB0,
}

impl Algorithm {
    /// ALG byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Des => 0x40,
            Self::AesA0 => 0xA0,
            Self::AesB0 => 0xB0,
        }
    }

    /// The algorithm of an ALG byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x40 => Some(Self::Des),
            0xA0 => Some(Self::AesA0),
            0xB0 => Some(Self::AesB0),
            _ => None,
        }
    }
}

/// PAR1 to PAR10 of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyParameters(pub [u8; 10]);

impl KeyParameters {
    /// Everything enabled, no counter.
    pub const ALL: Self = Self([PAR1_CIPHER | PAR1_DECIPHER | PAR1_STATIC, 0, 0, 0, PAR5_SIGN, 0, 0, 0, 0, 0]);

    /// The same, tied to the event counter `counter`: PAR4. 0 is no counter.
    #[must_use]
    pub const fn with_counter(self, counter: u8) -> Self {
        let [p1, p2, p3, _, p5, p6, p7, p8, p9, p10] = self.0;
        Self([p1, p2, p3, counter, p5, p6, p7, p8, p9, p10])
    }

    const fn par1_has(self, bit: u8) -> bool {
        let [par1, ..] = self.0;
        par1 & bit != 0
    }

    /// Whether the key serves ciphering.
    #[must_use]
    pub const fn ciphers(self) -> bool {
        self.par1_has(PAR1_CIPHER)
    }

    /// Whether the key serves deciphering.
    #[must_use]
    pub const fn deciphers(self) -> bool {
        self.par1_has(PAR1_DECIPHER)
    }

    /// Whether the key deciphers what was ciphered without a challenge of this SAM.
    #[must_use]
    pub const fn is_static(self) -> bool {
        self.par1_has(PAR1_STATIC)
    }

    /// Whether the key signs with Data Cipher.
    #[must_use]
    pub const fn signs(self) -> bool {
        let [_, _, _, _, par5, ..] = self.0;
        par5 & PAR5_SIGN != 0
    }

    /// The event counter tied to the key; nothing when there is none.
    #[must_use]
    pub fn counter(self) -> Option<u8> {
        let [_, _, _, par4, ..] = self.0;
        (1..=LAST_COUNTER).contains(&par4).then_some(par4)
    }

    /// Whether PAR4 is no number of a counter.
    pub(super) const fn counter_is_wrong(self) -> bool {
        let [_, _, _, par4, ..] = self.0;
        par4 > LAST_COUNTER
    }

    /// Whether PAR6 names a transfer-control record.
    pub(super) const fn names_transfer_control(self) -> bool {
        let [_, _, _, _, _, par6, ..] = self.0;
        par6 & PAR6_TRANSFER_CONTROL != 0
    }

    /// Whether PAR7 to PAR10 are zero.
    pub(super) const fn ends_with_zeros(self) -> bool {
        matches!(self.0, [.., 0, 0, 0, 0])
    }
}

/// The keys on which the SAM itself depends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemKey {
    /// Deciphers parameters, system keys and locks.
    Personalization,
    /// Deciphers work keys.
    KeyManagement,
    /// Deciphers ceilings.
    Reloading,
    /// Signs what is read.
    Authentication,
}

impl SystemKey {
    /// Every system key.
    pub const ALL: [Self; 4] = [Self::Personalization, Self::KeyManagement, Self::Reloading, Self::Authentication];

    /// Its KIF.
    #[must_use]
    pub const fn kif(self) -> u8 {
        match self {
            Self::Personalization => 0xE1,
            Self::KeyManagement => 0xFD,
            Self::Reloading => 0xE7,
            Self::Authentication => 0xFA,
        }
    }

    /// Its name in profiles.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Personalization => "personalization",
            Self::KeyManagement => "key_management",
            Self::Reloading => "reloading",
            Self::Authentication => "authentication",
        }
    }

    /// The system key of a KIF.
    pub(super) fn of_kif(kif: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.kif() == kif)
    }

    /// The system key of a reference of Read Key Parameters.
    pub(super) const fn of_reference(reference: u8) -> Option<Self> {
        match reference {
            0xC1 => Some(Self::Personalization),
            0xC2 => Some(Self::KeyManagement),
            0xC3 => Some(Self::Reloading),
            0xC4 => Some(Self::Authentication),
            _ => None,
        }
    }
}

/// The value of a key.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Diversified at each use.
    Master(Key),
    /// Diversified when it was made.
    Fixed(Key),
}

/// A key with its parameters.
#[derive(Clone, Debug)]
pub(super) struct SamKey {
    pub(super) id: KeyId,
    pub(super) algorithm: Algorithm,
    pub(super) parameters: KeyParameters,
    pub(super) value: Value,
}

impl SamKey {
    pub(super) fn is_aes(&self) -> bool {
        self.algorithm != Algorithm::Des
    }

    /// The key for `diversifier`; nothing when it needs one and there is none.
    pub(super) fn diversified(&self, diversifier: Option<&[u8]>) -> Option<Key> {
        match &self.value {
            Value::Master(key) => diversifier.map(|diversifier| key.diversify(diversifier)),
            Value::Fixed(key) => Some(key.clone()),
        }
    }

    /// KIF, KVC, ALG, PAR1 to PAR10.
    pub(super) fn record(&self) -> Vec<u8> {
        let mut record = self.name().to_vec();
        record.extend(self.parameters.0);
        record
    }

    /// KIF, KVC, ALG.
    pub(super) const fn name(&self) -> [u8; 3] {
        [self.id.kif, self.id.kvc, self.algorithm.byte()]
    }
}

/// The key table.
#[derive(Clone, Debug, Default)]
pub(super) struct Keys {
    system: BTreeMap<SystemKey, SamKey>,
    /// By record.
    records: BTreeMap<u8, SamKey>,
    /// Those that are reached by KIF and KVC only.
    others: Vec<SamKey>,
}

impl Keys {
    /// The keys of `set` as work keys, everything enabled, in records as far as there are any.
    pub(super) fn of_set(set: &KeySet) -> Self {
        let mut keys = Self::default();
        let mut records = RECORDS;
        for key in set.ids().filter_map(|id| Self::key_of_set(set, id)) {
            keys.add_work(records.next(), key);
        }
        keys
    }

    /// Adds the keys of `set` that are not there, without records.
    pub(super) fn add_set(&mut self, set: &KeySet) {
        for key in set.ids().filter_map(|id| Self::key_of_set(set, id)) {
            if self.work(key.id).is_none() {
                self.add_work(None, key);
            }
        }
    }

    fn key_of_set(set: &KeySet, id: KeyId) -> Option<SamKey> {
        let algorithm = if set.is_aes(id) { Algorithm::AesA0 } else { Algorithm::Des };
        Some(SamKey { id, algorithm, parameters: KeyParameters::ALL, value: Value::Master(set.master(id)?) })
    }

    pub(super) fn system(&self, which: SystemKey) -> Option<&SamKey> {
        self.system.get(&which)
    }

    pub(super) fn set_system(&mut self, which: SystemKey, key: SamKey) {
        self.system.insert(which, key);
    }

    /// The work key of a name.
    pub(super) fn work(&self, id: KeyId) -> Option<&SamKey> {
        self.all_work().find(|key| key.id == id)
    }

    pub(super) fn record(&self, record: u8) -> Option<&SamKey> {
        self.records.get(&record)
    }

    /// The work keys of a KIF, in the order of their records.
    pub(super) fn of_kif(&self, kif: u8) -> impl Iterator<Item = &SamKey> {
        self.all_work().filter(move |key| key.id.kif == kif)
    }

    fn all_work(&self) -> impl Iterator<Item = &SamKey> {
        self.records.values().chain(&self.others)
    }

    /// The first record without a key.
    pub(super) fn free_record(&self) -> Option<u8> {
        RECORDS.into_iter().find(|record| !self.records.contains_key(record))
    }

    pub(super) fn add_work(&mut self, record: Option<u8>, key: SamKey) {
        match record {
            Some(record) => {
                self.records.insert(record, key);
            }
            None => self.others.push(key),
        }
    }
}
