//! The command line of `ogygia sam`.

use clap::{Args, Subcommand, ValueEnum};
use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::sam::{SignatureKind, Traceability};

use crate::args::exit_codes;
use crate::hex;

/// What to do with a SAM.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Show who it is, its parameters and its keys
    Info(Info),
    /// Show its event counters and their ceilings
    Counters(Counters),
    /// Have it sign data
    Sign(Sign),
    /// Have it verify a signature
    Verify(Verify),
}

/// Which SAM.
#[derive(Debug, Args)]
pub struct SamChoice {
    /// What the virtual SAM is made of: an ID that comes with it, or a file. It begins anew with each run
    #[arg(long, value_name = "ID|FILE", default_value = "sam-target")]
    pub profile: String,
    /// The serial number of the virtual SAM
    #[arg(long, value_name = "HEX", default_value = "11223344", value_parser = hex::fixed::<4>)]
    pub serial: [u8; 4],
    /// Unlock the virtual SAM first, with what its maker knows
    #[arg(long, value_enum, value_name = "HOW")]
    pub unlock: Option<UnlockChoice>,
}

/// How a SAM is unlocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum UnlockChoice {
    /// With the value for its serial number
    Static,
    /// With the value for its serial number and a challenge
    Dynamic,
}

/// `ogygia sam info`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Info {
    /// Print one JSON object, in the form of the vectors
    #[arg(long)]
    pub json: bool,
    /// Also ask for the work keys in all records: 126 commands, each of which may count as a use of the key that signs
    /// what is read
    #[arg(long)]
    pub work_keys: bool,
    /// Which SAM
    #[command(flatten)]
    pub sam: SamChoice,
}

/// `ogygia sam counters`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Counters {
    /// Print one JSON object, in the form of the vectors
    #[arg(long)]
    pub json: bool,
    /// Which SAM
    #[command(flatten)]
    pub sam: SamChoice,
}

/// `ogygia sam sign`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Sign {
    /// What is signed: 1 to 208 bytes
    #[arg(value_name = "DATA", value_parser = bytes)]
    pub data: Bytes,
    /// How long the signature shall be
    #[arg(long, value_name = "BYTES", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub size: u8,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// With which key
    #[command(flatten)]
    pub key: KeyChoice,
    /// How
    #[command(flatten)]
    pub how: SignatureChoice,
    /// Which SAM
    #[command(flatten)]
    pub sam: SamChoice,
}

/// `ogygia sam verify`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Verify {
    /// What was signed, traces included: 1 to 208 bytes
    #[arg(value_name = "DATA", value_parser = bytes)]
    pub data: Bytes,
    /// The signature: 1 to 8 bytes
    #[arg(value_name = "SIGNATURE", value_parser = bytes)]
    pub signature: Bytes,
    /// With which key
    #[command(flatten)]
    pub key: KeyChoice,
    /// How it was signed
    #[command(flatten)]
    pub how: SignatureChoice,
    /// Which SAM
    #[command(flatten)]
    pub sam: SamChoice,
}

/// With which key.
#[derive(Debug, Args)]
pub struct KeyChoice {
    /// Identifier of the key
    #[arg(long, value_name = "HEX", default_value = "2B", value_parser = hex::fixed::<1>)]
    pub kif: [u8; 1],
    /// Version of the key
    #[arg(long, value_name = "HEX", default_value = "19", value_parser = hex::fixed::<1>)]
    pub kvc: [u8; 1],
    /// For whom the key is made, 1 to 8 bytes [default: the serial number of the SAM]
    #[arg(long, value_name = "HEX", value_parser = bytes)]
    pub diversifier: Option<Bytes>,
}

impl KeyChoice {
    /// The key.
    pub(super) const fn id(&self) -> KeyId {
        let ([kif], [kvc]) = (self.kif, self.kvc);
        KeyId { kif: Kif(kif), kvc: Kvc(kvc) }
    }

    /// For whom it is made.
    pub(super) fn diversifier(&self) -> Option<&[u8]> {
        self.diversifier.as_ref().map(|Bytes(bytes)| bytes.as_slice())
    }
}

/// How data is signed.
#[derive(Debug, Args)]
pub struct SignatureChoice {
    /// A basic signature: by ciphering the data, whose length is a multiple of eight
    #[arg(long, conflicts_with_all = ["trace", "partial_serial", "not_busy"])]
    pub basic: bool,
    /// The SAM signs with its serial number and a counter in the data, from this bit on
    #[arg(long, value_name = "BIT")]
    pub trace: Option<u16>,
    /// With three bytes of the serial number instead of four
    #[arg(long, requires = "trace")]
    pub partial_serial: bool,
    /// Without the protection that makes SAMs refuse to verify for some seconds after a wrong signature
    #[arg(long)]
    pub not_busy: bool,
}

impl SignatureChoice {
    /// The kind of signature.
    pub(super) fn kind(&self) -> SignatureKind {
        if self.basic {
            return SignatureKind::Basic;
        }
        let partial_serial_number = self.partial_serial;
        let traceability = self.trace.map(|offset| Traceability { offset, partial_serial_number });
        SignatureKind::Traceable { busy: !self.not_busy, traceability }
    }
}

/// Bytes, as hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

fn bytes(text: &str) -> Result<Bytes, &'static str> {
    hex::decode(text).filter(|bytes| !bytes.is_empty()).map(Bytes).ok_or("bytes in hexadecimal digits")
}
