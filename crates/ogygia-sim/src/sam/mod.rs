//! The virtual SAM.
//!
//! It holds every key of a [`KeySet`] and checks what must come before each command (specification of the SAM layer,
//! "Products and preconditions" and "Recommended SAM simulator state machine"), strictly: `6985` otherwise.

mod blocks;
mod digest;
mod signature;
mod stored_value;

use crate::cipher::{Key, KeyId, KeySet};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};
use digest::Session;
use signature::Signatures;
use stored_value::SvState;

/// Which SAM it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamProduct {
    /// SAM C1.
    C1,
    /// HSM C1.
    HsmC1,
    /// SAM S1E1.
    S1E1,
    /// SAM S1Dx.
    S1Dx,
}

impl SamProduct {
    /// Class byte of its commands.
    #[must_use]
    pub const fn class(self) -> u8 {
        match self {
            Self::S1Dx => 0x94,
            Self::C1 | Self::HsmC1 | Self::S1E1 => 0x80,
        }
    }

    /// Most data bytes in one digest command.
    #[must_use]
    pub const fn max_digest(self) -> usize {
        match self {
            Self::C1 | Self::HsmC1 => 255,
            Self::S1E1 => 240,
            Self::S1Dx => 70,
        }
    }

    /// Whether it knows extended sessions.
    #[must_use]
    pub const fn is_extended(self) -> bool {
        matches!(self, Self::C1 | Self::HsmC1)
    }

    /// Whether it takes several digest blocks in one command.
    #[must_use]
    pub const fn packs_blocks(self) -> bool {
        matches!(self, Self::C1 | Self::S1E1)
    }
}

/// A SAM that answers commands.
pub struct VirtualSam {
    product: SamProduct,
    serial: [u8; 4],
    power_on_data: [u8; 19],
    keys: KeySet,
    randoms: u64,
    diversifier: Option<Vec<u8>>,
    /// Last Get Challenge, until used or until another command than Select Diversifier.
    out_challenge: Option<Vec<u8>>,
    /// Last Give Random, until the next command.
    in_challenge: Option<[u8; 8]>,
    session: Session,
    purse: SvState,
    signatures: Signatures,
}

impl VirtualSam {
    /// A SAM of `product` with the keys of `keys`, powered.
    #[must_use]
    pub fn new(product: SamProduct, serial: [u8; 4], keys: &KeySet) -> Self {
        Self {
            product,
            serial,
            power_on_data: power_on_data(product, serial),
            keys: keys.clone(),
            randoms: 0,
            diversifier: None,
            out_challenge: None,
            in_challenge: None,
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

    /// The SAM loses its power: diversifier, challenges, session and purse transaction are forgotten.
    pub fn reset(&mut self) {
        self.diversifier = None;
        self.out_challenge = None;
        self.in_challenge = None;
        self.session = Session::None;
        self.purse.forget();
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
        if command.ins == 0x14 {
            return self.select_diversifier(command);
        }
        // Both are good for the command that follows, and for no other.
        let out_challenge = self.out_challenge.take();
        let in_challenge = self.in_challenge.take();
        match command.ins {
            0x84 => self.get_challenge(command),
            0x86 => self.give_random(command),
            0x8A => self.digest_init(command, out_challenge),
            0x8C => self.digest_update(command),
            0x88 if self.product.is_extended() => self.digest_internal_authenticate(command),
            0x8E => self.digest_close(command),
            0x82 => self.digest_authenticate(command),
            0x12 => self.card_cipher(command, in_challenge),
            0x54 | 0x56 | 0x5C => self.sv_prepare(command),
            0x58 => self.sv_check(command),
            0x1C => self.data_cipher(command),
            0x2A => self.pso(command),
            // Never locked.
            0x20 => Err(status::FORBIDDEN),
            _ => Err(status::UNKNOWN_INS),
        }
    }

    fn select_diversifier(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        if !matches!(command.data.len(), 4 | 8) {
            return Err(status::WRONG_LENGTH);
        }
        self.diversifier = Some(command.data.clone());
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
        self.out_challenge = Some(challenge.clone());
        Ok(Reply::with(challenge))
    }

    fn give_random(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        self.in_challenge = Some(command.exactly()?);
        Ok(Reply::done())
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.randoms = self.randoms.wrapping_add(1);
        crate::cipher::random(&self.serial, self.randoms)
    }

    /// The key `id` for the diversifier selected.
    fn key(&self, id: KeyId) -> Result<Key, Refusal> {
        let diversifier = self.diversifier.as_ref().ok_or(status::FORBIDDEN)?;
        self.keys.diversified(id, diversifier).ok_or(status::RECORD_NOT_FOUND)
    }
}

impl std::fmt::Debug for VirtualSam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualSam").field("product", &self.product).finish_non_exhaustive()
    }
}

fn power_on_data(product: SamProduct, [s0, s1, s2, s3]: [u8; 4]) -> [u8; 19] {
    let (subtype, issuer) = match product {
        SamProduct::C1 => (0xC1, 0x20),
        SamProduct::HsmC1 => (0xC1, 0x08),
        SamProduct::S1E1 => (0xE1, 0x20),
        SamProduct::S1Dx => (0xD0, 0x20),
    };
    [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, subtype, issuer, 0x50, 0x17, s0, s1, s2, s3, 0x82, 0x90, 0x00]
}

#[cfg(test)]
mod tests;
