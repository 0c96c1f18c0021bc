//! Why a profile was refused.

use std::fmt;

/// Why a profile was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SamProfileError {
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
    /// The `format` member is not [`FORMAT`](super::FORMAT).
    Format(String),
    /// A member says what cannot be.
    Member {
        /// The member, with the way to it.
        member: String,
        /// What is wrong.
        what: &'static str,
    },
}

impl SamProfileError {
    pub(super) fn json(text: &str, error: &serde_json::Error) -> Self {
        let (line, column, message) = (error.line(), error.column(), error.to_string());
        // These name a member, and it is not the one that was read last.
        let named = message.starts_with("missing field") || message.starts_with("unknown field");
        let member = if named { None } else { member_before(text, line, column) };
        Self::Json { line, column, member, message }
    }
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

impl fmt::Display for SamProfileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json { member: Some(member), message, .. } => {
                write!(f, "SAM profile cannot be read: {member}: {message}")
            }
            Self::Json { message, .. } => write!(f, "SAM profile cannot be read: {message}"),
            Self::Format(found) => write!(f, "SAM profile of an unknown format: {found}"),
            Self::Member { member, what } => write!(f, "SAM profile is wrong at {member}: {what}"),
        }
    }
}

impl std::error::Error for SamProfileError {}
