//! Event counters and their ceilings: specification of the SAM layer, "Counter geometry".

use crate::status::{self, Refusal};

/// Number of counters.
pub(super) const COUNTERS: usize = 27;
/// Number of the last counter.
pub(super) const LAST_COUNTER: u8 = 26;
/// Counters of one record.
pub(super) const PER_RECORD: usize = 9;
/// The highest ceiling.
pub(super) const MAX_CEILING: u32 = 0x00FF_FFFA;
/// The most by which a ceiling grows in a record under a key of the DES family.
const MAX_GROWTH: u32 = 131_071;
/// The bits of a configuration that belong to counters.
const CONFIGURATION: u16 = 0x01FF;

/// Nine ceilings and a configuration, as they are written.
pub(super) struct CeilingRecord {
    pub(super) ceilings: [u32; PER_RECORD],
    pub(super) configuration: u16,
}

impl CeilingRecord {
    /// The ceilings of a record; nothing when one is too high, or a bit of the configuration has no meaning.
    pub(super) fn parse(number: usize, record: &[u8; 29]) -> Option<Self> {
        let (values, configuration) = record.split_last_chunk::<2>()?;
        let mut ceilings = [0; PER_RECORD];
        for (ceiling, value) in ceilings.iter_mut().zip(values.as_chunks::<3>().0) {
            *ceiling = number3(*value);
        }
        let configuration = u16::from_be_bytes(*configuration);
        // Counter 0 is never counted freely.
        let meant = if number == 0 { CONFIGURATION & !1 } else { CONFIGURATION };
        let right = configuration & !meant == 0 && ceilings.iter().all(|ceiling| *ceiling <= MAX_CEILING);
        right.then_some(Self { ceilings, configuration })
    }
}

/// The counters of a SAM.
#[derive(Clone, Debug)]
pub(super) struct Counters {
    values: [u32; COUNTERS],
    ceilings: [u32; COUNTERS],
    /// By record: bit i is set when counter i of the record may be counted freely.
    configuration: [u16; COUNTERS / PER_RECORD],
}

impl Default for Counters {
    fn default() -> Self {
        Self { values: [0; COUNTERS], ceilings: [MAX_CEILING; COUNTERS], configuration: [0; COUNTERS / PER_RECORD] }
    }
}

impl Counters {
    pub(super) fn value(&self, number: u8) -> Option<u32> {
        self.values.get(usize::from(number)).copied()
    }

    pub(super) fn ceiling(&self, number: u8) -> Option<u32> {
        self.ceilings.get(usize::from(number)).copied()
    }

    pub(super) fn set_value(&mut self, number: u8, to: u32) {
        if let Some(value) = self.values.get_mut(usize::from(number)) {
            *value = to.min(0x00FF_FFFF);
        }
    }

    pub(super) fn set_ceiling(&mut self, number: u8, to: u32) {
        if let Some(ceiling) = self.ceilings.get_mut(usize::from(number)) {
            *ceiling = to.min(MAX_CEILING);
        }
    }

    pub(super) fn set_free(&mut self, number: u8) {
        let number = usize::from(number);
        if let Some(configuration) = self.configuration.get_mut(number / PER_RECORD) {
            *configuration |= 1 << (number % PER_RECORD);
        }
    }

    /// Refuses when the counter has reached its ceiling.
    pub(super) fn check(&self, number: Option<u8>) -> Result<(), Refusal> {
        let blocked = number.and_then(|number| self.value(number).zip(self.ceiling(number)));
        if blocked.is_some_and(|(value, ceiling)| value >= ceiling) { Err(status::EXHAUSTED) } else { Ok(()) }
    }

    /// Counts one use of what is tied to the counter, and tells the new value.
    pub(super) fn count(&mut self, number: Option<u8>) -> Result<Option<u32>, Refusal> {
        self.check(number)?;
        let value = number.and_then(|number| self.values.get_mut(usize::from(number)));
        Ok(value.map(|value| {
            *value += 1;
            *value
        }))
    }

    /// The nine values of a record.
    pub(super) fn values_record(&self, record: usize) -> Option<Vec<u8>> {
        let mut bytes = triples(self.values.as_chunks::<PER_RECORD>().0.get(record)?);
        bytes.extend([0, 0]);
        Some(bytes)
    }

    /// The nine ceilings of a record and its configuration.
    pub(super) fn ceilings_record(&self, record: usize) -> Option<Vec<u8>> {
        let mut bytes = triples(self.ceilings.as_chunks::<PER_RECORD>().0.get(record)?);
        bytes.extend(self.configuration.get(record)?.to_be_bytes());
        Some(bytes)
    }

    /// Whether a ceiling would grow by more than a key of the DES family can make it.
    pub(super) fn grows_too_much(&self, record: usize, new: &CeilingRecord) -> bool {
        let old = self.ceilings.as_chunks::<PER_RECORD>().0.get(record);
        old.is_some_and(|old| old.iter().zip(new.ceilings).any(|(old, new)| new.saturating_sub(*old) > MAX_GROWTH))
    }

    pub(super) fn write_record(&mut self, record: usize, new: &CeilingRecord) {
        if let Some(ceilings) = self.ceilings.as_chunks_mut::<PER_RECORD>().0.get_mut(record) {
            *ceilings = new.ceilings;
        }
        if let Some(configuration) = self.configuration.get_mut(record) {
            *configuration = new.configuration;
        }
    }
}

/// A number of three bytes.
pub(super) fn number3([high, middle, low]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

/// A number in three bytes.
pub(super) fn bytes3(number: u32) -> [u8; 3] {
    let [_, high, middle, low] = number.to_be_bytes();
    [high, middle, low]
}

fn triples(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| bytes3(*number)).collect()
}
