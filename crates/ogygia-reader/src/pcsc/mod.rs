//! Readers of the system, through PC/SC: specification 05, "PC/SC".
//!
//! [`Service`] lists the readers and waits for what happens in them; [`PcscChannel`] is the way to the card or SAM in
//! one. Each channel has its own connection to the service, so that none waits for another.
//!
//! ```no_run
//! use ogygia::sam::Sam;
//! use ogygia_reader::pcsc::{PcscChannel, PcscError};
//!
//! let sam_reader = PcscChannel::open("Identiv")?;
//! println!("{:?}", Sam::from_power_on_data(sam_reader.power_on_data()));
//! # Ok::<(), PcscError>(())
//! ```

mod channel;
mod error;
mod service;

pub use channel::{Closing, Options, PcscChannel, Sharing};
pub use error::{Code, PcscError};
pub use service::{Reader, Service, Slot};
