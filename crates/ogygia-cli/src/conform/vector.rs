//! The format of exchange vectors, `calypso-exchange/1`.

use serde::Deserialize;
use serde_json::Value;

use crate::hex::Hex;

/// The name of the format.
pub(super) const FORMAT: &str = "calypso-exchange/1";

#[derive(Debug, Deserialize)]
struct File {
    format: String,
    cases: Vec<Value>,
}

/// What of a file cannot be read, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Its name; or its number, from 1, and its file.
    pub(super) name: String,
    pub(super) mode: String,
    pub(super) why: String,
}

/// The cases of a file, each read by itself.
pub(super) fn read(text: &[u8], file_name: &str) -> Result<Vec<Result<Case, Unreadable>>, String> {
    let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("format {:.40} is not {FORMAT}", file.format));
    }
    Ok(each(&file.cases, file_name))
}

/// Reads each of `values` by itself.
pub(super) fn each<'a, T: Deserialize<'a>>(values: &'a [Value], file_name: &str) -> Vec<Result<T, Unreadable>> {
    let read = |(index, value): (usize, &'a Value)| {
        T::deserialize(value).map_err(|error| {
            let text = |name| value.get(name).and_then(Value::as_str).map(String::from);
            let name = text("name").unwrap_or_else(|| format!("case {} of {file_name}", index + 1));
            Unreadable { name, mode: text("mode").unwrap_or_default(), why: error.to_string() }
        })
    };
    values.iter().enumerate().map(read).collect()
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) mode: String,
    #[serde(default)]
    pub(super) suspect: Vec<String>,
    #[serde(default)]
    pub(super) points: Vec<String>,
    pub(super) card: Option<CardData>,
    pub(super) sam: Option<SamData>,
    pub(super) selection: Option<Selection>,
    pub(super) control_sam: Option<SamData>,
    pub(super) sam_selection: Option<SamSelection>,
    pub(super) sam_transaction: Option<String>,
    pub(super) sam_image: Option<Value>,
    pub(super) settings: Option<Settings>,
    pub(super) prefetched_challenge: Option<Hex>,
    #[serde(default)]
    pub(super) terminal_challenges: Vec<Hex>,
    pub(super) creation_error: Option<String>,
    #[serde(default)]
    pub(super) steps: Vec<Step>,
    pub(super) image: Option<Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct CardData {
    pub(super) select_response: Option<Hex>,
    pub(super) power_on_data: Option<Hex>,
    pub(super) contactless: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Selection {
    pub(super) accept_invalidated: bool,
    pub(super) preparations: Vec<Step>,
    #[serde(default)]
    pub(super) exchanges: Vec<Exchange>,
    /// Absent: matched. Null: the communication was lost.
    #[serde(default = "matched")]
    pub(super) matched: Option<bool>,
    pub(super) error: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SamSelection {
    pub(super) preparations: Vec<Step>,
    #[serde(default)]
    pub(super) exchanges: Vec<Exchange>,
    /// Absent: matched. Null: the communication was lost.
    #[serde(default = "matched")]
    pub(super) matched: Option<bool>,
    pub(super) error: Option<String>,
}

fn matched() -> Option<bool> {
    Some(true)
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SamData {
    pub(super) power_on_data: Hex,
    pub(super) reader_payload_capacity: Option<u8>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Settings {
    pub(super) multiple_session: bool,
    pub(super) ratification_mechanism: bool,
    pub(super) read_on_session_opening_disabled: bool,
    pub(super) kif: Vec<(String, Hex, Hex)>,
    pub(super) default_kif: Vec<(String, Hex)>,
    pub(super) default_kvc: Vec<(String, Hex)>,
    pub(super) authorized_session_keys: Vec<(Hex, Hex)>,
    pub(super) pin_plain: bool,
    pub(super) pin_verification_key: Option<(Hex, Hex)>,
    pub(super) pin_modification_key: Option<(Hex, Hex)>,
    pub(super) sv_load_and_debit_log: bool,
    pub(super) sv_negative_balance: bool,
    pub(super) authorized_sv_keys: Vec<(Hex, Hex)>,
    pub(super) pca: Vec<(Hex, Hex)>,
    pub(super) ca: Vec<Hex>,
    pub(super) ca_parser: Option<bool>,
    pub(super) card_parser: Option<bool>,
    pub(super) test_mode: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Step {
    pub(super) op: String,
    pub(super) error: Option<String>,
    #[serde(default)]
    pub(super) exchanges: Vec<Exchange>,
    #[serde(flatten)]
    pub(super) arguments: serde_json::Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Exchange {
    pub(super) to: String,
    pub(super) apdus: Vec<(Hex, Hex)>,
    pub(super) lost: Option<String>,
}
