//! What some scenarios are told beyond card, clock and place.

use ogygia::command::Pin;

use crate::args;
use crate::error::Failure;
use crate::hex;
use crate::ticketing::load::Goods;

/// What some scenarios are told. Others do not look at it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The amount of one trip of a stored value contract.
    pub fare: u32,
    /// What the holder types.
    pub pin: Pin,
    /// What a change of the PIN makes of it.
    pub new_pin: Pin,
    /// What is bought.
    pub goods: Goods,
    /// The only card that may be loaded.
    pub serial: Option<[u8; 8]>,
    /// For how many minutes a validation counts at a control.
    pub validity: u32,
    /// The terminal has a SAM.
    pub sam: bool,
}

impl Options {
    /// Those of the command line.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub fn of(run: &args::Run) -> Result<Self, Failure> {
        let goods = match run.tariff {
            args::Tariff::SeasonPass => Goods::SeasonPass,
            args::Tariff::MultiTrip => Goods::Trips(run.trips),
            args::Tariff::StoredValue => Goods::Value(run.amount),
        };
        let serial = run.serial.as_deref().map(|text| {
            let bytes = hex::decode(text).and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| Failure::usage(format!("{text} is no serial number: 16 hexadecimal digits")))
        });
        Ok(Self {
            fare: run.fare,
            pin: pin(&run.pin)?,
            new_pin: pin(&run.new_pin)?,
            goods,
            serial: serial.transpose()?,
            validity: run.validity,
            sam: !run.no_sam,
        })
    }
}

/// Four digits. What was typed is not repeated: it may be nearly right.
fn pin(typed: &args::Secret) -> Result<Pin, Failure> {
    let bytes: Option<[u8; Pin::LEN]> = typed.0.as_bytes().try_into().ok();
    let digits = bytes.filter(|bytes| bytes.iter().all(u8::is_ascii_digit));
    digits.map(Pin::new).ok_or_else(|| Failure::usage("a PIN has four digits"))
}
