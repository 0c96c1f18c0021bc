//! What a profile says of directories and files, in the form in which the card uses it.

use std::collections::BTreeMap;

use super::access::{self, Rule};
use super::certificates::Objects;
use super::error::CardError;
use super::memory::{Content, Memory, Pin, Purse, Store};
use crate::cipher::KeyId;
use crate::hex::Hex;
use crate::profile::{ApplicationProfile, Features, FileKind, FileProfile, Level, Profile, ProfileError};

/// A directory.
#[derive(Clone, Debug)]
pub(super) struct Application {
    pub(super) name: Option<Vec<u8>>,
    pub(super) lid: u16,
    pub(super) is_mf: bool,
    pub(super) serial: [u8; 8],
    pub(super) startup: [u8; 7],
    pub(super) features: Features,
    /// Rehabilitate, Invalidate.
    pub(super) access: Access,
    pub(super) files: Vec<File>,
}

/// A file.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) lid: u16,
    pub(super) sfi: u8,
    pub(super) kind: FileKind,
    pub(super) records: u8,
    pub(super) record_size: u16,
    pub(super) access: Access,
    pub(super) status: u8,
    pub(super) reference: u16,
    pub(super) place: Place,
}

/// The four access conditions: as bytes of the header, and as rules.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub(super) bytes: [u8; 4],
    pub(super) keys: [u8; 4],
    pub(super) rules: [Rule; 4],
}

/// Where the bytes of a file are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// All of a store.
    Store(usize),
    /// One counter (from 1) of a store, read as a record of `size` bytes.
    Counter { store: usize, counter: u8, size: usize },
}

impl Place {
    pub(super) const fn store(&self) -> usize {
        match self {
            Self::Store(store) | Self::Counter { store, .. } => *store,
        }
    }
}

impl File {
    /// Number of counters of a counter file.
    pub(super) fn counters(&self) -> u8 {
        u8::try_from(self.record_size / 3).unwrap_or(u8::MAX)
    }
}

impl Access {
    fn new(conditions: &[crate::profile::AccessCondition; 4]) -> Self {
        Self {
            bytes: conditions.each_ref().map(|condition| condition.ac.0),
            keys: conditions.each_ref().map(|condition| condition.key),
            rules: conditions.each_ref().map(|condition| access::rule(condition.ac.0, condition.key)),
        }
    }
}

/// First transaction counter of a new card.
const TRANSACTIONS: u32 = 200_000;

pub(super) fn build(profile: &Profile) -> Result<(Vec<Application>, Memory), CardError> {
    let mut stores = Stores::default();
    stores.add_all(profile)?;
    let applications = profile
        .applications
        .iter()
        .map(|application| stores.application(application))
        .collect::<Result<Vec<_>, _>>()?;
    let pin_count = match &profile.pin {
        Some(pin) if pin.shared => 1,
        Some(_) => applications.len(),
        None => 0,
    };
    let asymmetric = applications.iter().any(|application| application.features.pki_mode);
    let asymmetric_count = if asymmetric { applications.len() } else { 0 };
    let pins = profile.pin.iter().cycle().take(pin_count);
    let memory = Memory {
        content: Content {
            stores: stores.stores,
            df_status: profile.applications.iter().map(|application| application.df_status).collect(),
            purse: purse(profile),
        },
        keys: profile
            .applications
            .iter()
            .map(|application| application.keys.each_ref().map(|key| KeyId::new(key.kif.0, key.kvc.0)))
            .collect(),
        pins: pins.map(|pin| Pin { value: pin.value, attempts: pin.attempts_max.clamp(1, 15) }).collect(),
        asymmetric: vec![Objects::default(); asymmetric_count],
        transaction_counter: TRANSACTIONS,
        ratified: true,
        randoms: 0,
    };
    Ok((applications, memory))
}

fn purse(profile: &Profile) -> Option<Purse> {
    if !profile.applications.iter().any(|application| application.features.stored_value) {
        return None;
    }
    let initial = profile.stored_value.as_ref();
    Some(Purse {
        balance: initial.map_or(0, |purse| purse.balance),
        tnum: initial.map_or(0, |purse| purse.tnum),
        signature: Hex([0; 6]),
        load_log: Hex([0; 22]),
        debit_log: Hex([0; 19]),
    })
}

/// The stores under construction, and which file has which.
#[derive(Default)]
struct Stores {
    stores: Vec<Store>,
    /// By data reference.
    shared: BTreeMap<u16, usize>,
    /// By directory and file.
    files: BTreeMap<(u16, u16), usize>,
}

impl Stores {
    /// Makes one store per file, or per data reference other than 0; none for simulated counters.
    fn add_all(&mut self, profile: &Profile) -> Result<(), ProfileError> {
        for application in &profile.applications {
            for file in &application.files {
                if file.kind == FileKind::SimulatedCounters {
                    continue;
                }
                let reference = file.shared_reference.0;
                let store = self.shared.get(&reference).copied().unwrap_or(self.stores.len());
                match self.stores.get(store) {
                    Some(other) if !other.has_shape(file) => {
                        let what = "files that share their content have different sizes";
                        return Err(ProfileError::Inconsistent { lid: file.lid.0, what });
                    }
                    Some(_) => {}
                    None => self.stores.push(initial(file)),
                }
                if reference != 0 {
                    self.shared.insert(reference, store);
                }
                self.files.insert((application.lid.0, file.lid.0), store);
            }
        }
        Ok(())
    }

    fn application(&self, profile: &ApplicationProfile) -> Result<Application, CardError> {
        Ok(Application {
            name: profile.df_name.as_ref().map(|name| name.0.clone()),
            lid: profile.lid.0,
            is_mf: profile.level == Level::Mf,
            serial: profile.serial_number.0,
            startup: profile.startup_info.0,
            features: profile.features,
            access: Access::new(&profile.access_conditions),
            files: profile.files.iter().map(|file| self.file(profile, file)).collect::<Result<_, _>>()?,
        })
    }

    fn file(&self, application: &ApplicationProfile, file: &FileProfile) -> Result<File, CardError> {
        let lost = || ProfileError::Inconsistent { lid: file.lid.0, what: "content of the file has no place" };
        let place = if file.kind == FileKind::SimulatedCounters {
            self.counter(application, file)
        } else {
            self.files.get(&(application.lid.0, file.lid.0)).map(|store| Place::Store(*store))
        };
        Ok(File {
            lid: file.lid.0,
            sfi: file.sfi.0,
            kind: file.kind,
            records: file.records,
            record_size: file.record_size,
            access: Access::new(&file.access_conditions),
            status: file.df_status.0,
            reference: file.shared_reference.0,
            place: place.ok_or_else(lost)?,
        })
    }

    /// Where a simulated counter is: as `shared_with` says, else as its data reference does (SFI, counter).
    fn counter(&self, application: &ApplicationProfile, file: &FileProfile) -> Option<Place> {
        let size = usize::from(file.record_size);
        let listed = file.shared_with.iter().find_map(|other| {
            let store = *self.files.get(&(other.df_lid.0, other.lid.0))?;
            Some(Place::Counter { store, counter: other.counter?, size })
        });
        listed.or_else(|| {
            let [sfi, counter] = file.shared_reference.0.to_be_bytes();
            let target = application.files.iter().find(|other| other.sfi.0 == sfi)?;
            let store = *self.files.get(&(application.lid.0, target.lid.0))?;
            Some(Place::Counter { store, counter, size })
        })
    }
}

impl Store {
    fn has_shape(&self, file: &FileProfile) -> bool {
        let size = usize::from(file.record_size);
        self.records.len() == usize::from(file.records) && self.records.iter().all(|record| record.len() == size)
    }
}

fn initial(file: &FileProfile) -> Store {
    let blank = Hex(vec![file.initial.fill.0; usize::from(file.record_size)]);
    let record = |number| file.initial.records.get(&number).unwrap_or(&blank).clone();
    Store { records: (1..=file.records).map(record).collect() }
}
