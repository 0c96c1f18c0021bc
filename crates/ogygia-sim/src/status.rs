//! Status words that card and SAM answer, named by what they mean here.

use ogygia::apdu::StatusWord;

/// A status word other than success.
pub(crate) type Refusal = StatusWord;

pub(crate) const SUCCESS: StatusWord = StatusWord(0x9000);
pub(crate) const POSTPONED: Refusal = StatusWord(0x6200);
pub(crate) const NOT_SIGNED: Refusal = StatusWord(0x6200);
pub(crate) const DF_INVALIDATED: Refusal = StatusWord(0x6283);
pub(crate) const BUFFER_FULL: Refusal = StatusWord(0x6400);
pub(crate) const WRONG_LENGTH: Refusal = StatusWord(0x6700);
pub(crate) const EXHAUSTED: Refusal = StatusWord(0x6900);
pub(crate) const WRONG_FILE_TYPE: Refusal = StatusWord(0x6981);
pub(crate) const SECURITY_STATUS: Refusal = StatusWord(0x6982);
pub(crate) const PIN_BLOCKED: Refusal = StatusWord(0x6983);
pub(crate) const FORBIDDEN: Refusal = StatusWord(0x6985);
pub(crate) const NO_CURRENT_EF: Refusal = StatusWord(0x6986);
pub(crate) const WRONG_MAC: Refusal = StatusWord(0x6988);
pub(crate) const WRONG_KEY_REFERENCE: Refusal = StatusWord(0x6A00);
pub(crate) const WRONG_DATA: Refusal = StatusWord(0x6A80);
pub(crate) const UNKNOWN_KEY_INDEX: Refusal = StatusWord(0x6A81);
pub(crate) const FILE_NOT_FOUND: Refusal = StatusWord(0x6A82);
pub(crate) const RECORD_NOT_FOUND: Refusal = StatusWord(0x6A83);
pub(crate) const LE_DOES_NOT_MATCH: Refusal = StatusWord(0x6A86);
pub(crate) const LC_DOES_NOT_MATCH: Refusal = StatusWord(0x6A87);
pub(crate) const NO_DATA_OBJECT: Refusal = StatusWord(0x6A88);
pub(crate) const WRONG_AID: Refusal = StatusWord(0x6A8A);
pub(crate) const WRONG_P1P2: Refusal = StatusWord(0x6B00);
pub(crate) const UNKNOWN_INS: Refusal = StatusWord(0x6D00);
pub(crate) const UNKNOWN_CLA: Refusal = StatusWord(0x6E00);

/// `6Cxx`: the answer has another length.
pub(crate) fn other_length(length: usize) -> Refusal {
    StatusWord(u16::from_be_bytes([0x6C, u8::try_from(length).unwrap_or(0)]))
}

/// `63Cx`: wrong PIN, presentations left.
pub(crate) fn attempts_left(attempts: u8) -> Refusal {
    StatusWord(u16::from_be_bytes([0x63, 0xC0 | attempts.min(0x0F)]))
}
