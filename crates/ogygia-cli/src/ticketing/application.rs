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

#[cfg(test)]
mod tests {
    use super::*;

    /// A card that answers with this name, eight or ten bytes, and this structure.
    fn card(name: &[u8], subtype: u8) -> Card {
        let name_length = u8::try_from(name.len()).unwrap();
        let mut fci = vec![0x6F, name_length + 26, 0x84, name_length];
        fci.extend(name);
        fci.extend([0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7, 0x08, 0, 0, 0, 0, 1, 2, 3, 4, 0x53, 0x07]);
        fci.extend([0x0A, 0x3C, 0x23, subtype, 0x14, 0x10, 0x01, 0x90, 0x00]);
        Card::from_select_response(&fci).unwrap()
    }

    #[test]
    fn names() {
        assert_eq!(check(&card(CD_LIGHT, 0x05), CD_LIGHT), Ok(()));
        assert_eq!(check(&card(b"1TIC.ICA1\0\0", 0x05), CD_LIGHT), Ok(()));
        assert_eq!(check(&card(b"1TIC.ICA1\0\x01", 0x05), CD_LIGHT), Err(Refused::UnexpectedName));
        assert_eq!(check(&card(b"1TIC.ICA", 0x05), CD_LIGHT), Err(Refused::UnexpectedName));
    }

    #[test]
    fn structures() {
        let served: Vec<u8> = (0x01..=0xFE).filter(|subtype| check(&card(LIGHT, *subtype), LIGHT).is_ok()).collect();
        assert_eq!(served, STRUCTURES);
        assert_eq!(check(&card(LIGHT, 0x42), LIGHT), Err(Refused::Structure(0x42)));
    }
}
