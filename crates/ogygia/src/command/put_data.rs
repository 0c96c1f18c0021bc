//! Put Data and Generate Asymmetric Key Pair: specification 01, sections of these names.

use super::apdu::Apdu;
use super::get_data::CertificateKind;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{Encoder, Exchange, Exchanged, Moment, Span};
use super::terms::{Terms, check};
use crate::apdu::Case;
use crate::card::{Card, PUBLIC_KEY_LEN};
use crate::error::{Argument, Error, Misbehaviour, Misuse};

/// Writes a data object of a card with asymmetric keys. Outside a session. A refusal leaves what is prepared as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutData<'a> {
    /// Public key (64 bytes) and private key (32 bytes).
    KeyPair(&'a [u8]),
    /// Certificate of the card, 316 bytes.
    CardCertificate(&'a [u8]),
    /// Certificate of the authority that issued it, 384 bytes.
    CaCertificate(&'a [u8]),
}

/// Has the card make a key pair of its own. Outside a session. A refusal leaves what is prepared as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerateKeyPair;

pub(super) const PUT_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalParameter),
    (0x6A87, Refusal::IllegalParameter),
    (0x6A88, Refusal::DataAccess),
    (0x6A8A, Refusal::IllegalParameter),
    (0x6B00, Refusal::IllegalParameter),
    (0x6D00, Refusal::IllegalParameter),
];

pub(super) const GENERATE_REFUSALS: Refusals = &[
    (0x6700, Refusal::DataAccess),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A80, Refusal::IllegalParameter),
    (0x6D00, Refusal::IllegalParameter),
];

const KEY_PAIR_LEN: usize = 96;

/// DER object identifier of the curve P-256.
const CURVE_P256: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];

impl PutData<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        list.outside_session()?;
        if !terms.card.features().pki {
            return Err(Error::Unsupported(CommandName::PutData));
        }
        match *self {
            Self::KeyPair(pair) => {
                check(pair.len() == KEY_PAIR_LEN, Argument::Data)?;
                let data = list.store_secret(pair);
                list.push(Put { object: Object::KeyPair, data });
                Ok(())
            }
            Self::CardCertificate(certificate) => prepare_certificate(CertificateKind::Card, certificate, list, terms),
            Self::CaCertificate(certificate) => prepare_certificate(CertificateKind::Ca, certificate, list, terms),
        }
    }
}

fn prepare_certificate(
    kind: CertificateKind,
    certificate: &[u8],
    list: &mut List,
    terms: &Terms<'_>,
) -> Result<(), Error> {
    check(certificate.len() == kind.len(), Argument::Data)?;
    let header = kind.header();
    let first = usize::from(terms.card.payload_capacity()).saturating_sub(header.len()).min(certificate.len());
    let (first, second) = certificate.split_at_checked(first).ok_or(Argument::Data)?;
    let data = list.store_with(|out| {
        out.extend_from_slice(&header);
        out.extend_from_slice(first);
    });
    list.push(Put { object: Object::FirstPart(kind), data });
    let data = list.store(second);
    list.push(Put { object: Object::SecondPart(kind), data });
    Ok(())
}

impl GenerateKeyPair {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        if !terms.card.features().pki {
            return Err(Error::Unsupported(CommandName::GenerateAsymmetricKeyPair));
        }
        if terms.session_is_open {
            return Err(Misuse::SessionOpen.into());
        }
        list.push(Generate);
        Ok(())
    }
}

/// One Put Data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    object: Object,
    data: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    KeyPair,
    FirstPart(CertificateKind),
    SecondPart(CertificateKind),
}

impl Exchange for Put {
    fn name(&self) -> CommandName {
        CommandName::PutData
    }

    fn case(&self) -> Case {
        Case::Three
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (p1, p2) = match self.object {
            Object::KeyPair => (0xDF, 0x3C),
            Object::FirstPart(kind) => kind.place(false),
            Object::SecondPart(kind) => kind.place(true),
        };
        Apdu::new(to.header(0xDA, p1, p2), to.data(self.data))
    }

    fn modifies(&self) -> bool {
        true
    }

    fn digested(&self) -> bool {
        false
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        let data = self.data.of(exchanged.payload);
        match self.object {
            Object::KeyPair => card.public_key = data.first_chunk::<PUBLIC_KEY_LEN>().copied(),
            Object::FirstPart(kind) => kind.take_part(false, data, card)?,
            Object::SecondPart(kind) => kind.take_part(true, data, card)?,
        }
        Ok(())
    }
}

/// One Generate Asymmetric Key Pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generate;

impl Exchange for Generate {
    fn name(&self) -> CommandName {
        CommandName::GenerateAsymmetricKeyPair
    }

    fn case(&self) -> Case {
        Case::Three
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        Apdu::new(to.header(0x46, 0x00, 0x00), CURVE_P256)
    }

    fn modifies(&self) -> bool {
        true
    }

    fn digested(&self) -> bool {
        false
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{card, encoded, processed};
    use alloc::vec::Vec;

    const PKI: &str = "0A503005141001";

    /// Worked examples 34 and 35.
    #[test]
    fn certificates_travel_in_two_parts() {
        let mut card = card(PKI);
        let certificate: Vec<u8> = (0..316_u16).map(|byte| byte.to_le_bytes()[0]).collect();
        let upper =
            |bytes: &[u8]| bytes.iter().map(|byte| alloc::format!("{byte:02X}")).collect::<alloc::string::String>();
        let first = alloc::format!("00DADF4CFADF4C82013C{}", upper(&certificate[..245]));
        let second = alloc::format!("00DADF4D47{}", upper(&certificate[245..]));
        let put = PutData::CardCertificate(&certificate);
        processed(&mut card, put.into(), &[&first, &second], &["9000", "9000"]).unwrap();
        assert_eq!(card.card_certificate(), certificate);
        assert_eq!(encoded(&Generate, PKI), "004600000A06082A8648CE3D030107");
    }

    #[test]
    fn arguments() {
        let refused = |put: PutData<'_>| processed(&mut card(PKI), put.into(), &[], &[]).unwrap_err();
        assert_eq!(refused(PutData::KeyPair(&[0; 95])), Argument::Data.into());
        assert_eq!(refused(PutData::CardCertificate(&[0; 317])), Argument::Data.into());
        assert_eq!(refused(PutData::CaCertificate(&[0; 383])), Argument::Data.into());
        let other = processed(&mut card("0A3C2005141001"), PutData::KeyPair(&[0; 96]).into(), &[], &[]);
        assert_eq!(other, Err(Error::Unsupported(CommandName::PutData)));
    }
}
