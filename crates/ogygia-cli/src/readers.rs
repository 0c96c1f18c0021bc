//! `ogygia readers`: the PC/SC readers, and what is in them.

use std::io::Write;

use crate::error::Failure;

/// Says that there is no PC/SC in this binary.
#[cfg(not(feature = "pcsc"))]
pub(crate) fn run(_out: &mut dyn Write) -> Result<u8, Failure> {
    Err(not_built())
}

/// What asks for a reader is told.
#[cfg(not(feature = "pcsc"))]
pub(crate) fn not_built() -> Failure {
    Failure::failed("built without PC/SC readers; build it with --features pcsc")
}

/// Lists them, one on each line.
#[cfg(feature = "pcsc")]
pub(crate) fn run(out: &mut dyn Write) -> Result<u8, Failure> {
    let readers = ogygia_reader::pcsc::Service::connect().and_then(|service| service.readers());
    list::write(&readers.map_err(|error| Failure::failed(error.to_string()))?, out)?;
    Ok(0)
}

#[cfg(feature = "pcsc")]
mod list {
    use std::io::{self, Write};

    use ogygia::sam::Sam;
    use ogygia_reader::pcsc::{Reader, Slot};

    use crate::hex;

    /// What SAMs, and no cards, have as application type: specification 03, "Power-on data".
    const SAM: u8 = 0x80;

    pub(super) fn write(readers: &[Reader], out: &mut dyn Write) -> io::Result<()> {
        if readers.is_empty() {
            writeln!(out, "no reader")?;
        }
        let width = readers.iter().map(|reader| reader.name.chars().count()).max().unwrap_or(0);
        for Reader { name, slot } in readers {
            writeln!(out, "{name:width$}  {}", content(slot))?;
        }
        Ok(())
    }

    fn content(slot: &Slot) -> String {
        match slot {
            Slot::Empty => "empty".to_owned(),
            Slot::Card { power_on_data } => match sam(power_on_data) {
                Some(sam) => format!("{}  {sam}", hex::encode(power_on_data)),
                None => hex::encode(power_on_data),
            },
            Slot::Mute => "something that does not answer".to_owned(),
            _ => "cannot be used".to_owned(),
        }
    }

    /// Product and serial number of a SAM. The power-on data of a card may be made up in the same way.
    fn sam(power_on_data: &[u8]) -> Option<String> {
        let sam = Sam::from_power_on_data(power_on_data);
        (sam.application_type == SAM).then(|| crate::sam::name(&sam))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn readers_of_every_kind() {
            let card = |text: &str| Slot::Card { power_on_data: hex::decode(text).unwrap() };
            let slots = [
                Slot::Empty,
                card("3B3F9600805A4880C120501711223344829000"),
                card("3B3F9600805A4880C108501711223344829000"),
                card("3B3F9600805A4880D820501711223344829000"),
                // Cards, the second with contacts and made up as a SAM is.
                card("3B8880010000000000718100F9"),
                card("3B6F0000805A3C23C4141001AA00BB01829000"),
                Slot::Mute,
                Slot::Unavailable,
            ];
            let readers: Vec<_> = (9..).zip(slots).map(|(n, slot)| Reader { name: format!("R {n}"), slot }).collect();
            let mut out = Vec::new();
            write(&readers, &mut out).unwrap();
            let expected = "\
R 9   empty
R 10  3B3F9600805A4880C120501711223344829000  SAM C1 11223344
R 11  3B3F9600805A4880C108501711223344829000  HSM C1 11223344
R 12  3B3F9600805A4880D820501711223344829000  unknown SAM 11223344
R 13  3B8880010000000000718100F9
R 14  3B6F0000805A3C23C4141001AA00BB01829000
R 15  something that does not answer
R 16  cannot be used
";
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            let mut out = Vec::new();
            write(&[], &mut out).unwrap();
            assert_eq!(out, b"no reader\n");
        }
    }
}
