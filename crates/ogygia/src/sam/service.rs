//! What a card transaction needs of a SAM, turned into SAM requests.
//!
//! Specification 02, "Crypto service: what each need becomes on the SAM side", and 03, "The control-SAM crypto service
//! for a card transaction".

use super::answers::Answers;
use super::command::{Encoder, Proof};
use super::digest::Digest;
use super::identity::Sam;
use super::queue::Queue;
use super::signature::{ComputeSignature, Diversifier, SignatureId, SignatureOutcome, Signatures, VerifySignature};
use crate::apdu::Batch;
use crate::card::KeyId;
use crate::command::{Operation, SessionForm};
use crate::error::Error;
use crate::hint::unlikely;
use crate::request::{ChannelControl, Peer, Request};

/// The SAM side of a transaction.
///
/// Commands wait in a queue until an answer is needed; then the queue is sealed into the one request that is under way.
/// What is queued meanwhile belongs to the next one.
#[derive(Debug)]
pub(crate) struct Service {
    encoder: Encoder,
    waiting: Queue,
    /// The request under way; empty when there is none.
    flight: Queue,
    under_way: UnderWay,
    /// What waits is asked for already: it departs as soon as the request under way is answered.
    next: bool,
    digest: Digest,
    /// The card's serial number, which diversifies its keys.
    diversifier: [u8; 8],
    selected: Selected,
    signatures: Signatures,
    prefetched: Option<[u8; 8]>,
    answers: Answers,
    verifying: bool,
    authenticated: Option<Proof>,
}

/// Whether a request is under way, and whether its answers count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum UnderWay {
    #[default]
    Nothing,
    /// They do.
    Counting {
        /// The authenticity of the card is among what is asked.
        verifies: bool,
        what: Asked,
    },
    /// What it was for is over meanwhile: the SAM is busy with it, and that is all.
    Void,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// Something that processing does not end without.
    Needed,
    /// Nothing but the digest of the session, ahead of time.
    Digest,
    /// Nothing but the selection of a diversifier, ahead of time.
    Selection,
}

/// What the card does while the SAM might work ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// Nothing: the application decides.
    Nothing,
    /// It executes commands.
    Executes,
    /// The same; behind them, the SAM will need the keys of this card.
    NeedsKeys,
    /// It opens a session.
    Opens,
}

/// Which diversifier the SAM has selected.
#[derive(Debug, Default)]
struct Selected {
    /// After the last request that succeeded. Forgotten with every error: point G42.
    confirmed: Option<Diversifier>,
    /// After what waits, as far as that uses one.
    decided: Option<Diversifier>,
    /// What waits uses this one without selecting it.
    assumed: Option<Diversifier>,
    /// After the request under way.
    sent: Option<Diversifier>,
}

/// The length of a challenge that is asked for before the form of the session is known.
const PREFETCH_LEN: u8 = 8;

impl Service {
    pub(crate) fn new(sam: &Sam, capacity: u8) -> Self {
        Self {
            encoder: Encoder(sam.product),
            waiting: Queue::default(),
            flight: Queue::default(),
            under_way: UnderWay::Nothing,
            next: false,
            digest: Digest::new(Encoder(sam.product), capacity),
            diversifier: [0; 8],
            selected: Selected::default(),
            signatures: Signatures::default(),
            prefetched: None,
            answers: Answers::default(),
            verifying: false,
            authenticated: None,
        }
    }

    /// Serves another card. A challenge that was fetched in advance stays.
    pub(crate) fn restart(&mut self, diversifier: [u8; 8]) {
        self.reset();
        self.selected = Selected::default();
        self.signatures.clear();
        self.diversifier = diversifier;
    }

    /// Forgets the session and everything that waits. A request that is under way is still answered, but not for us.
    pub(crate) fn reset(&mut self) {
        self.waiting.clear();
        self.next = false;
        if self.is_under_way() {
            self.make_void();
        }
        self.digest.reset();
        self.verifying = false;
        self.answers.challenge = None;
        self.selected.decided = None;
        self.selected.assumed = None;
    }

    /// Forgets the session, not what else waits.
    pub(crate) fn end_session(&mut self) {
        self.digest.end();
        if unlikely(matches!(self.under_way, UnderWay::Counting { what: Asked::Digest, .. })) {
            self.make_void();
        }
    }

    /// Nobody needs the request under way any more; and nobody knows what it will leave selected.
    #[cold]
    fn make_void(&mut self) {
        self.under_way = UnderWay::Void;
        self.prefetched = None;
        self.selected.confirmed = None;
        self.selected.sent = None;
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

    /// Whether a challenge is at hand; queues the command that fetches one otherwise. It is for a new session: the one
    /// before, which the same card request may still have to cancel, is digested no more, and nothing of it may reach the
    /// SAM behind the challenge.
    pub(crate) fn ask_challenge(&mut self, form: SessionForm) -> bool {
        if unlikely(self.digest.form().is_some()) {
            self.end_session();
        }
        if let Some(challenge) = self.prefetched.take().filter(|_| !self.is_under_way()) {
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
        let diversifier = self.card_diversifier();
        let select = (self.selected_by_then() != Some(diversifier)).then_some(diversifier);
        self.digest.start(form, key, opening, select)
    }

    /// A PIN or a private key may be among what is digested of this card from now on.
    pub(crate) fn guard_digest(&mut self) {
        self.digest.guard();
    }

    /// One more card command, without the Le of case 4, and its answer, real or certain.
    #[inline(always)]
    pub(crate) fn digest(&mut self, command: &[u8], answer: &[u8]) {
        self.digest.push_exchange(command, answer);
    }

    /// Queues what makes the terminal's MAC.
    pub(crate) fn ask_mac(&mut self) {
        let Some(form) = self.digest.form() else { return };
        let encoder = self.encoder;
        self.flush_digest();
        self.waiting.push(|out| encoder.digest_close(form, out));
    }

    /// Queues what ciphers a PIN for a presentation, with the session's key when none is given.
    pub(crate) fn ask_pin_block(&mut self, challenge: [u8; 8], pin: &[u8], key: Option<KeyId>) {
        let Some(key) = key.or_else(|| self.digest.key()) else { return };
        self.select(self.card_diversifier());
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push_secret(|out| encoder.cipher_pin(key, pin, out));
    }

    /// Queues what ciphers a new PIN.
    pub(crate) fn ask_new_pin_block(&mut self, challenge: [u8; 8], pin: &[u8], key: KeyId) {
        self.select(self.card_diversifier());
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push_secret(|out| encoder.cipher_new_pin(key, pin, out));
    }

    /// Queues what ciphers a new key.
    pub(crate) fn ask_key_block(&mut self, challenge: [u8; 8], new: KeyId, issuer: KeyId) {
        self.select(self.card_diversifier());
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.give_random(challenge, out));
        self.waiting.push(|out| encoder.generate_key(new, issuer, out));
    }

    /// Queues what signs a Stored Value operation.
    pub(crate) fn ask_stored_value(&mut self, operation: Operation, get: [&[u8]; 2], partial: &[u8]) {
        self.select(self.card_diversifier());
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.sv_prepare(operation, get, partial, out));
    }

    /// Queues the verification of the card's Stored Value MAC.
    #[cold]
    pub(crate) fn verify_stored_value(&mut self, mac: &[u8]) {
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.sv_check(mac, out));
        self.verifying = true;
    }

    /// Queues the signing of data; gives what asks for its outcome.
    pub(crate) fn queue_signature(&mut self, compute: &ComputeSignature<'_>) -> Result<SignatureId, Error> {
        let diversifier = compute.check()?;
        self.select(diversifier.unwrap_or(self.card_diversifier()));
        let (encoder, id) = (self.encoder, self.signatures.add_computation(compute));
        self.waiting.push(|out| encoder.compute(compute, id, out));
        Ok(id)
    }

    /// Queues the verification of a signature; gives what asks for its outcome.
    pub(crate) fn queue_verification(&mut self, verify: &VerifySignature<'_>) -> Result<SignatureId, Error> {
        let diversifier = verify.check()?;
        self.select(diversifier.unwrap_or(self.card_diversifier()));
        let (encoder, id) = (self.encoder, self.signatures.add_verification(verify));
        self.waiting.push(|out| encoder.verify(verify, id, out));
        Ok(id)
    }

    /// What became of a signature.
    pub(crate) fn signature(&self, id: SignatureId) -> Option<SignatureOutcome<'_>> {
        self.signatures.outcome(id)
    }

    const fn card_diversifier(&self) -> Diversifier {
        Diversifier::whole(self.diversifier)
    }

    /// Queues the selection of a diversifier, unless it is selected where the next command stands. In front of what
    /// waits, Digest Init selects the card's.
    fn select(&mut self, wanted: Diversifier) {
        let start = if self.digest.waits_for_init() { Some(self.card_diversifier()) } else { self.selected_by_then() };
        self.select_from(start, wanted);
    }

    /// The diversifier that is selected where what waits begins.
    fn selected_by_then(&self) -> Option<Diversifier> {
        match self.under_way {
            UnderWay::Nothing => self.selected.confirmed,
            UnderWay::Counting { .. } => self.selected.sent,
            UnderWay::Void => None,
        }
    }

    fn select_from(&mut self, start: Option<Diversifier>, wanted: Diversifier) {
        if self.selected.decided.or(start) != Some(wanted) {
            let encoder = self.encoder;
            self.waiting.push(|out| encoder.select_diversifier(wanted, out));
        } else if self.selected.decided.is_none() {
            self.selected.assumed = Some(wanted);
        }
        self.selected.decided = Some(wanted);
    }

    /// What the SAM gave for the next card command, or made of the card's answer. Each is given once.
    pub(crate) fn take_material(&mut self) -> &[u8] {
        self.answers.next_material()
    }

    /// Queues the ciphering of a command, without the Le of case 4. It is digested with that.
    pub(crate) fn ask_cipher(&mut self, command: &[u8]) {
        self.digest.push_encrypted(command, true);
        self.flush_digest();
    }

    /// One more command or answer while encryption is active. What the SAM makes of it is `needed`, or the same.
    pub(crate) fn digest_encrypted(&mut self, block: &[u8], needed: bool) {
        self.digest.push_encrypted(block, needed);
    }

    /// Queues what makes the terminal's MAC before the closing.
    pub(crate) fn ask_early_mac(&mut self) {
        let encoder = self.encoder;
        self.flush_digest();
        self.waiting.push(|out| encoder.digest_internal_authenticate(out));
    }

    /// Queues the verification of the MAC with which the card answers early. The session goes on.
    pub(crate) fn verify_early_mac(&mut self, mac: &[u8]) {
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.digest_authenticate(Proof::Early, mac, out));
        self.verifying = true;
    }

    /// Moves the exchanges that the SAM has yet to digest to what waits, if one of them is ciphered.
    pub(crate) fn flush_encrypted(&mut self) -> bool {
        let encrypted = self.digest.has_encrypted();
        if encrypted {
            self.flush_digest();
        }
        encrypted
    }

    /// Queues the verification of the card's MAC. The session is over for the digest.
    pub(crate) fn verify_mac(&mut self, mac: &[u8]) {
        self.digest.end();
        self.digest.match_room(&mut self.waiting);
        let encoder = self.encoder;
        self.waiting.push(|out| encoder.digest_authenticate(Proof::Closing, mac, out));
        self.verifying = true;
    }

    /// By what the card has proved itself, if it has since this was asked last.
    pub(crate) fn take_authenticated(&mut self) -> Option<Proof> {
        self.authenticated.take()
    }

    /// Whether the authenticity of the card is in question: nothing more is sent to it meanwhile.
    pub(crate) fn is_verifying(&self) -> bool {
        self.verifying
    }

    /// Makes the queue the request under way, at once or behind the one that is. False when nothing has to be waited
    /// for.
    pub(crate) fn seal(&mut self) -> bool {
        if self.waiting.is_empty() {
            return matches!(self.under_way, UnderWay::Counting { what: Asked::Needed, .. });
        }
        if self.is_under_way() {
            self.next = true;
        } else {
            self.depart(Asked::Needed);
        }
        true
    }

    /// Makes what was sealed behind a request, which is answered now, the next one. False when nothing was.
    pub(crate) fn depart_next(&mut self) -> bool {
        let next = unlikely(core::mem::take(&mut self.next)) && !self.waiting.is_empty();
        if next {
            self.depart(Asked::Needed);
        }
        next
    }

    /// What waits is the request under way; before, there was none.
    fn depart(&mut self, what: Asked) {
        let assumed = self.selected.assumed.take();
        if self.digest.waits_for_init() || (assumed.is_some() && assumed != self.selected.confirmed) {
            self.put_in_front(assumed);
        }
        core::mem::swap(&mut self.flight, &mut self.waiting);
        self.waiting.match_room(&self.flight);
        self.under_way = UnderWay::Counting { verifies: self.verifying, what };
        self.answers.clear_materials();
        self.selected.sent = self.selected.decided.take().or(self.selected.confirmed);
        self.selected.assumed = None;
        // Between a challenge and its session nothing else may reach the SAM.
        self.prefetched = None;
    }

    /// Puts in front of what waits what begins the digest, if that is missing, and the diversifier that is assumed: the
    /// SAM was forgotten since that was decided, or selects another one for the digest.
    #[cold]
    fn put_in_front(&mut self, assumed: Option<Diversifier>) {
        core::mem::swap(&mut self.flight, &mut self.waiting);
        let decided = self.selected.decided.take();
        if self.digest.waits_for_init() {
            if !self.digest.selects() {
                self.select_from(self.selected_by_then(), self.card_diversifier());
            }
            self.digest.begin(&mut self.waiting);
            self.selected.decided = Some(self.card_diversifier());
        }
        if let Some(assumed) = assumed {
            self.select(assumed);
        }
        self.selected.decided = decided.or(self.selected.decided);
        self.waiting.append(&mut self.flight);
    }

    /// Gives an idle SAM what it can do before its result is needed: digest what was exchanged; otherwise, while the card
    /// works `meanwhile`, sign and verify data, or select the diversifier of the card. What is ciphered is asked for in its
    /// turn.
    pub(crate) fn work_ahead(&mut self, meanwhile: Meanwhile) {
        if self.is_under_way() || self.digest.has_encrypted() {
            return;
        }
        // A challenge that was fetched, and one that the card was given, suffer nothing but a diversifier behind them.
        let is_free = self.prefetched.is_none() && meanwhile != Meanwhile::Opens;
        let ready = if !self.waiting.is_empty() {
            (is_free && meanwhile != Meanwhile::Nothing).then_some(Asked::Needed)
        } else if self.digest.form().is_some() {
            self.flush_digest();
            (!self.waiting.is_empty()).then_some(Asked::Digest)
        } else {
            let selects = meanwhile == Meanwhile::Opens || (meanwhile == Meanwhile::NeedsKeys && is_free);
            let selects = selects && self.selected.confirmed != Some(self.card_diversifier());
            if selects {
                self.select(self.card_diversifier());
            }
            selects.then_some(Asked::Selection)
        };
        if let Some(what) = ready {
            self.depart(what);
        }
    }

    /// Whether the SAM has a request.
    pub(crate) fn is_under_way(&self) -> bool {
        self.under_way != UnderWay::Nothing
    }

    /// Whether another request is asked for behind the one under way.
    pub(crate) const fn has_next(&self) -> bool {
        self.next
    }

    /// Takes back a request that nobody needs any more, and that was never sent.
    pub(crate) fn take_back_void(&mut self) {
        if self.under_way == UnderWay::Void {
            self.flight.clear();
            self.under_way = UnderWay::Nothing;
        }
    }

    /// Queues what has the SAM digest what was exchanged. If other things wait, what begins the digest is put in front of
    /// them when they depart.
    fn flush_digest(&mut self) {
        if self.digest.waits_for_init() && self.waiting.is_empty() {
            let diversifier = Some(self.card_diversifier());
            self.selected.assumed = if self.digest.selects() { None } else { diversifier };
            self.selected.decided = diversifier;
        }
        self.digest.flush(&mut self.waiting);
    }

    /// The request under way.
    pub(crate) fn request(&self) -> Request<'_> {
        Request {
            peer: Peer::Sam,
            commands: &self.flight.commands,
            accepts: &[],
            stop: true,
            channel: ChannelControl::KeepOpen,
        }
    }

    /// Takes the answers to the request under way.
    #[inline(always)]
    pub(crate) fn handle(&mut self, responses: &Batch) -> Result<(), Error> {
        let under_way = core::mem::take(&mut self.under_way);
        if unlikely(matches!(under_way, UnderWay::Void)) {
            self.flight.clear();
            return Ok(());
        }
        let Self { flight, answers, signatures, authenticated, .. } = self;
        let handled = flight.answers(responses, |queued| answers.take(&queued, signatures, authenticated));
        self.flight.clear();
        match handled {
            Ok(()) => {
                self.verifying &= !matches!(under_way, UnderWay::Counting { verifies: true, .. });
                self.selected.confirmed = self.selected.sent;
            }
            Err(_) => self.distrust(),
        }
        handled
    }

    /// The request under way is lost, with what the SAM had selected. False when nobody needed it any more.
    pub(crate) fn lose(&mut self) -> bool {
        let was_needed = self.next || self.under_way != UnderWay::Void;
        self.under_way = UnderWay::Nothing;
        self.flight.clear();
        self.distrust();
        was_needed
    }

    /// Forgets what the SAM has selected, or will have selected, and its challenge.
    pub(crate) fn forget(&mut self) {
        self.selected.confirmed = None;
        self.selected.sent = None;
        self.prefetched = None;
    }

    #[cold]
    fn distrust(&mut self) {
        if core::mem::take(&mut self.next) {
            self.waiting.clear();
            self.selected = Selected::default();
        }
        self.verifying = false;
        self.forget();
    }
}
