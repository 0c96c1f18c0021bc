//! The command line of Ogygia, as a library so that it can be tested.

pub mod conform;
pub mod hex;
pub mod image;
