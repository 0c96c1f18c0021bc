//! Read, Update and Write Binary: specification 01, "Read Binary", "Update Binary and Write Binary".

use alloc::vec::Vec;

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Forecast, Moment, Span};
use super::terms::{Terms, check, check_sfi};
use crate::apdu::{Case, StatusSet, StatusWord};
use crate::card::{Content, PostponedCounters, Sfi};
use crate::error::{Argument, Error, Misbehaviour};

/// Reads bytes of a binary file, by as many commands as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadBinary {
    /// The file.
    pub sfi: Sfi,
    /// The first byte, 0 to 32767.
    pub offset: u16,
    /// How many, at least 1, not beyond byte 32767.
    pub length: u16,
}

/// Replaces bytes of a binary file, by as many commands as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UpdateBinary<'a> {
    /// The file.
    pub sfi: Sfi,
    /// The first byte, 0 to 32767.
    pub offset: u16,
    /// At least one byte, not beyond byte 32767.
    pub data: &'a [u8],
}

/// ORs data into bytes of a binary file, by as many commands as it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WriteBinary<'a> {
    /// The file.
    pub sfi: Sfi,
    /// The first byte, 0 to 32767.
    pub offset: u16,
    /// At least one byte, not beyond byte 32767.
    pub data: &'a [u8],
}

pub(super) const READ_REFUSALS: Refusals = &[
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

pub(super) const WRITE_REFUSALS: Refusals = &[
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

/// Beyond, the offset would read as a short identifier.
const END: usize = 0x8000;

/// The largest offset that leaves room for the short identifier.
const LAST_WITH_SFI: u16 = 0xFF;

impl ReadBinary {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_range(CommandName::ReadBinary, self.sfi, self.offset, usize::from(self.length), terms)?;
        for read in self.reads(terms.capacity()) {
            list.push(read);
        }
        Ok(())
    }

    /// The commands, the one that makes the file current included. Arguments are in range.
    pub(crate) fn reads(self, capacity: u8) -> impl Iterator<Item = Read> {
        let chunk = u16::from(capacity.max(1));
        let reads = (0..self.length.div_ceil(chunk)).map(move |index| Read {
            sfi: self.sfi,
            offset: self.offset + index * chunk,
            length: u8::try_from((self.length - index * chunk).min(chunk)).unwrap_or(capacity),
            selects: false,
        });
        selecting_read(self.sfi, self.offset).into_iter().chain(reads)
    }
}

/// A chunk far in a file cannot name it: a byte is read before, which makes the file current.
fn selecting_read(sfi: Sfi, offset: u16) -> Option<Read> {
    let needed = sfi != Sfi::CURRENT && offset > LAST_WITH_SFI;
    needed.then_some(Read { sfi, offset: 0, length: 1, selects: true })
}

impl UpdateBinary<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare_write(Kind::Update, self.sfi, self.offset, self.data, list, terms)
    }
}

impl WriteBinary<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare_write(Kind::Write, self.sfi, self.offset, self.data, list, terms)
    }
}

fn prepare_write(
    kind: Kind,
    sfi: Sfi,
    offset: u16,
    data: &[u8],
    list: &mut List,
    terms: &Terms<'_>,
) -> Result<(), Error> {
    check_range(kind.name(), sfi, offset, data.len(), terms)?;
    if let Some(read) = selecting_read(sfi, offset) {
        list.push(read);
    }
    let mut offset = offset;
    for chunk in data.chunks(usize::from(terms.capacity().max(1))) {
        let data = list.store(chunk);
        list.push_modifying(Write { kind, sfi, offset, data }, 5 + chunk.len(), terms)?;
        offset = offset.saturating_add(u16::try_from(chunk.len()).unwrap_or(u16::MAX));
    }
    Ok(())
}

fn check_range(command: CommandName, sfi: Sfi, offset: u16, length: usize, terms: &Terms<'_>) -> Result<(), Error> {
    if !terms.product().has_binary_files() {
        return Err(Error::Unsupported(command));
    }
    check_range_at_selection(sfi, offset, length)
}

pub(crate) fn check_range_at_selection(sfi: Sfi, offset: u16, length: usize) -> Result<(), Error> {
    check_sfi(sfi)?;
    check(usize::from(offset) < END, Argument::Offset)?;
    check(length >= 1 && usize::from(offset) + length <= END, Argument::Length)
}

/// P1 and P2.
fn place(sfi: Sfi, offset: u16) -> (u8, u8) {
    match offset.to_be_bytes() {
        [0, low] => (0x80 | sfi.0, low),
        [high, low] => (high, low),
    }
}

/// One Read Binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Read {
    sfi: Sfi,
    offset: u16,
    length: u8,
    /// What follows depends on it: a file that is not there cannot be tolerated.
    selects: bool,
}

impl Exchange for Read {
    fn name(&self) -> CommandName {
        CommandName::ReadBinary
    }

    fn case(&self) -> Case {
        Case::Two(self.length)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (p1, p2) = place(self.sfi, self.offset);
        Apdu::bare(to.header(0xB0, p1, p2))
    }

    fn continues_after(&self, moment: Moment, _postponed: PostponedCounters) -> StatusSet {
        self.tolerates(moment).unwrap_or(StatusSet::SUCCESS)
    }

    fn tolerates(&self, moment: Moment) -> Option<StatusSet> {
        (!moment.in_session() && !self.selects).then_some(StatusSet::NOT_FOUND)
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(self.length)
    }

    fn file(&self) -> Sfi {
        self.sfi
    }

    fn takes_image(&self) -> bool {
        true
    }

    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        let start = usize::from(self.offset);
        let known = || from.content.files.addressed(self.sfi)?.known(1, start..start + usize::from(self.length));
        match known() {
            Some(bytes) if from.pre_opened => {
                out.extend_from_slice(bytes);
                out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
                true
            }
            _ => false,
        }
    }

    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        content.files.set_at(self.sfi, 1, usize::from(self.offset), exchanged.answer.data);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Update,
    Write,
}

impl Kind {
    const fn name(self) -> CommandName {
        match self {
            Self::Update => CommandName::UpdateBinary,
            Self::Write => CommandName::WriteBinary,
        }
    }
}

/// One Update Binary or Write Binary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    kind: Kind,
    sfi: Sfi,
    offset: u16,
    data: Span,
}

impl Exchange for Write {
    fn name(&self) -> CommandName {
        self.kind.name()
    }

    fn case(&self) -> Case {
        Case::Three
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let ins = match self.kind {
            Kind::Update => 0xD6,
            Kind::Write => 0xD0,
        };
        let (p1, p2) = place(self.sfi, self.offset);
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

    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let data = self.data.of(exchanged.payload);
        match self.kind {
            Kind::Update => content.files.set_at(self.sfi, 1, usize::from(self.offset), data),
            Kind::Write => content.files.or_at(self.sfi, 1, usize::from(self.offset), data),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{card, prepared, processed};
    use crate::test_hex::hex;

    const R3: &str = "0A3C2005141001";

    /// Worked example 48.
    #[test]
    fn reading_far_in_a_file() {
        let mut card = card(R3);
        let read = ReadBinary { sfi: Sfi(1), offset: 256, length: 1 };
        processed(&mut card, read.into(), &["00B0810001", "00B0010001"], &["119000", "669000"]).unwrap();
        let file = card.file(Sfi(1)).unwrap().record(1).unwrap();
        assert_eq!((file.len(), file[0], file[255], file[256]), (257, 0x11, 0, 0x66));
    }

    /// The examples of specification 02, "Binary files".
    #[test]
    fn chunks() {
        let read = ReadBinary { sfi: Sfi(1), offset: 200, length: 300 };
        assert_eq!(prepared(R3, &[read.into()]).unwrap(), ["00B081C8EB", "00B001B341"]);
        let update = UpdateBinary { sfi: Sfi(1), offset: 300, data: &[0x11; 251] };
        let sent = prepared(R3, &[update.into()]).unwrap();
        for (command, start) in sent.iter().zip(["00B0810001", "00D6012CEB", "00D6021710"]) {
            assert!(command.starts_with(start), "{command}");
        }
    }

    /// Worked examples 55 and 56.
    #[test]
    fn writing() {
        let mut card = card(R3);
        let update = UpdateBinary { sfi: Sfi(1), offset: 0, data: &[0x11, 0x22] };
        processed(&mut card, update.into(), &["00D68100021122"], &["9000"]).unwrap();
        let write = WriteBinary { sfi: Sfi(1), offset: 1, data: &[0xF0] };
        processed(&mut card, write.into(), &["00D0810101F0"], &["9000"]).unwrap();
        assert_eq!(card.file(Sfi(1)).unwrap().record(1).unwrap(), hex("11F2"));
    }

    #[test]
    fn arguments() {
        let read = |sfi, offset, length| {
            prepared(R3, &[ReadBinary { sfi: Sfi(sfi), offset, length }.into()]).map(|commands| commands.len())
        };
        assert_eq!(read(31, 0, 1), Err(Argument::Sfi.into()));
        assert_eq!(read(1, 0x8000, 1), Err(Argument::Offset.into()));
        assert_eq!(read(1, 0, 0), Err(Argument::Length.into()));
        assert_eq!(read(1, 0x7FFF, 1), Ok(2));
        assert_eq!(read(1, 0x7FFF, 2), Err(Argument::Length.into()));
        let empty = UpdateBinary { sfi: Sfi(1), offset: 0, data: &[] };
        assert_eq!(prepared(R3, &[empty.into()]), Err(Argument::Length.into()));
        let light = prepared("064390312B0100", &[ReadBinary { sfi: Sfi(1), offset: 0, length: 1 }.into()]);
        assert_eq!(light, Err(Error::Unsupported(CommandName::ReadBinary)));
    }
}
