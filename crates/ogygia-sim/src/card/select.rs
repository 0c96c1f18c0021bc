//! Select Application and Select File.

use super::VirtualCard;
use super::layout::{Application, File};
use crate::command::{Command, Reply};
use crate::profile::{FileKind, ProductType};
use crate::status::{self, Refusal};

impl VirtualCard {
    pub(super) fn select(&mut self, command: &Command) -> Result<Reply, Refusal> {
        match (command.p1, command.p2) {
            (0x04, occurrence @ 0..=3) => self.select_name(&command.data, occurrence),
            (0x04, _) => Err(status::WRONG_P1P2),
            _ => self.select_file(command),
        }
    }

    /// Selection by the beginning of a name. A session that was open is void.
    fn select_name(&mut self, name: &[u8], occurrence: u8) -> Result<Reply, Refusal> {
        if name.len() > 16 {
            return Err(status::WRONG_LENGTH);
        }
        let matches = |application: &Application| application.name.as_ref().is_some_and(|own| own.starts_with(name));
        let found: Vec<usize> =
            (0..).zip(&self.applications).filter(|(_, application)| matches(application)).map(|(at, _)| at).collect();
        let after = |at: &&usize| self.field.application.is_none_or(|current| **at > current);
        let before = |at: &&usize| self.field.application.is_some_and(|current| **at < current);
        let chosen = match occurrence {
            0 => found.first(),
            1 => found.last(),
            2 => found.iter().find(after),
            _ => found.iter().rev().find(before),
        };
        let chosen = *chosen.ok_or(status::FILE_NOT_FOUND)?;
        self.roll_back();
        self.enter(chosen);
        self.fci()
    }

    fn enter(&mut self, application: usize) {
        if self.field.application != Some(application) {
            self.field.pin_verified = false;
            self.field.pre_open = None;
        }
        self.field.application = Some(application);
        self.field.file = None;
    }

    fn select_file(&mut self, command: &Command) -> Result<Reply, Refusal> {
        let lid = u16::from_be_bytes(command.exactly()?);
        match (command.p1, command.p2, lid) {
            (0x02, 0x00, 0) => self.select_at(Some(0)),
            (0x02, 0x02, 0) => self.select_at(Some(self.field.file.map_or(0, |current| current + 1))),
            (0x09, 0x00, 0) => self.select_at(None),
            (p1, 0x00, _) if self.profile.behaviour.select_lid_p1.iter().any(|known| known.0 == p1) => {
                self.select_lid(lid)
            }
            _ => Err(status::WRONG_P1P2),
        }
    }

    /// Selects a file of the current directory by its place, or the directory itself.
    fn select_at(&mut self, file: Option<usize>) -> Result<Reply, Refusal> {
        let files = self.application().ok_or(status::FILE_NOT_FOUND)?.files.len();
        if file.is_some_and(|file| file >= files) {
            return Err(status::FILE_NOT_FOUND);
        }
        self.field.file = file;
        self.fcp().map(Reply::with)
    }

    /// Selects a file of the current directory, or a directory of the card.
    fn select_lid(&mut self, lid: u16) -> Result<Reply, Refusal> {
        let in_current = self.application().and_then(|current| current.files.iter().position(|file| file.lid == lid));
        if let Some(file) = in_current {
            self.field.file = Some(file);
        } else {
            let directory = self.applications.iter().position(|application| application.lid == lid);
            let directory = directory.ok_or(status::FILE_NOT_FOUND)?;
            if self.field.session.is_some() && self.field.application != Some(directory) {
                return Err(status::FORBIDDEN);
            }
            self.enter(directory);
        }
        self.fcp().map(Reply::with)
    }

    /// Select response of the current directory: specification of card commands, "FCI parsing".
    pub(super) fn fci(&self) -> Result<Reply, Refusal> {
        let application = self.application().ok_or(status::FILE_NOT_FOUND)?;
        let name = application.name.as_deref().unwrap_or_default();
        let discretionary = [tlv(&[0xC7], &application.serial), tlv(&[0x53], &application.startup)].concat();
        let proprietary = tlv(&[0xA5], &tlv(&[0xBF, 0x0C], &discretionary));
        let reply = Reply::with(tlv(&[0x6F], &[tlv(&[0x84], name), proprietary].concat()));
        Ok(if self.is_invalidated() { reply.and(status::DF_INVALIDATED) } else { reply })
    }

    /// Header of the current file, else of the current directory.
    pub(super) fn fcp(&self) -> Result<Vec<u8>, Refusal> {
        let application = self.application().ok_or(status::FILE_NOT_FOUND)?;
        let header = match self.field.file {
            Some(file) => self.file_header(application.files.get(file).ok_or(status::FILE_NOT_FOUND)?),
            None => self.directory_header(application),
        };
        Ok(tlv(&[0x85], &header))
    }

    fn directory_header(&self, application: &Application) -> Vec<u8> {
        let at = self.field.application.unwrap_or_default();
        let keys = self.memory.keys.get(at).copied();
        let kvcs = keys.map_or([0; 3], |keys| keys.map(|key| key.kvc));
        let kifs =
            keys.filter(|_| self.profile.behaviour.fcp_reports_kif).map_or([0; 3], |keys| keys.map(|key| key.kif));
        let mut header = vec![0, if application.is_mf { 1 } else { 2 }, 0, 0, 0];
        header.extend(application.access.bytes);
        header.extend(application.access.keys);
        header.push(self.memory.df_status(at));
        header.extend(kvcs);
        header.extend(kifs);
        self.end_header(header, application.lid)
    }

    fn file_header(&self, file: &File) -> Vec<u8> {
        let mut header = vec![file.sfi, 4, kind_byte(file.kind)];
        header.extend(file_size(file));
        header.extend(file.access.bytes);
        header.extend(file.access.keys);
        header.push(file.status | self.memory.df_status(self.field.application.unwrap_or_default()));
        header.extend(file.reference.to_be_bytes());
        self.end_header(header, file.lid)
    }

    /// Completes a header to 23 bytes, with the identifier where the card puts it.
    fn end_header(&self, mut header: Vec<u8>, lid: u16) -> Vec<u8> {
        let behaviour = &self.profile.behaviour;
        header.resize(23, 0);
        if behaviour.fcp_reports_lid {
            let place = header.iter_mut().skip(usize::from(behaviour.fcp_lid_offset));
            for (to, from) in place.zip(lid.to_be_bytes()) {
                *to = from;
            }
        }
        header
    }

    /// Whether the card knows several records in one read.
    pub(super) fn reads_several_records(&self) -> bool {
        matches!(self.product(), ProductType::Prime3 | ProductType::Light)
    }
}

/// EF type of a header.
pub(super) const fn kind_byte(kind: FileKind) -> u8 {
    match kind {
        FileKind::Binary => 1,
        FileKind::Linear => 2,
        FileKind::Cyclic => 4,
        FileKind::SimulatedCounters => 8,
        FileKind::Counters => 9,
    }
}

/// Record size and number of records of a header; the size of a binary file takes both bytes.
pub(super) fn file_size(file: &File) -> [u8; 2] {
    let [high, low] = file.record_size.to_be_bytes();
    if file.kind == FileKind::Binary { [high, low] } else { [low, file.records] }
}

/// One data object. No value here reaches 128 bytes but the list of files.
pub(super) fn tlv(tag: &[u8], value: &[u8]) -> Vec<u8> {
    let mut object = tag.to_vec();
    match u8::try_from(value.len()) {
        Ok(short @ 0..=0x7F) => object.push(short),
        Ok(long) => object.extend([0x81, long]),
        Err(_) => {
            object.push(0x82);
            object.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        }
    }
    object.extend_from_slice(value);
    object
}
