//! MACs of the Stored Value.

use super::Key;

/// What the MACs of one Stored Value operation cover.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SvOperation<'a> {
    /// Command bytes of SV Get: INS, P1, P2, P3.
    pub(crate) get_header: &'a [u8],
    /// Answer to SV Get with its status word.
    pub(crate) get_response: &'a [u8],
    /// INS, two zero bytes, Lc, a zero byte, then the data up to the time (reload) or the KVC (debit, undebit).
    pub(crate) partial: &'a [u8],
    /// Challenge of the SAM.
    pub(crate) challenge: [u8; 3],
    /// Serial number of the SAM.
    pub(crate) sam: [u8; 4],
    /// Transaction number of the SAM.
    pub(crate) number: [u8; 3],
}

impl SvOperation<'_> {
    fn code<const N: usize>(&self, key: &Key, purpose: &str) -> [u8; N] {
        key.code(purpose, &[self.get_header, self.get_response, self.partial, &self.challenge, &self.sam, &self.number])
    }

    /// MAC of the terminal; its first 5 bytes in regular mode.
    pub(crate) fn terminal(&self, key: &Key) -> [u8; 10] {
        self.code(key, "stored value terminal")
    }

    /// MAC of the card; its first 3 bytes in regular mode. The new balance and number follow from the inputs.
    pub(crate) fn card(&self, key: &Key) -> [u8; 6] {
        self.code(key, "stored value card")
    }
}
