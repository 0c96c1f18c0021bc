//! Certificate vectors, `calypso-pki/1`: what the core says of each certificate, key, session and command, against
//! what is expected of a terminal, or of a strict one.
//!
//! The core is asked with its default, strict settings. What a vector takes for granted (`trusted`) is registered with
//! more tolerance, for some of it is itself refused by a strict terminal.

mod chain;
mod exchange;
mod issue;
mod sam;
mod session;

use std::collections::BTreeMap;
use std::fmt::Display;

use ogygia::pki::authority::IssueError;
use ogygia::pki::{Day, PkiError, PkiErrorKind, Standing};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::vector::Unreadable;
use super::{kind, vector};
use crate::hex::{self, Hex};

/// The name of the format.
pub(super) const FORMAT: &str = "calypso-pki/1";

/// What became of one vector.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) name: String,
    pub(super) judgement: Judgement,
}

/// How a vector came out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// As expected, or as a strict terminal should answer.
    Passed,
    /// The core does not offer what it is about, or does what is recommended: the reason.
    Differs(&'static str),
    /// Otherwise.
    Failed(String),
}

#[derive(Debug, Deserialize)]
struct File {
    format: String,
    date: String,
    rsa_keys: Vec<RsaKey>,
    vectors: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct RsaKey {
    name: String,
    modulus: Hex,
    public_exponent: Hex,
    private_exponent: Hex,
}

#[derive(Clone, Debug, Deserialize)]
struct Vector {
    name: String,
    kind: String,
    #[serde(default)]
    hex: Hex,
    expected: Expected,
    strict: Option<Expected>,
    #[serde(flatten)]
    members: Map<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
struct Expected {
    valid: bool,
    error: Option<String>,
    warning: Option<String>,
}

/// All that vectors refer to.
struct Context<'a> {
    on: Day,
    keys: &'a [RsaKey],
    vectors: BTreeMap<&'a str, &'a Vector>,
}

/// What the core answers.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Valid,
    Expired,
    Refused { kind: &'static str, why: String },
}

/// Why there is no answer that can be compared: the vector asks for what is not offered or not recommended, or cannot be
/// read.
#[derive(Debug)]
enum Unanswered {
    Differs(&'static str),
    Wrong(String),
}

/// Whether a vector file is of this format.
pub(super) fn is_certificates(file: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Head {
        format: String,
    }
    serde_json::from_slice::<Head>(file).is_ok_and(|head| head.format == FORMAT)
}

/// Judges each vector of a file; one that cannot be read has failed.
pub(super) fn judge(text: &[u8], file_name: &str) -> Result<Vec<Judged>, String> {
    let file: File = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    if file.format != FORMAT {
        return Err(format!("format {:.40} is not {FORMAT}", file.format));
    }
    let on = hex::decode(&file.date).and_then(|bytes| bytes.try_into().ok());
    let on = on.and_then(|bytes| Day::from_bcd(bytes).ok().flatten()).ok_or("a date that cannot be read")?;
    let read = vector::each::<Vector>(&file.vectors, file_name);
    let readable = read.iter().filter_map(|vector| vector.as_ref().ok());
    let vectors = readable.map(|vector| (vector.name.as_str(), vector)).collect();
    let context = Context { on, keys: &file.rsa_keys, vectors };
    let judged = |vector: &Result<Vector, Unreadable>| match vector {
        Ok(vector) => Judged { name: vector.name.clone(), judgement: context.judge(vector) },
        Err(Unreadable { name, why, .. }) => {
            Judged { name: name.clone(), judgement: Judgement::Failed(format!("cannot be read: {why}")) }
        }
    };
    Ok(read.iter().map(judged).collect())
}

impl Context<'_> {
    fn judge(&self, vector: &Vector) -> Judgement {
        match self.answer(vector) {
            Ok(answer) if answer.is(&vector.expected) => Judgement::Passed,
            Ok(answer) if vector.strict.as_ref().is_some_and(|strict| answer.is(strict)) => Judgement::Passed,
            Ok(answer) => Judgement::Failed(format!("{answer:?} instead of {:?}", vector.expected)),
            Err(Unanswered::Differs(reason)) => Judgement::Differs(reason),
            Err(Unanswered::Wrong(why)) => Judgement::Failed(why),
        }
    }

    fn answer(&self, vector: &Vector) -> Result<Answer, Unanswered> {
        match vector.kind.as_str() {
            "pca_public_key" => chain::root(vector),
            "ca_certificate" => chain::authority(self, vector),
            "card_certificate" => chain::card(self, vector),
            "signature_block" => issue::signature(self, vector),
            "generate_ca_certificate" => issue::authority(self, vector),
            "generate_card_certificate" => issue::card(self, vector),
            "card_public_key" => session::public_key(vector),
            "pki_session" => session::session(vector),
            "get_data" => exchange::get_data(vector),
            "put_data" => exchange::put_data(vector),
            "sam_command" => sam::command(vector),
            "pki_transaction" => exchange::transaction(self, vector),
            other => Err(wrong(format!("unknown kind {other}"))),
        }
    }

    fn key(&self, name: &str) -> Result<&RsaKey, Unanswered> {
        self.keys.iter().find(|key| key.name == name).ok_or_else(|| wrong(format!("no key {name}")))
    }

    fn vector(&self, name: &str) -> Result<&Vector, Unanswered> {
        self.vectors.get(name).copied().ok_or_else(|| wrong(format!("no vector {name}")))
    }
}

impl Vector {
    fn text(&self, name: &str) -> Result<&str, Unanswered> {
        text(&self.members, name)
    }

    fn bytes(&self, name: &str) -> Result<Vec<u8>, Unanswered> {
        bytes(&self.members, name)
    }

    /// Commands and answers of an exchange.
    fn pairs(&self, name: &str) -> Result<Vec<(Hex, Hex)>, Unanswered> {
        let value = self.members.get(name).cloned().unwrap_or_default();
        serde_json::from_value(value).map_err(|error| wrong(format!("{name}: {error}")))
    }

    /// The names in a list.
    fn names(&self, name: &str) -> Vec<&str> {
        let list = self.members.get(name).and_then(Value::as_array);
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

fn text<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Unanswered> {
    members.get(name).and_then(Value::as_str).ok_or_else(|| wrong(format!("{name} is missing")))
}

fn bytes(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Unanswered> {
    hex::decode(text(members, name)?).ok_or_else(|| wrong(format!("{name} is not hexadecimal")))
}

fn wrong(why: impl Into<String>) -> Unanswered {
    Unanswered::Wrong(why.into())
}

/// Checks one value of ours against the vector's.
fn same(what: &str, ours: &[u8], theirs: &[u8]) -> Result<(), Unanswered> {
    if ours == theirs {
        return Ok(());
    }
    Err(wrong(format!("{what}: {:.80} instead of {:.80}", hex::encode(ours), hex::encode(theirs))))
}

impl Answer {
    fn is(&self, expected: &Expected) -> bool {
        match self {
            Self::Valid => expected.valid && expected.warning.is_none(),
            Self::Expired => expected.valid && expected.warning.as_deref() == Some("expired"),
            Self::Refused { kind, .. } => !expected.valid && expected.error.as_deref() == Some(kind),
        }
    }

    fn refused(kind: PkiErrorKind, why: &dyn Display) -> Self {
        Self::Refused { kind: kind::of_pki(kind), why: why.to_string() }
    }
}

impl From<Standing> for Answer {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Valid => Self::Valid,
            Standing::Expired => Self::Expired,
        }
    }
}

impl From<PkiError> for Answer {
    fn from(error: PkiError) -> Self {
        Self::refused(error.kind(), &error)
    }
}

impl From<IssueError> for Answer {
    fn from(error: IssueError) -> Self {
        Self::refused(error.kind(), &error)
    }
}

impl From<String> for Unanswered {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}
