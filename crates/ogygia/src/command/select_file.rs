//! Select File: specification 01, "Select File by LID" and "Select File, navigation".

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Exchanged};
use super::terms::Terms;
use crate::apdu::{Case, tlv};
use crate::card::Card;
use crate::card::{Content, Lid, Product, header};
use crate::error::{Error, Malformed, Misbehaviour};

/// Selects a file or directory; the answer is its header. Possible everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SelectFile {
    /// By long identifier.
    Lid(Lid),
    /// The first file of the current directory.
    FirstFile,
    /// The file after the current one.
    NextFile,
    /// The current directory.
    CurrentDirectory,
}

pub(super) const REFUSALS: Refusals =
    &[(0x6700, Refusal::IllegalParameter), (0x6A82, Refusal::DataAccess), (0x6119, Refusal::IllegalParameter)];

const TAG_PROPRIETARY: u32 = 0x85;

impl SelectFile {
    #[expect(clippy::unnecessary_wraps, reason = "all operations are prepared alike")]
    pub(super) fn prepare(self, list: &mut List, _terms: &Terms<'_>) -> Result<(), Error> {
        list.push(Select(self));
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Select(pub(crate) SelectFile);

impl Exchange for Select {
    fn name(&self) -> CommandName {
        CommandName::SelectFile
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (p1, p2, lid) = match self.0 {
            SelectFile::Lid(lid) => (by_lid(to), 0x00, lid),
            SelectFile::FirstFile => (0x02, 0x00, Lid(0)),
            SelectFile::NextFile => (0x02, 0x02, Lid(0)),
            SelectFile::CurrentDirectory => (0x09, 0x00, Lid(0)),
        };
        Apdu::new(to.header(0xA4, p1, p2), lid.0.to_be_bytes())
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(25)
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        let answer = exchanged.answer;
        let product = card.product();
        apply_header(answer.data, product, &mut card.content)
    }
}

fn by_lid(to: &Encoder<'_>) -> u8 {
    match to.product {
        Product::PrimeRevision1 => 0x08,
        Product::PrimeRevision2 if to.quirks.legacy_case_1 => 0x08,
        Product::PrimeRevision2 => 0x02,
        Product::PrimeRevision3 | Product::Light | Product::Basic | Product::Unknown => 0x09,
    }
}

/// Takes over the header in `data`, of Select File or of the FCP.
pub(super) fn apply_header(data: &[u8], product: Product, content: &mut Content) -> Result<(), Misbehaviour> {
    let mut information = None;
    tlv::visit(data, |tag, value| {
        if tag == TAG_PROPRIETARY {
            information = Some(value);
        }
    })
    .map_err(Malformed::from)?;
    let information = information.ok_or(Malformed::Tag(TAG_PROPRIETARY))?;
    match header::parse(information, product)? {
        header::Header::Directory(directory) => {
            // Short identifiers mean other files in another directory.
            if content.directory.is_some_and(|known| known.lid != directory.lid) {
                content.files.clear();
                content.purse = None;
            }
            content.invalidated = directory.invalidated();
            content.directory = Some(directory);
        }
        header::Header::File(sfi, header) => content.files.set_header(sfi, header),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{applied, card, encoded};

    const R3: &str = "0A3C2005141001";
    const R2: &str = "0A2E1142000101";
    const FILE: &str = "8517 07 04 02 1D 01 1F000000 01010101 00 0000 00000000 00 2001 9000";

    /// Worked examples 20 to 27.
    #[test]
    fn encoding() {
        let by_lid = Select(SelectFile::Lid(Lid(0x1234)));
        assert_eq!(encoded(&by_lid, R3), "00A4090002123400");
        assert_eq!(encoded(&by_lid, R2), "94A4020002123400");
        assert_eq!(encoded(&by_lid, "03080304000200"), "94A4080002123400");
        assert_eq!(encoded(&Select(SelectFile::FirstFile), R3), "00A4020002000000");
        assert_eq!(encoded(&Select(SelectFile::NextFile), R3), "00A4020202000000");
        assert_eq!(encoded(&Select(SelectFile::CurrentDirectory), R3), "00A4090002000000");
    }

    /// Worked examples 20 and 22.
    #[test]
    fn headers_enter_the_image() {
        let mut card = card(R3);
        let select = Select(SelectFile::CurrentDirectory);
        applied(&select, &mut card, "8517 00 01 00 0000 10100000 01030101 00 777879 616770 00 3F00 9000").unwrap();
        assert_eq!(card.directory_header().unwrap().lid, Lid(0x3F00));
        applied(&select, &mut card, FILE).unwrap();
        assert_eq!(card.files().by_lid(Lid(0x2001)).unwrap().sfi().0, 7);
    }

    /// Point E-16.
    #[test]
    fn another_directory_has_other_files() {
        let mut card = card(R3);
        let select = Select(SelectFile::CurrentDirectory);
        applied(&select, &mut card, "8517 00 01 00 0000 10100000 01030101 00 777879 616770 00 3F00 9000").unwrap();
        applied(&select, &mut card, FILE).unwrap();
        applied(&select, &mut card, "8517 00 01 00 0000 10100000 01030101 00 777879 616770 00 2000 9000").unwrap();
        assert_eq!(card.files().iter().len(), 0);
    }

    #[test]
    fn nonsense_leaves_the_image() {
        let mut card = card(R3);
        let select = Select(SelectFile::FirstFile);
        let wrong_tag = &FILE.replacen("85", "84", 1);
        assert_eq!(applied(&select, &mut card, wrong_tag), Err(Malformed::Tag(0x85).into()));
        let wrong_type = &FILE.replacen("07 04", "07 09", 1);
        assert_eq!(applied(&select, &mut card, wrong_type), Err(Malformed::FileType.into()));
        assert_eq!(card.files().iter().len(), 0);
    }
}
