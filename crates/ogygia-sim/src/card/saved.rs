//! The card as a file.

use serde::{Deserialize, Serialize};

use super::certificates::Objects;
use super::memory::{Content, Memory, Pin};
use super::{CardError, VirtualCard};
use crate::cipher::{KeyId, KeySet};
use crate::hex::Hex;
use crate::profile::Profile;

/// Name of the only format understood.
const FORMAT: &str = "ogygia-virtual-card/1";

/// What is written: no values of symmetric keys, they are derived again from the key set. PINs and private keys of key
/// pairs are there.
#[derive(Serialize, Deserialize)]
struct Saved {
    format: String,
    profile: Profile,
    content: Content,
    /// KIF and KVC of the three keys of each directory.
    keys: Vec<[Hex<[u8; 2]>; 3]>,
    pins: Vec<Pin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    asymmetric: Vec<Objects>,
    transaction_counter: u32,
    ratified: bool,
    randoms: u64,
}

impl VirtualCard {
    /// The card as JSON text: profile and everything that persists, PINs and the private keys of key pairs included. An open session leaves no trace in it, as if the
    /// card lost the field now.
    ///
    /// # Errors
    ///
    /// [`CardError::Saved`] if the text cannot be made; no card is known that does it.
    pub fn to_json(&self) -> Result<String, CardError> {
        let saved = Saved {
            format: FORMAT.to_owned(),
            profile: self.profile.clone(),
            content: self.committed().clone(),
            keys: self.memory.keys.iter().map(|keys| keys.map(|key| Hex([key.kif, key.kvc]))).collect(),
            pins: self.memory.pins.clone(),
            asymmetric: self.memory.asymmetric.clone(),
            transaction_counter: self.memory.transaction_counter,
            ratified: self.memory.ratified,
            randoms: self.memory.randoms,
        };
        serde_json::to_string_pretty(&saved).map_err(|error| CardError::Saved(error.to_string()))
    }

    /// A card that [`to_json`](Self::to_json) wrote, with the keys that it was personalised with, in the field.
    ///
    /// # Errors
    ///
    /// The text is no saved card, its parts do not fit each other, or `keys` lacks a key.
    pub fn from_json(text: &str, keys: &KeySet) -> Result<Self, CardError> {
        let saved: Saved = serde_json::from_str(text).map_err(|error| CardError::Saved(error.to_string()))?;
        if saved.format != FORMAT {
            return Err(CardError::Saved(format!("format {}", saved.format)));
        }
        let mut card = Self::new(&saved.profile, keys)?;
        let memory = Memory {
            content: saved.content,
            keys: saved.keys.iter().map(|keys| keys.each_ref().map(|Hex([kif, kvc])| KeyId::new(*kif, *kvc))).collect(),
            pins: saved.pins,
            // Cards saved before there were such objects have none.
            asymmetric: if saved.asymmetric.is_empty() { card.memory.asymmetric.clone() } else { saved.asymmetric },
            transaction_counter: saved.transaction_counter,
            ratified: saved.ratified,
            randoms: saved.randoms,
        };
        fits(&card.memory, &memory)?;
        card.memory = memory;
        card.check_keys()?;
        Ok(card)
    }
}

/// Whether `saved` has the shape of `new`.
fn fits(new: &Memory, saved: &Memory) -> Result<(), CardError> {
    let wrong = |what| Err(CardError::StateDoesNotFit(what));
    let shape = |memory: &Memory| -> Vec<Vec<usize>> {
        let sizes = |store: &super::memory::Store| store.records.iter().map(|record| record.len()).collect();
        memory.content.stores.iter().map(sizes).collect()
    };
    if shape(new) != shape(saved) {
        return wrong("files");
    }
    if new.content.df_status.len() != saved.content.df_status.len() || new.keys.len() != saved.keys.len() {
        return wrong("directories");
    }
    if new.content.purse.is_some() != saved.content.purse.is_some() {
        return wrong("purse");
    }
    if saved.content.purse.as_ref().is_some_and(|purse| !(-0x80_0000..=0x7F_FFFF).contains(&purse.balance)) {
        return wrong("balance");
    }
    if new.pins.len() != saved.pins.len() || saved.pins.iter().any(|pin| pin.attempts > 15) {
        return wrong("PIN");
    }
    let fit = saved.asymmetric.iter().all(Objects::fits);
    if new.asymmetric.len() != saved.asymmetric.len() || !fit {
        return wrong("key pairs and certificates");
    }
    if saved.transaction_counter > 0x00FF_FFFF {
        return wrong("transaction counter");
    }
    Ok(())
}
