//! The card image: what the terminal knows of one selected card.
//!
//! Specification 01, "Card image (data model)". It is made from what the selection answered, and changed only by
//! answers that were accepted.

mod fci;
mod files;
pub(crate) mod header;
mod identity;
mod product;
mod startup;
pub(crate) mod value;

use alloc::vec::Vec;

use crate::apdu::Batch;

pub use files::{File, Files};
pub use header::{DirectoryHeader, FileHeader, FileType};
pub use product::{CardClass, Features, PostponedCounters, Product, Quirks, SessionBudget};
pub use startup::StartupInfo;
pub use value::{COUNTER_MAX, KeyId, Kif, Kvc, Level, Lid, Sfi};

pub(crate) use identity::Identity;

/// The image of a card.
///
/// ```
/// use ogygia::card::{Card, Product};
///
/// let response = [
///     0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
///     0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x11, 0x22, 0x33, 0x44, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
///     0x01, 0x90, 0x00,
/// ];
/// let card = Card::from_select_response(&response).unwrap();
/// assert_eq!(card.product(), Product::PrimeRevision3);
/// assert_eq!(card.df_name(), b"1TIC.ICA1");
/// ```
#[derive(Clone, Debug)]
pub struct Card {
    pub(crate) identity: Identity,
    pub(crate) content: Content,
    pub(crate) postponed: PostponedCounters,
    pub(crate) ratified: Option<bool>,
    pub(crate) transaction_counter: Option<u32>,
    pub(crate) pin_attempts: Option<u8>,
    pub(crate) challenge: Option<[u8; 8]>,
    pub(crate) traceability: Vec<u8>,
    pub(crate) public_key: Option<[u8; PUBLIC_KEY_LEN]>,
    pub(crate) card_certificate: Vec<u8>,
    pub(crate) ca_certificate: Vec<u8>,
    /// The first part of a certificate that is being read or written.
    pub(crate) certificate_part: Vec<u8>,
    /// What the searches of the last processing found, in order.
    pub(crate) matches: Batch,
    pub(crate) sv_get: SvGetData,
    /// The level of the session that the card is ready to open, as long as that counts.
    pub(crate) pre_open: Option<Level>,
    /// What the card will answer to that opening.
    pub(crate) pre_open_data: Vec<u8>,
    /// The card took a pre-opening for an opening: it has a session that nobody wants.
    pub(crate) has_stray_session: bool,
}

/// Bytes of a public key: the coordinates of a point of P-256.
pub const PUBLIC_KEY_LEN: usize = 64;

/// What the card said of its Stored Value purse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Purse {
    /// −8 388 608 to 8 388 607.
    pub balance: i32,
    /// Number of the last operation.
    pub transaction_number: u16,
}

/// What the SAM needs of the last SV Get.
#[derive(Clone, Debug, Default)]
pub(crate) struct SvGetData {
    /// Version of the purse's key; none: there was no SV Get, or it counts no more.
    pub(crate) kvc: Option<Kvc>,
    /// INS, P1, P2, Le.
    pub(crate) header: [u8; 4],
    /// Status word included.
    pub(crate) response: Vec<u8>,
}

/// The part of an image that an aborted session takes back: specification 01, "Backup and restore".
#[derive(Debug, Default)]
pub(crate) struct Content {
    pub(crate) files: Files,
    pub(crate) invalidated: bool,
    pub(crate) directory: Option<DirectoryHeader>,
    pub(crate) purse: Option<Purse>,
}

impl Clone for Content {
    fn clone(&self) -> Self {
        let mut copy = Self::default();
        copy.clone_from(self);
        copy
    }

    fn clone_from(&mut self, source: &Self) {
        self.files.clone_from(&source.files);
        self.invalidated = source.invalidated;
        self.directory = source.directory;
        self.purse = source.purse;
    }
}

impl Card {
    /// What kind of card it is.
    #[must_use]
    pub fn product(&self) -> Product {
        self.identity.product
    }

    /// What the card can do.
    #[must_use]
    pub fn features(&self) -> Features {
        self.identity.features
    }

    /// Full name of the selected application, 5 to 16 bytes; empty when the card has no name.
    #[must_use]
    pub fn df_name(&self) -> &[u8] {
        &self.identity.df_name
    }

    /// The eight bytes that diversify the card's keys. The first two may carry a date.
    #[must_use]
    pub fn full_serial_number(&self) -> [u8; 8] {
        self.identity.serial_number
    }

    /// The serial number of the application, as in certificates: the first two bytes are zeros.
    #[must_use]
    pub fn serial_number(&self) -> [u8; 8] {
        let [_, _, rest @ ..] = self.identity.serial_number;
        let [a, b, c, d, e, f] = rest;
        [0, 0, a, b, c, d, e, f]
    }

    /// What the card says of its chip, its software and its structure.
    #[must_use]
    pub fn startup_info(&self) -> &StartupInfo {
        &self.identity.startup
    }

    /// What the card sent when it was powered; empty when the selection did not tell.
    #[must_use]
    pub fn power_on_data(&self) -> &[u8] {
        &self.identity.power_on_data
    }

    /// The answer to Select Application, status word included; empty when there was none.
    #[must_use]
    pub fn select_response(&self) -> &[u8] {
        &self.identity.select_response
    }

    /// The most data bytes of one command or answer.
    #[must_use]
    pub fn payload_capacity(&self) -> u8 {
        self.identity.quirks.payload_capacity
    }

    /// What one session may modify.
    #[must_use]
    pub fn session_budget(&self) -> SessionBudget {
        self.identity.budget
    }

    /// The class bytes that the card takes.
    #[must_use]
    pub fn class(&self) -> CardClass {
        self.product().class()
    }

    /// Whether the card answers Increase and Decrease only when the session closes.
    #[must_use]
    pub fn postponed_counters(&self) -> PostponedCounters {
        self.postponed
    }

    /// The files that were met, with what is known of their content.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.content.files
    }

    /// The file with this short identifier, if it was met.
    #[must_use]
    pub fn file(&self, sfi: Sfi) -> Option<File<'_>> {
        self.files().by_sfi(sfi)
    }

    /// Whether the application is invalidated.
    #[must_use]
    pub fn invalidated(&self) -> bool {
        self.content.invalidated
    }

    /// What the card said of its current directory, if it was asked.
    #[must_use]
    pub fn directory_header(&self) -> Option<&DirectoryHeader> {
        self.content.directory.as_ref()
    }

    /// Whether the session before the current one was ratified; known once a session was opened.
    #[must_use]
    pub fn ratified(&self) -> Option<bool> {
        self.ratified
    }

    /// How many more sessions the card will open, 0 to 16 777 215; known once a session was opened.
    #[must_use]
    pub fn transaction_counter(&self) -> Option<u32> {
        self.transaction_counter
    }

    /// How many more times the PIN may be presented; known once it was presented or asked for.
    #[must_use]
    pub fn pin_attempts_remaining(&self) -> Option<u8> {
        self.pin_attempts
    }

    /// The Stored Value purse; known once it was read with SV Get.
    #[must_use]
    pub fn purse(&self) -> Option<Purse> {
        self.content.purse
    }

    /// The public key of the card, as it was read or written. It is not verified.
    #[must_use]
    pub fn card_public_key(&self) -> Option<&[u8; PUBLIC_KEY_LEN]> {
        self.public_key.as_ref()
    }

    /// The certificate of the card, as it was read or written; empty while it is not known. It is not verified.
    #[must_use]
    pub fn card_certificate(&self) -> &[u8] {
        &self.card_certificate
    }

    /// The certificate of the authority that issued the card's; empty while it is not known. It is not verified.
    #[must_use]
    pub fn ca_certificate(&self) -> &[u8] {
        &self.ca_certificate
    }

    /// What SV Get told counts no more.
    pub(crate) fn forget_sv_get(&mut self) {
        self.sv_get.kvc = None;
        self.sv_get.response.clear();
    }

    /// The traceability information, as the card gave it; empty while it was not read.
    #[must_use]
    pub fn traceability(&self) -> &[u8] {
        &self.traceability
    }
}
