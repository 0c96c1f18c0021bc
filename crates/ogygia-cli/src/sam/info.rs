//! `ogygia sam info`: who a SAM is, its parameters and its keys.

use std::io::Write;

use ogygia::sam::{KeyParameters, KeyReference, SamData, SamImage, SystemKey};

use super::args::Info;
use super::device::Device;
use super::image;
use crate::error::Failure;
use crate::hex;

/// The work key records of a SAM.
const RECORDS: std::ops::RangeInclusive<u8> = 1..=126;

/// Reads and shows.
pub(super) fn run(info: &Info, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut device = Device::open(&info.sam)?;
    device.transaction.prepare(SamData::Parameters)?;
    for key in SystemKey::ALL {
        device.transaction.prepare(SamData::KeyParameters(KeyReference::System(key)))?;
    }
    let records: Vec<_> = RECORDS.filter(|_| info.work_keys).map(KeyReference::Record).collect();
    for &record in &records {
        device.transaction.prepare(SamData::KeyParameters(record))?;
    }
    device.run()?;
    let image = device.image();
    if info.json {
        let known = records.into_iter().filter(|record| image.key_parameters(*record).is_some());
        let text = serde_json::to_string_pretty(&image::to_json(image, &known.collect::<Vec<_>>()));
        writeln!(out, "{}", text.map_err(|error| Failure::failed(error.to_string()))?)?;
        return Ok(0);
    }
    writeln!(out, "{}", device.name())?;
    identity(image, out)?;
    writeln!(out, "\nSystem keys\n")?;
    header("key", out)?;
    for key in SystemKey::ALL {
        row(&key.to_string(), image.key_parameters(KeyReference::System(key)), out)?;
    }
    if info.work_keys {
        writeln!(out, "\nWork keys\n")?;
        header("record", out)?;
        for record in RECORDS {
            if let known @ Some(_) = image.key_parameters(KeyReference::Record(record)) {
                row(&record.to_string(), known, out)?;
            }
        }
    }
    Ok(0)
}

fn identity(image: &SamImage, out: &mut dyn Write) -> Result<(), Failure> {
    let sam = image.sam();
    let parameters = image.parameters().map_or_else(|| "not known".to_owned(), |bytes| hex::encode(bytes));
    let signed = match image.is_signed(SamData::Parameters) {
        Some(false) => " (not signed)",
        _ => "",
    };
    writeln!(out, "  platform          {:02X}", sam.platform)?;
    writeln!(out, "  application       type {:02X}, subtype {:02X}", sam.application_type, sam.application_subtype)?;
    let (issuer, version, revision) = (sam.software_issuer, sam.software_version, sam.software_revision);
    writeln!(out, "  software          issuer {issuer:02X}, version {version:02X}, revision {revision:02X}")?;
    writeln!(out, "  parameters        {parameters}{signed}")?;
    Ok(())
}

fn header(first: &str, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "  {first:<20}KIF  KVC  ALG  PAR1 to PAR10          event counter")?;
    Ok(())
}

fn row(name: &str, parameters: Option<&KeyParameters>, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(parameters) = parameters else {
        writeln!(out, "  {name:<20}not there")?;
        return Ok(());
    };
    let id = parameters.id();
    let all: Vec<u8> = (1..=10).filter_map(|number| parameters.parameter(number)).collect();
    let counter = parameters.event_counter().map_or_else(|| "none".to_owned(), |counter| counter.to_string());
    let algorithm = parameters.algorithm();
    writeln!(out, "  {name:<20}{}   {}   {algorithm:02X}   {}   {counter}", id.kif, id.kvc, hex::encode(&all))?;
    Ok(())
}
