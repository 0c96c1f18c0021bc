//! Whatever the bytes: no panic, and only status words that the specification has for the command.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::sam::tests::certificates::authority;
use crate::{KeySet, SamProduct};

/// Commands to begin with: the examples of the specification, with keys that the SAM has.
const EXAMPLES: &[&str] = &[
    "80140000080000000011223344",
    "801400000411223344",
    "8084000004",
    "8084000008",
    "8086000008C1C2C3C4C5C6C7C8",
    "808A00FF0A30790304909800307900",
    "808A02FF0E3074C8C7C6C5C4C3C2C102AABB00",
    "808C00000500B2013C1D",
    "808C8000260500B2013C1D1F71111111111111111111111111111111111111111111111111111111119000",
    "808C00800600DC010C01AA",
    "8088800008",
    "808E000004",
    "80820000049ABCDEF0",
    "801280FF06307931323334",
    "801240FF0A11220000000034353637",
    "8012FFFF05307927 7990",
    "8012FF0003217990",
    "805601FF367C000721791234A54BC97DFA56432101231234347890AB22334432101122334454321056789000B80000170032102112540123450123",
    "8058000003A54BC9",
    "802A9E9A0EFF307988A1A2A3A4A5A6A7A8A9AA",
    "802A9E9A10FF2B19480001A1A2A3A4A5A6A7A8A9AA",
    "802A00A816FF307988A1A2A3A4A5A6A7A8A9AAC1C2C3C4C5C6C7C8",
    "801C40000A2B19A1A2A3A4A5A6A7A8",
    "80BE00E100",
    "80BE00B100",
    "80BE00A000",
    "80BE008100",
    "80BE03B800",
    "80BC00C1020000",
    "80BC00F0023079",
    "80BC00FA023000",
    "802000001000112233445566778899AABBCCDDEEFF",
    "80200000080011223344556677",
    "801600B81EF30000006400000000000000000000000000000000000000000000000000",
    "801600B11EF300000100000200000300000400000500000600000700000800000901FE",
    "801600C00DF1E7530102030405060708090A",
    "8016010515F22B1A0102030405060708090A1112131415161718",
    "80D808B830040990EDF6C0D2F9FEF25629BEB6439B762DDCD97A90AAAD6CAACCFDD75C6209AC7ABCBF6560A7D2ACC1594441B1E32A",
    "80D800A030000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F",
    "801A00F030000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F202122232425262728292A2B2C2D2E2F",
    "801A80E0300000000000000000EF010000000000020000000000000102030405060708090A0B0C0D0E0FE000000000000000800000",
    "80CADF43FF",
    "804680000A06082A8648CE3D03010763",
    "802AEEAC42DF253F09315449432E49434131000000000000000000000011223344000000002024022220341231000A3C2005141001000000000000000000000000000000000000FF",
];

/// Status words by instruction, or `2AEE` by instruction and P1: those of "SAM commands", without the common ones. Where
/// a table has none for P1 and P2, ours is 6B00. 6985 stands for a locked SAM everywhere but in readings.
const TABLES: &[(&str, &str)] = &[
    ("14", "6700 6985 6B00"),
    ("84", "6700 6B00"),
    ("86", "6700 6985 6B00"),
    ("8A", "6700 6900 6985 6A00 6A83"),
    ("8C", "6700 6985 6A80 6B00"),
    ("88", "6700 6985 6B00"),
    ("8E", "6700 6985 6B00"),
    ("82", "6700 6985 6988 6B00"),
    ("12", "6700 6900 6985 6A00 6A80 6A83"),
    ("56", "6700 6985 6A00 6A80 6A83"),
    ("54", "6700 6985 6A00 6A80 6A83"),
    ("5C", "6700 6985 6A00 6A80 6A83"),
    ("58", "6700 6985 6988 6B00"),
    ("2AEE", "6700 6900 6985 6A80 6A88 6B00"),
    ("2A", "6700 6900 6982 6985 6988 6A80 6A83 6B00"),
    ("1C", "6700 6900 6985 6A83 6B00"),
    ("16", "6700 6900 6985 6A00 6A80 6A83"),
    ("20", "6700 6985 6988 6B00"),
    ("BE", "6700 6200 6900 6A00"),
    ("BC", "6700 6200 6900 6A00 6A83"),
    ("D8", "6700 6900 6985 6988 6A00 6A80 6A83"),
    ("1A", "6700 6900 6985 6988 6A00 6A80 6A83 6A87"),
    ("CA", "6700 6A88"),
    ("46", "6700 6985 6A80 6B00"),
];

/// An example with up to two bytes changed, and perhaps a byte more or less.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    let likely = (prop::sample::select(EXAMPLES), prop::collection::vec(change, 0..3), -1..3_i8).prop_map(
        |(example, changes, longer)| {
            let mut bytes = decode(&example.replace(' ', "")).unwrap();
            for (at, to) in changes {
                let at = at.index(bytes.len());
                bytes[at] = to;
            }
            match longer {
                -1 => bytes.truncate(bytes.len() - 1),
                1 => bytes.push(0),
                _ => {}
            }
            bytes
        },
    );
    prop_oneof![8 => likely, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

/// A SAM that has everything: the keys of a target and of a control SAM, counters that are nearly full, an authority.
fn everything(product: SamProduct, locked: bool) -> VirtualSam {
    static KEYS: std::sync::OnceLock<KeySet> = std::sync::OnceLock::new();
    let mut profile = SamProfile::builtin(if locked { "sam-locked" } else { "sam-target" }).unwrap().unwrap();
    let control = SamProfile::builtin("sam-control").unwrap().unwrap();
    profile.product = product;
    for mut key in control.work_keys {
        key.record = key.record.map(|record| record + 20);
        profile.work_keys.push(key);
    }
    let mut sam = VirtualSam::personalized(&profile, SAM_SERIAL, KEYS.get_or_init(keys)).unwrap();
    sam.load_authority(Arc::clone(&authority()));
    for number in 1..10 {
        sam.set_ceiling(number, 3);
    }
    sam
}

fn allowed(product: SamProduct, command: &[u8], status: &str) -> bool {
    let common = ["9000", "6D00", "6E00", "6700"];
    if common.contains(&status) {
        return true;
    }
    assert_eq!(command[0], product.class());
    let name = encode(&command[1..3]);
    let row = TABLES.iter().find(|(ins, _)| name.starts_with(ins));
    row.is_some_and(|(_, all)| all.split(' ').any(|one| one == status))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_what_the_tables_list_is_answered(
        product in prop::sample::select(&SamProduct::ALL[..]),
        locked in prop::bool::weighted(0.1),
        commands in prop::collection::vec(command(), 1..80),
    ) {
        let mut sam = everything(product, locked);
        for (number, mut bytes) in commands.into_iter().enumerate() {
            if bytes.first() == Some(&0x80) {
                bytes[0] = product.class();
            }
            let answer = sam.transmit(&bytes);
            prop_assert!(answer.len() >= 2);
            let status = encode(&answer[answer.len() - 2..]);
            prop_assert!(allowed(product, &bytes, &status), "{} -> {status}", encode(&bytes));
            if number % 31 == 30 {
                sam.reset();
            }
        }
        // Nothing was ciphered for this SAM, so what needs that is as it was.
        prop_assert_eq!(sam.parameters(), &[0; 29]);
        prop_assert!((1..10).all(|number| sam.ceiling(number) == Some(3)));
        prop_assert!((1..10).all(|number| sam.event_counter(number) <= Some(3)));
    }

    #[test]
    fn profiles_are_read_or_refused(text in "[\\x00-\\x7fé]{0,80}", cut in 0..2000_usize) {
        let _any = SamProfile::from_json(&text);
        let (_, whole) = crate::sam::profile::builtin().next().unwrap();
        prop_assert!(SamProfile::from_json(&whole[..cut.min(whole.len() - 3)]).is_err());
    }
}
