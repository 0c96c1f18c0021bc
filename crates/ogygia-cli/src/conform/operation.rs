//! The operations of the vectors, as calls.

use ogygia::card::{Level, Lid, Sfi};
use ogygia::command::{
    AppendRecord, CancelSession, ChangeCounter, ChangeCounters, CloseSession, CounterChange, DataTag, GetData,
    OpenSession, ReadCounters, ReadRecord, ReadRecords, SelectFile, SetCounter, UpdateRecord, WriteRecord,
};
use ogygia::transaction::Transaction;
use serde_json::{Map, Value};

use super::vector::Step;
use crate::hex;

/// Why an operation could not be called: the vector, or this runner.
pub(super) type Refused = String;

/// Arguments of an operation. A number that its type cannot hold becomes the largest one, which is out of range.
struct Arguments<'a>(&'a Map<String, Value>);

impl Arguments<'_> {
    fn value(&self, name: &str) -> Result<&Value, Refused> {
        self.0.get(name).ok_or_else(|| format!("argument {name} missing"))
    }

    fn text(&self, name: &str) -> Result<&str, Refused> {
        self.value(name)?.as_str().ok_or_else(|| format!("argument {name} is no text"))
    }

    fn number<T: TryFrom<i64>>(&self, name: &str, out_of_range: T) -> Result<T, Refused> {
        let number = self.value(name)?.as_i64().ok_or_else(|| format!("argument {name} is no number"))?;
        Ok(T::try_from(number).unwrap_or(out_of_range))
    }

    fn byte(&self, name: &str) -> Result<u8, Refused> {
        self.number(name, u8::MAX)
    }

    fn sfi(&self) -> Result<Sfi, Refused> {
        self.byte("sfi").map(Sfi)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Refused> {
        hex::decode(self.text(name)?).ok_or_else(|| format!("argument {name} is not hexadecimal"))
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
pub(super) fn prepare(transaction: &mut Transaction, step: &Step) -> Result<Result<(), ogygia::Error>, Refused> {
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
        "open_secure_session" => transaction.prepare(OpenSession { level: level(arguments.text("level")?)? }),
        "close_secure_session" => transaction.prepare(CloseSession),
        "cancel_secure_session" => transaction.prepare(CancelSession),
        other => return Err(format!("unknown operation {other}")),
    })
}

fn select_file(arguments: &Arguments<'_>) -> Result<SelectFile, Refused> {
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

fn data_tag(name: &str) -> Result<DataTag, Refused> {
    match name {
        "fci" => Ok(DataTag::Fci),
        "fcp" => Ok(DataTag::Fcp),
        "ef_list" => Ok(DataTag::FileList),
        "traceability" => Ok(DataTag::Traceability),
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
