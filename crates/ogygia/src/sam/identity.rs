//! Who the SAM is, from its power-on data: specification 03, "SAM identification and selection".

/// The family of a SAM.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SamProduct {
    /// SAM-C1.
    SamC1,
    /// A hardware security module that answers as a C1.
    HsmC1,
    /// SAM-S1E1.
    SamS1E1,
    /// SAM-S1D0 to S1D7.
    SamS1Dx,
    /// Anything else. No session is possible.
    Unknown,
}

impl SamProduct {
    const fn from_subtype(subtype: u8, issuer: u8) -> Self {
        match (subtype, issuer) {
            (0xC1, 0x08) => Self::HsmC1,
            (0xC1, _) => Self::SamC1,
            (0xD0..=0xD7, _) => Self::SamS1Dx,
            (0xE1, _) => Self::SamS1E1,
            _ => Self::Unknown,
        }
    }

    /// The class byte of its commands.
    #[must_use]
    pub const fn class(self) -> u8 {
        match self {
            Self::SamS1Dx => 0x94,
            Self::SamC1 | Self::HsmC1 | Self::SamS1E1 | Self::Unknown => 0x80,
        }
    }

    /// The most bytes of one card command or answer that it digests.
    #[must_use]
    pub const fn digest_capacity(self) -> u8 {
        match self {
            Self::SamC1 | Self::HsmC1 => 255,
            Self::SamS1E1 => 240,
            Self::SamS1Dx => 70,
            Self::Unknown => 0,
        }
    }

    /// Whether it knows extended sessions.
    #[must_use]
    pub const fn supports_extended(self) -> bool {
        matches!(self, Self::SamC1 | Self::HsmC1)
    }

    /// Whether several card commands and answers are digested at once.
    pub(super) const fn digests_several(self) -> bool {
        matches!(self, Self::SamC1 | Self::SamS1E1)
    }
}

/// A SAM, as its power-on data tell.
///
/// ```
/// use ogygia::sam::{Sam, SamProduct};
///
/// let power_on_data = [
///     0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0x00,
/// ];
/// let sam = Sam::from_power_on_data(&power_on_data);
/// assert_eq!((sam.product, sam.serial_number), (SamProduct::SamC1, [0x11, 0x22, 0x33, 0x44]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sam {
    /// Its family.
    pub product: SamProduct,
    /// Its serial number.
    pub serial_number: [u8; 4],
    /// Chip.
    pub platform: u8,
    /// `80` on all known SAMs.
    pub application_type: u8,
    /// Family, coded.
    pub application_subtype: u8,
    /// Company that wrote its software.
    pub software_issuer: u8,
    /// Version of its software.
    pub software_version: u8,
    /// Revision of its software.
    pub software_revision: u8,
}

const START: u8 = 0x3B;
const MARKER: [u8; 2] = [0x80, 0x5A];
const TAIL: [u8; 3] = [0x82, 0x90, 0x00];

impl Sam {
    /// Reads the power-on data. What does not have the pattern of a Calypso SAM gives an unknown one.
    #[must_use]
    pub fn from_power_on_data(atr: &[u8]) -> Self {
        let found = (0..atr.len()).find_map(|start| identification(atr.get(start..)?));
        let [platform, application_type, subtype, issuer, version, revision, s0, s1, s2, s3] =
            found.unwrap_or_default();
        Self {
            product: SamProduct::from_subtype(subtype, issuer),
            serial_number: [s0, s1, s2, s3],
            platform,
            application_type,
            application_subtype: subtype,
            software_issuer: issuer,
            software_version: version,
            software_revision: revision,
        }
    }
}

/// The ten bytes between marker and tail, behind three or five interface bytes.
fn identification(atr: &[u8]) -> Option<[u8; 10]> {
    let after_start = atr.strip_prefix(&[START])?;
    [3, 5].into_iter().find_map(|interface_bytes| {
        let marked = after_start.get(interface_bytes..)?.strip_prefix(&MARKER)?;
        let (found, rest) = marked.split_first_chunk::<10>()?;
        rest.starts_with(&TAIL).then_some(*found)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_hex::hex;

    /// The observed power-on data of "Product type".
    #[test]
    fn products() {
        for (atr, product, serial) in [
            ("3B3F9600805A4880C120501711223344829000", SamProduct::SamC1, 0x1122_3344),
            ("3B3F9600805A4880C108501711223344829000", SamProduct::HsmC1, 0x1122_3344),
            ("3B3F9600805A4880E120501711223344829000", SamProduct::SamS1E1, 0x1122_3344),
            ("3B3F9600805A4880D120501711223344829000", SamProduct::SamS1Dx, 0x1122_3344),
            ("3B3F9600805A4880D820501711223344829000", SamProduct::Unknown, 0x1122_3344),
            ("3B0102030405805A4880C120501711223344829000", SamProduct::SamC1, 0x1122_3344),
            ("3B3F9600805A4880C120501711223344829001", SamProduct::Unknown, 0),
            ("", SamProduct::Unknown, 0),
        ] {
            let sam = Sam::from_power_on_data(&hex(atr));
            assert_eq!((sam.product, u32::from_be_bytes(sam.serial_number)), (product, serial), "{atr}");
        }
    }
}
