//! Root keys, and certificates with what vouches for them.

use ogygia::pki::{
    CaCertificate, CardCertificate, Day, Holder, Mode, PkiError, RootKey, RsaPublicKey, Standing, Tolerance,
    TrustStore, Validity,
};
use serde_json::Value;

use super::{Answer, Context, Unanswered, Vector, bytes, same, text, wrong};

/// A root key: its modulus, or a key object.
pub(super) fn root(vector: &Vector) -> Result<Answer, Unanswered> {
    Ok(match root_key(vector)? {
        Ok(_) => Answer::Valid,
        Err(error) => error.into(),
    })
}

fn root_key(vector: &Vector) -> Result<Result<RootKey, PkiError>, Unanswered> {
    let reference = vector.bytes("reference")?;
    if vector.text("form")? == "modulus" {
        return Ok(RootKey::new(&reference, &vector.hex.0));
    }
    let key = RsaPublicKey::from_parts(&vector.hex.0, &exponent(vector)?).map_err(PkiError::Key);
    Ok(key.and_then(|key| RootKey::new(&reference, &key.modulus())))
}

/// The exponent may be written with an odd number of digits.
fn exponent(vector: &Vector) -> Result<Vec<u8>, Unanswered> {
    let digits = vector.text("exponent")?;
    let padded = if digits.len() % 2 == 1 { format!("0{digits}") } else { digits.to_string() };
    crate::hex::decode(&padded).ok_or_else(|| wrong("the exponent is not hexadecimal"))
}

/// A store with everything that the vector takes for granted. It tolerates what a terminal may tolerate.
pub(super) fn trusted(context: &Context<'_>, names: &[&str], mode: Mode) -> Result<TrustStore, Unanswered> {
    let mut store = TrustStore::new(mode);
    store.tolerate(Tolerance { expired: true, reserved_rights: true });
    for name in names {
        let vector = context.vector(name)?;
        let registered = match vector.kind.as_str() {
            "pca_public_key" => root_key(vector)?.and_then(|root| store.add_root(root)),
            _ => CaCertificate::parse(&vector.hex.0).and_then(|ca| store.add_ca(&ca, context.on).map(drop)),
        };
        registered.map_err(|error| wrong(format!("trusted {name}: {error}")))?;
    }
    Ok(store)
}

fn strict_store(context: &Context<'_>, vector: &Vector) -> Result<TrustStore, Unanswered> {
    let mode = match vector.text("mode")? {
        "production" => Mode::Production,
        "test" => Mode::Test,
        other => return Err(wrong(format!("unknown mode {other}"))),
    };
    let mut store = trusted(context, &vector.names("trusted"), mode)?;
    store.tolerate(Tolerance::default());
    Ok(store)
}

/// The certificate of an authority.
pub(super) fn authority(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    let mut store = strict_store(context, vector)?;
    let certificate = match CaCertificate::parse(&vector.hex.0) {
        Ok(certificate) => certificate,
        Err(error) => return Ok(error.into()),
    };
    let added = store.add_ca(&certificate, context.on);
    if added == Ok(Standing::Valid) {
        same_authority(vector, &certificate, &store)?;
    }
    Ok(added.map_or_else(Answer::from, Answer::from))
}

/// The decoded fields.
fn same_authority(vector: &Vector, certificate: &CaCertificate, store: &TrustStore) -> Result<(), Unanswered> {
    let Some(fields) = vector.members.get("fields").and_then(Value::as_object) else { return Ok(()) };
    same("issuer", certificate.issuer().as_bytes(), &bytes(fields, "issuer_key_reference")?)?;
    same("target", certificate.subject().as_bytes(), &bytes(fields, "target_key_reference")?)?;
    same("rights", &[certificate.rights().0], &bytes(fields, "rights")?)?;
    same("scope", &[certificate.scope().byte()], &bytes(fields, "scope")?)?;
    let issuer = store.issuer(&certificate.subject()).ok_or_else(|| wrong("accepted, but not registered"))?;
    same_validity(issuer.validity(), &bytes(fields, "start_date")?, &bytes(fields, "end_date")?)?;
    same("modulus", &issuer.key().modulus(), &bytes(fields, "public_modulus")?)?;
    let restriction = issuer.restriction();
    let aid = restriction.aid().map_or(&[][..], |aid| aid.as_bytes());
    same("AID", aid, &text(fields, "target_aid").ok().and_then(crate::hex::decode).unwrap_or_default())?;
    let flag = |name: &str| fields.get(name).and_then(Value::as_bool);
    let may = [Some(issuer.may_sign_cards()), Some(issuer.may_sign_authorities())];
    if may != [flag("may_sign_card_certificates"), flag("may_sign_ca_certificates")] {
        return Err(wrong(format!("may sign cards and authorities: {may:?}")));
    }
    Ok(())
}

fn same_validity(ours: Validity, start: &[u8], end: &[u8]) -> Result<(), Unanswered> {
    let bcd = |day: Option<Day>| day.map_or([0; 4], Day::to_bcd);
    same("start", &bcd(ours.start), start)?;
    same("end", &bcd(ours.end), end)
}

/// The certificate of a card.
pub(super) fn card(context: &Context<'_>, vector: &Vector) -> Result<Answer, Unanswered> {
    let store = strict_store(context, vector)?;
    let certificate = match CardCertificate::parse(&vector.hex.0) {
        Ok(certificate) => certificate,
        Err(error) => return Ok(error.into()),
    };
    let serial = vector.bytes("card_serial")?;
    let serial_number = serial.try_into().map_err(|_| wrong("a serial number has eight bytes"))?;
    let holder = Holder { serial_number, application: None, startup_info: None };
    let verified = match store.verify_card_certificate(&certificate, &holder, context.on) {
        Ok(verified) => verified,
        Err(error) => return Ok(error.into()),
    };
    if let Some(fields) = vector.members.get("fields").and_then(Value::as_object) {
        same("issuer", certificate.issuer().as_bytes(), &bytes(fields, "issuer_key_reference")?)?;
        same("AID", certificate.aid().as_bytes(), &bytes(fields, "aid")?)?;
        same("serial number", &certificate.serial_number(), &bytes(fields, "serial_number")?)?;
        same("index", &certificate.index().to_be_bytes(), &bytes(fields, "index")?)?;
        let content = verified.content();
        same_validity(content.validity, &bytes(fields, "start_date")?, &bytes(fields, "end_date")?)?;
        same("rights", &[content.rights], &bytes(fields, "rights")?)?;
        same("startup information", &content.startup_info, &bytes(fields, "startup_info")?)?;
        same("public key", &content.public_key, &bytes(fields, "public_key")?)?;
    }
    Ok(verified.standing().into())
}
