//! Certificates to be made, and the signature under them.

use ogygia::pki::authority::{Authority, CaRequest, CardRequest, IssueError, RsaPrivateKey};
use ogygia::pki::{
    Aid, AidRestriction, CaCertificate, CardCertificate, CardPublicKey, Day, KeyReference, Mode, Rights, RsaPublicKey,
    Scope, TrustStore, Validity,
};
use serde_json::{Map, Value};

use super::chain::trusted;
use super::{Answer, Context, RsaKey, Unanswered, Vector, bytes, same, text, wrong};

/// Why there is no request: the vector gives what the types of the core do not express, or nonsense.
enum NoRequest {
    /// As a wrong argument.
    Argument(&'static str),
    Unanswered(Unanswered),
}

impl From<Unanswered> for NoRequest {
    fn from(unanswered: Unanswered) -> Self {
        Self::Unanswered(unanswered)
    }
}

/// A block, or its signature: checked by what it signs, since the block itself is not shown.
pub(super) fn signature(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    let certificate = [vector.bytes("non_recoverable")?, vector.bytes("signature")?].concat();
    let certificate = match CaCertificate::parse(&certificate) {
        Ok(certificate) => certificate,
        Err(error) => return Ok(error.into()),
    };
    let modulus = match vector.text("signing_key") {
        Ok(name) => &context.key(name)?.modulus,
        Err(_) => &context.vector(vector.text("verification_key")?)?.hex,
    };
    let key = RsaPublicKey::from_parts(&modulus.0, &[1, 0, 1]).map_err(|defect| wrong(defect.to_string()))?;
    match certificate.recover(&key) {
        Ok(recovered) => {
            let (_, tail) = recovered.split_at(34);
            same("recovered", tail, &vector.bytes("recoverable")?)?;
            Ok(Answer::Valid)
        }
        Err(error) => Ok(error.into()),
    }
}

/// The certificate of an authority, to be made.
pub(super) fn authority(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    made(context, vector, |authority, input| {
        let request = ca_request(context, input)?;
        let made = authority.certify_authority(&request, context.on);
        Ok(made.map(|certificate: CaCertificate| certificate.as_bytes().to_vec()))
    })
}

/// The certificate of a card, to be made.
pub(super) fn card(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    made(context, vector, |authority, input| {
        let request = card_request(input)?;
        let made = authority.certify_card(&request, context.on);
        Ok(made.map(|certificate: CardCertificate| certificate.as_bytes().to_vec()))
    })
}

type Made = Result<Result<Vec<u8>, IssueError>, NoRequest>;

fn made(
    context: &Context<'_>,
    vector: &Vector,
    certify: impl Fn(&Authority<'_>, &Map<String, Value>) -> Made,
) -> Result<Answer, Unanswered> {
    let input = vector.members.get("input").and_then(Value::as_object).ok_or_else(|| wrong("no input"))?;
    let store = issuers(context, vector)?;
    let key = private_key(context.key(text(input, "issuer_signing_key")?)?)?;
    let reference = reference(input, "issuer_key_reference")?;
    let authority = match Authority::new(&store, &reference, &key) {
        Ok(authority) => authority,
        Err(error) => return Ok(error.into()),
    };
    match certify(&authority, input) {
        Ok(Ok(certificate)) => {
            same("certificate", &certificate, &vector.hex.0)?;
            Ok(Answer::Valid)
        }
        Ok(Err(error)) => Ok(error.into()),
        Err(NoRequest::Argument(why)) => Ok(Answer::Refused { kind: "argument", why: why.into() }),
        Err(NoRequest::Unanswered(unanswered)) => Err(unanswered),
    }
}

/// The root is always there; a mode in which the certificate of the issuer is accepted is taken.
fn issuers(context: &Context<'_>, vector: &Vector) -> Result<TrustStore, Unanswered> {
    let mut names = vec!["pca/a"];
    names.extend(vector.text("issuer_certificate").ok());
    trusted(context, &names, Mode::Test).or_else(|_| trusted(context, &names, Mode::Production))
}

fn private_key(key: &RsaKey) -> Result<RsaPrivateKey, Unanswered> {
    let modulus = key.modulus.0.as_slice().try_into().map_err(|_| wrong("a signing key has 2048 bits"))?;
    let exponent = key.private_exponent.0.as_slice().try_into().map_err(|_| wrong("a signing key has 2048 bits"))?;
    RsaPrivateKey::from_parts(modulus, exponent).map_err(|error| wrong(error.to_string()))
}

fn reference(input: &Map<String, Value>, name: &str) -> Result<KeyReference, Unanswered> {
    KeyReference::from_slice(&bytes(input, name)?).map_err(|error| wrong(error.to_string()))
}

fn ca_request(context: &Context<'_>, input: &Map<String, Value>) -> Result<CaRequest, NoRequest> {
    let name = text(input, "target_key").map_err(|_| NoRequest::Argument("no key to certify"))?;
    let key = context.key(name)?;
    let key = RsaPublicKey::from_parts(&key.modulus.0, &key.public_exponent.0)
        .map_err(|_| NoRequest::Argument("a key that cannot be used"))?;
    let byte =
        |name| if input.contains_key(name) { bytes(input, name).map(|bytes| bytes.first().copied()) } else { Ok(None) };
    let truncated = input.get("truncated").and_then(Value::as_bool).unwrap_or(false);
    let restriction = match input.get("target_aid") {
        None | Some(Value::Null) => AidRestriction::None,
        Some(_) if truncated => AidRestriction::Beginning(aid(input, "target_aid")?),
        Some(_) => AidRestriction::Exact(aid(input, "target_aid")?),
    };
    Ok(CaRequest {
        subject: reference(input, "target_key_reference")?,
        key,
        validity: validity(input)?,
        rights: Rights(byte("rights")?.unwrap_or(0)),
        scope: Scope::from_byte(byte("scope")?.unwrap_or(0)),
        restriction,
    })
}

fn card_request(input: &Map<String, Value>) -> Result<CardRequest, NoRequest> {
    let fixed = |name, why| bytes(input, name).map_err(|_| NoRequest::Argument(why));
    let public_key = fixed("card_public_key", "no public key")?;
    let index = input.get("index").and_then(Value::as_i64).unwrap_or(0);
    Ok(CardRequest {
        aid: aid(input, "card_aid")?,
        serial_number: fixed("card_serial_number", "no serial number")?
            .try_into()
            .map_err(|_| NoRequest::Argument("length of the serial number"))?,
        startup_info: fixed("startup_info", "no startup information")?
            .try_into()
            .map_err(|_| NoRequest::Argument("length of the startup information"))?,
        public_key: CardPublicKey::new(&public_key).map_err(|_| NoRequest::Argument("public key"))?,
        validity: validity(input)?,
        // The index of the vectors is signed, that of the core is not: the bytes are the same.
        index: i32::try_from(index).map_err(|_| NoRequest::Argument("index"))?.cast_unsigned(),
    })
}

fn aid(input: &Map<String, Value>, name: &str) -> Result<Aid, NoRequest> {
    Aid::new(&bytes(input, name)?).ok_or(NoRequest::Argument("length of the AID"))
}

fn validity(input: &Map<String, Value>) -> Result<Validity, NoRequest> {
    Ok(Validity { start: day(input, "start_date")?, end: day(input, "end_date")? })
}

/// YYYY-MM-DD, not necessarily a day of the calendar.
fn day(input: &Map<String, Value>, name: &str) -> Result<Option<Day>, NoRequest> {
    let Ok(text) = text(input, name) else { return Ok(None) };
    let mut parts = text.split('-');
    let mut number = || parts.next().and_then(|part| part.parse::<u16>().ok());
    let (Some(year), Some(month), Some(day)) = (number(), number(), number()) else {
        return Err(wrong(format!("{name} is no date")).into());
    };
    let day = u8::try_from(month).ok().zip(u8::try_from(day).ok()).and_then(|(month, day)| Day::new(year, month, day));
    day.map(Some).ok_or(NoRequest::Argument("date"))
}
