//! Cards, SAMs, settings and operations as proptest draws them: mostly sensible, sometimes out of range.

use ogygia::card::{Card, KeyId, Kif, Kvc, Level, Lid, Sfi};
use ogygia::command::{
    AppendRecord, CancelSession, ChangeCounter, ChangeCounters, ChangeKey, ChangePin, CheckPinStatus, CloseSession,
    Command, CounterChange, DataTag, GenerateKeyPair, GetData, Invalidate, OpenSession, Pin, PreOpenSession, PutData,
    ReadBinary, ReadCounters, ReadRecord, ReadRecords, ReadRecordsPartially, Rehabilitate, SearchRecords, SelectFile,
    SetCounter, SvDebit, SvGet, SvOperation, SvReadAllLogs, SvReload, UpdateBinary, UpdateRecord, VerifyPin,
    WriteBinary, WriteRecord,
};
use ogygia::sam::{ComputeSignature, Sam, SignatureKind, Traceability, VerifySignature};
use ogygia::selection::{Occurrence, Selection};
use ogygia::transaction::{Policy, Security, SymmetricSettings};
use proptest::prelude::*;

/// One thing that an application does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Prepare(Command<'static>),
    /// Process what was prepared, and close the channel or not.
    Process(bool),
    Abandon,
    Prefetch,
    Sign(ComputeSignature<'static>),
    Verify(VerifySignature<'static>),
}

/// Startup information of every product, with what it can do: PIN, Stored Value, extended sessions, PKI, quirks.
const STARTUP: [[u8; 7]; 9] = [
    [0x0A, 0x3C, 0x20, 0x05, 0x14, 0x10, 0x01],
    [0x06, 0x3C, 0x23, 0x20, 0x14, 0x11, 0x01],
    [0x0A, 0x3C, 0x2B, 0x20, 0x14, 0x10, 0x01],
    [0x0A, 0x3C, 0x3F, 0x05, 0x14, 0x11, 0x01],
    [0x0A, 0x2E, 0x11, 0x42, 0x00, 0x01, 0x01],
    [0x0A, 0x2E, 0x13, 0x20, 0x00, 0x01, 0x01],
    [0x03, 0x08, 0x03, 0x04, 0x00, 0x02, 0x00],
    [0x06, 0x43, 0x90, 0x31, 0x2B, 0x01, 0x00],
    [0x04, 0x3C, 0x98, 0x05, 0x14, 0x10, 0x01],
];

const REVISION_1: [u8; 20] = [
    0x3B, 0x8F, 0x80, 0x01, 0x80, 0x5A, 0x0A, 0x01, 0x03, 0x20, 0x03, 0x11, 0x12, 0x34, 0x56, 0x78, 0x82, 0x90, 0x00,
    0xF7,
];

/// An answer to Select Application.
pub(crate) fn select_response(startup: [u8; 7], status: [u8; 2]) -> Vec<u8> {
    let mut response = vec![0x6F, 0x23, 0x84, 0x09];
    response.extend_from_slice(b"1TIC.ICA1");
    response.extend_from_slice(&[0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7, 0x08, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
    response.extend_from_slice(&[0x53, 0x07]);
    response.extend_from_slice(&startup);
    response.extend_from_slice(&status);
    response
}

/// Answers to Select Application of every product.
pub(crate) fn select_responses() -> impl Strategy<Value = Vec<u8>> {
    (prop::sample::select(&STARTUP[..]), prop::sample::select(vec![[0x90, 0x00], [0x62, 0x83]]))
        .prop_map(|(startup, status)| select_response(startup, status))
}

/// Power-on data of a revision 1 card.
pub(crate) fn power_on_data() -> impl Strategy<Value = Vec<u8>> {
    any::<[u8; 4]>().prop_map(|serial| {
        let mut atr = REVISION_1.to_vec();
        atr.splice(12..16, serial);
        atr
    })
}

/// A card that foretold a session when it was selected, or opened one by mistake, or said something else.
fn pre_opened() -> impl Strategy<Value = Card> {
    let foretold = vec![0, 3, 1, 9, 9, 9, 9, 9, 2, 0x30, 0x79, 0, 0x62, 0x00];
    let opened = vec![0, 3, 1, 9, 9, 9, 9, 9, 2, 0x30, 0x79, 0, 0x90, 0x00];
    let other = prop::collection::vec(any::<u8>(), 2..20);
    (level(), prop_oneof![3 => Just(foretold), 1 => Just(opened), 1 => other]).prop_map(|(level, answer)| {
        let mut selection = Selection::by_name(b"1TIC.ICA", Occurrence::First).unwrap();
        selection.prepare(PreOpenSession { level }).unwrap();
        let response = select_response([0x0A, 0x3C, 0x2B, 0x20, 0x14, 0x10, 0x01], [0x90, 0x00]);
        selection.card(&[], &[&response[..], &answer].into_iter().collect()).unwrap().unwrap()
    })
}

/// A card of any product.
pub(crate) fn card() -> impl Strategy<Value = Card> {
    prop_oneof![
        5 => select_responses().prop_map(|response| Card::from_select_response(&response).unwrap()),
        1 => power_on_data().prop_map(|atr| Card::from_power_on_data(&atr).unwrap()),
        1 => pre_opened(),
    ]
}

fn sam() -> impl Strategy<Value = Sam> {
    // C1, HSM C1, S1E1, S1Dx: subtype and issuer.
    prop::sample::select(vec![(0xC1, 0x20), (0xC1, 0x20), (0xC1, 0x08), (0xE1, 0x20), (0xD1, 0x20)]).prop_map(
        |(subtype, issuer)| {
            Sam::from_power_on_data(&[
                0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, subtype, issuer, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44,
                0x82, 0x90, 0x00,
            ])
        },
    )
}

fn key() -> impl Strategy<Value = KeyId> {
    (0x30..0x32_u8, 0x79..0x7B_u8).prop_map(|(kif, kvc)| KeyId { kif: Kif(kif), kvc: Kvc(kvc) })
}

/// Mostly a SAM.
pub(crate) fn security() -> impl Strategy<Value = Security> {
    let switches = any::<[bool; 7]>();
    let capacity = prop_oneof![3 => Just(None), 1 => (60..=255_u8).prop_map(Some)];
    let keys = (prop::option::of(key()), prop::option::of(key()));
    let symmetric = (sam(), switches, capacity, keys).prop_map(|(sam, switches, capacity, keys)| {
        let mut settings = SymmetricSettings::new(sam);
        let [multiple, ratify, read, plain, both_logs, negative, overlapped] = switches;
        settings.policy = if overlapped { Policy::Overlapped } else { Policy::Grouped };
        settings.multiple_sessions = multiple;
        settings.ratification_command = ratify;
        settings.read_on_opening = read;
        settings.pin_plain = plain;
        settings.sv_load_and_debit_log = both_logs;
        settings.sv_negative_balance = negative;
        settings.sam_reader_capacity = capacity;
        (settings.pin_verification_key, settings.pin_modification_key) = keys;
        settings.default_kif = Level::ALL.map(|level| (level, Kif(0x30))).to_vec();
        settings.default_kvc = Level::ALL.map(|level| (level, Kvc(0x79))).to_vec();
        Security::Symmetric(settings)
    });
    prop_oneof![1 => Just(Security::None), 9 => symmetric]
}

fn sfi() -> impl Strategy<Value = Sfi> {
    prop_oneof![12 => prop::sample::select(vec![0, 1, 7, 8, 0x14, 0x19, 30]), 1 => any::<u8>()].prop_map(Sfi)
}

fn number() -> impl Strategy<Value = u8> {
    prop_oneof![8 => 1..=4_u8, 1 => any::<u8>()]
}

/// What lives as long as the test: commands borrow it.
fn data(most: usize) -> impl Strategy<Value = &'static [u8]> {
    prop::collection::vec(any::<u8>(), 0..most).prop_map(|data| &*data.leak())
}

fn value() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 0..200_u32, 1 => any::<u32>()]
}

fn change() -> impl Strategy<Value = CounterChange> {
    prop::sample::select(vec![CounterChange::Increase, CounterChange::Decrease])
}

fn level() -> impl Strategy<Value = Level> {
    prop::sample::select(&Level::ALL[..])
}

fn pin() -> impl Strategy<Value = Pin> {
    any::<[u8; 4]>().prop_map(Pin::new)
}

fn tag() -> impl Strategy<Value = DataTag> {
    prop::sample::select(vec![
        DataTag::Fci,
        DataTag::Fcp,
        DataTag::FileList,
        DataTag::Traceability,
        DataTag::CardPublicKey,
        DataTag::CardCertificate,
        DataTag::CaCertificate,
    ])
}

fn file() -> impl Strategy<Value = SelectFile> {
    let lid = any::<u16>().prop_map(|lid| SelectFile::Lid(Lid(lid)));
    let others = vec![SelectFile::FirstFile, SelectFile::NextFile, SelectFile::CurrentDirectory];
    prop_oneof![lid, prop::sample::select(others)]
}

fn reading() -> impl Strategy<Value = Command<'static>> {
    let length = || prop_oneof![4 => 0..40_u8, 1 => any::<u8>()];
    prop_oneof![
        (sfi(), number()).prop_map(|(sfi, record)| ReadRecord { sfi, record }.into()),
        (sfi(), number(), 0..5_u8, length()).prop_map(|(sfi, first, more, size)| {
            ReadRecords { sfi, records: first..=first.saturating_add(more), size }.into()
        }),
        (sfi(), length()).prop_map(|(sfi, count)| ReadCounters { sfi, count }.into()),
        (sfi(), number(), 0..5_u8, length(), length()).prop_map(|(sfi, first, more, offset, length)| {
            ReadRecordsPartially { sfi, records: first..=first.saturating_add(more), offset, length }.into()
        }),
        (sfi(), number(), length(), any::<[bool; 2]>(), data(9), prop::option::of(data(9))).prop_map(
            |(sfi, record, offset, [repeated_offset, fetch_first], data, mask)| {
                SearchRecords { sfi, record, offset, repeated_offset, data, mask, fetch_first }.into()
            }
        ),
        (sfi(), 0..600_u16, 0..600_u16).prop_map(|(sfi, offset, length)| ReadBinary { sfi, offset, length }.into()),
        file().prop_map(Into::into),
        tag().prop_map(|tag| GetData { tag }.into()),
    ]
}

fn writing() -> impl Strategy<Value = Command<'static>> {
    prop_oneof![
        (sfi(), number(), data(40)).prop_map(|(sfi, record, data)| UpdateRecord { sfi, record, data }.into()),
        (sfi(), number(), data(40)).prop_map(|(sfi, record, data)| WriteRecord { sfi, record, data }.into()),
        (sfi(), data(40)).prop_map(|(sfi, data)| AppendRecord { sfi, data }.into()),
        (sfi(), 0..600_u16, data(600)).prop_map(|(sfi, offset, data)| UpdateBinary { sfi, offset, data }.into()),
        (sfi(), 0..600_u16, data(300)).prop_map(|(sfi, offset, data)| WriteBinary { sfi, offset, data }.into()),
        (change(), sfi(), number(), value()).prop_map(|(change, sfi, counter, by)| ChangeCounter {
            change,
            sfi,
            counter,
            by
        }
        .into()),
        (change(), sfi(), prop::collection::vec((number(), value()), 0..4))
            .prop_map(|(change, sfi, by)| ChangeCounters { change, sfi, by: by.leak() }.into()),
        (sfi(), number(), value()).prop_map(|(sfi, counter, to)| SetCounter { sfi, counter, to }.into()),
        Just(Invalidate.into()),
        Just(Rehabilitate.into()),
    ]
}

fn secret() -> impl Strategy<Value = Command<'static>> {
    let kinds = vec![SvOperation::Reload, SvOperation::Debit, SvOperation::Undebit];
    prop_oneof![
        pin().prop_map(|pin| VerifyPin { pin }.into()),
        Just(CheckPinStatus.into()),
        pin().prop_map(|pin| ChangePin { pin }.into()),
        (0..5_u8, key(), key()).prop_map(|(index, new, issuer)| ChangeKey { index, new, issuer }.into()),
        prop::sample::select(kinds).prop_map(|operation| SvGet { operation }.into()),
        (-9_000_000..9_000_000_i32, any::<[[u8; 2]; 3]>()).prop_map(|(amount, [date, time, free])| SvReload {
            amount,
            date,
            time,
            free
        }
        .into()),
        (0..300_u16, any::<[[u8; 2]; 2]>()).prop_map(|(amount, [date, time])| SvDebit { amount, date, time }.into()),
        Just(SvReadAllLogs.into()),
        Just(GenerateKeyPair.into()),
        prop::sample::select(vec![96, 316, 384]).prop_map(|len| {
            let object = vec![0x5A; len].leak();
            match len {
                96 => PutData::KeyPair(object).into(),
                316 => PutData::CardCertificate(object).into(),
                _ => PutData::CaCertificate(object).into(),
            }
        }),
    ]
}

fn signature_kind() -> impl Strategy<Value = SignatureKind> {
    let traceability = (0..40_u16, any::<bool>())
        .prop_map(|(offset, partial_serial_number)| Traceability { offset, partial_serial_number });
    prop_oneof![
        Just(SignatureKind::Basic),
        (any::<bool>(), prop::option::of(traceability))
            .prop_map(|(busy, traceability)| SignatureKind::Traceable { busy, traceability }),
    ]
}

/// Signed data are often a multiple of eight bytes.
fn signed() -> impl Strategy<Value = &'static [u8]> {
    prop_oneof![data(40), prop::sample::select(vec![8, 16, 208]).prop_map(|len| &*vec![0x5B; len].leak())]
}

fn signature() -> impl Strategy<Value = Act> {
    let diversifier = || prop::option::of(data(10));
    prop_oneof![
        (signature_kind(), signed(), key(), prop_oneof![3 => Just(8), 1 => 0..10_u8], diversifier()).prop_map(
            |(kind, data, key, size, diversifier)| Act::Sign(ComputeSignature { kind, data, key, size, diversifier })
        ),
        (signature_kind(), signed(), prop_oneof![Just(&[0xAA; 8][..]), data(10)], key(), diversifier()).prop_map(
            |(kind, data, signature, key, diversifier)| {
                Act::Verify(VerifySignature { kind, data, signature, key, diversifier })
            }
        ),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let prepare = prop_oneof![
        6 => reading(),
        6 => writing(),
        3 => secret(),
        4 => level().prop_map(|level| OpenSession { level }.into()),
        3 => Just(CloseSession.into()),
        1 => Just(CancelSession.into()),
    ];
    prop_oneof![
        20 => prepare.prop_map(Act::Prepare),
        6 => prop::bool::weighted(0.2).prop_map(Act::Process),
        1 => Just(Act::Abandon),
        1 => Just(Act::Prefetch),
        2 => signature(),
    ]
}

/// What is possible in a session of most products, as it should be prepared.
fn proper() -> impl Strategy<Value = Command<'static>> {
    let sfi = || prop::sample::select(vec![1, 7, 8, 0x19]).prop_map(Sfi);
    let bytes = |len| prop::collection::vec(any::<u8>(), 1..len).prop_map(|data| &*data.leak());
    prop_oneof![
        (sfi(), 1..4_u8, 0..3_u8).prop_map(|(sfi, first, more)| ReadRecords {
            sfi,
            records: first..=first + more,
            size: 29
        }
        .into()),
        (sfi(), 1..5_u8).prop_map(|(sfi, count)| ReadCounters { sfi, count }.into()),
        Just(SelectFile::CurrentDirectory.into()),
        (sfi(), 1..5_u8, bytes(30)).prop_map(|(sfi, record, data)| UpdateRecord { sfi, record, data }.into()),
        (sfi(), 1..5_u8, bytes(30)).prop_map(|(sfi, record, data)| WriteRecord { sfi, record, data }.into()),
        (sfi(), bytes(30)).prop_map(|(sfi, data)| AppendRecord { sfi, data }.into()),
        (change(), sfi(), 1..4_u8, 0..20_u32).prop_map(|(change, sfi, counter, by)| ChangeCounter {
            change,
            sfi,
            counter,
            by
        }
        .into()),
        (change(), sfi(), 0..20_u32).prop_map(|(change, sfi, by)| ChangeCounters {
            change,
            sfi,
            by: vec![(1, by), (2, 1)].leak()
        }
        .into()),
    ]
}

/// A session as it should be with a few things inside.
fn session() -> BoxedStrategy<Vec<Act>> {
    let other = || prop_oneof![3 => reading(), 5 => writing(), 1 => secret()];
    let inside = || prop::collection::vec(prop_oneof![40 => proper(), 1 => other()], 0..4);
    let before = (prop::option::of(proper()), level());
    let between = (any::<bool>(), prop::option::weighted(0.1, signature()));
    let drawn = (before, inside(), between, inside(), any::<bool>());
    drawn
        .prop_map(|((before, level), first, (split, signature), second, close)| {
            let prepared = |commands: Vec<_>| commands.into_iter().map(Act::Prepare);
            let mut acts: Vec<_> = prepared(before.into_iter().collect()).collect();
            acts.push(Act::Prepare(OpenSession { level }.into()));
            acts.extend(prepared(first));
            acts.extend(signature);
            acts.extend(split.then_some(Act::Process(false)));
            acts.extend(prepared(second));
            acts.extend(close.then_some(Act::Prepare(CloseSession.into())));
            acts.push(Act::Process(false));
            acts
        })
        .boxed()
}

/// What an application does with one card: anything, or a session, or one behind another that is cancelled.
pub(crate) fn acts() -> impl Strategy<Value = Vec<Act>> {
    let again = (session(), session()).prop_map(|(mut first, second)| {
        first.push(Act::Prepare(CancelSession.into()));
        first.extend(second);
        first
    });
    prop_oneof![4 => session(), 2 => again, 2 => prop::collection::vec(act(), 1..12)]
}
