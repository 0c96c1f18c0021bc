//! The digest of one card session, as far as the SAM has not computed it yet.

use alloc::vec::Vec;

use super::command::Encoder;
use super::queue::Queue;
use crate::apdu::Batch;
use crate::card::{KeyId, Kif, Kvc};
use crate::command::SessionForm;

/// Card commands and answers that wait to be digested, behind what begins the digest.
#[derive(Debug, Default)]
pub(super) struct Digest {
    session: Option<Session>,
    /// KIF, KVC and the whole answer to the opening.
    opening: Vec<u8>,
    /// Commands without the Le of case 4, and answers, alternating.
    pending: Batch,
    /// How each of them is digested.
    feeds: Vec<Feed>,
}

/// How a command or an answer is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feed {
    Plain,
    /// By the command that also ciphers or deciphers; its result may be needed.
    Encrypted {
        needed: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Session {
    form: SessionForm,
    initialized: bool,
}

/// The most data of Digest Init.
const OPENING_MAX: usize = 255;

impl Digest {
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

    fn clear_pending(&mut self) {
        self.pending.clear();
        self.feeds.clear();
    }

    /// The key of the session.
    pub(super) fn key(&self) -> Option<KeyId> {
        let &[kif, kvc] = self.opening.first_chunk::<2>()?;
        self.session.map(|_| KeyId { kif: Kif(kif), kvc: Kvc(kvc) })
    }

    pub(super) fn form(&self) -> Option<SessionForm> {
        self.session.map(|session| session.form)
    }

    pub(super) fn push(&mut self, block: &[u8]) {
        self.pending.push(block);
        self.feeds.push(Feed::Plain);
    }

    /// A block while encryption is active: a command in clear, or an answer as it came.
    pub(super) fn push_encrypted(&mut self, block: &[u8], needed: bool) {
        self.pending.push(block);
        self.feeds.push(Feed::Encrypted { needed });
    }

    /// Whether one of the blocks that wait is ciphered.
    pub(super) fn has_encrypted(&self) -> bool {
        self.feeds.iter().any(|feed| *feed != Feed::Plain)
    }

    /// Whether the SAM has yet to begin.
    pub(super) fn waits_for_init(&self) -> bool {
        self.session.is_some_and(|session| !session.initialized)
    }

    pub(super) fn init(&mut self, encoder: Encoder, queue: &mut Queue) {
        if let Some(session) = &mut self.session {
            session.initialized = true;
            queue.push(|out| encoder.digest_init(session.form, &self.opening, out));
        }
    }

    /// Moves what is pending to the queue: specification 03, "Grouping of digest blocks".
    pub(super) fn flush(&mut self, encoder: Encoder, capacity: usize, queue: &mut Queue) {
        let mut group = Group::default();
        for (index, (block, feed)) in self.pending.iter().zip(&self.feeds).enumerate() {
            let taken = block.len() + 1;
            let alone = *feed != Feed::Plain || taken > capacity || !encoder.0.digests_several();
            if alone || group.len + taken > capacity {
                group.emit(&self.pending, encoder, queue);
            }
            match feed {
                Feed::Encrypted { needed } => {
                    queue.push(|out| encoder.digest_update_encrypted(block, *needed, out));
                }
                Feed::Plain if alone => queue.push(|out| encoder.digest_update(block, out)),
                Feed::Plain => group.add(index, taken),
            }
        }
        group.emit(&self.pending, encoder, queue);
        self.clear_pending();
    }
}

/// Consecutive blocks that travel in one command.
#[derive(Debug, Default)]
struct Group {
    first: usize,
    count: usize,
    /// Bytes that they take, their lengths included.
    len: usize,
}

impl Group {
    fn add(&mut self, index: usize, taken: usize) {
        if self.count == 0 {
            self.first = index;
        }
        self.count += 1;
        self.len += taken;
    }

    fn emit(&mut self, pending: &Batch, encoder: Encoder, queue: &mut Queue) {
        let Self { first, count, len } = core::mem::take(self);
        if count > 0 {
            let blocks = (first..first + count).filter_map(|index| pending.get(index));
            queue.push(|out| encoder.digest_update_multiple(len, blocks, out));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sam::SamProduct;
    use alloc::vec;

    fn commands(product: SamProduct, capacity: usize, blocks: &[usize]) -> Vec<(u8, u8)> {
        let mut digest = Digest::default();
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        assert!(digest.start(SessionForm::Regular, key, &[0; 8]));
        for &len in blocks {
            digest.push(&vec![0; len]);
        }
        let mut queue = Queue::default();
        digest.flush(Encoder(product), capacity, &mut queue);
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

    #[test]
    fn an_opening_that_digest_init_cannot_carry() {
        let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
        assert!(Digest::default().start(SessionForm::Regular, key, &[0; 253]));
        assert!(!Digest::default().start(SessionForm::Regular, key, &[0; 254]));
    }
}
