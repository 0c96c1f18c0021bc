//! Read Records: specification 01, "Read Records".

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::open::MergedRead;
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Forecast, Moment};
use super::terms::{Terms, check, check_record, check_records, check_sfi};
use crate::apdu::{Case, StatusSet, StatusWord};
use crate::card::{Content, PostponedCounters, Sfi};
use crate::error::{Argument, Error, Malformed, Misbehaviour};

/// Reads one record of unknown size. Outside a session: there, every length must be known beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadRecord {
    /// The file.
    pub sfi: Sfi,
    /// The record, 1 to 250.
    pub record: u8,
}

/// Reads records of known size. The first one travels with an opening that was prepared just before, where it can.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecords {
    /// The file.
    pub sfi: Sfi,
    /// First and last record, 1 to 250.
    pub records: RangeInclusive<u8>,
    /// Bytes of each record, from 1 to the payload capacity.
    pub size: u8,
}

/// Reads the first counters of a counter file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadCounters {
    /// The file.
    pub sfi: Sfi,
    /// How many, at least 1 and three bytes each within the payload capacity.
    pub count: u8,
}

pub(super) const REFUSALS: Refusals = &[
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

/// What a revision 2 card with the legacy case 1 quirk has in each record.
const LEGACY_RECORD_SIZE: u8 = 29;

impl ReadRecord {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        list.outside_session()?;
        check_sfi(self.sfi)?;
        check_record(self.record)?;
        let size = terms.card.identity.quirks.legacy_case_1.then_some(LEGACY_RECORD_SIZE);
        list.push(Read { sfi: self.sfi, record: self.record, form: Form::One { size } });
        Ok(())
    }
}

impl ReadRecords {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        let (first, last) = (*self.records.start(), *self.records.end());
        check_sfi(self.sfi)?;
        check_records(first, last)?;
        terms.check_size(self.size)?;
        if first < last && terms.product().reads_several_records() {
            let per_command = u16::from(terms.capacity()) / (u16::from(self.size) + 2);
            if let Ok(per_command @ 1..) = u8::try_from(per_command) {
                self.prepare_several(first, last, per_command, list);
                return Ok(());
            }
        }
        self.prepare_each(first, last, list, terms);
        Ok(())
    }

    fn prepare_each(&self, first: u8, last: u8, list: &mut List, terms: &Terms<'_>) {
        let (sfi, size) = (self.sfi, self.size);
        let merged = list.merge_read(MergedRead { sfi, record: first, size }, terms);
        // At most 250, so that the next number is one.
        let mut record = if merged { first + 1 } else { first };
        while record <= last {
            list.push(Read { sfi, record, form: Form::One { size: Some(size) } });
            record += 1;
        }
    }

    fn prepare_several(&self, first: u8, last: u8, per_command: u8, list: &mut List) {
        let mut record = first;
        while record < last {
            let count = per_command.min(last - record + 1);
            list.push(Read { sfi: self.sfi, record, form: Form::Several { count, size: self.size } });
            record += count;
        }
        if record == last {
            list.push(Read { sfi: self.sfi, record, form: Form::One { size: Some(self.size) } });
        }
    }
}

impl ReadCounters {
    /// The command for a card of unknown product: 0 to 83 counters.
    pub(crate) fn at_selection(self) -> Result<Read, Error> {
        check_sfi(self.sfi)?;
        check(self.count <= 83, Argument::RecordSize)?;
        Ok(Read { sfi: self.sfi, record: 1, form: Form::One { size: Some(self.count * 3) } })
    }

    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        let size = self.count.checked_mul(3).ok_or(Argument::RecordSize)?;
        ReadRecords { sfi: self.sfi, records: 1..=1, size }.prepare(list, terms)
    }
}

/// One Read Records command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) sfi: Sfi,
    pub(crate) record: u8,
    pub(crate) form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// This record; all that there is when the size is not given.
    One { size: Option<u8> },
    /// So many records from this one on, each with its number and length in front.
    Several { count: u8, size: u8 },
}

impl Form {
    /// Fits a byte: what is prepared keeps within the payload capacity.
    fn length(self) -> u8 {
        match self {
            Self::One { size } => size.unwrap_or(0),
            Self::Several { count, size } => count.saturating_mul(size.saturating_add(2)),
        }
    }
}

impl Exchange for Read {
    fn name(&self) -> CommandName {
        CommandName::ReadRecords
    }

    fn case(&self) -> Case {
        Case::Two(self.form.length())
    }

    #[inline(always)]
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let mode = match self.form {
            Form::One { .. } => 4,
            Form::Several { .. } => 5,
        };
        Apdu::bare(to.header(0xB2, self.record, self.sfi.0 << 3 | mode))
    }

    fn continues_after(&self, moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        self.tolerates(moment).unwrap_or(StatusSet::SUCCESS)
    }

    fn tolerates(&self, moment: Moment) -> Option<StatusSet> {
        (!moment.in_session()).then_some(StatusSet::NOT_FOUND)
    }

    fn answer_length(&self) -> AnswerLength {
        match self.form {
            Form::One { size: None } => AnswerLength::Any,
            form => AnswerLength::Exactly(form.length()),
        }
    }

    fn file(&self) -> Sfi {
        self.sfi
    }

    fn takes_image(&self) -> bool {
        true
    }

    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        from.pre_opened && self.predict_from(from.content, out).is_some()
    }

    #[inline(always)]
    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let answer = exchanged.answer;
        match self.form {
            Form::One { size: None } => {
                content.files.replace(self.sfi, self.record, answer.data);
            }
            Form::One { size: Some(_) } => {
                content.files.set_at(self.sfi, self.record, 0, answer.data);
            }
            Form::Several { .. } => store_several(answer.data, self.sfi, content)?,
        }
        Ok(())
    }
}

impl Read {
    /// Appends the answer when the image holds all of it: specification 02, "Pre-opened session".
    fn predict_from(&self, content: &Content, out: &mut Vec<u8>) -> Option<()> {
        let file = content.files.addressed(self.sfi)?;
        match self.form {
            Form::One { size } => {
                let size =
                    size.map_or_else(|| file.record(self.record).map(<[u8]>::len), |size| Some(usize::from(size)))?;
                let record = file.known(self.record, 0..size).filter(|record| !record.is_empty())?;
                out.extend_from_slice(record);
            }
            Form::Several { count, size } => {
                for number in self.record..=self.record.checked_add(count - 1)? {
                    out.extend_from_slice(&[number, size]);
                    out.extend_from_slice(file.known(number, 0..usize::from(size))?);
                }
            }
        }
        out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
        Some(())
    }
}

/// Stores records that each have their number and length in front.
fn store_several(data: &[u8], sfi: Sfi, content: &mut Content) -> Result<(), Malformed> {
    each_record(data, |_, _| {})?;
    content.files.touch(sfi);
    each_record(data, |number, record| content.files.set_at(sfi, number, 0, record))
}

fn each_record(mut data: &[u8], mut found: impl FnMut(u8, &[u8])) -> Result<(), Malformed> {
    while let [number, length, rest @ ..] = data {
        let (record, rest) = rest.split_at_checked(usize::from(*length)).ok_or(Malformed::Records)?;
        found(*number, record);
        data = rest;
    }
    if data.is_empty() { Ok(()) } else { Err(Malformed::Records) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{applied, card, prepared};
    use crate::test_hex::hex;
    use alloc::string::String;

    const R3: &str = "0A3C2005141001";
    const R2: &str = "0A2E1142000101";
    const QUIRK: &str = "03080304000200";

    fn records(startup: &str, sfi: u8, records: RangeInclusive<u8>, size: u8) -> Vec<String> {
        prepared(startup, &[ReadRecords { sfi: Sfi(sfi), records, size }.into()]).unwrap()
    }

    /// Worked examples 36, 37, 41, 42, 43.
    #[test]
    fn encoding() {
        let one = |startup| prepared(startup, &[ReadRecord { sfi: Sfi(7), record: 1 }.into()]).unwrap();
        assert_eq!(one(R3), ["00B2013C00"]);
        assert_eq!(one(QUIRK), ["94B2013C1D"]);
        assert_eq!(records(R3, 7, 1..=1, 29), ["00B2013C1D"]);
        assert_eq!(records(R3, 8, 1..=9, 29), ["00B20145D9", "00B208453E"]);
        assert_eq!(records(R2, 8, 1..=2, 29), ["94B201441D", "94B202441D"]);
    }

    #[test]
    fn last_record_alone_is_read_alone() {
        assert_eq!(records(R3, 1, 1..=8, 29), ["00B2010DD9", "00B2080C1D"]);
    }

    /// Point G15: a record that fills the capacity is read alone.
    #[test]
    fn long_records() {
        assert_eq!(records(R3, 1, 1..=2, 235), ["00B2010CEB", "00B2020CEB"]);
    }

    #[test]
    fn counters() {
        let read = |count| prepared(R3, &[ReadCounters { sfi: Sfi(0x19), count }.into()]);
        assert_eq!(read(9).unwrap(), ["00B201CC1B"]);
        for count in [0, 79, 86, 255] {
            assert_eq!(read(count), Err(Argument::RecordSize.into()), "{count}");
        }
    }

    #[test]
    fn arguments() {
        let read = |sfi, records, size| {
            prepared(R3, &[ReadRecords { sfi: Sfi(sfi), records, size }.into()]).map(|commands| commands.len())
        };
        assert_eq!(read(31, 1..=1, 1), Err(Argument::Sfi.into()));
        assert_eq!(read(1, 0..=1, 1), Err(Argument::RecordNumber.into()));
        assert_eq!(read(1, 1..=251, 1), Err(Argument::RecordNumber.into()));
        #[expect(clippy::reversed_empty_ranges)]
        let reversed = 2..=1;
        assert_eq!(read(1, reversed, 1), Err(Argument::RecordNumber.into()));
        assert_eq!(read(1, 1..=1, 0), Err(Argument::RecordSize.into()));
        assert_eq!(read(1, 1..=1, 236), Err(Argument::RecordSize.into()));
        assert_eq!(read(30, 250..=250, 235), Ok(1));
    }

    /// Worked example 39, and point E-18: a shorter reading keeps the known tail.
    #[test]
    fn image() {
        let mut card = card(R3);
        let several = Read { sfi: Sfi(1), record: 1, form: Form::Several { count: 2, size: 1 } };
        applied(&several, &mut card, "0101110201229000").unwrap();
        assert_eq!(card.file(Sfi(1)).unwrap().record(2).unwrap(), hex("22"));
        let whole = Read { sfi: Sfi(1), record: 1, form: Form::One { size: None } };
        applied(&whole, &mut card, "AABBCC9000").unwrap();
        let part = Read { sfi: Sfi(1), record: 1, form: Form::One { size: Some(1) } };
        applied(&part, &mut card, "DD9000").unwrap();
        assert_eq!(card.file(Sfi(1)).unwrap().record(1).unwrap(), hex("DDBBCC"));
    }

    #[test]
    fn record_lists_that_do_not_add_up() {
        let mut card = card(R3);
        let several = Read { sfi: Sfi(1), record: 1, form: Form::Several { count: 2, size: 1 } };
        for answer in ["0101110202229000", "0101110201229000AA9000", "01011102019000"] {
            assert_eq!(applied(&several, &mut card, answer), Err(Malformed::Records.into()), "{answer}");
        }
        assert!(card.file(Sfi(1)).is_none());
    }
}
