//! Bytes that are never shown.

use alloc::vec::Vec;
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

/// Fills all the memory with zeros, what was cut off included.
pub(crate) fn zero(bytes: &mut Vec<u8>) {
    bytes.clear();
    bytes.resize(bytes.capacity(), 0);
    core::hint::black_box(bytes);
}

/// Makes room for as many more bytes, so that growing leaves nothing behind in memory that must not stay there.
pub(crate) fn make_room(bytes: &mut Vec<u8>, more: usize) {
    let needed = bytes.len() + more;
    if bytes.capacity() < needed {
        let mut larger = Vec::with_capacity(needed.next_power_of_two());
        larger.extend_from_slice(bytes);
        zero(&mut core::mem::replace(bytes, larger));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing is left of what was cut off, or moved to the front.
    #[test]
    fn all_the_memory_is_wiped() {
        let mut bytes = b"secret".to_vec();
        bytes.truncate(2);
        zero(&mut bytes);
        assert!(bytes.len() >= 6 && bytes.len() == bytes.capacity());
        assert!(bytes.iter().all(|byte| *byte == 0));
    }
}
