//! The members of a profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroizing;

use super::super::{Algorithm, SamProduct, SystemKey};
use crate::cipher::Key;
use crate::hex::Hex;

/// A SAM as it leaves its personalization. Unknown members are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamProfile {
    /// Always [`FORMAT`](super::FORMAT).
    pub format: String,
    /// File stem.
    pub id: String,
    /// One line for a reader.
    pub title: String,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Which SAM it is.
    pub product: SamProduct,
    /// The 29 SAM parameters; nothing for zeros. Of the first byte, bit 0 forbids all writing in the clear, and bit 1
    /// allows it for work keys.
    #[serde(default)]
    pub parameters: Option<Hex<[u8; 29]>>,
    /// Event counters by number, 0 to 26. Those not named are zero, with the highest ceiling.
    #[serde(default)]
    pub counters: BTreeMap<u8, CounterProfile>,
    /// System keys. They are diversified for the SAM when it is made.
    #[serde(default)]
    pub system_keys: BTreeMap<SystemKey, SystemKeyProfile>,
    /// Work keys.
    #[serde(default)]
    pub work_keys: Vec<WorkKeyProfile>,
    /// Has all the keys of the key set as well, everything enabled, without records and counters.
    #[serde(default)]
    pub key_set: bool,
    /// The lock, in force from the start; nothing for none.
    #[serde(default)]
    pub lock: Option<LockProfile>,
    /// The event counter tied to the key of an authority that is loaded later.
    #[serde(default)]
    pub authority_counter: Option<u8>,
}

/// An event counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterProfile {
    /// Its value.
    #[serde(default)]
    pub value: u32,
    /// The value at which what is tied to it stops, up to 16 777 210; nothing for that one.
    #[serde(default)]
    pub ceiling: Option<u32>,
    /// Whether it may be counted freely. Counter 0 never is.
    #[serde(default)]
    pub free: bool,
}

/// A system key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SystemKeyProfile {
    /// Key version.
    pub kvc: Hex<u8>,
    /// Algorithm.
    #[serde(default)]
    pub alg: Algorithm,
    /// PAR1 to PAR10; nothing for everything enabled.
    #[serde(default)]
    pub parameters: Option<Hex<[u8; 10]>>,
    /// The event counter tied to it: PAR4, for those who do not write it in `parameters`.
    #[serde(default)]
    pub counter: Option<u8>,
    /// Label of its master; nothing for one made of KIF and KVC.
    #[serde(default)]
    pub master: Option<String>,
    /// Value of its master, in place of a label.
    #[serde(default)]
    pub value: Option<SecretValue>,
}

/// A work key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkKeyProfile {
    /// Record, 1 to 126; nothing for a key that is reached by KIF and KVC only.
    #[serde(default)]
    pub record: Option<u8>,
    /// Key identifier.
    pub kif: Hex<u8>,
    /// Key version.
    pub kvc: Hex<u8>,
    /// Algorithm; nothing for that in the key set, or the DES family.
    #[serde(default)]
    pub alg: Option<Algorithm>,
    /// PAR1 to PAR10; nothing for everything enabled.
    #[serde(default)]
    pub parameters: Option<Hex<[u8; 10]>>,
    /// The event counter tied to it: PAR4, for those who do not write it in `parameters`.
    #[serde(default)]
    pub counter: Option<u8>,
    /// Label of the master; nothing for the key of the key set, or one made of KIF and KVC.
    #[serde(default)]
    pub master: Option<String>,
    /// Value of the master, in place of a label.
    #[serde(default)]
    pub value: Option<SecretValue>,
}

/// The lock of a SAM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockProfile {
    /// Its index.
    pub index: Hex<u8>,
    /// Locks the SAM at each reset, until the static value is given.
    #[serde(default)]
    pub static_unlock: bool,
    /// Locks the SAM at each reset, until the value for a challenge is given.
    #[serde(default)]
    pub dynamic_unlock: bool,
    /// Keeps parameters and system keys from being written.
    #[serde(default)]
    pub locks_system: bool,
    /// Keeps work keys from being written.
    #[serde(default)]
    pub locks_work_keys: bool,
    /// Keeps the lock from being written.
    #[serde(default)]
    pub locks_itself: bool,
    /// Label of the secret; nothing for one made of KIF (EF) and index.
    #[serde(default)]
    pub master: Option<String>,
    /// Value of the secret, in place of a label.
    #[serde(default)]
    pub value: Option<SecretValue>,
}

/// A secret that a file gives in hexadecimal text: 16 bytes. `Debug` hides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretValue(pub Key);

impl Serialize for SecretValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Hex(*self.0.bytes()).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Hex(bytes) = Hex::<[u8; 16]>::deserialize(deserializer)?;
        Ok(Self(Key::new(*Zeroizing::new(bytes))))
    }
}
