//! Master keys by KIF and KVC.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Key, first, prf};
use crate::profile::{Profile, builtin};

/// Names a key: KIF and KVC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId {
    /// Key identifier.
    pub kif: u8,
    /// Key version and category.
    pub kvc: u8,
}

impl KeyId {
    /// KIF of the key that reloads purses.
    pub const SV_LOAD_KIF: u8 = 0x07;
    /// KIF of the key that debits purses.
    pub const SV_DEBIT_KIF: u8 = 0x10;

    /// The key `kif`, `kvc`.
    #[must_use]
    pub const fn new(kif: u8, kvc: u8) -> Self {
        Self { kif, kvc }
    }
}

#[derive(Clone, Debug)]
struct Entry {
    label: String,
    aes: bool,
}

/// The master keys that a virtual SAM holds and that virtual cards were personalised with.
///
/// Two sets of the same seed give the same keys, two sets of different seeds do not: that is how a test makes a card
/// and a SAM that do not belong together. Values are derived when needed, from the seed and the label of the key
/// (the `master` label of a profile, or one made of KIF and KVC where a profile has none).
#[derive(Clone)]
pub struct KeySet {
    seed: Key,
    entries: BTreeMap<KeyId, Entry>,
}

impl KeySet {
    /// A set without keys.
    #[must_use]
    pub fn empty(seed: &[u8]) -> Self {
        Self { seed: Key(first(&prf(&[], "seed", &[seed]))), entries: BTreeMap::new() }
    }

    /// A set with the keys of every profile that comes with the crate.
    #[must_use]
    pub fn new(seed: &[u8]) -> Self {
        static ENTRIES: OnceLock<BTreeMap<KeyId, Entry>> = OnceLock::new();
        let entries = ENTRIES.get_or_init(|| {
            let mut keys = Self::empty(&[]);
            for profile in builtin().filter_map(|(_, text)| Profile::from_json(text).ok()) {
                keys.add_profile(&profile);
            }
            keys.entries
        });
        Self { entries: entries.clone(), ..Self::empty(seed) }
    }

    /// Adds the keys that a card of `profile` holds, those for Stored Value included.
    ///
    /// A KIF and KVC already in the set keeps its label.
    pub fn add_profile(&mut self, profile: &Profile) {
        for application in &profile.applications {
            for key in &application.keys {
                let id = KeyId::new(key.kif.0, key.kvc.0);
                self.add(id, key.master.as_deref(), key.alg.is_some());
            }
            if application.features.stored_value {
                // The SAM is told no KIF for Stored Value, so all purses use the same two.
                let [_, load, debit] = &application.keys;
                self.add(KeyId::new(KeyId::SV_LOAD_KIF, load.kvc.0), None, load.alg.is_some());
                self.add(KeyId::new(KeyId::SV_DEBIT_KIF, debit.kvc.0), None, debit.alg.is_some());
            }
        }
    }

    /// Adds a key, unless its KIF and KVC are taken. `label` nothing: one made of KIF and KVC. `aes`: whether it
    /// serves extended mode, and so refuses basic signatures.
    pub fn add(&mut self, id: KeyId, label: Option<&str>, aes: bool) {
        self.entries.entry(id).or_insert_with(|| Entry {
            label: label.map_or_else(|| format!("KIF {:02X} KVC {:02X}", id.kif, id.kvc), str::to_owned),
            aes,
        });
    }

    /// Removes a key.
    pub fn remove(&mut self, id: KeyId) {
        self.entries.remove(&id);
    }

    /// Whether the set has this key.
    #[must_use]
    pub fn contains(&self, id: KeyId) -> bool {
        self.entries.contains_key(&id)
    }

    /// The keys of the set, in order.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> + '_ {
        self.entries.keys().copied()
    }

    /// Whether the key serves extended mode; false when the set does not have it.
    #[must_use]
    pub fn is_aes(&self, id: KeyId) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.aes)
    }

    /// The key diversified for `diversifier`; nothing when the set does not have it.
    #[must_use]
    pub fn diversified(&self, id: KeyId, diversifier: &[u8]) -> Option<Key> {
        let entry = self.entries.get(&id)?;
        Some(self.seed.derive("master", &[entry.label.as_bytes()]).diversify(diversifier))
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.entries.len()).finish_non_exhaustive()
    }
}
