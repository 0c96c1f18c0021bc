//! The products, and which commands each knows.

use crate::command::Command;

/// Which SAM it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub enum SamProduct {
    /// SAM C1.
    #[serde(rename = "c1")]
    C1,
    /// HSM C1.
    #[serde(rename = "hsm_c1")]
    HsmC1,
    /// SAM S1E1.
    #[serde(rename = "s1e1")]
    S1E1,
    /// SAM S1Dx.
    #[serde(rename = "s1dx")]
    S1Dx,
}

impl SamProduct {
    /// Every product.
    pub const ALL: [Self; 4] = [Self::C1, Self::HsmC1, Self::S1E1, Self::S1Dx];

    /// Class byte of its commands.
    #[must_use]
    pub const fn class(self) -> u8 {
        match self {
            Self::S1Dx => 0x94,
            Self::C1 | Self::HsmC1 | Self::S1E1 => 0x80,
        }
    }

    /// Most data bytes in one digest command.
    #[must_use]
    pub const fn max_digest(self) -> usize {
        match self {
            Self::C1 | Self::HsmC1 => 255,
            Self::S1E1 => 240,
            Self::S1Dx => 70,
        }
    }

    /// Whether it knows extended sessions.
    #[must_use]
    pub const fn is_extended(self) -> bool {
        matches!(self, Self::C1 | Self::HsmC1)
    }

    /// Whether it takes several digest blocks in one command.
    #[must_use]
    pub const fn packs_blocks(self) -> bool {
        matches!(self, Self::C1 | Self::S1E1)
    }

    /// What a reader learns at power-on: specification of the SAM layer, "Power-on data".
    pub(super) const fn power_on_data(self, [s0, s1, s2, s3]: [u8; 4]) -> [u8; 19] {
        let (subtype, issuer) = match self {
            Self::C1 => (0xC1, 0x20),
            Self::HsmC1 => (0xC1, 0x08),
            Self::S1E1 => (0xE1, 0x20),
            Self::S1Dx => (0xD0, 0x20),
        };
        [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, subtype, issuer, 0x50, 0x17, s0, s1, s2, s3, 0x82, 0x90, 0x00]
    }
}

/// What a command asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instruction {
    SelectDiversifier,
    GetChallenge,
    GiveRandom,
    DigestInit,
    DigestUpdate,
    DigestInternalAuthenticate,
    DigestClose,
    DigestAuthenticate,
    CardCipher,
    SvPrepare,
    SvCheck,
    DataCipher,
    Pso,
    SamCipher,
    Unlock,
    Read,
    ReadKeyParameters,
    Write,
    WriteKey,
    GetData,
    GenerateKeyPair,
    ComputeCertificate,
}

/// One command of the table.
pub(super) struct Row {
    ins: u8,
    /// Only with this P1.
    p1: Option<u8>,
    pub(super) instruction: Instruction,
    on: &'static [SamProduct],
    /// Whether a locked SAM answers it.
    pub(super) while_locked: bool,
}

impl Row {
    const fn new(ins: u8, instruction: Instruction, on: &'static [SamProduct]) -> Self {
        Self { ins, p1: None, instruction, on, while_locked: false }
    }

    const fn with_p1(self, p1: u8) -> Self {
        Self { p1: Some(p1), ..self }
    }

    const fn while_locked(self) -> Self {
        Self { while_locked: true, ..self }
    }
}

const ANY: &[SamProduct] = &SamProduct::ALL;
/// Extended mode and asymmetric keys.
const C1_CLASS: &[SamProduct] = &[SamProduct::C1, SamProduct::HsmC1];
const PACKING: &[SamProduct] = &[SamProduct::C1, SamProduct::S1E1];

/// Specification of the SAM layer, "Products and preconditions", and what answers while locked, "Recommended SAM
/// simulator state machine". The first row that fits counts.
const TABLE: &[Row] = {
    use Instruction as I;
    &[
        Row::new(0x14, I::SelectDiversifier, ANY),
        Row::new(0x84, I::GetChallenge, ANY).while_locked(),
        Row::new(0x86, I::GiveRandom, ANY),
        Row::new(0x8A, I::DigestInit, ANY),
        Row::new(0x8C, I::DigestUpdate, PACKING).with_p1(0x80),
        Row::new(0x8C, I::DigestUpdate, ANY),
        Row::new(0x88, I::DigestInternalAuthenticate, C1_CLASS),
        Row::new(0x8E, I::DigestClose, ANY),
        Row::new(0x82, I::DigestAuthenticate, ANY),
        Row::new(0x12, I::CardCipher, ANY),
        Row::new(0x56, I::SvPrepare, ANY),
        Row::new(0x54, I::SvPrepare, ANY),
        Row::new(0x5C, I::SvPrepare, ANY),
        Row::new(0x58, I::SvCheck, ANY),
        Row::new(0x1C, I::DataCipher, ANY),
        Row::new(0x2A, I::ComputeCertificate, C1_CLASS).with_p1(0xEE),
        Row::new(0x2A, I::Pso, ANY),
        Row::new(0x16, I::SamCipher, ANY),
        Row::new(0x20, I::Unlock, ANY).while_locked(),
        Row::new(0xBE, I::Read, ANY).while_locked(),
        Row::new(0xBC, I::ReadKeyParameters, ANY).while_locked(),
        Row::new(0xD8, I::Write, ANY),
        Row::new(0x1A, I::WriteKey, ANY),
        Row::new(0xCA, I::GetData, C1_CLASS).while_locked(),
        Row::new(0x46, I::GenerateKeyPair, C1_CLASS),
    ]
};

/// The row of a command; nothing when `product` does not know it.
pub(super) fn row(product: SamProduct, command: &Command) -> Option<&'static Row> {
    let fits = |row: &&Row| row.ins == command.ins && row.p1.is_none_or(|p1| p1 == command.p1);
    TABLE.iter().find(fits).filter(|row| row.on.contains(&product))
}
