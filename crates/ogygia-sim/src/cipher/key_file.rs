//! Key sets as files.

use serde::Deserialize;

use super::{KeyId, KeySet};
use crate::hex::Hex;
use crate::sam::Algorithm;
use crate::sam::profile::SecretValue;
use crate::setup::{self, SetupError, wrong};

/// Name of the only format understood.
const FORMAT: &str = "ogygia-key-set/1";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    seed: String,
    #[serde(default)]
    card_profiles: bool,
    #[serde(default)]
    keys: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    kif: Hex<u8>,
    kvc: Hex<u8>,
    #[serde(default)]
    alg: Algorithm,
    #[serde(default)]
    master: Option<String>,
    #[serde(default)]
    value: Option<SecretValue>,
}

impl KeySet {
    /// Reads a key set: JSON text of the format `ogygia-key-set/1`.
    ///
    /// | member | meaning |
    /// | --- | --- |
    /// | `format` | `ogygia-key-set/1` |
    /// | `seed` | text from which the values of labels are made |
    /// | `card_profiles` | whether it has the keys of all card profiles of the crate as well; false when left out |
    /// | `keys` | list of keys; none when left out |
    ///
    /// A key has `kif` and `kvc` (hexadecimal text), `alg` (`des`, `aes_a0`, `aes_b0`; the first when left out), and
    /// `master` (a label) or `value` (16 bytes in hexadecimal text); its label is made of KIF and KVC when it has
    /// neither. It goes before one of the same name in a card profile.
    ///
    /// ```
    /// let text = r#"{
    ///     "format": "ogygia-key-set/1", "seed": "a network", "card_profiles": true,
    ///     "keys": [
    ///         { "kif": "30", "kvc": "79", "master": "debit" },
    ///         { "kif": "2B", "kvc": "19", "value": "000102030405060708090A0B0C0D0E0F" }
    ///     ]
    /// }"#;
    /// let keys = ogygia_sim::KeySet::from_json(text)?;
    /// assert!(keys.contains(ogygia_sim::KeyId::new(0x2B, 0x19)));
    /// # Ok::<(), ogygia_sim::SetupError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What makes it unusable, with the member: see [`SetupError`].
    pub fn from_json(text: &str) -> Result<Self, SetupError> {
        let file: File = setup::read(text)?;
        if file.format != FORMAT {
            return Err(SetupError::Format(file.format));
        }
        let mut keys = Self::empty(file.seed.as_bytes());
        for (at, entry) in file.keys.into_iter().enumerate() {
            let id = KeyId::new(entry.kif.0, entry.kvc.0);
            if keys.contains(id) {
                wrong(&format!("keys[{at}].kif"), "another key has this KIF and KVC")?;
            }
            let aes = entry.alg != Algorithm::Des;
            match (entry.master, entry.value) {
                (Some(_), Some(_)) => wrong(&format!("keys[{at}].value"), "there is a master as well")?,
                (label, None) => keys.add(id, label.as_deref(), aes),
                (None, Some(SecretValue(value))) => keys.add_value(id, value, aes),
            }
        }
        if file.card_profiles {
            keys.add_card_profiles();
        }
        Ok(keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Key;

    fn with(members: &str) -> Result<KeySet, SetupError> {
        KeySet::from_json(&format!(r#"{{"format": "ogygia-key-set/1", "seed": "s", {members}}}"#))
    }

    #[test]
    fn keys_have_labels_or_values() {
        let keys = with(
            r#""card_profiles": true, "keys": [
                {"kif": "30", "kvc": "79", "alg": "aes_b0", "master": "debit"},
                {"kif": "31", "kvc": "01"},
                {"kif": "31", "kvc": "02", "value": "07070707070707070707070707070707"}]"#,
        )
        .unwrap();
        let plain = KeySet::new(b"s");
        assert_eq!(keys.master(KeyId::new(0x30, 0x79)), Some(plain.secret("debit")));
        assert!(keys.is_aes(KeyId::new(0x30, 0x79)) && !plain.is_aes(KeyId::new(0x30, 0x79)));
        assert_eq!(keys.master(KeyId::new(0x31, 1)), Some(plain.secret("KIF 31 KVC 01")));
        assert_eq!(keys.master(KeyId::new(0x31, 2)), Some(Key::new([7; 16])));
        assert_eq!(keys.master(KeyId::new(0x27, 0x79)), plain.master(KeyId::new(0x27, 0x79)));
        assert_eq!(keys.ids().count(), plain.ids().count() + 2);
        assert_eq!(with(r#""keys": []"#).unwrap().ids().count(), 0);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_member() {
        let error = |members| with(members).unwrap_err().to_string();
        assert!(error(r#""keys": [{"kif": "30"}]"#).contains("missing field `kvc`"));
        assert!(error(r#""key": []"#).contains("unknown field `key`"));
        assert!(error(r#""keys": [{"kif": "3G", "kvc": "01"}]"#).contains("kif: not hexadecimal"));
        assert!(error(r#""keys": [{"kif": "30", "kvc": "01"}, {"kif": "30", "kvc": "01"}]"#).contains("keys[1].kif"));
        let both =
            r#""keys": [{"kif": "30", "kvc": "01", "master": "a", "value": "07070707070707070707070707070707"}]"#;
        assert!(error(both).contains("keys[0].value"));
        assert_eq!(
            KeySet::from_json(r#"{"format": "other", "seed": "s"}"#).unwrap_err(),
            SetupError::Format("other".into())
        );
    }
}
