//! Selecting SAMs: specification 03, "SAM identification and selection".

use ogygia::apdu::{Batch, StatusWord};
use ogygia::command::CommandName;
use ogygia::drive::{NoSam, select_sam};
use ogygia::sam::{KeyReference, Sam, SamData, SamImage, SamProduct, SystemKey, UnlockValue};
use ogygia::selection::{SamFilter, SamSelection, SamStep};
use ogygia::{Error, Fate, Loss, Misuse, Peer, Secret};

use super::fake::{Break, C1, CONTROL, Fake, S1DX};

fn select(selection: &SamSelection, sam: &mut Fake) -> Result<Option<SamImage>, Error> {
    select_sam(selection, &C1, sam, |_, _| None)
}

#[test]
fn nothing_is_sent_when_nothing_is_wanted() {
    let image = select_sam(&SamSelection::new(), &C1, &mut NoSam, |_, _| None).unwrap().unwrap();
    assert_eq!(image.sam(), Sam::from_power_on_data(&C1));
    assert!(SamSelection::default().begin(&[]).is_err());
}

#[test]
fn filters() {
    let products = [SamProduct::SamC1, SamProduct::HsmC1, SamProduct::SamS1E1, SamProduct::SamS1Dx];
    let mut hsm = C1;
    hsm[9] = 0x08;
    for (power_on_data, product) in [C1, hsm, CONTROL, S1DX].iter().zip(products) {
        let sam = Sam::from_power_on_data(power_on_data);
        let passing = products.map(|wanted| SamFilter::ANY.of_product(wanted).unwrap().matches(&sam));
        assert_eq!(passing, products.map(|wanted| wanted == product));
    }
    assert!(SamFilter::ANY.of_product(SamProduct::Unknown).is_err());
    let sam = Sam::from_power_on_data(&C1);
    for (serial, mask, passes) in [
        ([0x11, 0x22, 0x33, 0x44], [0xFF; 4], true),
        ([0x11, 0x22, 0x33, 0x45], [0xFF; 4], false),
        ([0x11, 0x22, 0x33, 0x45], [0xFF, 0xFF, 0xFF, 0x00], true),
        ([0x00; 4], [0x00; 4], true),
        ([0x00, 0x02, 0x00, 0x00], [0x00, 0x0F, 0x00, 0x00], true),
    ] {
        assert_eq!(SamFilter::ANY.with_serial(serial, mask).matches(&sam), passes, "{serial:02X?}");
    }
    let mut other_type = C1;
    other_type[7] = 0x81;
    let other_type = Sam::from_power_on_data(&other_type);
    assert!(!SamFilter::ANY.of_product(SamProduct::SamC1).unwrap().matches(&other_type));
    let selection = SamSelection::new().with_filter(SamFilter::ANY.with_serial([0; 4], [0xFF; 4]));
    assert_eq!(select(&selection, &mut Fake::default()), Ok(None));
}

#[test]
fn readings_and_a_challenge() {
    let mut selection = SamSelection::new().with_challenge();
    for data in [SamData::Parameters, SamData::Counter(3), SamData::Counters, SamData::CaCertificate] {
        selection.prepare(data).unwrap();
    }
    assert!(selection.prepare(SamData::Counter(27)).is_err());
    let mut sam = Fake::default();
    let mut image = select(&selection, &mut sam).unwrap().unwrap();
    let counters = ["80BE00E100", "80BE00B100", "80BE00E200", "80BE00B200", "80BE00E300", "80BE00B300"];
    assert_eq!(sam.hex(), [[&["80BE00A000"][..], &counters, &["80CADF43FF", "8084000008"]].concat()]);
    assert_eq!((image.counter(26), image.parameters()), (Some(0), Some(&[0; 29])));
    assert_eq!((image.take_challenge(), image.take_challenge()), (Some([0xC1; 8]), None));
}

/// The class byte is that of the SAM, unless the reader builds its requests before.
#[test]
fn class_bytes() {
    let mut selection = SamSelection::new();
    selection.prepare(SamData::Parameters).unwrap();
    let mut sam = Fake::default();
    select_sam(&selection, &S1DX, &mut sam, |_, _| None).unwrap();
    assert_eq!(sam.hex(), [["94BE00A000"]]);
    let mut sam = Fake::default();
    select_sam(&selection.with_class_of(SamProduct::SamC1), &S1DX, &mut sam, |_, _| None).unwrap();
    assert_eq!(sam.hex(), [["80BE00A000"]]);
}

#[test]
fn three_ways_to_unlock() {
    let with_reading = || {
        let mut selection = SamSelection::new();
        selection.prepare(SamData::KeyParameters(KeyReference::System(SystemKey::Reloading))).unwrap();
        selection
    };
    let mut direct = with_reading();
    direct.unlock_with(Secret::new([0x11; 16]), SamProduct::SamS1E1).unwrap();
    let mut sam = Fake::default();
    select(&direct, &mut sam).unwrap();
    assert_eq!(sam.hex(), [["8020000010", "80BC00C302"]]);
    assert_eq!(direct.unlock_static(), Err(Misuse::UnlockConfigured.into()));

    let mut by_serial = with_reading();
    by_serial.unlock_static().unwrap();
    let mut sam = Fake::default();
    let image = select_sam(&by_serial, &C1, &mut sam, |sam, challenge| {
        assert_eq!((sam.serial_number, challenge), ([0x11, 0x22, 0x33, 0x44], None));
        UnlockValue::new(&[0x22; 16]).ok()
    });
    assert!(image.unwrap().is_some());
    assert_eq!(sam.hex(), [["8020000010", "80BC00C302"]]);

    let mut by_challenge = with_reading();
    by_challenge.unlock_dynamic().unwrap();
    let mut sam = Fake::default();
    let mut image = select_sam(&by_challenge, &C1, &mut sam, |_, challenge| {
        assert_eq!(challenge, Some([0xC1; 8]));
        UnlockValue::new(&[0x33; 8]).ok()
    });
    assert_eq!(sam.hex(), [&["8084000008"][..], &["8020000008", "80BC00C302"]]);
    let image = image.as_mut().unwrap().as_mut().unwrap();
    assert_eq!(image.take_challenge(), None, "it is used up");
    // A selection serves any number of SAMs.
    let mut again = Fake::default();
    select_sam(&by_challenge, &C1, &mut again, |_, _| UnlockValue::new(&[0x33; 8]).ok()).unwrap();
    assert_eq!(again.hex(), sam.hex());
    assert_eq!(select(&by_challenge, &mut Fake::default()), Err(Misuse::UnlockMissing.into()));
}

#[test]
fn a_sam_that_is_not_locked_is_welcome() {
    let mut selection = SamSelection::new();
    selection.unlock_with(Secret::new([0x11; 16]), SamProduct::SamC1).unwrap();
    for &(word, _) in CommandName::SamUnlock.refusals() {
        let mut sam = Fake { instead: Some((vec![0x80, 0x20], word.to_be_bytes().to_vec())), ..Fake::default() };
        let status = StatusWord(word);
        let expected = match word {
            0x6985 => Ok(()),
            _ => Err(Error::Status { peer: Peer::Sam, index: 0, command: CommandName::SamUnlock, status }),
        };
        assert_eq!(select(&selection, &mut sam).map(drop), expected, "{word:04X}");
    }
}

#[test]
fn refusals_and_losses() {
    let mut selection = SamSelection::new().with_challenge();
    selection.prepare(SamData::Parameters).unwrap();
    selection.unlock_dynamic().unwrap();
    let unlock = |_: &Sam, _| UnlockValue::new(&[0x33; 8]).ok();
    let refused = [([0x80, 0x84], 0x6700_u16), ([0x80, 0x20], 0x6988), ([0x80, 0xBE], 0x6900)];
    for (start, word) in refused {
        let mut sam = Fake { instead: Some((start.to_vec(), word.to_be_bytes().to_vec())), ..Fake::default() };
        let selected = select_sam(&selection, &C1, &mut sam, unlock);
        assert!(matches!(selected, Err(Error::Status { .. })), "{word:04X}");
    }
    for at in 0..4 {
        let mut sam = Fake { breaks: Some(Break { at, loss: Loss::Reader, executed: true }), ..Fake::default() };
        let lost = Error::Lost { peer: Peer::Sam, loss: Loss::Reader, fate: Fate::Untouched };
        assert_eq!(select_sam(&selection, &C1, &mut sam, unlock), Err(lost), "{at}");
    }
}

#[test]
fn answers_must_be_as_many_as_commands() {
    let mut selection = SamSelection::new();
    selection.prepare(SamData::Parameters).unwrap();
    for count in [0, 2] {
        let mut selecting = selection.begin(&C1).unwrap().unwrap();
        assert!(matches!(selecting.next(), Some(SamStep::Send(_))));
        assert_eq!(selecting.unlock(None), Err(Misuse::NotAsked.into()));
        let answers: Batch = core::iter::repeat_n(&[0x62, 0x00][..], count).collect();
        let error = Error::ResponseCount { peer: Peer::Sam, commands: 1, responses: count };
        assert_eq!(selecting.handle(&answers), Err(error));
        assert!(selecting.next().is_none());
        assert_eq!(selecting.handle(&answers), Err(Misuse::NotAsked.into()));
        assert_eq!(selecting.finish(), Err(error));
    }
    let unfinished = selection.begin(&C1).unwrap().unwrap();
    assert_eq!(unfinished.finish(), Err(Misuse::Busy.into()));
}
