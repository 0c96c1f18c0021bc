//! The signature operations of the vectors.

use ogygia::Error;
use ogygia::sam::{ComputeSignature, SignatureId, SignatureKind, SignatureOutcome, Traceability, VerifySignature};
use ogygia::sam_transaction::SamTransaction;
use ogygia::transaction::Transaction;
use serde_json::{Value, json};

use super::operation::{Arguments, Refused};
use super::vector::Step;
use crate::hex;

/// A signature operation and, if it was not refused, its place in the transaction.
pub(super) type Pending<'a> = (&'a Step, Option<SignatureId>);

/// What has signatures made and verified: a card transaction, or one with a SAM.
pub(super) trait Signing {
    fn prepare_signature(&mut self, compute: &ComputeSignature<'_>) -> Result<SignatureId, Error>;
    fn prepare_verification(&mut self, verify: &VerifySignature<'_>) -> Result<SignatureId, Error>;
    fn prepare_verification_unless(
        &mut self,
        verify: &VerifySignature<'_>,
        is_revoked: impl FnOnce(&[u8], u32) -> bool,
    ) -> Result<SignatureId, Error>;
    fn signature(&self, id: SignatureId) -> Option<SignatureOutcome<'_>>;
}

macro_rules! signing {
    ($kind:ty) => {
        impl Signing for $kind {
            fn prepare_signature(&mut self, compute: &ComputeSignature<'_>) -> Result<SignatureId, Error> {
                Self::prepare_signature(self, compute)
            }

            fn prepare_verification(&mut self, verify: &VerifySignature<'_>) -> Result<SignatureId, Error> {
                Self::prepare_verification(self, verify)
            }

            fn prepare_verification_unless(
                &mut self,
                verify: &VerifySignature<'_>,
                is_revoked: impl FnOnce(&[u8], u32) -> bool,
            ) -> Result<SignatureId, Error> {
                Self::prepare_verification_unless(self, verify, is_revoked)
            }

            fn signature(&self, id: SignatureId) -> Option<SignatureOutcome<'_>> {
                Self::signature(self, id)
            }
        }
    };
}
signing!(Transaction);
signing!(SamTransaction);

/// Calls the preparation of `step`.
pub(super) fn prepare<'a>(
    transaction: &mut impl Signing,
    step: &'a Step,
    pending: &mut Vec<Pending<'a>>,
) -> Result<Result<(), Error>, Refused> {
    let arguments = Arguments(&step.arguments);
    let kind = kind(&arguments)?;
    let data = arguments.bytes("data")?;
    let diversifier = arguments.optional_bytes("diversifier")?;
    let (diversifier, key) = (diversifier.as_deref(), arguments.key("kif", "kvc")?);
    let prepared = if step.op.ends_with("compute_signature") {
        let size = arguments.byte("size")?;
        transaction.prepare_signature(&ComputeSignature { kind, data: &data, key, size, diversifier })
    } else {
        let signature = arguments.bytes("signature")?;
        let verify = VerifySignature { kind, data: &data, signature: &signature, key, diversifier };
        match arguments.text("revocation_check") {
            Ok(answer) => verify_unless_revoked(transaction, &verify, answer == "revoked", step)?,
            Err(_) => transaction.prepare_verification(&verify),
        }
    };
    pending.push((step, prepared.ok()));
    Ok(prepared.map(|_| ()))
}

fn verify_unless_revoked(
    transaction: &mut impl Signing,
    verify: &VerifySignature<'_>,
    revoked: bool,
    step: &Step,
) -> Result<Result<SignatureId, Error>, Refused> {
    let mut queries = Vec::new();
    let prepared = transaction.prepare_verification_unless(verify, |serial, counter| {
        queries.push(json!([hex::encode(serial), counter]));
        revoked
    });
    let recorded = step.arguments.get("revocation_queries").cloned().unwrap_or_else(|| json!([]));
    let asked = Value::from(queries);
    if asked == recorded { Ok(prepared) } else { Err(format!("revocation asked {asked} instead of {recorded}")) }
}

fn kind(arguments: &Arguments<'_>) -> Result<SignatureKind, Refused> {
    if arguments.text("kind")? == "basic" {
        return Ok(SignatureKind::Basic);
    }
    let busy = arguments.0.get("busy").and_then(Value::as_bool).unwrap_or(true);
    let traceability = arguments.0.get("traceability").filter(|traceability| !traceability.is_null());
    let traceability = traceability.map(|traceability| Traceability {
        offset: traceability
            .get("offset")
            .and_then(Value::as_i64)
            .and_then(|bit| bit.try_into().ok())
            .unwrap_or(u16::MAX),
        partial_serial_number: traceability.get("partial_serial").and_then(Value::as_bool).unwrap_or(false),
    });
    Ok(SignatureKind::Traceable { busy, traceability })
}

/// Compares what became of the signatures of a case.
pub(super) fn compare(transaction: &impl Signing, pending: &[Pending<'_>]) -> Result<(), String> {
    pending.iter().try_for_each(|(step, id)| {
        let outcome = id.and_then(|id| transaction.signature(id));
        let recorded = |name: &str| step.arguments.get(name).cloned().unwrap_or(Value::Null);
        if step.op.ends_with("verify_signature") {
            let valid = match outcome {
                Some(SignatureOutcome::Verified(valid)) => Value::from(valid),
                _ => Value::Null,
            };
            return same("valid", &valid, &recorded("valid"));
        }
        let (signed_data, signature) = match outcome {
            Some(SignatureOutcome::Computed { signed_data, signature }) => {
                (Value::from(hex::encode(signed_data)), Value::from(hex::encode(signature)))
            }
            _ => (Value::Null, Value::Null),
        };
        same("signature", &signature, &recorded("signature"))?;
        let recorded = recorded("signed_data");
        if recorded.is_null() { Ok(()) } else { same("signed_data", &signed_data, &recorded) }
    })
}

fn same(what: &str, played: &Value, recorded: &Value) -> Result<(), String> {
    if played == recorded { Ok(()) } else { Err(format!("{what}: {played} instead of {recorded}")) }
}
