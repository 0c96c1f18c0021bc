//! Asymmetric objects of a directory: key pair, certificate of the card, certificate of its authority. Get Data, Put
//! Data, Generate Asymmetric Key Pair. The card stores certificates and hardly looks into them.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{CardError, VirtualCard};
use crate::cipher::{KeyPair, PRIVATE_LEN, PUBLIC_LEN};
use crate::command::{Command, Reply};
use crate::hex::Hex;
use crate::pki::PkiIdentity;
use crate::profile::ProductType;
use crate::status::{self, Refusal};

/// First byte of the names of all asymmetric objects.
const OBJECT: u8 = 0xDF;
const PUBLIC_KEY: u8 = 0x2C;
const KEY_PAIR: u8 = 0x3C;

/// Object identifier of the curve P-256.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];

/// Put Data has meanings of its own for these two.
const LENGTH_OF_OBJECT: Refusal = status::WRONG_DATA;
const CONTENT_OF_OBJECT: Refusal = status::LC_DOES_NOT_MATCH;

/// Bytes in front of the first part of a certificate: name and length.
const HEADER_LEN: usize = 5;

/// The asymmetric objects of one directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Objects {
    pub(super) key_pair: Option<KeyPair>,
    card_certificate: Option<Hex<Vec<u8>>>,
    ca_certificate: Option<Hex<Vec<u8>>>,
}

/// The two kinds of certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Card,
    Ca,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Card, Self::Ca];

    /// The kind that a second byte names, and whether it names the second part.
    const fn of(p2: u8) -> Option<(Self, bool)> {
        match p2 {
            0x4A => Some((Self::Ca, false)),
            0x4B => Some((Self::Ca, true)),
            0x4C => Some((Self::Card, false)),
            0x4D => Some((Self::Card, true)),
            _ => None,
        }
    }

    const fn len(self) -> usize {
        match self {
            Self::Card => 316,
            Self::Ca => 384,
        }
    }

    const fn header(self) -> [u8; HEADER_LEN] {
        match self {
            Self::Card => [OBJECT, 0x4C, 0x82, 0x01, 0x3C],
            Self::Ca => [OBJECT, 0x4A, 0x82, 0x01, 0x80],
        }
    }

    /// First byte of the certificate.
    const fn type_byte(self) -> u8 {
        match self {
            Self::Card => 0x91,
            Self::Ca => 0x90,
        }
    }
}

impl Objects {
    const fn certificate(&self, kind: Kind) -> Option<&Hex<Vec<u8>>> {
        match kind {
            Kind::Card => self.card_certificate.as_ref(),
            Kind::Ca => self.ca_certificate.as_ref(),
        }
    }

    fn set_certificate(&mut self, kind: Kind, bytes: Vec<u8>) {
        match kind {
            Kind::Card => self.card_certificate = Some(Hex(bytes)),
            Kind::Ca => self.ca_certificate = Some(Hex(bytes)),
        }
    }

    /// Whether what is there has its size.
    pub(super) fn fits(&self) -> bool {
        let right = |kind: Kind| self.certificate(kind).is_none_or(|bytes| bytes.len() == kind.len());
        Kind::ALL.into_iter().all(right)
    }
}

/// What a certificate says of the directory that has the key.
pub(crate) struct Holder<'a> {
    pub(crate) name: &'a [u8],
    pub(crate) serial: [u8; 8],
    pub(crate) startup: [u8; 7],
}

/// The first part of a certificate that is being written.
#[derive(Debug)]
pub(super) struct FirstPart {
    kind: Kind,
    bytes: Vec<u8>,
}

/// What personalization does without commands.
impl VirtualCard {
    /// Gives the directory `df_lid` a key pair and certificates, whatever it has and whatever they say: Put Data
    /// would look at them.
    ///
    /// # Errors
    ///
    /// [`CardError::NoAsymmetricMode`].
    pub fn personalize_pki(&mut self, df_lid: u16, identity: &PkiIdentity) -> Result<(), CardError> {
        let at = self.asymmetric_at(df_lid).ok_or(CardError::NoAsymmetricMode(df_lid))?;
        let objects = self.memory.asymmetric.get_mut(at).ok_or(CardError::NoAsymmetricMode(df_lid))?;
        objects.key_pair = Some(identity.key_pair().clone());
        objects.card_certificate = Some(Hex(identity.card_certificate().to_vec()));
        objects.ca_certificate = Some(Hex(identity.ca_certificate().to_vec()));
        Ok(())
    }

    /// Long identifiers of the directories that can have a key pair.
    pub fn pki_directories(&self) -> impl Iterator<Item = u16> + '_ {
        self.applications.iter().map(|found| found.lid).filter(|lid| self.asymmetric_at(*lid).is_some())
    }

    /// Name, serial number and startup information of a directory that can have a key pair.
    pub(crate) fn holder(&self, df_lid: u16) -> Result<Holder<'_>, CardError> {
        let at = self.asymmetric_at(df_lid).ok_or(CardError::NoAsymmetricMode(df_lid))?;
        let application = self.applications.get(at).ok_or(CardError::NoAsymmetricMode(df_lid))?;
        let name = application.name.as_deref().unwrap_or_default();
        Ok(Holder { name, serial: application.serial, startup: application.startup })
    }

    fn asymmetric_at(&self, df_lid: u16) -> Option<usize> {
        let found = self.applications.iter().position(|found| found.lid == df_lid && found.features.pki_mode);
        found.filter(|_| self.has_asymmetric_mode())
    }
}

impl VirtualCard {
    /// Whether some directory of the card has asymmetric objects.
    fn has_asymmetric_mode(&self) -> bool {
        self.product() == ProductType::Prime3 && self.applications.iter().any(|found| found.features.pki_mode)
    }

    /// Index of the current directory, if it has asymmetric objects.
    fn asymmetric_directory(&self) -> Option<usize> {
        let here = self.application().is_some_and(|application| application.features.pki_mode);
        self.field.application.filter(|_| here && self.has_asymmetric_mode())
    }

    /// The asymmetric objects of the current directory, if it can have some.
    pub(super) fn objects(&self) -> Option<&Objects> {
        self.memory.asymmetric.get(self.asymmetric_directory()?)
    }

    fn objects_mut(&mut self) -> Option<&mut Objects> {
        let at = self.asymmetric_directory()?;
        self.memory.asymmetric.get_mut(at)
    }

    /// Get Data of an asymmetric object.
    pub(super) fn get_object(&self, name: u8) -> Result<Reply, Refusal> {
        let objects = self.objects().ok_or(status::NO_DATA_OBJECT)?;
        if name == PUBLIC_KEY {
            let public = objects.key_pair.as_ref().ok_or(status::NO_DATA_OBJECT)?.public();
            return Ok(Reply::with([&[OBJECT, PUBLIC_KEY, 0x40], &public[..]].concat()));
        }
        let (kind, second) = Kind::of(name).ok_or(status::WRONG_P1P2)?;
        let certificate = objects.certificate(kind).ok_or(status::NO_DATA_OBJECT)?;
        let (first, rest) = self.cut(kind, certificate);
        Ok(Reply::with(if second { rest } else { first }))
    }

    /// The two parts of a certificate as they are read and written.
    fn cut(&self, kind: Kind, certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let mut first = [&kind.header(), certificate].concat();
        let rest = first.split_off(first.len().min(usize::from(self.profile.payload_capacity)));
        (first, rest)
    }

    /// Put Data: `begun` is the first part of a certificate, if the command before brought one.
    pub(super) fn put_data(&mut self, command: &Command, begun: Option<FirstPart>) -> Result<Reply, Refusal> {
        if !self.has_asymmetric_mode() {
            return Err(status::UNKNOWN_INS);
        }
        let target = if command.p2 == KEY_PAIR { None } else { Kind::of(command.p2) };
        if command.p1 != OBJECT || (target.is_none() && command.p2 != KEY_PAIR) {
            return Err(status::WRONG_P1P2);
        }
        if command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        if self.field.session.is_some() {
            return Err(status::FORBIDDEN);
        }
        match target {
            None => self.put_key_pair(&command.data),
            Some((kind, false)) => self.put_first(kind, &command.data),
            Some((kind, true)) => self.put_second(kind, &command.data, begun),
        }
    }

    fn put_key_pair(&mut self, data: &[u8]) -> Result<Reply, Refusal> {
        let objects = self.objects_mut().ok_or(status::NO_DATA_OBJECT)?;
        if objects.key_pair.is_some() {
            return Err(status::FORBIDDEN);
        }
        let (public, private) = data.split_first_chunk::<PUBLIC_LEN>().ok_or(LENGTH_OF_OBJECT)?;
        let private: &[u8; PRIVATE_LEN] = private.try_into().map_err(|_| LENGTH_OF_OBJECT)?;
        let pair = KeyPair::from_private(private).filter(|pair| pair.public() == *public);
        objects.key_pair = Some(pair.ok_or(CONTENT_OF_OBJECT)?);
        Ok(Reply::done())
    }

    fn put_first(&mut self, kind: Kind, data: &[u8]) -> Result<Reply, Refusal> {
        self.is_free(kind)?;
        if data.len() != usize::from(self.profile.payload_capacity) {
            return Err(LENGTH_OF_OBJECT);
        }
        match data.strip_prefix(&kind.header()) {
            Some(bytes) if bytes.first() == Some(&kind.type_byte()) => {
                self.field.first_part = Some(FirstPart { kind, bytes: bytes.to_vec() });
                Ok(Reply::done())
            }
            _ => Err(CONTENT_OF_OBJECT),
        }
    }

    fn put_second(&mut self, kind: Kind, data: &[u8], begun: Option<FirstPart>) -> Result<Reply, Refusal> {
        self.is_free(kind)?;
        let FirstPart { mut bytes, .. } = begun.filter(|begun| begun.kind == kind).ok_or(status::FORBIDDEN)?;
        bytes.extend_from_slice(data);
        if bytes.len() != kind.len() {
            return Err(LENGTH_OF_OBJECT);
        }
        if kind == Kind::Card {
            self.is_about_me(&bytes)?;
        }
        let objects = self.objects_mut().ok_or(status::NO_DATA_OBJECT)?;
        objects.set_certificate(kind, bytes);
        Ok(Reply::done())
    }

    /// Whether a certificate can be written: each is written once.
    fn is_free(&self, kind: Kind) -> Result<(), Refusal> {
        let objects = self.objects().ok_or(status::NO_DATA_OBJECT)?;
        if objects.certificate(kind).is_none() { Ok(()) } else { Err(status::FORBIDDEN) }
    }

    /// Whether a card certificate names the current application (length, value) and, behind it, this card.
    fn is_about_me(&self, certificate: &[u8]) -> Result<(), Refusal> {
        let application = self.application().ok_or(status::NO_DATA_OBJECT)?;
        let name = application.name.as_deref().unwrap_or_default();
        let (length, rest) = certificate.get(31..).and_then(<[u8]>::split_first).ok_or(CONTENT_OF_OBJECT)?;
        let (aid, rest) = rest.split_at_checked(16).ok_or(CONTENT_OF_OBJECT)?;
        if aid.split_at_checked(usize::from(*length)).map(|(aid, _)| aid) != Some(name) {
            return Err(status::WRONG_AID);
        }
        // Validity dates may stand in the first two bytes of a serial number, but not in a certificate.
        let [_, _, serial @ ..] = application.serial;
        if rest.starts_with(&[0, 0]) && rest.get(2..8) == Some(&serial) { Ok(()) } else { Err(CONTENT_OF_OBJECT) }
    }

    pub(super) fn generate_key_pair(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !self.has_asymmetric_mode() {
            return Err(status::UNKNOWN_INS);
        }
        command.with_parameters(0, 0)?;
        let curve: [u8; CURVE.len()] = command.exactly()?;
        if curve != CURVE {
            return Err(status::WRONG_DATA);
        }
        if self.field.session.is_some() {
            return Err(status::FORBIDDEN);
        }
        if self.objects().ok_or(status::NO_CURRENT_EF)?.key_pair.is_some() {
            return Err(status::FORBIDDEN);
        }
        let pair = self.new_key_pair().ok_or(status::NO_CURRENT_EF)?;
        if let Some(objects) = self.objects_mut() {
            objects.key_pair = Some(pair);
        }
        Ok(Reply::done())
    }

    /// Follows from the issuer key and a random of the card, so that a run can be repeated.
    fn new_key_pair(&mut self) -> Option<KeyPair> {
        let (_, issuer) = self.key(1)?;
        loop {
            let random: [u8; 8] = self.random();
            let private = Zeroizing::new(issuer.code("key pair", &[&random]));
            // One in 2^32 is no private key.
            if let Some(pair) = KeyPair::from_private(&private) {
                return Some(pair);
            }
        }
    }

    /// Forgets the asymmetric objects of the current directory, as rewriting the issuer key does.
    pub(super) fn clear_objects(&mut self) {
        if let Some(objects) = self.objects_mut() {
            *objects = Objects::default();
        }
    }
}
