//! The product table: what the application type and the startup information say.
//!
//! Specification 01, "Product types", "Quirks selected by startup information", "Session budget" and "Feature flags
//! from the application type".

use super::startup::StartupInfo;
use crate::error::Malformed;

/// The family of a card, which decides the form of its commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Product {
    /// Recognised by its power-on data, never by a name.
    PrimeRevision1,
    /// Application types `01` to `1F`.
    PrimeRevision2,
    /// Application types `20` to `8F` and `A0` to `FE`.
    PrimeRevision3,
    /// Application types `90` to `97`.
    Light,
    /// Application types `98` to `9F`.
    Basic,
    /// Application type `FF`, or nothing known. No transaction is possible.
    Unknown,
}

/// The class byte family of a product: specification 01, "CLA".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardClass {
    /// `00` for everything.
    Iso,
    /// `94`, and `FA` for Stored Value.
    Legacy,
}

impl CardClass {
    /// The class byte of ordinary commands.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Iso => 0x00,
            Self::Legacy => 0x94,
        }
    }

    /// The class byte of Stored Value commands.
    #[must_use]
    pub const fn stored_value_byte(self) -> u8 {
        match self {
            Self::Iso => 0x00,
            Self::Legacy => 0xFA,
        }
    }
}

/// What one session may modify.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionBudget {
    /// So many bytes of requests, each with an overhead.
    Bytes(u32),
    /// So many modifying commands.
    Commands(u32),
}

/// Whether the card answers Increase and Decrease only when the session closes: specification 01, "Postponed counter
/// answers".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PostponedCounters {
    /// It answers at once.
    No,
    /// It answered `6200` once.
    Yes,
    /// A revision 1 or 2 card that has not answered yet.
    Undetermined,
}

/// What a product can do, as far as its identity tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Features {
    /// Phone: bit 7 of byte 3 of the serial number.
    pub hce: bool,
    /// AES keys and extended sessions.
    pub extended: bool,
    /// Leaving the field ratifies a session, so that no ratification command is needed.
    pub ratification_on_deselect: bool,
    /// Stored Value purse.
    pub stored_value: bool,
    /// PIN.
    pub pin: bool,
    /// Asymmetric keys and certificates.
    pub pki: bool,
}

impl Product {
    /// The product of an application type.
    ///
    /// # Errors
    ///
    /// Application type `00` names no product.
    pub const fn from_application_type(application_type: u8) -> Result<Self, Malformed> {
        match application_type {
            0x00 => Err(Malformed::ApplicationType),
            0x01..=0x1F => Ok(Self::PrimeRevision2),
            0x90..=0x97 => Ok(Self::Light),
            0x98..=0x9F => Ok(Self::Basic),
            0x20..=0x8F | 0xA0..=0xFE => Ok(Self::PrimeRevision3),
            0xFF => Ok(Self::Unknown),
        }
    }

    /// The class bytes that this product takes.
    #[must_use]
    pub const fn class(self) -> CardClass {
        match self {
            Self::PrimeRevision1 | Self::PrimeRevision2 => CardClass::Legacy,
            Self::PrimeRevision3 | Self::Light | Self::Basic | Self::Unknown => CardClass::Iso,
        }
    }

    /// Whether several records travel in one answer.
    #[must_use]
    pub const fn reads_several_records(self) -> bool {
        matches!(self, Self::PrimeRevision3 | Self::Light)
    }

    /// Whether binary files exist. The card may still refuse.
    #[must_use]
    pub const fn has_binary_files(self) -> bool {
        matches!(self, Self::PrimeRevision3 | Self::PrimeRevision2)
    }

    /// Whether one command changes several counters.
    #[must_use]
    pub const fn changes_several_counters(self) -> bool {
        matches!(self, Self::PrimeRevision3 | Self::PrimeRevision2)
    }

    pub(super) const fn postponed_counters(self) -> PostponedCounters {
        match self {
            Self::PrimeRevision1 | Self::PrimeRevision2 => PostponedCounters::Undetermined,
            Self::PrimeRevision3 | Self::Light | Self::Basic | Self::Unknown => PostponedCounters::No,
        }
    }

    /// What one session may modify.
    pub(super) fn session_budget(self, modification: u8) -> Result<SessionBudget, Malformed> {
        match self {
            Self::PrimeRevision1 => Ok(SessionBudget::Commands(3)),
            Self::PrimeRevision2 => Ok(SessionBudget::Commands(6)),
            Self::Basic if (0x04..=MAX_INDICATOR).contains(&modification) => Ok(SessionBudget::Commands(4)),
            Self::PrimeRevision3 | Self::Light | Self::Unknown => buffer_size(modification).map(SessionBudget::Bytes),
            Self::Basic => Err(Malformed::SessionModification),
        }
    }

    pub(super) fn features(self, application_type: u8) -> Features {
        let bit = |mask: u8| application_type & mask != 0;
        match self {
            Self::PrimeRevision1 => Features { ratification_on_deselect: true, ..Features::default() },
            Self::PrimeRevision2 => Features { pin: bit(0x01), stored_value: bit(0x02), ..Features::default() },
            Self::PrimeRevision3 => Features {
                pin: bit(0x01),
                stored_value: bit(0x02),
                ratification_on_deselect: !bit(0x04),
                extended: bit(0x08),
                pki: bit(0x10),
                hce: false,
            },
            Self::Light | Self::Basic | Self::Unknown => Features::default(),
        }
    }
}

const MIN_INDICATOR: u8 = 0x06;
const MAX_INDICATOR: u8 = 0x37;

/// The session buffer for an indicator from `06` on, in bytes: 2 to the power 8 + (indicator − 7) / 4.
const BUFFER_SIZES: [u32; 50] = [
    215, 256, 304, 362, 430, 512, 608, 724, 861, 1_024, 1_217, 1_448, 1_722, 2_048, 2_435, 2_896, 3_444, 4_096, 4_870,
    5_792, 6_888, 8_192, 9_741, 11_585, 13_777, 16_384, 19_483, 23_170, 27_554, 32_768, 38_967, 46_340, 55_108, 65_536,
    77_935, 92_681, 110_217, 131_072, 155_871, 185_363, 220_435, 262_144, 311_743, 370_727, 440_871, 524_288, 623_487,
    741_455, 881_743, 1_048_576,
];

fn buffer_size(indicator: u8) -> Result<u32, Malformed> {
    indicator
        .checked_sub(MIN_INDICATOR)
        .and_then(|index| BUFFER_SIZES.get(usize::from(index)).copied())
        .ok_or(Malformed::SessionModification)
}

/// What a family of chips does in its own way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quirks {
    /// The most data bytes of one command or answer.
    pub payload_capacity: u8,
    /// Select File by LID takes P1 `08`, and records are read with Le `1D` when their size is unknown.
    pub legacy_case_1: bool,
}

/// Chips that are known by the product and by some of the first seven bytes of the startup information: one number.
struct Row {
    product: Product,
    mask: u64,
    value: u64,
    quirks: Quirks,
}

const LEGACY_CHIP: u64 = 0x03_08_03_04_00_02_00;
const WHOLE: u64 = 0xFF_FF_FF_FF_FF_FF_FF;

/// The first row that fits decides.
const TABLE: [Row; 4] = [
    Row {
        product: Product::PrimeRevision3,
        mask: 0x00_FF_00_00_00_FF_00,
        value: 0x00_3C_00_00_00_10_00,
        quirks: Quirks { payload_capacity: 235, legacy_case_1: false },
    },
    Row {
        product: Product::PrimeRevision2,
        mask: WHOLE,
        value: LEGACY_CHIP,
        quirks: Quirks { payload_capacity: 128, legacy_case_1: true },
    },
    Row {
        product: Product::PrimeRevision1,
        mask: WHOLE,
        value: LEGACY_CHIP,
        quirks: Quirks { payload_capacity: 250, legacy_case_1: true },
    },
    Row {
        product: Product::PrimeRevision2,
        mask: 0,
        value: 0,
        quirks: Quirks { payload_capacity: 128, legacy_case_1: false },
    },
];

impl Quirks {
    /// What applies when no row of the table does.
    pub(super) const NONE: Self = Self { payload_capacity: 250, legacy_case_1: false };

    /// Looks up the first seven bytes of the startup information.
    pub(super) fn of(product: Product, startup: &[u8; StartupInfo::LEN]) -> Self {
        let [a, b, c, d, e, f, g] = *startup;
        let startup = u64::from_be_bytes([0, a, b, c, d, e, f, g]);
        let fits = |row: &&Row| row.product == product && startup & row.mask == row.value;
        TABLE.iter().find(fits).map_or(Self::NONE, |row| row.quirks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_types() {
        let product = Product::from_application_type;
        assert_eq!(product(0x00), Err(Malformed::ApplicationType));
        for (first, last, expected) in [
            (0x01, 0x1F, Product::PrimeRevision2),
            (0x20, 0x8F, Product::PrimeRevision3),
            (0x90, 0x97, Product::Light),
            (0x98, 0x9F, Product::Basic),
            (0xA0, 0xFE, Product::PrimeRevision3),
            (0xFF, 0xFF, Product::Unknown),
        ] {
            for application_type in first..=last {
                assert_eq!(product(application_type), Ok(expected), "{application_type:02X}");
            }
        }
    }

    #[test]
    fn buffer_sizes_follow_their_formula() {
        for (index, &size) in BUFFER_SIZES.iter().enumerate() {
            let exponent = 8.0 + (index as f64 - 1.0) / 4.0;
            assert_eq!(f64::from(size), f64::powf(2.0, exponent).floor(), "indicator {}", index + 6);
        }
        assert_eq!(buffer_size(0x05), Err(Malformed::SessionModification));
        assert_eq!(buffer_size(0x38), Err(Malformed::SessionModification));
    }

    #[test]
    fn budgets() {
        let budget = |product: Product, modification| product.session_budget(modification);
        assert_eq!(budget(Product::PrimeRevision1, 0), Ok(SessionBudget::Commands(3)));
        assert_eq!(budget(Product::PrimeRevision2, 0xFF), Ok(SessionBudget::Commands(6)));
        assert_eq!(budget(Product::Basic, 0x04), Ok(SessionBudget::Commands(4)));
        assert_eq!(budget(Product::Basic, 0x03), Err(Malformed::SessionModification));
        assert_eq!(budget(Product::Basic, 0x38), Err(Malformed::SessionModification));
        assert_eq!(budget(Product::Light, 0x06), Ok(SessionBudget::Bytes(215)));
    }
}
