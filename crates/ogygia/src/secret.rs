//! Bytes that are never shown.

use core::fmt;

/// `N` bytes of a lock, of a private key: never shown, and wiped when dropped.
///
/// ```
/// use ogygia::Secret;
///
/// let value = Secret::new([0x11; 16]);
/// assert_eq!(format!("{value:?}"), "Secret(..)");
/// assert_eq!(value.reveal(), &[0x11; 16]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<const N: usize>([u8; N]);

impl<const N: usize> Secret<N> {
    /// These bytes, kept secret from now on.
    #[must_use]
    pub const fn new(bytes: [u8; N]) -> Self {
        Self(bytes)
    }

    /// The bytes, for whoever must have them.
    #[must_use]
    pub const fn reveal(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> fmt::Debug for Secret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<const N: usize> Drop for Secret<N> {
    fn drop(&mut self) {
        self.0 = [0; N];
        core::hint::black_box(&self.0);
    }
}
