//! Commands written by hand, answers as the specification shows them.

mod access;
mod arbitrary;
mod asymmetric;
mod extended;
mod files;
mod purse;
mod reading;
mod saved;
mod secrets;
mod session;
mod writing;
