//! Card profiles: what a card is made of, as data.
//!
//! The format is that of the specification of card profiles, "File format `calypso-card-profile/1`". A profile is
//! read with [`Profile::from_json`]; the ones that come with the crate are in [`builtin()`].

mod builtin;
mod model;

use std::fmt;

pub use builtin::builtin;
pub use model::{
    AccessCondition, ApplicationKey, ApplicationProfile, Behaviour, BudgetUnit, Features, FileKind, FileProfile,
    Initial, Interface, InterfaceKind, KeyPairState, Level, PinProfile, ProductType, Profile, SessionBudget,
    SharedWith, StoredValueProfile,
};

/// Name of the only format understood.
pub const FORMAT: &str = "calypso-card-profile/1";

/// Why a profile was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProfileError {
    /// Not JSON, a member missing or of the wrong kind, or bad hexadecimal text.
    Json {
        /// Line of the text, from 1; 0 when unknown.
        line: usize,
        /// Column of the text, from 1; 0 when unknown.
        column: usize,
        /// What the parser said.
        message: String,
    },
    /// The `format` member is not [`FORMAT`].
    Format(String),
    /// The members contradict each other.
    Inconsistent {
        /// Long identifier of the directory or of the file concerned; 0 for the card.
        lid: u16,
        /// What is wrong.
        what: &'static str,
    },
}

impl fmt::Display for ProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { message, .. } => write!(f, "profile cannot be read: {message}"),
            Self::Format(found) => write!(f, "profile of an unknown format: {found}"),
            Self::Inconsistent { lid, what } => write!(f, "profile contradicts itself at {lid:04X}: {what}"),
        }
    }
}

impl std::error::Error for ProfileError {}

impl From<serde_json::Error> for ProfileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column(), message: error.to_string() }
    }
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    ///
    /// What makes it unusable; see [`ProfileError`].
    pub fn from_json(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = serde_json::from_str(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// Checks what the types alone do not: [`Profile::from_json`] has done it.
    ///
    /// # Errors
    ///
    /// The first contradiction found.
    pub fn check(&self) -> Result<(), ProfileError> {
        if self.format != FORMAT {
            return Err(ProfileError::Format(self.format.clone()));
        }
        let card = |what| Err(ProfileError::Inconsistent { lid: 0, what });
        if self.applications.is_empty() {
            return card("no application");
        }
        if self.session_budget.value == 0 {
            return card("session budget of nothing");
        }
        self.applications.iter().try_for_each(ApplicationProfile::check)
    }
}

impl ApplicationProfile {
    fn check(&self) -> Result<(), ProfileError> {
        let wrong = |what| Err(ProfileError::Inconsistent { lid: self.lid.0, what });
        if self.keys.iter().zip(1..).any(|(key, index)| key.index != index) {
            return wrong("keys are not 1, 2, 3");
        }
        if self.df_name.as_ref().is_some_and(|name| !(5..=16).contains(&name.len())) {
            return wrong("name of fewer than 5 or more than 16 bytes");
        }
        self.files.iter().try_for_each(FileProfile::check)
    }
}

impl FileProfile {
    fn check(&self) -> Result<(), ProfileError> {
        let wrong = |what| Err(ProfileError::Inconsistent { lid: self.lid.0, what });
        if self.sfi.0 > 0x1E {
            return wrong("short identifier above 1E");
        }
        if self.records == 0 || self.record_size == 0 {
            return wrong("file without content");
        }
        if self.kind == FileKind::Binary && self.records != 1 {
            return wrong("binary file with records");
        }
        if self.kind != FileKind::Binary && self.record_size > 250 {
            return wrong("record of more than 250 bytes");
        }
        let fits = |(number, content): (&u8, &crate::hex::Hex<Vec<u8>>)| {
            (1..=self.records).contains(number) && content.len() == usize::from(self.record_size)
        };
        if !self.initial.records.iter().all(fits) {
            return wrong("initial content that does not fit");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
