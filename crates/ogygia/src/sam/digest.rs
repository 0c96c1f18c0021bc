//! The digest of one card session, as far as the SAM has not computed it yet.

use alloc::vec::Vec;

use super::command::{Encoder, Expected};
use super::queue::Queue;
use crate::card::{KeyId, Kif, Kvc};
use crate::command::SessionForm;
use crate::hint::unlikely;

/// Card commands and answers that wait to be digested, behind what begins the digest.
#[derive(Debug)]
pub(super) struct Digest {
    encoder: Encoder,
    /// The most data of one command that digests several blocks; 0 where there is none.
    group_capacity: usize,
    session: Option<Session>,
    /// KIF, KVC and the whole answer to the opening.
    opening: Vec<u8>,
    /// What has the SAM digest commands without the Le of case 4, and answers, alternating.
    pending: Queue,
    /// The data of one more command, which takes more as long as that fits: blocks with their length in front.
    group: Vec<u8>,
    /// One of the blocks that wait is ciphered.
    has_encrypted: bool,
    /// A PIN or a private key may be among what waits.
    secret: bool,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    form: SessionForm,
    initialized: bool,
}

/// The most data of Digest Init.
const OPENING_MAX: usize = 255;

impl Digest {
    pub(super) fn new(encoder: Encoder, capacity: u8) -> Self {
        Self {
            encoder,
            group_capacity: if encoder.0.digests_several() { usize::from(capacity) } else { 0 },
            session: None,
            opening: Vec::new(),
            pending: Queue::default(),
            group: Vec::new(),
            has_encrypted: false,
            secret: false,
        }
    }

    /// Begins another session's digest; false when Digest Init cannot carry the opening.
    pub(super) fn start(&mut self, form: SessionForm, key: KeyId, opening: &[u8]) -> bool {
        self.clear_pending();
        self.opening.clear();
        self.opening.extend_from_slice(&[key.kif.0, key.kvc.0]);
        self.opening.extend_from_slice(opening);
        self.session = Some(Session { form, initialized: false });
        self.opening.len() <= OPENING_MAX
    }

    pub(super) fn end(&mut self) {
        self.session = None;
        self.clear_pending();
    }

    /// The next session is one with another card.
    pub(super) fn reset(&mut self) {
        self.end();
        self.secret = false;
    }

    fn clear_pending(&mut self) {
        self.pending.clear();
        self.clear_group();
        self.has_encrypted = false;
    }

    fn clear_group(&mut self) {
        if unlikely(self.secret) {
            self.group.fill(0);
            core::hint::black_box(&self.group);
        }
        self.group.clear();
    }

    /// A PIN or a private key may be among what is digested of this card from now on, and must not stay in memory.
    #[cold]
    pub(super) fn guard(&mut self) {
        self.secret = true;
        self.group.reserve(self.group_capacity.saturating_sub(self.group.len()));
    }

    /// The key of the session.
    pub(super) fn key(&self) -> Option<KeyId> {
        let &[kif, kvc] = self.opening.first_chunk::<2>()?;
        self.session.map(|_| KeyId { kif: Kif(kif), kvc: Kvc(kvc) })
    }

    pub(super) fn form(&self) -> Option<SessionForm> {
        self.session.map(|session| session.form)
    }

    /// A command and its answer, in clear: specification 03, "Grouping of digest blocks".
    #[inline(always)]
    pub(super) fn push_exchange(&mut self, command: &[u8], answer: &[u8]) {
        let len = self.group.len() + 2 + command.len() + answer.len();
        if unlikely(len > self.group_capacity) {
            return self.push_apart(command, answer);
        }
        self.add_to_group(command);
        self.add_to_group(answer);
    }

    #[cold]
    fn push_apart(&mut self, command: &[u8], answer: &[u8]) {
        self.push(command);
        self.push(answer);
    }

    fn push(&mut self, block: &[u8]) {
        let taken = block.len() + 1;
        if taken > self.group_capacity {
            self.close_group();
            let encoder = self.encoder;
            return self.push_pending(|out| encoder.digest_update(block, out));
        }
        if self.group.len() + taken > self.group_capacity {
            self.close_group();
        }
        self.add_to_group(block);
    }

    /// Takes a block that fits, and is no longer than a byte can say: no group is.
    #[inline(always)]
    fn add_to_group(&mut self, block: &[u8]) {
        self.group.push(u8::try_from(block.len()).unwrap_or(u8::MAX));
        self.group.extend_from_slice(block);
    }

    /// A block while encryption is active: a command in clear, or an answer as it came. The command that digests it also
    /// ciphers or deciphers; its result may be needed.
    pub(super) fn push_encrypted(&mut self, block: &[u8], needed: bool) {
        self.close_group();
        let encoder = self.encoder;
        self.push_pending(|out| encoder.digest_update_encrypted(block, needed, out));
        self.has_encrypted = true;
    }

    fn push_pending(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Expected) {
        if unlikely(self.secret) {
            self.pending.guard();
        }
        self.pending.push(write);
    }

    fn close_group(&mut self) {
        let mut pending = core::mem::take(&mut self.pending);
        self.emit(&mut pending);
        self.pending = pending;
    }

    /// Queues the command that digests the group, which is empty afterwards.
    fn emit(&mut self, queue: &mut Queue) {
        if !self.group.is_empty() {
            if unlikely(self.secret) {
                queue.guard();
            }
            queue.push(|out| self.encoder.digest_update_multiple(&self.group, out));
            self.clear_group();
        }
    }

    /// Whether one of the blocks that wait is ciphered.
    pub(super) fn has_encrypted(&self) -> bool {
        self.has_encrypted
    }

    /// Whether the SAM has yet to begin.
    pub(super) fn waits_for_init(&self) -> bool {
        self.session.is_some_and(|session| !session.initialized)
    }

    pub(super) fn init(&mut self, queue: &mut Queue) {
        if let Some(session) = &mut self.session {
            session.initialized = true;
            queue.push(|out| self.encoder.digest_init(session.form, &self.opening, out));
        }
    }

    /// Moves what is pending to the queue.
    pub(super) fn flush(&mut self, queue: &mut Queue) {
        if !self.pending.is_empty() {
            queue.append(&mut self.pending);
        }
        self.emit(queue);
        self.has_encrypted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::SamProduct;
    use alloc::vec;

    fn commands(product: SamProduct, capacity: u8, blocks: &[usize]) -> Vec<(u8, u8)> {
        let mut digest = Digest::new(Encoder(product), capacity);
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        assert!(digest.start(SessionForm::Regular, key, &[0; 8]));
        for &len in blocks {
            digest.push(&vec![0; len]);
        }
        let mut queue = Queue::default();
        digest.flush(&mut queue);
        queue.commands.iter().map(|command| (command[2], command[4])).collect()
    }

    /// The check values of "Grouping of digest blocks".
    #[test]
    fn groups() {
        let reads = [5, 31].repeat(8);
        assert_eq!(commands(SamProduct::SamC1, 255, &reads), [(0x80, 0xEA), (0x80, 0x46)]);
        assert_eq!(commands(SamProduct::SamS1Dx, 70, &[5, 31]), [(0x00, 5), (0x00, 31)]);
        assert_eq!(commands(SamProduct::SamC1, 255, &[255, 2]), [(0x00, 255), (0x80, 3)]);
        assert_eq!(commands(SamProduct::SamC1, 255, &[2, 254, 2]), [(0x80, 3), (0x80, 255), (0x80, 3)]);
        assert_eq!(commands(SamProduct::SamS1E1, 240, &[2, 240, 2]), [(0x80, 3), (0x00, 240), (0x80, 3)]);
    }

    /// A queue whose commands are wiped says so.
    #[test]
    fn what_holds_a_pin_is_wiped() {
        let queued = |product, guarded, push: fn(&mut Digest)| {
            let mut digest = Digest::new(Encoder(product), 255);
            assert!(digest.start(SessionForm::Regular, KeyId { kif: Kif(0x30), kvc: Kvc(0x79) }, &[0; 8]));
            if guarded {
                digest.guard();
            }
            push(&mut digest);
            let mut queue = Queue::default();
            digest.flush(&mut queue);
            assert_eq!(queue.commands.len(), 1 + usize::from(product == SamProduct::SamS1Dx));
            alloc::format!("{queue:?}").contains("secret: true")
        };
        let grouped = |digest: &mut Digest| digest.push_exchange(b"a PIN", &[0x90, 0x00]);
        let encrypted = |digest: &mut Digest| digest.push_encrypted(b"a PIN", true);
        for guarded in [false, true] {
            assert_eq!(queued(SamProduct::SamC1, guarded, grouped), guarded);
            assert_eq!(queued(SamProduct::SamS1Dx, guarded, grouped), guarded);
            assert_eq!(queued(SamProduct::SamC1, guarded, encrypted), guarded);
        }
    }

    #[test]
    fn an_opening_that_digest_init_cannot_carry() {
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        let mut digest = Digest::new(Encoder(SamProduct::SamC1), 255);
        assert!(digest.start(SessionForm::Regular, key, &[0; 253]));
        assert!(!digest.start(SessionForm::Regular, key, &[0; 254]));
    }
}
