//! Who uses a SAM now: specification 03, point G-43.

/// Which turn a user of a shared SAM had last. [`SharedSam`](crate::drive::SharedSam) gives turns and compares them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Turn(pub(crate) Option<usize>);
