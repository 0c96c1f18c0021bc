//! What a scenario changed on the card: found by comparing its files, not told by the scenario.

use ogygia::card::Sfi;
use ogygia_sim::VirtualCard;
use ogygia_sim::profile::FileKind;

use super::Change;
use crate::explain::card::{content, place};
use crate::explain::short_hex;
use crate::terminal::keys;
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;
use crate::ticketing::values::counters;

/// What the ticketing application of a card holds, and its purse. PIN and keys are not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    files: Vec<Records>,
    purse: Option<i32>,
}

/// A file with its records, the first one first.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Records {
    sfi: Sfi,
    kind: FileKind,
    records: Vec<Vec<u8>>,
}

impl Contents {
    /// What `card` holds; of a session that is open, nothing counts. Without a ticketing application, no files.
    #[must_use]
    pub fn of(card: &VirtualCard) -> Self {
        if card.session_open() {
            let committed = card.to_json().and_then(|text| VirtualCard::from_json(&text, &keys()));
            return committed.map_or(Self { files: Vec::new(), purse: None }, |card| Self::now(&card));
        }
        Self::now(card)
    }

    fn now(card: &VirtualCard) -> Self {
        let applications = &card.profile().applications;
        let named = |name: &[u8]| {
            let own = |df_name: &[u8]| df_name.starts_with(name);
            applications.iter().find(|application| application.df_name.as_ref().is_some_and(|name| own(name)))
        };
        let application = VALIDATOR.into_iter().find_map(named);
        let files = application.iter().flat_map(|application| {
            // The logs of the purse belong to it; a simulated counter is a counter of another file.
            let listed = application.files.iter().filter(|file| {
                !matches!(Sfi(*file.sfi), Sfi(0) | Sfi::SV_LOAD_LOG | Sfi::SV_DEBIT_LOG)
                    && file.kind != FileKind::SimulatedCounters
            });
            listed.map(|file| Records {
                sfi: Sfi(*file.sfi),
                kind: file.kind,
                records: (1..=file.records)
                    .map_while(|number| card.record_by_sfi(*application.lid, *file.sfi, number))
                    .collect(),
            })
        });
        Self { files: files.collect(), purse: card.purse().map(|(balance, _)| balance) }
    }

    /// Whether somebody has personalized the card: there is an environment.
    #[must_use]
    pub fn is_personalized(&self) -> bool {
        let mut environment = self.files.iter().filter(|file| file.sfi == TicketingFile::Environment.sfi());
        environment.any(|file| file.records.iter().flatten().any(|byte| *byte != 0))
    }

    /// What is different in `after`.
    #[must_use]
    pub fn changes(&self, after: &Self) -> Vec<Change> {
        let mut changes: Vec<Change> = match (self.purse, after.purse) {
            (Some(before), Some(after)) if before != after => vec![Change::new("Purse", before, after)],
            _ => Vec::new(),
        };
        let pairs = self.files.iter().zip(&after.files).filter(|(before, after)| before != after);
        changes.extend(pairs.flat_map(|(before, after)| before.changes(after)));
        changes
    }
}

impl Records {
    fn changes(&self, after: &Self) -> Vec<Change> {
        match self.kind {
            FileKind::Counters => self.counters(after),
            FileKind::Cyclic if self.was_appended(after) => {
                let mut first = self.records(after, 1);
                for change in &mut first {
                    change.place.push_str("; those before it moved down");
                }
                first
            }
            _ => self.records(after, usize::MAX),
        }
    }

    /// Whether `after` is the same with a record in front, and that can be told from a first record that was updated.
    fn was_appended(&self, after: &Self) -> bool {
        let (before, after) = (&self.records, after.records.get(1..).unwrap_or_default());
        let moved = before.get(..after.len()).is_some_and(|kept| kept == after);
        moved && before.get(1..).is_some_and(|old| old != after)
    }

    /// The first `count` records, as far as they differ.
    fn records(&self, after: &Self, count: usize) -> Vec<Change> {
        let pairs = self.records.iter().zip(&after.records).take(count).zip(1..);
        let different = pairs.filter(|((before, after), _)| before != after);
        let change = |((before, after), number): ((&Vec<u8>, &Vec<u8>), u32)| {
            let place = format!("{}, record {number}", place(self.sfi));
            match (content(self.sfi, before), content(self.sfi, after)) {
                // What is different has no words.
                (was, is) if was == is => Change::new(place, short_hex(before), short_hex(after)),
                (was, is) => Change::new(place, was, is),
            }
        };
        different.map(change).collect()
    }

    fn counters(&self, after: &Self) -> Vec<Change> {
        let values = |file: &Self| file.records.first().map(|record| counters(record)).unwrap_or_default();
        let pairs = values(self).into_iter().zip(values(after)).zip(1..);
        let different = pairs.filter(|((before, after), _): &((u32, u32), u32)| before != after);
        let place = place(self.sfi);
        different
            .map(|((before, after), number)| Change::new(format!("{place}, counter {number}"), before, after))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(kind: FileKind, records: &[&[u8]]) -> Records {
        Records { sfi: Sfi(0x1E), kind, records: records.iter().map(|record| record.to_vec()).collect() }
    }

    fn changes(kind: FileKind, before: &[&[u8]], after: &[&[u8]]) -> Vec<String> {
        let changes = file(kind, before).changes(&file(kind, after));
        changes.iter().map(|change| format!("{}: {} > {}", change.place, change.before, change.after)).collect()
    }

    #[test]
    fn records_that_are_updated() {
        let told = changes(FileKind::Linear, &[&[1], &[2], &[3]], &[&[1], &[4], &[0]]);
        assert_eq!(told, ["Contract list, record 2: 02 > 04", "Contract list, record 3: 03 > zeros"]);
    }

    /// The records that only move are not listed as changed.
    #[test]
    fn records_that_are_appended() {
        let moved = "Contract list, record 1; those before it moved down: 01 > 05";
        assert_eq!(changes(FileKind::Cyclic, &[&[1], &[2], &[3]], &[&[5], &[1], &[2]]), [moved]);
        let updated = "Contract list, record 1: 01 > 05";
        assert_eq!(changes(FileKind::Cyclic, &[&[1], &[2], &[3]], &[&[5], &[2], &[3]]), [updated]);
        assert_eq!(changes(FileKind::Cyclic, &[&[1], &[1]], &[&[5], &[1]]), [updated]);
        assert_eq!(changes(FileKind::Cyclic, &[&[1], &[2]], &[&[5], &[6]]).len(), 2);
    }

    #[test]
    fn counters_one_by_one() {
        let told = changes(FileKind::Counters, &[&[0, 0, 9, 0, 0, 1]], &[&[0, 0, 9, 0, 1, 0]]);
        assert_eq!(told, ["Contract list, counter 2: 1 > 256"]);
    }

    /// A difference that the words do not show is shown in digits.
    #[test]
    fn differences_without_words() {
        let unused = |last| file(FileKind::Linear, &[&[[1; 28].as_slice(), &[last]].concat()]);
        let [mut before, mut after] = [unused(0), unused(7)];
        (before.sfi, after.sfi) = (TicketingFile::Environment.sfi(), TicketingFile::Environment.sfi());
        let [change] = before.changes(&after).try_into().unwrap();
        assert!(change.after.ends_with("07") && change.before.ends_with("00"), "{change:?}");
    }
}
