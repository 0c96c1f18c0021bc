use super::*;
use crate::card::Kif;
use crate::sam::{MAX_CEILING, Sam, SamProduct};
use crate::test_hex::hex;

const C1: Encoder = Encoder(SamProduct::SamC1);

fn ciphered(writing: &Writing, kvc: u8) -> Vec<u8> {
    let mut out = Vec::new();
    assert_eq!(C1.cipher(writing, Kvc(kvc), &mut out).answer_len, 48);
    out
}

fn written(encoder: Encoder, writing: &Writing, mode: WriteMode) -> Vec<u8> {
    let mut out = Vec::new();
    encoder.write(writing, mode, &[0x11; 48], &mut out);
    out
}

fn zeros(len: usize) -> Vec<u8> {
    alloc::vec![0; len]
}

/// The worked examples.
#[test]
fn ceilings() {
    let one = WriteCeiling { counter: 0, ceiling: 100 }.writing().unwrap();
    assert_eq!(ciphered(&one, 0xF2), [hex("801600B81EF200000064"), zeros(25)].concat());
    let mut record = ConfigureCounter { counter: 0, ceiling: 1, access: IncrementAccess::Free }.writing().unwrap();
    for counter in 1..9 {
        let more = ConfigureCounter { counter, ceiling: u32::from(counter) + 1, access: IncrementAccess::Free };
        assert!(record.merge(&more.writing().unwrap()));
    }
    let expected = "801600B11EF200000100000200000300000400000500000600000700000800000901FE";
    assert_eq!(ciphered(&record, 0xF2), hex(expected));
    assert_eq!(written(C1, &one, WriteMode::Static)[..5], hex("80D808B830"));
    assert_eq!(written(C1, &record, WriteMode::Dynamic)[..5], hex("80D800B130"));
    assert_eq!(written(Encoder(SamProduct::SamS1Dx), &one, WriteMode::Static)[0], 0x94);
    let other = ConfigureCounter { counter: 9, ceiling: 1, access: IncrementAccess::Free }.writing().unwrap();
    assert!(!record.merge(&other) && !record.merge(&one));
}

#[test]
fn bit_zero_is_free_in_other_records() {
    let free = ConfigureCounter { counter: 9, ceiling: 1, access: IncrementAccess::Free }.writing().unwrap();
    assert_eq!(ciphered(&free, 0xF2)[33..], [0x00, 0x01]);
}

#[test]
fn a_record_is_completed_with_what_is_in_force() {
    let mut image = SamImage::new(Sam::from_power_on_data(&[]));
    let mut writing = ConfigureCounter { counter: 4, ceiling: 5, access: IncrementAccess::Free }.writing().unwrap();
    assert_eq!(writing.complete(&image), Err(Misuse::CeilingUnknown { counter: 0 }.into()));
    for counter in 0..9 {
        image.note_ceiling(counter, 0x100, Some(IncrementAccess::Protected));
    }
    writing.complete(&image).unwrap();
    writing.note(&mut image);
    let command = ciphered(&writing, 0xF2);
    assert_eq!(command[6..9], [0, 1, 0]);
    assert_eq!((&command[18..21], &command[33..]), (&[0, 0, 5][..], &[0x00, 0x10][..]));
    assert_eq!(image.ceiling_in_force(4), (Some(5), Some(IncrementAccess::Free)));
    assert_eq!(image.ceiling(4), None, "it was not read");
}

#[test]
fn keys() {
    let parameters = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    let key = SystemKey::Reloading;
    let system = Writing::SystemKey(TransferSystemKey { key, kvc: Kvc(0x55), parameters, diversified: false });
    assert_eq!(ciphered(&system, 0xF1), hex("801600C00DF1E7550102030405060708090A"));
    assert_eq!(written(C1, &system, WriteMode::Dynamic)[..5], hex("801A00C030"));
    let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x7A) };
    let diversification = KeyDiversification::Given([0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]);
    let work = TransferWorkKey { key, parameters, record: Some(5), diversification };
    let given = ciphered(&work.writing().unwrap(), 0xF2);
    assert_eq!(given, hex("8016010515F2307A0102030405060708090A1112131415161718"));
    let free = TransferWorkKey { record: None, diversification: KeyDiversification::Target, ..work };
    assert_eq!(ciphered(&free.writing().unwrap(), 0xF2), hex("801601F00DF2307A0102030405060708090A"));
    assert_eq!(written(C1, &free.writing().unwrap(), WriteMode::Dynamic)[..5], hex("801A00F030"));
    let plain = TransferWorkKey { diversification: KeyDiversification::None, ..work };
    assert_eq!(ciphered(&plain.writing().unwrap(), 0xF2)[2], 0);
}

#[test]
fn locks() {
    let transfer = Writing::Lock(TransferLock { index: 0x77, parameters: 0x41, diversified: true });
    assert_eq!(ciphered(&transfer, 0xE2), hex("801601E00DE2EF7700000000004100000000"));
    let value = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
    let lock = WriteLock { index: 1, parameters: 2, value: Secret::new(value) };
    let mut out = Vec::new();
    C1.write_lock(&lock, &mut out);
    let expected = "801A80E0300000000000000000EF010000000000020000000000000102030405060708090A0B0C0D0E0FE0\
                    00000000000000800000";
    assert_eq!(out, hex(expected));
}

#[test]
fn parameters() {
    let writing = Writing::Parameters([0x5A; 29]);
    let mut expected = hex("801600A01EF1");
    expected.extend([0x5A; 29]);
    assert_eq!(ciphered(&writing, 0xF1), expected);
    assert_eq!(written(C1, &writing, WriteMode::Dynamic)[..5], hex("80D800A030"));
}

#[test]
fn arguments() {
    let refused = |argument: Argument| Err(Error::from(argument));
    assert_eq!(WriteCeiling { counter: 27, ceiling: 0 }.writing(), refused(Argument::CounterNumber));
    let too_high = WriteCeiling { counter: 26, ceiling: MAX_CEILING + 1 };
    assert_eq!(too_high.writing(), refused(Argument::Ceiling));
    assert!(WriteCeiling { counter: 26, ceiling: MAX_CEILING }.writing().is_ok());
    let configure = ConfigureCounter { counter: 27, ceiling: 0, access: IncrementAccess::Free };
    assert_eq!(configure.writing(), refused(Argument::CounterNumber));
    let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x7A) };
    let diversification = KeyDiversification::None;
    for (record, fits) in [(None, true), (Some(0), false), (Some(1), true), (Some(126), true), (Some(127), false)] {
        let transfer = TransferWorkKey { key, parameters: [0; 10], record, diversification };
        assert_eq!(transfer.writing().is_ok(), fits, "{record:?}");
    }
}
