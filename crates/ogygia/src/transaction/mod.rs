//! Transactions: operations are prepared, then processed by exchanges with the card and the SAM.
//!
//! Specification 02.
//!
//! A [`Transaction`] does no input or output. Its methods fall into four groups:
//!
//! - **prepare**: [`prepare`](Transaction::prepare) checks an operation and puts it at the end of the list;
//! - **process**: [`process`](Transaction::process) begins to work through the list, and
//!   [`prefetch_challenge`](Transaction::prefetch_challenge) prepares the SAM for the next card;
//! - **drive**: [`poll`](Transaction::poll) says what is to be sent to a peer, [`handle`](Transaction::handle) takes the
//!   answers, [`handle_lost`](Transaction::handle_lost) what was lost, [`outcome`](Transaction::outcome) tells when
//!   nothing more is to be done. [`drive`](crate::drive) has loops that do this;
//! - **look**: [`card`](Transaction::card), [`session`](Transaction::session).

mod answers;
mod block;
mod building;
mod encryption;
mod fate;
mod machine;
mod overlap;
#[cfg_attr(not(feature = "pki"), path = "no_pki.rs")]
mod pki;
mod session;
mod settings;
mod signature;
mod stored_value;

use block::Block;
use machine::{SamWork, State};
use overlap::{NextMaterial, SamFailure};
use pki::Asymmetric;
use session::Session;

#[cfg(feature = "pki")]
pub use pki::PkiSettings;
pub use session::{Authenticated, SessionReport};
pub use settings::{Policy, Security, SymmetricSettings};

pub use crate::sam::SignatureId;

use alloc::vec::Vec;
use core::hint::cold_path;
use core::ops::Range;

use crate::apdu::Batch;
use crate::card::{Card, Content, Product};
use crate::command::{Command, CommandName, List, Means, SessionForm, Terms};
use crate::error::{Argument, Error, Fate, Misuse};
use crate::hint::unlikely;
use crate::request::{ChannelControl, Loss, OwnedRequest, Peer, Request};
use crate::sam::{SamProduct, Service, Turn};

/// One card's transaction: its image, the operations prepared, and the session.
///
/// ```
/// use ogygia::apdu::Batch;
/// use ogygia::card::{Card, Sfi};
/// use ogygia::command::ReadRecord;
/// use ogygia::transaction::{Security, Transaction};
/// use ogygia::{ChannelControl, Peer};
///
/// let select_response = [
///     0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
///     0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
///     0x01, 0x90, 0x00,
/// ];
/// let card = Card::from_select_response(&select_response).unwrap();
/// let mut transaction = Transaction::new(card, Security::None)?;
/// transaction.prepare(ReadRecord { sfi: Sfi(7), record: 1 })?;
/// transaction.process(ChannelControl::CloseAfter)?;
///
/// let request = transaction.poll(Peer::Card).unwrap();
/// assert_eq!(request.commands.get(0), Some(&[0x00, 0xB2, 0x01, 0x3C, 0x00][..]));
/// let answers: Batch = [&[0x11, 0x22, 0x90, 0x00][..]].into_iter().collect();
/// transaction.handle(Peer::Card, &answers)?;
///
/// assert_eq!(transaction.outcome(), Some(Ok(())));
/// assert_eq!(transaction.card().file(Sfi(7)).unwrap().record(1), Some(&[0x11, 0x22][..]));
/// # Ok::<(), ogygia::Error>(())
/// ```
#[derive(Debug)]
pub struct Transaction {
    card: Card,
    means: Means,
    symmetric: Option<Symmetric>,
    asymmetric: Option<Asymmetric>,
    list: List,
    block: Block,
    state: State,
    /// What the processing ends with, as far as that is known.
    outcome: Result<(), Error>,
    /// Commands of the block that are being ciphered, or answers that are being deciphered or cannot be read yet.
    held: Range<usize>,
    session: Session,
    scratch: Scratch,
    channel: ChannelControl,
    /// The form of the opening that was built last.
    opening_form: SessionForm,
    /// A card command as far as it is known before the SAM signs it.
    partial: Vec<u8>,
    next_material: NextMaterial,
    /// What went wrong with the SAM while the card, or the application, was waited for.
    sam_failure: Option<SamFailure>,
    /// An answer that the SAM has yet to decipher, its command in clear, and what the SAM makes of it.
    deferred: Option<encryption::Deferred>,
    deferred_command: Vec<u8>,
    deciphered: Vec<u8>,
    /// The answers of the block while one of them is being deciphered.
    received: Batch,
    /// The card has executed a closing or a cancellation that may stand behind an answer that is refused: what that
    /// makes of the writings.
    closed_ahead: Option<Fate>,
    /// The channel was closed, as it was asked for.
    channel_closed: bool,
    /// Which turn with a shared SAM it had last.
    pub(crate) turn: Turn,
    /// For drivers, so that they need no memory of their own.
    pub(crate) responses: Batch,
    pub(crate) buffers: Buffers,
}

/// For drivers that ask both peers at once: request and answers of the card, and of the SAM.
#[derive(Debug)]
pub(crate) struct Buffers(pub(crate) [(OwnedRequest, Batch); 2]);

impl Default for Buffers {
    fn default() -> Self {
        Self([Peer::Card, Peer::Sam].map(|peer| (OwnedRequest::new(peer), Batch::new())))
    }
}

#[derive(Debug)]
struct Symmetric {
    settings: SymmetricSettings,
    service: Service,
}

/// The image as the commands of the block will leave it, as far as that is certain.
#[derive(Debug, Default)]
struct Scratch {
    content: Content,
    /// How many predictions of the block it contains; none: it is not begun.
    applied: Option<usize>,
}

impl Transaction {
    /// A transaction with the card of this image.
    ///
    /// # Errors
    ///
    /// [`Misuse::Argument`]: card or SAM of unknown product, or a key of 0 in the settings.
    pub fn new(mut card: Card, security: Security) -> Result<Self, Error> {
        check_card(&card)?;
        let means = security.means();
        let (symmetric, asymmetric) = match security {
            Security::None => (None, None),
            Security::Symmetric(settings) => (Some(Symmetric::new(settings, &card)?), None),
            #[cfg(feature = "pki")]
            Security::Pki(settings) if card.features().pki => (None, Some(Asymmetric::new(settings))),
            #[cfg(feature = "pki")]
            Security::Pki(_) => return Err(Error::Unsupported(CommandName::OpenSecureSession)),
        };
        drop_useless_pre_opening(&mut card, &means);
        Ok(Self {
            card,
            means,
            symmetric,
            asymmetric,
            list: List::default(),
            block: Block::default(),
            state: State::Idle,
            outcome: Ok(()),
            held: 0..0,
            session: Session::default(),
            scratch: Scratch::default(),
            channel: ChannelControl::KeepOpen,
            opening_form: SessionForm::Regular,
            partial: Vec::new(),
            next_material: NextMaterial::Unasked,
            sam_failure: None,
            deferred: None,
            deferred_command: Vec::new(),
            deciphered: Vec::new(),
            received: Batch::new(),
            closed_ahead: None,
            channel_closed: false,
            turn: Turn::default(),
            responses: Batch::new(),
            buffers: Buffers::default(),
        })
    }

    /// Begins a transaction with another card under the same security, in the memory of this one.
    ///
    /// A challenge that was fetched in advance is kept.
    ///
    /// # Errors
    ///
    /// A card of unknown product, or a request under way. Then nothing has changed.
    pub fn restart(&mut self, card: &Card) -> Result<(), Error> {
        self.check_replaceable()?;
        check_card(card)?;
        self.card.copy_from(card);
        drop_useless_pre_opening(&mut self.card, &self.means);
        self.forget_transaction();
        Ok(())
    }

    /// As [`restart`](Self::restart), with the card that has answered so to its selection: what [`Card::reset`] takes. The
    /// image is read where it will be used, which saves a copy.
    ///
    /// ```
    /// # use ogygia::card::Card;
    /// # use ogygia::transaction::{Security, Transaction};
    /// # let select_response = [
    /// #     0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
    /// #     0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
    /// #     0x01, 0x90, 0x00,
    /// # ];
    /// # let mut transaction = Transaction::new(Card::from_select_response(&select_response).unwrap(), Security::None)?;
    /// transaction.restart_selected(Some(&select_response), &[])?;
    /// assert_eq!(transaction.card().df_name(), b"1TIC.ICA1");
    /// # Ok::<(), ogygia::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Misuse::Busy`] when a request is under way; then nothing has changed. [`Error::PeerMisbehaved`] for an answer that
    /// cannot be read, and [`Argument::Product`] for a card of unknown product; then the transaction has no card, and
    /// answers everything with the latter, until it has another one.
    pub fn restart_selected(&mut self, select_response: Option<&[u8]>, power_on_data: &[u8]) -> Result<(), Error> {
        self.check_replaceable()?;
        let read = self.card.reset(select_response, power_on_data).map_err(Error::refused_selection);
        let accepted = read.and_then(|()| check_card(&self.card));
        self.forget_transaction();
        if unlikely(accepted.is_err()) {
            self.state = State::NoCard;
        }
        accepted
    }

    /// Whether another card may take the place of this one.
    fn check_replaceable(&self) -> Result<(), Error> {
        if self.state == State::NoCard { Ok(()) } else { self.check_idle() }
    }

    fn forget_transaction(&mut self) {
        self.state = State::Idle;
        self.list.reset();
        self.session.restart();
        self.sam_failure = None;
        self.next_material = NextMaterial::Unasked;
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.restart(self.card.full_serial_number());
        }
        if let Some(asymmetric) = &mut self.asymmetric {
            asymmetric.reset();
        }
    }

    /// The image of the card.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// What became of the sessions of this transaction.
    #[must_use]
    pub fn session(&self) -> SessionReport {
        self.session.report()
    }

    /// The numbers of the records that a search found: of the search prepared `index`-th, from 0, in the list that was
    /// processed last.
    #[must_use]
    pub fn matches(&self, index: usize) -> Option<&[u8]> {
        self.card.matches.get(index)
    }

    /// Whether the card has a session open, as far as the terminal knows.
    #[must_use]
    pub fn is_session_open(&self) -> bool {
        self.session.is_open()
    }

    /// Uses a challenge that the SAM gave before, when nothing else was sent to it since.
    pub fn set_prefetched_challenge(&mut self, challenge: [u8; 8]) {
        if let Some(symmetric) = &mut self.symmetric {
            symmetric.service.set_prefetched(challenge);
        }
    }

    /// Checks an operation and puts it at the end of the list. Nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Misuse`] or [`Error::Unsupported`]. All that was prepared is forgotten; if the card has a session open,
    /// it is void, and what [`poll`](Self::poll) gives next is its abort.
    pub fn prepare<'a>(&mut self, command: impl Into<Command<'a>>) -> Result<(), Error> {
        self.check_idle()?;
        let command = command.into();
        let terms = Terms { card: &self.card, means: &self.means, session_is_open: self.session.is_open() };
        let foretold = unlikely(self.card.pre_open.is_some());
        self.list.pre_opened = foretold;
        let prepared = command.prepare(&mut self.list, &terms);
        if foretold && !self.list.pre_opened {
            self.card.pre_open = None;
        }
        if let Err(error) = prepared {
            cold_path();
            if !command.is_apart() {
                self.refuse(error);
            }
            return Err(error);
        }
        if matches!(command, Command::SvReadAllLogs(_)) {
            self.card.content.purse = None;
            self.card.forget_sv_get();
        }
        Ok(())
    }

    /// Forgets what was prepared. If the card has a session open, it is void, and what [`poll`](Self::poll) gives next is
    /// its abort; [`drive::resume`](crate::drive::resume) sends it.
    ///
    /// For an application that finds out itself that it cannot go on. To take back what was written and go on with the
    /// card, prepare [`CancelSession`](crate::command::CancelSession).
    ///
    /// # Errors
    ///
    /// [`Misuse::Busy`] when processing has begun.
    pub fn abandon(&mut self) -> Result<(), Error> {
        self.check_idle()?;
        self.refuse(Misuse::Abandoned.into());
        Ok(())
    }

    /// The SAM has served somebody else, or lost its power: what it had selected, and its challenge, are not relied on
    /// any more. [`SharedSam`](crate::drive::SharedSam) calls this.
    ///
    /// # Errors
    ///
    /// [`Misuse::SamTaken`]: the card has a session open under the control of the SAM. It is void, and what
    /// [`poll`](Self::poll) gives next is its abort; what the SAM digests ahead of time is of no use any more.
    /// [`Misuse::Busy`] when processing has begun.
    pub fn forget_sam(&mut self) -> Result<(), Error> {
        self.check_replaceable()?;
        let Some(symmetric) = &mut self.symmetric else { return Ok(()) };
        symmetric.service.forget();
        if !self.session.is_open() {
            return Ok(());
        }
        self.refuse(Misuse::SamTaken.into());
        Err(Misuse::SamTaken.into())
    }

    fn refuse(&mut self, error: Error) {
        self.fail(error);
        if self.state == State::Done {
            self.state = State::Idle;
        }
    }

    /// Begins to process what was prepared. `channel` applies once all is done.
    ///
    /// # Errors
    ///
    /// [`Misuse::Busy`] when processing has begun already.
    pub fn process(&mut self, channel: ChannelControl) -> Result<(), Error> {
        self.check_idle()?;
        self.channel = channel;
        self.outcome = Ok(());
        self.card.matches.clear();
        let next = self.begin();
        self.enter(next);
        Ok(())
    }

    /// Begins to fetch a challenge from the SAM for the next opening, to be called when the traveller has been served:
    /// specification 02, "Challenge prefetch". Not for a SAM that others use meanwhile.
    ///
    /// # Errors
    ///
    /// [`Misuse::Busy`] when processing has begun; [`Error::Unsupported`] without a SAM.
    pub fn prefetch_challenge(&mut self) -> Result<(), Error> {
        self.check_idle()?;
        let symmetric = self.symmetric.as_mut().ok_or(Error::Unsupported(CommandName::SamGetChallenge))?;
        symmetric.service.queue_prefetch();
        symmetric.service.seal();
        self.outcome = Ok(());
        self.state = State::Sam(SamWork::Prefetch);
        Ok(())
    }

    /// The request to send to `peer`, the same until it is answered. Nothing when nothing is asked of it.
    ///
    /// Under [`Policy::Overlapped`] card and SAM may both have one: they can be sent at the same time, and are answered in
    /// any order. Who sends one after the other should begin with the card.
    #[must_use]
    pub fn poll(&self, peer: Peer) -> Option<Request<'_>> {
        self.request(peer)
    }

    /// Takes the answers to the request of `peer`, as many as were received.
    ///
    /// Errors of the exchange are not returned here: [`outcome`](Self::outcome) has them, once a void session is aborted.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle(&mut self, peer: Peer, responses: &Batch) -> Result<(), Error> {
        let next = match (self.state, peer) {
            (State::Card(work), Peer::Card) => self.next_after_card(work, responses),
            (State::Sam(work), Peer::Sam) => self.next_after_sam(work, responses),
            (_, Peer::Sam) if self.is_sam_ahead() => {
                self.take_ahead(responses);
                return Ok(());
            }
            _ => return Err(Misuse::NotAsked.into()),
        };
        self.enter(next);
        Ok(())
    }

    /// Takes note that `peer` was lost during its request, after the answers in `received`.
    ///
    /// # Errors
    ///
    /// [`Misuse::NotAsked`] when nothing was asked of `peer`.
    pub fn handle_lost(&mut self, peer: Peer, loss: Loss, received: &Batch) -> Result<(), Error> {
        let next = match (self.state, peer) {
            (State::Card(work), Peer::Card) => self.next_after_card_loss(work, loss, received),
            (State::Sam(work), Peer::Sam) => self.next_after_sam_loss(work, loss),
            (_, Peer::Sam) if self.is_sam_ahead() => {
                self.lose_ahead(loss);
                return Ok(());
            }
            _ => return Err(Misuse::NotAsked.into()),
        };
        self.enter(next);
        Ok(())
    }

    /// Whether processing has begun and its outcome was not taken yet.
    ///
    /// The SAM may have a request also when it is not: with [`Policy::Overlapped`] it digests while the application
    /// decides. Then [`outcome`](Self::outcome) need not wait for its answer, which is handed in when it comes.
    #[must_use]
    pub fn is_processing(&self) -> bool {
        !matches!(self.state, State::Idle | State::NoCard)
    }

    /// The outcome of processing, once nothing more is to be sent. Taking it makes the transaction ready for more.
    pub fn outcome(&mut self) -> Option<Result<(), Error>> {
        match self.state {
            State::Done => {
                self.state = State::Idle;
                Some(self.outcome)
            }
            State::Idle | State::NoCard | State::Card(_) | State::Sam(_) => None,
        }
    }

    fn check_idle(&self) -> Result<(), Error> {
        if unlikely(self.state != State::Idle) { Err(self.not_idle()) } else { Ok(()) }
    }

    fn not_idle(&self) -> Error {
        if self.state == State::NoCard { Argument::Product.into() } else { Misuse::Busy.into() }
    }

    fn next_after_sam_loss(&mut self, work: SamWork, loss: Loss) -> Result<State, Error> {
        let lost = Error::Lost { peer: Peer::Sam, loss, fate: self.fate_of_sam_loss(0) };
        let mut ahead = false;
        if let Some(symmetric) = &mut self.symmetric {
            ahead = symmetric.service.has_next();
            symmetric.service.lose();
        }
        match work {
            SamWork::BeforeReport => self.outcome.map(|()| State::Done),
            // Nothing was prepared: the session is not touched, unless what was lost was digesting it.
            _ if ahead && self.session.is_open() => Err(lost),
            _ if self.list.len() == 0 || work == SamWork::Prefetch => {
                self.outcome = Err(lost);
                Ok(State::Done)
            }
            _ => Err(lost),
        }
    }
}

impl Symmetric {
    fn new(settings: SymmetricSettings, card: &Card) -> Result<Self, Error> {
        if settings.sam.product == SamProduct::Unknown {
            return Err(Argument::Sam.into());
        }
        settings.check()?;
        let mut service = Service::new(&settings.sam, settings.digest_capacity());
        service.restart(card.full_serial_number());
        Ok(Self { settings, service })
    }
}

fn check_card(card: &Card) -> Result<(), Error> {
    if card.product() == Product::Unknown { Err(Argument::Product.into()) } else { Ok(()) }
}

/// A session that the card foretold is an extended one: where none can be opened, that counts no more.
fn drop_useless_pre_opening(card: &mut Card, means: &Means) {
    if !(Terms { card, means, session_is_open: false }).extended() {
        card.pre_open = None;
    }
}
