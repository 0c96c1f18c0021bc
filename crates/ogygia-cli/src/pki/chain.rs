//! Root keys and authorities that are given as files.

use std::path::Path;

use jiff::civil::DateTime;
use ogygia::pki::{CaCertificate, Day, KeyReference, Mode, PkiError, RootKey, RsaPublicKey, Tolerance, TrustStore};

use super::args::ChainFiles;
use super::file;
use crate::clock;
use crate::error::Failure;

/// The day that was asked for, or today.
pub(super) fn day_or_today(asked: Option<Day>) -> Result<Day, Failure> {
    if let Some(day) = asked {
        return Ok(day);
    }
    day_of(clock::now(None)?)
}

/// The day of a clock, as certificates have it.
pub(crate) fn day_of(today: DateTime) -> Result<Day, Failure> {
    let number = |number: i8| u8::try_from(number).ok();
    u16::try_from(today.year())
        .ok()
        .zip(number(today.month()).zip(number(today.day())))
        .and_then(|(year, (month, day))| Day::new(year, month, day))
        .ok_or_else(|| Failure::failed("the clock shows no day that certificates could express"))
}

/// A store that trusts them all.
pub(super) fn store(files: &ChainFiles, mode: Mode, tolerance: Tolerance, on: Day) -> Result<TrustStore, Failure> {
    let mut store = TrustStore::new(mode);
    store.tolerate(tolerance);
    for path in &files.roots {
        store.add_root(file::read_root(path)?).map_err(|error| refused(path, &error))?;
    }
    for path in &files.authorities {
        store.add_ca(&file::read_authority(path)?, on).map_err(|error| refused(path, &error))?;
    }
    Ok(store)
}

/// The rule that a file breaks, and the option of [`Verify`](super::Verify) that would help.
pub(super) fn refused(path: &Path, error: &PkiError) -> Failure {
    let hint = match error {
        PkiError::IssuerNotRegistered(_) => {
            "; give every authority above it with --ca FILE, the issuer of another first, and the root with --root FILE"
        }
        PkiError::ScopeTestInProduction => "; it is accepted with --mode test",
        PkiError::ScopeProductionInTest => "; it is accepted with --mode production",
        _ => "",
    };
    Failure::failed(format!("{}{hint}", file::refused(path, error)))
}

pub(super) fn add_root(store: &mut TrustStore, path: &Path, root: RootKey) -> Result<(), Failure> {
    store.add_root(root).map_err(|error| file::refused(path, &error))
}

pub(super) fn add_authority(store: &mut TrustStore, path: &Path, ca: &CaCertificate, on: Day) -> Result<(), Failure> {
    store.add_ca(ca, on).map(drop).map_err(|error| file::refused(path, &error))
}

/// Keys that certificates are opened with, without any judgement.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<(KeyReference, RsaPublicKey)>);

impl Keys {
    /// Those of the files. What cannot be opened has no key.
    pub(super) fn of(files: &ChainFiles) -> Result<Self, Failure> {
        let mut keys = Self::default();
        for path in &files.roots {
            let RootKey { reference, key } = file::read_root(path)?;
            keys.0.push((reference, key));
        }
        for path in &files.authorities {
            let certificate = file::read_authority(path)?;
            let opened = keys.find(&certificate.issuer()).map(|key| certificate.recover(key));
            if let Some(opened) = opened {
                let key = opened.map_err(|error| file::refused(path, &error))?;
                let key = RsaPublicKey::new(&key)
                    .map_err(|defect| Failure::failed(format!("{} is refused: {defect}", path.display())))?;
                keys.0.push((certificate.subject(), key));
            }
        }
        Ok(keys)
    }

    pub(super) fn find(&self, reference: &KeyReference) -> Option<&RsaPublicKey> {
        self.0.iter().find(|(own, _)| own == reference).map(|(_, key)| key)
    }
}
