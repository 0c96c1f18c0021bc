//! Transactions that use each command, and what may come of it.

use ogygia::card::{Card, KeyId, Kif, Kvc, Level, Lid, Sfi};
use ogygia::command::{
    ActivateEncryption, AppendRecord, AuthenticateEarly, CancelSession, ChangeCounter, ChangeCounters, ChangeKey,
    ChangePin, CheckPinStatus, CloseSession, CommandName, CounterChange, DataTag, GenerateKeyPair, GetData, Invalidate,
    OpenSession, Pin, PreOpenSession, PutData, ReadBinary, ReadCounters, ReadRecords, ReadRecordsPartially,
    Rehabilitate, SearchRecords, SelectFile, SvDebit, SvGet, SvOperation, SvReload, UpdateBinary, UpdateRecord,
    VerifyPin, WriteBinary, WriteRecord,
};
use ogygia::sam::{ComputeSignature, Sam, SignatureKind, VerifySignature};
use ogygia::selection::Selection;
use ogygia::transaction::{Policy, Security, SymmetricSettings, Transaction};
use ogygia::{Error, Malformed};

use crate::bench::OPENING;

/// Where a command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Without a session.
    Outside,
    /// Without a session, behind what the card has executed.
    Executed,
    /// It opens the session, or is sent before that.
    Opening,
    /// In a session that is open.
    Within,
    /// It closes the session.
    Closing,
    /// Behind a closing.
    After,
    /// It gives the session up.
    Cancelling,
}

/// What an answer of another length is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    /// The length is checked.
    Exactly(usize),
    /// This cannot be read.
    Unreadable(&'static [u8], Malformed),
    /// Nobody looks at it.
    Any,
}

/// Which refusals do not make the processing fail.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tolerated {
    Words(&'static [u16]),
    All,
}

/// What is prepared.
pub(crate) type Prepare = fn(&mut Transaction) -> Result<(), Error>;

/// A transaction in which the answer to one command is replaced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    /// The first command of this name in `prepare`.
    pub(crate) name: CommandName,
    pub(crate) place: Place,
    /// Processed before, in the session if there is one.
    pub(crate) before: Prepare,
    pub(crate) prepare: Prepare,
    pub(crate) length: Length,
    pub(crate) tolerated: Tolerated,
    /// An answer that is right, but not the one that was certain.
    pub(crate) other: Option<&'static [u8]>,
    /// The session is opened by `prepare`.
    pub(crate) whole: bool,
    pub(crate) card: fn() -> Card,
    pub(crate) settings: fn(&mut SymmetricSettings),
    pub(crate) policy: Policy,
    pub(crate) sam_first: bool,
}

impl Scene {
    const fn new(name: CommandName, place: Place, prepare: Prepare) -> Self {
        Self {
            name,
            place,
            before: |_| Ok(()),
            prepare,
            length: Length::Exactly(0),
            tolerated: Tolerated::Words(&[]),
            other: None,
            whole: matches!(place, Place::Opening),
            card,
            settings: |_| {},
            policy: Policy::Grouped,
            sam_first: false,
        }
    }

    const fn after(self, before: Prepare) -> Self {
        Self { before, ..self }
    }

    const fn length(self, length: Length) -> Self {
        Self { length, ..self }
    }

    const fn tolerating(self, words: &'static [u16]) -> Self {
        Self { tolerated: Tolerated::Words(words), ..self }
    }

    /// Nobody looks at the answer.
    const fn unseen(self) -> Self {
        Self { tolerated: Tolerated::All, length: Length::Any, ..self }
    }

    const fn predicted(self, other: &'static [u8]) -> Self {
        Self { other: Some(other), ..self }
    }

    const fn with(self, settings: fn(&mut SymmetricSettings)) -> Self {
        Self { settings, ..self }
    }

    const fn on(self, card: fn() -> Card) -> Self {
        Self { card, ..self }
    }

    /// The whole session is in the list, opened beforehand.
    const fn pre_opened(self) -> Self {
        Self { card: pre_opened, whole: true, ..self }
    }

    pub(crate) fn transaction(&self) -> Transaction {
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(&SAM_C1));
        settings.read_on_opening = false;
        settings.pin_verification_key = Some(KEY);
        settings.pin_modification_key = Some(KEY);
        settings.sv_negative_balance = true;
        settings.policy = self.policy;
        (self.settings)(&mut settings);
        Transaction::new((self.card)(), Security::Symmetric(settings)).unwrap()
    }

    pub(crate) fn title(&self) -> String {
        let whole = if self.whole { " in one list" } else { "" };
        let first = if self.sam_first { ", SAM first" } else { "" };
        format!("{:?}{first}: {} ({:?}){whole}", self.policy, self.name, self.place)
    }
}

const SAM_C1: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0x00];

/// A SAM that digests one command or answer at a time.
fn sam_s1d(settings: &mut SymmetricSettings) {
    let mut atr = SAM_C1;
    atr[8] = 0xD0;
    settings.sam = Sam::from_power_on_data(&atr);
}

const KEY: KeyId = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
const RECORDS: Sfi = Sfi(0x07);
const COUNTERS: Sfi = Sfi(0x19);
const BINARY: Sfi = Sfi(0x1A);

/// PIN and Stored Value.
const PLAIN: u8 = 0x23;
const WITH_PKI: u8 = 0x33;
const EXTENDED: u8 = 0x2B;

fn select_response(application_type: u8, status: [u8; 2]) -> Vec<u8> {
    let mut response = vec![0x6F, 0x23, 0x84, 0x09];
    response.extend_from_slice(b"1TIC.ICA1");
    response.extend_from_slice(&[0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7, 0x08, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
    response.extend_from_slice(&[0x53, 0x07, 0x0A, 0x3C, application_type, 0x05, 0x14, 0x10, 0x01]);
    response.extend_from_slice(&status);
    response
}

fn card() -> Card {
    Card::from_select_response(&select_response(PLAIN, [0x90, 0x00])).unwrap()
}

fn card_with_pki() -> Card {
    Card::from_select_response(&select_response(WITH_PKI, [0x90, 0x00])).unwrap()
}

fn invalidated() -> Card {
    Card::from_select_response(&select_response(PLAIN, [0x62, 0x83])).unwrap()
}

fn extended() -> Card {
    Card::from_select_response(&select_response(EXTENDED, [0x90, 0x00])).unwrap()
}

fn pre_opened() -> Card {
    let mut selection = Selection::by_power_on_data();
    selection.prepare(PreOpenSession { level: Level::Debit }).unwrap();
    let answer = [&OPENING[..], &[0x62, 0x00]].concat();
    selection.read(Some(&select_response(EXTENDED, [0x90, 0x00])), &[], [&answer[..]].into_iter()).unwrap()
}

const NOT_FOUND: &[u16] = &[0x6A82, 0x6A83];
const ATTEMPTS: &[u16] = &[0x63C0, 0x63C1, 0x63C2, 0x6983];

const fn change(change: CounterChange) -> ChangeCounter {
    ChangeCounter { change, sfi: COUNTERS, counter: 1, by: 1 }
}

const fn change_several(change: CounterChange) -> ChangeCounters<'static> {
    ChangeCounters { change, sfi: COUNTERS, by: &[(1, 1)] }
}

fn read_counter(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(ReadCounters { sfi: COUNTERS, count: 1 })
}

fn read_record(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(ReadRecords { sfi: RECORDS, records: 1..=1, size: 4 })
}

const fn pin() -> Pin {
    Pin::new(*b"1234")
}

fn get_reload(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(SvGet { operation: SvOperation::Reload })
}

fn get_debit(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(SvGet { operation: SvOperation::Debit })
}

fn get_undebit(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(SvGet { operation: SvOperation::Undebit })
}

fn reload(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(SvReload { amount: 5, date: [1, 2], time: [3, 4], free: [5, 6] })
}

fn debit(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(SvDebit { amount: 5, date: [1, 2], time: [3, 4] })
}

fn compute(kind: SignatureKind, transaction: &mut Transaction) -> Result<(), Error> {
    let compute = ComputeSignature { kind, data: &[0x55; 16], key: KEY, size: 8, diversifier: None };
    transaction.prepare_signature(&compute).map(|_| ())
}

fn verify(transaction: &mut Transaction) -> Result<(), Error> {
    let (kind, signature) = (TRACEABLE, &[0xAA; 8][..]);
    let verify = VerifySignature { kind, data: &[0x55; 16], signature, key: KEY, diversifier: None };
    transaction.prepare_verification(&verify).map(|_| ())
}

const TRACEABLE: SignatureKind = SignatureKind::Traceable { busy: false, traceability: None };

/// Prepares `operation`, and the closing behind it.
macro_rules! closed {
    ($operation:expr) => {
        |transaction: &mut Transaction| {
            $operation(transaction)?;
            transaction.prepare(CloseSession)
        }
    };
}

/// Prepares one command.
macro_rules! prepares {
    ($command:expr) => {
        |transaction: &mut Transaction| transaction.prepare($command)
    };
}

/// Prepares one command, and the closing behind it.
macro_rules! prepares_and_closes {
    ($command:expr) => {
        |transaction: &mut Transaction| {
            transaction.prepare($command)?;
            transaction.prepare(CloseSession)
        }
    };
}

/// The same command without a session and in one.
macro_rules! both {
    ($name:ident, $command:expr) => {
        [
            Scene::new(CommandName::$name, Place::Outside, prepares!($command)),
            Scene::new(CommandName::$name, Place::Within, prepares_and_closes!($command)),
        ]
    };
}

/// All scenes.
pub(crate) fn scenes() -> Vec<Scene> {
    let ways = [(Policy::Grouped, false), (Policy::Overlapped, false), (Policy::Overlapped, true)];
    let under =
        |(policy, sam_first)| grouped_scenes().into_iter().map(move |scene| Scene { policy, sam_first, ..scene });
    ways.into_iter().flat_map(under).collect()
}

fn grouped_scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    readings(&mut scenes);
    writings(&mut scenes);
    counters(&mut scenes);
    pins_and_keys(&mut scenes);
    stored_value(&mut scenes);
    sessions(&mut scenes);
    digests(&mut scenes);
    managed(&mut scenes);
    ciphering(&mut scenes);
    signatures(&mut scenes);
    scenes
}

fn readings(scenes: &mut Vec<Scene>) {
    let [outside, within] = both!(SelectFile, SelectFile::Lid(Lid(0x2010)));
    scenes.extend([outside.length(Length::Exactly(25)), within.length(Length::Exactly(25))]);
    let get = prepares!(GetData { tag: DataTag::CardPublicKey });
    let unreadable = Length::Unreadable(&[0xDF, 0x2C, 0x40, 0x77], Malformed::DataObject);
    scenes.push(Scene::new(CommandName::GetData, Place::Outside, get).length(unreadable));
    let [outside, within] = both!(ReadRecords, ReadRecords { sfi: Sfi(8), records: 1..=1, size: 4 });
    scenes.push(outside.length(Length::Exactly(4)).tolerating(NOT_FOUND));
    scenes.push(within.length(Length::Exactly(4)));
    let [outside, within] = both!(ReadBinary, ReadBinary { sfi: BINARY, offset: 0, length: 4 });
    scenes.push(outside.length(Length::Exactly(4)).tolerating(NOT_FOUND));
    scenes.push(within.length(Length::Exactly(4)));
    // A byte is read before, which makes the file current.
    let [outside, within] = both!(ReadBinary, ReadBinary { sfi: BINARY, offset: 0x100, length: 4 });
    scenes.extend([outside.length(Length::Exactly(1)), within.length(Length::Exactly(1))]);
    let read = prepares!(ReadRecordsPartially { sfi: RECORDS, records: 1..=2, offset: 1, length: 2 });
    let partially = Scene::new(CommandName::ReadRecordMultiple, Place::Outside, read);
    scenes.push(partially.length(Length::Any).tolerating(NOT_FOUND));
    let search = prepares!(SearchRecords {
        sfi: RECORDS,
        record: 1,
        offset: 0,
        repeated_offset: false,
        data: &[0x11],
        mask: None,
        fetch_first: false,
    });
    let unreadable = Length::Unreadable(&[5], Malformed::Records);
    let search = Scene::new(CommandName::SearchRecordMultiple, Place::Outside, search);
    scenes.push(search.length(unreadable).tolerating(NOT_FOUND));
}

fn writings(scenes: &mut Vec<Scene>) {
    const DATA: &[u8] = &[0x61, 0x62];
    scenes.extend(both!(UpdateRecord, UpdateRecord { sfi: RECORDS, record: 2, data: DATA }));
    scenes.extend(both!(WriteRecord, WriteRecord { sfi: RECORDS, record: 2, data: DATA }));
    scenes.extend(both!(AppendRecord, AppendRecord { sfi: RECORDS, data: DATA }));
    scenes.extend(both!(UpdateBinary, UpdateBinary { sfi: BINARY, offset: 0, data: DATA }));
    scenes.extend(both!(WriteBinary, WriteBinary { sfi: BINARY, offset: 0, data: DATA }));
    scenes.extend(both!(Invalidate, Invalidate));
    scenes.extend(both!(Rehabilitate, Rehabilitate).map(|scene| scene.on(invalidated)));
    let put = prepares!(PutData::KeyPair(&[0x22; 96]));
    scenes.push(Scene::new(CommandName::PutData, Place::Outside, put).on(card_with_pki));
    let generate = prepares!(GenerateKeyPair);
    scenes.push(Scene::new(CommandName::GenerateAsymmetricKeyPair, Place::Outside, generate).on(card_with_pki));
}

fn counters(scenes: &mut Vec<Scene>) {
    const ONE: &[u8] = &[0x12, 0x34, 0x56, 0x90, 0x00];
    const SEVERAL: &[u8] = &[0x01, 0x12, 0x34, 0x56, 0x90, 0x00];
    let up = both!(Increase, change(CounterChange::Increase)).map(|scene| (scene, 3, ONE));
    let down = both!(Decrease, change(CounterChange::Decrease)).map(|scene| (scene, 3, ONE));
    let all_up = both!(IncreaseMultiple, change_several(CounterChange::Increase)).map(|scene| (scene, 4, SEVERAL));
    let all_down = both!(DecreaseMultiple, change_several(CounterChange::Decrease)).map(|scene| (scene, 4, SEVERAL));
    for (scene, len, other) in [up, down, all_up, all_down].concat() {
        let scene = scene.length(Length::Exactly(len));
        scenes.push(scene);
        if scene.place == Place::Within {
            scenes.push(scene.after(read_counter).predicted(other));
        }
    }
}

fn pins_and_keys(scenes: &mut Vec<Scene>) {
    let plain = |settings: &mut SymmetricSettings| settings.pin_plain = true;
    scenes.extend(both!(GetChallenge, VerifyPin { pin: pin() }).map(|scene| scene.length(Length::Exactly(8))));
    scenes.extend(both!(VerifyPin, VerifyPin { pin: pin() }));
    scenes.extend(both!(VerifyPin, VerifyPin { pin: pin() }).map(|scene| scene.with(plain)));
    scenes.extend(both!(VerifyPin, CheckPinStatus).map(|scene| scene.tolerating(ATTEMPTS)));
    let change = Scene::new(CommandName::ChangePin, Place::Outside, prepares!(ChangePin { pin: pin() }));
    scenes.extend([change, change.with(plain)]);
    let key = prepares!(ChangeKey { index: 1, new: KEY, issuer: KEY });
    scenes.push(Scene::new(CommandName::ChangeKey, Place::Outside, key));
}

fn stored_value(scenes: &mut Vec<Scene>) {
    let get = both!(SvGet, SvGet { operation: SvOperation::Debit });
    scenes.extend(get.map(|scene| scene.length(Length::Exactly(30))));
    let operations: [(_, Prepare, Prepare, Prepare); 3] = [
        (CommandName::SvReload, get_reload, reload, closed!(reload)),
        (CommandName::SvDebit, get_debit, debit, closed!(debit)),
        (CommandName::SvUndebit, get_undebit, debit, closed!(debit)),
    ];
    for (name, get, operation, closed) in operations {
        scenes.push(Scene::new(name, Place::Outside, operation).after(get).length(Length::Exactly(3)));
        scenes.push(Scene::new(name, Place::Within, closed).after(get).predicted(&[0x90, 0x00]));
    }
    let prepared: [(_, Prepare, Prepare, Prepare); 3] = [
        (CommandName::SamSvPrepareLoad, get_reload, reload, closed!(reload)),
        (CommandName::SamSvPrepareDebit, get_debit, debit, closed!(debit)),
        (CommandName::SamSvPrepareUndebit, get_undebit, debit, closed!(debit)),
    ];
    for (name, get, operation, closed) in prepared {
        scenes.push(Scene::new(name, Place::Outside, operation).after(get).length(Length::Exactly(11)));
        scenes.push(Scene::new(name, Place::Within, closed).after(get).length(Length::Exactly(11)));
    }
    let check = Scene::new(CommandName::SamSvCheck, Place::Executed, debit).after(get_debit).length(Length::Any);
    scenes.push(check);
    scenes.push(Scene { place: Place::After, prepare: closed!(debit), ..check });
}

fn sessions(scenes: &mut Vec<Scene>) {
    let open = prepares!(OpenSession { level: Level::Debit });
    let opening = Scene::new(CommandName::OpenSecureSession, Place::Opening, open);
    let opening = opening.length(Length::Unreadable(&[0, 3, 1, 9], Malformed::Opening));
    scenes.push(opening);
    // One byte more in the random number than was foretold.
    let other = &[0, 3, 1, 9, 9, 9, 9, 8, 2, 0x30, 0x79, 0, 0x90, 0x00];
    scenes.push(Scene { prepare: open_read_close, ..opening }.pre_opened().predicted(other));
    let read = Scene::new(CommandName::ReadRecords, Place::Within, open_read_close);
    scenes.push(read.length(Length::Exactly(4)).pre_opened().predicted(&[0x11, 0x11, 0x11, 0x12, 0x90, 0x00]));
    let closing = Scene::new(CommandName::CloseSecureSession, Place::Closing, prepares!(CloseSession));
    scenes.push(closing.length(Length::Unreadable(&[0xBB], Malformed::Closing)));
    let cancel = prepares!(CancelSession);
    scenes.push(Scene::new(CommandName::AbortSecureSession, Place::Cancelling, cancel).unseen());
    let ratified = |settings: &mut SymmetricSettings| settings.ratification_command = true;
    let ratification = Scene::new(CommandName::Ratification, Place::After, prepares!(CloseSession));
    scenes.push(ratification.with(ratified).unseen());
}

fn open_read_close(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    read_record(transaction)?;
    transaction.prepare(CloseSession)
}

fn digests(scenes: &mut Vec<Scene>) {
    let challenge = prepares!(OpenSession { level: Level::Debit });
    let challenge = Scene::new(CommandName::SamGetChallenge, Place::Opening, challenge);
    scenes.push(challenge.length(Length::Exactly(4)));
    for name in [
        CommandName::SamSelectDiversifier,
        CommandName::SamDigestInit,
        CommandName::SamDigestUpdate,
        CommandName::SamDigestUpdateMultiple,
        CommandName::SamDigestClose,
        CommandName::SamDigestAuthenticate,
    ] {
        let place = if name == CommandName::SamDigestAuthenticate { Place::After } else { Place::Within };
        let length = if name == CommandName::SamDigestClose { Length::Exactly(4) } else { Length::Any };
        let scene = Scene::new(name, place, prepares!(CloseSession)).length(length);
        scenes.push(if name == CommandName::SamDigestUpdate { scene.with(sam_s1d) } else { scene });
    }
}

/// Early authentication, and encryption.
fn managed(scenes: &mut Vec<Scene>) {
    let mut add = |name, prepare: Prepare, length| {
        scenes.push(Scene::new(name, Place::Within, prepare).on(extended).length(length));
    };
    let early: Prepare = prepares_and_closes!(AuthenticateEarly);
    add(CommandName::SamDigestInternalAuthenticate, early, Length::Exactly(8));
    add(CommandName::ManageSecureSession, early, Length::Exactly(8));
    add(CommandName::SamDigestAuthenticate, early, Length::Any);
    let ciphered: Prepare = |transaction| {
        transaction.prepare(ActivateEncryption)?;
        transaction.prepare(UpdateRecord { sfi: RECORDS, record: 2, data: &[0x61, 0x62] })?;
        transaction.prepare(CloseSession)
    };
    add(CommandName::ManageSecureSession, ciphered, Length::Exactly(0));
    // The command, as long as it was: point G-49 of specification 03.
    add(CommandName::SamDigestUpdate, ciphered, Length::Exactly(7));
    add(CommandName::UpdateRecord, ciphered, Length::Exactly(0));
    let reading: Prepare = |transaction| {
        transaction.prepare(ActivateEncryption)?;
        transaction.prepare(ReadRecords { sfi: Sfi(8), records: 1..=1, size: 4 })?;
        transaction.prepare(CloseSession)
    };
    add(CommandName::ReadRecords, reading, Length::Exactly(4));
}

fn ciphering(scenes: &mut Vec<Scene>) {
    let any = |scene: Scene| scene.length(Length::Any);
    let [outside, _] = both!(SamSelectDiversifier, VerifyPin { pin: pin() });
    scenes.push(any(outside));
    scenes.extend(both!(SamGiveRandom, VerifyPin { pin: pin() }).map(any));
    scenes.extend(both!(SamCardCipherPin, VerifyPin { pin: pin() }).map(|scene| scene.length(Length::Exactly(8))));
    let change = prepares!(ChangePin { pin: pin() });
    scenes.push(any(Scene::new(CommandName::SamCardCipherPin, Place::Outside, change)));
    let key = prepares!(ChangeKey { index: 1, new: KEY, issuer: KEY });
    scenes.push(any(Scene::new(CommandName::SamCardGenerateKey, Place::Outside, key)));
}

fn signatures(scenes: &mut Vec<Scene>) {
    fn traceable(transaction: &mut Transaction) -> Result<(), Error> {
        compute(TRACEABLE, transaction)
    }
    fn basic(transaction: &mut Transaction) -> Result<(), Error> {
        compute(SignatureKind::Basic, transaction)
    }
    let operations: [(_, Prepare, Prepare, Length); 3] = [
        (CommandName::SamPsoComputeSignature, traceable, closed!(traceable), Length::Exactly(8)),
        (CommandName::SamPsoVerifySignature, verify, closed!(verify), Length::Any),
        (CommandName::SamDataCipher, basic, closed!(basic), Length::Exactly(8)),
    ];
    for (name, operation, closed, length) in operations {
        scenes.push(Scene::new(name, Place::Outside, operation).length(length));
        scenes.push(Scene::new(name, Place::Within, closed).length(length));
    }
}

/// What is written in each session, before the scene.
pub(crate) fn open_and_write(transaction: &mut Transaction) -> Result<(), Error> {
    transaction.prepare(OpenSession { level: Level::Debit })?;
    transaction.prepare(UpdateRecord { sfi: RECORDS, record: 1, data: &[0x51, 0x52] })
}

/// What is known of the card beforehand.
pub(crate) fn look_around(transaction: &mut Transaction) -> Result<(), Error> {
    read_record(transaction)
}
