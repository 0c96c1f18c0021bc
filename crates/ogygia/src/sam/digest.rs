//! The digest of one card session, as far as the SAM has not computed it yet.

use alloc::vec::Vec;

use super::command::{DIGESTED_SEVERAL, Encoder, Expected};
use super::queue::Queue;
use super::signature::Diversifier;
use crate::card::KeyId;
use crate::command::SessionForm;
use crate::hint::unlikely;

/// Card commands and answers that wait to be digested, behind what begins the digest.
#[derive(Debug)]
pub(super) struct Digest {
    encoder: Encoder,
    /// The most data of one command that digests several blocks; 0 where there is none.
    group_capacity: usize,
    session: Option<Session>,
    /// What has the SAM begin, as long as it has not, and digest commands without the Le of case 4, and answers,
    /// alternating.
    queue: Queue,
    /// How many of these have it begin.
    beginning: usize,
    /// So many bytes stand behind them, of one more command that takes more as long as that fits: blocks with their
    /// length in front.
    group: usize,
    /// One of the blocks that wait is ciphered.
    has_encrypted: bool,
    /// A PIN or a private key may be among what waits.
    secret: bool,
}

#[derive(Clone, Copy, Debug)]
struct Session {
    form: SessionForm,
    key: KeyId,
}

/// The most bytes of the answer to an opening in Digest Init, with KIF and KVC.
const OPENING_MAX: usize = 255 - 2;

impl Digest {
    pub(super) fn new(encoder: Encoder, capacity: u8) -> Self {
        Self {
            encoder,
            group_capacity: if encoder.0.digests_several() { usize::from(capacity) } else { 0 },
            session: None,
            queue: Queue::default(),
            beginning: 0,
            group: 0,
            has_encrypted: false,
            secret: false,
        }
    }

    /// Begins another session's digest, with the selection of a diversifier where it is not selected; false when Digest
    /// Init cannot carry the opening.
    pub(super) fn start(&mut self, form: SessionForm, key: KeyId, opening: &[u8], select: Option<Diversifier>) -> bool {
        self.clear();
        self.session = Some(Session { form, key });
        if unlikely(opening.len() > OPENING_MAX) {
            return false;
        }
        let encoder = self.encoder;
        if let Some(diversifier) = select {
            self.queue.push(|out| encoder.select_diversifier(diversifier, out));
        }
        self.queue.push(|out| encoder.digest_init(form, key, opening, out));
        self.beginning = 1 + usize::from(select.is_some());
        true
    }

    pub(super) fn end(&mut self) {
        self.session = None;
        self.clear();
    }

    /// The next session is one with another card.
    pub(super) fn reset(&mut self) {
        self.end();
        self.secret = false;
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.beginning = 0;
        self.group = 0;
        self.has_encrypted = false;
    }

    /// As they take turns, what waits here and `queue` get as much room as either has.
    pub(super) fn match_room(&mut self, queue: &mut Queue) {
        self.queue.match_room(queue);
        queue.match_room(&self.queue);
    }

    /// A PIN or a private key may be among what is digested of this card from now on, and must not stay in memory.
    #[cold]
    pub(super) fn guard(&mut self) {
        self.secret = true;
        self.queue.guard();
    }

    /// The key of the session.
    pub(super) fn key(&self) -> Option<KeyId> {
        self.session.map(|session| session.key)
    }

    pub(super) fn form(&self) -> Option<SessionForm> {
        self.session.map(|session| session.form)
    }

    /// A command and its answer, in clear: specification 03, "Grouping of digest blocks".
    #[inline(always)]
    pub(super) fn push_exchange(&mut self, command: &[u8], answer: &[u8]) {
        let len = self.group + 2 + command.len() + answer.len();
        if unlikely(len > self.group_capacity) {
            return self.push_apart(command, answer);
        }
        let group = self.open_group();
        add_block(group, command);
        add_block(group, answer);
        self.group = len;
    }

    #[cold]
    fn push_apart(&mut self, command: &[u8], answer: &[u8]) {
        self.push(command);
        self.push(answer);
    }

    fn push(&mut self, block: &[u8]) {
        let taken = block.len() + 1;
        if taken > self.group_capacity {
            let encoder = self.encoder;
            return self.push_alone(|out| encoder.digest_update(block, out));
        }
        if self.group + taken > self.group_capacity {
            self.close_group();
        }
        add_block(self.open_group(), block);
        self.group += taken;
    }

    /// A block while encryption is active: a command in clear, or an answer as it came. The command that digests it also
    /// ciphers or deciphers; its result may be needed.
    pub(super) fn push_encrypted(&mut self, block: &[u8], needed: bool) {
        let encoder = self.encoder;
        self.push_alone(|out| encoder.digest_update_encrypted(block, needed, out));
        self.has_encrypted = true;
    }

    fn push_alone(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Expected) {
        self.close_group();
        if unlikely(self.secret) {
            self.queue.guard();
        }
        self.queue.push(write);
    }

    /// Where the blocks of the group go.
    #[inline(always)]
    fn open_group(&mut self) -> &mut Vec<u8> {
        if self.group == 0 {
            if unlikely(self.secret) {
                self.queue.guard();
            }
            self.encoder.digest_update_multiple(self.queue.commands.arena());
        }
        self.queue.commands.arena()
    }

    fn close_group(&mut self) {
        if self.group > 0 {
            self.queue.end_command(core::mem::take(&mut self.group), DIGESTED_SEVERAL);
        }
    }

    /// Whether one of the blocks that wait is ciphered.
    pub(super) fn has_encrypted(&self) -> bool {
        self.has_encrypted
    }

    /// Whether the SAM has yet to begin.
    pub(super) fn waits_for_init(&self) -> bool {
        self.beginning > 0
    }

    /// Whether it begins by selecting a diversifier.
    pub(super) fn selects(&self) -> bool {
        self.beginning > 1
    }

    /// Moves what has the SAM begin to the queue, and nothing else.
    pub(super) fn begin(&mut self, queue: &mut Queue) {
        self.queue.move_first(core::mem::take(&mut self.beginning), queue);
    }

    /// Moves what waits to the queue; but what has the SAM begin only where nothing is in front of it.
    pub(super) fn flush(&mut self, queue: &mut Queue) {
        self.close_group();
        self.has_encrypted = false;
        if queue.is_empty() {
            core::mem::swap(queue, &mut self.queue);
            self.beginning = 0;
        } else if unlikely(self.beginning > 0) {
            self.queue.move_behind(self.beginning, queue);
        } else {
            queue.append(&mut self.queue);
        }
    }
}

/// Adds a block that fits, and is no longer than a byte can say: no group is.
#[inline(always)]
fn add_block(group: &mut Vec<u8>, block: &[u8]) {
    group.push(u8::try_from(block.len()).unwrap_or(u8::MAX));
    group.extend_from_slice(block);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Kif, Kvc};
    use crate::sam::SamProduct;
    use alloc::vec;

    fn commands(product: SamProduct, capacity: u8, blocks: &[usize]) -> Vec<(u8, u8)> {
        let mut digest = Digest::new(Encoder(product), capacity);
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        assert!(digest.start(SessionForm::Regular, key, &[0; 8], None));
        for &len in blocks {
            digest.push(&vec![0; len]);
        }
        let mut queue = Queue::default();
        digest.flush(&mut queue);
        assert_eq!(queue.commands.get(0).map(|command| command[1]), Some(0x8A));
        queue.commands.iter().skip(1).map(|command| (command[2], command[4])).collect()
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

    /// What has the SAM begin stays until it is put in front, and takes nothing with it.
    #[test]
    fn behind_something_else() {
        let instructions = |queue: &Queue| queue.commands.iter().map(|command| command[1]).collect::<Vec<_>>();
        let encoder = Encoder(SamProduct::SamC1);
        let mut digest = Digest::new(encoder, 255);
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        assert!(digest.start(SessionForm::Regular, key, &[0; 8], Some(Diversifier::whole([1; 8]))));
        digest.push_exchange(&[1; 5], &[2; 31]);
        let mut queue = Queue::default();
        queue.push(|out| encoder.get_challenge(4, out));
        digest.flush(&mut queue);
        assert_eq!(instructions(&queue), [0x84, 0x8C]);
        assert!(digest.waits_for_init() && digest.selects());
        digest.push_exchange(&[3; 5], &[4; 2]);
        let mut front = Queue::default();
        digest.begin(&mut front);
        assert_eq!(instructions(&front), [0x14, 0x8A]);
        assert!(!digest.waits_for_init());
        digest.flush(&mut queue);
        assert_eq!(instructions(&queue), [0x84, 0x8C, 0x8C]);
        let last = queue.commands.get(2).unwrap();
        assert_eq!(last, [&[0x80, 0x8C, 0x80, 0x00, 9, 5][..], &[3; 5], &[2, 4, 4]].concat());
        let mut nothing = Queue::default();
        digest.flush(&mut nothing);
        assert!(nothing.is_empty());
    }

    /// A queue whose commands are wiped says so.
    #[test]
    fn what_holds_a_pin_is_wiped() {
        let queued = |product, guarded, push: fn(&mut Digest)| {
            let mut digest = Digest::new(Encoder(product), 255);
            assert!(digest.start(SessionForm::Regular, KeyId { kif: Kif(0x30), kvc: Kvc(0x79) }, &[0; 8], None));
            if guarded {
                digest.guard();
            }
            push(&mut digest);
            let mut queue = Queue::default();
            digest.flush(&mut queue);
            assert_eq!(queue.commands.len(), 2 + usize::from(product == SamProduct::SamS1Dx));
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
        assert!(digest.start(SessionForm::Regular, key, &[0; 253], None));
        assert!(!digest.start(SessionForm::Regular, key, &[0; 254], None));
    }
}
