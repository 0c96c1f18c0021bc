//! Startup information: specification 01, "Startup information".

use alloc::vec::Vec;

/// The startup information of an application: seven bytes with a meaning, and any that follow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StartupInfo {
    bytes: Vec<u8>,
}

impl StartupInfo {
    /// How many bytes have a meaning.
    pub const LEN: usize = 7;

    pub(super) fn set(&mut self, leading: &[u8; Self::LEN], more: &[u8]) {
        self.bytes.clear();
        self.bytes.extend_from_slice(leading);
        self.bytes.extend_from_slice(more);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn copy_from(&mut self, other: &Self) {
        self.bytes.clone_from(&other.bytes);
    }

    /// All the bytes that the card gave; empty when it gave none.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The seven bytes with a meaning, zeros where they are missing.
    #[must_use]
    pub fn leading(&self) -> [u8; Self::LEN] {
        self.bytes.first_chunk().copied().unwrap_or_default()
    }

    /// Size of the session buffer, coded.
    #[must_use]
    pub fn session_modification(&self) -> u8 {
        let [value, ..] = self.leading();
        value
    }

    /// Chip family.
    #[must_use]
    pub fn platform(&self) -> u8 {
        let [_, value, ..] = self.leading();
        value
    }

    /// Product and features.
    #[must_use]
    pub fn application_type(&self) -> u8 {
        let [_, _, value, ..] = self.leading();
        value
    }

    /// File structure; `20` is the Stored Value structure.
    #[must_use]
    pub fn application_subtype(&self) -> u8 {
        let [_, _, _, value, ..] = self.leading();
        value
    }

    /// Company that wrote the card's software.
    #[must_use]
    pub fn software_issuer(&self) -> u8 {
        let [_, _, _, _, value, ..] = self.leading();
        value
    }

    /// Version of the card's software.
    #[must_use]
    pub fn software_version(&self) -> u8 {
        let [.., value, _] = self.leading();
        value
    }

    /// Revision of the card's software.
    #[must_use]
    pub fn software_revision(&self) -> u8 {
        let [.., value] = self.leading();
        value
    }
}
