//! Stored Value: specification 01, "SV Get", "SV Reload", "SV Debit and SV Undebit", "Stored Value data".

use alloc::vec::Vec;

use super::apdu::{Apdu, Data};
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::read_records::ReadRecords;
use super::step::{AnswerLength, Encoder, Exchange, Exchanged, Forecast, Material, Moment, Span};
use super::terms::{Terms, check};
use crate::apdu::{Case, Header, StatusSet, StatusWord};
use crate::card::value::{s24, s24_bytes};
use crate::card::{Card, Content, Kvc, Product, Purse, Sfi};
use crate::error::{Argument, Error, Malformed, Misbehaviour, Misuse};

/// What an SV Get prepares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SvOperation {
    /// Money in. A negative amount takes a load back.
    Reload,
    /// Money out.
    Debit,
    /// A debit taken back.
    Undebit,
}

/// Reads the purse, in view of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SvGet {
    /// The operation that follows.
    pub operation: SvOperation,
}

/// Loads the purse. An SV Get for it was prepared before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SvReload {
    /// −8 388 608 to 8 388 607.
    pub amount: i32,
    /// Goes to the load log.
    pub date: [u8; 2],
    /// Goes to the load log.
    pub time: [u8; 2],
    /// Goes to the load log.
    pub free: [u8; 2],
}

/// Takes money out of the purse, or back into it, as the SV Get before said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SvDebit {
    /// 0 to 32 767, in both directions.
    pub amount: u16,
    /// Goes to the debit log.
    pub date: [u8; 2],
    /// Goes to the debit log.
    pub time: [u8; 2],
}

/// Reads the load log and the debit logs of the Stored Value structure as files. What was known of the purse is
/// forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SvReadAllLogs;

pub(super) const GET_REFUSALS: Refusals = &[
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6A81, Refusal::IllegalParameter),
    (0x6A86, Refusal::IllegalParameter),
    (0x6D00, Refusal::IllegalParameter),
];

pub(super) const OPERATION_REFUSALS: Refusals = &[
    (0x6400, Refusal::BufferOverflow),
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
];

/// The application subtype of the Stored Value structure.
const STORED_VALUE_STRUCTURE: u8 = 0x20;

const LOAD_LOG_LEN: usize = 22;
const DEBIT_LOG_LEN: usize = 19;
/// Of a record that holds a log.
const LOG_RECORD_LEN: u8 = 29;

/// What the prepared list holds of Stored Value: specification 02, "Stored Value".
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Plan {
    get: Option<Got>,
    /// In the session that the prepared commands are in.
    pub(super) done_in_session: bool,
}

/// An SV Get that waits for its operation.
#[derive(Clone, Copy, Debug)]
struct Got {
    operation: SvOperation,
    extended: bool,
}

impl Terms<'_> {
    fn has_stored_value(&self, command: CommandName) -> Result<(), Error> {
        if self.card.features().stored_value { Ok(()) } else { Err(Error::Unsupported(command)) }
    }
}

impl SvGet {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.secured(CommandName::SvGet)?;
        terms.has_stored_value(CommandName::SvGet)?;
        let reload = self.operation == SvOperation::Reload;
        if terms.extended() {
            list.push(Get { reload, extended: true });
        } else {
            if terms.means.both_sv_logs {
                list.push(Get { reload: !reload, extended: false });
            }
            list.push(Get { reload, extended: false });
        }
        list.stored_value.get = Some(Got { operation: self.operation, extended: terms.extended() });
        Ok(())
    }
}

impl SvReload {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.secured(CommandName::SvReload)?;
        check(s24(s24_bytes(self.amount)) == self.amount, Argument::Amount)?;
        let [free_1, free_2] = self.free;
        let (date, amount, time) = (self.date, s24_bytes(self.amount), self.time);
        prepare_operation(true, list, terms, |out| {
            out.extend_from_slice(&date);
            out.extend_from_slice(&[free_1, NO_KVC, free_2]);
            out.extend_from_slice(&amount);
            out.extend_from_slice(&time);
        })
    }
}

impl SvDebit {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.secured(CommandName::SvDebit)?;
        let amount = i16::try_from(self.amount).map_err(|_| Argument::Amount)?;
        let undo = matches!(list.stored_value.get, Some(Got { operation: SvOperation::Undebit, .. }));
        let signed = if undo { amount } else { -amount };
        prepare_operation(false, list, terms, |out| {
            out.extend_from_slice(&signed.to_be_bytes());
            out.extend_from_slice(&self.date);
            out.extend_from_slice(&self.time);
            out.push(NO_KVC);
        })
    }
}

/// Stands where the KVC of the purse goes when the command is built.
const NO_KVC: u8 = 0;

fn prepare_operation(
    reload: bool,
    list: &mut List,
    terms: &Terms<'_>,
    write: impl FnOnce(&mut Vec<u8>),
) -> Result<(), Error> {
    let got = list.stored_value.get.take().ok_or(Misuse::StoredValueSequence)?;
    let in_session = list.in_session();
    let fits = (got.operation == SvOperation::Reload) == reload;
    if !fits || (in_session && list.stored_value.done_in_session) {
        return Err(Misuse::StoredValueSequence.into());
    }
    let fields = list.store_with(write);
    let operation = Operation { kind: got.operation, extended: got.extended, in_session, fields };
    // The cost is that of the form inside a session, which has no Le.
    list.push_modifying(operation, 5 + usize::from(operation.lc()), terms)?;
    list.stored_value.done_in_session = in_session;
    Ok(())
}

impl SvReadAllLogs {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_stored_value(CommandName::SvGet)?;
        if terms.card.startup_info().application_subtype() != STORED_VALUE_STRUCTURE {
            return Err(Error::Unsupported(CommandName::SvGet));
        }
        ReadRecords { sfi: Sfi::SV_LOAD_LOG, records: 1..=1, size: LOG_RECORD_LEN }.prepare(list, terms)?;
        ReadRecords { sfi: Sfi::SV_DEBIT_LOG, records: 1..=3, size: LOG_RECORD_LEN }.prepare(list, terms)
    }
}

/// One SV Get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Get {
    reload: bool,
    extended: bool,
}

impl Get {
    const fn le(self) -> u8 {
        match (self.extended, self.reload) {
            (true, _) => 0x3D,
            (false, true) => 0x21,
            (false, false) => 0x1E,
        }
    }
}

/// The parts of an answer to SV Get.
struct Answer<'a> {
    kvc: Kvc,
    purse: Purse,
    load_log: Option<&'a [u8]>,
    debit_log: Option<&'a [u8]>,
}

impl<'a> Answer<'a> {
    fn parse(data: &'a [u8], get: Get) -> Option<Self> {
        if get.extended {
            let (&[kvc, t0, t1], rest) = data.get(8..)?.split_first_chunk::<3>()?;
            let (&[b0, b1, b2], logs) = rest.get(6..)?.split_first_chunk::<3>()?;
            let (load_log, debit_log) = logs.split_at_checked(LOAD_LOG_LEN)?;
            let purse = Purse { balance: s24([b0, b1, b2]), transaction_number: u16::from_be_bytes([t0, t1]) };
            return Some(Self { kvc: Kvc(kvc), purse, load_log: Some(load_log), debit_log: Some(debit_log) });
        }
        let (&[kvc, t0, t1, _, _, _, _, _, b0, b1, b2], log) = data.split_first_chunk::<11>()?;
        let purse = Purse { balance: s24([b0, b1, b2]), transaction_number: u16::from_be_bytes([t0, t1]) };
        let (load_log, debit_log) = if get.reload { (Some(log), None) } else { (None, Some(log)) };
        Some(Self { kvc: Kvc(kvc), purse, load_log, debit_log })
    }
}

impl Exchange for Get {
    fn name(&self) -> CommandName {
        CommandName::SvGet
    }

    fn case(&self) -> Case {
        Case::Two(self.le())
    }

    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let p2 = if self.reload { 0x07 } else { 0x09 };
        Apdu::bare(Header::new(to.class().stored_value_byte(), 0x7C, u8::from(self.extended), p2))
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(self.le())
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        true
    }

    fn applies_command(&self) -> bool {
        true
    }

    fn apply(&self, exchanged: &Exchanged<'_>, card: &mut Card) -> Result<(), Misbehaviour> {
        let answer = Answer::parse(exchanged.answer.data, *self).ok_or(Malformed::StoredValue)?;
        card.content.purse = Some(answer.purse);
        card.sv_get.kvc = Some(answer.kvc);
        card.sv_get.header = exchanged.command.get(1..5).and_then(|header| header.try_into().ok()).unwrap_or_default();
        card.sv_get.response.clear();
        card.sv_get.response.extend_from_slice(exchanged.answer.data);
        card.sv_get.response.extend_from_slice(&exchanged.answer.status.to_bytes());
        if let Some(log) = answer.load_log {
            push_log(Sfi::SV_LOAD_LOG, log, &mut card.content);
        }
        if let Some(log) = answer.debit_log {
            push_log(Sfi::SV_DEBIT_LOG, log, &mut card.content);
        }
        Ok(())
    }
}

/// A log becomes record 1 of its file; in place of the one there when both have the same number: point G36.
fn push_log(sfi: Sfi, log: &[u8], content: &mut Content) {
    let number = |log: &[u8]| log.len().checked_sub(2).and_then(|start| log.get(start..)?.first_chunk::<2>().copied());
    let known = content.files.by_sfi(sfi).and_then(|file| file.record(1)?.get(..log.len()));
    if known.and_then(number) == number(log) {
        content.files.replace(sfi, 1, log);
    } else {
        content.files.append(sfi, log);
    }
}

/// One SV Reload, SV Debit or SV Undebit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    kind: SvOperation,
    /// The form is that of its SV Get.
    extended: bool,
    in_session: bool,
    /// What the application gave, with a place for the KVC.
    fields: Span,
}

impl Operation {
    const fn ins(self) -> u8 {
        match self.kind {
            SvOperation::Reload => 0xB8,
            SvOperation::Debit => 0xBA,
            SvOperation::Undebit => 0xBC,
        }
    }

    const fn lc(self) -> u8 {
        match (self.kind, self.extended) {
            (SvOperation::Reload, false) => 0x17,
            (SvOperation::Reload, true) => 0x1C,
            (_, false) => 0x14,
            (_, true) => 0x19,
        }
    }

    /// Bytes of the card's MAC.
    const fn card_mac_len(self) -> u8 {
        if self.extended { 6 } else { 3 }
    }

    pub(crate) const fn operation(self) -> SvOperation {
        self.kind
    }

    pub(crate) const fn is_extended(self) -> bool {
        self.extended
    }

    pub(crate) const fn in_session(self) -> bool {
        self.in_session
    }

    /// The amount that leaves the purse in a debit that is not an undo.
    pub(crate) fn debit(self, payload: &[u8]) -> Option<i32> {
        let amount = self.fields.of(payload).first_chunk::<2>()?;
        (self.kind == SvOperation::Debit).then(|| -i32::from(i16::from_be_bytes(*amount)))
    }

    /// The fields, with the KVC of the purse in its place.
    fn fields(self, payload: &[u8], kvc: Kvc) -> impl Iterator<Item = u8> + '_ {
        let place = match self.kind {
            SvOperation::Reload => 3,
            SvOperation::Debit | SvOperation::Undebit => 6,
        };
        let fields = self.fields.of(payload).iter().enumerate();
        fields.map(move |(index, byte)| if index == place { kvc.0 } else { *byte })
    }

    /// What the SAM signs: specification 03, "SV Prepare Load".
    pub(crate) fn write_partial(self, payload: &[u8], kvc: Kvc, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.ins(), 0x00, 0x00, self.lc(), 0x00]);
        out.extend(self.fields(payload, kvc));
    }
}

impl Exchange for Operation {
    fn name(&self) -> CommandName {
        match self.kind {
            SvOperation::Reload => CommandName::SvReload,
            SvOperation::Debit => CommandName::SvDebit,
            SvOperation::Undebit => CommandName::SvUndebit,
        }
    }

    fn case(&self) -> Case {
        if self.in_session { Case::Three } else { Case::Four(self.card_mac_len()) }
    }

    /// The material is what SV Prepare gave: challenge (3), SAM transaction number (3) and MAC.
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let (&[c0, c1, c2, n0, n1, n2], mac) = to.material.split_first_chunk::<6>().unwrap_or((&[0; 6], &[]));
        let header = Header::new(to.class().stored_value_byte(), self.ins(), c0, c1);
        let signed = to.sam_serial_number.into_iter().chain([n0, n1, n2]).chain(mac.iter().copied());
        Apdu::new(header, Data::made([c2].into_iter().chain(self.fields(to.payload, to.purse_kvc)).chain(signed)))
    }

    fn accepts(&self) -> StatusSet {
        StatusSet::POSTPONED
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(if self.in_session { 0 } else { self.card_mac_len() })
    }

    fn modifies(&self) -> bool {
        true
    }

    fn ends_block(&self, moment: Moment, _undetermined: bool) -> bool {
        !moment.in_session()
    }

    fn applies_command(&self) -> bool {
        true
    }

    fn material(&self) -> Material {
        Material::StoredValue
    }

    /// A revision 2 card may also answer `9000`: point G4.
    fn predict(&self, from: &Forecast<'_>, out: &mut Vec<u8>) -> bool {
        let certain = from.product == Product::PrimeRevision3;
        if certain {
            out.extend_from_slice(&StatusWord::POSTPONED.to_bytes());
        }
        certain
    }

    fn change(&self, exchanged: &Exchanged<'_>, content: &mut Content) -> Result<(), Misbehaviour> {
        let Some(purse) = content.purse else { return Ok(()) };
        let data = exchanged.command.get(5..).unwrap_or_default();
        let part = |range: core::ops::Range<usize>| data.get(range).unwrap_or_default();
        let amount = match self.kind {
            SvOperation::Reload => part(6..9).first_chunk::<3>().map_or(0, |amount| s24(*amount)),
            SvOperation::Debit | SvOperation::Undebit => {
                part(1..3).first_chunk::<2>().map_or(0, |amount| i32::from(i16::from_be_bytes(*amount)))
            }
        };
        let purse = Purse {
            balance: purse.balance.wrapping_add(amount),
            transaction_number: purse.transaction_number.wrapping_add(1),
        };
        content.purse = Some(purse);
        let (balance, number) = (s24_bytes(purse.balance), purse.transaction_number.to_be_bytes());
        let mut log = [0; LOAD_LOG_LEN];
        let (sfi, len, parts) = match self.kind {
            SvOperation::Reload => {
                (Sfi::SV_LOAD_LOG, LOAD_LOG_LEN, [part(1..6), &balance, part(6..9), part(9..18), &number])
            }
            SvOperation::Debit | SvOperation::Undebit => {
                (Sfi::SV_DEBIT_LOG, DEBIT_LOG_LEN, [part(1..15), &balance, &number, &[], &[]])
            }
        };
        log.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
        push_log(sfi, log.get(..len).unwrap_or_default(), content);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{applied_as, card};
    use crate::test_hex::hex;
    use alloc::format;

    const SV: &str = "0A3C2220141001";
    const BEFORE_RELOAD: &str = "79 0072 21D35F 0E36 123456 0000 00 79 00 00001A 000002 0000 12345678 0000DB 0070 9000";
    const BEFORE_DEBIT: &str = "790073A54BC97DFA123456 FFFE0000000079123456780000DD0000160072 9000";

    fn written(step: &impl Exchange, startup: &str, payload: &[u8], material: &str) -> Vec<u8> {
        let card = card(startup);
        let material = hex(material);
        let mut out = Vec::new();
        let encoder = Encoder {
            product: card.product(),
            quirks: card.identity.quirks,
            payload,
            material: &material,
            purse_kvc: Kvc(0x79),
            sam_serial_number: [0x12, 0x34, 0x56, 0x78],
        };
        step.encode(&encoder, &mut out);
        out
    }

    fn record(card: &Card, sfi: Sfi, number: u8) -> Vec<u8> {
        card.file(sfi).unwrap().record(number).unwrap().to_vec()
    }

    /// Worked examples 70 and 71.
    #[test]
    fn reload() {
        let mut card = card(SV);
        let get = Get { reload: true, extended: false };
        assert_eq!(written(&get, SV, &[], ""), hex("007C000721"));
        applied_as(&get, &mut card, "007C000721", BEFORE_RELOAD).unwrap();
        assert_eq!(card.purse(), Some(Purse { balance: 1_193_046, transaction_number: 114 }));
        assert_eq!(card.sv_get.header, [0x7C, 0x00, 0x07, 0x21]);
        let payload = hex("0000 00 00 00 000002 0000");
        let fields = Span::between(0, payload.len());
        let reload = Operation { kind: SvOperation::Reload, extended: false, in_session: false, fields };
        let mut partial = Vec::new();
        reload.write_partial(&payload, Kvc(0x79), &mut partial);
        assert_eq!(partial, hex("B8000017 00 0000 00 79 00 000002 0000"));
        let command = "00B89591 17 16 0000 00 79 00 000002 0000 12345678 0000DE 2C8CB3D280 03";
        assert_eq!(written(&reload, SV, &payload, "959116 0000DE 2C8CB3D280"), hex(command));
        applied_as(&reload, &mut card, command, "A54BC9 9000").unwrap();
        assert_eq!(card.purse(), Some(Purse { balance: 1_193_048, transaction_number: 115 }));
        let log = hex("0000 00 79 00 123458 000002 0000 12345678 0000DE 0073");
        assert_eq!(record(&card, Sfi::SV_LOAD_LOG, 1), log);
        assert_eq!(record(&card, Sfi::SV_LOAD_LOG, 2)[20..], [0x00, 0x70]);
    }

    /// Worked examples 72 to 75, and point G29.
    #[test]
    fn debit_and_undebit() {
        for (kind, amount, balance) in
            [(SvOperation::Debit, "FFFE", 1_193_044), (SvOperation::Undebit, "0002", 1_193_048)]
        {
            let mut card = card(SV);
            let get = Get { reload: false, extended: false };
            assert_eq!(written(&get, "0A3C1205141001", &[], ""), hex("FA7C00091E"));
            applied_as(&get, &mut card, "007C00091E", BEFORE_DEBIT).unwrap();
            let payload = hex(&format!("{amount} 0000 0000 00"));
            let fields = Span::between(0, payload.len());
            let operation = Operation { kind, extended: false, in_session: true, fields };
            let ins = operation.ins();
            let command = format!("00{ins:02X}CD00 14 34 {amount} 0000 0000 79 12345678 0000DF 0C9437AABB");
            assert_eq!(written(&operation, SV, &payload, "CD0034 0000DF 0C9437AABB"), hex(&command));
            applied_as(&operation, &mut card, &command, "6200").unwrap();
            assert_eq!(card.purse(), Some(Purse { balance, transaction_number: 116 }));
            let log = format!("{amount} 0000 0000 79 12345678 0000DF {balance:06X} 0074");
            assert_eq!(record(&card, Sfi::SV_DEBIT_LOG, 1), hex(&log));
        }
    }

    /// Worked example 76.
    #[test]
    fn extended() {
        let mut card = card("0A3C2A20141001");
        let get = Get { reload: false, extended: true };
        assert_eq!(written(&get, SV, &[], ""), hex("007C01093D"));
        let answer = "8877665544332211 CD 1234 55AABB66DD77 564321 0123 12 34 34 7890AB 223344 3210 11223344 543210 5678 \
            3344 0123 3210 34 11223344 543210 7890AB 5678 9000";
        applied_as(&get, &mut card, "007C01093D", answer).unwrap();
        assert_eq!(card.purse(), Some(Purse { balance: 5_653_281, transaction_number: 4_660 }));
        assert_eq!((card.sv_get.kvc, record(&card, Sfi::SV_DEBIT_LOG, 1).len()), (Some(Kvc(0xCD)), 19));
    }

    /// Point G36.
    #[test]
    fn the_same_log_twice_is_one() {
        let mut card = card(SV);
        let get = Get { reload: false, extended: false };
        for _ in 0..2 {
            applied_as(&get, &mut card, "007C00091E", BEFORE_DEBIT).unwrap();
        }
        assert_eq!(card.file(Sfi::SV_DEBIT_LOG).unwrap().records().count(), 1);
    }
}
