//! Commands written by hand, answers as the specification shows them.

mod files;
mod session;
