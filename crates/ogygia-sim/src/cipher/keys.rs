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

    /// Label of the master key where no profile gives one.
    pub(crate) fn label(self) -> String {
        format!("KIF {:02X} KVC {:02X}", self.kif, self.kvc)
    }
}

/// Where the value of a master key comes from.
#[derive(Clone, Debug)]
enum Source {
    /// Derived from the seed of the set.
    Label(String),
    Value(Key),
}

#[derive(Clone, Debug)]
struct Entry {
    source: Source,
    aes: bool,
}

/// The master keys that a virtual SAM holds and that virtual cards were personalised with.
///
/// Two sets of the same seed give the same keys, two sets of different seeds do not: that is how a test makes a card
/// and a SAM that do not belong together. Values are derived when needed, from the seed and the label of the key
/// (the `master` label of a profile, or one made of KIF and KVC where a profile has none), unless a value was given.
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

    /// A set with the keys of every card profile that comes with the crate.
    #[must_use]
    pub fn new(seed: &[u8]) -> Self {
        let mut keys = Self::empty(seed);
        keys.add_card_profiles();
        keys
    }

    /// Adds the keys of every card profile that comes with the crate, unless their KIF and KVC are taken.
    pub(super) fn add_card_profiles(&mut self) {
        static ENTRIES: OnceLock<BTreeMap<KeyId, Entry>> = OnceLock::new();
        let entries = ENTRIES.get_or_init(|| {
            let mut keys = Self::empty(&[]);
            for profile in builtin().filter_map(|(_, text)| Profile::from_json(text).ok()) {
                keys.add_profile(&profile);
            }
            keys.entries
        });
        for (id, entry) in entries {
            self.entries.entry(*id).or_insert_with(|| entry.clone());
        }
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
        self.entries
            .entry(id)
            .or_insert_with(|| Entry { source: Source::Label(label.map_or_else(|| id.label(), str::to_owned)), aes });
    }

    /// Adds a key of a given value, unless its KIF and KVC are taken.
    pub fn add_value(&mut self, id: KeyId, value: Key, aes: bool) {
        self.entries.entry(id).or_insert(Entry { source: Source::Value(value), aes });
    }

    /// The master secret of a label: the same in every set of the same seed, whatever keys the set has.
    #[must_use]
    pub fn secret(&self, label: &str) -> Key {
        self.seed.derive("master", &[label.as_bytes()])
    }

    /// The master key itself; nothing when the set does not have it.
    pub(crate) fn master(&self, id: KeyId) -> Option<Key> {
        self.entries.get(&id).map(|entry| match &entry.source {
            Source::Label(label) => self.secret(label),
            Source::Value(value) => value.clone(),
        })
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
        Some(self.master(id)?.diversify(diversifier))
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet").field("keys", &self.entries.len()).finish_non_exhaustive()
    }
}
