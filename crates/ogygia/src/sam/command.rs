//! SAM commands that a card session takes: specification 03, "SAM commands".

use alloc::vec::Vec;

use super::identity::SamProduct;
use crate::apdu::{Case, Header};
use crate::card::{Kif, Kvc};
use crate::command::{CommandName, Refusal, Refusals, SessionForm};

pub(crate) const SELECT_DIVERSIFIER_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6D00, Refusal::IllegalParameter),
    (0x6E00, Refusal::IllegalParameter),
];
pub(crate) const GET_CHALLENGE_REFUSALS: Refusals =
    &[(0x6700, Refusal::IllegalParameter), (0x6D00, Refusal::IllegalParameter), (0x6E00, Refusal::IllegalParameter)];
pub(crate) const DIGEST_INIT_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6900, Refusal::Terminated),
    (0x6985, Refusal::AccessForbidden),
    (0x6A00, Refusal::IllegalParameter),
    (0x6A83, Refusal::DataAccess),
    (0x6D00, Refusal::IllegalParameter),
    (0x6E00, Refusal::IllegalParameter),
];
pub(crate) const DIGEST_UPDATE_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6A80, Refusal::IllegalData),
    (0x6B00, Refusal::IllegalParameter),
    (0x6D00, Refusal::IllegalParameter),
    (0x6E00, Refusal::IllegalParameter),
];
pub(crate) const DIGEST_UPDATE_MULTIPLE_REFUSALS: Refusals = DIGEST_UPDATE_REFUSALS;
pub(crate) const DIGEST_CLOSE_REFUSALS: Refusals =
    &[(0x6985, Refusal::AccessForbidden), (0x6D00, Refusal::IllegalParameter), (0x6E00, Refusal::IllegalParameter)];
pub(crate) const DIGEST_AUTHENTICATE_REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::AccessForbidden),
    (0x6988, Refusal::SecurityData),
    (0x6D00, Refusal::IllegalParameter),
    (0x6E00, Refusal::IllegalParameter),
];

/// A command that waits for the SAM: its name, and how long its answer must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) name: CommandName,
    pub(crate) answer_len: usize,
}

const fn expected(name: CommandName, answer_len: usize) -> Expected {
    Expected { name, answer_len }
}

/// Appends the commands of one product.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoder(pub(crate) SamProduct);

impl Encoder {
    fn header(self, ins: u8, p1: u8, p2: u8) -> Header {
        Header::new(self.0.class(), ins, p1, p2)
    }

    pub(crate) fn select_diversifier(self, diversifier: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x14, 0x00, 0x00).write(Case::Three, diversifier, out);
        expected(CommandName::SamSelectDiversifier, 0)
    }

    pub(crate) fn get_challenge(self, len: u8, out: &mut Vec<u8>) -> Expected {
        self.header(0x84, 0x00, 0x00).write(Case::Two(len), &[], out);
        expected(CommandName::SamGetChallenge, usize::from(len))
    }

    /// `data` is KIF, KVC and the whole answer to the opening.
    pub(crate) fn digest_init(self, form: SessionForm, data: &[u8], out: &mut Vec<u8>) -> Expected {
        let p1 = match form {
            SessionForm::Regular => 0x00,
            SessionForm::Extended => 0x02,
        };
        self.header(0x8A, p1, 0xFF).write(Case::Three, data, out);
        expected(CommandName::SamDigestInit, 0)
    }

    pub(crate) fn digest_update(self, block: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x8C, 0x00, 0x00).write(Case::Three, block, out);
        expected(CommandName::SamDigestUpdate, 0)
    }

    /// `blocks` takes `len` bytes with the length in front of each.
    pub(crate) fn digest_update_multiple<'a>(
        self,
        len: usize,
        blocks: impl Iterator<Item = &'a [u8]>,
        out: &mut Vec<u8>,
    ) -> Expected {
        let byte = |len: usize| u8::try_from(len).unwrap_or(u8::MAX);
        out.extend_from_slice(&[self.0.class(), 0x8C, 0x80, 0x00, byte(len)]);
        for block in blocks {
            out.push(byte(block.len()));
            out.extend_from_slice(block);
        }
        expected(CommandName::SamDigestUpdateMultiple, 0)
    }

    pub(crate) fn digest_close(self, form: SessionForm, out: &mut Vec<u8>) -> Expected {
        let len = match form {
            SessionForm::Regular => 4,
            SessionForm::Extended => 8,
        };
        self.header(0x8E, 0x00, 0x00).write(Case::Two(len), &[], out);
        expected(CommandName::SamDigestClose, usize::from(len))
    }

    pub(crate) fn digest_authenticate(self, mac: &[u8], out: &mut Vec<u8>) -> Expected {
        self.header(0x82, 0x00, 0x00).write(Case::Three, mac, out);
        expected(CommandName::SamDigestAuthenticate, 0)
    }
}

/// The key of a session, as Digest Init takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SessionKey {
    pub(crate) kif: Kif,
    pub(crate) kvc: Kvc,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_hex::hex;

    fn written(product: SamProduct, write: impl FnOnce(Encoder, &mut Vec<u8>) -> Expected) -> (Vec<u8>, usize) {
        let mut out = Vec::new();
        let expected = write(Encoder(product), &mut out);
        (out, expected.answer_len)
    }

    #[test]
    fn encoding() {
        let c1 = SamProduct::SamC1;
        let diversifier = hex("0000000011223344");
        let select = written(c1, |sam, out| sam.select_diversifier(&diversifier, out));
        assert_eq!(select, (hex("80140000080000000011223344"), 0));
        assert_eq!(written(c1, |sam, out| sam.get_challenge(8, out)), (hex("8084000008"), 8));
        assert_eq!(written(SamProduct::SamS1Dx, |sam, out| sam.get_challenge(4, out)), (hex("9484000004"), 4));
        let init = hex("30790304909800307900");
        let written_init = written(c1, |sam, out| sam.digest_init(SessionForm::Regular, &init, out));
        assert_eq!(written_init, (hex("808A00FF0A30790304909800307900"), 0));
        assert_eq!(written(c1, |sam, out| sam.digest_init(SessionForm::Extended, &init, out)).0[2], 0x02);
        let read = hex("00B2013C1D");
        assert_eq!(written(c1, |sam, out| sam.digest_update(&read, out)), (hex("808C00000500B2013C1D"), 0));
        let blocks = [&read[..], &hex("9000")];
        let multiple = written(c1, |sam, out| sam.digest_update_multiple(9, blocks.into_iter(), out));
        assert_eq!(multiple, (hex("808C8000090500B2013C1D029000"), 0));
        assert_eq!(written(c1, |sam, out| sam.digest_close(SessionForm::Regular, out)), (hex("808E000004"), 4));
        assert_eq!(written(c1, |sam, out| sam.digest_close(SessionForm::Extended, out)), (hex("808E000008"), 8));
        let mac = hex("9ABCDEF0");
        assert_eq!(written(c1, |sam, out| sam.digest_authenticate(&mac, out)), (hex("80820000049ABCDEF0"), 0));
    }
}
