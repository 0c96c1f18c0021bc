//! A secure session: key, running digest, MACs, ciphering.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Key, absorb, first, hmac, mask, prf};

/// What both sides keep of a session. Both feed the same blocks in the same order.
#[derive(ZeroizeOnDrop)]
pub(crate) struct SessionCipher {
    key: [u8; 32],
    #[zeroize(skip)] // wipes itself when dropped
    digest: Hmac<Sha256>,
    blocks: u32,
    authentications: u32,
}

impl SessionCipher {
    /// The session that `opening` (the data of the answer to Open Secure Session) begins. `challenge` is that of the
    /// SAM, as sent to the card: 4 bytes, 8 in extended mode.
    pub(crate) fn new(key: &Key, extended: bool, challenge: &[u8], opening: &[u8]) -> Self {
        let mut session = Zeroizing::new(prf(key.bytes(), "session", &[&[u8::from(extended)], challenge, opening]));
        let this = Self { key: *session, digest: hmac(session.as_slice()), blocks: 0, authentications: 0 };
        session.zeroize();
        this
    }

    /// Adds one block: a command without the Le of case 4, or a response with its status word.
    pub(crate) fn feed(&mut self, block: &[u8]) {
        absorb(&mut self.digest, block);
        self.blocks = self.blocks.saturating_add(1);
    }

    /// Number of blocks so far: the next block is a command when it is even.
    pub(crate) const fn blocks(&self) -> u32 {
        self.blocks
    }

    /// Number of intermediate authentications so far.
    pub(crate) const fn authentications(&self) -> u32 {
        self.authentications
    }

    /// Ciphers, or deciphers, the data field of the block that will be fed next.
    pub(crate) fn mask(&self, data: &mut [u8]) {
        mask(&self.key, "cipher", &[&self.blocks.to_be_bytes()], data);
    }

    fn mac(&self, purpose: &str) -> [u8; 8] {
        let mut mac = self.digest.clone();
        absorb(&mut mac, purpose.as_bytes());
        absorb(&mut mac, &self.authentications.to_be_bytes());
        first(&mac.finalize().into_bytes().into())
    }

    /// MAC that the terminal gives when it closes; its first 4 bytes in regular mode.
    pub(crate) fn closing_terminal(&self) -> [u8; 8] {
        self.mac("closing terminal")
    }

    /// MAC that the card gives when it has closed; its first 4 bytes in regular mode.
    pub(crate) fn closing_card(&self) -> [u8; 8] {
        self.mac("closing card")
    }

    /// MACs of the terminal and of the card for an authentication within the session, which counts from here on.
    pub(crate) fn authenticate(&mut self) -> ([u8; 8], [u8; 8]) {
        let macs = (self.mac("intermediate terminal"), self.mac("intermediate card"));
        self.authentications = self.authentications.saturating_add(1);
        macs
    }
}

impl std::fmt::Debug for SessionCipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SessionCipher").field("blocks", &self.blocks).finish_non_exhaustive()
    }
}
