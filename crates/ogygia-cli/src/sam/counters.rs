//! `ogygia sam counters`: event counters and their ceilings.

use std::io::Write;

use ogygia::sam::{COUNTERS, IncrementAccess, KeyReference, SamData, SamImage, SystemKey};
use serde_json::Value;

use super::args::Counters;
use super::device::Device;
use super::image;
use crate::error::Failure;

/// Reads and shows.
pub(super) fn run(counters: &Counters, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut device = Device::open(&counters.sam)?;
    for key in SystemKey::ALL {
        device.transaction.prepare(SamData::KeyParameters(KeyReference::System(key)))?;
    }
    device.transaction.prepare(SamData::Counters)?;
    device.run()?;
    let image = device.image();
    if counters.json {
        let mut all = image::to_json(image, &[]);
        if let Value::Object(members) = &mut all {
            members.retain(|name, _| {
                matches!(name.as_str(), "serial_number" | "counters" | "ceilings" | "increment_access")
            });
        }
        let text = serde_json::to_string_pretty(&all);
        writeln!(out, "{}", text.map_err(|error| Failure::failed(error.to_string()))?)?;
        return Ok(0);
    }
    writeln!(out, "{}", device.name())?;
    if image.is_signed(SamData::Counters) == Some(false) {
        writeln!(out, "  What follows is not signed by the SAM.")?;
    }
    writeln!(out, "\n  counter     value   ceiling      left  increased by")?;
    for counter in 0..COUNTERS {
        row(image, counter, out)?;
    }
    Ok(0)
}

fn row(image: &SamImage, counter: u8, out: &mut dyn Write) -> Result<(), Failure> {
    let (Some(value), Some(ceiling)) = (image.counter(counter), image.ceiling(counter)) else { return Ok(()) };
    let who = match image.increment_access(counter) {
        Some(IncrementAccess::Free) => "everybody",
        _ => "the SAM",
    };
    let tied = |key: &&SystemKey| {
        let parameters = image.key_parameters(KeyReference::System(**key));
        parameters.and_then(ogygia::sam::KeyParameters::event_counter) == Some(counter)
    };
    let keys: Vec<_> = SystemKey::ALL.iter().filter(tied).map(ToString::to_string).collect();
    let keys = if keys.is_empty() { String::new() } else { format!(" ({})", keys.join(", ")) };
    let left = ceiling.saturating_sub(value);
    writeln!(out, "  {counter:>7}  {value:>8}  {ceiling:>8}  {left:>8}  {who}{keys}")?;
    Ok(())
}
