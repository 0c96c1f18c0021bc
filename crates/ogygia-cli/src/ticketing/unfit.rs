//! Words for what more than one terminal finds wrong with a card.

use std::fmt;

use super::values::DateCompact;

pub(super) fn environment_version(f: &mut fmt::Formatter<'_>, version: u8) -> fmt::Result {
    match version {
        0 => f.write_str("not personalized"),
        version => write!(f, "environment of unknown version {version}"),
    }
}

pub(super) fn expired(f: &mut fmt::Formatter<'_>, end: DateCompact) -> fmt::Result {
    write!(f, "the card has expired on {end}")
}

pub(super) fn event_version(f: &mut fmt::Formatter<'_>, version: u8) -> fmt::Result {
    write!(f, "event of unknown version {version}")
}

pub(super) fn contract_version(f: &mut fmt::Formatter<'_>, slot: u8, version: u8) -> fmt::Result {
    write!(f, "contract {slot} of unknown version {version}")
}
