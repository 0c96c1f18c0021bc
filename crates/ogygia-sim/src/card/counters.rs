//! Increase, Decrease and their multiple forms.

use super::VirtualCard;
use super::access::Group;
use super::layout::File;
use super::memory::counter_range;
use crate::command::{Command, Reply};
use crate::profile::FileKind;
use crate::status::{self, Refusal};

/// Largest value of a counter.
const MAX: u32 = 0x00FF_FFFF;

impl VirtualCard {
    pub(super) fn count(&mut self, command: &Command) -> Result<Reply, Refusal> {
        if command.p2 & 0x07 != 0 {
            return Err(status::WRONG_P1P2);
        }
        let step = value(command.exactly()?);
        let file = self.file(command.p2 >> 3)?;
        let number = match (file.kind, command.p1) {
            (FileKind::SimulatedCounters, 0 | 1) => 1,
            (FileKind::Counters, number) if (1..=file.counters()).contains(&number) => number,
            (FileKind::SimulatedCounters | FileKind::Counters, _) => return Err(status::WRONG_P1P2),
            _ => return Err(status::WRONG_FILE_TYPE),
        };
        let increase = command.ins == 0x32;
        self.allow_modification(&file, group(increase))?;
        let new = self.counted(&file, number, step, increase)?;
        self.charge(3, true)?;
        self.put_counter(&file, number, new);
        let new = bytes(new);
        if self.profile.behaviour.counter_answers_postponed && self.postpone(&new) {
            return Ok(Reply::done().and(status::POSTPONED));
        }
        Ok(Reply::with(new))
    }

    pub(super) fn count_multiple(&mut self, command: &Command) -> Result<Reply, Refusal> {
        // Cards that postpone answers have no way to postpone several.
        if !self.is_prime_2_or_3() || self.profile.behaviour.counter_answers_postponed {
            return Err(status::UNKNOWN_INS);
        }
        if command.p1 != 0 || command.p2 & 0x07 != 0 {
            return Err(status::WRONG_P1P2);
        }
        let (steps, rest) = command.data.as_chunks::<4>();
        if steps.is_empty() || !rest.is_empty() {
            return Err(status::WRONG_LENGTH);
        }
        let file = self.file(command.p2 >> 3)?;
        if file.kind != FileKind::Counters {
            return Err(status::WRONG_FILE_TYPE);
        }
        let increase = command.ins == 0x3A;
        self.allow_modification(&file, group(increase))?;
        let mut done: Vec<(u8, u32)> = Vec::new();
        for [number, step @ ..] in steps {
            let known = (1..=file.counters()).contains(number);
            if !known || done.iter().any(|(before, _)| before == number) {
                return Err(status::WRONG_DATA);
            }
            done.push((*number, self.counted(&file, *number, value(*step), increase)?));
        }
        self.charge(command.data.len(), true)?;
        let mut data = Vec::new();
        for (number, new) in done {
            self.put_counter(&file, number, new);
            data.push(number);
            data.extend(bytes(new));
        }
        Ok(Reply::with(data))
    }

    /// The value of a counter after a step.
    fn counted(&self, file: &File, number: u8, step: u32, increase: bool) -> Result<u32, Refusal> {
        let record = self.bytes(file, 1)?;
        let range = counter_range(number).ok_or(status::WRONG_P1P2)?;
        let old: [u8; 3] = record.get(range).and_then(|old| old.try_into().ok()).ok_or(status::WRONG_P1P2)?;
        let new = if increase { value(old).checked_add(step) } else { value(old).checked_sub(step) };
        new.filter(|new| *new <= MAX).ok_or(status::WRONG_DATA)
    }

    fn put_counter(&mut self, file: &File, number: u8, new: u32) {
        let offset = counter_range(number).map_or(0, |range| range.start);
        self.memory.content.put(&file.place, 1, offset, &bytes(new));
    }
}

const fn group(increase: bool) -> Group {
    if increase { Group::AppendIncrease } else { Group::WriteDecrease }
}

fn value([high, middle, low]: [u8; 3]) -> u32 {
    u32::from_be_bytes([0, high, middle, low])
}

fn bytes(value: u32) -> [u8; 3] {
    let [_, high, middle, low] = value.to_be_bytes();
    [high, middle, low]
}
