//! What a card transaction needs of a SAM, turned into SAM requests.
//!
//! Specification 02, "Crypto service: what each need becomes on the SAM side", and 03, "The control-SAM crypto service
//! for a card transaction".

use alloc::vec::Vec;
use core::fmt;

use super::command::Encoder;
use super::digest::Digest;
use super::identity::Sam;
use super::queue::Queue;
use crate::apdu::{Batch, StatusWord};
use crate::card::KeyId;
use crate::command::{CommandName, Operation, SessionForm};
use crate::error::{Error, Untrusted};
use crate::request::{ChannelControl, Peer, Request};

/// The SAM side of a transaction.
///
/// Commands wait in a queue until an answer is needed; then the queue is sealed into the one request that is under way.
/// What is queued meanwhile belongs to the next one.
#[derive(Debug)]
pub(crate) struct Service {
    encoder: Encoder,
    capacity: usize,
    waiting: Queue,
    flight: Queue,
    digest: Digest,
    /// The card's serial number, which diversifies its keys.
    diversifier: [u8; 8],
    selected: Selected,
    prefetched: Option<[u8; 8]>,
    answers: Answers,
    verifying: bool,
    authenticated: bool,
}

/// What is known of the diversifier that the SAM has selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Selected {
    /// Nothing: it has to be selected before it is used.
    Unknown,
    /// The selection is decided, and will stand in front of the next Digest Init.
    Owed,
    /// The card's is selected, or its selection is under way.
    Card,
}

/// Answers that carry data, until they are used.
#[derive(Default)]
struct Answers {
    challenge: Option<[u8; 8]>,
    /// MAC, cryptogram or Stored Value data: what the next card command is built with.
    material: Vec<u8>,
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").finish_non_exhaustive()
    }
}

/// The length of a challenge that is asked for before the form of the session is known.
const PREFETCH_LEN: u8 = 8;

impl Service {
    pub(crate) fn new(sam: &Sam, capacity: u8) -> Self {
        Self {
            encoder: Encoder(sam.product),
            capacity: usize::from(capacity),
            waiting: Queue::default(),
            flight: Queue::default(),
            digest: Digest::default(),
            diversifier: [0; 8],
            selected: Selected::Unknown,
            prefetched: None,
            answers: Answers::default(),
            verifying: false,
            authenticated: false,
        }
    }

    /// Serves another card. A challenge that was fetched in advance stays.
    pub(crate) fn restart(&mut self, diversifier: [u8; 8]) {
        self.reset();
        self.selected = Selected::Unknown;
        self.diversifier = diversifier;
    }

    /// Forgets the session and everything that waits.
    pub(crate) fn reset(&mut self) {
        self.waiting.clear();
        self.flight.clear();
        self.digest.end();
        self.verifying = false;
        self.answers.challenge = None;
        if self.selected == Selected::Owed {
            self.selected = Selected::Unknown;
        }
    }

    /// Forgets the session, not what else waits.
    pub(crate) fn end_session(&mut self) {
        self.digest.end();
    }

    /// The challenge that the next opening of a transaction will use, fetched in advance.
    pub(crate) fn set_prefetched(&mut self, challenge: [u8; 8]) {
        self.prefetched = Some(challenge);
    }

    /// Queues the fetching of a challenge for the next transaction.
    pub(crate) fn queue_prefetch(&mut self) {
        self.prefetched = None;
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.get_challenge(PREFETCH_LEN, out));
    }

    /// Keeps the challenge that was just fetched for the next opening.
    pub(crate) fn keep_challenge(&mut self) {
        self.prefetched = self.answers.challenge.take();
    }

    /// Whether a challenge is at hand; queues the command that fetches one otherwise.
    pub(crate) fn ask_challenge(&mut self, form: SessionForm) -> bool {
        if self.selected == Selected::Unknown {
            self.selected = Selected::Owed;
        }
        if let Some(challenge) = self.prefetched.take() {
            self.answers.challenge = Some(challenge);
            return true;
        }
        let encoder = self.encoder;
        self.waiting.push(|out| match form {
            SessionForm::Regular => encoder.get_challenge(4, out),
            SessionForm::Extended => encoder.get_challenge(8, out),
        });
        false
    }

    /// The challenge asked for, as long as its session needs it.
    pub(crate) fn challenge(&self, form: SessionForm) -> &[u8] {
        let challenge = self.answers.challenge.as_ref().map_or(&[][..], |challenge| challenge);
        challenge.get(..form.mac_len()).unwrap_or_default()
    }

    /// Begins the digest of a session that the card has opened; false when the SAM cannot take the opening.
    pub(crate) fn start_digest(&mut self, form: SessionForm, key: KeyId, opening: &[u8]) -> bool {
        self.answers.challenge = None;
        self.digest.start(form, key, opening)
    }

    /// One more card command, without the Le of case 4, and its answer, real or certain.
    pub(crate) fn digest(&mut self, command: &[u8], answer: &[u8]) {
        self.digest.push(command);
        self.digest.push(answer);
    }

    /// Queues what makes the terminal's MAC.
    pub(crate) fn ask_mac(&mut self) {
        let Some(form) = self.digest.form() else { return };
        let encoder = self.encoder;
        self.digest.flush(encoder, self.capacity, &mut self.waiting);
        self.waiting.push(|out| encoder.digest_close(form, out));
    }

    /// Queues what ciphers a PIN for a presentation, with the session's key when none is given.
    pub(crate) fn ask_pin_block(&mut self, challenge: [u8; 8], pin: &[u8], key: Option<KeyId>) {
        let Some(key) = key.or_else(|| self.digest.key()) else { return };
        self.queue_select_diversifier();
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push(|out| encoder.cipher_pin(key, pin, out));
    }

    /// Queues what ciphers a new PIN.
    pub(crate) fn ask_new_pin_block(&mut self, challenge: [u8; 8], pin: &[u8], key: KeyId) {
        self.queue_select_diversifier();
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push(|out| encoder.cipher_new_pin(key, pin, out));
    }

    /// Queues what ciphers a new key.
    pub(crate) fn ask_key_block(&mut self, challenge: [u8; 8], new: KeyId, issuer: KeyId) {
        self.queue_select_diversifier();
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push(|out| encoder.generate_key(new, issuer, out));
    }

    /// Queues what signs a Stored Value operation.
    pub(crate) fn ask_stored_value(&mut self, operation: Operation, get: [&[u8]; 2], partial: &[u8]) {
        self.queue_select_diversifier();
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.sv_prepare(operation, get, partial, out));
    }

    /// Queues the verification of the card's Stored Value MAC.
    pub(crate) fn verify_stored_value(&mut self, mac: &[u8]) {
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.sv_check(mac, out));
        self.verifying = true;
    }

    /// For a command that uses a key of the card. In a session Digest Init, which goes in front of everything, sees to
    /// it.
    fn queue_select_diversifier(&mut self) {
        if self.selected == Selected::Unknown || (self.selected == Selected::Owed && !self.digest.waits_for_init()) {
            let (encoder, diversifier) = (self.encoder, self.diversifier);
            self.waiting.push(|out| encoder.select_diversifier(&diversifier, out));
            self.selected = Selected::Card;
        }
    }

    /// What the SAM gave for the next card command.
    pub(crate) fn material(&self) -> &[u8] {
        &self.answers.material
    }

    /// Queues the verification of the card's MAC. The session is over for the digest.
    pub(crate) fn verify_mac(&mut self, mac: &[u8]) {
        self.digest.end();
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.digest_authenticate(mac, out));
        self.verifying = true;
    }

    /// Whether the card's session MAC was found right since this was asked last.
    pub(crate) fn take_authenticated(&mut self) -> bool {
        core::mem::take(&mut self.authenticated)
    }

    /// Whether the authenticity of the card is in question: nothing more is sent to it meanwhile.
    pub(crate) fn is_verifying(&self) -> bool {
        self.verifying
    }

    /// Makes the queue the request under way. False when nothing waits.
    pub(crate) fn seal(&mut self) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        self.flight.clear();
        if self.digest.waits_for_init() {
            self.queue_init();
        }
        self.flight.append(&mut self.waiting);
        // Between a challenge and its session nothing else may reach the SAM.
        self.prefetched = None;
        true
    }

    /// In front of everything: only Select Diversifier may stand between Get Challenge and Digest Init.
    fn queue_init(&mut self) {
        let encoder = self.encoder;
        if self.selected != Selected::Card {
            let diversifier = self.diversifier;
            self.flight.push(|out| encoder.select_diversifier(&diversifier, out));
            self.selected = Selected::Card;
        }
        self.digest.init(encoder, &mut self.flight);
    }

    /// The request under way.
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            peer: Peer::Sam,
            commands: &self.flight.commands,
            accepts: &self.flight.accepts,
            stop: true,
            channel: ChannelControl::KeepOpen,
        }
    }

    /// Takes the answers to the request under way.
    pub(crate) fn handle(&mut self, responses: &Batch) -> Result<(), Error> {
        let Self { flight, answers, authenticated, .. } = self;
        let handled = flight.answers(responses, |queued| {
            let name = queued.expected.name;
            match (name, queued.answer.status) {
                (CommandName::SamDigestAuthenticate, StatusWord::WRONG_MAC) => return Err(Untrusted::SessionMac.into()),
                (CommandName::SamSvCheck, StatusWord::WRONG_MAC) => return Err(Untrusted::StoredValueMac.into()),
                _ => queued.check()?,
            }
            match name {
                CommandName::SamGetChallenge => answers.challenge = Some(padded(queued.answer.data)),
                CommandName::SamDigestClose
                | CommandName::SamCardCipherPin
                | CommandName::SamCardGenerateKey
                | CommandName::SamSvPrepareLoad
                | CommandName::SamSvPrepareDebit
                | CommandName::SamSvPrepareUndebit => {
                    answers.material.clear();
                    answers.material.extend_from_slice(queued.answer.data);
                }
                CommandName::SamDigestAuthenticate => *authenticated = true,
                _ => {}
            }
            Ok(())
        });
        self.flight.clear();
        match handled {
            Ok(()) => self.verifying = false,
            Err(_) => self.distrust(),
        }
        handled
    }

    /// The request under way is lost, with what the SAM had selected.
    pub(crate) fn lose(&mut self) {
        self.flight.clear();
        self.distrust();
    }

    fn distrust(&mut self) {
        self.verifying = false;
        self.selected = Selected::Unknown;
        self.prefetched = None;
    }
}

fn padded(data: &[u8]) -> [u8; 8] {
    let mut bytes = [0; 8];
    bytes.iter_mut().zip(data).for_each(|(to, from)| *to = *from);
    bytes
}
