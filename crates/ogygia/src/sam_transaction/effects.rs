//! What a request has done to the target, whatever is right or wrong with its answers.
//!
//! An answer that cannot be used, or too few of them, does not undo what the SAM has executed. So what it has selected
//! and what it has written is settled first, from the status words alone, and apart from what the answers say.

use super::SamTransaction;
use crate::apdu::{Batch, Response};
use crate::request::Loss;
use crate::sam::lane::{Line, Then};
use crate::sam::write::Writing;
use crate::sam::{KeyParameters, KeyReference, SamImage};

/// Whether a command was executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Executed {
    Yes,
    No,
    Perhaps,
}

impl SamTransaction {
    /// Settles what the request to the target has done. `loss` is what broke behind `responses`.
    ///
    /// # Returns
    ///
    /// Whether something may have been written without being told.
    pub(super) fn settle(&mut self, responses: &Batch, loss: Option<Loss>) -> bool {
        // With a surplus nobody knows which answer belongs to what.
        let told = responses.len() <= self.target.len();
        let (mut stopped, mut doubt) = (false, false);
        for (index, line) in self.target.lines().iter().enumerate() {
            let executed = match responses.get(index).map(Response::parse) {
                _ if !told => Executed::Perhaps,
                Some(Some(answer)) if line.accepts.contains(answer.status) => Executed::Yes,
                Some(Some(_)) => {
                    stopped = true;
                    Executed::No
                }
                // A reader that lost its peer has sent one command more; one that is lost itself may have sent all.
                None if stopped || (loss == Some(Loss::Peer) && index > responses.len()) => Executed::No,
                Some(None) | None => Executed::Perhaps,
            };
            match (line.then, executed) {
                (_, Executed::No) => {}
                (Then::Diversifier(selected), Executed::Yes) => self.confirmed = Some(selected),
                (Then::Diversifier(_), Executed::Perhaps) => self.confirmed = None,
                (_, Executed::Yes) if line.writes() => {
                    self.written += 1;
                    line.note(&mut self.image);
                }
                (_, Executed::Perhaps) if line.writes() => {
                    doubt = true;
                    line.doubt(&mut self.image);
                }
                _ => {}
            }
        }
        if loss.is_some() {
            self.confirmed = None;
            self.image.take_challenge();
        }
        doubt
    }

    /// How many writings the target has told to have executed since the processing began, in the order in which they
    /// were prepared. After an error, one more may have been executed without telling: read what it was about.
    #[must_use]
    pub const fn written(&self) -> usize {
        self.written
    }
}

impl Line {
    /// Notes what was written.
    fn note(&self, image: &mut SamImage) {
        self.note_use(image);
        if let Then::Written(writing) | Then::Reloaded(writing, _) = &self.then {
            writing.note(image);
        }
    }

    /// Notes what may have been written.
    fn doubt(&self, image: &mut SamImage) {
        self.note_use(image);
        if let Then::Written(writing) | Then::Reloaded(writing, _) = &self.then {
            writing.doubt(image);
        }
    }

    /// Each writing moves the event counter of the key that deciphers it.
    fn note_use(&self, image: &mut SamImage) {
        let counter = match &self.then {
            Then::Written(writing) => counter_of(writing, image),
            Then::Reloaded(_, counter) => *counter,
            _ => None,
        };
        counter.into_iter().for_each(|counter| image.note_counter_moved(counter));
    }
}

fn counter_of(writing: &Writing, image: &SamImage) -> Option<u8> {
    let key = KeyReference::System(writing.system_key());
    image.key_parameters(key).and_then(KeyParameters::event_counter)
}
