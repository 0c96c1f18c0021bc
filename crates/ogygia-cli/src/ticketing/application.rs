//! Which cards are served: specification 08, "Cards, selection, keys".

use std::fmt;

use ogygia::card::Card;

/// Names of applications, in the order in which a terminal tries them.
pub type Names = [&'static [u8]; 4];

const GENERIC: &[u8] = &[0xA0, 0x00, 0x00, 0x02, 0x91, 0xFF, 0x91, 0x01];
const CD_LIGHT: &[u8] = b"1TIC.ICA1";
const LIGHT: &[u8] = b"1TIC.ICA3";
const NAVIGO: &[u8] = &[0xA0, 0x00, 0x00, 0x04, 0x04, 0x01, 0x25, 0x09, 0x01, 0x01];

/// The order of a terminal that personalizes or loads. It takes invalidated applications too.
pub const LOADER: Names = [GENERIC, LIGHT, CD_LIGHT, NAVIGO];
/// The order of a terminal that validates or controls.
pub const VALIDATOR: Names = [GENERIC, CD_LIGHT, LIGHT, NAVIGO];

const STRUCTURES: [u8; 11] = [0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x32, 0x33];

/// Why a card is refused before any session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// None of the names is on the card.
    NotFound,
    /// The card answered with another name.
    UnexpectedName,
    /// The files are not laid out in a way that is known.
    Structure(u8),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("no ticketing application on this card"),
            Self::UnexpectedName => f.write_str("unexpected DF name"),
            Self::Structure(subtype) => write!(f, "file structure {subtype:02X} not supported"),
        }
    }
}

impl std::error::Error for Refused {}

/// Checks what a card answered to the selection of `name`.
///
/// # Errors
///
/// Another name, or an unknown structure.
pub fn check(card: &Card, name: &[u8]) -> Result<(), Refused> {
    match card.df_name().strip_prefix(name) {
        Some(rest) if rest.iter().all(|byte| *byte == 0) => {}
        _ => return Err(Refused::UnexpectedName),
    }
    if has_known_structure(card) { Ok(()) } else { Err(Refused::Structure(card.startup_info().application_subtype())) }
}

/// Whether the files are laid out as this application expects it.
#[must_use]
pub fn has_known_structure(card: &Card) -> bool {
    STRUCTURES.contains(&card.startup_info().application_subtype())
}
