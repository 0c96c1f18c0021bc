//! `ogygia sam`: what a SAM tells of itself, and what it signs.

mod args;
mod counters;
mod device;
pub(crate) mod image;
mod info;
mod sign;

use std::io::Write;

pub use args::{Action, Counters, Info, KeyChoice, SamChoice, Sign, SignatureChoice, UnlockChoice, Verify};

use crate::error::Failure;

/// Does it.
pub(crate) fn run(action: &Action, out: &mut dyn Write) -> Result<u8, Failure> {
    match action {
        Action::Info(info) => info::run(info, out),
        Action::Counters(counters) => counters::run(counters, out),
        Action::Sign(sign) => sign::sign(sign, out),
        Action::Verify(verify) => sign::verify(verify, out),
    }
}
