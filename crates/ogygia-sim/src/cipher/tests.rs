use super::*;

const SERIAL: [u8; 8] = [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44];

fn key(kif: u8, kvc: u8) -> Key {
    KeySet::new(b"test").diversified(KeyId::new(kif, kvc), &SERIAL).unwrap()
}

#[test]
fn keys_depend_on_seed_label_and_diversifier() {
    assert_eq!(key(0x30, 0x79), key(0x30, 0x79));
    assert_ne!(key(0x30, 0x79), key(0x27, 0x79));
    assert_ne!(key(0x30, 0x79), key(0x30, 0x78));
    let id = KeyId::new(0x30, 0x79);
    assert_ne!(Some(key(0x30, 0x79)), KeySet::new(b"other").diversified(id, &SERIAL));
    assert_ne!(Some(key(0x30, 0x79)), KeySet::new(b"test").diversified(id, &[0; 8]));
    assert_eq!(KeySet::empty(b"test").diversified(id, &SERIAL), None);
    assert_eq!(format!("{:?}", key(0x30, 0x79)), "Key(..)");
}

#[test]
fn block_boundaries_count() {
    let macs = [&[&b"ab"[..], b"c"][..], &[b"a", b"bc"], &[b"abc"]].map(|blocks| {
        let mut session = SessionCipher::new(&key(0x30, 0x79), false, &[1, 2, 3, 4], &[5]);
        blocks.iter().for_each(|block| session.feed(block));
        session.closing_terminal()
    });
    assert_ne!(macs[0], macs[1]);
    assert_ne!(macs[0], macs[2]);
}

#[test]
fn every_mac_has_its_own_value() {
    let mut session = SessionCipher::new(&key(0x30, 0x79), true, &[0; 8], &[5]);
    let (terminal, card) = session.authenticate();
    let again = session.authenticate();
    let all = [terminal, card, again.0, again.1, session.closing_terminal(), session.closing_card()];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), 6);
}

#[test]
fn masking_twice_gives_the_data_back() {
    let mut session = SessionCipher::new(&key(0x30, 0x79), true, &[0; 8], &[5]);
    let mut data = [7; 100];
    session.mask(&mut data);
    let first = data;
    assert_ne!(data, [7; 100]);
    session.mask(&mut data);
    assert_eq!(data, [7; 100]);
    session.feed(&data);
    session.mask(&mut data);
    assert_ne!(data, first);
}

#[test]
fn blocks_open_only_with_their_key_and_challenge() {
    let (right, wrong) = (key(0x21, 0x79), key(0x27, 0x79));
    let block = pin_change_block(&right, &[1; 8], b"0000", b"1234");
    assert_eq!(open_pin_change(&right, &[1; 8], &block), Some(*b"1234"));
    assert_eq!(open_pin_change(&wrong, &[1; 8], &block), None);
    assert_eq!(open_pin_change(&right, &[2; 8], &block), None);

    let id = KeyId::new(0x30, 0x7A);
    let block = key_block(Some(&right), &[1; 8], id, &wrong);
    assert_eq!(open_key_block(Some(&right), &[1; 8], &block), Some((id, wrong.clone())));
    assert_eq!(open_key_block(None, &[1; 8], &block), None);
    assert_eq!(open_key_block(Some(&wrong), &[1; 8], &block), None);
}

#[test]
fn stored_value_macs_cover_every_input() {
    let base = SvOperation {
        get_header: &[1],
        get_response: &[2],
        partial: &[3],
        challenge: [4; 3],
        sam: [5; 4],
        number: [6; 3],
    };
    let others = [
        SvOperation { get_header: &[0], ..base },
        SvOperation { get_response: &[0], ..base },
        SvOperation { partial: &[0], ..base },
        SvOperation { challenge: [0; 3], ..base },
        SvOperation { sam: [0; 4], ..base },
        SvOperation { number: [0; 3], ..base },
    ];
    let key = key(0x10, 0x79);
    for other in others {
        assert_ne!(other.terminal(&key), base.terminal(&key));
        assert_ne!(other.card(&key), base.card(&key));
    }
}

#[test]
fn four_bytes_diversify_as_eight() {
    let keys = KeySet::new(b"test");
    let id = KeyId::new(0x30, 0x79);
    assert_eq!(keys.diversified(id, &[0, 0, 0, 0, 1, 2, 3, 4]), keys.diversified(id, &[1, 2, 3, 4]));
    assert_ne!(keys.diversified(id, &[1, 2, 3, 4, 0, 0, 0, 0]), keys.diversified(id, &[1, 2, 3, 4]));
}

#[test]
fn values_may_be_given() {
    let id = KeyId::new(0x31, 1);
    let mut keys = KeySet::empty(b"test");
    keys.add_value(id, Key::new([7; 16]), false);
    keys.add(id, Some("too late"), true);
    assert_eq!(keys.master(id), Some(Key::new([7; 16])));
    assert!(!keys.is_aes(id));
    keys.add(KeyId::new(0x31, 2), Some("a label"), false);
    assert_eq!(keys.master(KeyId::new(0x31, 2)), Some(keys.secret("a label")));
}

#[test]
fn records_open_only_with_their_key_and_challenge() {
    let (right, wrong) = (key(0x21, 0x79), key(0x27, 0x79));
    let record = WrittenRecord { record: [9; RECORD_LEN].into(), reference: 0xB8, diversified: true };
    let block = record.cipher(&right, &[1; 8]);
    let opened = WrittenRecord::open(&right, &[1; 8], &block).unwrap();
    assert_eq!((*opened.record, opened.reference, opened.diversified), ([9; RECORD_LEN], 0xB8, true));
    assert!(WrittenRecord::open(&wrong, &[1; 8], &block).is_none());
    assert!(WrittenRecord::open(&right, &[2; 8], &block).is_none());
    for at in 0..BLOCK_LEN {
        let mut changed = block;
        changed[at] ^= 1;
        assert!(WrittenRecord::open(&right, &[1; 8], &changed).is_none(), "{at}");
    }
}

#[test]
fn unlock_values_depend_on_everything() {
    let secret = LockSecret::new(key(0x30, 0x79));
    assert_ne!(secret.static_value([1; 4]), secret.static_value([2; 4]));
    assert_ne!(secret.dynamic_value([1; 4], [1; 8]), secret.dynamic_value([1; 4], [2; 8]));
    assert_ne!(secret.static_value([1; 4]), secret.diversify([1; 4]).static_value([1; 4]));
    assert_eq!(format!("{secret:?}"), "LockSecret(Key(..))");
}
