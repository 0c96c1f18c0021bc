//! The profiles that come with the crate.

use super::{Profile, ProfileError};

macro_rules! profiles {
    ($($id:literal),+ $(,)?) => {
        const BUILTIN: &[(&str, &str)] =
            &[$(($id, include_str!(concat!("../../profiles/", $id, ".json")))),+];
    };
}

profiles![
    "hce-prime3",
    "kit-basic-v2",
    "kit-light-classic-v1",
    "kit-light-classic-v3",
    "kit-light-reference-v1",
    "kit-light-reference-v3",
    "kit-prime-extended-v1",
    "kit-prime-extended-v2",
    "kit-prime-extended-v3-small",
    "kit-prime-extended-v3",
    "kit-prime-pki-v2",
    "kit-prime-pki-v3-small",
    "kit-prime-pki-v3",
    "kit-prime-regular-v1",
    "kit-prime-regular-v2",
    "kit-prime-regular-v3-small",
    "kit-prime-regular-v3",
    "navigo-demo",
    "navigo-paper",
    "navigo-plastic",
    "observed-c4",
    "prime1-innovatron",
    "prime2-legacy-postponed",
    "prime2-legacy",
    "prime2-tango",
    "stored-value",
];

/// The identifiers of the profiles that come with the crate, each with its text.
///
/// ```
/// assert!(ogygia_sim::profile::builtin().any(|(id, _)| id == "kit-prime-regular-v3"));
/// ```
pub fn builtin() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    BUILTIN.iter().copied()
}

impl Profile {
    /// The profile that comes with the crate under the identifier `id`; nothing when there is none.
    ///
    /// # Errors
    ///
    /// As [`Profile::from_json`]; never for the files that come with the crate, which a test reads all.
    pub fn builtin(id: &str) -> Result<Option<Self>, ProfileError> {
        BUILTIN.iter().find(|(known, _)| *known == id).map(|(_, text)| Self::from_json(text)).transpose()
    }
}
