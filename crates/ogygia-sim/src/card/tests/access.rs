//! Every file of every profile under every level.

use crate::VirtualCard;
use crate::profile::{
    AccessCondition, ApplicationProfile, BudgetUnit, FileKind, FileProfile, ProductType, Profile, builtin,
};
use crate::testing::{keys, to_card as send};

/// Whether a condition is met outside a session (`None`) or in one of this level, without PIN and ciphering.
fn met(condition: &AccessCondition, level: Option<u8>) -> Result<(), &'static str> {
    match condition.rule.as_str() {
        "always" => Ok(()),
        "never" => Err("6985"),
        "session" if level.is_some_and(|level| level <= condition.key) => Ok(()),
        "session" | "pin" | "confidential" | "confidential_and_pin" => Err("6982"),
        other => panic!("rule {other}"),
    }
}

/// A command for each group of a file, and the status that its type allows.
fn commands(profile: &Profile, file: &FileProfile) -> Vec<(String, usize)> {
    let cla = profile.card_class.0;
    let p2 = file.sfi.0 << 3;
    let binary = matches!(profile.product_type, ProductType::Prime2 | ProductType::Prime3);
    match file.kind {
        FileKind::Binary if binary => vec![
            (format!("{cla:02X}B0{:02X}0001", 0x80 | file.sfi.0), 0),
            (format!("{cla:02X}D6{:02X}000100", 0x80 | file.sfi.0), 1),
            (format!("{cla:02X}D0{:02X}000100", 0x80 | file.sfi.0), 2),
        ],
        FileKind::Binary => vec![],
        FileKind::Linear | FileKind::Cyclic => {
            let mut list = vec![
                (format!("{cla:02X}B201{:02X}01", p2 | 4), 0),
                (format!("{cla:02X}DC01{:02X}0100", p2 | 4), 1),
                (format!("{cla:02X}D201{:02X}0100", p2 | 4), 2),
            ];
            if file.kind == FileKind::Cyclic {
                list.push((format!("{cla:02X}E200{p2:02X}0100"), 3));
            }
            list
        }
        FileKind::Counters | FileKind::SimulatedCounters => {
            let number = if file.kind == FileKind::Counters { 1 } else { 0 };
            vec![
                (format!("{cla:02X}B201{:02X}01", p2 | 4), 0),
                (format!("{cla:02X}DC01{:02X}0100", p2 | 4), 1),
                (format!("{cla:02X}30{number:02X}{p2:02X}03000000"), 2),
                (format!("{cla:02X}32{number:02X}{p2:02X}03000000"), 3),
            ]
        }
    }
}

fn open(card: &mut VirtualCard, level: u8) {
    let command = match card.profile().product_type {
        ProductType::Prime1 => format!("948A0{level}0004C1C2C3C400"),
        ProductType::Prime2 => format!("948A8{level}0004C1C2C3C400"),
        _ => format!("008A0{level}0104C1C2C3C400"),
    };
    assert!(send(card, &command).ends_with("9000"));
}

fn check(profile: &Profile, at: usize, application: &ApplicationProfile, level: Option<u8>) {
    for file in application.files.iter().filter(|file| file.sfi.0 != 0) {
        for (command, group) in commands(profile, file) {
            let mut card = VirtualCard::new(profile, keys_once()).unwrap();
            card.field.application = Some(at);
            if let Some(level) = level {
                open(&mut card, level);
            }
            let answer = send(&mut card, &command);
            let status = &answer.get(answer.len() - 4..).unwrap();
            match met(&file.access_conditions[group], level) {
                Ok(()) => assert!(matches!(*status, "9000" | "6200"), "{} {command} {level:?} {answer}", profile.id),
                Err(refusal) => assert_eq!(*status, refusal, "{} {command} {level:?}", profile.id),
            }
        }
    }
}

fn keys_once() -> &'static crate::KeySet {
    static KEYS: std::sync::OnceLock<crate::KeySet> = std::sync::OnceLock::new();
    KEYS.get_or_init(keys)
}

#[test]
fn every_file_of_every_profile() {
    for (id, text) in builtin() {
        let mut profile = Profile::from_json(text).unwrap();
        assert!(matches!(profile.session_budget.unit, BudgetUnit::Bytes | BudgetUnit::Commands), "{id}");
        profile.behaviour.le_zero_supported = true;
        for (at, application) in profile.applications.iter().enumerate() {
            for level in [None, Some(1), Some(2), Some(3)] {
                check(&profile, at, application, level);
            }
        }
    }
}
