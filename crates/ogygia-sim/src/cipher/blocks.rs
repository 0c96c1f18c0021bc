//! Ciphered PIN and key blocks, and signatures of data.

use zeroize::Zeroizing;

use super::{Key, KeyId, mask, same};

/// Bytes of a ciphered PIN for presentation.
pub(crate) const PIN_LEN: usize = 8;
/// Bytes of a ciphered PIN change.
pub(crate) const PIN_CHANGE_LEN: usize = 16;
/// Bytes of a ciphered key.
pub(crate) const KEY_BLOCK_LEN: usize = 32;

/// The block that presents `pin`. The card makes the same from its own PIN and compares.
pub(crate) fn pin_block(key: &Key, challenge: &[u8; 8], pin: &[u8; 4]) -> [u8; PIN_LEN] {
    let check: [u8; 4] = key.code("pin check", &[challenge, pin]);
    let mut block = [0; PIN_LEN];
    for (to, from) in block.iter_mut().zip(pin.iter().chain(&check)) {
        *to = *from;
    }
    mask(key.bytes(), "pin", &[challenge], &mut block);
    block
}

/// The block that changes the PIN from `old` to `new`.
pub(crate) fn pin_change_block(key: &Key, challenge: &[u8; 8], old: &[u8; 4], new: &[u8; 4]) -> [u8; PIN_CHANGE_LEN] {
    let check: [u8; 8] = key.code("pin change check", &[challenge, old, new]);
    let mut block = [0; PIN_CHANGE_LEN];
    for (to, from) in block.iter_mut().zip(old.iter().chain(new).chain(&check)) {
        *to = *from;
    }
    mask(key.bytes(), "pin change", &[challenge], &mut block);
    block
}

/// The new PIN of a block; nothing when the block was not made with this key and challenge.
pub(crate) fn open_pin_change(key: &Key, challenge: &[u8; 8], block: &[u8]) -> Option<[u8; 4]> {
    let mut plain: Zeroizing<[u8; PIN_CHANGE_LEN]> = Zeroizing::new(block.try_into().ok()?);
    mask(key.bytes(), "pin change", &[challenge], plain.as_mut_slice());
    let (old, rest) = plain.split_first_chunk::<4>()?;
    let (new, check) = rest.split_first_chunk::<4>()?;
    let expected: [u8; 8] = key.code("pin change check", &[challenge, old, new]);
    same(check, &expected).then_some(*new)
}

/// The block that writes `new`, the key `id`, into a card whose issuer key is `issuer`; nothing for the null key.
pub(crate) fn key_block(issuer: Option<&Key>, challenge: &[u8; 8], id: KeyId, new: &Key) -> [u8; KEY_BLOCK_LEN] {
    let under = issuer.cloned().unwrap_or(Key([0; 16]));
    let header = [id.kif, id.kvc, 0x90, 0x00];
    let check: [u8; 12] = under.code("key check", &[challenge, &header, new.bytes()]);
    let mut block = [0; KEY_BLOCK_LEN];
    for (to, from) in block.iter_mut().zip(header.iter().chain(new.bytes()).chain(&check)) {
        *to = *from;
    }
    mask(under.bytes(), "key", &[challenge], &mut block);
    block
}

/// Name and value of the key in a block; nothing when the block was not made with this key and challenge.
pub(crate) fn open_key_block(issuer: Option<&Key>, challenge: &[u8; 8], block: &[u8]) -> Option<(KeyId, Key)> {
    let under = issuer.cloned().unwrap_or(Key([0; 16]));
    let mut plain: Zeroizing<[u8; KEY_BLOCK_LEN]> = Zeroizing::new(block.try_into().ok()?);
    mask(under.bytes(), "key", &[challenge], plain.as_mut_slice());
    let (header, rest) = plain.split_first_chunk::<4>()?;
    let (value, check) = rest.split_first_chunk::<16>()?;
    let expected: [u8; 12] = under.code("key check", &[challenge, header, value]);
    let [kif, kvc, ..] = *header;
    same(check, &expected).then(|| (KeyId::new(kif, kvc), Key(*value)))
}

/// Signature of Data Cipher: 8 bytes.
pub(crate) fn basic_signature(key: &Key, message: &[u8]) -> [u8; 8] {
    key.code("basic signature", &[message])
}

/// Signature of PSO Compute Signature before it is cut to 1 to 8 bytes.
pub(crate) fn traceable_signature(key: &Key, mode: u8, message: &[u8]) -> [u8; 8] {
    key.code("traceable signature", &[&[mode], message])
}
