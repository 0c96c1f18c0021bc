//! From a profile to a SAM.

use super::{LockProfile, SamProfile, SecretValue, SystemKeyProfile, WorkKeyProfile};
use crate::cipher::{Key, KeyId, KeySet, LockSecret};
use crate::hex::Hex;
use crate::sam::VirtualSam;
use crate::sam::counters::Counters;
use crate::sam::keys::{Algorithm, KeyParameters, Keys, LOCK_KIF, SamKey, SystemKey, Value};
use crate::sam::unlock::{LOCK_DYNAMIC, LOCK_ITSELF, LOCK_STATIC, LOCK_SYSTEM, LOCK_WORK_KEYS, Lock};
use crate::setup::SetupError;

impl VirtualSam {
    /// The SAM that `profile` describes, powered. `keys` gives the values of what the profile names by label, and keys
    /// that it names by KIF and KVC alone: a target, its control SAM and its cards share it.
    ///
    /// # Errors
    ///
    /// What [`SamProfile::check`] finds.
    pub fn personalized(profile: &SamProfile, serial: [u8; 4], keys: &KeySet) -> Result<Self, SetupError> {
        profile.check()?;
        let mut sam = Self::with_keys(profile.product, serial, profile.keys(serial, keys));
        sam.counters = profile.counters();
        if let Some(Hex(parameters)) = profile.parameters {
            sam.parameters = parameters;
        }
        sam.lock = profile.lock.as_ref().map(|lock| lock.lock(keys));
        sam.certifying.counter = profile.authority_counter;
        sam.reset();
        Ok(sam)
    }
}

impl SamProfile {
    /// What whoever unlocks the SAMs of this profile must know; nothing when it has no lock.
    #[must_use]
    pub fn lock_secret(&self, keys: &KeySet) -> Option<LockSecret> {
        self.lock.as_ref().map(|lock| lock.lock(keys).secret)
    }

    fn keys(&self, serial: [u8; 4], set: &KeySet) -> Keys {
        let mut keys = Keys::default();
        for (which, key) in &self.system_keys {
            keys.set_system(*which, key.key(*which, serial, set));
        }
        for key in &self.work_keys {
            keys.add_work(key.record, key.key(set));
        }
        if self.key_set {
            keys.add_set(set);
        }
        keys
    }

    fn counters(&self) -> Counters {
        let mut counters = Counters::default();
        for (number, counter) in &self.counters {
            counters.set_value(*number, counter.value);
            if let Some(ceiling) = counter.ceiling {
                counters.set_ceiling(*number, ceiling);
            }
            if counter.free {
                counters.set_free(*number);
            }
        }
        counters
    }
}

impl SystemKeyProfile {
    fn key(&self, which: SystemKey, serial: [u8; 4], set: &KeySet) -> SamKey {
        let id = KeyId::new(which.kif(), self.kvc.0);
        let master = secret(set, self.master.as_ref(), self.value.as_ref(), id);
        SamKey {
            id,
            algorithm: self.alg,
            parameters: parameters(self.parameters, self.counter),
            value: Value::Fixed(master.diversify(&serial)),
        }
    }
}

impl WorkKeyProfile {
    fn key(&self, set: &KeySet) -> SamKey {
        let id = KeyId::new(self.kif.0, self.kvc.0);
        let usual = if set.is_aes(id) { Algorithm::AesA0 } else { Algorithm::Des };
        SamKey {
            id,
            algorithm: self.alg.unwrap_or(usual),
            parameters: parameters(self.parameters, self.counter),
            value: Value::Master(secret(set, self.master.as_ref(), self.value.as_ref(), id)),
        }
    }
}

impl LockProfile {
    fn lock(&self, set: &KeySet) -> Lock {
        let index = self.index.0;
        let bits = [
            (self.static_unlock, LOCK_STATIC),
            (self.dynamic_unlock, LOCK_DYNAMIC),
            (self.locks_system, LOCK_SYSTEM),
            (self.locks_work_keys, LOCK_WORK_KEYS),
            (self.locks_itself, LOCK_ITSELF),
        ];
        let value = secret(set, self.master.as_ref(), self.value.as_ref(), KeyId::new(LOCK_KIF, index));
        Lock {
            index,
            parameters: bits.iter().filter(|(set, _)| *set).fold(0, |all, (_, bit)| all | bit),
            secret: LockSecret::new(value),
        }
    }
}

/// The value given, the one of the label given, the key of the set, or the one of the usual label.
fn secret(set: &KeySet, label: Option<&String>, value: Option<&SecretValue>, id: KeyId) -> Key {
    match (value, label) {
        (Some(SecretValue(value)), _) => value.clone(),
        (None, Some(label)) => set.secret(label),
        (None, None) => set.master(id).unwrap_or_else(|| set.secret(&id.label())),
    }
}

fn parameters(given: Option<Hex<[u8; 10]>>, counter: Option<u8>) -> KeyParameters {
    let given = given.map_or(KeyParameters::ALL, |Hex(given)| KeyParameters(given));
    counter.map_or(given, |counter| given.with_counter(counter))
}
