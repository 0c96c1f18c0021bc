//! Get Data, Card Generate Asymmetric Key Pair and PSO Compute Certificate, with an authority loaded into the SAM.

use std::sync::Arc;

use chacha20::ChaCha20Rng;
use chacha20::rand_core::SeedableRng;
use ogygia::pki::authority::{CardKeyPair, CardRequest};
use ogygia::pki::{Aid, CardPublicKey, Day, Validity};
use zeroize::Zeroizing;

use super::VirtualSam;
use crate::command::{Command, Reply};
use crate::pki::TestAuthority;
use crate::status::{self, Refusal};

/// The curve P-256, as commands name it.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
/// What stands before the certificate of the authority.
const CA_HEADER: [u8; 5] = [0xDF, 0x43, 0x82, 0x01, 0x80];
/// What stands before a key pair.
const KEY_PAIR_HEADER: [u8; 3] = [0xDF, 0x3C, 0x60];
/// What stands before the certificate of a card.
const CARD_HEADER: [u8; 5] = [0xDF, 0x45, 0x82, 0x01, 0x3C];
/// What stands before the fields of a certificate to compute, and their length without and with a public key.
const REQUEST_TAG: [u8; 2] = [0xDF, 0x25];
const WITHOUT_KEY: u8 = 0x3F;
const WITH_KEY: u8 = 0x7F;

/// What the SAM has to make certificates.
#[derive(Debug, Default)]
pub(super) struct Certifying {
    authority: Option<Arc<TestAuthority>>,
    /// The event counter tied to the key of the authority.
    pub(super) counter: Option<u8>,
    /// The key pair made last, until a certificate is made for it.
    generated: Option<CardKeyPair>,
}

impl Certifying {
    /// The power is lost.
    pub(super) fn forget(&mut self) {
        self.generated = None;
    }

    fn loaded(&self) -> Result<&TestAuthority, Refusal> {
        self.authority.as_deref().ok_or(status::FORBIDDEN)
    }
}

impl VirtualSam {
    /// Loads an authority: from here on the SAM tells its certificate and certifies cards in its name.
    pub fn load_authority(&mut self, authority: Arc<TestAuthority>) {
        self.certifying.authority = Some(authority);
    }

    pub(super) fn get_data(&self, command: &Command) -> Result<Reply, Refusal> {
        if (command.p1, command.p2) != (0xDF, 0x43) {
            return Err(status::NO_DATA_OBJECT);
        }
        let authority = self.certifying.loaded().map_err(|_| status::NO_DATA_OBJECT)?;
        if !command.data.is_empty() || !matches!(command.le, None | Some(0 | 0xFF)) {
            return Err(status::WRONG_LENGTH);
        }
        Ok(Reply::with([&CA_HEADER, authority.certificate().as_bytes().as_slice()].concat()))
    }

    pub(super) fn generate_key_pair(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0x80, 0x00)?;
        let curve: [u8; 10] = command.exactly()?;
        if curve != CURVE {
            return Err(status::WRONG_DATA);
        }
        self.certifying.loaded()?;
        let seed = Zeroizing::new(self.random::<32>());
        let pair = CardKeyPair::generate(&mut ChaCha20Rng::from_seed(*seed));
        let mut data = KEY_PAIR_HEADER.to_vec();
        data.extend(pair.public_key().to_bytes());
        data.extend(pair.expose_private().iter());
        self.certifying.generated = Some(pair);
        Ok(Reply::with(data))
    }

    pub(super) fn compute_certificate(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0xEE, 0xAC)?;
        let (head, key) = command.data.split_first_chunk::<66>().ok_or(status::WRONG_LENGTH)?;
        let key: Option<&[u8; 64]> = match key {
            [] => None,
            key => Some(key.try_into().map_err(|_| status::WRONG_LENGTH)?),
        };
        if !matches!(command.le, None | Some(0 | 0xFF)) {
            return Err(status::WRONG_LENGTH);
        }
        let length = if key.is_some() { WITH_KEY } else { WITHOUT_KEY };
        let fields = Fields::cut(head, length)?;
        let authority = self.certifying.loaded()?;
        let public_key = match key {
            Some(key) => CardPublicKey::new(key).map_err(|_| status::WRONG_DATA)?,
            None => self.certifying.generated.as_ref().ok_or(status::FORBIDDEN)?.public_key(),
        };
        let request = fields.request(public_key)?;
        self.counters.check(self.certifying.counter)?;
        // What the authority refuses is in the data: dates that end before they begin, a name of zeros.
        let certificate = authority.certify_request(&request).map_err(|_| status::WRONG_DATA)?;
        self.counters.count(self.certifying.counter)?;
        if key.is_none() {
            self.certifying.generated = None;
        }
        Ok(Reply::with([&CARD_HEADER, certificate.as_bytes().as_slice()].concat()))
    }
}

/// The fields of a certificate to compute: specification of the SAM layer, "PSO Compute Certificate".
struct Fields<'a> {
    aid: &'a [u8],
    serial: [u8; 8],
    start: [u8; 4],
    end: [u8; 4],
    startup: [u8; 7],
}

impl<'a> Fields<'a> {
    fn cut(bytes: &'a [u8; 66], length: u8) -> Result<Self, Refusal> {
        let (tag, rest) = take(bytes)?;
        if tag != REQUEST_TAG {
            return Err(status::NO_DATA_OBJECT);
        }
        let (sizes, rest) = take::<2>(rest)?;
        let (name, rest) = rest.split_first_chunk::<16>().ok_or(status::WRONG_LENGTH)?;
        let (serial, rest) = take(rest)?;
        let (index, rest) = take::<4>(rest)?;
        let (start, rest) = take(rest)?;
        let (end, rest) = take(rest)?;
        let (rights, rest) = take::<1>(rest)?;
        let (startup, padding) = take(rest)?;
        let [told, size] = sizes;
        let (aid, behind) = name.split_at_checked(usize::from(size)).ok_or(status::WRONG_DATA)?;
        let zeros = [behind, &index, &rights, padding].concat().iter().all(|byte| *byte == 0);
        if told != length || !zeros {
            return Err(status::WRONG_DATA);
        }
        Ok(Self { aid, serial, start, end, startup })
    }

    fn request(&self, public_key: CardPublicKey) -> Result<CardRequest, Refusal> {
        let day = |bytes| Day::from_bcd(bytes).map_err(|_| status::WRONG_DATA);
        Ok(CardRequest {
            aid: Aid::new(self.aid).ok_or(status::WRONG_DATA)?,
            serial_number: self.serial,
            startup_info: self.startup,
            public_key,
            validity: Validity { start: day(self.start)?, end: day(self.end)? },
            index: 0,
        })
    }
}

/// The first `N` bytes, and what is behind them.
fn take<const N: usize>(bytes: &[u8]) -> Result<([u8; N], &[u8]), Refusal> {
    bytes.split_first_chunk().map(|(first, rest)| (*first, rest)).ok_or(status::WRONG_LENGTH)
}
