//! The virtual SAM.
//!
//! [`VirtualSam::new`] makes one that holds every key of a [`KeySet`]; [`VirtualSam::personalized`] one that a
//! [`SamProfile`] describes, with system keys, counters, ceilings and a lock. It checks what must come before each
//! command (specification of the SAM layer, "Products and preconditions" and "Recommended SAM simulator state machine"),
//! strictly: `6985` otherwise.

mod blocks;
mod control;
mod counters;
mod digest;
mod keys;
mod pki;
mod product;
pub mod profile;
mod read;
mod signature;
mod stored_value;
mod unlock;
mod write;
mod write_key;

use crate::cipher::{Key, KeyId, KeySet};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};
use counters::Counters;
use digest::Session;
pub use keys::{Algorithm, KeyParameters, SystemKey};
use keys::{Keys, SamKey};
use pki::Certifying;
use product::Instruction;
pub use product::SamProduct;
pub use profile::SamProfile;
use signature::Signatures;
use stored_value::SvState;
use unlock::{Lock, SinceReset};

/// What is good for the command that follows, and for no other.
#[derive(Default)]
struct Fresh {
    /// From Get Challenge.
    challenge: Option<Vec<u8>>,
    /// From Give Random.
    given: Option<[u8; 8]>,
}

impl Fresh {
    /// The challenge just given, if it has 8 bytes.
    fn challenge8(&self) -> Result<[u8; 8], Refusal> {
        self.challenge.as_ref().and_then(|challenge| challenge.as_slice().try_into().ok()).ok_or(status::FORBIDDEN)
    }

    /// The challenge of the card, or of another SAM, just received.
    fn given(&self) -> Result<[u8; 8], Refusal> {
        self.given.ok_or(status::FORBIDDEN)
    }
}

/// A SAM that answers commands.
pub struct VirtualSam {
    product: SamProduct,
    serial: [u8; 4],
    power_on_data: [u8; 19],
    keys: Keys,
    counters: Counters,
    parameters: [u8; 29],
    lock: Option<Lock>,
    since_reset: SinceReset,
    certifying: Certifying,
    randoms: u64,
    diversifier: Option<Vec<u8>>,
    /// Challenges, until used or until another command than Select Diversifier.
    fresh: Fresh,
    session: Session,
    purse: SvState,
    signatures: Signatures,
}

impl VirtualSam {
    /// A SAM of `product` with the keys of `keys` as work keys, powered. It has no system keys, no counter is tied to a
    /// key, and nothing is locked.
    #[must_use]
    pub fn new(product: SamProduct, serial: [u8; 4], keys: &KeySet) -> Self {
        Self::with_keys(product, serial, Keys::of_set(keys))
    }

    fn with_keys(product: SamProduct, serial: [u8; 4], keys: Keys) -> Self {
        Self {
            product,
            serial,
            power_on_data: product.power_on_data(serial),
            keys,
            counters: Counters::default(),
            parameters: [0; 29],
            lock: None,
            since_reset: SinceReset::default(),
            certifying: Certifying::default(),
            randoms: 0,
            diversifier: None,
            fresh: Fresh::default(),
            session: Session::None,
            purse: SvState::default(),
            signatures: Signatures::default(),
        }
    }

    /// What a reader learns when it powers the SAM: 19 bytes, layout of the specification, "Power-on data".
    #[must_use]
    pub const fn power_on_data(&self) -> &[u8] {
        &self.power_on_data
    }

    /// Which SAM it is.
    #[must_use]
    pub const fn product(&self) -> SamProduct {
        self.product
    }

    /// Serial number.
    #[must_use]
    pub const fn serial(&self) -> [u8; 4] {
        self.serial
    }

    /// Makes the SAM draw other randoms than it would: those of `seed`.
    pub fn set_random_seed(&mut self, seed: u32) {
        self.randoms = u64::from(seed) << 32;
    }

    /// Value of an event counter; nothing above 26.
    #[must_use]
    pub fn event_counter(&self, number: u8) -> Option<u32> {
        self.counters.value(number)
    }

    /// Ceiling of an event counter; nothing above 26.
    #[must_use]
    pub fn ceiling(&self, number: u8) -> Option<u32> {
        self.counters.ceiling(number)
    }

    /// Changes an event counter behind the back of everybody; one above 26 is none.
    pub fn set_event_counter(&mut self, number: u8, value: u32) {
        self.counters.set_value(number, value);
    }

    /// Changes a ceiling behind the back of everybody; the ceiling of a counter above 26 is none.
    pub fn set_ceiling(&mut self, number: u8, ceiling: u32) {
        self.counters.set_ceiling(number, ceiling);
    }

    /// The SAM parameters.
    #[must_use]
    pub const fn parameters(&self) -> &[u8; 29] {
        &self.parameters
    }

    /// The SAM loses its power: diversifier, challenges, session, purse transaction and the key pair made last are
    /// forgotten, and a lock is in force again.
    pub fn reset(&mut self) {
        self.diversifier = None;
        self.fresh = Fresh::default();
        self.session = Session::None;
        self.purse.forget();
        self.certifying.forget();
        self.since_reset = SinceReset::new(self.lock.as_ref(), &self.parameters);
    }

    /// Executes one command and returns the answer with its status word. Any bytes are answered.
    #[must_use]
    pub fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        let reply = match Command::parse(command) {
            Ok(command) if command.cla != self.product.class() => Err(status::UNKNOWN_CLA),
            Ok(command) => self.execute(&command),
            Err(status) => Err(status),
        };
        Reply::from(reply).into_bytes()
    }

    fn execute(&mut self, command: &Command) -> Result<Reply, Refusal> {
        use Instruction as I;
        let row = product::row(self.product, command);
        let between = row.is_some_and(|row| row.instruction == I::SelectDiversifier);
        let fresh = if between { Fresh::default() } else { std::mem::take(&mut self.fresh) };
        let row = row.ok_or(status::UNKNOWN_INS)?;
        if self.since_reset.locked && !row.while_locked {
            return Err(status::FORBIDDEN);
        }
        match row.instruction {
            I::SelectDiversifier => self.select_diversifier(command),
            I::GetChallenge => self.get_challenge(command),
            I::GiveRandom => self.give_random(command),
            I::DigestInit => self.digest_init(command, &fresh),
            I::DigestUpdate => self.digest_update(command),
            I::DigestInternalAuthenticate => self.digest_internal_authenticate(command),
            I::DigestClose => self.digest_close(command),
            I::DigestAuthenticate => self.digest_authenticate(command),
            I::CardCipher => self.card_cipher(command, &fresh),
            I::SvPrepare => self.sv_prepare(command),
            I::SvCheck => self.sv_check(command),
            I::DataCipher => self.data_cipher(command),
            I::Pso => self.pso(command),
            I::SamCipher => self.sam_cipher(command, &fresh),
            I::Unlock => self.unlock(command, &fresh),
            I::Read => self.read(command),
            I::ReadKeyParameters => self.read_key_parameters(command),
            I::Write => self.write(command, &fresh),
            I::WriteKey => self.write_key(command, &fresh),
            I::GetData => self.get_data(command),
            I::GenerateKeyPair => self.generate_key_pair(command),
            I::ComputeCertificate => self.compute_certificate(command),
        }
    }

    fn select_diversifier(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        if !matches!(command.data.len(), 4 | 8) {
            return Err(status::WRONG_LENGTH);
        }
        self.diversifier = Some(command.data.to_vec());
        Ok(Reply::done())
    }

    fn get_challenge(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        let length = match command.le {
            Some(length @ (4 | 8)) if command.data.is_empty() => length,
            _ => return Err(status::WRONG_LENGTH),
        };
        let random: [u8; 8] = self.random();
        let challenge: Vec<u8> = random.into_iter().take(usize::from(length)).collect();
        self.session = Session::None;
        self.fresh.challenge = Some(challenge.clone());
        Ok(Reply::with(challenge))
    }

    fn give_random(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        self.fresh.given = Some(command.exactly()?);
        Ok(Reply::done())
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.randoms = self.randoms.wrapping_add(1);
        crate::cipher::random(&self.serial, self.randoms)
    }

    /// The work key `id`, and its value for the diversifier selected.
    fn key(&self, id: KeyId) -> Result<(Key, &SamKey), Refusal> {
        let found = self.keys.work(id);
        let value = found.and_then(|key| key.diversified(self.diversifier.as_deref()));
        // Most keys need a diversifier, so the first thing to be missed is that.
        let missing = if self.diversifier.is_none() { status::FORBIDDEN } else { status::RECORD_NOT_FOUND };
        value.zip(found).ok_or(missing)
    }

    /// The same, and counts one use of it.
    fn use_key(&mut self, id: KeyId) -> Result<Key, Refusal> {
        let (value, key) = self.key(id)?;
        let counter = key.parameters.counter();
        self.counters.count(counter)?;
        Ok(value)
    }
}

impl std::fmt::Debug for VirtualSam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualSam").field("product", &self.product).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
