//! Verify PIN, Change PIN, Change Key.

use zeroize::Zeroizing;

use super::VirtualCard;
use super::memory::Pin;
use crate::cipher::{
    KEY_BLOCK_LEN, Key, KeyId, PIN_CHANGE_LEN, PIN_LEN, open_key_block, open_pin_change, pin_block, same,
};
use crate::command::{Command, Reply};
use crate::profile::ProductType;
use crate::status::{self, Refusal};

/// Key of the current directory under which a PIN is presented outside a session: the debit key.
const PRESENTATION_KEY: u8 = 3;
/// Key of the current directory under which PIN and keys are changed: the issuer key.
const CHANGE_KEY: u8 = 1;

impl VirtualCard {
    pub(super) fn verify_pin(&mut self, command: &Command, challenge: Option<[u8; 8]>) -> Result<Reply, Refusal> {
        let known = self.pin()?.clone();
        command.with_parameters(0, 0)?;
        if !matches!(command.data.len(), 0 | 4 | PIN_LEN) {
            return Err(status::WRONG_LENGTH);
        }
        if self.is_invalidated() {
            return Err(status::FORBIDDEN);
        }
        if command.data.is_empty() {
            let max = self.attempts_max();
            return if known.attempts == max { Ok(Reply::done()) } else { Err(left(known.attempts)) };
        }
        let expected = Zeroizing::new(self.expected_presentation(command.data.len(), &known, challenge)?);
        if known.attempts == 0 {
            return Err(status::PIN_BLOCKED);
        }
        self.spend_transaction()?;
        let right = same(&command.data, &expected);
        let attempts = if right { self.attempts_max() } else { known.attempts.saturating_sub(1) };
        self.field.pin_verified = right;
        if let Some(pin) = self.pin_mut() {
            pin.attempts = attempts;
        }
        if right { Ok(Reply::done()) } else { Err(left(attempts)) }
    }

    /// What a right presentation of `length` bytes holds.
    fn expected_presentation(&self, length: usize, pin: &Pin, challenge: Option<[u8; 8]>) -> Result<Vec<u8>, Refusal> {
        if length != PIN_LEN {
            return Ok(pin.value.to_vec());
        }
        let challenge = challenge.ok_or(status::SECURITY_STATUS)?;
        let key = match &self.field.session {
            Some(session) => session.key().ok_or(status::SECURITY_STATUS)?.1.clone(),
            None => self.key(PRESENTATION_KEY).ok_or(status::SECURITY_STATUS)?.1,
        };
        Ok(pin_block(&key, &challenge, &pin.value).to_vec())
    }

    /// Change PIN (P2 FF) and Change Key (P2 1 to 3) share an instruction.
    pub(super) fn change_secret(&mut self, command: &Command, challenge: Option<[u8; 8]>) -> Result<Reply, Refusal> {
        if command.p1 != 0 || !matches!(command.p2, 0xFF | 1..=3) {
            return Err(status::WRONG_P1P2);
        }
        let is_pin = command.p2 == 0xFF;
        if is_pin {
            self.pin()?;
        } else if self.product() == ProductType::Basic {
            return Err(status::UNKNOWN_INS);
        }
        match (command.data.len(), is_pin) {
            (4 | PIN_CHANGE_LEN, true) | (0x18 | KEY_BLOCK_LEN, _) => {}
            (4 | PIN_CHANGE_LEN, false) => return Err(status::LC_DOES_NOT_MATCH),
            _ => return Err(status::WRONG_LENGTH),
        }
        if self.field.session.is_some() || self.is_invalidated() {
            return Err(status::FORBIDDEN);
        }
        if is_pin { self.change_pin(command, challenge) } else { self.change_key(command, challenge) }
    }

    fn change_pin(&mut self, command: &Command, challenge: Option<[u8; 8]>) -> Result<Reply, Refusal> {
        let new = if let Ok(new) = <[u8; 4]>::try_from(command.data.as_slice()) {
            if !self.field.pin_verified {
                return Err(status::SECURITY_STATUS);
            }
            self.spend_transaction()?;
            new
        } else {
            let challenge = challenge.ok_or(status::SECURITY_STATUS)?;
            let (_, key) = self.key(CHANGE_KEY).ok_or(status::SECURITY_STATUS)?;
            self.spend_transaction()?;
            open_pin_change(&key, &challenge, &command.data).ok_or(status::WRONG_MAC)?
        };
        let attempts = self.attempts_max();
        if let Some(pin) = self.pin_mut() {
            pin.value.0 = new;
            pin.attempts = attempts;
        }
        Ok(Reply::done())
    }

    fn change_key(&mut self, command: &Command, challenge: Option<[u8; 8]>) -> Result<Reply, Refusal> {
        let challenge = challenge.ok_or(status::SECURITY_STATUS)?;
        let (_, issuer) = self.key(CHANGE_KEY).ok_or(status::SECURITY_STATUS)?;
        self.spend_transaction()?;
        // A block under the null key is for cards that have no issuer key yet; these all have one.
        let (id, value) = open_key_block(Some(&issuer), &challenge, &command.data).ok_or(status::WRONG_MAC)?;
        self.store_key(command.p2, id, &value)
    }

    /// The card keeps the name of the key only and derives the value, so the value must be the one it would derive.
    fn store_key(&mut self, index: u8, id: KeyId, value: &Key) -> Result<Reply, Refusal> {
        let at = self.field.application.ok_or(status::SECURITY_STATUS)?;
        let serial = self.application().map(|application| application.serial).unwrap_or_default();
        let derived = self.keys.diversified(id, &serial).ok_or(status::WRONG_DATA)?;
        if derived != *value {
            return Err(status::WRONG_DATA);
        }
        let place = usize::from(index).checked_sub(1).and_then(|index| self.memory.keys.get_mut(at)?.get_mut(index));
        *place.ok_or(status::WRONG_P1P2)? = id;
        // The asymmetric objects come with the issuer key: specification 04, "Personalisation flows".
        if index == CHANGE_KEY {
            self.clear_objects();
        }
        Ok(Reply::done())
    }

    /// The PIN of the current directory.
    fn pin(&self) -> Result<&Pin, Refusal> {
        let application = self.application().filter(|application| application.features.pin);
        application.and_then(|_| self.memory.pins.get(self.pin_index())).ok_or(status::UNKNOWN_INS)
    }

    fn pin_mut(&mut self) -> Option<&mut Pin> {
        let index = self.pin_index();
        self.memory.pins.get_mut(index)
    }

    fn pin_index(&self) -> usize {
        let shared = self.profile.pin.as_ref().is_none_or(|pin| pin.shared);
        if shared { 0 } else { self.field.application.unwrap_or(0) }
    }

    fn attempts_max(&self) -> u8 {
        self.profile.pin.as_ref().map_or(3, |pin| pin.attempts_max.clamp(1, 15))
    }
}

fn left(attempts: u8) -> Refusal {
    if attempts == 0 { status::PIN_BLOCKED } else { status::attempts_left(attempts) }
}
