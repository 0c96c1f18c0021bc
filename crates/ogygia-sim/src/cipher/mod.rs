//! The cipher suite of the simulation.
//!
//! The algorithms of real cards and SAMs are confidential; what a terminal sees of them is sizes and order only
//! (specification of the SAM layer, "Secret cryptography: where, inputs, visible sizes"). This suite is ours: every
//! value is HMAC-SHA-256 over a purpose and length-prefixed inputs, cut to the size on the wire. It protects nothing
//! outside a simulation and must not be used for anything else.
//!
//! | value | how |
//! | --- | --- |
//! | master key | function of the seed of the [`KeySet`] and the label of the key |
//! | diversified key | function of master key and diversifier |
//! | session key | function of diversified key, mode, SAM challenge and opening data |
//! | digest | HMAC under the session key over the blocks, each behind its length |
//! | MACs | digest so far and a purpose of its own for terminal, card, closing and intermediate |
//! | session data | exclusive or with a keystream from session key and block number; the digest takes the clear form |
//! | PIN and key blocks | exclusive or with a keystream from key and card challenge, check value inside |
//! | Stored Value MACs | key, SV Get header and response, partial command, SAM challenge, serial and number |
//! | signatures | key and message, with the operating mode for traceable ones |
//! | records for a SAM | exclusive or with a keystream from key and challenge, behind a check value over both |
//! | signature of what a SAM tells | Authentication key, record, reference and serial number |
//! | unlock values | lock secret and serial number, with the challenge for dynamic ones |

mod asymmetric;
mod blocks;
mod key_file;
mod keys;
mod lock;
mod record;
mod session;
mod stored_value;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

pub(crate) use asymmetric::{KeyPair, PRIVATE_LEN, PUBLIC_LEN, Transcript};
pub(crate) use blocks::{
    KEY_BLOCK_LEN, PIN_CHANGE_LEN, PIN_LEN, basic_signature, key_block, open_key_block, open_pin_change, pin_block,
    pin_change_block, traceable_signature,
};
pub use keys::{KeyId, KeySet};
pub use lock::LockSecret;
pub(crate) use record::{BLOCK_LEN, RECORD_LEN, WrittenRecord, read_signature};
pub(crate) use session::SessionCipher;
pub(crate) use stored_value::SvOperation;

/// A secret key of 16 bytes. `Debug` hides it, dropping it wipes it.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; 16]);

impl Key {
    /// The key of `bytes`.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The key that belongs to `diversifier`: a card serial number of 8 bytes, a SAM serial number of 4.
    ///
    /// Four bytes are the same as eight with zeros in front: a key that was transferred for a SAM (8 bytes) is the one
    /// with which others verify what that SAM signed (4 bytes).
    #[must_use]
    pub fn diversify(&self, diversifier: &[u8]) -> Self {
        match diversifier {
            [a, b, c, d] => self.derive("diversify", &[&[0, 0, 0, 0, *a, *b, *c, *d]]),
            _ => self.derive("diversify", &[diversifier]),
        }
    }

    /// A key for one more purpose.
    fn derive(&self, purpose: &str, inputs: &[&[u8]]) -> Self {
        Self(first(&prf(&self.0, purpose, inputs)))
    }

    pub(crate) const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// `N` bytes (up to 32) that depend on the key, the purpose and every input.
    pub(crate) fn code<const N: usize>(&self, purpose: &str, inputs: &[&[u8]]) -> [u8; N] {
        first(&prf(&self.0, purpose, inputs))
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

/// HMAC-SHA-256 under a key of up to 64 bytes; longer ones do not occur.
fn hmac(key: &[u8]) -> Hmac<Sha256> {
    // An HMAC key shorter than the block is padded with zeros by definition, so this is the same function without
    // a length that could be wrong.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mac = Hmac::<Sha256>::new(&block.into());
    block.zeroize();
    mac
}

/// Feeds `part` so that no two lists of parts give the same bytes.
fn absorb(mac: &mut Hmac<Sha256>, part: &[u8]) {
    mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
    mac.update(part);
}

fn prf(key: &[u8], purpose: &str, inputs: &[&[u8]]) -> [u8; 32] {
    let mut mac = hmac(key);
    absorb(&mut mac, purpose.as_bytes());
    for input in inputs {
        absorb(&mut mac, input);
    }
    mac.finalize().into_bytes().into()
}

/// The first `N` bytes of 32.
fn first<const N: usize>(bytes: &[u8; 32]) -> [u8; N] {
    let mut out = [0; N];
    for (to, from) in out.iter_mut().zip(bytes) {
        *to = *from;
    }
    out
}

/// Exclusive or of `data` with a keystream.
fn mask(key: &[u8], purpose: &str, inputs: &[&[u8]], data: &mut [u8]) {
    for (number, chunk) in (0_u32..).zip(data.chunks_mut(32)) {
        let block = number.to_be_bytes();
        let mut all = inputs.to_vec();
        all.push(&block);
        let stream = prf(key, purpose, &all);
        for (byte, with) in chunk.iter_mut().zip(stream) {
            *byte ^= with;
        }
    }
}

/// Pseudorandom bytes for challenges: deterministic, so that a run can be repeated. No secret depends on them.
pub(crate) fn random<const N: usize>(who: &[u8], number: u64) -> [u8; N] {
    first(&prf(who, "random", &[&number.to_be_bytes()]))
}

/// Comparison without an early end.
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

#[cfg(test)]
mod tests;
