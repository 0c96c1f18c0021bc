//! The security module: who it is, its commands, and what a card session needs of it.
//!
//! Specification 03.

pub(crate) mod command;
mod digest;
mod identity;
mod queue;
mod service;

pub use identity::{Sam, SamProduct};

pub(crate) use service::Service;
