//! SAM profiles: what a SAM is personalized with, as data.
//!
//! A profile is JSON text of the format `ogygia-sam-profile/1`; its members are those of [`SamProfile`], of which
//! `format`, `id`, `title` and `product` must be there. It is read with [`SamProfile::from_json`]; the ones that come
//! with the crate are in [`builtin()`]. Keys are named by labels, from which the seed of a [`KeySet`] makes values, or
//! given in hexadecimal text. A control SAM has the masters of its targets' system keys as work keys of the same KIF (E1
//! Personalization, FD Key Management, E7 Reloading, FA Authentication), KVC and master, and locks as work keys of
//! KIF EF.
//!
//! ```
//! use ogygia_sim::{KeySet, SamProfile, VirtualSam};
//!
//! let profile = SamProfile::from_json(
//!     r#"{
//!         "format": "ogygia-sam-profile/1", "id": "small", "title": "An example", "product": "c1",
//!         "counters": { "3": { "ceiling": 100000 }, "4": { "value": 10, "ceiling": 500, "free": true } },
//!         "system_keys": {
//!             "reloading": { "kvc": "F3", "counter": 3 },
//!             "authentication": { "kvc": "F4", "value": "000102030405060708090A0B0C0D0E0F" }
//!         },
//!         "work_keys": [{ "record": 1, "kif": "30", "kvc": "79", "counter": 4 }],
//!         "lock": { "index": "01", "static_unlock": true, "master": "lock of the network" }
//!     }"#,
//! )?;
//! let keys = KeySet::new(b"seed");
//! let sam = VirtualSam::personalized(&profile, [0x11, 0x22, 0x33, 0x44], &keys)?;
//! assert!(sam.is_locked());
//! # Ok::<(), ogygia_sim::SetupError>(())
//! ```

mod model;
mod personalize;

pub use model::{CounterProfile, LockProfile, SamProfile, SecretValue, SystemKeyProfile, WorkKeyProfile};

use super::counters::{LAST_COUNTER, MAX_CEILING};
use super::keys::{KeyParameters, RECORDS};
#[cfg(doc)]
use crate::KeySet;
use crate::hex::Hex;
use crate::setup::{self, SetupError, wrong};

/// Name of the only format understood.
pub const FORMAT: &str = "ogygia-sam-profile/1";

const BUILTIN: &[(&str, &str)] = &[
    ("sam-control", include_str!("../../../profiles/sam/sam-control.json")),
    ("sam-locked", include_str!("../../../profiles/sam/sam-locked.json")),
    ("sam-target", include_str!("../../../profiles/sam/sam-target.json")),
];

/// The identifiers of the profiles that come with the crate, each with its text: `sam-target`, which has system keys
/// and signs with counters and ceilings; `sam-locked`, the same behind a lock; `sam-control`, which ciphers for both.
pub fn builtin() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    BUILTIN.iter().copied()
}

impl SamProfile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// What makes it unusable, with the member: see [`SetupError`].
    pub fn from_json(text: &str) -> Result<Self, SetupError> {
        let profile: Self = setup::read(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// The profile that comes with the crate under the identifier `id`; nothing when there is none.
    ///
    /// # Errors
    ///
    /// As [`from_json`](Self::from_json); never for the files that come with the crate, which a test reads all.
    pub fn builtin(id: &str) -> Result<Option<Self>, SetupError> {
        BUILTIN.iter().find(|(known, _)| *known == id).map(|(_, text)| Self::from_json(text)).transpose()
    }

    /// Checks what the types alone do not: [`from_json`](Self::from_json) has done it.
    ///
    /// # Errors
    ///
    /// The first member that is wrong.
    pub fn check(&self) -> Result<(), SetupError> {
        if self.format != FORMAT {
            return Err(SetupError::Format(self.format.clone()));
        }
        for (number, counter) in &self.counters {
            counter.check(*number)?;
        }
        for (which, key) in &self.system_keys {
            let member = format!("system_keys.{}", which.name());
            check_key(&member, key.parameters, key.counter)?;
            check_secret(&member, key.master.as_ref(), key.value.as_ref())?;
        }
        for (at, key) in self.work_keys.iter().enumerate() {
            self.check_work_key(at, key)?;
        }
        if let Some(lock) = &self.lock {
            check_secret("lock", lock.master.as_ref(), lock.value.as_ref())?;
        }
        if self.authority_counter.is_some_and(|counter| !(1..=LAST_COUNTER).contains(&counter)) {
            return wrong("authority_counter", "no counter from 1 to 26");
        }
        Ok(())
    }

    fn check_work_key(&self, at: usize, key: &WorkKeyProfile) -> Result<(), SetupError> {
        let member = format!("work_keys[{at}]");
        check_key(&member, key.parameters, key.counter)?;
        check_secret(&member, key.master.as_ref(), key.value.as_ref())?;
        if key.record.is_some_and(|record| !RECORDS.contains(&record)) {
            return wrong(&format!("{member}.record"), "no record from 1 to 126");
        }
        let before = || self.work_keys.iter().take(at);
        if key.record.is_some() && before().any(|other| other.record == key.record) {
            return wrong(&format!("{member}.record"), "another key has this record");
        }
        if before().any(|other| (other.kif, other.kvc) == (key.kif, key.kvc)) {
            return wrong(&format!("{member}.kif"), "another key has this KIF and KVC");
        }
        Ok(())
    }
}

impl CounterProfile {
    fn check(self, number: u8) -> Result<(), SetupError> {
        let member = format!("counters.{number}");
        if number > LAST_COUNTER {
            return wrong(&member, "no counter from 0 to 26");
        }
        if self.value > 0x00FF_FFFF {
            return wrong(&format!("{member}.value"), "more than three bytes");
        }
        if self.ceiling.is_some_and(|ceiling| ceiling > MAX_CEILING) {
            return wrong(&format!("{member}.ceiling"), "above 16777210");
        }
        if self.free && number == 0 {
            return wrong(&format!("{member}.free"), "counter 0 is never counted freely");
        }
        Ok(())
    }
}

fn check_key(member: &str, given: Option<Hex<[u8; 10]>>, counter: Option<u8>) -> Result<(), SetupError> {
    if counter.is_some_and(|counter| !(1..=LAST_COUNTER).contains(&counter)) {
        return wrong(&format!("{member}.counter"), "no counter from 1 to 26");
    }
    let Some(Hex(given)) = given else { return Ok(()) };
    let given = KeyParameters(given);
    if given.counter_is_wrong() {
        return wrong(&format!("{member}.parameters"), "PAR4 is no counter from 0 to 26");
    }
    if counter.is_some() && given.counter().is_some() && given.counter() != counter {
        return wrong(&format!("{member}.counter"), "PAR4 names another counter");
    }
    Ok(())
}

fn check_secret(member: &str, master: Option<&String>, value: Option<&SecretValue>) -> Result<(), SetupError> {
    if master.is_some() && value.is_some() {
        return wrong(&format!("{member}.value"), "there is a master as well");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
