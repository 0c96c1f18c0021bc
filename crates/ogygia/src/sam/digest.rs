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
        self.pending.clear();
        self.opening.clear();
        self.opening.extend_from_slice(&[key.kif.0, key.kvc.0]);
        self.opening.extend_from_slice(opening);
        self.session = Some(Session { form, initialized: false });
        self.opening.len() <= OPENING_MAX
    }

    pub(super) fn end(&mut self) {
        self.session = None;
        self.pending.clear();
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
        if encoder.0.digests_several() {
            self.flush_groups(encoder, capacity, queue);
        } else {
            for block in self.pending.iter() {
                queue.push(|out| encoder.digest_update(block, out));
            }
        }
        self.pending.clear();
    }

    fn flush_groups(&self, encoder: Encoder, capacity: usize, queue: &mut Queue) {
        let mut first = 0;
        let mut len = 0;
        let emit = |blocks: core::ops::Range<usize>, len: usize, queue: &mut Queue| {
            if len > 0 {
                let blocks = blocks.filter_map(|index| self.pending.get(index));
                queue.push(|out| encoder.digest_update_multiple(len, blocks, out));
            }
        };
        for (index, block) in self.pending.iter().enumerate() {
            if len + block.len() + 1 > capacity {
                emit(first..index, len, queue);
                (first, len) = (index, 0);
            }
            if block.len() + 1 > capacity {
                queue.push(|out| encoder.digest_update(block, out));
                first = index + 1;
            } else {
                len += block.len() + 1;
            }
        }
        emit(first..self.pending.len(), len, queue);
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
