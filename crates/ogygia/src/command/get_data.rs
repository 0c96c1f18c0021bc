//! Get Data: specification 01, "Get Data — FCI of the current DF", "FCP of the current file", "EF list",
//! "traceability information".

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::select_file::apply_header;
use super::step::{AnswerLength, Encoder, Exchange, Exchanged};
use super::terms::Terms;
use crate::apdu::{Case, StatusSet, StatusWord, tlv};
use crate::card::{Card, FileHeader, Sfi, header};
use crate::error::{Error, Malformed, Misbehaviour};

/// Which data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DataTag {
    /// What Select Application answers: who the card is.
    Fci,
    /// Header of the current file.
    Fcp,
    /// The files of the current directory.
    FileList,
    /// Where the card was made.
    Traceability,
    /// Public key of the card.
    CardPublicKey,
    /// Certificate of the card, read in two parts.
    CardCertificate,
    /// Certificate of the authority that issued it, read in two parts.
    CaCertificate,
}

/// Reads a data object. Outside a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GetData {
    /// Which one.
    pub tag: DataTag,
}

pub(super) const REFUSALS: Refusals =
    &[(0x6A82, Refusal::DataAccess), (0x6A88, Refusal::DataAccess), (0x6B00, Refusal::DataAccess)];

const TAG_FILE_LIST: u32 = 0xC0;
const TAG_FILE: u32 = 0xC1;

impl GetData {
    /// Keys and certificates are not read before the card is known.
    pub(super) const fn is_for_selection(self) -> bool {
        matches!(self.tag, DataTag::Fci | DataTag::Fcp | DataTag::FileList | DataTag::Traceability)
    }

    pub(super) fn prepare(self, list: &mut List, _terms: &Terms<'_>) -> Result<(), Error> {
        list.outside_session()?;
        match self.tag {
            DataTag::Fci => list.push(GetOne::Fci),
            DataTag::Fcp => list.push(GetOne::Fcp),
            DataTag::FileList => list.push(GetOne::FileList),
            DataTag::Traceability => list.push(GetOne::Traceability),
            DataTag::CardPublicKey => list.push(GetOne::PublicKey),
            DataTag::CardCertificate => push_certificate(CertificateKind::Card, list),
            DataTag::CaCertificate => push_certificate(CertificateKind::Ca, list),
        }
        Ok(())
    }
}

fn push_certificate(kind: CertificateKind, list: &mut List) {
    list.push(GetOne::Certificate { kind, second: false });
    list.push(GetOne::Certificate { kind, second: true });
}

/// One Get Data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GetOne {
    Fci,
    Fcp,
    FileList,
    Traceability,
    PublicKey,
    Certificate { kind: CertificateKind, second: bool },
}

impl Exchange for GetOne {
    fn name(&self) -> CommandName {
        CommandName::GetData
    }

    fn case(&self) -> Case {
        Case::Two(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (p1, p2) = match *self {
            Self::Fci => (0x00, 0x6F),
            Self::Fcp => (0x00, 0x62),
            Self::FileList => (0x00, 0xC0),
            Self::Traceability => (0x01, 0x85),
            Self::PublicKey => (0xDF, 0x2C),
            Self::Certificate { kind, second } => kind.place(second),
        };
        Apdu::bare(to.header(0xCA, p1, p2))
    }

    fn accepts(&self) -> StatusSet {
        if *self == Self::Fci { StatusSet::INVALIDATED } else { StatusSet::SUCCESS }
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        let answer = exchanged.answer;
        match *self {
            Self::Fci => card.identify_again(answer.data, answer.status == StatusWord::INVALIDATED)?,
            Self::Fcp => {
                let product = card.product();
                apply_header(answer.data, product, &mut card.content)?;
            }
            Self::FileList => apply_file_list(answer.data, card)?,
            Self::Traceability => {
                card.traceability.clear();
                card.traceability.extend_from_slice(answer.data);
            }
            Self::PublicKey => {
                let key = answer.data.strip_prefix(&PUBLIC_KEY_HEADER).and_then(|key| key.try_into().ok());
                card.public_key = Some(key.ok_or(Malformed::DataObject)?);
            }
            Self::Certificate { kind, second } => kind.take_part(second, answer.data, card)?,
        }
        Ok(())
    }
}

/// Tag and length in front of the public key.
const PUBLIC_KEY_HEADER: [u8; 3] = [0xDF, 0x2C, 0x40];

/// The two certificates that a card can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CertificateKind {
    Card,
    Ca,
}

impl CertificateKind {
    /// Bytes of the certificate.
    pub(super) const fn len(self) -> usize {
        match self {
            Self::Card => 316,
            Self::Ca => 384,
        }
    }

    /// Tag and length in front of the first part.
    pub(super) const fn header(self) -> [u8; 5] {
        match self {
            Self::Card => [0xDF, 0x4C, 0x82, 0x01, 0x3C],
            Self::Ca => [0xDF, 0x4A, 0x82, 0x01, 0x80],
        }
    }

    /// P1 and P2 of a part.
    pub(super) const fn place(self, second: bool) -> (u8, u8) {
        match (self, second) {
            (Self::Card, false) => (0xDF, 0x4C),
            (Self::Card, true) => (0xDF, 0x4D),
            (Self::Ca, false) => (0xDF, 0x4A),
            (Self::Ca, true) => (0xDF, 0x4B),
        }
    }

    /// Takes a part. The certificate enters the image when it is complete: point E-46.
    pub(super) fn take_part(self, second: bool, data: &[u8], card: &mut Card) -> Result<(), Malformed> {
        if !second {
            let part = data.strip_prefix(&self.header()).ok_or(Malformed::DataObject)?;
            card.certificate_part.clear();
            card.certificate_part.extend_from_slice(part);
            return Ok(());
        }
        card.certificate_part.extend_from_slice(data);
        let whole = core::mem::take(&mut card.certificate_part);
        if whole.len() != self.len() {
            return Err(Malformed::DataObject);
        }
        match self {
            Self::Card => card.card_certificate = whole,
            Self::Ca => card.ca_certificate = whole,
        }
        Ok(())
    }
}

fn apply_file_list(answer: &[u8], card: &mut Card) -> Result<(), Malformed> {
    let mut list = None;
    tlv::visit(answer, |tag, value| {
        if tag == TAG_FILE_LIST {
            list = Some(value);
        }
    })?;
    let list = list.ok_or(Malformed::Tag(TAG_FILE_LIST))?;
    // Checked whole before anything enters the image.
    each_entry(list, &mut |_, _| {})?;
    each_entry(list, &mut |sfi, header| card.content.files.set_header(sfi, header))
}

fn each_entry(list: &[u8], found: &mut dyn FnMut(Sfi, FileHeader)) -> Result<(), Malformed> {
    let mut all = Ok(());
    tlv::visit(list, |tag, value| {
        if all.is_ok() {
            all = if tag == TAG_FILE { header::parse_list_entry(value) } else { Err(Malformed::Tag(tag)) }
                .map(|(sfi, header)| found(sfi, header));
        }
    })?;
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{FileType, Lid, Product};
    use crate::command::step::tests::{applied, card, encoded};
    use crate::test_hex::hex;

    const R3: &str = "0A3C2005141001";

    #[test]
    fn encoding() {
        let all = [GetOne::Fci, GetOne::Fcp, GetOne::FileList, GetOne::Traceability];
        let commands = all.map(|object| encoded(&object, R3));
        assert_eq!(commands, ["00CA006F00", "00CA006200", "00CA00C000", "00CA018500"]);
        assert_eq!(encoded(&GetOne::Fci, "0A2E1142000101"), "94CA006F00");
    }

    /// Worked example 14.
    #[test]
    fn fci_makes_the_identity() {
        let mut card = Card::from_select_response(&hex("9000")).unwrap();
        let fci = "6F238409315449432E49434131A516BF0C13C708000000001122334453070A3C2005141001";
        applied(&GetOne::Fci, &mut card, &alloc::format!("{fci}6283")).unwrap();
        assert_eq!((card.product(), card.invalidated()), (Product::PrimeRevision3, true));
    }

    /// Worked examples 32 and 33.
    #[test]
    fn public_key_and_certificate() {
        let mut card = card("0A503005141001");
        applied(&GetOne::PublicKey, &mut card, &alloc::format!("DF2C40{}9000", "11".repeat(64))).unwrap();
        assert_eq!(card.card_public_key(), Some(&[0x11; 64]));
        assert!(applied(&GetOne::PublicKey, &mut card, &alloc::format!("DF2C40{}9000", "11".repeat(63))).is_err());
        let part = |second| GetOne::Certificate { kind: CertificateKind::Card, second };
        applied(&part(false), &mut card, &alloc::format!("DF4C82013C{}9000", "22".repeat(245))).unwrap();
        assert!(card.card_certificate().is_empty());
        applied(&part(true), &mut card, &alloc::format!("{}9000", "33".repeat(71))).unwrap();
        assert_eq!(card.card_certificate().len(), 316);
        assert_eq!(applied(&part(true), &mut card, "33339000"), Err(Malformed::DataObject.into()));
        assert_eq!(applied(&part(false), &mut card, "33339000"), Err(Malformed::DataObject.into()));
    }

    #[test]
    fn a_refused_fci_changes_nothing() {
        let mut card = card(R3);
        assert!(applied(&GetOne::Fci, &mut card, "9000").is_err());
        assert!(applied(&GetOne::Fci, &mut card, "6F0584031122339000").is_err());
        assert_eq!(card.product(), Product::PrimeRevision3);
    }

    /// Worked example 29.
    #[test]
    fn fcp_with_and_without_template() {
        for data in ["6219", ""] {
            let mut card = card(R3);
            let answer = alloc::format!("{data}8517 07 04 02 1D 01 1F000000 01010101 00 0000 00000000 00 2001 9000");
            applied(&GetOne::Fcp, &mut card, &answer).unwrap();
            assert_eq!(card.file(Sfi(7)).unwrap().header().unwrap().lid, Lid(0x2001));
        }
    }

    /// Worked example 30.
    #[test]
    fn file_list() {
        let mut card = card(R3);
        let list = "C028C106200107021D01C10620FF09011D04C106F1231004F3F4C106F1241108F3F4C106F1251F09F3F49000";
        applied(&GetOne::FileList, &mut card, list).unwrap();
        assert_eq!(card.files().iter().len(), 5);
        let header = card.file(Sfi(0x10)).unwrap().header().unwrap();
        assert_eq!((header.file_type, header.record_size, header.records_number), (FileType::Cyclic, 243, 244));
        let binary = card.file(Sfi(9)).unwrap().header().unwrap();
        assert_eq!((binary.file_type, binary.record_size, binary.records_number), (FileType::Binary, 29, 4));
        assert_eq!(applied(&GetOne::FileList, &mut card, "C002C2009000"), Err(Malformed::Tag(0xC2).into()));
    }
}
