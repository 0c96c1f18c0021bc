//! Sessions that the card signs: specification 02, "PKI session", and 04, "PKI secure session".

use super::Transaction;
use super::answers::{Read, Refused};
use super::building::encoder;
use super::machine::{CardWork, State};
use crate::apdu::{Batch, Response, StatusSet, StatusWord};
use crate::card::Card;
use crate::command::{
    CertificateKind, Exchange, Exchanged, GetOne, Material, PkiOpened, PkiOpening, Prepared, SessionForm, Step,
};
use crate::error::{Error, Fate, Misbehaviour, Misuse};
use crate::pki::{CaCertificate, CardCertificate, Day, Holder, PkiError, SessionVerifier, TrustStore, VerifiedKey};
use crate::request::Peer;
use crate::sam::Proof;

/// Settings of a transaction with a card that signs: specification 04, "Terminal settings".
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PkiSettings {
    /// The keys that are trusted. Keys of authorities whose certificates cards bring are added.
    pub trusted: TrustStore,
    /// The legal local day, on which certificates must be valid.
    pub today: Day,
    /// Certificates of authorities are taken from cards.
    pub reads_ca_certificates: bool,
    /// Certificates of cards are taken from cards. Without, no session is possible.
    pub reads_card_certificates: bool,
}

impl PkiSettings {
    /// Trusts these keys, on this day, and takes certificates of both kinds from cards.
    #[must_use]
    pub const fn new(trusted: TrustStore, today: Day) -> Self {
        Self { trusted, today, reads_ca_certificates: true, reads_card_certificates: true }
    }
}

/// The asymmetric side of a transaction.
#[derive(Debug)]
pub(super) struct Asymmetric {
    pub(super) settings: PkiSettings,
    session: Option<SessionVerifier>,
    /// Of the session that was opened last.
    verified: Option<VerifiedKey>,
    /// What reads the certificate of the authority from the card.
    request: Batch,
}

impl Asymmetric {
    pub(super) const fn new(settings: PkiSettings) -> Self {
        Self { settings, session: None, verified: None, request: Batch::new() }
    }

    /// Forgets the session.
    pub(super) fn reset(&mut self) {
        self.session = None;
        self.verified = None;
    }

    pub(super) const fn request(&self) -> &Batch {
        &self.request
    }

    /// One more exchange that the card will sign. The command comes without the Le of case 4.
    pub(super) fn add(&mut self, command: &[u8], answer: &[u8]) -> Result<(), Refused> {
        self.session.as_mut().map_or(Ok(()), |session| session.add(command, answer)).map_err(Refused::from)
    }

    /// Whether a session can be opened without asking the card who its authority is.
    fn knows_issuer(&self, card: &Card) -> bool {
        let certificate = CardCertificate::parse(card.card_certificate());
        certificate.is_ok_and(|certificate| self.settings.trusted.issuer(&certificate.issuer()).is_some())
    }

    /// Makes sure that the authority of `certificate` is trusted. False when the card has to be asked for it.
    fn find_issuer(&mut self, certificate: &CardCertificate, card: &Card) -> Result<bool, Refused> {
        if self.settings.trusted.issuer(&certificate.issuer()).is_some() {
            return Ok(true);
        }
        if card.ca_certificate().is_empty() {
            return Ok(false);
        }
        if !self.settings.reads_ca_certificates {
            return Err(Refused::Misuse(Misuse::CertificateKind));
        }
        let authority = CaCertificate::parse(card.ca_certificate())?;
        self.settings.trusted.learn_issuer(certificate, &authority, self.settings.today)?;
        Ok(true)
    }
}

impl From<PkiError> for Refused {
    fn from(error: PkiError) -> Self {
        Self::Pki(error)
    }
}

const PARTS: [GetOne; 2] = [
    GetOne::Certificate { kind: CertificateKind::Ca, second: false },
    GetOne::Certificate { kind: CertificateKind::Ca, second: true },
];

impl Transaction {
    /// The keys that are trusted, those learned from cards included; nothing when the transaction is of another kind.
    #[must_use]
    pub fn trusted(&self) -> Option<&TrustStore> {
        self.asymmetric.as_ref().map(|asymmetric| &asymmetric.settings.trusted)
    }

    /// The key of the session that was opened last, with what the certificate says besides. That the card holds it is
    /// proved by the closing only: see [`SessionReport::authenticated`](super::SessionReport). Nothing after an error.
    #[must_use]
    pub fn verified_key(&self) -> Option<&VerifiedKey> {
        self.asymmetric.as_ref().and_then(|asymmetric| asymmetric.verified.as_ref())
    }

    /// Whether the card may have to be asked for the certificate of its authority after the block, so that the channel
    /// must not be closed with it.
    pub(super) fn may_need_issuer(&self) -> bool {
        let Some(asymmetric) = &self.asymmetric else { return false };
        let prepared = self.list.commands();
        let opens = prepared.iter().any(|prepared| matches!(prepared.step, Step::PkiOpening(_)));
        let reads = prepared.iter().any(|prepared| prepared.step == Step::Get(PARTS[0]));
        opens && !reads && self.card.ca_certificate().is_empty() && !asymmetric.knows_issuer(&self.card)
    }

    /// The card has opened a session: its certificate is verified before anything that it says is believed.
    pub(super) fn pki_opened(
        &mut self,
        opening: PkiOpening,
        (prepared, index): (&Prepared, usize),
        answer: Response<'_>,
        bytes: &[u8],
    ) -> Result<Read, Refused> {
        // Whatever is refused now, the session must be aborted: point 14.
        self.session.open_asymmetric(&self.card.content);
        let Some(asymmetric) = &mut self.asymmetric else { return Ok(Read::Clear) };
        if !asymmetric.settings.reads_card_certificates {
            return Err(Refused::Misuse(Misuse::CertificateKind));
        }
        let certificate = CardCertificate::parse(self.card.card_certificate())?;
        let holder = Holder::of(&self.card);
        certificate.is_about(&holder)?;
        if !asymmetric.find_issuer(&certificate, &self.card)? {
            return Ok(Read::NeedsIssuer);
        }
        let today = asymmetric.settings.today;
        let key = asymmetric.settings.trusted.verify_card_certificate(&certificate, &holder, today)?;
        let opened = PkiOpened::parse(answer.data, &self.card, opening.read).map_err(Misbehaviour::from)?;
        asymmetric.session = Some(SessionVerifier::start(&key, self.block.clear_digested(prepared, index), bytes)?);
        asymmetric.verified = Some(key);
        self.card.ratified = Some(opened.ratified);
        self.card.transaction_counter = Some(opened.transaction_counter);
        if let Some(read) = opening.read {
            self.card.content.files.replace(read.sfi, read.record, opened.record);
        }
        Ok(Read::Clear)
    }

    /// The card has closed the session with its signature.
    pub(super) fn pki_closed(&mut self, signature: &[u8]) -> Result<(), Refused> {
        self.session.close_asymmetric();
        let session = self.asymmetric.as_mut().and_then(|asymmetric| asymmetric.session.take());
        if let Some(session) = session {
            let _proof = session.verify(signature)?;
            self.session.authenticate(Proof::Closing);
        }
        Ok(())
    }

    /// Asks the card for the certificate of its authority; then the answer at `index` is read again.
    pub(super) fn ask_issuer(&mut self, index: usize) -> State {
        let encoder = encoder(Material::None, &self.card, &self.list, &mut self.symmetric, SessionForm::Regular);
        if let Some(asymmetric) = &mut self.asymmetric {
            asymmetric.request.clear();
            for part in PARTS {
                asymmetric.request.push_with(|out| part.encode(&encoder, out));
            }
        }
        self.held = index..index;
        State::Card(CardWork::Issuer)
    }

    /// The card has answered with the certificate of its authority.
    pub(super) fn take_issuer(&mut self, responses: &Batch) -> Result<(), Error> {
        let count = Error::ResponseCount { peer: Peer::Card, commands: PARTS.len(), responses: responses.len() };
        if responses.len() > PARTS.len() {
            return Err(count);
        }
        for ((index, part), bytes) in PARTS.into_iter().enumerate().zip(responses.iter()) {
            let command = part.name();
            let misbehaved = |how| Error::PeerMisbehaved { peer: Peer::Card, index, command, how };
            let answer = Response::parse(bytes).ok_or(misbehaved(Misbehaviour::NoStatus))?;
            if !StatusSet::SUCCESS.contains(answer.status) {
                return Err(Error::Status { peer: Peer::Card, index, command, status: answer.status });
            }
            part.apply(&Exchanged { answer, command: &[], payload: &[] }, &mut self.card).map_err(misbehaved)?;
        }
        if responses.len() < PARTS.len() || self.card.ca_certificate().is_empty() { Err(count) } else { Ok(()) }
    }

    /// Whether what ends the last session of the block was executed, whatever becomes of the answers before it.
    pub(super) fn note_closed_ahead(&mut self, responses: &Batch) {
        if self.asymmetric.is_none() {
            return;
        }
        let first = self.block.first;
        let mut ahead = None;
        for (index, bytes) in responses.iter().enumerate() {
            let fate = match self.list.get(first + index).map(|prepared| prepared.step) {
                Some(Step::PkiOpening(_)) => {
                    ahead = None;
                    continue;
                }
                Some(Step::PkiClose(_)) => Fate::Unverified,
                Some(Step::Abort(_)) => Fate::NotCommitted,
                _ => continue,
            };
            ahead = Response::parse(bytes).filter(|answer| answer.status == StatusWord::SUCCESS).map(|_| fate);
        }
        self.closed_ahead = ahead;
    }
}
