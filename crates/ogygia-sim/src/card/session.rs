//! Secure sessions: Open, Manage, Close, Abort.

use super::VirtualCard;
use super::memory::Content;
use crate::cipher::{Key, KeyId, SessionCipher, Transcript, same};
use crate::command::{Command, Reply};
use crate::profile::{FileKind, ProductType};
use crate::status::{self, Refusal};

pub(super) const OPEN: u8 = 0x8A;
pub(super) const MANAGE: u8 = 0x82;
pub(super) const CLOSE: u8 = 0x8E;

/// An open session.
#[derive(Debug)]
pub(super) struct Session {
    security: Security,
    /// The content to which a session that does not end well returns.
    backup: Content,
    spent: u32,
    spent_generic: u32,
    spent_counters: u32,
    /// Answers that come with the closing, in order.
    postponed: Vec<Vec<u8>>,
    purse_used: bool,
}

/// What proves that both sides saw the same session.
#[derive(Debug)]
pub(super) enum Security {
    Keyed(Box<Keyed>),
    Signed(Transcript),
}

/// A session with symmetric keys.
#[derive(Debug)]
pub(super) struct Keyed {
    level: u8,
    key: (KeyId, Key),
    mode: Mode,
    ciphered: bool,
    cipher: SessionCipher,
}

/// Opening data given out in advance, and for which level.
#[derive(Clone, Debug)]
pub(super) struct PreOpen {
    level: u8,
    counter: u32,
    ratified: bool,
    random: [u8; 5],
}

/// How a session is opened: the layouts of the specification of transactions, "Opening".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Revision1,
    Revision2,
    Regular,
    Extended,
}

impl Mode {
    const fn mac_len(self) -> usize {
        match self {
            Self::Extended => 8,
            _ => 4,
        }
    }
}

impl Session {
    pub(super) const fn new(security: Security, backup: Content) -> Self {
        Self {
            security,
            backup,
            spent: 0,
            spent_generic: 0,
            spent_counters: 0,
            postponed: Vec::new(),
            purse_used: false,
        }
    }

    fn keyed(&self) -> Option<&Keyed> {
        match &self.security {
            Security::Keyed(keyed) => Some(keyed),
            Security::Signed(_) => None,
        }
    }

    fn keyed_mut(&mut self) -> Option<&mut Keyed> {
        match &mut self.security {
            Security::Keyed(keyed) => Some(keyed),
            Security::Signed(_) => None,
        }
    }

    pub(super) const fn is_signed(&self) -> bool {
        matches!(self.security, Security::Signed(_))
    }

    /// The key of the session, where it has one.
    pub(super) fn level(&self) -> Option<u8> {
        self.keyed().map(|keyed| keyed.level)
    }

    pub(super) fn is_ciphered(&self) -> bool {
        self.keyed().is_some_and(|keyed| keyed.ciphered)
    }

    pub(super) const fn purse_used(&self) -> bool {
        self.purse_used
    }

    /// Name and value of the key that opened the session.
    pub(super) fn key(&self) -> Option<&(KeyId, Key)> {
        self.keyed().map(|keyed| &keyed.key)
    }

    /// Takes room in the modification buffer: no more than `generic` for ordinary modifications, `counters` for
    /// counters, `all` together.
    pub(super) fn spend(
        &mut self,
        cost: u32,
        counter: bool,
        generic: u32,
        counters: u32,
        all: u32,
    ) -> Result<(), Refusal> {
        let (spent, limit) =
            if counter { (&mut self.spent_counters, counters) } else { (&mut self.spent_generic, generic) };
        let (own, total) = (spent.saturating_add(cost), self.spent.saturating_add(cost));
        if own > limit || total > all {
            return Err(status::BUFFER_FULL);
        }
        *spent = own;
        self.spent = total;
        Ok(())
    }
}

impl VirtualCard {
    pub(super) fn open_session(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if self.opens_signed(command) {
            return self.open_signed(command);
        }
        let (mode, level, record) = self.opening(command)?;
        let pre_open = mode == Mode::Extended && command.data.len() == 1;
        let challenge: Vec<u8> = match (mode, command.data.as_slice()) {
            (Mode::Extended, [0x00]) => Vec::new(),
            (Mode::Extended, [0x00, challenge @ ..]) if challenge.len() == 8 => challenge.to_vec(),
            (Mode::Extended, _) => return Err(status::WRONG_LENGTH),
            (_, challenge) if challenge.len() == 4 => challenge.to_vec(),
            _ => return Err(status::WRONG_LENGTH),
        };
        if self.field.session.is_some() {
            return Err(status::FORBIDDEN);
        }
        if !(1..=3).contains(&level) {
            return Err(status::UNKNOWN_KEY_INDEX);
        }
        let key = self.key(level).ok_or(status::FORBIDDEN)?;
        let record = self.record_to_read(command.p2 >> 3, record, Some(level))?;
        if self.memory.transaction_counter == 0 {
            return Err(status::EXHAUSTED);
        }
        if pre_open {
            return Ok(Reply::with(self.pre_open(level, key.0, &record)).and(status::POSTPONED));
        }
        let data = self.opening_data(mode, level, key.0, &record)?;
        let cipher = SessionCipher::new(&key.1, mode == Mode::Extended, &challenge, &data);
        let keyed = Box::new(Keyed { level, key, mode, ciphered: false, cipher });
        self.field.session = Some(Session::new(Security::Keyed(keyed), self.memory.content.clone()));
        Ok(Reply::with(data))
    }

    /// Mode, key index and record number of an Open Secure Session, by product.
    fn opening(&self, command: &Command) -> Result<(Mode, u8, u8), Refusal> {
        let extended = self.application().is_some_and(|application| application.features.extended_mode);
        let mode = match (self.product(), command.p2 & 0x07) {
            (ProductType::Prime1, 0) => Mode::Revision1,
            (ProductType::Prime2, 0) if command.p1 & 0x80 != 0 => Mode::Revision2,
            (ProductType::Prime3 | ProductType::Light | ProductType::Basic, 1) => Mode::Regular,
            (ProductType::Prime3, 2) if extended => Mode::Extended,
            _ => return Err(status::WRONG_P1P2),
        };
        let record = if mode == Mode::Revision2 { command.p1 & 0x7F } else { command.p1 };
        Ok((mode, command.p1 & 0x07, record >> 3))
    }

    /// The record that an opening at `level` returns; record 0 asks for none.
    pub(super) fn record_to_read(&mut self, sfi: u8, number: u8, level: Option<u8>) -> Result<Vec<u8>, Refusal> {
        if number == 0 {
            if sfi != 0 {
                self.file(sfi)?;
            }
            return Ok(Vec::new());
        }
        let file = self.file(sfi)?;
        if file.kind == FileKind::Binary {
            return Err(status::WRONG_FILE_TYPE);
        }
        if number > file.records {
            return Err(status::RECORD_NOT_FOUND);
        }
        self.allow_read(&file, level)?;
        self.bytes(&file, number)
    }

    /// Data of the answer; the transaction counter goes down by one.
    fn opening_data(&mut self, mode: Mode, level: u8, key: KeyId, record: &[u8]) -> Result<Vec<u8>, Refusal> {
        if mode == Mode::Extended {
            let random = self.announced(level);
            let left = self.spend_transaction()?;
            return Ok(self.extended_data(left, random, key, record));
        }
        let left = self.spend_transaction()?.to_be_bytes();
        let [random] = self.random();
        let mut data = if mode == Mode::Revision2 { vec![key.kvc] } else { Vec::new() };
        data.extend(left.iter().skip(1));
        data.push(random);
        if mode == Mode::Regular {
            data.extend([u8::from(!self.memory.ratified), key.kif, key.kvc, length(record)]);
        } else if !self.memory.ratified {
            data.extend([0x00, 0x01]);
        }
        data.extend_from_slice(record);
        Ok(data)
    }

    /// Random of an extended opening: the one announced for this level, if nothing happened since.
    fn announced(&mut self, level: u8) -> [u8; 5] {
        let announced = self.field.pre_open.take().filter(|announced| {
            announced.level == level
                && announced.counter == self.memory.transaction_counter
                && announced.ratified == self.memory.ratified
        });
        announced.map_or_else(|| self.random(), |announced| announced.random)
    }

    fn pre_open(&mut self, level: u8, key: KeyId, record: &[u8]) -> Vec<u8> {
        let announced = PreOpen {
            level,
            counter: self.memory.transaction_counter,
            ratified: self.memory.ratified,
            random: self.random(),
        };
        let left = announced.counter.saturating_sub(1);
        let data = self.extended_data(left, announced.random, key, record);
        self.field.pre_open = Some(announced);
        data
    }

    fn extended_data(&self, left: u32, random: [u8; 5], key: KeyId, record: &[u8]) -> Vec<u8> {
        let manageable = u8::from(self.keys.is_aes(key)) << 1;
        let mut data: Vec<u8> = left.to_be_bytes().into_iter().skip(1).collect();
        data.extend(random);
        data.extend([u8::from(!self.memory.ratified) | manageable, key.kif, key.kvc, length(record)]);
        data.extend_from_slice(record);
        data
    }

    /// Deciphers and digests a command of the open session; tells whether the answer must be ciphered.
    pub(super) fn digest_command(&mut self, command: &mut Command) -> bool {
        let Some(session) = self.field.session.as_mut() else { return false };
        match &mut session.security {
            Security::Keyed(keyed) => {
                if keyed.ciphered {
                    keyed.cipher.mask(&mut command.data);
                }
                keyed.cipher.feed(&command.digested());
                keyed.ciphered
            }
            Security::Signed(transcript) => {
                transcript.add(&command.digested());
                false
            }
        }
    }

    /// Digests an answer of the open session and ciphers it.
    pub(super) fn digest_reply(&mut self, mut reply: Reply, ciphered: bool) -> Reply {
        let Some(session) = self.field.session.as_mut() else { return reply };
        let plain = reply.clone().into_bytes();
        match &mut session.security {
            Security::Keyed(keyed) => {
                if ciphered {
                    keyed.cipher.mask(&mut reply.data);
                }
                keyed.cipher.feed(&plain);
            }
            Security::Signed(transcript) => transcript.add(&plain),
        }
        reply
    }

    /// Notes an answer for the closing; false outside a session, and where the closing has no room for it.
    pub(super) fn postpone(&mut self, answer: &[u8]) -> bool {
        let session = self.field.session.as_mut().filter(|session| !session.is_signed());
        session.map(|session| session.postponed.push(answer.to_vec())).is_some()
    }

    /// Notes a Stored Value operation in the session.
    pub(super) fn note_purse_use(&mut self) {
        if let Some(session) = self.field.session.as_mut() {
            session.purse_used = true;
        }
    }

    pub(super) fn manage_session(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let application = self.application();
        if !application.is_some_and(|application| application.features.extended_mode) {
            return Err(status::UNKNOWN_INS);
        }
        if command.p1 != 0 || command.p2 > 3 {
            return Err(status::WRONG_P1P2);
        }
        let session = self.field.session.as_mut().and_then(Session::keyed_mut).ok_or(status::FORBIDDEN)?;
        if session.mode != Mode::Extended || !self.keys.is_aes(session.key.0) {
            return Err(status::FORBIDDEN);
        }
        let mut answer = Reply::done();
        if command.p2 & 1 != 0 {
            let given: [u8; 8] = command.exactly()?;
            let (terminal, card) = session.cipher.authenticate();
            if !same(&given, &terminal) {
                self.roll_back();
                return Err(status::WRONG_MAC);
            }
            answer = Reply::with(card);
        } else {
            command.without_data()?;
        }
        session.ciphered = command.p2 & 2 != 0;
        Ok(answer)
    }

    pub(super) fn close_session(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if !matches!(command.p1, 0x00 | 0x80) || command.p2 != 0 {
            return Err(status::WRONG_P1P2);
        }
        let session = self.field.session.as_ref().ok_or(status::FORBIDDEN)?;
        let keyed = match &session.security {
            Security::Keyed(keyed) => keyed,
            Security::Signed(transcript) => return self.close_signed(command, transcript.clone()),
        };
        if command.data.is_empty() {
            return self.abort_session(command);
        }
        if command.data.len() != keyed.mode.mac_len() {
            return Err(status::WRONG_LENGTH);
        }
        let (terminal, card) = (keyed.cipher.closing_terminal(), keyed.cipher.closing_card());
        if !terminal.starts_with(&command.data) {
            self.roll_back();
            return Err(status::WRONG_MAC);
        }
        let mut data = Vec::new();
        for item in &session.postponed {
            data.push(u8::try_from(item.len() + 1).unwrap_or(u8::MAX));
            data.extend_from_slice(item);
        }
        data.extend(card.iter().take(keyed.mode.mac_len()));
        self.field.session = None;
        self.memory.ratified = command.p1 == 0x80;
        self.field.awaits_ratification = command.p1 == 0x00;
        Ok(Reply::with(data))
    }

    fn abort_session(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if command.p1 != 0 || command.le.unwrap_or(0) != 0 {
            return Err(status::WRONG_LENGTH);
        }
        self.roll_back();
        Ok(Reply::done())
    }

    /// Ends an open session and restores what it changed.
    pub(super) fn roll_back(&mut self) {
        if let Some(session) = self.field.session.take() {
            self.memory.content = session.backup;
        }
    }

    /// The content as it would be if the card lost the field now.
    pub(super) fn committed(&self) -> &Content {
        self.field.session.as_ref().map_or(&self.memory.content, |session| &session.backup)
    }
}

/// A length as the byte in front of what it measures.
pub(super) fn length(record: &[u8]) -> u8 {
    u8::try_from(record.len()).unwrap_or(u8::MAX)
}
