use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::*;
use crate::card::{Level, Sfi};
use crate::command::CommandName;
use crate::command::{DataTag, GetData, PreOpenSession, ReadCounters, ReadRecord, SelectFile, UpdateRecord};
use crate::request::Loss;
use crate::test_hex::hex;

const FCI: &str = "6F238409315449432E49434131A516BF0C13C708000000001122334453070A3C280514100190 00";

fn batch(answers: &[&str]) -> Batch {
    let answers: Vec<_> = answers.iter().map(|answer| hex(answer)).collect();
    answers.iter().map(Vec::as_slice).collect()
}

fn named() -> Selection {
    Selection::by_name(b"1TIC.ICA", Occurrence::First).unwrap()
}

fn sent(selection: &Selection) -> Vec<String> {
    let text = |command: &[u8]| command.iter().map(|byte| format!("{byte:02X}")).collect();
    selection.request().commands.iter().map(text).collect()
}

#[test]
fn select_application() {
    assert_eq!(sent(&named()), ["00A4040008315449432E49434100"]);
    for (occurrence, p2) in [(Occurrence::Last, "01"), (Occurrence::Next, "02"), (Occurrence::Previous, "03")] {
        let selection = Selection::by_name(&[0xA0], occurrence).unwrap();
        assert_eq!(sent(&selection), [format!("00A404{p2}01A000")]);
    }
    assert_eq!(Selection::by_name(&[0; 17], Occurrence::First).unwrap_err(), Argument::Name.into());
}

/// Worked examples 49 and 88.
#[test]
fn commands_have_the_form_of_revision_3() {
    let mut selection = Selection::by_power_on_data();
    selection.prepare(SelectFile::FirstFile).unwrap();
    selection.prepare(GetData { tag: DataTag::Fcp }).unwrap();
    selection.prepare(ReadRecord { sfi: Sfi(7), record: 1 }).unwrap();
    selection.prepare(ReadCounters { sfi: Sfi(0x19), count: 2 }).unwrap();
    selection.prepare(ReadBinary { sfi: Sfi(1), offset: 0, length: 251 }).unwrap();
    selection.prepare(PreOpenSession { level: Level::Load }).unwrap();
    let expected =
        ["00A4020002000000", "00CA006200", "00B2013C00", "00B201CC06", "00B08100FA", "00B081FA01", "008A0202010000"];
    assert_eq!(sent(&selection), expected);
}

#[test]
fn what_cannot_be_prepared() {
    let mut selection = named();
    let update = UpdateRecord { sfi: Sfi(7), record: 1, data: &[1] };
    assert_eq!(selection.prepare(update), Err(Error::Unsupported(CommandName::UpdateRecord)));
    let key = GetData { tag: DataTag::CardPublicKey };
    assert_eq!(selection.prepare(key), Err(Error::Unsupported(CommandName::GetData)));
    assert_eq!(selection.prepare(ReadRecord { sfi: Sfi(31), record: 1 }), Err(Argument::Sfi.into()));
    selection.prepare(PreOpenSession { level: Level::Debit }).unwrap();
    let twice = selection.prepare(PreOpenSession { level: Level::Debit });
    assert_eq!(twice, Err(Misuse::SessionOpen.into()));
    assert_eq!(sent(&selection).len(), 2);
}

#[test]
fn invalidated_applications() {
    let invalidated = FCI.replace("90 00", "6283");
    let answers = batch(&[&invalidated]);
    assert!(named().card(&[], &answers).unwrap().is_none());
    let card = named().accept_invalidated().card(&[], &answers).unwrap().unwrap();
    assert!(card.invalidated());
}

#[test]
fn readings_may_fail_and_the_rest_may_not() {
    let mut selection = named();
    selection.prepare(ReadRecord { sfi: Sfi(7), record: 1 }).unwrap();
    selection.prepare(SelectFile::FirstFile).unwrap();
    let card = |record: &str, file: &str| selection.card(&[], &batch(&[FCI, record, file]));
    let file = "8517 07 04 02 1D 01 1F000000 01010101 00 0000 00000000 00 2001 9000";
    assert!(card("6982", file).unwrap().unwrap().file(Sfi(7)).unwrap().record(1).is_none());
    let refused = card("119000", "6A82").unwrap_err();
    assert!(matches!(refused, Error::Status { command: CommandName::SelectFile, index: 1, .. }));
    assert!(matches!(selection.card(&[], &batch(&[FCI, "9000"])), Err(Error::ResponseCount { .. })));
    assert!(selection.card(&[], &batch(&[])).is_err());
}

/// Points G10 and E-04.
#[test]
fn a_session_that_is_opened_beforehand() {
    let mut selection = named();
    selection.prepare(PreOpenSession { level: Level::Debit }).unwrap();
    let card = |answer: &str| selection.card(&[], &batch(&[FCI, answer])).unwrap().unwrap();
    let opened = card("C8C7C6C5C4C3C2C1 02 27 79 00 6200");
    assert_eq!((opened.transaction_counter(), opened.ratified()), (Some(0xC8_C7C6), Some(true)));
    assert_eq!(opened.pre_open, Some(Level::Debit));
    for nothing in ["6985", "C8C7C6C5C4C3C2C1 02 27 79 00 9000", "C8C7 6200"] {
        assert_eq!(card(nothing).pre_open, None, "{nothing}");
    }
}

/// Specification 02, "Extended mode: negotiation and fall-back".
#[test]
fn a_card_without_aes_keys_foretells_no_session() {
    let mut selection = named();
    selection.prepare(PreOpenSession { level: Level::Debit }).unwrap();
    let card = |answer: &str| selection.card(&[], &batch(&[FCI, answer])).unwrap().unwrap();
    let with = card("C8C7C6C5C4C3C2C1 02 27 79 00 6200");
    assert!(with.features().extended);
    let without = card("C8C7C6C5C4C3C2C1 01 27 79 00 6200");
    assert!(!without.features().extended);
    assert_eq!(without.pre_open, None);
    assert_eq!((without.transaction_counter(), without.ratified()), (Some(0xC8_C7C6), Some(false)));
}

#[test]
fn a_scenario_takes_the_first_that_matches() {
    let atr = hex("3B8F8001805A0A010320031112345678829000F7");
    let mut scenario = Scenario::new();
    let filter = PowerOnFilter::beginning(&[Some(0x3B), None, Some(0x81)]);
    scenario.add(named().with_filter(filter));
    scenario.add(named());
    scenario.add(Selection::by_power_on_data());

    scenario.begin(&atr);
    assert_eq!(scenario.poll().unwrap().commands.len(), 1);
    scenario.handle(&batch(&["6A82"])).unwrap();
    assert!(scenario.poll().is_none());
    let Some(Outcome::Matched { index: 2, card }) = scenario.outcome() else { panic!("the third matches") };
    assert_eq!(card.product(), Product::PrimeRevision1);

    scenario.begin(&[]);
    scenario.handle(&batch(&[FCI])).unwrap();
    assert!(matches!(scenario.outcome(), Some(Outcome::Matched { index: 1, .. })));
    assert!(scenario.outcome().is_none());

    scenario.begin(&[]);
    scenario.handle_lost(Loss::Peer).unwrap();
    assert!(matches!(scenario.outcome(), Some(Outcome::Failed(Error::Lost { .. }))));
    assert_eq!(scenario.handle(&batch(&[])), Err(Misuse::NotAsked.into()));
}

#[test]
fn filters() {
    let exactly = PowerOnFilter::exactly(&[Some(0x3B), None]);
    assert!(exactly.passes(&[0x3B, 0x00]));
    assert!(!exactly.passes(&[0x3B, 0x00, 0x01]));
    assert!(!exactly.passes(&[0x3F, 0x00]));
    assert!(PowerOnFilter::beginning(&[Some(0x3B)]).passes(&[0x3B, 0x00, 0x01]));
}
