//! Update, Write and Append Record: specification 01, sections of these names.

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{Encoder, Exchange, Exchanged, Span};
use super::terms::{Terms, check_record, check_sfi};
use crate::apdu::Case;
use crate::card::{Content, Sfi};
use crate::error::{Error, Misbehaviour};

/// Replaces the first bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateRecord<'a> {
    /// The file.
    pub sfi: Sfi,
    /// The record, 1 to 250.
    pub record: u8,
    /// At least one byte, at most the payload capacity; the rest of the record stays.
    pub data: &'a [u8],
}

/// ORs data into the first bytes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteRecord<'a> {
    /// The file.
    pub sfi: Sfi,
    /// The record, 1 to 250.
    pub record: u8,
    /// At least one byte, at most the payload capacity.
    pub data: &'a [u8],
}

/// Adds a record to a cyclic file, as its record 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendRecord<'a> {
    /// The file.
    pub sfi: Sfi,
    /// At least one byte, at most the payload capacity.
    pub data: &'a [u8],
}

pub(super) const UPDATE_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::DataAccess),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

pub(super) const WRITE_REFUSALS: Refusals = UPDATE_REFUSALS;

pub(super) const APPEND_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::DataAccess),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A82, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

impl UpdateRecord<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_sfi(self.sfi)?;
        check_record(self.record)?;
        prepare(Kind::Update(self.record), self.sfi, self.data, list, terms)
    }
}

impl WriteRecord<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_sfi(self.sfi)?;
        check_record(self.record)?;
        prepare(Kind::Write(self.record), self.sfi, self.data, list, terms)
    }
}

impl AppendRecord<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_sfi(self.sfi)?;
        prepare(Kind::Append, self.sfi, self.data, list, terms)
    }
}

fn prepare(kind: Kind, sfi: Sfi, data: &[u8], list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
    terms.check_data(data)?;
    let data = list.store(data);
    list.push_modifying(Write { kind, sfi, data }, 5 + data.len(), terms)?;
    list.drifts.overwrite(sfi);
    Ok(())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    kind: Kind,
    sfi: Sfi,
    data: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Update(u8),
    Write(u8),
    Append,
}

impl Exchange for Write {
    fn name(&self) -> CommandName {
        match self.kind {
            Kind::Update(_) => CommandName::UpdateRecord,
            Kind::Write(_) => CommandName::WriteRecord,
            Kind::Append => CommandName::AppendRecord,
        }
    }

    fn case(&self) -> Case {
        Case::Three
    }

    #[inline(always)]
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let sfi = self.sfi.0 << 3;
        let (ins, p1, p2) = match self.kind {
            Kind::Update(record) => (0xDC, record, sfi | 4),
            Kind::Write(record) => (0xD2, record, sfi | 4),
            Kind::Append => (0xE2, 0x00, sfi),
        };
        Apdu::new(to.header(ins, p1, p2), to.data(self.data))
    }

    fn modifies(&self) -> bool {
        true
    }

    fn file(&self) -> Sfi {
        self.sfi
    }

    fn only_succeeds(&self) -> bool {
        true
    }

    #[inline(always)]
    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let data = self.data.of(exchanged.payload);
        match self.kind {
            Kind::Update(record) => content.files.set_at(self.sfi, record, 0, data),
            Kind::Write(record) => content.files.or_at(self.sfi, record, 0, data),
            Kind::Append => content.files.append(self.sfi, data),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Command;
    use crate::command::step::tests::{card, processed};
    use crate::error::Argument;
    use crate::test_hex::hex;
    use alloc::vec::Vec;

    const R3: &str = "0A3C2005141001";

    fn after(known: &str, command: Command<'_>, expected: &str) -> Vec<u8> {
        let mut card = card(R3);
        if !known.is_empty() {
            card.content.files.replace(Sfi(8), 1, &hex(known));
        }
        processed(&mut card, command, &[expected], &["9000"]).unwrap();
        card.file(Sfi(8)).unwrap().record(1).unwrap().to_vec()
    }

    /// Worked examples 51, 53 and 54.
    #[test]
    fn encoding_and_image() {
        let (sfi, record) = (Sfi(8), 1);
        let update = UpdateRecord { sfi, record, data: &[0x84, 0x33, 0x22, 0x11] }.into();
        assert_eq!(after("", update, "00DC01440484332211"), hex("84332211"));
        let write = WriteRecord { sfi, record, data: &[0xF0] }.into();
        assert_eq!(after("0F0F0F", write, "00D2014401F0"), hex("FF0F0F"));
        let append = AppendRecord { sfi, data: &[0x88, 0x99, 0xAA, 0xBB] }.into();
        assert_eq!(after("11", append, "00E20040048899AABB"), hex("8899AABB"));
    }

    /// Point E-17: the card keeps the tail of the record.
    #[test]
    fn update_keeps_the_tail() {
        let update = UpdateRecord { sfi: Sfi(8), record: 1, data: &[0xAA] }.into();
        assert_eq!(after("112233", update, "00DC014401AA"), hex("AA2233"));
    }

    #[test]
    fn arguments() {
        let mut card = card(R3);
        let mut refused = |command: Command<'_>| processed(&mut card, command, &[], &[]).unwrap_err();
        let long = [0; 236];
        for data in [&[][..], &long] {
            assert_eq!(refused(UpdateRecord { sfi: Sfi(8), record: 1, data }.into()), Argument::Data.into());
            assert_eq!(refused(WriteRecord { sfi: Sfi(8), record: 1, data }.into()), Argument::Data.into());
            assert_eq!(refused(AppendRecord { sfi: Sfi(8), data }.into()), Argument::Data.into());
        }
        assert_eq!(refused(UpdateRecord { sfi: Sfi(31), record: 1, data: &[1] }.into()), Argument::Sfi.into());
        assert_eq!(refused(WriteRecord { sfi: Sfi(1), record: 0, data: &[1] }.into()), Argument::RecordNumber.into());
        assert_eq!(refused(WriteRecord { sfi: Sfi(1), record: 251, data: &[1] }.into()), Argument::RecordNumber.into());
    }
}
