//! The operations of the vectors, as calls.

use std::slice::Iter;

use ogygia::card::{KeyId, Kif, Kvc, Level, Lid, Sfi};
use ogygia::command::{
    ActivateEncryption, AppendRecord, AuthenticateEarly, CancelSession, ChangeCounter, ChangeCounters, ChangeKey,
    ChangePin, CheckPinStatus, CloseSession, CounterChange, DataTag, DeactivateEncryption, GenerateKeyPair, GetData,
    Invalidate, OpenPkiSession, OpenSession, Pin, PutData, ReadBinary, ReadCounters, ReadRecord, ReadRecords,
    ReadRecordsPartially, Rehabilitate, SearchRecords, SelectFile, SetCounter, SvDebit, SvGet, SvOperation,
    SvReadAllLogs, SvReload, UpdateBinary, UpdateRecord, VerifyPin, WriteBinary, WriteRecord,
};
use ogygia::transaction::Transaction;
use serde_json::{Map, Value};

use super::vector::Step;
use crate::hex::{self, Hex};

/// Why an operation could not be called: the vector, or this runner.
pub(super) type Refused = String;

/// Arguments of an operation. A number that its type cannot hold becomes the largest one, which is out of range.
pub(super) struct Arguments<'a>(pub(super) &'a Map<String, Value>);

impl Arguments<'_> {
    fn value(&self, name: &str) -> Result<&Value, Refused> {
        self.0.get(name).ok_or_else(|| format!("argument {name} missing"))
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Refused> {
        self.value(name)?.as_str().ok_or_else(|| format!("argument {name} is no text"))
    }

    pub(super) fn number<T: TryFrom<i64>>(&self, name: &str, out_of_range: T) -> Result<T, Refused> {
        let number = self.value(name)?.as_i64().ok_or_else(|| format!("argument {name} is no number"))?;
        Ok(T::try_from(number).unwrap_or(out_of_range))
    }

    pub(super) fn byte(&self, name: &str) -> Result<u8, Refused> {
        self.number(name, u8::MAX)
    }

    fn sfi(&self) -> Result<Sfi, Refused> {
        self.byte("sfi").map(Sfi)
    }

    pub(super) fn bytes(&self, name: &str) -> Result<Vec<u8>, Refused> {
        hex::decode(self.text(name)?).ok_or_else(|| format!("argument {name} is not hexadecimal"))
    }

    pub(super) fn optional_bytes(&self, name: &str) -> Result<Option<Vec<u8>>, Refused> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.bytes(name).map(Some),
        }
    }

    /// Two bytes; nothing when there are more or fewer.
    fn pair(&self, name: &str) -> Result<Option<[u8; 2]>, Refused> {
        Ok(self.bytes(name)?.try_into().ok())
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or(false)
    }

    pub(super) fn key(&self, kif: &str, kvc: &str) -> Result<KeyId, Refused> {
        let byte = |name| self.bytes(name)?.first().copied().ok_or_else(|| format!("argument {name} is empty"));
        Ok(KeyId { kif: Kif(byte(kif)?), kvc: Kvc(byte(kvc)?) })
    }

    fn changes(&self) -> Result<Vec<(u8, u32)>, Refused> {
        let pairs = self.value("values")?.as_array().ok_or("argument values is no list")?;
        let number = |pair: &Value, place: usize| pair.get(place).and_then(Value::as_i64).ok_or("no pair of numbers");
        pairs
            .iter()
            .map(|pair| {
                let counter = u8::try_from(number(pair, 0)?).unwrap_or(u8::MAX);
                Ok((counter, u32::try_from(number(pair, 1)?).unwrap_or(u32::MAX)))
            })
            .collect()
    }
}

/// The level of this name.
pub(super) fn level(name: &str) -> Result<Level, Refused> {
    match name {
        "personalization" => Ok(Level::Personalization),
        "load" => Ok(Level::Load),
        "debit" => Ok(Level::Debit),
        other => Err(format!("unknown level {other}")),
    }
}

/// Calls the preparation of `step`.
///
/// Each session that the card signs takes one of the `challenges` that the recorded terminal drew.
pub(super) fn prepare(
    transaction: &mut Transaction,
    step: &Step,
    challenges: &mut Iter<'_, Hex>,
) -> Result<Result<(), ogygia::Error>, Refused> {
    let arguments = Arguments(&step.arguments);
    Ok(match step.op.as_str() {
        "select_file" => transaction.prepare(select_file(&arguments)?),
        "get_data" => transaction.prepare(GetData { tag: data_tag(arguments.text("tag")?)? }),
        "read_record" => transaction.prepare(ReadRecord { sfi: arguments.sfi()?, record: arguments.byte("record")? }),
        "read_records" => transaction.prepare(ReadRecords {
            sfi: arguments.sfi()?,
            records: arguments.byte("from")?..=arguments.byte("to")?,
            size: arguments.byte("size")?,
        }),
        "read_counter" => transaction.prepare(ReadCounters { sfi: arguments.sfi()?, count: arguments.byte("count")? }),
        "update_record" => transaction.prepare(UpdateRecord {
            sfi: arguments.sfi()?,
            record: arguments.byte("record")?,
            data: &arguments.bytes("data")?,
        }),
        "write_record" => transaction.prepare(WriteRecord {
            sfi: arguments.sfi()?,
            record: arguments.byte("record")?,
            data: &arguments.bytes("data")?,
        }),
        "append_record" => transaction.prepare(AppendRecord { sfi: arguments.sfi()?, data: &arguments.bytes("data")? }),
        "increase_counter" => transaction.prepare(change(CounterChange::Increase, &arguments)?),
        "decrease_counter" => transaction.prepare(change(CounterChange::Decrease, &arguments)?),
        "increase_counters" => transaction.prepare(ChangeCounters {
            change: CounterChange::Increase,
            sfi: arguments.sfi()?,
            by: &arguments.changes()?,
        }),
        "decrease_counters" => transaction.prepare(ChangeCounters {
            change: CounterChange::Decrease,
            sfi: arguments.sfi()?,
            by: &arguments.changes()?,
        }),
        "set_counter" => transaction.prepare(SetCounter {
            sfi: arguments.sfi()?,
            counter: arguments.byte("counter")?,
            to: arguments.number("value", u32::MAX)?,
        }),
        "open_secure_session" if !arguments.0.contains_key("level") => open_pki_session(transaction, challenges)?,
        "open_secure_session" => transaction.prepare(OpenSession { level: level(arguments.text("level")?)? }),
        "early_mutual_authentication" => transaction.prepare(AuthenticateEarly),
        "activate_encryption" => transaction.prepare(ActivateEncryption),
        "deactivate_encryption" => transaction.prepare(DeactivateEncryption),
        "close_secure_session" => transaction.prepare(CloseSession),
        "cancel_secure_session" => transaction.prepare(CancelSession),
        other => return prepare_more(transaction, other, &arguments),
    })
}

/// A challenge is drawn only for a session that is accepted.
fn open_pki_session(
    transaction: &mut Transaction,
    challenges: &mut Iter<'_, Hex>,
) -> Result<Result<(), ogygia::Error>, Refused> {
    let drawn = challenges.as_slice().first().map_or(&[0; 8][..], |challenge| &challenge.0);
    let challenge = drawn.try_into().map_err(|_| "a challenge has eight bytes")?;
    let prepared = transaction.prepare(OpenPkiSession { challenge });
    if prepared.is_ok() {
        challenges.next();
    }
    Ok(prepared)
}

/// The operations beyond records, counters and sessions.
fn prepare_more(
    transaction: &mut Transaction,
    name: &str,
    arguments: &Arguments<'_>,
) -> Result<Result<(), ogygia::Error>, Refused> {
    Ok(match name {
        "read_records_partially" => transaction.prepare(ReadRecordsPartially {
            sfi: arguments.sfi()?,
            records: arguments.byte("from")?..=arguments.byte("to")?,
            offset: arguments.byte("offset")?,
            length: arguments.byte("length")?,
        }),
        "search_records" => transaction.prepare(SearchRecords {
            sfi: arguments.sfi()?,
            record: arguments.byte("record")?,
            offset: arguments.byte("offset")?,
            repeated_offset: arguments.flag("repeated_offset"),
            data: &arguments.bytes("data")?,
            mask: arguments.optional_bytes("mask")?.as_deref(),
            fetch_first: arguments.flag("fetch_first"),
        }),
        "read_binary" => transaction.prepare(ReadBinary {
            sfi: arguments.sfi()?,
            offset: arguments.number("offset", u16::MAX)?,
            length: arguments.number("length", 0)?,
        }),
        "update_binary" => transaction.prepare(UpdateBinary {
            sfi: arguments.sfi()?,
            offset: arguments.number("offset", u16::MAX)?,
            data: &arguments.bytes("data")?,
        }),
        "write_binary" => transaction.prepare(WriteBinary {
            sfi: arguments.sfi()?,
            offset: arguments.number("offset", u16::MAX)?,
            data: &arguments.bytes("data")?,
        }),
        "put_data" => put_data(transaction, arguments)?,
        "generate_asymmetric_key_pair" => transaction.prepare(GenerateKeyPair),
        "verify_pin" => match pin(arguments)? {
            Some(pin) => transaction.prepare(VerifyPin { pin }),
            None => excluded(transaction),
        },
        "change_pin" => match pin(arguments)? {
            Some(pin) => transaction.prepare(ChangePin { pin }),
            None => excluded(transaction),
        },
        "check_pin_status" => transaction.prepare(CheckPinStatus),
        "change_key" => transaction.prepare(ChangeKey {
            index: arguments.byte("index")?,
            new: arguments.key("new_kif", "new_kvc")?,
            issuer: arguments.key("issuer_kif", "issuer_kvc")?,
        }),
        "invalidate" => transaction.prepare(Invalidate),
        "rehabilitate" => transaction.prepare(Rehabilitate),
        other => return prepare_stored_value(transaction, other, arguments),
    })
}

fn prepare_stored_value(
    transaction: &mut Transaction,
    name: &str,
    arguments: &Arguments<'_>,
) -> Result<Result<(), ogygia::Error>, Refused> {
    Ok(match name {
        "sv_get" => {
            let operation = match (arguments.text("operation")?, arguments.text("action")?) {
                ("reload", _) => SvOperation::Reload,
                ("debit", "do") => SvOperation::Debit,
                ("debit", "undo") => SvOperation::Undebit,
                (operation, action) => return Err(format!("unknown operation {operation} {action}")),
            };
            transaction.prepare(SvGet { operation })
        }
        "sv_reload" => match (arguments.pair("date")?, arguments.pair("time")?, arguments.pair("free")?) {
            (Some(date), Some(time), Some(free)) => {
                let amount = arguments.number("amount", i32::MAX)?;
                transaction.prepare(SvReload { amount, date, time, free })
            }
            _ => excluded(transaction),
        },
        "sv_debit" => match (arguments.pair("date")?, arguments.pair("time")?) {
            (Some(date), Some(time)) => {
                let amount = arguments.number("amount", u16::MAX)?;
                transaction.prepare(SvDebit { amount, date, time })
            }
            _ => excluded(transaction),
        },
        "sv_read_all_logs" => transaction.prepare(SvReadAllLogs),
        other => return Err(format!("unknown operation {other}")),
    })
}

/// An argument that the types of the core exclude. An application that finds it in what it was given gives up.
fn excluded(transaction: &mut Transaction) -> Result<(), ogygia::Error> {
    transaction.abandon()?;
    Err(ogygia::Argument::Data.into())
}

/// Nothing when it has another length than four bytes.
fn pin(arguments: &Arguments<'_>) -> Result<Option<Pin>, Refused> {
    Ok(<[u8; Pin::LEN]>::try_from(arguments.bytes("pin")?).map(Pin::new).ok())
}

fn put_data(transaction: &mut Transaction, arguments: &Arguments<'_>) -> Result<Result<(), ogygia::Error>, Refused> {
    let data = arguments.bytes("data")?;
    let put = match arguments.text("tag")? {
        "card_key_pair" => PutData::KeyPair(&data),
        "card_certificate" => PutData::CardCertificate(&data),
        "ca_certificate" => PutData::CaCertificate(&data),
        other => return Err(format!("unknown data tag {other}")),
    };
    Ok(transaction.prepare(put))
}

pub(super) fn select_file(arguments: &Arguments<'_>) -> Result<SelectFile, Refused> {
    if let Ok(control) = arguments.text("control") {
        return match control {
            "first_ef" => Ok(SelectFile::FirstFile),
            "next_ef" => Ok(SelectFile::NextFile),
            "current_df" => Ok(SelectFile::CurrentDirectory),
            other => Err(format!("unknown control {other}")),
        };
    }
    let lid = arguments.bytes("lid")?;
    let lid = lid.try_into().map_err(|_| "a LID has two bytes")?;
    Ok(SelectFile::Lid(Lid(u16::from_be_bytes(lid))))
}

pub(super) fn data_tag(name: &str) -> Result<DataTag, Refused> {
    match name {
        "fci" => Ok(DataTag::Fci),
        "fcp" => Ok(DataTag::Fcp),
        "ef_list" => Ok(DataTag::FileList),
        "traceability" => Ok(DataTag::Traceability),
        "card_public_key" => Ok(DataTag::CardPublicKey),
        "card_certificate" => Ok(DataTag::CardCertificate),
        "ca_certificate" => Ok(DataTag::CaCertificate),
        other => Err(format!("unknown data tag {other}")),
    }
}

fn change(change: CounterChange, arguments: &Arguments<'_>) -> Result<ChangeCounter, Refused> {
    Ok(ChangeCounter {
        change,
        sfi: arguments.sfi()?,
        counter: arguments.byte("counter")?,
        by: arguments.number("value", u32::MAX)?,
    })
}
