//! Scenarios 3 and 9: records that are signed.
//!
//! Signed are the first 16 bytes of a record; the signature is in its last 8, which the ticketing application does not
//! use. With these sizes the volumes are those of the specification.

use ogygia::ChannelControl::{CloseAfter, KeepOpen};
use ogygia::Error;
use ogygia::card::Level;
use ogygia::command::{CloseSession, Command, OpenSession, ReadCounters, ReadRecord, UpdateRecord};
use ogygia::sam::{ComputeSignature, SignatureKind, SignatureOutcome, VerifySignature};
use ogygia::transaction::{SignatureId, Transaction};

use super::super::{Done, Outcome, Proof, Stage, setup};
use super::{SLOT, Validation, known, process, read_event, record};
use crate::error::Failure;
use crate::record::Phase;
use crate::terminal::{SIGNING_KEY, Terminal};
use crate::ticketing::application::VALIDATOR;
use crate::ticketing::layout::TicketingFile;
use crate::ticketing::{Location, Moment, settle};

const SIGNED: usize = 16;
const SIGNATURE: u8 = 8;
const KIND: SignatureKind = SignatureKind::Traceable { busy: true, traceability: None };
const ENVIRONMENT: &str = "environment";
const CONTRACT: &str = "contract";

/// Has the SAM sign `record` with its next request.
fn prepare_signature(transaction: &mut Transaction, record: &[u8]) -> Result<SignatureId, Error> {
    let data = record.get(..SIGNED).unwrap_or(record);
    let compute = ComputeSignature { kind: KIND, data, key: SIGNING_KEY, size: SIGNATURE, diversifier: None };
    transaction.prepare_signature(&compute)
}

/// Has the SAM verify `record` with its next request.
fn prepare_verification(transaction: &mut Transaction, record: &[u8]) -> Result<SignatureId, Error> {
    let (data, signature) = record.split_at(SIGNED.min(record.len()));
    let (_, signature) = signature.split_last_chunk::<{ SIGNATURE as usize }>().unwrap_or((&[], &[0; 8]));
    transaction.prepare_verification(&VerifySignature {
        kind: KIND,
        data,
        signature,
        key: SIGNING_KEY,
        diversifier: None,
    })
}

/// `record` with the signature that was computed.
fn signed(transaction: &Transaction, id: SignatureId, record: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut record = record.to_vec();
    match (transaction.signature(id), record.last_chunk_mut::<{ SIGNATURE as usize }>()) {
        (Some(SignatureOutcome::Computed { signature, .. }), Some(place)) if signature.len() == place.len() => {
            place.copy_from_slice(signature);
            Ok(record)
        }
        _ => Err(Failure::failed("the SAM has not signed")),
    }
}

/// Signs environment and contract of a fresh card, as an issuer does.
pub(super) fn sign_records(stage: &mut Stage) -> Result<(), Failure> {
    setup::prepare(stage)?;
    if !stage.fresh {
        return Ok(());
    }
    let (environment, contracts) = (TicketingFile::Environment.sfi(), TicketingFile::Contracts.sfi());
    let (mut transaction, terminal) = setup::begin(stage)?;
    process(&mut transaction, terminal, &[record(environment, 1), record(contracts, SLOT)], KeepOpen)?;
    let mut records = Vec::new();
    for (sfi, number) in [(environment, 1), (contracts, SLOT)] {
        let plain = known(&transaction, sfi, number);
        let id = prepare_signature(&mut transaction, &plain)?;
        process(&mut transaction, terminal, &[], KeepOpen)?;
        records.push((sfi, number, signed(&transaction, id, &plain)?));
    }
    let mut step: Vec<Command<'_>> = vec![OpenSession { level: Level::Personalization }.into()];
    step.extend(records.iter().map(|(sfi, record, data)| UpdateRecord { sfi: *sfi, record: *record, data }.into()));
    step.push(CloseSession.into());
    process(&mut transaction, terminal, &step, CloseAfter)?;
    stage
        .setup
        .push(format!("signed with KIF {} KVC {}: {ENVIRONMENT} and {CONTRACT}", SIGNING_KEY.kif, SIGNING_KEY.kvc));
    Ok(())
}

/// Selects the card, and reads its environment and last event with the same request.
fn select(terminal: &mut Terminal) -> Result<(Transaction, Vec<u8>), Failure> {
    let sfi = TicketingFile::Environment.sfi();
    terminal.begin(Phase::Selection);
    let card = terminal.select_with(VALIDATOR, false, &[ReadRecord { sfi, record: 1 }.into(), read_event()])?;
    let transaction = Transaction::new(card, terminal.security(true))?;
    let environment = known(&transaction, sfi, 1);
    terminal.begin(Phase::Transaction);
    Ok((transaction, environment))
}

fn check_same(transaction: &Transaction, environment: &[u8]) -> Result<(), Failure> {
    if known(transaction, TicketingFile::Environment.sfi(), 1) == environment {
        Ok(())
    } else {
        Err(Failure::failed("the environment is another one than that whose signature was verified"))
    }
}

/// Scenario 3: one request to the card and one to the SAM, neither of which waits for the other.
pub(in crate::scenario) fn signature_outside_session(stage: &mut Stage) -> Result<Done, Failure> {
    sign_records(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    let (mut transaction, environment) = select(terminal)?;
    let id = prepare_verification(&mut transaction, &environment)?;
    let reads = [record(TicketingFile::Environment.sfi(), 1), record(TicketingFile::Contracts.sfi(), SLOT)];
    process(&mut transaction, terminal, &reads, CloseAfter)?;
    check_same(&transaction, &environment)?;
    let proof = Proof::of_signature(&transaction, id, ENVIRONMENT);
    Ok(Done {
        outcome: Outcome::Success,
        proofs: proof.into_iter().collect(),
        decided: vec![
            "The environment came with the selection, so its signature can be verified while it is read again: it is the \
             same."
                .to_owned(),
            "A copy of the record has the same signature: this proves where the record is from, not that the card is \
             genuine."
                .to_owned(),
        ],
        changed: Vec::new(),
        result: "done: the signature of the environment is valid".to_owned(),
    })
}

/// What scenario 9 comes to.
struct Played {
    validation: Validation,
    proofs: Vec<Proof>,
}

/// Scenario 9.
pub(in crate::scenario) fn signature_in_session(stage: &mut Stage) -> Result<Done, Failure> {
    sign_records(stage)?;
    stage.begin();
    let terminal = &mut stage.terminal;
    let (mut transaction, environment) = select(terminal)?;
    let played = in_session(&mut transaction, terminal, &environment, (stage.now, stage.location));
    // A wrong signature leaves the session open: it is for the application to judge.
    let Played { validation, mut proofs } = settle(played, &mut transaction, terminal)?;
    proofs.splice(0..0, Proof::of_session(&transaction));
    Ok(Done {
        outcome: Outcome::Success,
        proofs,
        decided: vec![
            "The environment read in the session is the one whose signature was verified.".to_owned(),
            "The new event is signed before it is written.".to_owned(),
        ],
        changed: Vec::new(),
        result: validation.result(&transaction),
    })
}

fn in_session(
    transaction: &mut Transaction,
    terminal: &mut Terminal,
    environment: &[u8],
    (now, location): (Moment, Location),
) -> Result<Played, Failure> {
    let contracts = TicketingFile::Contracts.sfi();
    let of_environment = prepare_verification(transaction, environment)?;
    let first: [Command<'_>; 4] = [
        OpenSession { level: Level::Debit }.into(),
        record(TicketingFile::Environment.sfi(), 1),
        record(contracts, SLOT),
        ReadCounters { sfi: TicketingFile::Counters.sfi(), count: SLOT }.into(),
    ];
    process(transaction, terminal, &first, KeepOpen)?;
    check_same(transaction, environment)?;

    let contract = known(transaction, contracts, SLOT);
    let of_contract = prepare_verification(transaction, &contract)?;
    let validation = Validation::of(transaction, now, location);
    let event = validation.event.encode();
    let of_event = prepare_signature(transaction, &event)?;
    process(transaction, terminal, &[], KeepOpen)?;

    let event = signed(transaction, of_event, &event)?;
    process(transaction, terminal, &validation.last_step(&event), CloseAfter)?;
    let verified = [(of_environment, ENVIRONMENT), (of_contract, CONTRACT)];
    let proofs = verified.into_iter().filter_map(|(id, what)| Proof::of_signature(transaction, id, what)).collect();
    Ok(Played { validation, proofs })
}
