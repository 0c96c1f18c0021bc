//! The virtual card.
//!
//! Each room holds one family of commands; what a command answers follows the status tables of the specification of
//! card commands, part B. Decisions where the specification is silent are listed in the README of the crate.

mod access;
mod binary;
mod certificates;
mod counters;
mod data;
mod error;
mod layout;
mod memory;
mod pin;
mod read;
mod saved;
mod search;
mod select;
mod session;
mod signed;
mod stored_value;
mod validity;
mod write;

pub use error::CardError;

use crate::cipher::{Key, KeyId, KeySet};
use crate::command::{Command, Reply};
use crate::profile::{ProductType, Profile};
use crate::status::{self, Refusal};
use layout::{Application, Place};
use memory::Memory;
use session::Session;
use stored_value::SvGet;

/// A card made of a [`Profile`], which answers commands as the specification says.
///
/// What survives the field (contents, purse, PIN attempts, transaction counter, ratification) is written and read
/// with [`to_json`](Self::to_json) and [`from_json`](Self::from_json).
pub struct VirtualCard {
    profile: Profile,
    applications: Vec<Application>,
    memory: Memory,
    field: Field,
    keys: KeySet,
}

/// What the card forgets when it leaves the field.
#[derive(Debug, Default)]
struct Field {
    application: Option<usize>,
    /// Index in the files of the current application.
    file: Option<usize>,
    pin_verified: bool,
    /// Valid for the next command only.
    challenge: Option<[u8; 8]>,
    /// Valid for the next command only.
    sv_get: Option<SvGet>,
    /// Valid for the next command only.
    first_part: Option<certificates::FirstPart>,
    session: Option<Session>,
    /// The session closed last waits for one more command.
    awaits_ratification: bool,
    pre_open: Option<session::PreOpen>,
}

impl VirtualCard {
    /// A new card of `profile`, personalised with `keys`, in the field.
    ///
    /// # Errors
    ///
    /// The profile contradicts itself, or `keys` lacks one of its keys.
    pub fn new(profile: &Profile, keys: &KeySet) -> Result<Self, CardError> {
        profile.check()?;
        let (applications, memory) = layout::build(profile)?;
        let mut card =
            Self { profile: profile.clone(), applications, memory, field: Field::default(), keys: keys.clone() };
        card.check_keys()?;
        card.enter_field();
        Ok(card)
    }

    fn check_keys(&self) -> Result<(), CardError> {
        let missing = |id: &&KeyId| !self.keys.contains(**id);
        match self.memory.keys.iter().flatten().find(missing) {
            Some(id) => Err(CardError::MissingKey(*id)),
            None => Ok(()),
        }
    }

    /// What a reader learns when it powers the card: the contactless data, else the contact ones, else nothing.
    #[must_use]
    pub fn power_on_data(&self) -> &[u8] {
        use crate::profile::InterfaceKind::{Contact, Contactless};
        [Contactless, Contact]
            .iter()
            .find_map(|kind| {
                let mut of_kind = self.profile.interfaces.iter().filter(|interface| interface.kind == *kind);
                of_kind.find_map(|interface| interface.power_on_data.as_ref())
            })
            .map_or(&[], |data| data.as_slice())
    }

    /// The profile from which the card was made.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Executes one command and returns the answer with its status word. Any bytes are answered.
    #[must_use]
    pub fn transmit(&mut self, command: &[u8]) -> Vec<u8> {
        if std::mem::take(&mut self.field.awaits_ratification) {
            self.memory.ratified = true;
        }
        let reply = match Command::parse(command) {
            Ok(command) => self.run(command),
            Err(status) => Reply::from(Err(status)),
        };
        reply.into_bytes()
    }

    /// The card is torn from the field: an open session is void, the content before it comes back. A session closed
    /// without ratification stays unratified.
    pub fn leave_field(&mut self) {
        self.roll_back();
        self.field = Field::default();
        self.enter_field();
    }

    /// The reader lets the card go in order. On a card that ratifies on deselection, this ratifies the session closed
    /// last; then the card leaves the field.
    pub fn deselect(&mut self) {
        if self.field.awaits_ratification && self.profile.behaviour.ratification_on_deselect == Some(true) {
            self.memory.ratified = true;
        }
        self.leave_field();
    }

    fn enter_field(&mut self) {
        self.field.application = self
            .profile
            .behaviour
            .implicit_df_lid
            .and_then(|lid| self.applications.iter().position(|application| application.lid == lid.0));
    }

    /// Checks the class, takes the ciphering off, executes, digests, and ciphers.
    fn run(&mut self, mut command: Command) -> Reply {
        if let Err(status) = self.check_class(&command) {
            return Reply::from(Err(status));
        }
        if !self.is_digested(command.ins) {
            return Reply::from(self.execute(&command));
        }
        let ciphered = self.digest_command(&mut command);
        let reply = Reply::from(self.execute(&command));
        self.digest_reply(reply, ciphered)
    }

    /// Whether a session is open that takes note of this instruction.
    fn is_digested(&self, ins: u8) -> bool {
        match ins {
            session::CLOSE | session::MANAGE => false,
            // Certificates that a terminal reads on its own.
            data::GET_DATA if self.in_signed_session() => false,
            _ => self.field.session.is_some(),
        }
    }

    fn check_class(&self, command: &Command) -> Result<(), Refusal> {
        let behaviour = &self.profile.behaviour;
        let accepted = if stored_value::is_stored_value(command.ins) {
            command.cla == behaviour.sv_cla.0
        } else {
            behaviour.accepted_cla.iter().any(|cla| cla.0 == command.cla)
        };
        if accepted { Ok(()) } else { Err(status::UNKNOWN_CLA) }
    }

    fn execute(&mut self, command: &Command) -> Result<Reply, Refusal> {
        // All are good for the command that follows, and for no other.
        let challenge = self.field.challenge.take();
        let sv_get = self.field.sv_get.take();
        let first_part = self.field.first_part.take();
        match command.ins {
            0xA4 => self.select(command),
            data::GET_DATA => self.get_data(command),
            0xDA => self.put_data(command, first_part),
            0x46 => self.generate_key_pair(command),
            0xB2 => self.read_records(command),
            0xB3 => self.read_record_multiple(command),
            0xA2 => self.search(command),
            0xB0 => self.read_binary(command),
            0xDC => self.update_record(command),
            0xD2 => self.write_record(command),
            0xE2 => self.append_record(command),
            0xD6 | 0xD0 => self.modify_binary(command),
            0x30 | 0x32 => self.count(command),
            0x38 | 0x3A => self.count_multiple(command),
            0x84 => self.get_challenge(command),
            0x20 => self.verify_pin(command, challenge),
            0xD8 => self.change_secret(command, challenge),
            0x7C => self.sv_get(command),
            0xB8 | 0xBA | 0xBC => self.sv_operation(command, sv_get),
            0x04 | 0x44 => self.change_validity(command),
            session::OPEN => self.open_session(command),
            session::MANAGE => self.manage_session(command),
            session::CLOSE => self.close_session(command),
            _ => Err(status::UNKNOWN_INS),
        }
    }

    fn product(&self) -> ProductType {
        self.profile.product_type
    }

    /// The current directory.
    fn application(&self) -> Option<&Application> {
        self.applications.get(self.field.application?)
    }

    /// Whether the current directory is invalidated.
    fn is_invalidated(&self) -> bool {
        self.field.application.is_some_and(|index| self.memory.df_status(index) & 1 != 0)
    }

    /// Name and value of key 1, 2 or 3 of the current directory.
    fn key(&self, index: u8) -> Option<(KeyId, Key)> {
        let at = self.field.application?;
        let id = *self.memory.keys.get(at)?.get(usize::from(index.checked_sub(1)?))?;
        Some((id, self.keys.diversified(id, &self.applications.get(at)?.serial)?))
    }

    /// Decrements the transaction counter.
    fn spend_transaction(&mut self) -> Result<u32, Refusal> {
        let left = self.memory.transaction_counter.checked_sub(1).ok_or(status::EXHAUSTED)?;
        self.memory.transaction_counter = left;
        Ok(left)
    }

    fn random<const N: usize>(&mut self) -> [u8; N] {
        self.memory.randoms = self.memory.randoms.wrapping_add(1);
        let serial = self.applications.first().map(|application| application.serial).unwrap_or_default();
        crate::cipher::random(&serial, self.memory.randoms)
    }
}

/// What tests and demonstrations may look at without a command.
impl VirtualCard {
    /// The bytes of record `number` (from 1) of the file `lid`: in the current directory if it has one, else in the
    /// first directory that has. What an open session changed shows.
    #[must_use]
    pub fn record(&self, lid: u16, number: u8) -> Option<Vec<u8>> {
        self.memory.content.read(&self.place(lid)?, number)
    }

    /// Puts `bytes` at the start of record `number` of the file `lid` (found as by [`record`](Self::record)), whatever
    /// its access conditions; false when there is no such record, or it is shorter. For tests that need a card with
    /// some content.
    pub fn set_record(&mut self, lid: u16, number: u8, bytes: &[u8]) -> bool {
        let fits = self.record(lid, number).is_some_and(|record| bytes.len() <= record.len());
        match self.place(lid) {
            Some(place) if fits => self.memory.content.put(&place, number, 0, bytes),
            _ => return false,
        }
        true
    }

    fn place(&self, lid: u16) -> Option<Place> {
        let of = |application: &Application| application.files.iter().find(|file| file.lid == lid).cloned();
        let file = self.application().and_then(of).or_else(|| self.applications.iter().find_map(of))?;
        Some(file.place)
    }

    /// As [`record`](Self::record), for the file `sfi` of the directory `df_lid`.
    #[must_use]
    pub fn record_by_sfi(&self, df_lid: u16, sfi: u8, number: u8) -> Option<Vec<u8>> {
        let application = self.applications.iter().find(|application| application.lid == df_lid)?;
        let file = application.files.iter().find(|file| file.sfi == sfi)?;
        self.memory.content.read(&file.place, number)
    }

    /// Transactions left: 24 bits, one less at each opening.
    #[must_use]
    pub const fn transaction_counter(&self) -> u32 {
        self.memory.transaction_counter
    }

    /// Sets the transactions left, for tests of a card near its end; values above 24 bits are cut.
    pub fn set_transaction_counter(&mut self, left: u32) {
        self.memory.transaction_counter = left & 0x00FF_FFFF;
    }

    /// Makes the card draw other randoms than it would: those of `seed`.
    pub fn set_random_seed(&mut self, seed: u32) {
        self.memory.randoms = u64::from(seed) << 32;
    }

    /// Whether the session closed last is ratified, as the next opening would report.
    #[must_use]
    pub const fn ratified(&self) -> bool {
        self.memory.ratified
    }

    /// Whether a session is open.
    #[must_use]
    pub const fn session_open(&self) -> bool {
        self.field.session.is_some()
    }

    /// Long identifier of the current directory.
    #[must_use]
    pub fn current_df(&self) -> Option<u16> {
        self.application().map(|application| application.lid)
    }

    /// Balance and transaction number of the purse; nothing when the card has none.
    #[must_use]
    pub fn purse(&self) -> Option<(i32, u16)> {
        self.memory.content.purse.as_ref().map(|purse| (purse.balance, purse.tnum))
    }
}

impl std::fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VirtualCard")
            .field("profile", &self.profile.id)
            .field("current_df", &self.current_df())
            .field("session_open", &self.session_open())
            .field("transaction_counter", &self.transaction_counter())
            .field("ratified", &self.ratified())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
