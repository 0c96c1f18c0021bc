//! Contracts: specification 08, "Contract" and "Compact form for memory tickets".

use std::fmt;

use super::Record;
use super::values::{DateCompact, Priority, Version, u24, u24_bytes};

/// What a traveller bought.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Contract {
    /// Of this structure; undefined: a blank record, whatever follows.
    pub version: Version,
    /// What it is.
    pub tariff: Priority,
    /// When it was sold; also its first day.
    pub sold: DateCompact,
    /// Its last day.
    pub end: DateCompact,
    /// Number of the security module that sold it, 0 when unused.
    pub sale_sam: u32,
    /// Counter of that module, 24 bits, 0 when unused.
    pub sale_counter: u32,
    /// Version of the key that signed it, 0 when unused.
    pub auth_kvc: u8,
    /// Signature, 24 bits; 0: unsigned.
    pub authenticator: u32,
}

impl Contract {
    /// Reads the first 17 bytes of a record; nothing when there are fewer.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let &[version, tariff, s0, s1, e0, e1, m0, m1, m2, m3, c0, c1, c2, auth_kvc, a0, a1, a2] =
            record.first_chunk::<17>()?;
        Some(Self {
            version: version.into(),
            tariff: tariff.into(),
            sold: DateCompact(u16::from_be_bytes([s0, s1])),
            end: DateCompact(u16::from_be_bytes([e0, e1])),
            sale_sam: u32::from_be_bytes([m0, m1, m2, m3]),
            sale_counter: u24([c0, c1, c2]),
            auth_kvc,
            authenticator: u24([a0, a1, a2]),
        })
    }

    /// The whole record.
    #[must_use]
    pub fn encode(&self) -> Record {
        let mut record = Record::default();
        let fields = [u8::from(self.version), u8::from(self.tariff)]
            .into_iter()
            .chain(self.sold.0.to_be_bytes())
            .chain(self.end.0.to_be_bytes())
            .chain(self.sale_sam.to_be_bytes())
            .chain(u24_bytes(self.sale_counter))
            .chain([self.auth_kvc])
            .chain(u24_bytes(self.authenticator));
        record.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        record
    }
}

impl fmt::Display for Contract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Version::Undefined => return f.write_str("blank"),
            Version::Current => {}
            Version::Other(version) => return write!(f, "of unknown version {version}"),
        }
        write!(f, "{}, sold {}, valid until {}", self.tariff, self.sold, self.end)?;
        if self.authenticator != 0 {
            write!(f, ", signed by module {:08X} with key {:02X}", self.sale_sam, self.auth_kvc)?;
        }
        Ok(())
    }
}

/// A contract on a memory ticket, with its counter. Such a ticket is no smart card: nothing secures it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactContract {
    /// The contract; module and module counter are not there.
    pub contract: Contract,
    /// Trips or amount left.
    pub counter: u32,
}

impl CompactContract {
    /// Reads the 16 bytes.
    #[must_use]
    pub fn decode(bytes: &[u8; 16]) -> Self {
        let &[version, tariff, s0, s1, e0, e1, auth_kvc, a0, a1, a2, _, _, _, c0, c1, c2] = bytes;
        let contract = Contract {
            version: version.into(),
            tariff: tariff.into(),
            sold: DateCompact(u16::from_be_bytes([s0, s1])),
            end: DateCompact(u16::from_be_bytes([e0, e1])),
            auth_kvc,
            authenticator: u24([a0, a1, a2]),
            ..Contract::default()
        };
        Self { contract, counter: u24([c0, c1, c2]) }
    }

    /// Writes the 16 bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; 16] {
        let Contract { version, tariff, sold, end, auth_kvc, authenticator, .. } = self.contract;
        let ([s0, s1], [e0, e1]) = (sold.0.to_be_bytes(), end.0.to_be_bytes());
        let ([a0, a1, a2], [c0, c1, c2]) = (u24_bytes(authenticator), u24_bytes(self.counter));
        [version.into(), tariff.into(), s0, s1, e0, e1, auth_kvc, a0, a1, a2, 0, 0, 0, c0, c1, c2]
    }
}
