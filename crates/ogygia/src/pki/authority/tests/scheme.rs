//! Signatures that a careless verifier would accept: specification 04, "What must not be accepted".

use crypto_bigint::{CheckedAdd, U2048};

use super::super::super::rsa::to_bytes;
use super::*;

const CLEAR: &[u8] = b"what everybody can read";

/// What a verifier says of a block under the right key.
fn recovered(block: &[u8; 256]) -> Result<[u8; RECOVERED_LEN], PkiError> {
    let key = root_key();
    recovery::recover(key.public_key(), CLEAR, &key.raise(block))
}

fn masked(data: &[u8; 223], hash: &[u8], trailer: u8) -> [u8; 256] {
    let mut block = [0; 256];
    block[..223].copy_from_slice(data);
    for (number, part) in (0_u32..).zip(block[..223].chunks_mut(32)) {
        let mask = Sha256::digest([hash, &number.to_be_bytes()].concat());
        part.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    }
    block[0] &= 0x7F;
    block[223..255].copy_from_slice(hash);
    block[255] = trailer;
    block
}

/// A block of its own making: what is recovered may be shorter, behind zeros, and behind another separator.
fn block(recovered: &[u8], separator: u8, salt: &[u8], trailer: u8) -> [u8; 256] {
    let bits = u64::try_from(recovered.len() * 8).unwrap().to_be_bytes();
    let hash = Sha256::digest([&bits[..], recovered, &Sha256::digest(CLEAR), salt].concat());
    let mut data = [0; 223];
    data[223 - recovered.len()..].copy_from_slice(recovered);
    data[222 - recovered.len()] = separator;
    masked(&data, &hash, trailer)
}

#[test]
fn the_scheme_itself() {
    let data = [0x5A; RECOVERED_LEN];
    assert_eq!(block(&data, 1, &[], 0xBC), recovery::block(CLEAR, &data));
    assert_eq!(recovered(&block(&data, 1, &[], 0xBC)), Ok(data));
}

#[test]
fn other_schemes() {
    let data = [0x5A; RECOVERED_LEN];
    assert_eq!(recovered(&block(&data, 3, &[], 0xBC)), Err(PkiError::Signature), "separator");
    assert_eq!(recovered(&block(&data, 1, &[], 0xCC)), Err(PkiError::Signature), "trailer");
    assert_eq!(recovered(&block(&data, 1, &[7; 20], 0xBC)), Err(PkiError::Signature), "salt");
    assert_eq!(recovered(&block(&data[..200], 1, &[], 0xBC)), Err(PkiError::RecoveredLength));
    assert_eq!(recovered(&block(&data[..98], 1, &[], 0xBC)), Err(PkiError::RecoveredLength));
    let mut top = block(&data, 1, &[], 0xBC);
    top[0] |= 0x80;
    assert_eq!(recovered(&top), Err(PkiError::Signature), "a block whose top bit is set");
}

#[test]
fn other_numbers() {
    let key = root_key();
    let modulus = U2048::from_be_slice(&hex(PCA_A));
    // The sum of signature and modulus shall fit into as many bytes.
    let (number, sum) = (0..=u8::MAX)
        .find_map(|byte| {
            let number = U2048::from_be_slice(&key.raise(&block(&[byte; RECOVERED_LEN], 1, &[], 0xBC)));
            number.checked_add(&modulus).into_option().map(|sum| (number, sum))
        })
        .unwrap();
    let says = |number: &U2048| recovery::recover(key.public_key(), CLEAR, &to_bytes(number)).map(drop);
    assert_eq!(says(&number), Ok(()));
    for other in [modulus.wrapping_sub(&number), sum, modulus, U2048::ZERO, U2048::ONE, U2048::MAX] {
        assert_eq!(says(&other), Err(PkiError::Signature));
    }
    let other = ca_key();
    let by_another = recovery::recover(other.public_key(), CLEAR, &to_bytes(&number));
    assert_eq!(by_another, Err(PkiError::Signature));
}
