//! Sessions of cards with asymmetric keys: specification 01, "Open Secure Session, PKI variant", and 04, "PKI secure
//! session".

use super::apdu::Apdu;
use super::get_data::{CertificateKind, GetOne};
use super::list::List;
use super::name::CommandName;
use super::open::MergedRead;
use super::step::{AnswerLength, Encoder, Exchange, Step};
use super::terms::{Mode, Terms};
use crate::apdu::Case;
use crate::error::Error;
#[cfg(feature = "pki")]
use crate::{card::Card, card::value::u24, error::Malformed};

/// Opens a session in which the card signs what is exchanged, for a transaction with trusted certificates. The terminal
/// proves nothing to the card, so that only files can be written that anybody may write. Needs
/// [`Security::Pki`](crate::transaction::Security) (feature `pki`).
///
/// The certificate of the card is read before, where the image has none. The certificate of its authority is read when
/// the authority turns out not to be trusted yet; by then the session is open, and a card may count that reading as a
/// part of it and sign something else than the terminal hashes. Where cards of unknown authorities are met, prepare
/// [`GetData`](super::GetData) of both certificates before.
///
/// [`CancelSession`](super::CancelSession) of such a session is, to the byte, the command that closes it: the image goes
/// back to what it was, but whether a card takes back what was written is not specified.
///
/// A refusal of the preparation leaves what is prepared as it is.
///
/// ```
/// # #[cfg(feature = "pki")]
/// # fn session(card: ogygia::card::Card, roots: ogygia::pki::TrustStore, challenge: [u8; 8]) -> Result<(), ogygia::Error> {
/// use ogygia::card::Sfi;
/// use ogygia::command::{CloseSession, OpenPkiSession, ReadRecords};
/// use ogygia::pki::Day;
/// use ogygia::transaction::{PkiSettings, Security, Transaction};
///
/// let Some(today) = Day::new(2026, 11, 25) else { return Ok(()) };
/// let mut transaction = Transaction::new(card, Security::Pki(PkiSettings::new(roots, today)))?;
/// transaction.prepare(OpenPkiSession { challenge })?;
/// transaction.prepare(ReadRecords { sfi: Sfi(7), records: 1..=1, size: 29 })?;
/// transaction.prepare(CloseSession)?;
/// // Once this is processed without an error, the card has signed what it gave.
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenPkiSession {
    /// From a cryptographic random generator, fresh for each session: it makes the signature fresh.
    pub challenge: [u8; 8],
}

impl OpenPkiSession {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        if terms.means.mode != Mode::Asymmetric {
            return Err(Error::Unsupported(CommandName::OpenSecureSession));
        }
        list.outside_session()?;
        let card_certificate = GetOne::Certificate { kind: CertificateKind::Card, second: false };
        let waits = list.commands().iter().any(|prepared| prepared.step == Step::Get(card_certificate));
        if terms.card.card_certificate().is_empty() && !waits {
            list.push(card_certificate);
            list.push(GetOne::Certificate { kind: CertificateKind::Card, second: true });
        }
        list.open_pki(PkiOpening { challenge: self.challenge, read: None });
        Ok(())
    }
}

/// One Open Secure Session whose exchanges the card will sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PkiOpening {
    pub(crate) challenge: [u8; 8],
    pub(crate) read: Option<MergedRead>,
}

impl Exchange for PkiOpening {
    fn name(&self) -> CommandName {
        CommandName::OpenSecureSession
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (record, sfi) = self.read.map_or((0, 0), |read| (read.record, read.sfi.0));
        let [a, b, c, d, e, f, g, h] = self.challenge;
        Apdu::new(to.header(0x8A, record << 3, sfi << 3 | 3), [0, a, b, c, d, e, f, g, h])
    }

    /// The structure is checked when the answer is read.
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }
}

/// What the answer to such an opening says.
#[cfg(feature = "pki")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PkiOpened<'a> {
    pub(crate) transaction_counter: u32,
    /// Of the session before.
    pub(crate) ratified: bool,
    pub(crate) record: &'a [u8],
}

#[cfg(feature = "pki")]
impl<'a> PkiOpened<'a> {
    /// Reads the data field of the answer, which must name the card of the image.
    pub(crate) fn parse(data: &'a [u8], card: &Card, read: Option<MergedRead>) -> Result<Self, Malformed> {
        let wanted = read.map_or(0, |read| usize::from(read.size));
        let opened = Self::cut(data, card).ok_or(Malformed::Opening)?;
        if opened.record.len() >= wanted { Ok(opened) } else { Err(Malformed::Opening) }
    }

    fn cut(data: &'a [u8], card: &Card) -> Option<Self> {
        let (name_len, rest) = data.split_first()?;
        let (name, rest) = rest.split_at_checked(usize::from(*name_len))?;
        let (serial, rest) = rest.split_first_chunk::<8>()?;
        // A status, the card's challenge, flags, and two bytes without meaning here.
        let (&[_, a, b, c, _, _, _, _, _, flags, _, _, len], record) = rest.split_first_chunk::<13>()?;
        let same_card = name == card.df_name() && *serial == card.full_serial_number();
        (same_card && record.len() == usize::from(len)).then_some(Self {
            transaction_counter: u24([a, b, c]),
            ratified: flags & 1 == 0,
            record,
        })
    }
}

/// One Close Secure Session that the card answers with its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PkiClose;

impl Exchange for PkiClose {
    fn name(&self) -> CommandName {
        CommandName::CloseSecureSession
    }

    fn case(&self) -> Case {
        Case::Two(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::bare(to.header(0x8E, 0x00, 0x00))
    }

    /// The signature is checked when it is verified.
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn digested(&self) -> bool {
        false
    }
}

#[cfg(all(test, feature = "pki"))]
mod tests {
    use super::*;
    use crate::card::Sfi;
    use crate::command::step::tests::{card, encoded};
    use crate::test_hex::hex;

    const PKI: &str = "0A3C3005141001";
    const READ: MergedRead = MergedRead { sfi: Sfi(7), record: 1, size: 2 };

    /// Worked example 89.
    #[test]
    fn opening() {
        let opening = PkiOpening { challenge: [1, 2, 3, 4, 5, 6, 7, 8], read: Some(READ) };
        assert_eq!(encoded(&opening, PKI), "008A083B0900010203040506070800");
        let data = hex("09 315449432E49434131 0000000011223344 00 0304909805060708 01 FFFF 02 AABB");
        let opened = PkiOpened::parse(&data, &card(PKI), Some(READ)).unwrap();
        assert_eq!((opened.transaction_counter, opened.ratified, opened.record.len()), (0x03_0490, false, 2));
        assert_eq!(encoded(&PkiClose, PKI), "008E000000");
    }

    /// Point 22 of specification 04.
    #[test]
    fn another_card() {
        let parse = |data: &str| PkiOpened::parse(&hex(data), &card(PKI), None).is_ok();
        assert!(parse("09 315449432E49434131 0000000011223344 00 0304909805060708 01 FFFF 00"));
        assert!(!parse("09 315449432E49434132 0000000011223344 00 0304909805060708 01 FFFF 00"));
        assert!(!parse("09 315449432E49434131 0000000011223345 00 0304909805060708 01 FFFF 00"));
        assert!(!parse("09 315449432E49434131 0000000011223344 00 0304909805060708 01 FFFF 01"));
        assert!(!parse("09 315449432E49434131 00000000"));
        assert!(!parse(""));
    }
}
