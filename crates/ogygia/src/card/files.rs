//! Files and their content: specification 01, "Elementary file", "Lookup and current file", "Content operations".

use alloc::vec::Vec;
use core::ops::Range;

use super::header::FileHeader;
use super::value::{Lid, Sfi, u24};

/// The files that the terminal has met, with what it knows of their content.
///
/// Everything lies in four flat vectors, so that a copy (the backup of a session, the scratch image of a prediction)
/// is four block moves into memory that is already there.
#[derive(Debug, Default)]
pub struct Files {
    files: Vec<Entry>,
    /// Sorted by place.
    records: Vec<Slot>,
    bytes: Vec<u8>,
    /// Parts of records that are not known. Those that were never seen read as zeros.
    holes: Vec<Hole>,
    current: Option<FileId>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    sfi: Sfi,
    header: Option<FileHeader>,
    /// How many records were added in front of the others.
    appended: i32,
}

/// Place of a file in [`Files`]; stays valid until the files are cleared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileId(u32);

impl FileId {
    fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A file that is acted on.
#[derive(Clone, Copy, Debug)]
struct Met {
    id: FileId,
    /// How many records were added in front of the others.
    appended: i32,
}

impl Met {
    /// Where this record is now.
    fn place(self, number: u8) -> Place {
        Place::new(self.id, i32::from(number) - self.appended)
    }
}

/// Where a record stands among all: by file, then by its number, less the records that were added in front since the
/// file was met, so that those that move by one need not be touched. Those that were added have 0, −1, and so on; they
/// stand behind the others of the file, so that the next one need not move them either.
///
/// One number, because it is compared more than anything else here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place(u64);

impl Place {
    /// In front of those that were added.
    const ADDED: u32 = 1 << 31;

    fn new(file: FileId, number: i32) -> Self {
        let within = if number > 0 { number.unsigned_abs() } else { Self::ADDED | number.unsigned_abs() };
        Self(u64::from(file.0) << u32::BITS | u64::from(within))
    }

    const fn file(self) -> FileId {
        let [a, b, c, d, ..] = self.0.to_be_bytes();
        FileId(u32::from_be_bytes([a, b, c, d]))
    }

    const fn number(self) -> i32 {
        let [.., a, b, c, d] = self.0.to_be_bytes();
        let within = u32::from_be_bytes([a, b, c, d]);
        if within < Self::ADDED { within.cast_signed() } else { (within ^ Self::ADDED).cast_signed().saturating_neg() }
    }
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    place: Place,
    start: usize,
    len: usize,
    room: usize,
}

#[derive(Clone, Copy, Debug)]
struct Hole {
    place: Place,
    start: usize,
    end: usize,
    /// It was known once, and has another value now.
    stale: bool,
}

impl Clone for Files {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    #[inline(always)]
    fn clone_from(&mut self, source: &Self) {
        if source.files.is_empty() {
            // As the image is when the first session opens.
            return self.clear();
        }
        self.files.clone_from(&source.files);
        self.records.clone_from(&source.records);
        self.bytes.clone_from(&source.bytes);
        self.holes.clone_from(&source.holes);
        self.current = source.current;
    }
}

impl Files {
    pub(crate) fn clear(&mut self) {
        self.files.clear();
        self.records.clear();
        self.bytes.clear();
        self.holes.clear();
        self.current = None;
    }

    /// The file with this short identifier, other than 0.
    #[must_use]
    pub fn by_sfi(&self, sfi: Sfi) -> Option<File<'_>> {
        self.find_sfi(sfi).map(|id| File { files: self, id })
    }

    /// The first file whose header has this long identifier.
    #[must_use]
    pub fn by_lid(&self, lid: Lid) -> Option<File<'_>> {
        let index = self.files.iter().position(|file| file.header.is_some_and(|header| header.lid == lid))?;
        Some(File { files: self, id: FileId::at(index) })
    }

    /// All files, in the order in which they were met.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = File<'_>> + '_ {
        (0..self.files.len()).map(|index| File { files: self, id: FileId::at(index) })
    }

    /// The file that a command with this SFI acts on: SFI 0 is the one used last.
    pub(crate) fn addressed(&self, sfi: Sfi) -> Option<File<'_>> {
        let id = if sfi == Sfi::CURRENT { self.current } else { self.find_sfi(sfi) }?;
        Some(File { files: self, id })
    }

    fn find_sfi(&self, sfi: Sfi) -> Option<FileId> {
        if sfi == Sfi::CURRENT {
            return None;
        }
        self.files.iter().position(|file| file.sfi == sfi).map(FileId::at)
    }

    /// The file that an accepted answer speaks of is met now, if it was not before. It becomes the current one.
    pub(crate) fn touch(&mut self, sfi: Sfi) {
        self.meet(sfi);
    }

    #[inline(always)]
    fn meet(&mut self, sfi: Sfi) -> Met {
        let known = if sfi == Sfi::CURRENT { self.current } else { self.find_sfi(sfi) };
        match known.and_then(|id| self.files.get(id.index()).map(|file| Met { id, appended: file.appended })) {
            Some(met) => {
                self.current = Some(met.id);
                met
            }
            None => Met { id: self.make_current(None, sfi), appended: 0 },
        }
    }

    /// As [`touch`](Self::touch), for a header: a file without SFI is known by its LID.
    pub(crate) fn set_header(&mut self, sfi: Sfi, header: FileHeader) {
        let known = if sfi == Sfi::CURRENT {
            let same = |file: &Entry| file.header.is_some_and(|known| known.lid == header.lid);
            self.files.iter().position(same).map(FileId::at)
        } else {
            self.find_sfi(sfi)
        };
        let id = self.make_current(known, sfi);
        if let Some(file) = self.files.get_mut(id.index()) {
            file.header = Some(file.header.map_or(header, |known| known.refreshed(header)));
        }
    }

    #[inline(always)]
    fn make_current(&mut self, known: Option<FileId>, sfi: Sfi) -> FileId {
        let id = known.unwrap_or_else(|| {
            self.files.push(Entry { sfi, header: None, appended: 0 });
            FileId::at(self.files.len() - 1)
        });
        self.current = Some(id);
        id
    }

    fn appended(&self, file: FileId) -> i32 {
        self.files.get(file.index()).map_or(0, |entry| entry.appended)
    }

    fn place(&self, id: FileId, number: u8) -> Place {
        Met { id, appended: self.appended(id) }.place(number)
    }

    /// Where the record is, or would be. Most often it is the last one, or comes behind it.
    fn slot(&self, place: Place) -> Result<usize, usize> {
        match self.records.split_last() {
            Some((last, before)) if place < last.place => before.binary_search_by_key(&place, |slot| slot.place),
            Some((last, before)) if place == last.place => Ok(before.len()),
            _ => Err(self.records.len()),
        }
    }

    fn record(&self, file: FileId, number: u8) -> Option<&[u8]> {
        let slot = self.records.get(self.slot(self.place(file, number)).ok()?)?;
        self.bytes.get(slot.start..slot.start + slot.len)
    }

    /// A record that was not there, whose place is `index`.
    #[inline(always)]
    fn insert(&mut self, index: usize, place: Place, data: &[u8]) {
        let (start, len) = (self.bytes.len(), data.len());
        let slot = Slot { place, start, len, room: len };
        self.records.insert(index, slot);
        self.bytes.extend_from_slice(data);
    }

    /// The place of `len` bytes of a record, made when it was not there; what is new is zero.
    fn make_room(&mut self, place: Place, len: usize) -> Range<usize> {
        let end = self.bytes.len();
        let index = match self.slot(place) {
            Ok(index) => index,
            Err(index) => {
                self.records.insert(index, Slot { place, start: end, len: 0, room: 0 });
                index
            }
        };
        let Some(slot) = self.records.get_mut(index) else { return 0..0 };
        if len > slot.room {
            if slot.start + slot.room == end {
                self.bytes.truncate(slot.start + slot.len);
            } else {
                self.bytes.extend_from_within(slot.start..slot.start + slot.len);
                slot.start = end;
            }
            self.bytes.resize(slot.start + len, 0);
            slot.room = len;
        } else if let Some(fresh) = self.bytes.get_mut(slot.start + slot.len..slot.start + len.max(slot.len)) {
            fresh.fill(0);
        }
        slot.len = slot.len.max(len);
        slot.start..slot.start + len
    }

    /// The record is `data`, and nothing else.
    pub(crate) fn replace(&mut self, sfi: Sfi, number: u8, data: &[u8]) {
        let place = self.meet(sfi).place(number);
        self.replace_at(place, data);
    }

    #[inline(always)]
    fn replace_at(&mut self, place: Place, data: &[u8]) {
        self.holes.retain(|hole| hole.place != place);
        match self.slot(place) {
            Err(index) => self.insert(index, place, data),
            Ok(index) => {
                let room = self.make_room(place, data.len());
                self.write(room, data);
                if let Some(slot) = self.records.get_mut(index) {
                    slot.len = data.len();
                }
            }
        }
    }

    /// The record holds `data` from `offset` on; other known bytes stay.
    pub(crate) fn set_at(&mut self, sfi: Sfi, number: u8, offset: usize, data: &[u8]) {
        let (place, end) = (self.meet(sfi).place(number), offset + data.len());
        let room = match self.slot(place).map(|index| self.records.get(index)) {
            // What is not there has no holes.
            Err(index) if offset == 0 => return self.insert(index, place, data),
            Ok(Some(slot)) if end <= slot.len && self.holes.is_empty() => slot.start + offset..slot.start + end,
            Ok(slot) => self.uncover(place, slot.map_or(0, |slot| slot.len), offset..end),
            Err(_) => self.uncover(place, 0, offset..end),
        };
        self.write(room, data);
    }

    /// The bytes of the record from `offset` on are OR-ed with `data`. What of them was not known is not known now.
    pub(crate) fn or_at(&mut self, sfi: Sfi, number: u8, offset: usize, data: &[u8]) {
        let file = self.meet(sfi);
        let (place, end) = (file.place(number), offset + data.len());
        let known = self.record(file.id, number).map_or(0, <[u8]>::len);
        if end > known {
            self.holes.push(Hole { place, start: known, end, stale: false });
        }
        let whole = self.make_room(place, end);
        if let Some(target) = self.bytes.get_mut(whole.start + offset..whole.start + end) {
            target.iter_mut().zip(data).for_each(|(old, new)| *old |= new);
        }
    }

    /// A new record 1; the others move by one. Those beyond the known number of records are gone.
    pub(crate) fn append(&mut self, sfi: Sfi, data: &[u8]) {
        let mut file = self.meet(sfi);
        file.appended = file.appended.saturating_add(1);
        if let Some(entry) = self.files.get_mut(file.id.index()) {
            entry.appended = file.appended;
            if let Some(header) = entry.header {
                self.cut(file.id, header.records_number.max(1));
            }
        }
        self.replace_at(file.place(1), data);
    }

    /// The file has at most so many records.
    fn cut(&mut self, file: FileId, limit: u8) {
        let limit = self.place(file, limit).number();
        let is_beyond = |place: Place| place.file() == file && place.number() > limit;
        let (read, added) = self.of_file(file);
        if read.last().or(added.first()).is_some_and(|highest| is_beyond(highest.place)) {
            self.records.retain(|slot| !is_beyond(slot.place));
        }
        self.holes.retain(|hole| !is_beyond(hole.place));
    }

    /// The records of a file: those that were there by number, and those that were added, the last one last.
    fn of_file(&self, file: FileId) -> (&[Slot], &[Slot]) {
        let first = self.records.partition_point(|slot| slot.place.file() < file);
        let from_first = self.records.get(first..).unwrap_or_default();
        let records = from_first.partition_point(|slot| slot.place.file() == file);
        let records = from_first.get(..records).unwrap_or_default();
        let read = records.partition_point(|slot| slot.place.number() > 0);
        records.split_at_checked(read).unwrap_or_default()
    }

    /// Counter `number`, from 1 on, has these three bytes.
    #[inline(always)]
    pub(crate) fn set_counter(&mut self, sfi: Sfi, number: u8, value: [u8; 3]) {
        self.set_at(sfi, 1, counter_offset(number), &value);
    }

    /// The value of counter `number` is not known any more.
    pub(crate) fn forget_counter(&mut self, sfi: Sfi, number: u8) {
        let file = self.meet(sfi);
        let offset = counter_offset(number);
        if self.record(file.id, 1).is_some_and(|record| record.len() > offset) {
            let place = file.place(1);
            self.holes.push(Hole { place, start: offset, end: offset + 3, stale: true });
        }
    }

    fn write(&mut self, place: Range<usize>, data: &[u8]) {
        if let Some(target) = self.bytes.get_mut(place) {
            target.copy_from_slice(data);
        }
    }

    /// Makes room for a part of a record that becomes known, and notes what is not between the first `known` bytes and
    /// that.
    fn uncover(&mut self, place: Place, known: usize, part: Range<usize>) -> Range<usize> {
        if part.start > known {
            self.holes.push(Hole { place, start: known, end: part.start, stale: false });
        }
        self.fill_holes(place, part.clone());
        let whole = self.make_room(place, part.end);
        whole.start + part.start..whole.end
    }

    fn fill_holes(&mut self, place: Place, known: Range<usize>) {
        let mut index = 0;
        while let Some(hole) = self.holes.get(index).copied() {
            let touched = hole.place == place && hole.start < known.end && known.start < hole.end;
            if !touched {
                index += 1;
                continue;
            }
            self.holes.swap_remove(index);
            for part in [hole.start..known.start, known.end..hole.end] {
                if part.start < part.end {
                    self.holes.push(Hole { start: part.start, end: part.end, ..hole });
                }
            }
        }
    }

    fn holes_in(&self, file: FileId, number: u8, part: Range<usize>) -> impl Iterator<Item = &Hole> {
        let place = self.place(file, number);
        let inside = move |hole: &&Hole| hole.place == place && hole.start < part.end && part.start < hole.end;
        self.holes.iter().filter(inside)
    }
}

fn counter_offset(number: u8) -> usize {
    3 * usize::from(number.saturating_sub(1))
}

/// One file of a card image.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    files: &'a Files,
    id: FileId,
}

impl<'a> File<'a> {
    /// Short identifier; 0 when the file has none, or none is known.
    #[must_use]
    pub fn sfi(&self) -> Sfi {
        self.files.files.get(self.id.index()).map_or(Sfi::CURRENT, |file| file.sfi)
    }

    /// What the card said of the file, if it was asked.
    #[must_use]
    pub fn header(&self) -> Option<&'a FileHeader> {
        self.files.files.get(self.id.index())?.header.as_ref()
    }

    /// The known bytes of a record, 1 being the first; a binary file has only record 1.
    ///
    /// Bytes before a known part that were never read are zeros.
    #[must_use]
    pub fn record(&self, number: u8) -> Option<&'a [u8]> {
        self.files.record(self.id, number)
    }

    /// All records that are known, by number.
    pub fn records(&self) -> impl Iterator<Item = (u32, &'a [u8])> + use<'a> {
        let files = self.files;
        let appended = files.appended(self.id);
        let (read, added) = files.of_file(self.id);
        added.iter().rev().chain(read).filter_map(move |slot| {
            let number = u32::try_from(slot.place.number().saturating_add(appended)).ok()?;
            Some((number, files.bytes.get(slot.start..slot.start + slot.len)?))
        })
    }

    /// The value of a counter, 1 being the first. Nothing when record 1 does not reach so far, or when the card has
    /// changed the counter without telling the new value.
    ///
    /// A counter before a known one that was never read itself is 0 here; predictions do not use it.
    #[must_use]
    pub fn counter(&self, number: u8) -> Option<u32> {
        let start = counter_offset(number);
        let part = start..start + 3;
        if self.files.holes_in(self.id, 1, part.clone()).any(|hole| hole.stale) {
            return None;
        }
        self.record(1)?.get(part)?.first_chunk::<3>().copied().map(u24)
    }

    /// The value of a counter whose three bytes were all seen.
    pub(crate) fn known_counter(&self, number: u8) -> Option<u32> {
        let start = counter_offset(number);
        self.known(1, start..start + 3)?.first_chunk::<3>().copied().map(u24)
    }

    /// Bytes of a record that were all seen; nothing otherwise. Predictions use only these.
    pub(crate) fn known(&self, number: u8, part: Range<usize>) -> Option<&'a [u8]> {
        if self.files.holes_in(self.id, number, part.clone()).next().is_some() {
            return None;
        }
        self.files.record(self.id, number)?.get(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::FileType;
    use crate::test_hex::hex;

    fn record_after(known: Option<&str>, change: impl FnOnce(&mut Files, Sfi)) -> Vec<u8> {
        let mut files = Files::default();
        let id = Sfi(7);
        files.touch(id);
        if let Some(known) = known {
            files.replace(id, 1, &hex(known));
        }
        change(&mut files, id);
        files.by_sfi(id).unwrap().record(1).unwrap().to_vec()
    }

    /// The examples of "Content operations".
    #[test]
    fn content_operations() {
        let set = |known, data, offset| record_after(known, |files, id| files.set_at(id, 1, offset, &hex(data)));
        assert_eq!(set(Some("44444444"), "2222", 1), hex("44222244"));
        assert_eq!(set(None, "11", 1), hex("0011"));
        assert_eq!(set(Some("11"), "2222", 2), hex("11002222"));
        let or = |known, data, offset| record_after(known, |files, id| files.or_at(id, 1, offset, &hex(data)));
        assert_eq!(or(Some("2222"), "44444444", 1), hex("2266444444"));
        assert_eq!(or(Some("44444444"), "2222", 1), hex("44666644"));
        assert_eq!(or(None, "2222", 1), hex("002222"));
        let counter = |files: &mut Files, id| files.set_counter(id, 2, [0x33; 3]);
        assert_eq!(record_after(Some("44444444"), counter), hex("444444333333"));
    }

    #[test]
    fn append_moves_the_others() {
        let mut files = Files::default();
        let id = Sfi(8);
        files.replace(id, 1, &hex("11"));
        files.replace(id, 2, &hex("2222"));
        files.append(id, &hex("333333"));
        let records: Vec<_> = files.by_sfi(Sfi(8)).unwrap().records().map(|(n, r)| (n, r.to_vec())).collect();
        assert_eq!(records, [(1, hex("333333")), (2, hex("11")), (3, hex("2222"))]);
    }

    /// Every order of up to six readings and additions, in a file of three records between two others.
    #[test]
    fn records_stand_where_their_numbers_say() {
        const FULL: usize = 3;
        for order in 0..5_u32.pow(6) {
            let mut files = Files::default();
            let [before, id, behind] = [7, 8, 9].map(Sfi);
            [before, id, behind].into_iter().for_each(|sfi| files.touch(sfi));
            files.set_header(Sfi(8), cyclic(u8::try_from(FULL).unwrap()));
            files.append(before, &[0xBE]);
            files.replace(behind, 1, &[0xBF]);
            let mut expected = [None; FULL];
            for step in 0..6 {
                match (order / 5_u32.pow(step)) % 5 {
                    0 => {
                        files.append(id, &[u8::try_from(step).unwrap()]);
                        expected.rotate_right(1);
                        expected[0] = Some(step);
                    }
                    4 => {}
                    number => {
                        files.replace(id, u8::try_from(number).unwrap(), &[u8::try_from(step).unwrap()]);
                        expected[number as usize - 1] = Some(step);
                    }
                }
            }
            let known = |sfi| files.by_sfi(Sfi(sfi)).unwrap().records().map(|(n, r)| (n, u32::from(r[0])));
            let expected = (1..).zip(expected).filter_map(|(number, value)| Some((number, value?)));
            assert!(known(8).eq(expected), "order {order}");
            assert!(known(7).eq([(1, 0xBE)]) && known(9).eq([(1, 0xBF)]), "order {order}");
        }
    }

    fn cyclic(records_number: u8) -> FileHeader {
        FileHeader {
            lid: Lid(0x2010),
            file_type: FileType::Cyclic,
            records_number,
            record_size: 1,
            access_conditions: None,
            key_indexes: None,
            df_status: None,
            shared_reference: None,
        }
    }

    #[test]
    fn replace_shortens_and_old_bytes_do_not_come_back() {
        let mut files = Files::default();
        let id = Sfi(8);
        files.replace(id, 1, &hex("11111111"));
        files.replace(id, 1, &hex("22"));
        files.set_at(id, 1, 2, &hex("33"));
        assert_eq!(files.by_sfi(Sfi(8)).unwrap().record(1).unwrap(), hex("220033"));
    }

    #[test]
    fn unknown_bytes_are_not_predicted_from() {
        let mut files = Files::default();
        let id = Sfi(0x19);
        files.set_counter(id, 3, [0, 0, 9]);
        let counters = |files: &Files| [1, 2, 3, 4].map(|n| files.by_sfi(Sfi(0x19)).unwrap().known_counter(n));
        assert_eq!(counters(&files), [None, None, Some(9), None]);
        files.set_counter(id, 1, [0, 0, 7]);
        assert_eq!(counters(&files), [Some(7), None, Some(9), None]);
        assert_eq!(files.by_sfi(Sfi(0x19)).unwrap().counter(2), Some(0));
        files.forget_counter(id, 1);
        assert_eq!(files.by_sfi(Sfi(0x19)).unwrap().counter(1), None);
        assert_eq!(counters(&files), [None, None, Some(9), None]);
        files.replace(id, 1, &[0; 9]);
        assert_eq!(counters(&files), [Some(0), Some(0), Some(0), None]);
        // What is OR-ed with something unknown is unknown.
        files.or_at(id, 1, 6, &[0, 0, 1, 0, 0, 1]);
        assert_eq!(counters(&files), [Some(0), Some(0), Some(1), None]);
        assert_eq!(files.by_sfi(Sfi(0x19)).unwrap().counter(4), Some(1));
    }

    #[test]
    fn growing_files_keep_their_bytes_apart() {
        let mut files = Files::default();
        let first = Sfi(1);
        let second = Sfi(2);
        for chunk in 0..4 {
            files.set_at(first, 1, chunk * 3, &[1; 3]);
            files.set_at(second, 1, chunk * 3, &[2; 3]);
        }
        assert_eq!(files.by_sfi(Sfi(1)).unwrap().record(1).unwrap(), [1; 12]);
        assert_eq!(files.by_sfi(Sfi(2)).unwrap().record(1).unwrap(), [2; 12]);
    }

    #[test]
    fn sfi_zero_is_the_file_used_last() {
        let mut files = Files::default();
        files.touch(Sfi(1));
        files.touch(Sfi(2));
        files.touch(Sfi::CURRENT);
        assert_eq!(files.addressed(Sfi::CURRENT).map(|file| file.sfi()), Some(Sfi(2)));
        assert!(files.by_sfi(Sfi::CURRENT).is_none());
    }
}
