//! What the compiler cannot know: which of two ways is hardly ever taken. It lays that one out apart, so that the other
//! one runs straight ahead. Most of what a transaction costs is jumping (docs/PERFORMANCE.md).
//!
//! Functions that a plain validation does not need, as those of errors, encryption and PINs, are `#[cold]` for the same
//! reason: a call of one is laid out apart.

use core::hint::cold_path;

/// `condition`, which is hardly ever true.
#[inline(always)]
pub(crate) const fn unlikely(condition: bool) -> bool {
    if condition {
        cold_path();
        true
    } else {
        false
    }
}
