//! Where things are on the card: specification 08, "Data model".

use std::fmt;

use ogygia::card::{Product, Sfi};

/// A file of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TicketingFile {
    /// Environment and holder.
    Environment,
    /// Log of events, the latest first.
    Events,
    /// Contracts, one for each slot.
    Contracts,
    /// One counter for each slot.
    Counters,
}

impl TicketingFile {
    const ALL: [Self; 4] = [Self::Environment, Self::Events, Self::Contracts, Self::Counters];

    /// Its short identifier.
    #[must_use]
    pub const fn sfi(self) -> Sfi {
        match self {
            Self::Environment => Sfi(0x07),
            Self::Events => Sfi(0x08),
            Self::Contracts => Sfi(0x09),
            Self::Counters => Sfi(0x19),
        }
    }

    /// The file with this short identifier.
    #[must_use]
    pub fn from_sfi(sfi: Sfi) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.sfi() == sfi)
    }
}

impl fmt::Display for TicketingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "Environment",
            Self::Events => "Event log",
            Self::Contracts => "Contracts",
            Self::Counters => "Counters",
        })
    }
}

/// The list of contracts, which the card has but this application does not use.
pub const CONTRACT_LIST: Sfi = Sfi(0x1E);

/// How many contracts a card of this product holds, each with its counter: specification 08, "Counters".
#[must_use]
pub const fn slots(product: Product) -> u8 {
    match product {
        Product::PrimeRevision1 | Product::PrimeRevision2 | Product::PrimeRevision3 => 4,
        Product::Light => 2,
        Product::Basic => 1,
        Product::Unknown => 0,
    }
}
