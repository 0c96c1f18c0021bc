//! Environment and holder: specification 08, section of this name.

use std::fmt;

use super::Record;
use super::values::{DateCompact, Version};

/// Who issued the card, until when it works, and whose it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// Of this structure.
    pub version: Version,
    /// Number of the card in the system.
    pub number: u32,
    /// When it was issued.
    pub issued: DateCompact,
    /// The last day on which it works.
    pub end: DateCompact,
    /// 0 when unused.
    pub company: u8,
    /// 0 when unused.
    pub holder: u32,
}

impl Environment {
    /// Reads the first 14 bytes of a record; nothing when there are fewer.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let &[version, n0, n1, n2, n3, i0, i1, e0, e1, company, h0, h1, h2, h3] = record.first_chunk::<14>()?;
        Some(Self {
            version: version.into(),
            number: u32::from_be_bytes([n0, n1, n2, n3]),
            issued: DateCompact(u16::from_be_bytes([i0, i1])),
            end: DateCompact(u16::from_be_bytes([e0, e1])),
            company,
            holder: u32::from_be_bytes([h0, h1, h2, h3]),
        })
    }

    /// The whole record.
    #[must_use]
    pub fn encode(&self) -> Record {
        let mut record = Record::default();
        let fields = [u8::from(self.version)]
            .into_iter()
            .chain(self.number.to_be_bytes())
            .chain(self.issued.0.to_be_bytes())
            .chain(self.end.0.to_be_bytes())
            .chain([self.company])
            .chain(self.holder.to_be_bytes());
        record.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        record
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Version::Undefined => return f.write_str("blank"),
            Version::Current => {}
            Version::Other(version) => return write!(f, "of unknown version {version}"),
        }
        write!(f, "card number {}, issued {}, works until {}", self.number, self.issued, self.end)?;
        if self.company != 0 || self.holder != 0 {
            write!(f, ", holder {} of company {}", self.holder, self.company)?;
        }
        Ok(())
    }
}
