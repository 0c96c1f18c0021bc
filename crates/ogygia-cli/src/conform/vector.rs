//! The format of exchange vectors, `calypso-exchange/1`.

use serde::Deserialize;
use serde_json::Value;

use crate::hex::Hex;

/// The name of the format.
pub(super) const FORMAT: &str = "calypso-exchange/1";

#[derive(Debug, Deserialize)]
pub(super) struct File {
    pub(super) format: String,
    pub(super) cases: Vec<Case>,
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
