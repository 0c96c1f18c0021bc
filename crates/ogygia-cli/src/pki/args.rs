//! The command line of `ogygia pki`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ogygia::pki::{Aid, Day, Mode, Scope};

use crate::args::exit_codes;
use crate::hex;

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a root, an authority and a card, with keys and certificates for tests
    Issue(Issue),
    /// Show what a certificate says
    Show(Show),
    /// Verify a card's certificate, from the root down
    Verify(Verify),
}

const ISSUED: &str = concat!(
    "\
Files in FOLDER:
  root.json, root.key.json         the root: public key, private key
  ca.cert, ca.key.json             the authority: certificate, private key
  NAME.cert, NAME.key.json         the card: certificate, key pair
The root and the authority are made once; called again with another --name, it certifies another card. Nothing is
overwritten. Files of keys can only be read by their owner.

",
    exit_codes!()
);

/// `ogygia pki issue`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!(), after_long_help = ISSUED)]
pub struct Issue {
    /// Where the files go; made when it is not there
    #[arg(value_name = "FOLDER")]
    pub folder: PathBuf,
    /// What the files of the card are called
    #[arg(long, value_name = "NAME", default_value = "card")]
    pub name: String,
    /// The application of the card
    #[arg(long, value_name = "HEX", default_value = "A000000291FF9101", value_parser = aid)]
    pub aid: Aid,
    /// The serial number of the card
    #[arg(long, value_name = "HEX", default_value = "0000000011223344", value_parser = hex::fixed::<8>)]
    pub serial: [u8; 8],
    /// The startup information of the card
    #[arg(long, value_name = "HEX", default_value = "0A3C3005141001", value_parser = hex::fixed::<7>)]
    pub startup_info: [u8; 7],
    /// First day of the card's certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub start: Option<Day>,
    /// Last day of the card's certificate
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub end: Option<Day>,
    /// Where the authority shall be valid, if it is made now
    #[arg(long, value_enum, default_value_t = ScopeChoice::Test)]
    pub scope: ScopeChoice,
    /// The day on which it is done, instead of today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Day>,
}

/// Where an authority is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ScopeChoice {
    /// In tests.
    Test,
    /// In production.
    Production,
    /// Everywhere.
    Any,
}

impl From<ScopeChoice> for Scope {
    fn from(choice: ScopeChoice) -> Self {
        match choice {
            ScopeChoice::Test => Self::Test,
            ScopeChoice::Production => Self::Production,
            ScopeChoice::Any => Self::Any,
        }
    }
}

/// `ogygia pki show`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Show {
    /// The certificate, as bytes or in hexadecimal digits, or a root key
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Print one JSON object, its members named as the specification does
    #[arg(long)]
    pub json: bool,
    /// Whose signatures it may be under; half of a certificate cannot be read without
    #[command(flatten)]
    pub chain: ChainFiles,
}

/// `ogygia pki verify`.
#[derive(Debug, Args)]
#[command(after_help = exit_codes!())]
pub struct Verify {
    /// The certificate of the card
    #[arg(long, value_name = "FILE")]
    pub card: PathBuf,
    /// Who vouches for it
    #[command(flatten)]
    pub chain: ChainFiles,
    /// The day on which it shall be valid, instead of today
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub on: Option<Day>,
    /// Which authorities are accepted
    #[arg(long, value_enum, default_value_t = ModeChoice::Production)]
    pub mode: ModeChoice,
    /// Accept what is no longer valid
    #[arg(long)]
    pub accept_expired: bool,
    /// The card must have this serial number
    #[arg(long, value_name = "HEX", value_parser = hex::fixed::<8>)]
    pub serial: Option<[u8; 8]>,
    /// The application must be this one
    #[arg(long, value_name = "HEX", value_parser = aid)]
    pub aid: Option<Aid>,
}

/// Which authorities are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ModeChoice {
    /// Those for production.
    Production,
    /// Those for tests.
    Test,
}

impl From<ModeChoice> for Mode {
    fn from(choice: ModeChoice) -> Self {
        match choice {
            ModeChoice::Production => Self::Production,
            ModeChoice::Test => Self::Test,
        }
    }
}

/// Root keys and authorities.
#[derive(Debug, Args)]
pub struct ChainFiles {
    /// A root key: reference and modulus; can be given several times
    #[arg(long = "root", value_name = "FILE")]
    pub roots: Vec<PathBuf>,
    /// The certificate of an authority; can be given several times, issuers first
    #[arg(long = "ca", value_name = "FILE")]
    pub authorities: Vec<PathBuf>,
}

fn aid(text: &str) -> Result<Aid, &'static str> {
    hex::decode(text).and_then(|bytes| Aid::new(&bytes)).ok_or("5 to 16 bytes in hexadecimal digits")
}

fn day(text: &str) -> Result<Day, &'static str> {
    let parsed = || {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let digits = [year, month, day].iter().all(|part| part.bytes().all(|digit| digit.is_ascii_digit()));
        if !digits || [year.len(), month.len(), day.len()] != [4, 2, 2] {
            return None;
        }
        Day::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    };
    parsed().ok_or("a day of the calendar: YYYY-MM-DD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_written_in_one_way() {
        assert_eq!(day("2024-02-29"), Ok(Day::new(2024, 2, 29).unwrap()));
        for text in ["2023-02-29", "2024-2-29", "24-02-29", "2024-02-29-1", "+024-02-29", "20240229", ""] {
            assert!(day(text).is_err(), "{text}");
        }
    }
}
