//! Signatures of data: specification 03, "PSO Compute Signature", "PSO Verify Signature", "Data Cipher".

use alloc::vec::Vec;

use super::command::{Encoder, Expected, Purpose};
use crate::card::KeyId;
use crate::command::CommandName;
use crate::error::{Argument, Error, Misbehaviour, Untrusted};

/// How data is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// By ciphering the data, whose length is a multiple of eight. Compared by the terminal.
    Basic,
    /// By the signature commands of the SAM.
    Traceable {
        /// After a wrong signature the SAM refuses to verify more for some seconds. The same when computing and verifying.
        busy: bool,
        /// The SAM signs with its serial number and a counter in the data.
        traceability: Option<Traceability>,
    },
}

/// Where a SAM puts its serial number and its counter (three bytes) into the data that it signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traceability {
    /// The first bit of the data that is replaced. From there on, 64 bits (56 with a partial serial number) must be there.
    pub offset: u16,
    /// The last three bytes of the serial number instead of all four.
    pub partial_serial_number: bool,
}

/// Has the SAM sign data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeSignature<'a> {
    /// How.
    pub kind: SignatureKind,
    /// 1 to 208 bytes, 206 with traceability.
    pub data: &'a [u8],
    /// With which key.
    pub key: KeyId,
    /// Bytes of the signature, 1 to 8.
    pub size: u8,
    /// Diversifies the key, 1 to 8 bytes. When absent: the serial number of the card, or of the SAM in work on SAMs.
    pub diversifier: Option<&'a [u8]>,
}

/// Has the SAM verify a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifySignature<'a> {
    /// How the data was signed.
    pub kind: SignatureKind,
    /// 1 to 208 bytes, 206 with traceability.
    pub data: &'a [u8],
    /// The signature, 1 to 8 bytes.
    pub signature: &'a [u8],
    /// With which key.
    pub key: KeyId,
    /// Diversifies the key, 1 to 8 bytes. When absent: the serial number of the card, or of the SAM in work on SAMs.
    pub diversifier: Option<&'a [u8]>,
}

/// A signature that was prepared, in the transaction that has prepared it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignatureId(u32);

impl SignatureId {
    fn at(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What became of a signature that was prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureOutcome<'a> {
    /// It was computed.
    Computed {
        /// What is signed: the data, with the traces of the SAM if they were asked for.
        signed_data: &'a [u8],
        /// The signature.
        signature: &'a [u8],
    },
    /// It was verified, and is right or wrong.
    Verified(bool),
}

/// A diversifier as Select Diversifier takes it: four or eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Diversifier {
    bytes: [u8; 8],
    len: usize,
}

impl Diversifier {
    pub(crate) const fn whole(bytes: [u8; 8]) -> Self {
        Self { bytes, len: 8 }
    }

    pub(crate) const fn short([a, b, c, d]: [u8; 4]) -> Self {
        Self { bytes: [a, b, c, d, 0, 0, 0, 0], len: 4 }
    }

    /// Zeros in front of up to eight bytes.
    fn padded(given: &[u8]) -> Result<Self, Error> {
        let len = match given.len() {
            1..=4 => 4,
            5..=8 => 8,
            _ => return Err(Argument::Diversifier.into()),
        };
        let mut bytes = [0; 8];
        bytes.iter_mut().skip(len - given.len()).zip(given).for_each(|(to, from)| *to = *from);
        Ok(Self { bytes, len })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

const MAX_DATA: usize = 208;
const MAX_TRACED_DATA: usize = 206;
const BASIC_SIGNATURE_LEN: u16 = 8;

impl SignatureKind {
    fn check(self, data: &[u8], size: usize) -> Result<(), Error> {
        let valid = |valid: bool, argument: Argument| if valid { Ok(()) } else { Err(Error::from(argument)) };
        valid((1..=8).contains(&size), Argument::SignatureSize)?;
        match self {
            Self::Basic => valid((1..=MAX_DATA).contains(&data.len()) && data.len().is_multiple_of(8), Argument::Data),
            Self::Traceable { traceability: None, .. } => valid((1..=MAX_DATA).contains(&data.len()), Argument::Data),
            Self::Traceable { traceability: Some(traceability), .. } => {
                valid((1..=MAX_TRACED_DATA).contains(&data.len()), Argument::Data)?;
                let end = usize::from(traceability.offset) + if traceability.partial_serial_number { 56 } else { 64 };
                valid(end <= 8 * data.len(), Argument::Offset)
            }
        }
    }

    /// The operating mode byte.
    fn mode(self, size: u8) -> u8 {
        let Self::Traceable { busy, traceability } = self else { return size };
        let options = match traceability {
            None => 0,
            Some(Traceability { partial_serial_number: true, .. }) => 0x40,
            Some(Traceability { partial_serial_number: false, .. }) => 0x60,
        };
        u8::from(busy) << 7 | options | size
    }
}

impl ComputeSignature<'_> {
    pub(crate) fn check(&self) -> Result<Option<Diversifier>, Error> {
        self.kind.check(self.data, usize::from(self.size))?;
        self.diversifier.map(Diversifier::padded).transpose()
    }
}

impl VerifySignature<'_> {
    /// Whether all arguments are in their ranges, and the SAM that signed is not revoked.
    pub(crate) fn check_unless(&self, is_revoked: impl FnOnce(&[u8], u32) -> bool) -> Result<(), Error> {
        self.check()?;
        match self.traces() {
            Some(traces) if is_revoked(traces.serial_number(), traces.counter) => Err(Untrusted::SamRevoked.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn check(&self) -> Result<Option<Diversifier>, Error> {
        self.kind.check(self.data, self.signature.len())?;
        self.diversifier.map(Diversifier::padded).transpose()
    }

    /// What the data say of the SAM that signed them; nothing without traceability, or where they are too short. It is
    /// true only if the signature is right.
    #[must_use]
    pub fn traces(&self) -> Option<Traces> {
        let SignatureKind::Traceable { traceability: Some(traceability), .. } = self.kind else { return None };
        let len = if traceability.partial_serial_number { 3 } else { 4 };
        let offset = usize::from(traceability.offset);
        let mut serial = [0; 4];
        for (index, byte) in serial.iter_mut().take(len).enumerate() {
            *byte = byte_at_bit(self.data, offset + 8 * index)?;
        }
        let counter = |index| byte_at_bit(self.data, offset + 8 * (len + index)).map(u32::from);
        Some(Traces { serial, len, counter: counter(0)? << 16 | counter(1)? << 8 | counter(2)? })
    }
}

/// What a SAM has put into the data that it signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traces {
    serial: [u8; 4],
    len: usize,
    /// The event counter tied to the key, as it was after signing.
    pub counter: u32,
}

impl Traces {
    /// The serial number of the SAM: four bytes, or the last three of them.
    #[must_use]
    pub fn serial_number(&self) -> &[u8] {
        self.serial.get(..self.len).unwrap_or_default()
    }
}

fn byte_at_bit(data: &[u8], bit: usize) -> Option<u8> {
    let first = u16::from(*data.get(bit / 8)?);
    let second = u16::from(data.get(bit / 8 + 1).copied().unwrap_or(0));
    let [_, byte] = ((first << 8 | second) >> (8 - bit % 8)).to_be_bytes();
    Some(byte)
}

impl Encoder {
    pub(crate) fn compute(self, compute: &ComputeSignature<'_>, id: SignatureId, out: &mut Vec<u8>) -> Expected {
        match compute.kind {
            SignatureKind::Basic => self.data_cipher(compute.key, compute.data, id, out),
            kind @ SignatureKind::Traceable { traceability, .. } => {
                self.pso(0x9E, 0x9A, kind, compute.size, compute.key, [compute.data, &[]], out);
                let signed_len = traceability.map_or(0, |_| compute.data.len());
                let answer_len = u16::from(compute.size) + u16::try_from(signed_len).unwrap_or(u16::MAX >> 1);
                Expected { name: CommandName::SamPsoComputeSignature, answer_len, purpose: Purpose::Signature(id) }
            }
        }
    }

    pub(crate) fn verify(self, verify: &VerifySignature<'_>, id: SignatureId, out: &mut Vec<u8>) -> Expected {
        match verify.kind {
            SignatureKind::Basic => self.data_cipher(verify.key, verify.data, id, out),
            kind @ SignatureKind::Traceable { .. } => {
                let size = u8::try_from(verify.signature.len()).unwrap_or(u8::MAX);
                self.pso(0x00, 0xA8, kind, size, verify.key, [verify.data, verify.signature], out);
                Expected { name: CommandName::SamPsoVerifySignature, answer_len: 0, purpose: Purpose::Signature(id) }
            }
        }
    }

    fn data_cipher(self, key: KeyId, data: &[u8], id: SignatureId, out: &mut Vec<u8>) -> Expected {
        let lc = u8::try_from(2 + data.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[self.0.class(), 0x1C, 0x40, 0x00, lc, key.kif.0, key.kvc.0]);
        out.extend_from_slice(data);
        Expected { name: CommandName::SamDataCipher, answer_len: BASIC_SIGNATURE_LEN, purpose: Purpose::Signature(id) }
    }

    #[expect(clippy::too_many_arguments, reason = "one command, with its fields in order")]
    fn pso(self, p1: u8, p2: u8, kind: SignatureKind, size: u8, key: KeyId, parts: [&[u8]; 2], out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[self.0.class(), 0x2A, p1, p2, 0, 0xFF, key.kif.0, key.kvc.0, kind.mode(size)]);
        if let SignatureKind::Traceable { traceability: Some(traceability), .. } = kind {
            out.extend_from_slice(&traceability.offset.to_be_bytes());
        }
        parts.into_iter().for_each(|part| out.extend_from_slice(part));
        let lc = u8::try_from(out.len() - start - 5).unwrap_or(u8::MAX);
        if let Some(place) = out.get_mut(start + 4) {
            *place = lc;
        }
    }
}

/// The signatures of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    all: Vec<Signature>,
}

#[derive(Debug)]
struct Signature {
    /// Signed, or to be verified.
    data: Vec<u8>,
    /// Computed, or to be verified.
    signature: Vec<u8>,
    size: usize,
    done: Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Done {
    Compute(bool),
    Verify(Option<bool>),
}

impl Signatures {
    pub(crate) fn clear(&mut self) {
        self.all.clear();
    }

    pub(crate) fn add_computation(&mut self, compute: &ComputeSignature<'_>) -> SignatureId {
        self.all.push(Signature {
            data: compute.data.to_vec(),
            signature: Vec::new(),
            size: usize::from(compute.size),
            done: Done::Compute(false),
        });
        SignatureId::at(self.all.len() - 1)
    }

    pub(crate) fn add_verification(&mut self, verify: &VerifySignature<'_>) -> SignatureId {
        self.all.push(Signature {
            data: verify.data.to_vec(),
            signature: verify.signature.to_vec(),
            size: verify.signature.len(),
            done: Done::Verify(None),
        });
        SignatureId::at(self.all.len() - 1)
    }

    pub(crate) fn outcome(&self, id: SignatureId) -> Option<SignatureOutcome<'_>> {
        let signature = self.all.get(id.index())?;
        match signature.done {
            Done::Compute(true) => {
                Some(SignatureOutcome::Computed { signed_data: &signature.data, signature: &signature.signature })
            }
            Done::Verify(Some(valid)) => Some(SignatureOutcome::Verified(valid)),
            Done::Compute(false) | Done::Verify(None) => None,
        }
    }

    /// The SAM found the signature wrong.
    pub(crate) fn refuse(&mut self, expected: Expected) {
        let Purpose::Signature(id) = expected.purpose else { return };
        if let Some(Signature { done: Done::Verify(valid), .. }) = self.all.get_mut(id.index()) {
            *valid = Some(false);
        }
    }

    /// Takes an answer whose status word and length are right.
    pub(crate) fn take(&mut self, expected: Expected, answer: &[u8]) -> Result<(), Result<Untrusted, Misbehaviour>> {
        let Purpose::Signature(id) = expected.purpose else { return Ok(()) };
        let Some(signature) = self.all.get_mut(id.index()) else { return Ok(()) };
        match &mut signature.done {
            Done::Compute(done) => {
                let length = Misbehaviour::UnexpectedLength { expected: signature.size, received: answer.len() };
                let (signed, computed) = match expected.name {
                    CommandName::SamDataCipher => (&[][..], answer.get(..signature.size)),
                    _ => {
                        let cut = answer.len().saturating_sub(signature.size);
                        (answer.get(..cut).unwrap_or_default(), answer.get(cut..))
                    }
                };
                signature.signature.extend_from_slice(computed.ok_or(Err(length))?);
                if !signed.is_empty() {
                    signature.data = signed.to_vec();
                }
                *done = true;
            }
            Done::Verify(valid) => {
                let right = expected.name == CommandName::SamPsoVerifySignature
                    || same(&signature.signature, answer.get(..signature.size).unwrap_or_default());
                *valid = Some(right);
                if !right {
                    return Err(Ok(Untrusted::Signature));
                }
            }
        }
        Ok(())
    }
}

/// Compares without telling by its duration where the difference is.
fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && core::hint::black_box(a.iter().zip(b).fold(0, |seen, (a, b)| seen | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Kif, Kvc};
    use crate::sam::SamProduct;
    use crate::test_hex::hex;

    const KEY: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
    const PLAIN: SignatureKind = SignatureKind::Traceable { busy: true, traceability: None };

    fn traced(offset: u16, partial_serial_number: bool) -> SignatureKind {
        SignatureKind::Traceable { busy: true, traceability: Some(Traceability { offset, partial_serial_number }) }
    }

    fn compute(kind: SignatureKind, data: &[u8], size: u8) -> ComputeSignature<'_> {
        ComputeSignature { kind, data, key: KEY, size, diversifier: None }
    }

    #[test]
    fn encoding() {
        let written = |kind, data: &str| {
            let (data, mut out) = (hex(data), Vec::new());
            Encoder(SamProduct::SamC1).compute(&compute(kind, &data, 8), SignatureId(0), &mut out);
            out
        };
        assert_eq!(written(PLAIN, "C1C2"), hex("802A9E9A06FF2B1988C1C2"));
        assert_eq!(written(traced(8, true), "A1A2A3A4A5A6A7A8"), hex("802A9E9A0EFF2B19C80008A1A2A3A4A5A6A7A8"));
        assert_eq!(written(traced(0, false), "A1A2A3A4A5A6A7A8"), hex("802A9E9A0EFF2B19E80000A1A2A3A4A5A6A7A8"));
        assert_eq!(written(SignatureKind::Basic, "A1A2A3A4A5A6A7A8"), hex("801C40000A2B19A1A2A3A4A5A6A7A8"));
        let (data, signature, mut out) = (hex("C1C2"), hex("D1D2D3"), Vec::new());
        let verify = VerifySignature { kind: PLAIN, data: &data, signature: &signature, key: KEY, diversifier: None };
        Encoder(SamProduct::SamC1).verify(&verify, SignatureId(0), &mut out);
        assert_eq!(out, hex("802A00A809FF2B1983C1C2D1D2D3"));
    }

    #[test]
    fn arguments() {
        let refused = |kind, len: usize, size| compute(kind, &alloc::vec![0; len], size).check().err();
        let argument = |argument: Argument| Some(Error::from(argument));
        assert_eq!(refused(PLAIN, 0, 8), argument(Argument::Data));
        assert_eq!(refused(PLAIN, 208, 8), None);
        assert_eq!(refused(PLAIN, 209, 8), argument(Argument::Data));
        assert_eq!(refused(PLAIN, 1, 0), argument(Argument::SignatureSize));
        assert_eq!(refused(PLAIN, 1, 9), argument(Argument::SignatureSize));
        assert_eq!(refused(SignatureKind::Basic, 9, 8), argument(Argument::Data));
        assert_eq!(refused(SignatureKind::Basic, 208, 1), None);
        assert_eq!(refused(traced(0, true), 207, 8), argument(Argument::Data));
        assert_eq!(refused(traced(24, true), 10, 8), None);
        assert_eq!(refused(traced(25, true), 10, 8), argument(Argument::Offset));
        assert_eq!(refused(traced(16, false), 10, 8), None);
        assert_eq!(refused(traced(17, false), 10, 8), argument(Argument::Offset));
    }

    #[test]
    fn diversifiers_are_padded() {
        let padded = |bytes: &[u8]| Diversifier::padded(bytes).map(|padded| padded.as_bytes().to_vec());
        assert_eq!(padded(&[1, 2, 3]), Ok(hex("00010203")));
        assert_eq!(padded(&[1, 2, 3, 4]), Ok(hex("01020304")));
        assert_eq!(padded(&[1, 2, 3, 4, 5]), Ok(hex("0000000102030405")));
        assert_eq!(padded(&[]), Err(Argument::Diversifier.into()));
        assert_eq!(padded(&[0; 9]), Err(Argument::Diversifier.into()));
    }

    /// The example of "PSO Verify Signature", and one that is not on a byte.
    #[test]
    fn traces() {
        let data = hex("B1B2B3B4B5B6B7B8B9BA");
        let trace = |kind| {
            let verify = VerifySignature { kind, data: &data, signature: &[0], key: KEY, diversifier: None };
            verify.traces().map(|traces| (traces.serial_number().to_vec(), traces.counter))
        };
        assert_eq!(trace(traced(8, true)), Some((hex("B2B3B4"), 0xB5_B6B7)));
        assert_eq!(trace(traced(8, false)), Some((hex("B2B3B4B5"), 0xB6_B7B8)));
        assert_eq!(trace(traced(4, true)), Some((hex("1B2B3B"), 0x4B_5B6B)));
        assert_eq!(trace(PLAIN), None);
    }
}
