//! Virtual cards, and the files that keep them between runs.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ogygia_sim::profile::builtin;
use ogygia_sim::{Profile, VirtualCard};

use crate::error::Failure;
use crate::terminal::keys;

/// Profiles of cards that the simulator does not bring along: see the notes in them.
const OWN: &[(&str, &str)] = &[("reference-prime3", include_str!("../profiles/reference-prime3.json"))];

/// The names of all profiles with their texts: those of the simulator, and ours.
pub fn profiles() -> impl Iterator<Item = (&'static str, &'static str)> {
    builtin().chain(OWN.iter().copied())
}

/// A virtual card, and where it is kept.
#[derive(Debug)]
pub struct Stored {
    /// The card.
    pub card: VirtualCard,
    /// Its file, if it has one.
    pub file: Option<PathBuf>,
    /// It was made just now.
    pub fresh: bool,
}

/// The card in `file`, or a new one when there is no such file or none was named.
///
/// A new card is of the profile `asked`, else of `default`. A card that is there must be of the profile asked for.
///
/// # Errors
///
/// The file cannot be read or is damaged, the profile is unknown, or the card is of another one.
pub fn open(file: Option<&Path>, asked: Option<&str>, default: &str) -> Result<Stored, Failure> {
    let profile = asked.unwrap_or(default);
    let Some(path) = file else { return Ok(Stored { card: new_card(profile)?, file: None, fresh: true }) };
    let Some(card) = load(path)? else {
        return Ok(Stored { card: new_card(profile)?, file: Some(path.to_owned()), fresh: true });
    };
    check_profile(&card, path, asked)?;
    // Behind a symbolic link the file itself is replaced, not the link.
    let file = fs::canonicalize(path).map_err(|error| cannot("find", path, &error))?;
    Ok(Stored { card, file: Some(file), fresh: false })
}

/// Checks that the card in the file `path` is of the profile `asked`, if one was asked for.
///
/// # Errors
///
/// It is of another one.
pub fn check_profile(card: &VirtualCard, path: &Path, asked: Option<&str>) -> Result<(), Failure> {
    let own = &card.profile().id;
    match asked.filter(|asked| asked != own) {
        Some(asked) => Err(Failure::usage(format!("{} holds a card of {own}, not of {asked}", path.display()))),
        None => Ok(()),
    }
}

/// The card in a file; nothing when there is no such file.
///
/// # Errors
///
/// The file cannot be read, or is damaged.
pub fn load(path: &Path) -> Result<Option<VirtualCard>, Failure> {
    let text = match fs::read(path) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::usage(format!("cannot read {}: {error}", path.display()))),
    };
    VirtualCard::from_json(&text, &keys()).map(Some).map_err(|error| {
        Failure::usage(format!("{} holds no virtual card, and was left as it is: {error}", path.display()))
    })
}

/// A new card of one of the [`profiles`].
///
/// # Errors
///
/// No such profile.
pub fn new_card(profile: &str) -> Result<VirtualCard, Failure> {
    let Some((_, text)) = profiles().find(|(id, _)| *id == profile) else {
        let known: Vec<_> = profiles().map(|(id, _)| id).collect();
        return Err(Failure::usage(format!("no profile {profile:?}; there are: {}", known.join(", "))));
    };
    let found = Profile::from_json(text).map_err(|error| Failure::failed(error.to_string()))?;
    VirtualCard::new(&found, &keys()).map_err(|error| Failure::failed(error.to_string()))
}

/// Writes a card so that `path` holds the old card or the new one, whatever happens meanwhile.
///
/// # Errors
///
/// It cannot be written.
pub fn save(card: &VirtualCard, path: &Path) -> Result<(), Failure> {
    let text = card.to_json().map_err(|error| Failure::failed(error.to_string()))?;
    replace(path, &text).map_err(|error| cannot("write", path, &error))
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut hidden = std::ffi::OsString::from(".");
    hidden.push(name);
    hidden.push(format!(".{}.new", std::process::id()));
    let temporary = folder.join(hidden);
    let written = write_through(&temporary, text).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // Best effort: what could not be written is of no use.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    sync_folder(folder)
}

fn write_through(path: &Path, text: &str) -> io::Result<()> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    // A card keeps its PIN and its private keys in there.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Without this, the new name may not survive a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

fn cannot(verb: &str, path: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("cannot {verb} {}: {error}", path.display()))
}
