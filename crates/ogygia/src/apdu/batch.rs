//! Many byte strings in one arena.

use alloc::vec::Vec;
use core::fmt;

use crate::hint::unlikely;
use crate::secret;

/// An ordered list of byte strings (commands, or responses) in one growing arena.
///
/// A cleared batch keeps its memory, so that a reused one does not allocate. `Debug` shows sizes only: a batch may
/// hold a PIN.
///
/// ```
/// use ogygia::apdu::Batch;
///
/// let mut batch = Batch::new();
/// batch.push(&[0x00, 0xB2, 0x01, 0x3C, 0x1D]);
/// batch.push(&[0x00, 0x04, 0x00, 0x00, 0x00]);
/// assert_eq!(batch.len(), 2);
/// assert_eq!(batch.get(0), Some(&[0x00, 0xB2, 0x01, 0x3C, 0x1D][..]));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Batch {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
}

/// Where an entry stands.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Entry {
    start: usize,
    end: usize,
}

impl Batch {
    /// An empty batch, without memory yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: Vec::new(), entries: Vec::new() }
    }

    /// Forgets the entries and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.entries.clear();
    }

    /// As [`clear`](Self::clear), for entries that must not stay in memory.
    #[cold]
    pub fn wipe(&mut self) {
        secret::zero(&mut self.bytes);
        self.clear();
    }

    /// Makes room for as many more bytes, so that growing leaves nothing behind in memory that must not stay there.
    pub fn make_room(&mut self, bytes: usize) {
        secret::make_room(&mut self.bytes, bytes);
    }

    /// Gets as much room as `other` has.
    #[inline(always)]
    pub(crate) fn match_room(&mut self, other: &Self) {
        match_room(&mut self.bytes, &other.bytes);
        match_room(&mut self.entries, &other.entries);
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Sum of the lengths of all entries.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Appends one entry.
    pub fn push(&mut self, entry: &[u8]) {
        self.push_with(|bytes| bytes.extend_from_slice(entry));
    }

    /// Appends one entry that `write` builds at the end of the arena; gives what `write` gives.
    ///
    /// What `write` does to bytes before the end that it found is undone only if it does not touch them: it may only
    /// append.
    pub fn push_with<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let start = self.bytes.len();
        let result = write(&mut self.bytes);
        self.entries.push(Entry { start, end: self.bytes.len() });
        result
    }

    /// What is appended here becomes an entry with [`end_entry`](Self::end_entry): nothing else may come between.
    pub(crate) const fn arena(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// The last `len` bytes of the arena are one more entry.
    pub(crate) fn end_entry(&mut self, len: usize) -> &mut [u8] {
        let (start, end) = (self.bytes.len().saturating_sub(len), self.bytes.len());
        self.entries.push(Entry { start, end });
        self.bytes.get_mut(start..end).unwrap_or_default()
    }

    /// The entry at `index`.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let Entry { start, end } = *self.entries.get(index)?;
        self.bytes.get(start..end)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> + '_ {
        self.entries.iter().map(|&Entry { start, end }| self.bytes.get(start..end).unwrap_or_default())
    }

    /// Appends all entries of `other`.
    pub fn append(&mut self, other: &Self) {
        let before = self.bytes.len();
        self.bytes.extend_from_slice(&other.bytes);
        let moved = |entry: &Entry| Entry { start: before + entry.start, end: before + entry.end };
        self.entries.extend(other.entries.iter().map(moved));
    }

    /// Drops the first `count` entries.
    pub(crate) fn remove_first(&mut self, count: usize) {
        let count = count.min(self.entries.len());
        let end = self.entries.drain(..count).next_back().map_or(0, |last| last.end);
        self.bytes.drain(..end.min(self.bytes.len()));
        for entry in &mut self.entries {
            entry.start -= end;
            entry.end -= end;
        }
    }

    /// Drops every entry from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if let Some(first) = self.entries.get(len) {
            self.bytes.truncate(first.start);
            self.entries.truncate(len);
        }
    }
}

/// `items` get as much room as `others` have.
#[inline(always)]
pub(crate) fn match_room<T>(items: &mut Vec<T>, others: &Vec<T>) {
    if unlikely(items.capacity() < others.capacity()) {
        items.reserve_exact(others.capacity().saturating_sub(items.len()));
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("entries", &self.len()).field("bytes", &self.byte_len()).finish()
    }
}

impl<'a> Extend<&'a [u8]> for Batch {
    fn extend<I: IntoIterator<Item = &'a [u8]>>(&mut self, entries: I) {
        for entry in entries {
            self.push(entry);
        }
    }
}

impl<'a> FromIterator<&'a [u8]> for Batch {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(entries: I) -> Self {
        let mut batch = Self::new();
        batch.extend(entries);
        batch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_keep_their_bounds() {
        let batch: Batch = [&b"one"[..], b"", b"three"].into_iter().collect();
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!(batch.get(3), None);
        assert_eq!(batch.byte_len(), 8);
    }

    #[test]
    fn truncate_drops_bytes_with_the_entries() {
        let mut batch: Batch = [&b"one"[..], b"two"].into_iter().collect();
        batch.truncate(1);
        batch.push(b"2");
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"one"[..], b"2"]);
    }

    #[test]
    fn an_entry_in_the_making_follows_when_the_first_are_removed() {
        let mut batch: Batch = [&b"one"[..], b"two"].into_iter().collect();
        batch.arena().extend_from_slice(b"three");
        batch.remove_first(1);
        batch.end_entry(5).make_ascii_uppercase();
        assert_eq!(batch.iter().collect::<Vec<_>>(), [&b"two"[..], b"THREE"]);
        batch.remove_first(3);
        assert_eq!((batch.len(), batch.byte_len()), (0, 0));
    }

    #[test]
    fn room_is_made_without_losing_anything() {
        let mut batch: Batch = [&b"one"[..], b"two"].into_iter().collect();
        batch.make_room(300);
        let capacity = batch.bytes.capacity();
        batch.push(&[3; 300]);
        assert_eq!((batch.bytes.capacity(), batch.get(1)), (capacity, Some(&b"two"[..])));
    }

    #[test]
    fn debug_shows_no_content() {
        let batch: Batch = [&b"1234"[..]].into_iter().collect();
        assert_eq!(alloc::format!("{batch:?}"), "Batch { entries: 1, bytes: 4 }");
    }
}
