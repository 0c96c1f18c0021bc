//! Reading a SAM: specification 03, "Read Parameters", "Read Event Counter", "Read Ceilings", "Read Key Parameters",
//! "Get Data (CA certificate)", "Layout of the blocks read from or written to SAM files".

use alloc::vec::Vec;

use super::command::{Encoder, Expected, Purpose, refusals};
use super::counter::{CounterRecord, IncrementAccess};
use super::image::{Ceiling, SamImage};
use super::key::{KeyParameters, KeyReference};
use crate::apdu::{Case, Response, StatusSet, StatusWord};
use crate::command::{CommandName, Refusal, Refusals};
use crate::error::{Error, Malformed, Misbehaviour};

pub(crate) const READ_PARAMETERS_REFUSALS: Refusals =
    refusals![(0x6900, Refusal::Terminated), (0x6A00, Refusal::IllegalParameter)];
pub(crate) const READ_EVENT_COUNTER_REFUSALS: Refusals = READ_PARAMETERS_REFUSALS;
pub(crate) const READ_CEILINGS_REFUSALS: Refusals = READ_PARAMETERS_REFUSALS;
pub(crate) const READ_KEY_PARAMETERS_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A83, Refusal::DataAccess),
];
pub(crate) const GET_DATA_REFUSALS: Refusals =
    refusals![(0x6700, Refusal::IllegalParameter), (0x6A88, Refusal::DataAccess)];

/// What can be read of a SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamData {
    /// The 29 bytes of its parameters.
    Parameters,
    /// What it tells of a key. A key that is not there is no error: its parameters are just not known.
    KeyParameters(KeyReference),
    /// Value, ceiling and access of an event counter, 0 to 26. They come with those of its eight neighbours.
    Counter(u8),
    /// Value, ceiling and access of all event counters.
    Counters,
    /// The certificate of the authority with which it signs certificates of cards.
    CaCertificate,
}

impl SamData {
    /// The commands that read it.
    pub(crate) fn for_each(self, mut each: impl FnMut(ReadCommand)) -> Result<(), Error> {
        let mut counters = |record| {
            each(ReadCommand::EventCounters(record));
            each(ReadCommand::Ceilings(record));
        };
        match self {
            Self::Counter(counter) => counters(CounterRecord::of(counter)?),
            Self::Counters => CounterRecord::ALL.into_iter().for_each(counters),
            Self::Parameters => each(ReadCommand::Parameters),
            Self::KeyParameters(key) => {
                key.check()?;
                each(ReadCommand::KeyParameters(key));
            }
            Self::CaCertificate => each(ReadCommand::CaCertificate),
        }
        Ok(())
    }
}

/// One reading command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReadCommand {
    Parameters,
    KeyParameters(KeyReference),
    EventCounters(CounterRecord),
    Ceilings(CounterRecord),
    CaCertificate,
}

/// Signature, record of 29 bytes, and what names it.
const RECORD_LEN: u16 = 48;
/// The same of a record of 13 bytes.
const KEY_RECORD_LEN: u16 = 32;
/// The signature in front of a record.
const SIGNATURE_LEN: usize = 8;
/// Where a record of ceilings has the bits that tell who may increase the counters: behind nine ceilings (point G-5).
const CONFIGURATION: usize = 27;
/// What stands in front of the certificate: tag and length.
const CA_CERTIFICATE_HEADER: [u8; 5] = [0xDF, 0x43, 0x82, 0x01, 0x80];
const CA_CERTIFICATE_LEN: u16 = 389;

impl ReadCommand {
    /// The status words after which the next command may be sent.
    pub(crate) const fn accepts(self) -> StatusSet {
        match self {
            Self::Parameters | Self::EventCounters(_) | Self::Ceilings(_) => StatusSet::POSTPONED,
            Self::KeyParameters(_) => StatusSet::POSTPONED.with(StatusSet::RECORD_NOT_FOUND),
            Self::CaCertificate => StatusSet::SUCCESS,
        }
    }

    /// Takes an answer whose status word is accepted into the image.
    pub(crate) fn apply(self, answer: Response<'_>, image: &mut SamImage) -> Result<(), Misbehaviour> {
        match self {
            Self::KeyParameters(key) if answer.status == StatusWord::RECORD_NOT_FOUND => {
                image.forget_key(key);
                return Ok(());
            }
            Self::Parameters => image.set_parameters(record(answer.data)?),
            Self::KeyParameters(key) => image.set_key(key, KeyParameters::new(record(answer.data)?)),
            Self::EventCounters(record_number) => {
                let record: [u8; 29] = record(answer.data)?;
                image.set_counters(record_number, values(&record));
            }
            Self::Ceilings(record_number) => {
                let record: [u8; 29] = record(answer.data)?;
                let configuration = record.get(CONFIGURATION..).and_then(<[u8]>::first_chunk::<2>);
                let configuration = u16::from_be_bytes(configuration.copied().unwrap_or_default());
                let access = (0..16).map(|bit| {
                    if configuration >> bit & 1 == 1 { IncrementAccess::Free } else { IncrementAccess::Protected }
                });
                let ceilings = values(&record).zip(access).map(|(value, access)| Ceiling { value, access });
                image.set_ceilings(record_number, ceilings);
            }
            Self::CaCertificate => {
                let certificate = answer.data.strip_prefix(&CA_CERTIFICATE_HEADER);
                let certificate = certificate.and_then(|bytes| bytes.try_into().ok()).ok_or(Malformed::DataObject)?;
                image.set_ca_certificate(certificate);
            }
        }
        image.note_read(self, answer.status == StatusWord::SUCCESS && self != Self::CaCertificate);
        Ok(())
    }
}

fn record<const N: usize>(block: &[u8]) -> Result<[u8; N], Misbehaviour> {
    let record = block.get(SIGNATURE_LEN..).and_then(<[u8]>::first_chunk::<N>).copied();
    record.ok_or(Misbehaviour::UnexpectedLength { expected: SIGNATURE_LEN + N, received: block.len() })
}

/// Three bytes for each of nine counters.
fn values(record: &[u8; 29]) -> impl Iterator<Item = u32> + '_ {
    let (triples, _) = record.as_chunks::<3>();
    triples.iter().map(|[high, middle, low]| u32::from_be_bytes([0, *high, *middle, *low]))
}

impl Encoder {
    pub(crate) fn read(self, command: ReadCommand, out: &mut Vec<u8>) -> Expected {
        let (name, answer_len) = match command {
            ReadCommand::Parameters => {
                self.header(0xBE, 0x00, 0xA0).write(Case::Two(0), &[], out);
                (CommandName::SamReadParameters, RECORD_LEN)
            }
            ReadCommand::KeyParameters(key) => {
                let (p2, data) = key.to_command();
                self.header(0xBC, 0x00, p2).write(Case::Three, &data, out);
                (CommandName::SamReadKeyParameters, KEY_RECORD_LEN)
            }
            ReadCommand::EventCounters(record) => {
                self.header(0xBE, 0x00, 0xE1 + record.number()).write(Case::Two(0), &[], out);
                (CommandName::SamReadEventCounter, RECORD_LEN)
            }
            ReadCommand::Ceilings(record) => {
                self.header(0xBE, 0x00, 0xB1 + record.number()).write(Case::Two(0), &[], out);
                (CommandName::SamReadCeilings, RECORD_LEN)
            }
            ReadCommand::CaCertificate => {
                self.header(0xCA, 0xDF, 0x43).write(Case::Two(0xFF), &[], out);
                (CommandName::SamGetData, CA_CERTIFICATE_LEN)
            }
        };
        Expected { name, answer_len, purpose: Purpose::Itself }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{KeyId, Kif, Kvc};
    use crate::sam::key::SystemKey;
    use crate::sam::{Sam, SamProduct};
    use crate::test_hex::hex;

    fn written(command: ReadCommand) -> (Vec<u8>, u16) {
        let mut out = Vec::new();
        let expected = Encoder(SamProduct::SamC1).read(command, &mut out);
        (out, expected.answer_len)
    }

    fn image() -> SamImage {
        SamImage::new(Sam::from_power_on_data(&[]))
    }

    fn apply(command: ReadCommand, answer: &str, image: &mut SamImage) -> Result<(), Misbehaviour> {
        command.apply(Response::parse(&hex(answer)).unwrap(), image)
    }

    fn record_of(counter: u8) -> CounterRecord {
        CounterRecord::of(counter).unwrap()
    }

    /// The worked examples.
    #[test]
    fn encoding() {
        assert_eq!(written(ReadCommand::Parameters), (hex("80BE00A000"), 48));
        assert_eq!(written(ReadCommand::EventCounters(record_of(0))), (hex("80BE00E100"), 48));
        assert_eq!(written(ReadCommand::EventCounters(record_of(26))), (hex("80BE00E300"), 48));
        assert_eq!(written(ReadCommand::Ceilings(record_of(9))), (hex("80BE00B200"), 48));
        let key = |key| written(ReadCommand::KeyParameters(key));
        assert_eq!(key(KeyReference::System(SystemKey::Personalization)), (hex("80BC00C1020000"), 32));
        assert_eq!(key(KeyReference::System(SystemKey::Authentication)).0, hex("80BC00C4020000"));
        assert_eq!(key(KeyReference::Record(126)).0, hex("80BC007E020000"));
        assert_eq!(key(KeyReference::Work(KeyId { kif: Kif(0x30), kvc: Kvc(0x79) })).0, hex("80BC00F0023079"));
        assert_eq!(written(ReadCommand::CaCertificate), (hex("80CADF43FF"), 389));
    }

    #[test]
    fn counters_and_ceilings() {
        let mut image = image();
        let counters = "C1C2C3C4C5C6C7C81000001111111222221333331444441555551666661777771888880000E1AEC11A5CFAFF40800000\
                        9000";
        apply(ReadCommand::EventCounters(record_of(0)), counters, &mut image).unwrap();
        assert_eq!([4, 8, 9, 27].map(|c| image.counter(c)), [Some(0x14_4444), Some(0x18_8888), None, None]);
        let ceilings = "C1C2C3C4C5C6C7C82000002111112222222333332444442555552666662777772888880102E1AEC11A5CFAFF40800000\
                        6200";
        apply(ReadCommand::Ceilings(record_of(0)), ceilings, &mut image).unwrap();
        assert_eq!(image.ceiling(4), Some(0x24_4444));
        let access = [0, 1, 7, 8, 9].map(|c| image.increment_access(c));
        let (free, protected) = (Some(IncrementAccess::Free), Some(IncrementAccess::Protected));
        assert_eq!(access, [protected, free, protected, free, None]);
        assert_eq!(image.is_signed(SamData::Counter(0)), Some(false));
        assert_eq!(image.is_signed(SamData::Counter(9)), None);
    }

    #[test]
    fn keys_and_parameters() {
        let mut image = image();
        let key = KeyReference::System(SystemKey::Personalization);
        let answer = "C1C2C3C4C5C6C7C8E1F1401112130115161718191AC111223344FAFF408000009000";
        apply(ReadCommand::KeyParameters(key), answer, &mut image).unwrap();
        assert_eq!(image.key_parameters(key).unwrap().id().kvc, Kvc(0xF1));
        assert_eq!(image.is_signed(SamData::KeyParameters(key)), Some(true));
        let absent = KeyReference::Record(1);
        apply(ReadCommand::KeyParameters(absent), "6A83", &mut image).unwrap();
        assert_eq!((image.key_parameters(absent), image.is_signed(SamData::KeyParameters(absent))), (None, None));
        let answer = "C1C2C3C4C5C6C7C8000102030405060708090A0B0C0D0E0F101112131415161718191A1B1CA011223344FAFF40800000\
                      9000";
        apply(ReadCommand::Parameters, answer, &mut image).unwrap();
        assert!(image.parameters().unwrap().iter().copied().eq(0..29));
    }

    #[test]
    fn certificate_of_the_authority() {
        let mut image = image();
        let mut answer = hex("DF43820180");
        answer.extend([0x5A; 384]);
        answer.extend([0x90, 0x00]);
        ReadCommand::CaCertificate.apply(Response::parse(&answer).unwrap(), &mut image).unwrap();
        assert_eq!(image.ca_certificate(), Some(&[0x5A; 384]));
        answer[1] = 0x44;
        let refused = ReadCommand::CaCertificate.apply(Response::parse(&answer).unwrap(), &mut image);
        assert_eq!(refused, Err(Malformed::DataObject.into()));
    }

    #[test]
    fn short_answers_are_refused() {
        let length = |received| Err(Misbehaviour::UnexpectedLength { expected: 37, received });
        assert_eq!(apply(ReadCommand::Parameters, "C1C29000", &mut image()), length(2));
        let counter = SamData::Counter(27).for_each(|_| ());
        assert!(counter.is_err());
    }
}
