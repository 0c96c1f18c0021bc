//! `ogygia pki`: certificates of cards with asymmetric keys, made, shown and verified.

mod args;
mod chain;
mod file;
mod issue;
mod show;
mod text;
mod verify;

use std::io::Write;

pub use args::{Action, ChainFiles, Issue, ModeChoice, ScopeChoice, Show, Verify};

pub(crate) use show::{authority_says, card_says};

use crate::error::Failure;

/// Does it.
pub(crate) fn run(action: &Action, out: &mut dyn Write) -> Result<u8, Failure> {
    match action {
        Action::Issue(issue) => issue::run(issue, out),
        Action::Show(show) => show::run(show, out),
        Action::Verify(verify) => verify::run(verify, out),
    }
}
