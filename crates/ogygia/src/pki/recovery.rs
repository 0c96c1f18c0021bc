//! The signature with message recovery. Specification 04, "Signature with message recovery".

use sha2::{Digest, Sha256};

use super::rsa::MODULUS_LEN;
use super::{PkiError, RsaPublicKey};

/// Bytes that a signature carries.
pub(super) const RECOVERED_LEN: usize = 222;

const HASH_LEN: usize = 32;
/// The separator and what is recovered.
const MASKED_LEN: usize = RECOVERED_LEN + 1;
const SEPARATOR: u8 = 0x01;
const TRAILER: u8 = 0xBC;
/// The bits that are recovered, as the hash takes them.
const RECOVERED_BITS: [u8; 8] = [0, 0, 0, 0, 0, 0, 0x06, 0xF0];
/// What a block cannot have, for it must be below every modulus.
const TOP_BIT: u8 = 0x80;

/// What the issuer signed besides `clear`.
///
/// # Errors
///
/// [`PkiError::Signature`], [`PkiError::RecoveredLength`].
pub(super) fn recover(
    key: &RsaPublicKey,
    clear: &[u8],
    signature: &[u8; MODULUS_LEN],
) -> Result<[u8; RECOVERED_LEN], PkiError> {
    let block = key.raise(signature).ok_or(PkiError::Signature)?;
    let (masked, rest) = block.split_first_chunk::<MASKED_LEN>().ok_or(PkiError::Signature)?;
    let (hash, trailer) = rest.split_first_chunk::<HASH_LEN>().ok_or(PkiError::Signature)?;
    let [first, ..] = *masked;
    // The top bit would be lost below, and two signatures would say the same.
    if *trailer != [TRAILER] || first & TOP_BIT != 0 {
        return Err(PkiError::Signature);
    }
    let mut data = *masked;
    mask(hash, &mut data);
    let [separator, recovered @ ..] = &data;
    match separator & !TOP_BIT {
        SEPARATOR => {}
        // Fewer bytes, with zeros in front: some verifiers accept that.
        0 if recovered.iter().find(|byte| **byte != 0) == Some(&SEPARATOR) => return Err(PkiError::RecoveredLength),
        _ => return Err(PkiError::Signature),
    }
    // Neither of them is secret.
    if *hash == hash_of(recovered, clear) { Ok(*recovered) } else { Err(PkiError::Signature) }
}

/// The block that an issuer signs.
#[cfg(any(test, feature = "pki-authority"))]
pub(super) fn block(clear: &[u8], recovered: &[u8; RECOVERED_LEN]) -> [u8; MODULUS_LEN] {
    let hash = hash_of(recovered, clear);
    let mut data = [SEPARATOR; MASKED_LEN];
    let [_, tail @ ..] = &mut data;
    tail.copy_from_slice(recovered);
    mask(&hash, &mut data);
    let [first, ..] = &mut data;
    *first &= !TOP_BIT;
    let mut block = [TRAILER; MODULUS_LEN];
    block.iter_mut().zip(data.iter().chain(&hash)).for_each(|(to, from)| *to = *from);
    block
}

fn hash_of(recovered: &[u8; RECOVERED_LEN], clear: &[u8]) -> [u8; HASH_LEN] {
    let clear = Sha256::digest(clear);
    Sha256::new().chain_update(RECOVERED_BITS).chain_update(recovered).chain_update(clear).finalize().into()
}

/// Adds the mask that grows out of `seed`, or takes it away.
fn mask(seed: &[u8; HASH_LEN], data: &mut [u8; MASKED_LEN]) {
    for (number, part) in (0_u32..).zip(data.chunks_mut(HASH_LEN)) {
        let mask = Sha256::new().chain_update(seed).chain_update(number.to_be_bytes()).finalize();
        part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
}
