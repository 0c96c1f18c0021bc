//! Why a SAM profile or a key set was refused.

use std::fmt;

use serde::de::DeserializeOwned;

/// Why a SAM profile or a key set was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SetupError {
    /// Not JSON, a member that is missing or unknown, of the wrong kind, or bad hexadecimal text.
    Json {
        /// Line of the text, from 1; 0 when unknown.
        line: usize,
        /// Column of the text, from 1; 0 when unknown.
        column: usize,
        /// The member that was read last; nothing when the parser names one itself.
        member: Option<String>,
        /// What the parser said.
        message: String,
    },
    /// The `format` member is not the one understood.
    Format(String),
    /// A member says what cannot be.
    Member {
        /// The member, with the way to it.
        member: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl SetupError {
    fn json(text: &str, error: &serde_json::Error) -> Self {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        // These name a member, and it is not the one that was read last.
        let named = message.starts_with("missing field") || message.starts_with("unknown field");
        let member = if named { None } else { member_before(text, line, column) };
        Self::Json { line, column, member, message }
    }
}

/// Reads what `text` describes.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, SetupError> {
    serde_json::from_str(text).map_err(|error| SetupError::json(text, &error))
}

/// Refuses a member.
pub(crate) fn wrong(member: &str, what: &'static str) -> Result<(), SetupError> {
    Err(SetupError::Member { member: member.to_owned(), what })
}

/// The last member whose name stands before a place in the text.
fn member_before(text: &str, line: usize, column: usize) -> Option<String> {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let (last, before) = lines.split_last()?;
    let last: String = last.chars().take(column).collect();
    let read = [before.join("\n").as_str(), &last].join("\n");
    // What is read of strings: `"name"` with a colon behind, from the end.
    let parts: Vec<&str> = read.split('"').collect();
    let colon = parts.iter().rposition(|part| part.trim_start().starts_with(':'))?;
    parts.get(colon.checked_sub(1)?).map(|name| (*name).to_owned())
}

impl fmt::Display for SetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { member: Some(member), message, .. } => {
                write!(f, "cannot be read: {member}: {message}")
            }
            Self::Json { message, .. } => write!(f, "cannot be read: {message}"),
            Self::Format(found) => write!(f, "unknown format: {found}"),
            Self::Member { member, what } => write!(f, "wrong at {member}: {what}"),
        }
    }
}

impl std::error::Error for SetupError {}
