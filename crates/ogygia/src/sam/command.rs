//! SAM commands that a card session takes: specification 03, "SAM commands".

use alloc::vec::Vec;

use super::identity::SamProduct;
use super::signature::{Diversifier, SignatureId};
use crate::apdu::{Case, Header};
use crate::card::KeyId;
use crate::command::{CommandName, Operation, Refusal, Refusals, SessionForm, SvOperation};

/// A table of status words, with those that every command knows.
macro_rules! refusals {
    ($($entry:expr),* $(,)?) => {
        &[$($entry,)* (0x6D00, Refusal::IllegalParameter), (0x6E00, Refusal::IllegalParameter)]
    };
}
pub(super) use refusals;

pub(crate) const SELECT_DIVERSIFIER_REFUSALS: Refusals =
    refusals![(0x6700, Refusal::IllegalParameter), (0x6985, Refusal::AccessForbidden)];
pub(crate) const GET_CHALLENGE_REFUSALS: Refusals = refusals![(0x6700, Refusal::IllegalParameter)];
pub(crate) const DIGEST_INIT_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A83, Refusal::DataAccess)
];
pub(crate) const DIGEST_UPDATE_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalData),
    (0x6B00, Refusal::IllegalParameter)
];
pub(crate) const DIGEST_UPDATE_MULTIPLE_REFUSALS: Refusals = DIGEST_UPDATE_REFUSALS;
pub(crate) const DIGEST_INTERNAL_AUTHENTICATE_REFUSALS: Refusals =
    refusals![(0x6985, Refusal::AccessForbidden), (0x6B00, Refusal::IllegalParameter)];
pub(crate) const DIGEST_CLOSE_REFUSALS: Refusals = refusals![(0x6985, Refusal::AccessForbidden)];
pub(crate) const DIGEST_AUTHENTICATE_REFUSALS: Refusals =
    refusals![(0x6700, Refusal::IllegalParameter), (0x6985, Refusal::AccessForbidden), (0x6988, Refusal::SecurityData)];

pub(crate) const GIVE_RANDOM_REFUSALS: Refusals = refusals![(0x6700, Refusal::IllegalParameter)];
pub(crate) const CARD_CIPHER_PIN_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A83, Refusal::DataAccess)
];
pub(crate) const CARD_GENERATE_KEY_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess)
];
pub(crate) const SV_PREPARE_REFUSALS: Refusals = CARD_GENERATE_KEY_REFUSALS;
pub(crate) const SV_CHECK_REFUSALS: Refusals =
    refusals![(0x6700, Refusal::IllegalParameter), (0x6985, Refusal::AccessForbidden), (0x6988, Refusal::SecurityData)];

pub(crate) const COMPUTE_SIGNATURE_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter)
];
pub(crate) const VERIFY_SIGNATURE_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6982, Refusal::SecurityContext),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6A80, Refusal::IllegalData),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter)
];
pub(crate) const DATA_CIPHER_REFUSALS: Refusals = refusals![
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A83, Refusal::DataAccess),
    (0x6B00, Refusal::IllegalParameter)
];

/// A command that waits for the SAM: its name, and how long its answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) name: CommandName,
    pub(crate) answer_len: u16,
    /// What the answer is for.
    pub(crate) purpose: Purpose,
}

/// By what a card has proved itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A MAC while its session is open.
    Early,
    /// The MAC of a closing.
    Closing,
}

/// What the answer of the SAM to a command is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Nothing: it is enough that there is one.
    Itself,
    /// It is a challenge.
    Challenge,
    /// It says that the card is authentic.
    Authentication(Proof),
    /// The next card command is built with it, or the card's answer is read from it.
    Material,
    /// This signature.
    Signature(SignatureId),
}

/// The length of the answer is not checked.
const ANY_LEN: u16 = 0;

const fn expected(name: CommandName, answer_len: u16) -> Expected {
    Expected { name, answer_len, purpose: Purpose::Itself }
}

const fn material(name: CommandName, answer_len: u16) -> Expected {
    Expected { name, answer_len, purpose: Purpose::Material }
}

/// Of Digest Update Multiple.
pub(super) const DIGESTED_SEVERAL: Expected = expected(CommandName::SamDigestUpdateMultiple, 0);

/// Appends the commands of one product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoder(pub(crate) SamProduct);

impl Encoder {
    pub(super) fn header(self, ins: u8, p1: u8, p2: u8) -> Header {
        Header::new(self.0.class(), ins, p1, p2)
    }

    pub(crate) fn select_diversifier(self, diversifier: Diversifier, out: &mut Vec<u8>) -> Expected {
        self.header(0x14, 0x00, 0x00).write(Case::Three, diversifier.as_bytes(), out);
        expected(CommandName::SamSelectDiversifier, 0)
    }

    pub(crate) fn get_challenge(self, len: u8, out: &mut Vec<u8>) -> Expected {
        self.header(0x84, 0x00, 0x00).write(Case::Two(len), &[], out);
        let (name, answer_len) = (CommandName::SamGetChallenge, u16::from(len));
        Expected { name, answer_len, purpose: Purpose::Challenge }
    }

    /// With the whole answer to the opening, of at most 253 bytes.
    pub(crate) fn digest_init(self, form: SessionForm, key: KeyId, opening: &[u8], out: &mut Vec<u8>) -> Expected {
        let p1 = match form {
            SessionForm::Regular => 0x00,
            SessionForm::Extended => 0x02,
        };
        let lc = u8::try_from(2 + opening.len()).unwrap_or(u8::MAX);
        out.extend_from_slice(&[self.0.class(), 0x8A, p1, 0xFF, lc, key.kif.0, key.kvc.0]);
        out.extend_from_slice(opening);
        expected(CommandName::SamDigestInit, 0)
    }

    pub(crate) fn digest_update(self, block: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x8C, 0x00, 0x00).write(Case::Three, block, out);
        expected(CommandName::SamDigestUpdate, 0)
    }

    /// A block while encryption is active; the answer is as long, and `needed` when its data are in another form.
    pub(crate) fn digest_update_encrypted(self, block: &[u8], needed: bool, out: &mut Vec<u8>) -> Expected {
        self.header(0x8C, 0x00, 0x80).write(Case::Three, block, out);
        let purpose = if needed { Purpose::Material } else { Purpose::Itself };
        Expected {
            name: CommandName::SamDigestUpdate,
            answer_len: u16::try_from(block.len()).unwrap_or(u16::MAX),
            purpose,
        }
    }

    /// The terminal's MAC before the closing.
    pub(crate) fn digest_internal_authenticate(self, out: &mut Vec<u8>) -> Expected {
        self.header(0x88, 0x80, 0x00).write(Case::Two(8), &[], out);
        material(CommandName::SamDigestInternalAuthenticate, 8)
    }

    /// The header, with Lc for no blocks yet: they follow, each with its length in front.
    #[inline]
    pub(crate) fn digest_update_multiple(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&[self.0.class(), 0x8C, 0x80, 0x00, 0x00]);
    }

    pub(crate) fn digest_close(self, form: SessionForm, out: &mut Vec<u8>) -> Expected {
        let len = match form {
            SessionForm::Regular => 4,
            SessionForm::Extended => 8,
        };
        self.header(0x8E, 0x00, 0x00).write(Case::Two(len), &[], out);
        material(CommandName::SamDigestClose, u16::from(len))
    }

    pub(crate) fn give_random(self, challenge: [u8; 8], out: &mut Vec<u8>) -> Expected {
        self.header(0x86, 0x00, 0x00).write(Case::Three, &challenge, out);
        expected(CommandName::SamGiveRandom, 0)
    }

    /// A PIN for a presentation.
    pub(crate) fn cipher_pin(self, key: KeyId, pin: &[u8], out: &mut Vec<u8>) -> Expected {
        out.extend_from_slice(&[self.0.class(), 0x12, 0x80, 0xFF, 0x06, key.kif.0, key.kvc.0]);
        out.extend_from_slice(pin);
        material(CommandName::SamCardCipherPin, 8)
    }

    /// A new PIN. The present one is not known here: four zeros stand for it.
    pub(crate) fn cipher_new_pin(self, key: KeyId, pin: &[u8], out: &mut Vec<u8>) -> Expected {
        out.extend_from_slice(&[self.0.class(), 0x12, 0x40, 0xFF, 0x0A, key.kif.0, key.kvc.0, 0, 0, 0, 0]);
        out.extend_from_slice(pin);
        material(CommandName::SamCardCipherPin, ANY_LEN)
    }

    pub(crate) fn generate_key(self, new: KeyId, issuer: KeyId, out: &mut Vec<u8>) -> Expected {
        /// The format of the ciphered block.
        const FORMAT: u8 = 0x90;
        let (issuer_kif, issuer_kvc) = (issuer.kif.0, issuer.kvc.0);
        if (issuer_kif, issuer_kvc) == (0, 0) {
            self.header(0x12, 0xFF, 0x00).write(Case::Three, &[new.kif.0, new.kvc.0, FORMAT], out);
        } else {
            let data = [issuer_kif, issuer_kvc, new.kif.0, new.kvc.0, FORMAT];
            self.header(0x12, 0xFF, 0xFF).write(Case::Three, &data, out);
        }
        material(CommandName::SamCardGenerateKey, ANY_LEN)
    }

    /// `get` is the header and the answer of SV Get, `partial` the card command as far as it is known.
    pub(crate) fn sv_prepare(
        self,
        operation: Operation,
        get: [&[u8]; 2],
        partial: &[u8],
        out: &mut Vec<u8>,
    ) -> Expected {
        let (ins, name) = match operation.operation() {
            SvOperation::Reload => (0x56, CommandName::SamSvPrepareLoad),
            SvOperation::Debit => (0x54, CommandName::SamSvPrepareDebit),
            SvOperation::Undebit => (0x5C, CommandName::SamSvPrepareUndebit),
        };
        let [header, response] = get;
        let len = header.len() + response.len() + partial.len();
        out.extend_from_slice(&[self.0.class(), ins, 0x01, 0xFF, u8::try_from(len).unwrap_or(u8::MAX)]);
        out.extend_from_slice(header);
        out.extend_from_slice(response);
        out.extend_from_slice(partial);
        material(name, if operation.is_extended() { 16 } else { 11 })
    }

    pub(crate) fn sv_check(self, mac: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x58, 0x00, 0x00).write(Case::Three, mac, out);
        expected(CommandName::SamSvCheck, 0)
    }

    pub(crate) fn digest_authenticate(self, proof: Proof, mac: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x82, 0x00, 0x00).write(Case::Three, mac, out);
        Expected { name: CommandName::SamDigestAuthenticate, answer_len: 0, purpose: Purpose::Authentication(proof) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::{Kif, Kvc};
    use crate::test_hex::hex;

    fn written(product: SamProduct, write: impl FnOnce(Encoder, &mut Vec<u8>) -> Expected) -> (Vec<u8>, u16) {
        let mut out = Vec::new();
        let expected = write(Encoder(product), &mut out);
        (out, expected.answer_len)
    }

    #[test]
    fn encoding() {
        let c1 = SamProduct::SamC1;
        let diversifier = Diversifier::whole([0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
        let select = written(c1, |sam, out| sam.select_diversifier(diversifier, out));
        assert_eq!(select, (hex("80140000080000000011223344"), 0));
        assert_eq!(written(c1, |sam, out| sam.get_challenge(8, out)), (hex("8084000008"), 8));
        assert_eq!(written(SamProduct::SamS1Dx, |sam, out| sam.get_challenge(4, out)), (hex("9484000004"), 4));
        let opening = hex("0304909800307900");
        let init = |form| {
            written(c1, |sam, out| sam.digest_init(form, KeyId { kif: Kif(0x30), kvc: Kvc(0x79) }, &opening, out))
        };
        assert_eq!(init(SessionForm::Regular), (hex("808A00FF0A30790304909800307900"), 0));
        assert_eq!(init(SessionForm::Extended).0[2], 0x02);
        let read = hex("00B2013C1D");
        assert_eq!(written(c1, |sam, out| sam.digest_update(&read, out)), (hex("808C00000500B2013C1D"), 0));
        let ciphered = written(c1, |sam, out| sam.digest_update_encrypted(&read, false, out));
        assert_eq!(ciphered, (hex("808C00800500B2013C1D"), 5));
        assert_eq!(written(c1, Encoder::digest_internal_authenticate), (hex("8088800008"), 8));
        assert_eq!(written(c1, |sam, out| sam.digest_close(SessionForm::Regular, out)), (hex("808E000004"), 4));
        assert_eq!(written(c1, |sam, out| sam.digest_close(SessionForm::Extended, out)), (hex("808E000008"), 8));
        let challenge = [0xC1, 0xC2, 0xC3, 0xC4, 0xC5, 0xC6, 0xC7, 0xC8];
        assert_eq!(written(c1, |sam, out| sam.give_random(challenge, out)).0, hex("8086000008C1C2C3C4C5C6C7C8"));
        let key = |kif, kvc| KeyId { kif: Kif(kif), kvc: Kvc(kvc) };
        let pin = written(c1, |sam, out| sam.cipher_pin(key(0x30, 0x79), b"1234", out));
        assert_eq!(pin, (hex("801280FF06307931323334"), 8));
        let pin = written(c1, |sam, out| sam.cipher_new_pin(key(0x21, 0x79), b"1234", out));
        assert_eq!(pin.0, hex("801240FF0A21790000000031323334"));
        let new_key = written(c1, |sam, out| sam.generate_key(key(0x27, 0x79), key(0x21, 0x79), out));
        assert_eq!(new_key.0, hex("8012FFFF052179277990"));
        let new_key = written(c1, |sam, out| sam.generate_key(key(0x27, 0x79), key(0, 0), out));
        assert_eq!(new_key.0, hex("8012FF0003277990"));
        assert_eq!(written(c1, |sam, out| sam.sv_check(&hex("A54BC9"), out)).0, hex("8058000003A54BC9"));
        let mac = hex("9ABCDEF0");
        assert_eq!(
            written(c1, |sam, out| sam.digest_authenticate(Proof::Closing, &mac, out)),
            (hex("80820000049ABCDEF0"), 0)
        );
    }
}
