//! Read Record Multiple and Search Record Multiple: specification 01, sections of these names.

use core::ops::RangeInclusive;

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Moment, Span};
use super::terms::{Terms, check, check_record, check_sfi};
use crate::apdu::{Case, StatusSet};
use crate::card::{Card, Content, PostponedCounters, Product, Sfi};
use crate::error::{Argument, Error, Malformed, Misbehaviour};

/// Reads the same part of several records. Outside a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRecordsPartially {
    /// The file.
    pub sfi: Sfi,
    /// First and last record, 1 to 250. The card may give more than asked for.
    pub records: RangeInclusive<u8>,
    /// The first byte of each record, 0 to 249.
    pub offset: u8,
    /// Bytes of each record, from 1 to the payload capacity.
    pub length: u8,
}

/// Has the card look for data in the records of a file. Outside a session. The numbers of the records that match are
/// in [`Transaction::matches`](crate::transaction::Transaction::matches) afterwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SearchRecords<'a> {
    /// The file.
    pub sfi: Sfi,
    /// The first record to look into, 1 to 250.
    pub record: u8,
    /// Where in a record the data is expected, 0 to 249.
    pub offset: u8,
    /// Or anywhere behind.
    pub repeated_offset: bool,
    /// What is looked for: at least one byte, and so many that twice of them fit in a command.
    pub data: &'a [u8],
    /// Which bits count; all bits of the bytes that it does not reach.
    pub mask: Option<&'a [u8]>,
    /// The content of the first record that matches enters the image.
    pub fetch_first: bool,
}

pub(super) const PART_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A80, Refusal::IllegalParameter),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

pub(super) const SEARCH_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::IllegalParameter),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A80, Refusal::IllegalParameter),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

const MAX_OFFSET: u8 = 249;

impl ReadRecordsPartially {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        let (first, last) = (*self.records.start(), *self.records.end());
        if !terms.product().reads_several_records() {
            return Err(Error::Unsupported(CommandName::ReadRecordMultiple));
        }
        list.outside_session()?;
        check_sfi(self.sfi)?;
        check_record(first)?;
        check_record(last)?;
        check(first <= last, Argument::RecordNumber)?;
        check(self.offset <= MAX_OFFSET, Argument::Offset)?;
        check((1..=terms.capacity()).contains(&self.length), Argument::Length)?;
        let per_command = terms.capacity().checked_div(self.length).unwrap_or(1);
        for record in (first..=last).step_by(usize::from(per_command.max(1))) {
            list.push(ReadPart { sfi: self.sfi, record, offset: self.offset, length: self.length });
        }
        Ok(())
    }
}

impl SearchRecords<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        if terms.product() != Product::PrimeRevision3 {
            return Err(Error::Unsupported(CommandName::SearchRecordMultiple));
        }
        list.outside_session()?;
        check_sfi(self.sfi)?;
        check_record(self.record)?;
        check(self.offset <= MAX_OFFSET, Argument::Offset)?;
        let len = self.data.len();
        check(len >= 1 && 3 + 2 * len <= usize::from(terms.capacity()), Argument::Data)?;
        let mask = self.mask.unwrap_or(&[0xFF]);
        check((1..=len).contains(&mask.len()), Argument::Mask)?;
        let flags = u8::from(self.repeated_offset) << 7 | u8::from(self.fetch_first);
        let query = list.store_with(|out| {
            out.extend_from_slice(&[flags, self.offset, u8::try_from(len).unwrap_or(u8::MAX)]);
            out.extend_from_slice(self.data);
            out.extend(mask.iter().copied().chain(core::iter::repeat(0xFF)).take(len));
        });
        list.push(Search { sfi: self.sfi, record: self.record, query, fetch_first: self.fetch_first });
        Ok(())
    }
}

/// One Read Record Multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadPart {
    sfi: Sfi,
    record: u8,
    offset: u8,
    length: u8,
}

impl Exchange for ReadPart {
    fn name(&self) -> CommandName {
        CommandName::ReadRecordMultiple
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let header = to.header(0xB3, self.record, self.sfi.0 << 3 | 5);
        Apdu::new(header, [0x54, 0x02, self.offset, self.length])
    }

    fn continues_after(&self, _moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        StatusSet::POSTPONED.with(StatusSet::NOT_FOUND)
    }

    /// `6200`: some of the records.
    fn accepts(&self) -> StatusSet {
        StatusSet::POSTPONED
    }

    fn tolerates(&self, _moment: Moment) -> Option<StatusSet> {
        Some(StatusSet::NOT_FOUND)
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }

    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let parts = exchanged.answer.data.chunks_exact(usize::from(self.length.max(1)));
        for (number, part) in (self.record..=u8::MAX).zip(parts) {
            content.files.set_at(self.sfi, number, usize::from(self.offset), part);
        }
        Ok(())
    }
}

/// One Search Record Multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Search {
    sfi: Sfi,
    record: u8,
    query: Span,
    fetch_first: bool,
}

impl Exchange for Search {
    fn name(&self) -> CommandName {
        CommandName::SearchRecordMultiple
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::new(to.header(0xA2, self.record, self.sfi.0 << 3 | 7), to.data(self.query))
    }

    fn continues_after(&self, _moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        StatusSet::NOT_FOUND
    }

    fn tolerates(&self, _moment: Moment) -> Option<StatusSet> {
        Some(StatusSet::NOT_FOUND)
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        let (count, rest) = exchanged.answer.data.split_first().ok_or(Malformed::Records)?;
        let (matches, content) = rest.split_at_checked(usize::from(*count)).ok_or(Malformed::Records)?;
        card.matches.push(matches);
        if let (true, Some(first)) = (self.fetch_first, matches.first()) {
            card.content.files.replace(self.sfi, *first, content);
        }
        Ok(())
    }

    /// A search that found no file has no match; the next one keeps its place.
    fn refused(&self, _status: crate::apdu::StatusWord, card: &mut Card) {
        card.matches.push(&[]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{card, prepared, processed};
    use crate::test_hex::hex;

    const R3: &str = "0A3C2005141001";

    fn search(data: &[u8]) -> SearchRecords<'_> {
        SearchRecords {
            sfi: Sfi(1),
            record: 1,
            offset: 0,
            repeated_offset: false,
            data,
            mask: None,
            fetch_first: false,
        }
    }

    /// Worked example 44, with the capacity of the card.
    #[test]
    fn parts() {
        let mut card = card(R3);
        let read = ReadRecordsPartially { sfi: Sfi(1), records: 1..=5, offset: 3, length: 1 };
        processed(&mut card, read.into(), &["00B3010D045402030100"], &["11226200"]).unwrap();
        assert_eq!(card.file(Sfi(1)).unwrap().record(2).unwrap(), hex("00000022"));
        let read = ReadRecordsPartially { sfi: Sfi(1), records: 1..=5, offset: 3, length: 100 };
        let sent = ["00B3010D045402036400", "00B3030D045402036400", "00B3050D045402036400"];
        processed(&mut card, read.into(), &sent, &["9000"; 3]).unwrap();
    }

    #[test]
    fn part_arguments() {
        let read = |records, offset, length| {
            prepared(R3, &[ReadRecordsPartially { sfi: Sfi(1), records, offset, length }.into()])
                .map(|commands| commands.len())
        };
        assert_eq!(read(0..=1, 0, 1), Err(Argument::RecordNumber.into()));
        assert_eq!(read(1..=251, 0, 1), Err(Argument::RecordNumber.into()));
        assert_eq!(read(1..=1, 250, 1), Err(Argument::Offset.into()));
        assert_eq!(read(1..=1, 0, 0), Err(Argument::Length.into()));
        assert_eq!(read(1..=1, 0, 236), Err(Argument::Length.into()));
        assert_eq!(read(249..=250, 249, 235), Ok(2));
    }

    /// Worked examples 45 to 47.
    #[test]
    fn searching() {
        let mut card = card(R3);
        let plain = search(&[0x12, 0x34]);
        processed(&mut card, plain.into(), &["00A2010F070000021234FFFF00"], &["0204069000"]).unwrap();
        let masked = SearchRecords { mask: Some(&[0x56]), ..plain };
        processed(&mut card, masked.into(), &["00A2010F07000002123456FF00"], &["0204069000"]).unwrap();
        let fetching =
            SearchRecords { sfi: Sfi(4), record: 2, offset: 3, repeated_offset: true, fetch_first: true, ..plain };
        let answer = "0204061122331234569000";
        processed(&mut card, fetching.into(), &["00A2022707810302 1234FFFF00".replace(' ', "").as_str()], &[answer])
            .unwrap();
        assert_eq!(card.matches.get(2), Some(&[4, 6][..]));
        assert_eq!(card.file(Sfi(4)).unwrap().record(4).unwrap(), hex("112233123456"));
        for nonsense in ["9000", "0304069000"] {
            processed(&mut card, plain.into(), &["00A2010F070000021234FFFF00"], &[nonsense]).unwrap_err();
        }
    }

    #[test]
    fn search_arguments() {
        let refused = |query: SearchRecords<'_>| prepared(R3, &[query.into()]).unwrap_err();
        let data = [0; 117];
        assert_eq!(refused(search(&[])), Argument::Data.into());
        assert_eq!(refused(search(&data)), Argument::Data.into());
        prepared(R3, &[search(&data[..116]).into()]).unwrap();
        assert_eq!(refused(SearchRecords { mask: Some(&[]), ..search(&[1]) }), Argument::Mask.into());
        assert_eq!(refused(SearchRecords { mask: Some(&[1, 2]), ..search(&[1]) }), Argument::Mask.into());
        assert_eq!(refused(SearchRecords { offset: 250, ..search(&[1]) }), Argument::Offset.into());
        let light = prepared("064390312B0100", &[search(&[1]).into()]);
        assert_eq!(light, Err(Error::Unsupported(CommandName::SearchRecordMultiple)));
    }
}
