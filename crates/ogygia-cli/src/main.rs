//! The command line of Ogygia.
fn main() {}
