//! Records that a control SAM ciphers for another SAM, and the signature of those that a SAM tells.
//!
//! The geometry is that of the specification, "Layout of the blocks read from or written to SAM files".

use zeroize::Zeroizing;

use super::{Key, mask, same};

/// Bytes of a record: parameters, ceilings, or a key with its value.
pub(crate) const RECORD_LEN: usize = 29;
/// Bytes of a block.
pub(crate) const BLOCK_LEN: usize = 48;
/// Bytes behind the check value.
const BODY_LEN: usize = BLOCK_LEN - 8;

/// A record on its way into a SAM.
pub(crate) struct WrittenRecord {
    pub(crate) record: Zeroizing<[u8; RECORD_LEN]>,
    /// What it is meant for: P2 of the command that writes it.
    pub(crate) reference: u8,
    /// The value of the key was made for one diversifier, and is not diversified again. Our own place for it, in the
    /// padding, where a plain block has a zero.
    pub(crate) diversified: bool,
}

impl WrittenRecord {
    /// The block for the SAM that has `key` and is given, or gave, `challenge`.
    pub(crate) fn cipher(&self, key: &Key, challenge: &[u8; 8]) -> [u8; BLOCK_LEN] {
        let tail = [self.reference, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, u8::from(self.diversified)];
        let mut body = Zeroizing::new([0; BODY_LEN]);
        for (to, from) in body.iter_mut().zip(self.record.iter().chain(&tail)) {
            *to = *from;
        }
        let check: [u8; 8] = key.code("record check", &[challenge, body.as_slice()]);
        mask(key.bytes(), "record", &[challenge], body.as_mut_slice());
        let mut block = [0; BLOCK_LEN];
        for (to, from) in block.iter_mut().zip(check.iter().chain(body.iter())) {
            *to = *from;
        }
        block
    }

    /// The record of a block; nothing when the block was not made with this key and challenge.
    pub(crate) fn open(key: &Key, challenge: &[u8; 8], block: &[u8; BLOCK_LEN]) -> Option<Self> {
        let (check, masked) = block.split_first_chunk::<8>()?;
        let mut body: Zeroizing<[u8; BODY_LEN]> = Zeroizing::new(masked.try_into().ok()?);
        mask(key.bytes(), "record", &[challenge], body.as_mut_slice());
        let expected: [u8; 8] = key.code("record check", &[challenge, body.as_slice()]);
        same(check, &expected).then(|| Self::cut(&body)).flatten()
    }

    /// The record of a block in the clear; nothing when the block is not made as it should be.
    pub(crate) fn plain(block: &[u8; BLOCK_LEN]) -> Option<Self> {
        let (check, body) = block.split_first_chunk::<8>()?;
        let record = Self::cut(body.first_chunk()?)?;
        (*check == [0; 8] && !record.diversified).then_some(record)
    }

    fn cut(body: &[u8; BODY_LEN]) -> Option<Self> {
        let (record, tail) = body.split_first_chunk::<RECORD_LEN>()?;
        let [reference, 0, 0, 0, 0, 0, 0, 0, 0x80, 0, diversified @ (0 | 1)] = *tail else { return None };
        Some(Self { record: Zeroizing::new(*record), reference, diversified: diversified == 1 })
    }
}

/// Signature of a record that a SAM tells, by its Authentication key.
pub(crate) fn read_signature(key: &Key, record: &[u8], reference: u8, serial: [u8; 4]) -> [u8; 8] {
    key.code("record signature", &[record, &[reference], &serial])
}
