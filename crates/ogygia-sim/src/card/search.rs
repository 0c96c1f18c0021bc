//! Search Record Multiple.

use super::VirtualCard;
use super::layout::File;
use crate::command::{Command, Reply};
use crate::profile::ProductType;
use crate::status::{self, Refusal};

/// Compare at every offset from the one given.
const EVERY_OFFSET: u8 = 0x80;
/// Return the first record found.
const FETCH: u8 = 0x01;

/// What is searched.
struct Pattern<'a> {
    flags: u8,
    offset: usize,
    data: &'a [u8],
    mask: &'a [u8],
}

impl Pattern<'_> {
    fn matches(&self, record: &[u8]) -> bool {
        let mut windows = record.windows(self.data.len()).skip(self.offset);
        if self.flags & EVERY_OFFSET != 0 {
            windows.any(|window| self.matches_at(window))
        } else {
            windows.next().is_some_and(|window| self.matches_at(window))
        }
    }

    fn matches_at(&self, window: &[u8]) -> bool {
        let masks = self.mask.iter().chain(std::iter::repeat(&0xFF));
        window.iter().zip(self.data).zip(masks).all(|((found, wanted), mask)| (found ^ wanted) & mask == 0)
    }
}

impl VirtualCard {
    pub(super) fn search(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if self.product() != ProductType::Prime3 {
            return Err(status::UNKNOWN_INS);
        }
        if command.p2 & 0x07 != 7 {
            return Err(status::WRONG_P1P2);
        }
        if command.data.len() < 4 {
            return Err(status::WRONG_LENGTH);
        }
        let file = self.file(command.p2 >> 3)?;
        self.allow_record(&file, command.p1)?;
        let pattern = pattern(&file, &command.data).ok_or(status::WRONG_DATA)?;
        self.found(&file, command.p1, &pattern)
    }

    fn found(&self, file: &File, first: u8, pattern: &Pattern<'_>) -> Result<Reply, Refusal> {
        let mut numbers = Vec::new();
        let mut content = Vec::new();
        for number in first..=file.records {
            let record = self.bytes(file, number)?;
            if pattern.matches(&record) {
                if numbers.is_empty() && pattern.flags & FETCH != 0 {
                    content = record;
                }
                numbers.push(number);
            }
        }
        let mut data = vec![u8::try_from(numbers.len()).unwrap_or(u8::MAX)];
        data.extend(numbers);
        data.extend(content);
        if data.len() > usize::from(self.profile.payload_capacity) {
            return Err(status::BUFFER_FULL);
        }
        Ok(Reply::with(data))
    }
}

fn pattern<'a>(file: &File, data: &'a [u8]) -> Option<Pattern<'a>> {
    let ([flags, offset, length], rest) = data.split_first_chunk::<3>()?;
    let (wanted, mask) = rest.split_at_checked(usize::from(*length))?;
    let end = usize::from(*offset) + wanted.len();
    let fits = !wanted.is_empty() && end <= usize::from(file.record_size) && mask.len() <= wanted.len();
    fits.then_some(Pattern { flags: *flags, offset: usize::from(*offset), data: wanted, mask })
}
