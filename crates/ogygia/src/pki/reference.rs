//! The names of keys.

use core::fmt;

use super::field::{NO_AID, bytes_at};
use super::{Aid, PkiError};

/// The name of a key: 29 bytes that a terminal compares, and does not interpret. Specification 04, "Key reference".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyReference([u8; Self::LEN]);

impl KeyReference {
    /// How many bytes a reference has.
    pub const LEN: usize = 29;

    /// A reference of these bytes, whatever they are.
    #[must_use]
    pub const fn new(bytes: [u8; Self::LEN]) -> Self {
        Self(bytes)
    }

    /// A reference from the bytes that an application configures.
    ///
    /// # Errors
    ///
    /// [`PkiError::ReferenceLength`]: they are not 29.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, PkiError> {
        bytes.try_into().map(Self).map_err(|_| PkiError::ReferenceLength(bytes.len()))
    }

    /// The reference of a key that a device holds for an application, or for none.
    #[must_use]
    pub fn of(aid: Option<&Aid>, serial_number: [u8; 8], key: [u8; 4]) -> Self {
        let (size, value) = aid.map_or((NO_AID, [0; Aid::MAX]), |aid| aid.to_field());
        let parts = [size].into_iter().chain(value).chain(serial_number).chain(key);
        let mut bytes = [0; Self::LEN];
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// The application that the key is for; nothing when it is for none. A terminal does not need to know.
    ///
    /// # Errors
    ///
    /// [`PkiError::AidSize`], [`PkiError::AidPadding`]: the reference was not made as it should be.
    pub fn aid(&self) -> Result<Option<Aid>, PkiError> {
        let [size, ..] = self.0;
        let value: [u8; Aid::MAX] = bytes_at(&self.0, 1);
        match size {
            NO_AID if value == [0; Aid::MAX] => Ok(None),
            NO_AID => Err(PkiError::AidPadding),
            _ => Aid::from_field(size, &value).map(Some),
        }
    }

    /// Serial number of the device that holds the key; zeros for the known root keys.
    #[must_use]
    pub fn serial_number(&self) -> [u8; 8] {
        bytes_at(&self.0, 17)
    }

    /// Which of the keys of a device it is.
    #[must_use]
    pub fn key(&self) -> [u8; 4] {
        bytes_at(&self.0, 25)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }
}

impl fmt::Display for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for KeyReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyReference({self})")
    }
}
