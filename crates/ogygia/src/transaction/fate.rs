//! What a loss means for what was being written: specification 02, "What depends on what", and points G22, G23, G80.

use super::Transaction;
use crate::command::Step;
use crate::error::Fate;
use crate::request::Loss;

impl Transaction {
    /// What became of the writings when the card was lost in a block of which `answered` commands were answered.
    ///
    /// A reader that loses the card has sent one command more than were answered. One that is lost itself may have
    /// sent them all.
    pub(super) fn fate_of_card_loss(&self, answered: usize, loss: Loss) -> Fate {
        let sent = match loss {
            Loss::Peer => answered.saturating_add(1),
            Loss::Reader => usize::MAX,
        };
        let first = self.block.first;
        let block = self.list.commands().get(first..first + self.block.commands.len()).unwrap_or_default();
        let mut unanswered = block.iter().take(sent).skip(answered);
        let doubtful = unanswered.any(|prepared| match prepared.step {
            Step::Close(_) | Step::PkiClose(_) => true,
            _ => prepared.facts.modifies() && !prepared.moment.in_session(),
        });
        let opening =
            block.iter().take(sent).any(|prepared| matches!(prepared.step, Step::Opening(_) | Step::PkiOpening(_)));
        if doubtful {
            Fate::Unknown
        } else if self.session.is_open() || opening {
            Fate::NotCommitted
        } else {
            self.fate_of_the_past(answered)
        }
    }

    /// What became of the writings when the SAM was lost, and the card had answered `answered` commands of the block.
    pub(super) fn fate_of_sam_loss(&self, answered: usize) -> Fate {
        if self.session.is_open() { Fate::NotCommitted } else { self.fate_of_the_past(answered) }
    }

    /// What became of what this processing has written, when `answered` commands of the block were answered. What was
    /// written before it has had its own outcome.
    fn fate_of_the_past(&self, answered: usize) -> Fate {
        let executed = self.block.first + answered.min(self.block.commands.len());
        let (mut closed, mut written, mut paid) = (false, false, false);
        for prepared in self.list.commands().iter().take(executed) {
            match prepared.step {
                Step::Close(_) | Step::PkiClose(_) => closed = true,
                // The SAM has found the MAC of the purse right, or it is still asked.
                Step::StoredValue(_) => paid |= !prepared.moment.in_session(),
                _ => written |= prepared.facts.modifies() && !prepared.moment.in_session(),
            }
        }
        if self.is_verifying() {
            Fate::Unverified
        } else if paid || (closed && self.session.report().authenticated.is_some()) {
            Fate::Committed
        } else if closed || written {
            Fate::Unverified
        } else {
            Fate::Untouched
        }
    }
}
