//! The terminal: a card reader and a SAM reader whose traffic is written down.

use ogygia::apdu::Batch;
use ogygia::card::{Card, CardClass};
use ogygia::command::ReadRecords;
use ogygia::drive::resume;
use ogygia::sam::Sam;
use ogygia::transaction::{Security, Transaction};
use ogygia::{ChannelControl, Loss, Malformed, Peer};
use ogygia_sim::{CardLink, KeySet, SamLink, SamProduct, VirtualCard, VirtualSam};

use crate::error::Failure;
use crate::record::{Exchange, Log, Phase, Recorded};
use crate::ticketing::{self, application};

/// From which all keys of the simulation are derived: every virtual card fits every virtual SAM.
const SEED: &[u8] = b"ogygia";
const SAM_SERIAL: [u8; 4] = [0xA0, 0xB1, 0xC2, 0xD3];
/// Executed.
const SUCCESS: &[u8] = &[0x90, 0x00];
/// Executed, but the application is invalidated.
const INVALIDATED: &[u8] = &[0x62, 0x83];

/// The keys of the simulation.
#[must_use]
pub fn keys() -> KeySet {
    KeySet::new(SEED)
}

/// A terminal with its two readers.
#[derive(Debug)]
pub struct Terminal {
    /// The reader of the card.
    pub card: Recorded<CardLink>,
    /// The reader of the SAM.
    pub sam: Recorded<SamLink>,
    /// What both were told.
    pub log: Log,
}

impl Terminal {
    /// A terminal with a virtual SAM, before which `card` lies.
    #[must_use]
    pub fn new(card: VirtualCard) -> Self {
        let log = Log::default();
        let sam = VirtualSam::new(SamProduct::C1, SAM_SERIAL, &keys());
        Self {
            card: Recorded::new(CardLink::new(card), Peer::Card, &log),
            sam: Recorded::new(SamLink::new(sam), Peer::Sam, &log),
            log,
        }
    }

    /// What secures the transactions of this terminal; with ratification where it validates.
    #[must_use]
    pub fn security(&self, ratification: bool) -> Security {
        let sam = Sam::from_power_on_data(self.sam.inner().sam().power_on_data());
        Security::Symmetric(ticketing::settings(sam, ratification))
    }

    /// Selects the first of `names` that is on the card and whose application is served.
    ///
    /// # Errors
    ///
    /// The card was lost, or is refused.
    pub fn select(&mut self, names: application::Names, invalidated_too: bool) -> Result<Card, Failure> {
        let (card, _) = self.select_and_read(names, invalidated_too, &[])?;
        Ok(card)
    }

    /// Selects an application to look at it: the one whose name begins with `name`. Without a name, one of ours if there
    /// is one, else the first that has a name, else the one that is there without selection.
    ///
    /// # Errors
    ///
    /// The card was lost, has no such application, or cannot be understood.
    pub fn select_any(&mut self, name: Option<&[u8]>) -> Result<Card, Failure> {
        let profile = self.card.inner().card().profile();
        let own = profile.applications.iter().filter_map(|application| application.df_name.as_ref());
        let own: Vec<Vec<u8>> = own.map(|name| name.to_vec()).collect();
        let any: Vec<&[u8]> = application::VALIDATOR.into_iter().chain(own.iter().map(Vec::as_slice)).collect();
        for name in name.map_or(any, |name| vec![name]) {
            for class in [CardClass::Iso, CardClass::Legacy] {
                if let Some((answer, _)) = self.try_name(class, name, true, &[])? {
                    return Card::from_select_response(&answer).map_err(malformed);
                }
            }
        }
        if name.is_some() {
            return Err(Failure::failed("there is no application of this name on the card"));
        }
        Card::from_power_on_data(self.card.inner().card().power_on_data()).map_err(malformed)
    }

    /// As [`select`](Self::select); `reads` travel behind the selection, and their answers enter the image.
    ///
    /// # Errors
    ///
    /// The card was lost or is refused, or what was read does not fit.
    pub fn select_reading(&mut self, names: application::Names, reads: &[ReadRecords]) -> Result<Card, Failure> {
        let commands: Vec<_> = reads.iter().map(read_command).collect();
        let (card, answers) = self.select_and_read(names, false, &commands)?;
        let mut transaction = Transaction::new(card, Security::None)?;
        for read in reads {
            transaction.prepare(read.clone())?;
        }
        transaction.process(ChannelControl::KeepOpen)?;
        let same = |request: ogygia::Request<'_>| request.commands.iter().eq(commands.iter().map(Vec::as_slice));
        if !transaction.poll(Peer::Card).is_some_and(same) {
            return Err(Failure::failed("this card cannot be read together with its selection"));
        }
        transaction.handle(Peer::Card, &answers)?;
        transaction.outcome().unwrap_or(Ok(()))?;
        Ok(transaction.card().clone())
    }

    fn select_and_read(
        &mut self,
        names: application::Names,
        invalidated_too: bool,
        reads: &[Vec<u8>],
    ) -> Result<(Card, Batch), Failure> {
        for name in names {
            let Some((answer, read)) = self.try_name(CardClass::Iso, name, invalidated_too, reads)? else { continue };
            let card = Card::from_select_response(&answer).map_err(malformed)?;
            application::check(&card, name)?;
            return Ok((card, read));
        }
        Err(application::Refused::NotFound.into())
    }

    /// The answer to the selection of `name`, and to what is read behind it; nothing when it is not on the card.
    fn try_name(
        &mut self,
        class: CardClass,
        name: &[u8],
        invalidated_too: bool,
        reads: &[Vec<u8>],
    ) -> Result<Option<(Vec<u8>, Batch)>, Loss> {
        let mut exchanges = Vec::new();
        let mut answers = Batch::new();
        let mut found = None;
        let select = select_command(class, name);
        for command in std::iter::once(&select).chain(reads) {
            let mut answer = Vec::new();
            let sent = self.card.inner_mut().send(command, &mut answer);
            let response = sent.is_ok().then(|| answer.clone());
            exchanges.push(Exchange { command: command.clone(), response });
            if let Err(loss) = sent {
                self.card.note(exchanges, Some(loss));
                return Err(loss);
            }
            if found.is_some() {
                answers.push(&answer);
            } else if answer.ends_with(SUCCESS) || (invalidated_too && answer.ends_with(INVALIDATED)) {
                found = Some(answer);
            } else {
                break;
            }
        }
        self.card.note(exchanges, None);
        Ok(found.map(|found| (found, answers)))
    }

    /// Fetches a challenge for the next card, as part of `transaction`.
    ///
    /// # Errors
    ///
    /// What went wrong with the SAM.
    pub fn prefetch(&mut self, transaction: &mut Transaction) -> Result<(), ogygia::Error> {
        self.log.begin(Phase::Prefetch);
        transaction.prefetch_challenge()?;
        resume(transaction, &mut self.card, &mut self.sam)
    }
}

fn malformed(what: Malformed) -> Failure {
    Failure::failed(format!("what the card says of itself is malformed: {what}"))
}

/// Select Application by name.
fn select_command(class: CardClass, name: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let mut command = vec![class.byte(), 0xA4, 0x04, 0x00, length];
    command.extend_from_slice(name);
    command.push(0x00);
    command
}

/// Read Records of one record: it is written here because its answer comes before a transaction could ask for it.
fn read_command(read: &ReadRecords) -> Vec<u8> {
    vec![CardClass::Iso.byte(), 0xB2, *read.records.start(), read.sfi.0 << 3 | 4, read.size]
}

/// The image of no card in particular. A transaction needs one before the first card comes, to keep the challenge that
/// is fetched for it.
///
/// # Errors
///
/// None: the answer below is well formed.
pub fn placeholder() -> Result<Card, Failure> {
    const ANSWER: [u8; 39] = [
        0x6F, 0x23, 0x84, 0x09, 0x31, 0x54, 0x49, 0x43, 0x2E, 0x49, 0x43, 0x41, 0x31, 0xA5, 0x16, 0xBF, 0x0C, 0x13,
        0xC7, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x53, 0x07, 0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10,
        0x01, 0x90, 0x00,
    ];
    Card::from_select_response(&ANSWER).map_err(malformed)
}
