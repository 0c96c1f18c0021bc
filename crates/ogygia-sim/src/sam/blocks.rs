//! Card Cipher PIN and Card Generate Key.

use zeroize::Zeroizing;

use super::{Fresh, VirtualSam};
use crate::cipher::{KeyId, key_block, pin_block, pin_change_block};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// Format of a ciphered key.
const KEY_FORMAT: u8 = 0x90;

impl VirtualSam {
    pub(super) fn card_cipher(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        match (command.p1, command.p2) {
            (0x80, 0xFF) => self.cipher_pin(command, fresh),
            (0x40, 0xFF) => self.cipher_pin_change(command, fresh),
            (0xFF, 0xFF) => {
                let [kif, kvc, source_kif, source_kvc, format] = command.exactly()?;
                let issuer = Some(KeyId::new(kif, kvc));
                self.generate_key(issuer, KeyId::new(source_kif, source_kvc), format, fresh)
            }
            (0xFF, 0x00) => {
                let [kif, kvc, format] = command.exactly()?;
                self.generate_key(None, KeyId::new(kif, kvc), format, fresh)
            }
            _ => Err(status::WRONG_KEY_REFERENCE),
        }
    }

    fn cipher_pin(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        let [kif, kvc, pin @ ..] = *Zeroizing::new(command.exactly::<6>()?);
        let challenge = fresh.given()?;
        Ok(Reply::with(pin_block(&self.use_key(KeyId::new(kif, kvc))?, &challenge, &pin)))
    }

    fn cipher_pin_change(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        let [kif, kvc, o0, o1, o2, o3, new @ ..] = *Zeroizing::new(command.exactly::<10>()?);
        let challenge = fresh.given()?;
        let key = self.use_key(KeyId::new(kif, kvc))?;
        Ok(Reply::with(pin_change_block(&key, &challenge, &[o0, o1, o2, o3], &new)))
    }

    fn generate_key(&self, issuer: Option<KeyId>, source: KeyId, format: u8, fresh: &Fresh) -> Result<Reply, Refusal> {
        if format != KEY_FORMAT {
            return Err(status::WRONG_DATA);
        }
        let challenge = fresh.given()?;
        let issuer = issuer.map(|issuer| Ok(self.key(issuer)?.0)).transpose()?;
        Ok(Reply::with(key_block(issuer.as_ref(), &challenge, source, &self.key(source)?.0)))
    }
}
