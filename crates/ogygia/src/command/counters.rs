//! Increase and Decrease, of one counter and of several: specification 01, "Increase and Decrease", "Increase Multiple
//! and Decrease Multiple".

use alloc::vec::Vec;

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Forecast, Moment, Span};
use super::terms::{Terms, check, check_sfi};
use crate::apdu::{Case, StatusSet, StatusWord};
use crate::card::value::{u24, u24_bytes};
use crate::card::{COUNTER_MAX, Card, Content, PostponedCounters, Sfi};
use crate::error::{Argument, Error, Misbehaviour, Misuse};

/// Which way a counter goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CounterChange {
    /// Up.
    Increase,
    /// Down.
    Decrease,
}

/// Increases or decreases one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCounter {
    /// Which way.
    pub change: CounterChange,
    /// The file.
    pub sfi: Sfi,
    /// The counter, from 1 on; 0 in a file of one simulated counter.
    pub counter: u8,
    /// By how much, 0 to 16 777 215.
    pub by: u32,
}

/// Increases or decreases several counters of a file, no counter twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeCounters<'a> {
    /// Which way.
    pub change: CounterChange,
    /// The file.
    pub sfi: Sfi,
    /// Counter, from 1 on, and by how much, 0 to 16 777 215.
    pub by: &'a [(u8, u32)],
}

/// Brings a counter to a value, by one Increase or Decrease of the difference; by nothing when it has it already.
///
/// The counter must be known. Changes that are prepared before count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetCounter {
    /// The file.
    pub sfi: Sfi,
    /// The counter, from 1 on; 0 in a file of one simulated counter.
    pub counter: u8,
    /// The value wanted, 0 to 16 777 215.
    pub to: u32,
}

pub(super) const ONE_REFUSALS: Refusals = &[
    (0x6103, Refusal::IllegalParameter),
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::IllegalParameter),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A80, Refusal::DataOutOfBounds),
    (0x6A82, Refusal::DataAccess),
    (0x6B00, Refusal::DataAccess),
];

pub(super) const SEVERAL_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::IllegalParameter),
    (0x6981, Refusal::DataAccess),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6986, Refusal::DataAccess),
    (0x6A80, Refusal::IllegalParameter),
    (0x6A82, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter),
];

/// Number and value of a counter in a multiple command and its answer.
const ENTRY: usize = 4;

impl CounterChange {
    fn of(self, by: u32) -> i64 {
        match self {
            Self::Increase => i64::from(by),
            Self::Decrease => -i64::from(by),
        }
    }

    fn apply(self, value: u32, by: u32) -> Option<u32> {
        match self {
            Self::Increase => value.checked_add(by).filter(|value| *value <= COUNTER_MAX),
            Self::Decrease => value.checked_sub(by),
        }
    }
}

impl ChangeCounter {
    /// Increases `counter` of the file by `by`.
    #[must_use]
    pub const fn increase(sfi: Sfi, counter: u8, by: u32) -> Self {
        Self { change: CounterChange::Increase, sfi, counter, by }
    }

    /// Decreases `counter` of the file by `by`.
    #[must_use]
    pub const fn decrease(sfi: Sfi, counter: u8, by: u32) -> Self {
        Self { change: CounterChange::Decrease, sfi, counter, by }
    }

    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_sfi(self.sfi)?;
        terms.check_counter_number(self.counter, 0)?;
        check(self.by <= COUNTER_MAX, Argument::CounterValue)?;
        let answered = terms.card.postponed_counters() == PostponedCounters::No;
        let length = if answered { 9 } else { 8 };
        let step = ChangeOne { change: self.change, sfi: self.sfi, counter: self.counter, by: self.by, answered };
        list.push_modifying(step, length, terms)?;
        list.drifts.add(self.sfi, image_counter(self.counter), self.change.of(self.by));
        Ok(())
    }
}

impl ChangeCounters<'_> {
    pub(super) fn prepare(&self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        check_sfi(self.sfi)?;
        terms.check_counter_count(self.by.len())?;
        for (index, &(counter, by)) in self.by.iter().enumerate() {
            terms.check_counter_number(counter, 1)?;
            check(by <= COUNTER_MAX, Argument::CounterValue)?;
            let twice = self.by.iter().take(index).any(|(other, _)| *other == counter);
            check(!twice, Argument::CounterNumber)?;
        }
        if !terms.product().changes_several_counters() {
            for &(counter, by) in self.by {
                ChangeCounter { change: self.change, sfi: self.sfi, counter, by }.prepare(list, terms)?;
            }
            return Ok(());
        }
        for group in self.by.chunks((usize::from(terms.capacity()) / ENTRY).max(1)) {
            let values = list.store_with(|out| write_sorted(group, out));
            let step = ChangeSeveral { change: self.change, sfi: self.sfi, values };
            list.push_modifying(step, 6 + values.len(), terms)?;
            group.iter().for_each(|&(counter, by)| list.drifts.add(self.sfi, counter, self.change.of(by)));
        }
        Ok(())
    }
}

/// Appends the entries in the order of their counters.
fn write_sorted(group: &[(u8, u32)], out: &mut Vec<u8>) {
    let mut last = 0;
    while let Some(&(counter, by)) = group.iter().filter(|(counter, _)| *counter > last).min() {
        out.push(counter);
        out.extend_from_slice(&u24_bytes(by));
        last = counter;
    }
}

impl SetCounter {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        let known = self.value_after(list, terms.card).ok_or(Misuse::CounterUnknown)?;
        check(self.to <= COUNTER_MAX, Argument::CounterValue)?;
        let (change, by) = match self.to.checked_sub(known) {
            Some(0) => return Ok(()),
            Some(by) => (CounterChange::Increase, by),
            None => (CounterChange::Decrease, known - self.to),
        };
        ChangeCounter { change, sfi: self.sfi, counter: self.counter, by }.prepare(list, terms)
    }

    /// The counter as the prepared commands will leave it.
    fn value_after(self, list: &List, card: &Card) -> Option<u32> {
        let counter = image_counter(self.counter);
        let known = card.files().addressed(self.sfi)?.counter(counter)?;
        list.drifts.apply(self.sfi, counter, known)
    }
}

/// A simulated counter is counter 1 of its file.
fn image_counter(counter: u8) -> u8 {
    counter.max(1)
}

/// One Increase or Decrease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeOne {
    change: CounterChange,
    sfi: Sfi,
    counter: u8,
    by: u32,
    /// With Le. Decided when the command is prepared, and not revised.
    answered: bool,
}

impl ChangeOne {
    /// File and counter of the image.
    pub(crate) fn target(&self) -> (Sfi, u8) {
        (self.sfi, image_counter(self.counter))
    }

    fn predicted(&self, content: &Content) -> Option<u32> {
        let (sfi, counter) = self.target();
        self.change.apply(content.files.addressed(sfi)?.known_counter(counter)?, self.by)
    }
}

impl Exchange for ChangeOne {
    fn name(&self) -> CommandName {
        match self.change {
            CounterChange::Increase => CommandName::Increase,
            CounterChange::Decrease => CommandName::Decrease,
        }
    }

    fn case(&self) -> Case {
        if self.answered { Case::Four(0) } else { Case::Three }
    }

    #[inline(always)]
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let ins = match self.change {
            CounterChange::Increase => 0x32,
            CounterChange::Decrease => 0x30,
        };
        Apdu::new(to.header(ins, self.counter, self.sfi.0 << 3), u24_bytes(self.by))
    }

    fn continues_after(&self, _moment: Moment, postponed: PostponedCounters) -> StatusSet {
        match postponed {
            PostponedCounters::No => StatusSet::SUCCESS,
            PostponedCounters::Yes | PostponedCounters::Undetermined => StatusSet::POSTPONED,
        }
    }

    fn accepts(&self) -> StatusSet {
        StatusSet::POSTPONED
    }

    /// Until a revision 1 or 2 card has answered one, nobody knows in which form the next one is to be sent.
    fn ends_block(&self, _moment: Moment, undetermined: bool) -> bool {
        undetermined
    }

    /// Depends on the status word: `change` checks it.
    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Any
    }

    fn modifies(&self) -> bool {
        true
    }

    fn file(&self) -> Sfi {
        self.sfi
    }

    fn takes_image(&self) -> bool {
        true
    }

    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        match from.postponed {
            PostponedCounters::Undetermined => false,
            PostponedCounters::Yes => {
                out.extend_from_slice(&StatusWord::POSTPONED.to_bytes());
                true
            }
            PostponedCounters::No => {
                let Some(value) = self.predicted(from.content) else { return false };
                out.extend_from_slice(&u24_bytes(value));
                out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
                true
            }
        }
    }

    #[inline(always)]
    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let answer = exchanged.answer;
        let expected = if answer.status == StatusWord::POSTPONED { 0 } else { 3 };
        let unexpected = Misbehaviour::UnexpectedLength { expected, received: answer.data.len() };
        if answer.data.len() != expected {
            return Err(unexpected);
        }
        let (sfi, counter) = self.target();
        let value = match answer.data.first_chunk::<3>() {
            Some(value) => Some(*value),
            None => self.predicted(content).map(u24_bytes),
        };
        match value {
            Some(value) => content.files.set_counter(sfi, counter, value),
            None => content.files.forget_counter(sfi, counter),
        }
        Ok(())
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        self.change(exchanged, &mut card.content)?;
        card.postponed = match exchanged.answer.status {
            StatusWord::POSTPONED => PostponedCounters::Yes,
            _ => PostponedCounters::No,
        };
        Ok(())
    }
}

/// One Increase Multiple or Decrease Multiple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChangeSeveral {
    change: CounterChange,
    sfi: Sfi,
    /// Counter and change, four bytes each, by counter.
    values: Span,
}

impl ChangeSeveral {
    fn entries<'a>(&self, payload: &'a [u8]) -> impl Iterator<Item = (u8, u32)> + 'a {
        entries(self.values.of(payload))
    }
}

fn entries(bytes: &[u8]) -> impl Iterator<Item = (u8, u32)> + '_ {
    let entry = |entry: &[u8]| entry.first_chunk::<ENTRY>().map(|&[counter, a, b, c]| (counter, u24([a, b, c])));
    bytes.chunks(ENTRY).filter_map(entry)
}

impl Exchange for ChangeSeveral {
    fn name(&self) -> CommandName {
        match self.change {
            CounterChange::Increase => CommandName::IncreaseMultiple,
            CounterChange::Decrease => CommandName::DecreaseMultiple,
        }
    }

    fn case(&self) -> Case {
        Case::Four(0)
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let ins = match self.change {
            CounterChange::Increase => 0x3A,
            CounterChange::Decrease => 0x38,
        };
        Apdu::new(to.header(ins, 0x00, self.sfi.0 << 3), to.data(self.values))
    }

    fn answer_length(&self) -> AnswerLength {
        // Within the payload capacity.
        AnswerLength::Exactly(u8::try_from(self.values.len()).unwrap_or(u8::MAX))
    }

    fn modifies(&self) -> bool {
        true
    }

    fn file(&self) -> Sfi {
        self.sfi
    }

    fn takes_image(&self) -> bool {
        true
    }

    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        let Some(file) = from.content.files.addressed(self.sfi) else { return false };
        for (counter, by) in self.entries(from.payload) {
            let Some(value) = file.known_counter(counter).and_then(|value| self.change.apply(value, by)) else {
                return false;
            };
            out.push(counter);
            out.extend_from_slice(&u24_bytes(value));
        }
        out.extend_from_slice(&StatusWord::SUCCESS.to_bytes());
        true
    }

    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let answer = exchanged.answer;
        content.files.touch(self.sfi);
        for (counter, value) in entries(answer.data) {
            content.files.set_counter(self.sfi, counter, u24_bytes(value));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{card, prepared, processed};
    use crate::test_hex::hex;

    const R3: &str = "0A3C2005141001";
    const R2: &str = "0A2E1142000101";
    const BASIC: &str = "043C9805141001";
    const UP: CounterChange = CounterChange::Increase;
    const DOWN: CounterChange = CounterChange::Decrease;

    fn counter(card: &Card, counter: u8) -> Option<u32> {
        card.file(Sfi(1))?.counter(counter)
    }

    /// Worked examples 57 and 58.
    #[test]
    fn one_counter() {
        let mut card = card(R3);
        let down = ChangeCounter { change: DOWN, sfi: Sfi(1), counter: 1, by: 100 };
        processed(&mut card, down.into(), &["003001080300006400"], &["0010BE9000"]).unwrap();
        assert_eq!(counter(&card, 1), Some(4286));
        let up = ChangeCounter { change: UP, ..down };
        processed(&mut card, up.into(), &["003201080300006400"], &["0022759000"]).unwrap();
        assert_eq!(counter(&card, 1), Some(8821));
    }

    /// Worked example 59, and points E-21 and E-22.
    #[test]
    fn postponed_answers() {
        let up = ChangeCounter { change: UP, sfi: Sfi(1), counter: 1, by: 1 }.into();
        let mut card = card(R2);
        processed(&mut card, Clone::clone(&up), &["9432010803000001"], &["6200"]).unwrap();
        assert_eq!((card.postponed_counters(), counter(&card, 1)), (PostponedCounters::Yes, None));
        processed(&mut card, Clone::clone(&up), &["9432010803000001"], &["0000119000"]).unwrap();
        assert_eq!((card.postponed_counters(), counter(&card, 1)), (PostponedCounters::No, Some(17)));
        for answer in ["9000", "0000116200", "00119000"] {
            processed(&mut card, Clone::clone(&up), &["943201080300000100"], &[answer]).unwrap_err();
        }
        assert_eq!(counter(&card, 1), Some(17));
    }

    /// Worked examples 60, 61 and 62.
    #[test]
    fn several_counters() {
        let mut card_3 = card(R3);
        let up = ChangeCounters { change: UP, sfi: Sfi(1), by: &[(3, 3), (1, 1), (2, 2)] };
        let sent = ["003A00080C01000001020000020300000300"];
        processed(&mut card_3, up.into(), &sent, &["0100001102000022030000339000"]).unwrap();
        assert_eq!([1, 2, 3].map(|n| counter(&card_3, n)), [Some(0x11), Some(0x22), Some(0x33)]);
        let down = ChangeCounters { change: DOWN, sfi: Sfi(1), by: &[(1, 0x11), (2, 0x22), (8, 0x88)] };
        let sent = ["003800080C01000011020000220800008800"];
        processed(&mut card_3, down.into(), &sent, &["0100011102000222080008889000"]).unwrap();
        assert_eq!(counter(&card_3, 8), Some(0x888));
        let up = ChangeCounters { change: UP, sfi: Sfi(1), by: &[(2, 2), (1, 1)] };
        let sent = ["003202080300000200", "003201080300000100"];
        processed(&mut card(BASIC), up.into(), &sent, &["0000229000", "0000119000"]).unwrap();
    }

    #[test]
    fn arguments() {
        let change = |counter, by| {
            prepared(R3, &[ChangeCounter { change: UP, sfi: Sfi(1), counter, by }.into()])
                .map(|commands| commands.len())
        };
        assert_eq!(change(0, COUNTER_MAX), Ok(1));
        assert_eq!(change(78, 0), Ok(1));
        assert_eq!(change(79, 0), Err(Argument::CounterNumber.into()));
        assert_eq!(change(1, COUNTER_MAX + 1), Err(Argument::CounterValue.into()));
        let changes = |by: &[(u8, u32)]| {
            prepared(R3, &[ChangeCounters { change: UP, sfi: Sfi(1), by }.into()]).map(|commands| commands.len())
        };
        assert_eq!(changes(&[]), Err(Argument::CounterCount.into()));
        assert_eq!(changes(&[(0, 1)]), Err(Argument::CounterNumber.into()));
        assert_eq!(changes(&[(1, 1), (1, 2)]), Err(Argument::CounterNumber.into()));
        assert_eq!(changes(&[(1, COUNTER_MAX + 1)]), Err(Argument::CounterValue.into()));
        let many: Vec<_> = (1..=78).map(|counter| (counter, 1)).collect();
        assert_eq!(changes(&many), Ok(2));
    }

    #[test]
    fn set_counter_counts_what_is_prepared() {
        let mut card = card(R3);
        card.content.files.replace(Sfi(1), 1, &hex("000064000005"));
        let set = |to| SetCounter { sfi: Sfi(1), counter: 1, to };
        processed(&mut card, set(90).into(), &["003001080300000A00"], &["00005A9000"]).unwrap();
        processed(&mut card, set(90).into(), &[], &[]).unwrap();
        assert_eq!(processed(&mut card, set(COUNTER_MAX + 1).into(), &[], &[]), Err(Argument::CounterValue.into()));
        let unknown = SetCounter { sfi: Sfi(1), counter: 3, to: 1 };
        assert_eq!(processed(&mut card, unknown.into(), &[], &[]), Err(Misuse::CounterUnknown.into()));
    }

    #[test]
    fn predictions_stay_in_range() {
        let mut card = card(R3);
        card.content.files.replace(Sfi(1), 1, &hex("000005FFFFFF"));
        let predict = |change, counter, by| {
            let step = ChangeOne { change, sfi: Sfi(1), counter, by, answered: true };
            let mut out = Vec::new();
            let from = Forecast {
                product: card.product(),
                postponed: PostponedCounters::No,
                content: &card.content,
                pre_opened: false,
                payload: &[],
            };
            step.predict(&from, &mut out).then_some(out)
        };
        assert_eq!(predict(DOWN, 1, 5), Some(hex("0000009000")));
        assert_eq!(predict(DOWN, 1, 6), None);
        assert_eq!(predict(UP, 2, 1), None);
        assert_eq!(predict(UP, 3, 1), None);
    }
}
