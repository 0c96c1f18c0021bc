//! Which readers there are, and what is in them.

use std::ffi::{CStr, CString};
use std::fmt;
use std::time::{Duration, Instant};

use ::pcsc::{Context, ReaderState, Scope, State};

use super::error::{Code, PcscError};

/// A connection to the PC/SC service of the system.
pub struct Service {
    context: Context,
}

/// A reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub slot: Slot,
}

/// What is in a reader.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Slot {
    /// Nothing.
    Empty,
    /// A card or a SAM.
    Card {
        /// What it said when it was powered.
        power_on_data: Vec<u8>,
    },
    /// Something that does not answer.
    Mute,
    /// The reader cannot tell: it is being unplugged, or does not work.
    Unavailable,
}

impl Slot {
    fn of(state: &ReaderState) -> Self {
        let event = state.event_state();
        if event.intersects(State::UNKNOWN | State::UNAVAILABLE | State::IGNORE) {
            Self::Unavailable
        } else if event.contains(State::MUTE) {
            Self::Mute
        } else if event.contains(State::PRESENT) {
            Self::Card { power_on_data: state.atr().to_vec() }
        } else {
            Self::Empty
        }
    }

    /// Whether there is a card or a SAM that answers.
    #[must_use]
    pub const fn is_card(&self) -> bool {
        matches!(self, Self::Card { .. })
    }
}

impl Service {
    /// A new connection.
    ///
    /// # Errors
    ///
    /// [`PcscError::NoService`], or what else keeps the service from answering.
    pub fn connect() -> Result<Self, PcscError> {
        Ok(Self { context: establish()? })
    }

    /// The readers, in the order of the service, and what is in them. None is no error.
    ///
    /// # Errors
    ///
    /// What keeps the service from answering.
    pub fn readers(&self) -> Result<Vec<Reader>, PcscError> {
        let names = names(&self.context)?;
        let mut readers = Vec::with_capacity(names.len());
        // One by one: a reader that was just unplugged must not hide the others.
        for name in names {
            let mut state = ReaderState::new(name, State::UNAWARE);
            let slot = match self.context.get_status_change(Duration::ZERO, std::slice::from_mut(&mut state)) {
                Ok(()) => Slot::of(&state),
                Err(Code::UnknownReader | Code::ReaderUnavailable) => continue,
                Err(Code::Timeout) => Slot::Unavailable,
                Err(code) => return Err(PcscError::of_service(code)),
            };
            readers.push(Reader { name: text(state.name()), slot });
        }
        Ok(readers)
    }

    /// The name of the only reader that is called so, or has this in its name.
    ///
    /// # Errors
    ///
    /// There is no such reader, or more than one.
    pub fn find(&self, wanted: &str) -> Result<String, PcscError> {
        find(&self.context, wanted)
    }

    /// Waits until what is in a reader is as `wanted`, and returns it; nothing when that took longer than `timeout`.
    ///
    /// # Errors
    ///
    /// There is no reader with this name (the whole name), or it went.
    pub fn wait(
        &self,
        reader: &str,
        timeout: Duration,
        wanted: impl Fn(&Slot) -> bool,
    ) -> Result<Option<Slot>, PcscError> {
        let begun = Instant::now();
        let mut state = ReaderState::new(c_name(reader)?, State::UNAWARE);
        loop {
            let left = timeout.saturating_sub(begun.elapsed());
            match self.context.get_status_change(left, std::slice::from_mut(&mut state)) {
                Ok(()) => {}
                Err(Code::Timeout) => return Ok(None),
                Err(code) => return Err(PcscError::at(reader, code)),
            }
            let slot = Slot::of(&state);
            if wanted(&slot) {
                return Ok(Some(slot));
            }
            state.sync_current_state();
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").finish_non_exhaustive()
    }
}

pub(super) fn establish() -> Result<Context, PcscError> {
    Context::establish(Scope::User).map_err(PcscError::of_service)
}

fn names(context: &Context) -> Result<Vec<CString>, PcscError> {
    context.list_readers_owned().map_err(PcscError::of_service)
}

/// Names are UTF-8 where PC/SC says anything about it.
fn text(name: &CStr) -> String {
    name.to_string_lossy().into_owned()
}

/// A name as the service wants it. None of its readers has a zero in its name.
pub(super) fn c_name(name: &str) -> Result<CString, PcscError> {
    CString::new(name).map_err(|_| PcscError::UnknownReader { wanted: name.to_owned(), readers: Vec::new() })
}

/// As [`Service::find`].
pub(super) fn find(context: &Context, wanted: &str) -> Result<String, PcscError> {
    choose(names(context)?.iter().map(|name| text(name)).collect(), wanted)
}

fn choose(readers: Vec<String>, wanted: &str) -> Result<String, PcscError> {
    if readers.iter().any(|name| name == wanted) {
        return Ok(wanted.to_owned());
    }
    let mut having: Vec<&String> = readers.iter().filter(|name| !wanted.is_empty() && name.contains(wanted)).collect();
    match (having.pop(), having.is_empty()) {
        (Some(name), true) => Ok(name.clone()),
        (None, _) => Err(PcscError::UnknownReader { wanted: wanted.to_owned(), readers }),
        (Some(last), false) => {
            having.push(last);
            let readers = having.into_iter().cloned().collect();
            Err(PcscError::AmbiguousReader { wanted: wanted.to_owned(), readers })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_found_by_name_or_by_a_part_that_only_one_has() {
        let there = ["Virtual PCD 00 00", "Virtual PCD 00 01", "Virtual"].map(str::to_owned).to_vec();
        let found = |wanted: &str| choose(there.clone(), wanted);
        assert_eq!(found("Virtual PCD 00 01").unwrap(), "Virtual PCD 00 01");
        assert_eq!(found("00 01").unwrap(), "Virtual PCD 00 01");
        // The whole name of one, and part of all.
        assert_eq!(found("Virtual").unwrap(), "Virtual");
        let readers = there[..2].to_vec();
        assert_eq!(found("PCD"), Err(PcscError::AmbiguousReader { wanted: "PCD".to_owned(), readers }));
        for wanted in ["Other", "virtual", ""] {
            let error = PcscError::UnknownReader { wanted: wanted.to_owned(), readers: there.clone() };
            assert_eq!(found(wanted), Err(error));
        }
    }
}
