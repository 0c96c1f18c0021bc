//! What is asked of whom, and what is done with the answers.

use super::results::Results;
use super::{SamTransaction, Step, reload};
use crate::apdu::{Batch, StatusWord};
use crate::card::Kvc;
use crate::command::CommandName;
use crate::error::{Error, Fate, Misuse, Untrusted};
use crate::request::{ChannelControl, Loss, Peer, Request};
use crate::sam::lane::{Answered, Lane, Line, Then};
use crate::sam::write::{WriteMode, Writing};
use crate::sam::{Diversifier, Encoder, SamImage, certify};

/// Where the processing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing was asked for.
    Idle,
    /// The target has a request.
    Target,
    /// The target is asked for what a reload needs to know.
    Context(reload::Stage),
    /// The control SAM ciphers the next writing.
    Control,
    /// Nothing more is to be sent.
    Done(Result<(), Error>),
}

impl SamTransaction {
    /// Begins to work through what is prepared. `channel` is what happens to the target afterwards, if all goes well.
    ///
    /// # Errors
    ///
    /// It has begun already.
    pub fn process(&mut self, channel: ChannelControl) -> Result<(), Error> {
        self.check_idle()?;
        self.begin(channel);
        if !self.steps.is_empty() {
            // Only what comes next may rely on a challenge.
            self.image.take_challenge();
        }
        self.selected = self.confirmed;
        self.advance();
        Ok(())
    }

    pub(super) fn begin(&mut self, channel: ChannelControl) {
        self.channel = channel;
        self.next = (0, 0);
        self.written = 0;
    }

    /// The request to `peer` that is under way; nothing when it is not asked. Asking again gives the same.
    #[must_use]
    pub fn poll(&self, peer: Peer) -> Option<Request<'_>> {
        match (self.state, peer) {
            (State::Target, Peer::Sam) => {
                let channel = if self.is_last() { self.channel } else { ChannelControl::KeepOpen };
                Some(self.target.request(channel))
            }
            (State::Context(_), Peer::Sam) => Some(self.target.request(ChannelControl::KeepOpen)),
            (State::Control, Peer::ControlSam) => Some(self.cipher.request(ChannelControl::KeepOpen)),
            _ => None,
        }
    }

    /// Takes the answers to the request to `peer`, as many as were received.
    ///
    /// Errors of the exchange are not returned here: [`outcome`](Self::outcome) has them. What was prepared is forgotten
    /// then.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle(&mut self, peer: Peer, responses: &Batch) -> Result<(), Error> {
        self.check_asked(peer)?;
        let handled = match peer {
            Peer::ControlSam => self.take_block(responses),
            _ => self.take_answers(responses),
        };
        match handled {
            Ok(()) => match self.state {
                State::Context(stage) => self.advance_context(stage),
                State::Target if self.is_last() => self.finish(Ok(())),
                _ => self.advance(),
            },
            Err(error) => self.finish(Err(error)),
        }
        Ok(())
    }

    /// Takes note that `peer` was lost during its request, after the answers in `received`. What these read is not
    /// taken; what they say was written is. [`outcome`](Self::outcome) has the loss, with what became of what was being
    /// written, and what was prepared is forgotten.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle_lost(&mut self, peer: Peer, loss: Loss, received: &Batch) -> Result<(), Error> {
        self.check_asked(peer)?;
        let fate = match peer {
            Peer::Sam if self.settle(received, Some(loss)) => Fate::Unknown,
            _ if self.written > 0 => Fate::Unverified,
            _ => Fate::Untouched,
        };
        self.finish(Err(Error::Lost { peer, loss, fate }));
        Ok(())
    }

    /// Forgets what was prepared, and a request that is under way as if its reader were lost: for an application that
    /// gave up waiting. What may have been written is relied on no more.
    pub fn abandon(&mut self) {
        let nothing = Batch::new();
        for peer in [Peer::Sam, Peer::ControlSam] {
            if self.poll(peer).is_some() {
                self.settle(&nothing, Some(Loss::Reader));
            }
        }
        self.state = State::Idle;
        self.finish(Err(Misuse::Abandoned.into()));
        self.state = State::Idle;
    }

    /// The outcome of processing, once nothing more is to be sent. Taking it makes the transaction ready for more.
    pub fn outcome(&mut self) -> Option<Result<(), Error>> {
        let State::Done(outcome) = self.state else { return None };
        self.state = State::Idle;
        Some(outcome)
    }

    fn check_asked(&self, peer: Peer) -> Result<(), Error> {
        match (self.state, peer) {
            (State::Target | State::Context(_), Peer::Sam) | (State::Control, Peer::ControlSam) => Ok(()),
            _ => Err(Misuse::NotAsked.into()),
        }
    }

    pub(super) fn finish(&mut self, outcome: Result<(), Error>) {
        // Reading a context leaves alone what is prepared.
        if !matches!(self.state, State::Context(_)) {
            self.steps.clear();
            self.commands.0.wipe();
        }
        self.target.clear();
        self.cipher.clear();
        self.state = State::Done(outcome);
    }

    /// Builds the next request.
    fn advance(&mut self) {
        while let Some(step) = self.steps.get(self.next.0).copied() {
            match step {
                // Nothing is written behind something that may yet prove wrong.
                Step::Send(line, _) if line.writes() && self.target.is_reading() => {
                    self.state = State::Target;
                    return;
                }
                Step::Send(line, diversifier) => self.send(line, diversifier),
                Step::Write(_) if !self.target.is_empty() => {
                    self.state = State::Target;
                    return;
                }
                Step::Write(writing) => {
                    match self.ask_block(writing) {
                        Ok(()) => self.state = State::Control,
                        Err(error) => self.finish(Err(error)),
                    }
                    return;
                }
            }
        }
        if self.target.is_empty() && self.channel == ChannelControl::KeepOpen {
            self.finish(Ok(()));
        } else {
            self.state = State::Target;
        }
    }

    /// Whether the request to the target is the last one.
    fn is_last(&self) -> bool {
        self.next.0 == self.steps.len()
    }

    fn send(&mut self, line: Line, diversifier: Option<Diversifier>) {
        if let Some(wanted) = diversifier.filter(|wanted| self.selected != Some(*wanted)) {
            let encoder = self.encoder;
            self.target.write(|out| Line::new(encoder.select_diversifier(wanted, out), Then::Diversifier(wanted)));
            self.selected = Some(wanted);
        }
        let (step, command) = self.next;
        self.target.push(self.commands.0.get(command).unwrap_or_default(), line);
        self.next = (step + 1, command + 1);
    }

    /// Asks the control SAM for the block that the next writing takes.
    fn ask_block(&mut self, mut writing: Writing) -> Result<(), Error> {
        let control = self.control.ok_or(Misuse::NoControlSam)?;
        let key = writing.system_key();
        let kvc = self.image.system_kvc(key).ok_or(Misuse::SystemKeyUnknown(key))?;
        writing.complete(&self.image)?;
        let challenge = self.image.take_challenge().ok_or(Misuse::NotAsked)?;
        if let Some(step) = self.steps.get_mut(self.next.0) {
            *step = Step::Write(writing);
        }
        ask_block(&mut self.cipher, control, self.image.sam().serial_number, &writing, challenge, kvc);
        Ok(())
    }

    /// Gives the block of the control SAM to the target.
    fn take_block(&mut self, responses: &Batch) -> Result<(), Error> {
        self.cipher.answers(responses, |answered| answered.check())?;
        let block = block_of(&self.cipher, responses);
        if let Some(Step::Write(writing)) = self.steps.get(self.next.0) {
            let encoder = self.encoder;
            self.target.write(|out| {
                Line::new(encoder.write(writing, WriteMode::Dynamic, block, out), Then::Written(*writing))
            });
        }
        self.cipher.clear();
        self.next.0 += 1;
        Ok(())
    }

    fn take_answers(&mut self, responses: &Batch) -> Result<(), Error> {
        self.settle(responses, None);
        let Self { target, image, results, .. } = self;
        let handled = target.answers(responses, |answered| {
            if answered.line.then.is_wrong_signature(answered.answer.status, answered.line.expected.name) {
                results.signatures.refuse(answered.line.expected);
                return Err(Untrusted::Signature.into());
            }
            answered.check()?;
            take(&answered, image, results)
        });
        if handled.is_ok() {
            self.target.clear();
        }
        handled
    }
}

impl Then {
    fn is_wrong_signature(self, status: StatusWord, name: CommandName) -> bool {
        matches!(self, Self::Signature) && status == StatusWord::WRONG_MAC && name == CommandName::SamPsoVerifySignature
    }
}

/// What an answer that is right changes.
fn take(answered: &Answered<'_>, image: &mut SamImage, results: &mut Results) -> Result<(), Error> {
    let data = answered.answer.data;
    let misbehaved = |how| answered.misbehaved(how);
    match answered.line.then {
        // What was done is settled before.
        Then::Nothing | Then::Block | Then::Diversifier(_) => {}
        Then::LockWritten | Then::Written(_) | Then::Reloaded(..) => {}
        Then::Challenge | Then::Read(_) => answered.read_into(image)?,
        Then::KeyPair(place) => results.set_key_pair(place, certify::key_pair(data).map_err(misbehaved)?),
        Then::Certificate(place) => results.set_certificate(place, certify::certificate(data).map_err(misbehaved)?),
        Then::Signature => {
            results.signatures.take(answered.line.expected, data).map_err(|wrong| match wrong {
                Ok(untrusted) => untrusted.into(),
                Err(how) => misbehaved(how),
            })?;
        }
    }
    Ok(())
}

/// The three commands to a control SAM that make a block.
pub(super) fn ask_block(
    lane: &mut Lane,
    control: Encoder,
    target: [u8; 4],
    writing: &Writing,
    challenge: [u8; 8],
    kvc: Kvc,
) {
    let diversifier = writing.diversifier(target);
    lane.write(|out| Line::new(control.select_diversifier(diversifier, out), Then::Nothing));
    lane.write(|out| Line::new(control.give_random(challenge, out), Then::Nothing));
    lane.write(|out| Line::new(control.cipher(writing, kvc, out), Then::Block));
}

/// The block among the answers of a control SAM, which are checked.
pub(super) fn block_of<'a>(lane: &Lane, responses: &'a Batch) -> &'a [u8] {
    let last = lane.len().checked_sub(1).and_then(|last| responses.get(last)).unwrap_or_default();
    last.split_last_chunk::<2>().map_or(&[], |(block, _)| block)
}
