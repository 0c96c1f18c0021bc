//! What unlocks a SAM: specification of the SAM layer, "Secret cryptography: where, inputs, visible sizes".

use super::Key;

/// The secret of the lock of a SAM: what an unlock provider knows. `Debug` hides it, dropping it wipes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockSecret(Key);

impl LockSecret {
    /// Bytes of a static unlock value.
    pub const STATIC_LEN: usize = 16;
    /// Bytes of a dynamic unlock value.
    pub const DYNAMIC_LEN: usize = 8;

    /// The secret whose value is this key.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self(key)
    }

    /// The secret that a diversified transfer put into the SAM `serial`.
    #[must_use]
    pub fn diversify(&self, serial: [u8; 4]) -> Self {
        Self(self.0.diversify(&serial))
    }

    /// Static unlock value: the same each time for one SAM.
    #[must_use]
    pub fn static_value(&self, serial: [u8; 4]) -> [u8; Self::STATIC_LEN] {
        self.0.code("static unlock", &[&serial])
    }

    /// Dynamic unlock value for the 8-byte challenge that the SAM gave just before.
    #[must_use]
    pub fn dynamic_value(&self, serial: [u8; 4], challenge: [u8; 8]) -> [u8; Self::DYNAMIC_LEN] {
        self.0.code("dynamic unlock", &[&serial, &challenge])
    }
}
