//! `ogygia sam sign` and `ogygia sam verify`.

use std::io::Write;

use ogygia::sam::{ComputeSignature, SignatureOutcome, VerifySignature};
use ogygia::{Argument, Error, Misuse, Untrusted};
use serde_json::json;

use super::args::{Bytes, Sign, Verify};
use super::device::Device;
use crate::error::Failure;
use crate::hex;

/// Has the SAM sign data, and shows the signature.
pub(super) fn sign(sign: &Sign, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut device = Device::open(&sign.sam)?;
    let Bytes(data) = &sign.data;
    let (kind, key, size) = (sign.how.kind(), sign.key.id(), sign.size);
    let compute = ComputeSignature { kind, data, key, size, diversifier: sign.key.diversifier() };
    let id = device.transaction.prepare_signature(&compute).map_err(usage)?;
    device.run()?;
    let Some(SignatureOutcome::Computed { signed_data, signature }) = device.transaction.signature(id) else {
        return Err(Failure::failed("the SAM gave no signature"));
    };
    // Where the SAM has left its traces is known by what was asked for.
    let traces = VerifySignature { kind, data: signed_data, signature, key, diversifier: None }.traces();
    if sign.json {
        let object = json!({
            "sam": device.name(),
            "signed_data": hex::encode(signed_data),
            "signature": hex::encode(signature),
            "serial_number": traces.map(|traces| hex::encode(traces.serial_number())),
            "counter": traces.map(|traces| traces.counter),
        });
        let text = serde_json::to_string_pretty(&object);
        writeln!(out, "{}", text.map_err(|error| Failure::failed(error.to_string()))?)?;
        return Ok(0);
    }
    writeln!(out, "{}, key KIF {} KVC {}", device.name(), key.kif, key.kvc)?;
    writeln!(out, "  signed data    {}", hex::encode(signed_data))?;
    if let Some(traces) = traces {
        let serial = hex::encode(traces.serial_number());
        writeln!(out, "  traces         serial number {serial}, counter {}", traces.counter)?;
    }
    writeln!(out, "  signature      {}", hex::encode(signature))?;
    Ok(0)
}

/// Has the SAM verify a signature.
pub(super) fn verify(verify: &Verify, out: &mut dyn Write) -> Result<u8, Failure> {
    let mut device = Device::open(&verify.sam)?;
    let (Bytes(data), Bytes(signature)) = (&verify.data, &verify.signature);
    let (kind, key) = (verify.how.kind(), verify.key.id());
    let asked = VerifySignature { kind, data, signature, key, diversifier: verify.key.diversifier() };
    device.transaction.prepare_verification(&asked).map_err(usage)?;
    let (words, code) = match device.run() {
        Ok(()) => ("right", 0),
        Err(Failure::Transaction(Error::Untrusted(Untrusted::Signature))) => ("WRONG", 1),
        Err(other) => return Err(other),
    };
    writeln!(out, "{}, key KIF {} KVC {}", device.name(), key.kif, key.kvc)?;
    writeln!(out, "  the signature is {words}")?;
    if let Some(traces) = asked.traces() {
        let serial = hex::encode(traces.serial_number());
        writeln!(out, "  traces         serial number {serial}, counter {}", traces.counter)?;
    }
    Ok(code)
}

/// An argument out of its range is a wrong command line.
fn usage(error: Error) -> Failure {
    Failure::usage(match error {
        Error::Misuse(Misuse::Argument(Argument::Data)) => {
            "DATA has 1 to 208 bytes, 206 with --trace; with --basic a multiple of eight"
        }
        Error::Misuse(Misuse::Argument(Argument::Offset)) => {
            "from the bit of --trace on DATA must have 64 bits more, 56 with --partial-serial"
        }
        Error::Misuse(Misuse::Argument(Argument::SignatureSize)) => "SIGNATURE has 1 to 8 bytes",
        Error::Misuse(Misuse::Argument(Argument::Diversifier)) => "--diversifier has 1 to 8 bytes",
        other => return other.into(),
    })
}
