//! The last event, which is also the index of the contracts: specification 08, "Event".

use std::fmt;

use super::Record;
use super::values::{DateCompact, Location, Moment, Priority, TimeCompact, Version};

/// What happened last, and how good the contract in each slot is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Of this structure; undefined on a card that was never loaded.
    pub version: Version,
    /// When it happened.
    pub at: Moment,
    /// Where it happened.
    pub location: Location,
    /// The slot that was used, from 1; 0: none.
    pub contract_used: u8,
    /// One for each slot.
    pub priorities: [Priority; 4],
}

impl Event {
    /// Reads the first 14 bytes of a record; nothing when there are fewer.
    #[must_use]
    pub fn decode(record: &[u8]) -> Option<Self> {
        let &[version, d0, d1, t0, t1, l0, l1, l2, l3, contract_used, priorities @ ..] = record.first_chunk::<14>()?;
        Some(Self {
            version: version.into(),
            at: Moment {
                date: DateCompact(u16::from_be_bytes([d0, d1])),
                time: TimeCompact(u16::from_be_bytes([t0, t1])),
            },
            location: Location(u32::from_be_bytes([l0, l1, l2, l3])),
            contract_used,
            priorities: priorities.map(Priority::from),
        })
    }

    /// The whole record.
    #[must_use]
    pub fn encode(&self) -> Record {
        let mut record = Record::default();
        let fields = [u8::from(self.version)]
            .into_iter()
            .chain(self.at.date.0.to_be_bytes())
            .chain(self.at.time.0.to_be_bytes())
            .chain(self.location.0.to_be_bytes())
            .chain([self.contract_used])
            .chain(self.priorities.map(u8::from));
        record.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        record
    }

    /// The same, with slots that the product does not have treated as blank: there are `slots` of them.
    #[must_use]
    pub fn of_slots(mut self, slots: u8) -> Self {
        let beyond = self.priorities.iter_mut().skip(usize::from(slots));
        beyond.for_each(|priority| *priority = Priority::Blank);
        self
    }

    /// Whether it was a validation: loading writes priorities only.
    #[must_use]
    pub fn is_validation(&self) -> bool {
        self.at != Moment::default()
    }

    /// The priority of a slot, from 1.
    #[must_use]
    pub fn priority(&self, slot: u8) -> Priority {
        self.priorities.iter().zip(1..).find(|(_, number)| *number == slot).map(|(own, _)| *own).unwrap_or_default()
    }

    /// Sets the priority of a slot, from 1.
    pub fn set_priority(&mut self, slot: u8, priority: Priority) {
        let own = self.priorities.iter_mut().zip(1..).find(|(_, number)| *number == slot);
        if let Some((own, _)) = own {
            *own = priority;
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Version::Undefined => return f.write_str("blank"),
            Version::Current => {}
            Version::Other(version) => return write!(f, "of unknown version {version}"),
        }
        if self.is_validation() {
            write!(f, "validated {} at {} with contract {}", self.at, self.location, self.contract_used)?;
        } else {
            f.write_str("never validated")?;
        }
        f.write_str("; slots:")?;
        for (index, priority) in self.priorities.iter().enumerate() {
            write!(f, "{} {priority}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
