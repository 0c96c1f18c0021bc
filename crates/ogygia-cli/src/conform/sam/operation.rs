//! The operations on a SAM, as calls.

use ogygia::sam::{
    CertifyCard, ConfigureCounter, IncrementAccess, KeyDiversification, KeyReference, Sam, SamData, SystemKey,
    TransferLock, TransferSystemKey, TransferWorkKey, WriteCeiling, WriteLock, WriteParameters,
};
use ogygia::sam_transaction::reload::{Reload, ReloadBuilder};
use ogygia::sam_transaction::{CertificateId, KeyPairId, SamTransaction};
use ogygia::{Argument, ChannelControl, Day, Error, Misuse, Secret, drive};
use serde_json::Value;

use super::super::operation::{Arguments, Refused};
use super::super::script::Script;
use super::super::signature;
use super::super::vector::{Case, Step};
use crate::hex;

/// A result that is compared when all steps were played.
#[derive(Debug)]
pub(super) enum Pending<'a> {
    Signature(signature::Pending<'a>),
    KeyPair(&'a Step, Option<KeyPairId>),
    Certificate(&'a Step, Option<CertificateId>),
}

type Called = Result<Result<(), Error>, Refused>;

/// Calls the preparation of `step`.
pub(super) fn prepare<'a>(transaction: &mut SamTransaction, step: &'a Step, pending: &mut Vec<Pending<'a>>) -> Called {
    let arguments = Arguments(&step.arguments);
    if let Some(data) = read(&step.op, &arguments)? {
        return Ok(transaction.prepare(data));
    }
    match step.op.as_str() {
        "sam_compute_signature" | "sam_verify_signature" => {
            let mut signatures = Vec::new();
            let prepared = signature::prepare(transaction, step, &mut signatures)?;
            pending.extend(signatures.into_iter().map(Pending::Signature));
            Ok(prepared)
        }
        "sam_generate_card_key_pair" => {
            let prepared = transaction.prepare_key_pair();
            pending.push(Pending::KeyPair(step, prepared.ok()));
            Ok(prepared.map(drop))
        }
        "sam_compute_card_certificate" => {
            let prepared = prepare_certificate(transaction, &arguments)?;
            pending.push(Pending::Certificate(step, prepared.ok()));
            Ok(prepared.map(drop))
        }
        other => write(transaction, other, &arguments),
    }
}

/// What a reading operation reads; nothing for others.
pub(super) fn read(op: &str, arguments: &Arguments<'_>) -> Result<Option<SamData>, Refused> {
    Ok(Some(match op {
        "sam_read_parameters" => SamData::Parameters,
        "sam_read_all_counters_status" => SamData::Counters,
        "sam_read_counter_status" => SamData::Counter(arguments.byte("counter")?),
        "sam_get_data" => SamData::CaCertificate,
        "sam_read_system_key_parameters" => {
            SamData::KeyParameters(KeyReference::System(system_key(arguments.text("key")?)?))
        }
        "sam_read_work_key_parameters" => SamData::KeyParameters(work_key(arguments)?),
        _ => return Ok(None),
    }))
}

fn work_key(arguments: &Arguments<'_>) -> Result<KeyReference, Refused> {
    if arguments.0.contains_key("record") {
        return Ok(KeyReference::Record(arguments.byte("record")?));
    }
    Ok(KeyReference::Work(arguments.key("kif", "kvc")?))
}

/// The work keys that a case asks for.
pub(super) fn work_keys(case: &Case) -> Result<Vec<KeyReference>, Refused> {
    let selection = case.sam_selection.iter().flat_map(|selection| &selection.preparations);
    let asked = selection.chain(&case.steps).filter(|step| step.op == "sam_read_work_key_parameters");
    asked.filter(|step| step.error.is_none()).map(|step| work_key(&Arguments(&step.arguments))).collect()
}

fn system_key(name: &str) -> Result<SystemKey, Refused> {
    Ok(match name {
        "personalization" => SystemKey::Personalization,
        "key_management" => SystemKey::KeyManagement,
        "reloading" => SystemKey::Reloading,
        "authentication" => SystemKey::Authentication,
        other => return Err(format!("unknown system key {other}")),
    })
}

/// The writing operations. What a type cannot hold is an argument out of its range.
fn write(transaction: &mut SamTransaction, op: &str, arguments: &Arguments<'_>) -> Called {
    let byte = |name: &str| -> Result<u8, Refused> {
        arguments.bytes(name)?.first().copied().ok_or_else(|| format!("argument {name} is empty"))
    };
    let refused = Ok(Err(Argument::Length.into()));
    Ok(match op {
        "sam_write_lock" => {
            let Ok(value) = arguments.bytes("value")?.try_into().map(Secret::new) else { return refused };
            transaction.prepare(WriteLock { index: byte("index")?, parameters: byte("parameters")?, value })
        }
        "sam_write_parameters" => {
            let Ok(parameters) = arguments.bytes("parameters")?.try_into() else { return refused };
            transaction.prepare(WriteParameters { parameters })
        }
        "sam_transfer_system_key" => {
            let Ok(parameters) = arguments.bytes("parameters")?.try_into() else { return refused };
            transaction.prepare(TransferSystemKey {
                key: system_key(arguments.text("key")?)?,
                kvc: ogygia::card::Kvc(byte("kvc")?),
                parameters,
                diversified: arguments.flag("diversified"),
            })
        }
        "sam_transfer_work_key" => {
            let Ok(parameters) = arguments.bytes("parameters")?.try_into() else { return refused };
            let diversification = match arguments.optional_bytes("diversifier")?.map(TryInto::try_into) {
                Some(Ok(given)) => KeyDiversification::Given(given),
                Some(Err(_)) => return refused,
                None if arguments.flag("diversified") => KeyDiversification::Target,
                None => KeyDiversification::None,
            };
            let record = Some(arguments.byte("record")?).filter(|record| *record != 0);
            let key = arguments.key("kif", "kvc")?;
            transaction.prepare(TransferWorkKey { key, parameters, record, diversification })
        }
        "sam_transfer_lock" => transaction.prepare(TransferLock {
            index: byte("index")?,
            parameters: byte("parameters")?,
            diversified: arguments.flag("diversified"),
        }),
        "sam_write_ceiling" => transaction.prepare(WriteCeiling {
            counter: arguments.byte("counter")?,
            ceiling: arguments.number("value", u32::MAX)?,
        }),
        "sam_write_counter_configuration" => transaction.prepare(ConfigureCounter {
            counter: arguments.byte("counter")?,
            ceiling: arguments.number("value", u32::MAX)?,
            access: access(arguments.text("access")?)?,
        }),
        other => return Err(format!("unknown operation {other}")),
    })
}

fn access(name: &str) -> Result<IncrementAccess, Refused> {
    match name {
        "free" => Ok(IncrementAccess::Free),
        "protected" => Ok(IncrementAccess::Protected),
        other => Err(format!("unknown access {other}")),
    }
}

fn prepare_certificate(
    transaction: &mut SamTransaction,
    arguments: &Arguments<'_>,
) -> Result<Result<CertificateId, Error>, Refused> {
    let aid = arguments.bytes("aid")?;
    let refused = Ok(Err(Argument::Length.into()));
    let Ok(serial_number) = arguments.bytes("serial_number")?.try_into() else { return refused };
    let Ok(startup_info) = arguments.bytes("startup_info")?.try_into() else { return refused };
    let public_key = match arguments.optional_bytes("card_public_key")?.map(TryInto::<[u8; 64]>::try_into) {
        Some(Err(_)) => return refused,
        Some(Ok(key)) => Some(key),
        None => None,
    };
    Ok(transaction.prepare_certificate(&CertifyCard {
        aid: &aid,
        serial_number,
        startup_info,
        start: day(arguments, "start_date")?,
        end: day(arguments, "end_date")?,
        public_key: public_key.as_ref(),
    }))
}

fn day(arguments: &Arguments<'_>, name: &str) -> Result<Option<Day>, Refused> {
    let Some(Value::String(text)) = arguments.0.get(name) else { return Ok(None) };
    let mut parts = text.splitn(3, '-').map(|part| part.parse::<u16>().ok());
    let mut next = || parts.next().flatten().ok_or_else(|| format!("argument {name} is no date"));
    let (year, month, day) = (next()?, next()?, next()?);
    let small = |number: u16| u8::try_from(number).unwrap_or(u8::MAX);
    Day::new(year, small(month), small(day)).map(Some).ok_or_else(|| format!("argument {name} is no date"))
}

/// The three parts of an asynchronous reloading at once.
pub(super) fn reload(
    transaction: &mut SamTransaction,
    step: &Step,
    control_sam: Option<&Sam>,
    (target, control): (&mut Script, &mut Script),
) -> Called {
    let ceilings = step.arguments.get("ceilings").and_then(Value::as_array).ok_or("argument ceilings missing")?;
    let control_sam = control_sam.ok_or("no control SAM")?;
    let key = Secret::new([0x5A; 32]);
    let mut played = || {
        drive::read_context(transaction, target)?;
        let mut builder = ReloadBuilder::new(transaction.context()?, control_sam)?;
        for ceiling in ceilings {
            add(&mut builder, ceiling)?;
        }
        drive::run_reload(&mut builder, control)?;
        // As it would travel.
        let reload = Reload::open(&builder.finish()?.seal(&key), &key).map_err(|_| Error::from(Misuse::OtherSam))?;
        transaction.prepare_reload(&reload)?;
        drive::run_sam(transaction, target, control, ChannelControl::CloseAfter)
    };
    Ok(played())
}

fn add(builder: &mut ReloadBuilder, ceiling: &Value) -> Result<(), Error> {
    let number = |at: usize| ceiling.get(at).and_then(Value::as_i64).and_then(|number| u32::try_from(number).ok());
    let counter = number(0).and_then(|number| u8::try_from(number).ok()).unwrap_or(u8::MAX);
    let value = number(1).unwrap_or(u32::MAX);
    match ceiling.get(2).and_then(Value::as_str) {
        None => builder.prepare(WriteCeiling { counter, ceiling: value }),
        Some(name) => {
            let access = if name == "free" { IncrementAccess::Free } else { IncrementAccess::Protected };
            builder.configure(ConfigureCounter { counter, ceiling: value, access })
        }
    }
}

/// Compares the results of a case.
pub(super) fn compare(transaction: &SamTransaction, pending: &[Pending<'_>]) -> Result<(), String> {
    pending.iter().try_for_each(|pending| match pending {
        Pending::Signature(signature) => signature::compare(transaction, std::slice::from_ref(signature)),
        Pending::KeyPair(step, id) => {
            let pair = id.and_then(|id| transaction.key_pair(id)).map(|pair| hex::encode(pair.reveal()));
            same(step, "key_pair", pair)
        }
        Pending::Certificate(step, id) => {
            let made = id.and_then(|id| transaction.certificate(id)).map(|made| hex::encode(made));
            same(step, "certificate", made)
        }
    })
}

fn same(step: &Step, name: &str, played: Option<String>) -> Result<(), String> {
    let recorded = step.arguments.get(name).cloned().unwrap_or(Value::Null);
    let played = Value::from(played);
    if played == recorded { Ok(()) } else { Err(format!("{name}: {played} instead of {recorded}")) }
}
