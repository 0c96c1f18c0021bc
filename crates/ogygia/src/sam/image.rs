//! What is known of a SAM: specification 03, "SAM image".

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::counter::{COUNTERS, CounterRecord, IncrementAccess};
use super::identity::Sam;
use super::key::{KeyParameters, KeyReference, SystemKey};
use super::read::{ReadCommand, SamData};
use crate::card::Kvc;

/// Bytes of the parameters of a SAM.
pub(crate) const PARAMETERS_LEN: usize = 29;
/// Bytes of the certificate of an authority.
pub(crate) const CA_CERTIFICATE_LEN: usize = 384;

const COUNTER_COUNT: usize = COUNTERS as usize;

/// A selected SAM, with what was read of it.
///
/// What was not read, or is not there, is nothing. Values are those that were *read*: writing does not change them,
/// except that the parameters of a system key that was replaced are forgotten.
#[derive(Clone, PartialEq, Eq)]
pub struct SamImage {
    sam: Sam,
    challenge: Option<[u8; 8]>,
    counters: [Option<u32>; COUNTER_COUNT],
    ceilings: [Option<Ceiling>; COUNTER_COUNT],
    /// The event counters that have certainly moved since they were read.
    moved: [bool; COUNTER_COUNT],
    /// What was written since the ceilings were read: a record that is written whole must not undo it.
    written: [Written; COUNTER_COUNT],
    system_keys: [Option<KeyParameters>; 4],
    /// What was written since the parameters of a system key were read.
    replaced: [Replaced; 4],
    work_keys: Vec<(KeyReference, KeyParameters)>,
    parameters: Option<[u8; PARAMETERS_LEN]>,
    ca_certificate: Option<Box<[u8; CA_CERTIFICATE_LEN]>>,
    /// What was read, and whether the SAM had signed it.
    read: Vec<(ReadCommand, bool)>,
}

/// A ceiling and who may increase its counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ceiling {
    pub(crate) value: u32,
    pub(crate) access: IncrementAccess,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Written {
    value: Option<u32>,
    access: Option<IncrementAccess>,
    /// Something may have been written, or not.
    doubt: bool,
}

impl Written {
    const NOTHING: Self = Self { value: None, access: None, doubt: false };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Replaced {
    No,
    By(Kvc),
    /// By another version, or not.
    Perhaps,
}

impl SamImage {
    /// A SAM of which nothing was read yet.
    #[must_use]
    pub const fn new(sam: Sam) -> Self {
        Self {
            sam,
            challenge: None,
            counters: [None; COUNTER_COUNT],
            ceilings: [None; COUNTER_COUNT],
            moved: [false; COUNTER_COUNT],
            written: [Written::NOTHING; COUNTER_COUNT],
            system_keys: [None; 4],
            replaced: [Replaced::No; 4],
            work_keys: Vec::new(),
            parameters: None,
            ca_certificate: None,
            read: Vec::new(),
        }
    }

    /// Who it is.
    #[must_use]
    pub const fn sam(&self) -> Sam {
        self.sam
    }

    /// The value of an event counter, 0 to 26.
    #[must_use]
    pub fn counter(&self, counter: u8) -> Option<u32> {
        *self.counters.get(usize::from(counter))?
    }

    /// The value that an event counter, 0 to 26, cannot exceed.
    #[must_use]
    pub fn ceiling(&self, counter: u8) -> Option<u32> {
        Some((*self.ceilings.get(usize::from(counter))?)?.value)
    }

    /// Who may increase an event counter, 0 to 26.
    #[must_use]
    pub fn increment_access(&self, counter: u8) -> Option<IncrementAccess> {
        Some((*self.ceilings.get(usize::from(counter))?)?.access)
    }

    /// The parameters of a key, under the reference by which they were read.
    #[must_use]
    pub fn key_parameters(&self, key: KeyReference) -> Option<&KeyParameters> {
        match key {
            KeyReference::System(key) => self.system_keys.get(index(key))?.as_ref(),
            _ => self.work_keys.iter().find(|(known, _)| *known == key).map(|(_, parameters)| parameters),
        }
    }

    /// The parameters of the SAM: 29 bytes.
    #[must_use]
    pub const fn parameters(&self) -> Option<&[u8; PARAMETERS_LEN]> {
        self.parameters.as_ref()
    }

    /// The certificate of the authority with which the SAM signs certificates of cards: 384 bytes.
    #[must_use]
    pub fn ca_certificate(&self) -> Option<&[u8; CA_CERTIFICATE_LEN]> {
        self.ca_certificate.as_deref()
    }

    /// Whether the SAM had signed what was read of this; nothing when it was not read. The signature itself is not
    /// verified: a terminal has no key for it. Nothing that matters should rest on data that are not even signed.
    #[must_use]
    pub fn is_signed(&self, data: SamData) -> Option<bool> {
        let signed = |command| self.read.iter().find(|(read, _)| *read == command).map(|(_, signed)| *signed);
        let mut all = Some(true);
        data.for_each(|command| all = all.zip(signed(command)).map(|(all, one)| all && one)).ok()?;
        all
    }

    /// The challenge that the SAM gave last, for one use: as the prefetched one of the next card transaction.
    pub const fn take_challenge(&mut self) -> Option<[u8; 8]> {
        self.challenge.take()
    }

    pub(crate) const fn set_challenge(&mut self, challenge: [u8; 8]) {
        self.challenge = Some(challenge);
    }

    /// The version of a system key that is in force: the one that was read, or written since.
    pub(crate) fn system_kvc(&self, key: SystemKey) -> Option<Kvc> {
        match self.replaced.get(index(key))? {
            Replaced::No => Some((*self.system_keys.get(index(key))?)?.id().kvc),
            Replaced::By(kvc) => Some(*kvc),
            Replaced::Perhaps => None,
        }
    }

    /// The ceiling in force, as far as it is known.
    pub(crate) fn ceiling_in_force(&self, counter: u8) -> (Option<u32>, Option<IncrementAccess>) {
        let at = usize::from(counter);
        let written = self.written.get(at).copied().unwrap_or_default();
        if written.doubt {
            return (None, None);
        }
        (written.value.or(self.ceiling(counter)), written.access.or(self.increment_access(counter)))
    }

    /// The value that an event counter has now, as far as it is known.
    pub(crate) fn counter_in_force(&self, counter: u8) -> Option<u32> {
        let moved = self.moved.get(usize::from(counter)).copied().unwrap_or(true);
        self.counter(counter).filter(|_| !moved)
    }

    /// A key was used that increases this event counter.
    pub(crate) fn note_counter_moved(&mut self, counter: u8) {
        if let Some(moved) = self.moved.get_mut(usize::from(counter)) {
            *moved = true;
        }
    }

    pub(super) fn set_counters(&mut self, record: CounterRecord, values: impl Iterator<Item = u32>) {
        for (counter, value) in record.counters().map(usize::from).zip(values) {
            if let (Some(place), Some(moved)) = (self.counters.get_mut(counter), self.moved.get_mut(counter)) {
                *place = Some(value);
                *moved = false;
            }
        }
    }

    pub(super) fn set_ceilings(&mut self, record: CounterRecord, values: impl Iterator<Item = Ceiling>) {
        for (counter, value) in record.counters().map(usize::from).zip(values) {
            if let (Some(place), Some(written)) = (self.ceilings.get_mut(counter), self.written.get_mut(counter)) {
                *place = Some(value);
                *written = Written::default();
            }
        }
    }

    pub(super) fn set_key(&mut self, key: KeyReference, parameters: KeyParameters) {
        if let KeyReference::System(system) = key {
            if let (Some(place), Some(replaced)) =
                (self.system_keys.get_mut(index(system)), self.replaced.get_mut(index(system)))
            {
                *place = Some(parameters);
                *replaced = Replaced::No;
            }
            return;
        }
        match self.work_keys.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = parameters,
            None => self.work_keys.push((key, parameters)),
        }
    }

    pub(super) const fn set_parameters(&mut self, parameters: [u8; PARAMETERS_LEN]) {
        self.parameters = Some(parameters);
    }

    pub(super) fn set_ca_certificate(&mut self, certificate: [u8; CA_CERTIFICATE_LEN]) {
        self.ca_certificate = Some(Box::new(certificate));
    }

    pub(super) fn note_read(&mut self, command: ReadCommand, signed: bool) {
        match self.read.iter_mut().find(|(read, _)| *read == command) {
            Some((_, known)) => *known = signed,
            None => self.read.push((command, signed)),
        }
    }

    /// A system key was replaced: what was read of it no longer holds (point G-19).
    pub(crate) fn replace_system_key(&mut self, key: SystemKey, kvc: Kvc) {
        if let (Some(place), Some(replaced)) = (self.system_keys.get_mut(index(key)), self.replaced.get_mut(index(key)))
        {
            *place = None;
            *replaced = Replaced::By(kvc);
        }
        self.read.retain(|(read, _)| *read != ReadCommand::KeyParameters(KeyReference::System(key)));
    }

    /// The SAM has no such key.
    pub(super) fn forget_key(&mut self, key: KeyReference) {
        if let KeyReference::System(system) = key {
            if let (Some(place), Some(replaced)) =
                (self.system_keys.get_mut(index(system)), self.replaced.get_mut(index(system)))
            {
                *place = None;
                *replaced = Replaced::No;
            }
        } else {
            self.work_keys.retain(|(known, _)| *known != key);
        }
        self.read.retain(|(read, _)| *read != ReadCommand::KeyParameters(key));
    }

    /// A system key was replaced, or not.
    pub(crate) fn doubt_system_key(&mut self, key: SystemKey) {
        if let Some(replaced) = self.replaced.get_mut(index(key)) {
            *replaced = Replaced::Perhaps;
        }
    }

    /// A ceiling was written, or not.
    pub(crate) fn doubt_ceiling(&mut self, counter: u8) {
        if let Some(written) = self.written.get_mut(usize::from(counter)) {
            written.doubt = true;
        }
    }

    /// A ceiling was written.
    pub(crate) fn note_ceiling(&mut self, counter: u8, value: u32, access: Option<IncrementAccess>) {
        if let Some(written) = self.written.get_mut(usize::from(counter)) {
            written.value = Some(value);
            written.access = access.or(written.access);
        }
    }
}

/// The place of a key among its kind.
const fn index(key: SystemKey) -> usize {
    match key {
        SystemKey::Personalization => 0,
        SystemKey::KeyManagement => 1,
        SystemKey::Reloading => 2,
        SystemKey::Authentication => 3,
    }
}

impl fmt::Debug for SamImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SamImage")
            .field("sam", &self.sam)
            .field("read", &self.read)
            .field("challenge", &self.challenge.is_some())
            .finish_non_exhaustive()
    }
}
