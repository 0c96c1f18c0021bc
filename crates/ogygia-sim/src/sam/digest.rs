//! Session digest: Init, Update, Update Multiple, Internal Authenticate, Close, Authenticate.

use super::{Fresh, VirtualSam};
use crate::cipher::{KeyId, SessionCipher, same};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// First occurrence of Digest Internal Authenticate that is refused.
const TOO_MANY_AUTHENTICATIONS: u32 = 249;

/// State of the session on the side of the SAM.
#[derive(Debug, Default)]
pub(super) enum Session {
    #[default]
    None,
    Ongoing(Ongoing),
    /// An intermediate MAC was given; the one of the card is due.
    Authenticating(Ongoing, [u8; 8]),
    /// The terminal MAC was given; the one of the card is due.
    Closed {
        card: [u8; 8],
        extended: bool,
    },
}

#[derive(Debug)]
pub(super) struct Ongoing {
    cipher: SessionCipher,
    extended: bool,
    aes: bool,
}

impl VirtualSam {
    pub(super) fn digest_init(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        self.session = Session::None;
        let extended = match command.p1 {
            0x00 => false,
            0x02 if self.product.is_extended() => true,
            _ => return Err(status::WRONG_KEY_REFERENCE),
        };
        if command.p2 != 0xFF {
            return Err(status::WRONG_KEY_REFERENCE);
        }
        let [kif, kvc, opening @ ..] = command.data.as_slice() else { return Err(status::WRONG_LENGTH) };
        // The shortest opening data: those of a revision 1 card.
        if opening.len() < 4 {
            return Err(status::WRONG_LENGTH);
        }
        let challenge = fresh.challenge.as_ref().ok_or(status::FORBIDDEN)?;
        let challenge = challenge.get(..if extended { 8 } else { 4 }).ok_or(status::FORBIDDEN)?;
        let id = KeyId::new(*kif, *kvc);
        let aes = self.key(id)?.1.is_aes();
        let cipher = SessionCipher::new(&self.use_key(id)?, extended, challenge, opening);
        self.session = Session::Ongoing(Ongoing { cipher, extended, aes });
        Ok(Reply::done())
    }

    fn ongoing(&mut self) -> Result<&mut Ongoing, Refusal> {
        match &mut self.session {
            Session::Ongoing(ongoing) => Ok(ongoing),
            Session::None | Session::Authenticating(..) | Session::Closed { .. } => Err(status::FORBIDDEN),
        }
    }

    pub(super) fn digest_update(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if command.data.is_empty() || command.data.len() > self.product.max_digest() {
            return Err(status::WRONG_LENGTH);
        }
        match (command.p1, command.p2) {
            (0x00, 0x00) => {
                self.ongoing()?.cipher.feed(&command.data);
                Ok(Reply::done())
            }
            (0x00, 0x80) if self.product.is_extended() => self.digest_ciphered(command),
            (0x80, 0x00) => self.digest_packed(&command.data),
            _ => Err(status::WRONG_P1P2),
        }
    }

    /// Ciphers a command, or deciphers a response, and digests the clear form.
    fn digest_ciphered(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let session = self.ongoing()?;
        if !session.extended {
            return Err(status::FORBIDDEN);
        }
        let is_command = session.cipher.blocks().is_multiple_of(2);
        let mut block = command.data.to_vec();
        let clear_at_end = if is_command { 0 } else { 2 };
        let clear_at_start = if is_command { 5 } else { 0 };
        let end = block.len().checked_sub(clear_at_end).ok_or(status::WRONG_DATA)?;
        let data = block.get_mut(clear_at_start..end).ok_or(status::WRONG_DATA)?;
        session.cipher.mask(data);
        session.cipher.feed(if is_command { &command.data } else { &block });
        Ok(Reply::with(block))
    }

    fn digest_packed(&mut self, data: &[u8]) -> Result<Reply, Refusal> {
        let session = self.ongoing()?;
        let mut blocks = Vec::new();
        let mut rest = data;
        while let [length, more @ ..] = rest {
            let (block, behind) = more.split_at_checked(usize::from(*length)).ok_or(status::WRONG_DATA)?;
            if block.is_empty() {
                return Err(status::WRONG_DATA);
            }
            blocks.push(block);
            rest = behind;
        }
        for block in blocks {
            session.cipher.feed(block);
        }
        Ok(Reply::done())
    }

    pub(super) fn digest_internal_authenticate(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0x80, 0x00)?;
        if command.le != Some(8) || !command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        match std::mem::take(&mut self.session) {
            Session::Ongoing(mut session)
                if session.extended && session.aes && session.cipher.authentications() < TOO_MANY_AUTHENTICATIONS =>
            {
                let (terminal, card) = session.cipher.authenticate();
                self.session = Session::Authenticating(session, card);
                Ok(Reply::with(terminal))
            }
            other => {
                self.session = other;
                Err(status::FORBIDDEN)
            }
        }
    }

    pub(super) fn digest_close(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        let session = self.ongoing()?;
        let length = if session.extended { 8 } else { 4 };
        if command.le != Some(length) || !command.data.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        let (terminal, card) = (session.cipher.closing_terminal(), session.cipher.closing_card());
        self.session = Session::Closed { card, extended: session.extended };
        Ok(Reply::with(terminal.into_iter().take(usize::from(length)).collect::<Vec<_>>()))
    }

    pub(super) fn digest_authenticate(&mut self, command: &Command) -> Result<Reply, Refusal> {
        command.with_parameters(0, 0)?;
        let given = command.data.as_slice();
        if !matches!(given.len(), 4 | 8 | 16) {
            return Err(status::WRONG_LENGTH);
        }
        match std::mem::take(&mut self.session) {
            Session::Authenticating(session, card) => {
                if !same(given, &card) {
                    return Err(status::WRONG_MAC);
                }
                self.session = Session::Ongoing(session);
                Ok(Reply::done())
            }
            Session::Closed { card, extended } => {
                // A card with a key that is not for extended mode may give 4 bytes all the same.
                let length_fits = given.len() == 4 || (extended && given.len() == 8);
                let right = length_fits && card.get(..given.len()).is_some_and(|card| same(given, card));
                if right { Ok(Reply::done()) } else { Err(status::WRONG_MAC) }
            }
            other @ (Session::None | Session::Ongoing(_)) => {
                self.session = other;
                Err(status::FORBIDDEN)
            }
        }
    }
}
