//! Terminal requirements that no other test shows: specification 06. The list of all of them, each with what shows it,
//! is docs/COMPLIANCE.md.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

#[path = "refusals/bench.rs"]
#[allow(dead_code, reason = "some of it is for other tests")]
mod bench;
#[path = "requirements/desk.rs"]
mod desk;
#[path = "requirements/identification.rs"]
mod identification;
#[path = "requirements/messages.rs"]
mod messages;
#[path = "requirements/sams.rs"]
mod sams;
#[path = "requirements/secrets.rs"]
mod secrets;
#[path = "requirements/sessions.rs"]
mod sessions;
#[path = "requirements/stored_value.rs"]
mod stored_value;
