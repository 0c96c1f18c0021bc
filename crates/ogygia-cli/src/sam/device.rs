//! The SAM that is asked.

use std::fs;
use std::path::Path;

use ogygia::apdu::{Batch, StatusWord};
use ogygia::drive::{Channel, NoSam, run_sam, select_sam};
use ogygia::sam::{Sam, SamImage, SamProduct, UnlockValue};
use ogygia::sam_transaction::SamTransaction;
use ogygia::selection::SamSelection;
use ogygia::{ChannelControl, Error, Loss, Request};
use ogygia_sim::{LockSecret, SamLink, SamProfile, VirtualSam};

use super::args::{SamChoice, UnlockChoice};
use crate::error::Failure;
use crate::terminal;

/// A SAM that is selected, with the operations on it.
pub(super) struct Device {
    way: Way,
    pub(super) transaction: SamTransaction,
}

/// The way to the SAM.
enum Way {
    Virtual(Box<SamLink>),
    #[cfg(feature = "pcsc")]
    Reader(Box<ogygia_reader::pcsc::PcscChannel>),
}

impl Channel for Way {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        match self {
            Self::Virtual(link) => link.transmit(request, responses),
            #[cfg(feature = "pcsc")]
            Self::Reader(reader) => reader.transmit(request, responses),
        }
    }
}

impl Device {
    /// Makes the SAM, or powers it, and selects it.
    pub(super) fn open(choice: &SamChoice) -> Result<Self, Failure> {
        match &choice.sam_reader {
            Some(reader) => Self::in_reader(reader, choice.unlock_value.as_deref()),
            None => Self::virtual_one(choice),
        }
    }

    fn virtual_one(choice: &SamChoice) -> Result<Self, Failure> {
        let keys = terminal::keys();
        let profile = profile(&choice.profile)?;
        let sam = VirtualSam::personalized(&profile, choice.serial, &keys)
            .map_err(|error| Failure::usage(format!("{}: {error}", choice.profile)))?;
        let power_on_data = sam.power_on_data().to_vec();
        let mut selection = SamSelection::new();
        let secret = profile.lock_secret(&keys);
        if let Some(how) = choice.unlock {
            if secret.is_none() {
                return Err(Failure::usage(format!("{} has no lock", profile.id)));
            }
            match how {
                UnlockChoice::Static => selection.unlock_static()?,
                UnlockChoice::Dynamic => selection.unlock_dynamic()?,
            }
        }
        let way = Way::Virtual(Box::new(SamLink::new(sam)));
        Self::select(&selection, &power_on_data, way, |sam, challenge| unlock_value(secret.as_ref()?, sam, challenge))
    }

    #[cfg(not(feature = "pcsc"))]
    fn in_reader(_reader: &str, _unlock: Option<&Path>) -> Result<Self, Failure> {
        Err(crate::readers::not_built())
    }

    #[cfg(feature = "pcsc")]
    fn in_reader(reader: &str, unlock: Option<&Path>) -> Result<Self, Failure> {
        let mut selection = SamSelection::new();
        let value = unlock.map(from_file).transpose()?;
        if value.is_some() {
            selection.unlock_static()?;
        }
        let channel = ogygia_reader::pcsc::PcscChannel::open(reader);
        let channel = channel.map_err(|error| Failure::failed(error.to_string()))?;
        let power_on_data = channel.power_on_data().to_vec();
        if Sam::from_power_on_data(&power_on_data).product == SamProduct::Unknown {
            let shown = crate::hex::encode(&power_on_data);
            return Err(Failure::failed(format!("what is in {} is no SAM that is known: {shown}", channel.name())));
        }
        Self::select(&selection, &power_on_data, Way::Reader(Box::new(channel)), |_, _| value.clone())
    }

    fn select(
        selection: &SamSelection,
        power_on_data: &[u8],
        mut way: Way,
        unlock: impl FnMut(&Sam, Option<[u8; 8]>) -> Option<UnlockValue>,
    ) -> Result<Self, Failure> {
        let image = select_sam(selection, power_on_data, &mut way, unlock)?;
        // There is no filter that could have turned it away.
        let image = image.ok_or_else(|| Failure::failed("the SAM is not selected"))?;
        Ok(Self { way, transaction: SamTransaction::new(image) })
    }

    /// Does what was prepared.
    pub(super) fn run(&mut self) -> Result<(), Failure> {
        let done = run_sam(&mut self.transaction, &mut self.way, &mut NoSam, ChannelControl::KeepOpen);
        done.map_err(|error| match error {
            Error::Status { status: StatusWord::ACCESS_FORBIDDEN, .. } if self.is_locked() => {
                Failure::failed(format!("{error}; the SAM is locked: see --unlock"))
            }
            other => other.into(),
        })
    }

    /// Whether it is certain that it is.
    fn is_locked(&self) -> bool {
        match &self.way {
            Way::Virtual(link) => link.sam().is_locked(),
            #[cfg(feature = "pcsc")]
            Way::Reader(_) => false,
        }
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

/// What unlocks a SAM, from a file: nobody else shall see it on the command line.
#[cfg(feature = "pcsc")]
fn from_file(path: &Path) -> Result<UnlockValue, Failure> {
    use zeroize::Zeroizing;

    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    let bytes = crate::hex::decode(text.trim()).map(Zeroizing::new).filter(|bytes| bytes.len() == 16);
    let value = bytes.and_then(|bytes| UnlockValue::new(&bytes).ok());
    value.ok_or_else(|| Failure::usage(format!("{}: no 16 bytes in hexadecimal digits", path.display())))
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

/// What the maker of the SAM knows.
fn unlock_value(secret: &LockSecret, sam: &Sam, challenge: Option<[u8; 8]>) -> Option<UnlockValue> {
    let value = match challenge {
        None => UnlockValue::new(&secret.static_value(sam.serial_number)),
        Some(challenge) => UnlockValue::new(&secret.dynamic_value(sam.serial_number, challenge)),
    };
    value.ok()
}

/// Product and serial number.
pub(crate) fn name(sam: &Sam) -> String {
    let product = match sam.product {
        SamProduct::SamC1 => "SAM C1",
        SamProduct::HsmC1 => "HSM C1",
        SamProduct::SamS1E1 => "SAM S1E1",
        SamProduct::SamS1Dx => "SAM S1Dx",
        SamProduct::Unknown => "unknown SAM",
    };
    format!("{product} {}", crate::hex::encode(&sam.serial_number))
}
