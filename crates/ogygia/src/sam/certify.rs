//! Key pairs and certificates for cards: specification 03, "Card Generate Asymmetric Key Pair" and "PSO Compute
//! Certificate".

use alloc::vec::Vec;

use super::command::{Encoder, Expected, Purpose, refusals};
use crate::apdu::Case;
use crate::command::{CommandName, Refusal, Refusals};
use crate::day::Day;
use crate::error::{Argument, Error, Malformed, Misbehaviour};
use crate::secret::Secret;

pub(crate) const GENERATE_KEY_PAIR_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalData),
    (0x6B00, Refusal::IllegalParameter),
];
pub(crate) const COMPUTE_CERTIFICATE_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalData),
    (0x6A88, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

/// Bytes of the certificate of a card.
pub(crate) const CERTIFICATE_LEN: usize = 316;

/// A key pair that a SAM has made for a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamKeyPair(Secret<96>);

impl SamKeyPair {
    /// The public key: both coordinates of a point of the curve P-256.
    #[must_use]
    pub fn public_key(&self) -> [u8; 64] {
        self.0.reveal().first_chunk().copied().unwrap_or([0; 64])
    }

    /// Both keys, the public one first, as a card takes them ([`DataTag::CardKeyPair`](crate::command::DataTag)).
    #[must_use]
    pub const fn reveal(&self) -> &[u8; 96] {
        self.0.reveal()
    }
}

/// Has the SAM make a certificate for a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertifyCard<'a> {
    /// The application: 5 to 16 bytes, not all zeros.
    pub aid: &'a [u8],
    /// The serial number of the card.
    pub serial_number: [u8; 8],
    /// The startup information of the application.
    pub startup_info: [u8; 7],
    /// The first day on which the certificate is valid; always when absent.
    pub start: Option<Day>,
    /// The last day; for ever when absent.
    pub end: Option<Day>,
    /// The public key of the card; the one of the key pair that the SAM has made last when absent.
    pub public_key: Option<&'a [u8; 64]>,
}

/// Tag and length in front of a key pair.
const KEY_PAIR_HEADER: [u8; 3] = [0xDF, 0x3C, 0x60];
/// Tag and length in front of a certificate.
const CERTIFICATE_HEADER: [u8; 5] = [0xDF, 0x45, 0x82, 0x01, 0x3C];
/// The length and the object identifier of the curve P-256.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];

impl CertifyCard<'_> {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let named = (5..=16).contains(&self.aid.len()) && self.aid.iter().any(|byte| *byte != 0);
        if named { Ok(()) } else { Err(Argument::Aid.into()) }
    }
}

pub(crate) fn key_pair(answer: &[u8]) -> Result<SamKeyPair, Misbehaviour> {
    let pair = answer.strip_prefix(&KEY_PAIR_HEADER).and_then(|pair| pair.try_into().ok());
    pair.map(Secret::new).map(SamKeyPair).ok_or(Malformed::DataObject.into())
}

pub(crate) fn certificate(answer: &[u8]) -> Result<[u8; CERTIFICATE_LEN], Misbehaviour> {
    let certificate = answer.strip_prefix(&CERTIFICATE_HEADER).and_then(|bytes| bytes.try_into().ok());
    certificate.ok_or(Malformed::DataObject.into())
}

impl Encoder {
    pub(crate) fn generate_key_pair(self, out: &mut Vec<u8>) -> Expected {
        self.header(0x46, 0x80, 0x00).write(Case::Four(0x63), &CURVE, out);
        Expected { name: CommandName::SamGenerateAsymmetricKeyPair, answer_len: 99, purpose: Purpose::Itself }
    }

    pub(crate) fn compute_certificate(self, certify: &CertifyCard<'_>, out: &mut Vec<u8>) -> Expected {
        let key = certify.public_key.map_or(&[][..], |key| key);
        let len = u8::try_from(63 + key.len()).unwrap_or(u8::MAX);
        let mut aid = [0; 16];
        aid.iter_mut().zip(certify.aid).for_each(|(to, from)| *to = *from);
        let date = |day: Option<Day>| day.map_or([0; 4], Day::to_bcd);
        let data = [
            &[0xDF, 0x25, len, u8::try_from(certify.aid.len()).unwrap_or(u8::MAX)][..],
            &aid,
            &certify.serial_number,
            &[0; 4],
            &date(certify.start),
            &date(certify.end),
            &[0],
            &certify.startup_info,
            &[0; 18],
            key,
        ]
        .concat();
        self.header(0x2A, 0xEE, 0xAC).write(Case::Four(0xFF), &data, out);
        Expected { name: CommandName::SamPsoComputeCertificate, answer_len: 321, purpose: Purpose::Itself }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::SamProduct;
    use crate::test_hex::hex;

    const C1: Encoder = Encoder(SamProduct::SamC1);

    fn certify<'a>(aid: &'a [u8], public_key: Option<&'a [u8; 64]>) -> CertifyCard<'a> {
        CertifyCard {
            aid,
            serial_number: [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44],
            startup_info: [0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10, 0x01],
            start: Day::new(2024, 2, 22),
            end: Day::new(2034, 12, 31),
            public_key,
        }
    }

    /// The worked examples.
    #[test]
    fn encoding() {
        let mut out = Vec::new();
        assert_eq!(C1.generate_key_pair(&mut out).answer_len, 99);
        assert_eq!(out, hex("804680000A06082A8648CE3D03010763"));
        out.clear();
        let expected = "802AEEAC42DF253F09315449432E49434131000000000000000000000011223344000000002024022220341231000A3C\
                        2005141001000000000000000000000000000000000000FF";
        assert_eq!(C1.compute_certificate(&certify(b"1TIC.ICA1", None), &mut out).answer_len, 321);
        assert_eq!(out, hex(expected));
    }

    /// The length is that of this request, whatever the one before had (point G-29).
    #[test]
    fn with_a_key() {
        let (mut with, mut without) = (Vec::new(), Vec::new());
        C1.compute_certificate(&certify(b"1TIC.ICA1", Some(&[0x5A; 64])), &mut with);
        C1.compute_certificate(&certify(b"1TIC.ICA1", None), &mut without);
        assert_eq!((with.len(), &with[4..8]), (5 + 130 + 1, &[0x82, 0xDF, 0x25, 0x7F][..]));
        assert_eq!((without.len(), &without[4..8]), (5 + 66 + 1, &[0x42, 0xDF, 0x25, 0x3F][..]));
        assert_eq!(with[5 + 66..5 + 130], [0x5A; 64]);
    }

    #[test]
    fn answers() {
        let pair = [&hex("DF3C60")[..], &[0x11; 64], &[0x22; 32]].concat();
        let read = key_pair(&pair).unwrap();
        assert_eq!((read.public_key(), &read.reveal()[64..]), ([0x11; 64], &[0x22; 32][..]));
        assert_eq!(alloc::format!("{read:?}"), "SamKeyPair(Secret(..))");
        assert_eq!(key_pair(&pair[1..]), Err(Malformed::DataObject.into()));
        let made = [&hex("DF4582013C")[..], &[0x33; 316]].concat();
        assert_eq!(certificate(&made), Ok([0x33; 316]));
        assert!(certificate(&made[..320]).is_err() && certificate(&pair).is_err());
    }

    #[test]
    fn names() {
        let fits = |aid: &[u8]| certify(aid, None).check().is_ok();
        assert_eq!([&[1; 4][..], &[1; 5], &[1; 16], &[1; 17], &[0; 5]].map(fits), [false, true, true, false, false]);
    }
}
