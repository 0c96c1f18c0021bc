//! Reading all files of an application that can be read without a session.

use ogygia::card::{Card, FileHeader, FileType, Sfi};
use ogygia::command::{Command, DataTag, GetData, ReadBinary, ReadRecord, ReadRecords, SelectFile};
use ogygia::drive::Driver;
use ogygia::transaction::{Security, Transaction};
use ogygia::{ChannelControl, Error, Peer};

use super::table::Access;
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::Terminal;
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};

/// No card has more files: a guard against one that never says that it has no next one.
const MOST_FILES: usize = 64;
/// No file that this application knows has more records.
const MOST_RECORDS: u8 = 8;

/// The image of the card with all that can be read.
///
/// Of the application of this name, else of the one that a ticketing terminal would take, else of any.
pub(super) fn read_all(terminal: &mut Terminal, name: Option<&[u8]>) -> Result<Card, Failure> {
    terminal.begin(Phase::Selection);
    let card = terminal.select_any(name)?;
    terminal.begin(Phase::Transaction);
    let mut reader = Reader { transaction: Transaction::new(card, Security::None)?, terminal };
    reader.try_one(SelectFile::CurrentDirectory)?;
    reader.read_certificates()?;
    let files = reader.walk()?;
    if files.is_empty() {
        reader.read_known()?;
    }
    for (sfi, header) in files {
        reader.read_file(sfi, &header)?;
    }
    Ok(reader.transaction.card().clone())
}

struct Reader<'a> {
    transaction: Transaction,
    terminal: &'a mut Terminal,
}

impl Reader<'_> {
    /// Processes one command; false when the card refuses it, or its product does not know it.
    fn try_one<'a>(&mut self, command: impl Into<Command<'a>>) -> Result<bool, Error> {
        let done = self
            .transaction
            .prepare(command)
            .and_then(|()| self.terminal.run(&mut self.transaction, ChannelControl::KeepOpen));
        match done {
            Ok(()) => Ok(true),
            Err(Error::Status { peer: Peer::Card, .. } | Error::Unsupported(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }

    /// What a card with asymmetric keys shows of them, as far as it was given any.
    fn read_certificates(&mut self) -> Result<(), Error> {
        if self.transaction.card().features().pki {
            for tag in [DataTag::CardPublicKey, DataTag::CardCertificate, DataTag::CaCertificate] {
                self.try_one(GetData { tag })?;
            }
        }
        Ok(())
    }

    /// Goes from file to file. Nothing is found on cards without this navigation.
    fn walk(&mut self) -> Result<Vec<(Sfi, FileHeader)>, Error> {
        let mut step = SelectFile::FirstFile;
        for _ in 0..MOST_FILES {
            if !self.try_one(step)? {
                break;
            }
            step = SelectFile::NextFile;
        }
        let files = self.transaction.card().files().iter();
        Ok(files.filter_map(|file| Some((file.sfi(), *file.header()?))).collect())
    }

    /// A file is read where that needs nothing. One without short identifier is selected before.
    fn read_file(&mut self, sfi: Sfi, header: &FileHeader) -> Result<(), Error> {
        let readable = Access::of(header, 0) == Some(Access::Always);
        if !readable || (sfi == Sfi::CURRENT && !self.try_one(SelectFile::Lid(header.lid))?) {
            return Ok(());
        }
        let _refusals_leave_it_empty = match (header.file_type, u8::try_from(header.record_size)) {
            (FileType::Binary, _) => self.try_one(ReadBinary { sfi, offset: 0, length: header.record_size })?,
            (_, Ok(size)) => self.try_one(ReadRecords { sfi, records: 1..=header.records_number, size })?,
            (_, Err(_)) => false,
        };
        Ok(())
    }

    /// The files of the ticketing application, as far as they are there.
    fn read_known(&mut self) -> Result<(), Error> {
        use TicketingFile::{Contracts, Counters, Environment, Events};
        let known = [Environment, Events, Contracts, Counters].map(TicketingFile::sfi);
        for sfi in known.into_iter().chain([CONTRACT_LIST]) {
            for record in 1..=MOST_RECORDS {
                let found = |card: &Card| card.file(sfi).is_some_and(|file| file.record(record).is_some());
                if !self.try_one(ReadRecord { sfi, record })? || !found(self.transaction.card()) {
                    break;
                }
            }
        }
        Ok(())
    }
}
