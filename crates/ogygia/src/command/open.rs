//! Open Secure Session: specification 01, "Open Secure Session", and 02, "Opening".

use super::apdu::Apdu;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Material, Moment};
use super::terms::{Mode, Terms};
use crate::apdu::{Case, Response, StatusWord};
use crate::card::value::u24;
use crate::card::{Card, Kif, Kvc, Level, Product, Sfi};

pub(super) const REFUSALS: Refusals = &[
    (0x6200, Refusal::AccessForbidden),
    (0x61FF, Refusal::IllegalParameter),
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A81, Refusal::IllegalParameter),
    (0x6A82, Refusal::DataAccess),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

/// The two forms of a symmetric session: what is called the mode on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionForm {
    /// Challenges and MACs of four bytes.
    Regular,
    /// AES keys; challenges and MACs of eight bytes.
    Extended,
}

impl SessionForm {
    /// Bytes of the terminal's challenge and MAC.
    pub(crate) const fn mac_len(self) -> usize {
        match self {
            Self::Regular => 4,
            Self::Extended => 8,
        }
    }

    /// Bytes of the answer to an opening before the record.
    const fn fixed_len(self) -> usize {
        match self {
            Self::Regular => 8,
            Self::Extended => 12,
        }
    }
}

/// A record that the opening reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MergedRead {
    pub(crate) sfi: Sfi,
    pub(crate) record: u8,
    pub(crate) size: u8,
}

/// The only record size that an answer of revision 1 and 2 can hold.
const LEGACY_RECORD_SIZE: u8 = 29;

impl MergedRead {
    /// Whether the opening can carry the record number, its answer the record, and the SAM both.
    pub(super) fn fits_opening(self, terms: &Terms<'_>) -> bool {
        let legacy = self.size == LEGACY_RECORD_SIZE;
        match terms.product() {
            Product::PrimeRevision1 => self.record <= 31 && legacy,
            Product::PrimeRevision2 => self.record <= 15 && legacy,
            Product::PrimeRevision3 | Product::Light | Product::Basic | Product::Unknown => {
                let form = if terms.extended() { SessionForm::Extended } else { SessionForm::Regular };
                // Digest Init takes KIF and KVC besides the whole answer.
                let digested = 2 + form.fixed_len() + usize::from(self.size);
                self.record <= 31
                    && (terms.means.mode != Mode::Symmetric || digested <= usize::from(terms.means.digest_capacity))
            }
        }
    }
}

/// One Open Secure Session under the control of a SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) level: Level,
    pub(crate) read: Option<MergedRead>,
    /// Asked for when it was prepared; the card may have shown since that it cannot.
    pub(crate) extended: bool,
    /// The card has said at its selection what it will answer.
    pub(crate) pre_opened: bool,
}

impl Opening {
    /// The form that `card` takes now.
    pub(crate) fn form(&self, card: &Card) -> SessionForm {
        if self.extended && card.features().extended { SessionForm::Extended } else { SessionForm::Regular }
    }
}

impl Exchange for Opening {
    fn name(&self) -> CommandName {
        CommandName::OpenSecureSession
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    /// The material is the challenge, of four or eight bytes, which decides the form.
    #[inline(always)]
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (record, sfi) = self.read.map_or((0, 0), |read| (read.record, read.sfi.0));
        let p1 = record << 3 | self.level.key_index();
        let extended = to.material.len() == SessionForm::Extended.mac_len();
        let (p1, mode) = match to.product {
            Product::PrimeRevision1 => (p1, 0),
            Product::PrimeRevision2 => (0x80 | p1, 0),
            _ if extended => (p1, 2),
            _ => (p1, 1),
        };
        let header = to.header(0x8A, p1, sfi << 3 | mode);
        match to.material.first_chunk::<8>() {
            Some(&[a, b, c, d, e, f, g, h]) => Apdu::new(header, [0, a, b, c, d, e, f, g, h]),
            None => Apdu::new(header, to.material),
        }
    }

    /// The structure is checked by [`Opened::parse`].
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        !self.pre_opened
    }

    fn digested(&self) -> bool {
        false
    }

    fn material(&self) -> Material {
        Material::Challenge
    }
}

/// The opening that a card is asked to foretell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PreOpen {
    pub(crate) level: Level,
}

impl Exchange for PreOpen {
    fn name(&self) -> CommandName {
        CommandName::OpenSecureSession
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::new(to.header(0x8A, self.level.key_index(), 0x02), [0x00])
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }
}

/// What a card foretells of a session.
#[derive(Debug)]
pub(crate) struct PreOpened;

impl PreOpened {
    /// Takes the answer to `asked` into the image. What is refused or cannot be read is forgotten: the session will be
    /// opened as usual. So is that of a card whose keys are not AES keys: it has no extended sessions.
    pub(crate) fn take(asked: PreOpen, answer: Response<'_>, card: &mut Card) {
        let foretold = answer.status == StatusWord::POSTPONED;
        if !foretold && answer.status != StatusWord::SUCCESS {
            return;
        }
        let Some(opened) = Opened::parse(answer.data, card.product(), SessionForm::Extended, None) else { return };
        card.ratified = Some(opened.ratified);
        card.transaction_counter = Some(opened.transaction_counter);
        if !opened.manageable {
            card.identity.features.extended = false;
        }
        if foretold && opened.manageable {
            card.pre_open = Some(asked.level);
            card.pre_open_data.clear();
            card.pre_open_data.extend_from_slice(answer.data);
        }
        if !foretold {
            card.has_stray_session = true;
        }
    }
}

/// What the answer to an opening says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened<'a> {
    pub(crate) transaction_counter: u32,
    /// Of the session before.
    pub(crate) ratified: bool,
    pub(crate) kif: Option<Kif>,
    pub(crate) kvc: Option<Kvc>,
    /// Extended form: whether the keys are AES keys, so that the session can be managed.
    pub(crate) manageable: bool,
    pub(crate) record: &'a [u8],
}

impl<'a> Opened<'a> {
    /// Reads the data field of the answer.
    #[inline(always)]
    pub(crate) fn parse(data: &'a [u8], product: Product, form: SessionForm, read: Option<MergedRead>) -> Option<Self> {
        let opened = match (product, form) {
            (Product::PrimeRevision1, _) => legacy(data, None),
            (Product::PrimeRevision2, _) => data.split_first().and_then(|(kvc, rest)| legacy(rest, Some(Kvc(*kvc)))),
            (_, SessionForm::Regular) => regular(data),
            (_, SessionForm::Extended) => extended(data),
        };
        let wanted = read.map_or(0, |read| usize::from(read.size));
        opened.filter(|opened| opened.record.len() >= wanted)
    }
}

/// Counter and random, two more bytes when the session before is not ratified, and a record of 29 bytes.
#[cold]
fn legacy(data: &[u8], kvc: Option<Kvc>) -> Option<Opened<'_>> {
    let (&[a, b, c, _], rest) = data.split_first_chunk::<4>()?;
    let (ratified, record) = match rest.len() {
        0 | 29 => (true, rest),
        2 | 31 => (false, rest.get(2..)?),
        _ => return None,
    };
    Some(Opened { transaction_counter: u24([a, b, c]), ratified, kif: None, kvc, manageable: false, record })
}

#[inline(always)]
fn regular(data: &[u8]) -> Option<Opened<'_>> {
    let (&[a, b, c, _, not_ratified, kif, kvc, len], record) = data.split_first_chunk::<8>()?;
    (record.len() == usize::from(len)).then_some(Opened {
        transaction_counter: u24([a, b, c]),
        ratified: not_ratified == 0,
        kif: known_kif(kif),
        kvc: Some(Kvc(kvc)),
        manageable: false,
        record,
    })
}

fn extended(data: &[u8]) -> Option<Opened<'_>> {
    let (&[a, b, c, _, _, _, _, _, flags, kif, kvc, len], record) = data.split_first_chunk::<12>()?;
    (record.len() == usize::from(len)).then_some(Opened {
        transaction_counter: u24([a, b, c]),
        ratified: flags & 1 == 0,
        kif: known_kif(kif),
        kvc: Some(Kvc(kvc)),
        manageable: flags & 2 != 0,
        record,
    })
}

/// `FF` means that the card does not tell.
fn known_kif(kif: u8) -> Option<Kif> {
    (kif != 0xFF).then_some(Kif(kif))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::encoded_with;
    use crate::test_hex::hex;
    use alloc::string::String;

    const R3: &str = "0A3C2805141001";
    const R2: &str = "0A2E1142000101";

    fn opening(read: Option<(u8, u8, u8)>) -> Opening {
        let read = read.map(|(sfi, record, size)| MergedRead { sfi: Sfi(sfi), record, size });
        Opening { level: Level::Debit, read, extended: true, pre_opened: false }
    }

    fn written(startup: &str, read: Option<(u8, u8, u8)>, challenge: &str) -> String {
        encoded_with(&opening(read), startup, &hex(challenge))
    }

    /// Worked examples 80 to 87.
    #[test]
    fn encoding() {
        assert_eq!(written(R3, None, "C1C2C3C4"), "008A030104C1C2C3C400");
        assert_eq!(written(R3, Some((7, 1, 29)), "C1C2C3C4"), "008A0B3904C1C2C3C400");
        assert_eq!(written(R3, None, "C1C2C3C4C5C6C7C8"), "008A03020900C1C2C3C4C5C6C7C800");
        assert_eq!(written(R2, Some((7, 1, 29)), "C1C2C3C4"), "948A8B3804C1C2C3C400");
        assert_eq!(written("atr", Some((7, 1, 29)), "C1C2C3C4"), "948A0B3804C1C2C3C400");
    }

    fn parse(data: &str, product: Product, form: SessionForm, size: u8) -> Option<(u32, bool, Option<u8>, usize)> {
        let read = (size > 0).then_some(MergedRead { sfi: Sfi(7), record: 1, size });
        let data = hex(data);
        let opened = Opened::parse(&data, product, form, read)?;
        Some((opened.transaction_counter, opened.ratified, opened.kif.map(|kif| kif.0), opened.record.len()))
    }

    /// Worked examples 80, 82, 83.
    #[test]
    fn revision_3() {
        let r3 = Product::PrimeRevision3;
        let plain = "0304909800307900";
        assert_eq!(parse(plain, r3, SessionForm::Regular, 0), Some((197_776, true, Some(0x30), 0)));
        assert_eq!(parse("0304909801FF7902AABB", r3, SessionForm::Regular, 0), Some((197_776, false, None, 2)));
        let extended = "C8C7C6C5C4C3C2C102307900";
        assert_eq!(parse(extended, r3, SessionForm::Extended, 0), Some((0xC8_C7C6, true, Some(0x30), 0)));
        assert_eq!(parse(plain, r3, SessionForm::Extended, 0), None);
        assert_eq!(parse(plain, r3, SessionForm::Regular, 1), None, "the record that was asked for is missing");
        assert_eq!(parse("030490980030790211", r3, SessionForm::Regular, 0), None);
        for length in 0..8 {
            assert_eq!(parse(plain.get(..length * 2).unwrap(), r3, SessionForm::Regular, 0), None, "{length}");
        }
    }

    /// Worked examples 85 to 87.
    #[test]
    fn revisions_1_and_2() {
        let record = "24B928480805CBABAE3000124080000000000000000000000000000000";
        for (product, kvc) in [(Product::PrimeRevision2, "79"), (Product::PrimeRevision1, "")] {
            let open =
                |tail: &str, size| parse(&alloc::format!("{kvc}030D3071{tail}"), product, SessionForm::Regular, size);
            assert_eq!(open("", 0), Some((0x03_0D30, true, None, 0)));
            assert_eq!(open("0001", 0), Some((0x03_0D30, false, None, 0)));
            assert_eq!(open(record, 29), Some((0x03_0D30, true, None, 29)));
            assert_eq!(open(&alloc::format!("0001{record}"), 29), Some((0x03_0D30, false, None, 29)));
            assert_eq!(open("01", 0), None);
            assert_eq!(open("000102", 0), None);
        }
    }
}
