//! `ogygia read`: what is on a card.

mod reader;
mod table;

use std::io::Write;

use crate::args;
use crate::error::Failure;
use crate::image;
use crate::store;
use crate::terminal::Terminal;

/// What a new card is made of, unless a profile is named.
const PROFILE: &str = "kit-prime-regular-v3";

/// Reads the card and shows it.
pub(crate) fn run(read: &args::Read, out: &mut dyn Write) -> Result<u8, Failure> {
    let profile = read.card.profile.as_deref();
    let card = match &read.card.file {
        Some(path) => {
            let missing = || Failure::usage(format!("there is no card file {}", path.display()));
            let card = store::load(path)?.ok_or_else(missing)?;
            store::check_profile(&card, path, profile)?;
            card
        }
        None => store::new_card(profile.unwrap_or(PROFILE))?,
    };
    let mut terminal = Terminal::new(card);
    let card = reader::read_all(&mut terminal, read.aid.as_ref().map(|name| name.0.as_slice()))?;
    if read.json {
        let text = serde_json::to_string_pretty(&image::to_json(&card));
        writeln!(out, "{}", text.map_err(|error| Failure::failed(error.to_string()))?)?;
    } else {
        table::write(&card, out)?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
