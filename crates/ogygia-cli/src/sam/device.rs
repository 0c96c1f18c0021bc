//! The SAM that is asked.

use std::fs;
use std::path::Path;

use ogygia::apdu::StatusWord;
use ogygia::drive::{NoSam, run_sam, select_sam};
use ogygia::sam::{Sam, SamImage, SamProduct, UnlockValue};
use ogygia::sam_transaction::SamTransaction;
use ogygia::selection::SamSelection;
use ogygia::{ChannelControl, Error};
use ogygia_sim::{KeySet, LockSecret, SamLink, SamProfile, VirtualSam};

use super::args::{SamChoice, UnlockChoice};
use crate::error::Failure;
use crate::terminal;

/// A SAM that is selected, with the operations on it.
pub(super) struct Device {
    link: SamLink,
    pub(super) transaction: SamTransaction,
}

impl Device {
    /// Makes the SAM and selects it.
    pub(super) fn open(choice: &SamChoice) -> Result<Self, Failure> {
        let keys = terminal::keys();
        let profile = profile(&choice.profile)?;
        let sam = VirtualSam::personalized(&profile, choice.serial, &keys)
            .map_err(|error| Failure::usage(format!("{}: {error}", choice.profile)))?;
        let power_on_data = sam.power_on_data().to_vec();
        let mut link = SamLink::new(sam);
        let image = select(choice, &profile, &keys, &power_on_data, &mut link)?;
        Ok(Self { link, transaction: SamTransaction::new(image) })
    }

    /// Does what was prepared.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        let done = run_sam(&mut self.transaction, &mut self.link, &mut NoSam, ChannelControl::KeepOpen);
        done.map_err(|error| match error {
            Error::Status { status: StatusWord::ACCESS_FORBIDDEN, .. } if self.link.sam().is_locked() => {
                Failure::failed(format!("{error}; the SAM is locked: see --unlock"))
            }
            other => other.into(),
        })
    }

    /// What is known of the SAM.
    pub(super) fn image(&self) -> &SamImage {
        self.transaction.image()
    }

    /// "SAM C1 11223344".
    pub(super) fn name(&self) -> String {
        name(&self.image().sam())
    }
}

/// What a virtual SAM is made of: one that comes with the simulator, or a file.
fn profile(named: &str) -> Result<SamProfile, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::usage(format!("{named}: {error}"));
    if let Some(profile) = SamProfile::builtin(named).map_err(|error| usage(&error))? {
        return Ok(profile);
    }
    if !Path::new(named).exists() {
        let ids: Vec<_> = ogygia_sim::sam::profile::builtin().map(|(id, _)| id).collect();
        return Err(Failure::usage(format!("no profile or file {named:?}; there are: {}", ids.join(", "))));
    }
    let text = fs::read_to_string(named).map_err(|error| usage(&error))?;
    SamProfile::from_json(&text).map_err(|error| usage(&error))
}

fn select(
    choice: &SamChoice,
    profile: &SamProfile,
    keys: &KeySet,
    power_on_data: &[u8],
    link: &mut SamLink,
) -> Result<SamImage, Failure> {
    let mut selection = SamSelection::new();
    let secret = profile.lock_secret(keys);
    if let Some(how) = choice.unlock {
        if secret.is_none() {
            return Err(Failure::usage(format!("{} has no lock", profile.id)));
        }
        match how {
            UnlockChoice::Static => selection.unlock_static()?,
            UnlockChoice::Dynamic => selection.unlock_dynamic()?,
        }
    }
    let unlock = |sam: &Sam, challenge| unlock_value(secret.as_ref()?, sam, challenge);
    let selected = select_sam(&selection, power_on_data, link, unlock)?;
    // There is no filter that could have turned it away.
    selected.ok_or_else(|| Failure::failed("the SAM is not selected"))
}

/// What the maker of the SAM knows.
fn unlock_value(secret: &LockSecret, sam: &Sam, challenge: Option<[u8; 8]>) -> Option<UnlockValue> {
    let value = match challenge {
        None => UnlockValue::new(&secret.static_value(sam.serial_number)),
        Some(challenge) => UnlockValue::new(&secret.dynamic_value(sam.serial_number, challenge)),
    };
    value.ok()
}

/// Product and serial number.
pub(super) fn name(sam: &Sam) -> String {
    let product = match sam.product {
        SamProduct::SamC1 => "SAM C1",
        SamProduct::HsmC1 => "HSM C1",
        SamProduct::SamS1E1 => "SAM S1E1",
        SamProduct::SamS1Dx => "SAM S1Dx",
        SamProduct::Unknown => "unknown SAM",
    };
    format!("{product} {}", crate::hex::encode(&sam.serial_number))
}
