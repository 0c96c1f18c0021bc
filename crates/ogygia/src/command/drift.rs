//! How the prepared commands will move counters: so that a counter can be set without going through all of them again.

use alloc::vec::Vec;

use crate::card::{COUNTER_MAX, Sfi};

/// What is prepared for all counters.
#[derive(Debug, Default)]
pub(super) struct Drifts {
    /// Sorted by file, then by counter.
    counters: Vec<Drift>,
    /// Files whose counters are overwritten, by their short identifiers: what they will be is not followed.
    overwritten: u32,
}

/// What is prepared for one counter: from where it is now.
#[derive(Clone, Copy, Debug)]
struct Drift {
    sfi: Sfi,
    counter: u8,
    /// In the end, and on the way there.
    end: i64,
    lowest: i64,
    highest: i64,
}

impl Drifts {
    pub(super) fn clear(&mut self) {
        self.counters.clear();
        self.overwritten = 0;
    }

    /// The counter will be changed by so much.
    pub(super) fn add(&mut self, sfi: Sfi, counter: u8, by: i64) {
        let index = match self.find(sfi, counter) {
            Ok(index) => index,
            Err(index) => {
                self.counters.insert(index, Drift { sfi, counter, end: 0, lowest: 0, highest: 0 });
                index
            }
        };
        if let Some(drift) = self.counters.get_mut(index) {
            drift.end += by;
            drift.lowest = drift.lowest.min(drift.end);
            drift.highest = drift.highest.max(drift.end);
        }
    }

    pub(super) fn overwrite(&mut self, sfi: Sfi) {
        self.overwritten |= bit(sfi);
    }

    /// What the counter will be that is `known` now; nothing if it would leave its range on the way, or is not followed.
    pub(super) fn apply(&self, sfi: Sfi, counter: u8, known: u32) -> Option<u32> {
        if self.overwritten & bit(sfi) != 0 {
            return None;
        }
        let drift = self.find(sfi, counter).ok().and_then(|index| self.counters.get(index));
        let Some(drift) = drift else { return Some(known) };
        let known = i64::from(known);
        let stays = known + drift.lowest >= 0 && known + drift.highest <= i64::from(COUNTER_MAX);
        u32::try_from(known + drift.end).ok().filter(|_| stays)
    }

    fn find(&self, sfi: Sfi, counter: u8) -> Result<usize, usize> {
        self.counters.binary_search_by_key(&(sfi, counter), |drift| (drift.sfi, drift.counter))
    }
}

/// Short identifiers are below 31.
fn bit(sfi: Sfi) -> u32 {
    1_u32.checked_shl(u32::from(sfi.0)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Sfi = Sfi(0x19);

    #[test]
    fn changes_add_up() {
        let mut drifts = Drifts::default();
        assert_eq!(drifts.apply(FILE, 1, 7), Some(7));
        drifts.add(FILE, 2, 5);
        drifts.add(FILE, 1, -3);
        drifts.add(FILE, 1, 1);
        assert_eq!((drifts.apply(FILE, 1, 7), drifts.apply(FILE, 2, 7)), (Some(5), Some(12)));
        assert_eq!(drifts.apply(Sfi(0x18), 1, 7), Some(7));
        drifts.clear();
        assert_eq!(drifts.apply(FILE, 1, 7), Some(7));
    }

    #[test]
    fn a_counter_that_leaves_its_range_on_the_way() {
        let mut drifts = Drifts::default();
        drifts.add(FILE, 1, -3);
        drifts.add(FILE, 1, 4);
        assert_eq!((drifts.apply(FILE, 1, 3), drifts.apply(FILE, 1, 2)), (Some(4), None));
        assert_eq!(
            (drifts.apply(FILE, 1, COUNTER_MAX - 1), drifts.apply(FILE, 1, COUNTER_MAX)),
            (Some(COUNTER_MAX), None)
        );
    }

    #[test]
    fn a_file_that_is_overwritten() {
        let mut drifts = Drifts::default();
        drifts.overwrite(FILE);
        assert_eq!((drifts.apply(FILE, 1, 7), drifts.apply(Sfi(0x18), 1, 7)), (None, Some(7)));
    }
}
