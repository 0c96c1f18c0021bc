//! What time it is for the terminal.

use jiff::ZonedDateTime;
use jiff::civil::DateTime;

use crate::error::Failure;

/// The time in `given` (YYYY-MM-DDTHH:MM), or the local time of the system.
pub(crate) fn now(given: Option<&str>) -> Result<DateTime, Failure> {
    let Some(text) = given else { return Ok(ZonedDateTime::now().datetime()) };
    DateTime::strptime("%Y-%m-%dT%H:%M", text)
        .map_err(|_| Failure::usage(format!("{text} is no time: write it as YYYY-MM-DDTHH:MM")))
}
