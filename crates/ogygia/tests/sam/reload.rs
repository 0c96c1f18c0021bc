//! Ceilings that are ciphered elsewhere: specification 03, "Asynchronous write transaction".

use ogygia::apdu::Batch;
use ogygia::card::Kvc;
use ogygia::drive::{self, NoSam};
use ogygia::sam::{ConfigureCounter, IncrementAccess, Sam, SamData, SystemKey, TransferSystemKey, WriteCeiling};
use ogygia::sam_transaction::reload::{Reload, ReloadBuilder, ReloadContext};
use ogygia::{Error, Fate, Loss, Misuse, Peer};

use super::fake::{Bench, Break, C1, CONTROL, Fake, S1DX};

/// The answer to Read Key Parameters of a key that is tied to this event counter.
fn key_tied_to(counter: u8) -> Vec<u8> {
    let mut answer = vec![0; 34];
    (answer[9], answer[14], answer[32]) = (5, counter, 0x90);
    answer
}

fn context(bench: &mut Bench) -> ReloadContext {
    drive::read_context(&mut bench.transaction, &mut bench.target).unwrap();
    bench.transaction.context().unwrap()
}

fn builder(context: ReloadContext) -> ReloadBuilder {
    ReloadBuilder::new(context, &Sam::from_power_on_data(&CONTROL)).unwrap()
}

fn ceilings(context: ReloadContext, counters: &[u8]) -> (Reload, Fake) {
    let (mut builder, mut control) = (builder(context), Fake::default());
    for &counter in counters {
        builder.prepare(WriteCeiling { counter, ceiling: 9 }).unwrap();
    }
    drive::run_reload(&mut builder, &mut control).unwrap();
    (builder.finish().unwrap(), control)
}

#[test]
fn the_context_reads_keys_then_their_counters() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Parameters).unwrap();
    let known = context(&mut bench);
    let keys = ["80BC00C102", "80BC00C202", "80BC00C302"];
    assert_eq!(bench.target.hex(), [&keys[..], &["80BE00E100"]]);
    assert_eq!((known.serial_number(), known.counter()), ([0x11, 0x22, 0x33, 0x44], Some((3, 0))));
    // What was prepared has waited; keys that are known are not read again.
    bench.forget_requests();
    bench.run().unwrap();
    assert_eq!(bench.target.hex(), [["80BE00A000"]]);
    bench.forget_requests();
    context(&mut bench);
    assert_eq!(bench.target.hex(), [["80BE00E100"]]);
}

#[test]
fn each_command_takes_the_next_value_of_the_counter() {
    let (reload, control) = ceilings(context(&mut Bench::new(&C1)), &[0, 20, 1]);
    let ciphering = ["8014000004", "8086000008", "801600B81E"];
    assert_eq!(control.hex(), [ciphering; 3]);
    let challenges: Vec<_> = control.commands().filter(|command| command[1] == 0x86).map(|c| c[12]).collect();
    assert_eq!(challenges, [0, 1, 2]);
    assert_eq!((reload.len(), reload.is_empty()), (3, false));
}

#[test]
fn the_target_executes_it_in_one_request() {
    let (reload, _) = ceilings(context(&mut Bench::new(&S1DX)), &[0, 1]);
    let mut bench = Bench::new(&S1DX);
    bench.transaction.prepare_reload(&reload).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.target.hex(), [["94D808B830", "94D808B830"]]);
    assert!(bench.control.requests.is_empty());
}

#[test]
fn a_record_needs_all_nine() {
    let known = context(&mut Bench::new(&C1));
    let configure = |counter| ConfigureCounter { counter, ceiling: 1, access: IncrementAccess::Protected };
    let mut some = builder(known);
    for counter in [9, 10, 12, 13, 14, 15, 16, 17] {
        some.configure(configure(counter)).unwrap();
    }
    assert_eq!(drive::run_reload(&mut some, &mut NoSam), Err(Misuse::CeilingUnknown { counter: 11 }.into()));
    some.configure(configure(11)).unwrap();
    let mut control = Fake::default();
    drive::run_reload(&mut some, &mut control).unwrap();
    assert_eq!(control.hex(), [["8014000004", "8086000008", "801600B21E"]]);
    assert_eq!(some.prepare(WriteCeiling { counter: 0, ceiling: 0 }), Err(Misuse::Busy.into()), "it is made once");
}

#[test]
fn another_sam_and_another_time_are_refused() {
    let (reload, _) = ceilings(context(&mut Bench::new(&C1)), &[0]);
    let mut other = C1;
    other[15] = 0x45;
    assert_eq!(Bench::new(&other).transaction.prepare_reload(&reload), Err(Misuse::OtherSam.into()));
    // The counter is known, and has moved.
    let mut bench = Bench::new(&C1);
    let mut moved = vec![0x5A; 48];
    moved.extend([0x90, 0x00]);
    bench.target.instead = Some((vec![0x80, 0xBE], moved));
    bench.transaction.prepare(SamData::Counter(3)).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.transaction.prepare_reload(&reload), Err(Misuse::ReloadStale.into()));
    // It is not known what it is after a reload: the SAM decides.
    let mut bench = Bench::new(&C1);
    let first = context(&mut bench);
    let (reload, _) = ceilings(first, &[0, 1]);
    bench.transaction.prepare_reload(&reload).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.transaction.context(), Err(Misuse::EventCounterUnknown { counter: 3 }.into()));
    bench.transaction.prepare_reload(&reload).unwrap();
    bench.target.instead = Some((vec![0x80, 0xD8], vec![0x69, 0x88]));
    assert!(matches!(bench.run(), Err(Error::Status { .. })));
}

#[test]
fn a_key_without_counter_makes_reloads_for_ever() {
    let mut bench = Bench::new(&C1);
    bench.target.instead = Some((vec![0x80, 0xBC, 0x00, 0xC3], key_tied_to(0)));
    let known = context(&mut bench);
    assert_eq!(known.counter(), None);
    let (_, control) = ceilings(known, &[0, 1]);
    let mut challenges = control.commands().filter(|command| command[1] == 0x86);
    assert!(challenges.all(|command| command[5..] == [0; 8]));
}

/// Every writing that the Reloading key deciphers moves its counter, ciphered elsewhere or not.
#[test]
fn a_writing_makes_a_context_old() {
    let mut bench = Bench::new(&C1);
    let known = context(&mut bench);
    bench.transaction.prepare(WriteCeiling { counter: 1, ceiling: 1 }).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.transaction.context(), Err(Misuse::EventCounterUnknown { counter: 3 }.into()));
    assert_eq!(context(&mut bench), known, "the fake one does not move");
}

#[test]
fn a_key_that_may_have_been_replaced_is_read_again() {
    let mut bench = Bench::new(&C1);
    context(&mut bench);
    let (key, kvc, parameters) = (SystemKey::Reloading, Kvc(8), [0; 10]);
    bench.transaction.prepare(TransferSystemKey { key, kvc, parameters, diversified: true }).unwrap();
    let at = bench.target.commands().count() + 1;
    bench.target.breaks = Some(Break { at, loss: Loss::Peer, executed: true });
    assert!(matches!(bench.run(), Err(Error::Lost { fate: Fate::Unknown, .. })));
    assert_eq!(bench.transaction.context(), Err(Misuse::SystemKeyUnknown(key).into()));
    bench.forget_requests();
    bench.target.breaks = None;
    context(&mut bench);
    assert_eq!(bench.target.hex()[0], ["80BC00C302"]);
}

#[test]
fn counters_are_read_again_behind_a_reload() {
    let (reload, _) = ceilings(context(&mut Bench::new(&C1)), &[20]);
    let mut bench = Bench::new(&C1);
    // The ceiling is in the last record, the event counter that moves in the first.
    for data in [SamData::Counters, SamData::Counters] {
        bench.transaction.prepare(data).unwrap();
    }
    bench.transaction.prepare_reload(&reload).unwrap();
    bench.transaction.prepare(SamData::Counters).unwrap();
    bench.run().unwrap();
    let behind = ["80D808B830", "80BE00E100", "80BE00B100", "80BE00E300", "80BE00B300"];
    assert_eq!(bench.target.hex()[1], behind);
}

#[test]
fn a_reload_tells_what_it_writes_and_what_is_left() {
    let known = context(&mut Bench::new(&C1));
    let (reload, _) = ceilings(known, &[5, 6, 7]);
    let written =
        |reload: &Reload| reload.ceilings().map(|(counter, ceiling, _)| (counter, ceiling)).collect::<Vec<_>>();
    assert_eq!(written(&reload), [(5, 9), (6, 9), (7, 9)]);
    let rest = reload.rest(2).unwrap();
    assert_eq!((written(&rest), rest.context().counter()), (vec![(7, 9)], Some((3, 2))));
    assert!(reload.rest(3).is_some_and(|rest| rest.is_empty()) && reload.rest(4).is_none());
}

#[test]
fn contexts_that_cannot_be() {
    for (reference, key) in
        [(0xC1, SystemKey::Personalization), (0xC2, SystemKey::KeyManagement), (0xC3, SystemKey::Reloading)]
    {
        let mut bench = Bench::new(&C1);
        bench.target.instead = Some((vec![0x80, 0xBC, 0x00, reference], vec![0x6A, 0x83]));
        let unknown = Err(Misuse::SystemKeyUnknown(key).into());
        assert_eq!(drive::read_context(&mut bench.transaction, &mut bench.target), unknown);
        assert_eq!(bench.target.requests.len(), 1);
    }
    let mut bench = Bench::new(&C1);
    bench.target.instead = Some((vec![0x80, 0xBC, 0x00, 0xC1], key_tied_to(27)));
    let read = drive::read_context(&mut bench.transaction, &mut bench.target);
    assert!(matches!(read, Err(Error::PeerMisbehaved { .. })));
    // The counter is at its end.
    let mut bench = Bench::new(&C1);
    let mut last = vec![0xFF; 48];
    last.extend([0x90, 0x00]);
    bench.target.instead = Some((vec![0x80, 0xBE], last));
    let mut exhausted = builder(context(&mut bench));
    exhausted.prepare(WriteCeiling { counter: 0, ceiling: 0 }).unwrap();
    assert_eq!(drive::run_reload(&mut exhausted, &mut NoSam), Err(Misuse::EventCounterExhausted.into()));
}

#[test]
fn a_lost_control_sam_makes_no_reload() {
    for at in 0..6 {
        let mut control = Fake { breaks: Some(Break { at, loss: Loss::Peer, executed: true }), ..Fake::default() };
        let mut builder = builder(context(&mut Bench::new(&C1)));
        for counter in 0..2 {
            builder.prepare(WriteCeiling { counter, ceiling: 9 }).unwrap();
        }
        let lost = Error::Lost { peer: Peer::ControlSam, loss: Loss::Peer, fate: Fate::Untouched };
        assert_eq!(drive::run_reload(&mut builder, &mut control), Err(lost));
        assert_eq!(builder.handle(Peer::ControlSam, &Batch::new()), Err(Misuse::NotAsked.into()));
        assert_eq!(builder.finish().err(), Some(lost));
    }
}

/// What the target lost before it had executed all of it.
#[test]
fn a_lost_target_may_have_executed_some() {
    let (reload, _) = ceilings(context(&mut Bench::new(&C1)), &[0, 1, 2]);
    for (at, executed) in [(0, false), (0, true), (1, false), (1, true), (2, true)] {
        let mut bench = Bench::new(&C1);
        context(&mut bench);
        let before = bench.target.commands().count();
        bench.transaction.prepare_reload(&reload).unwrap();
        bench.target.breaks = Some(Break { at: before + at, loss: Loss::Peer, executed });
        assert!(matches!(bench.run(), Err(Error::Lost { fate: Fate::Unknown, .. })));
        assert_eq!(bench.target.written, at + usize::from(executed));
        assert_eq!(bench.transaction.context(), Err(Misuse::EventCounterUnknown { counter: 3 }.into()));
    }
}

#[cfg(feature = "reload")]
mod sealed {
    use super::*;
    use ogygia::Secret;
    use ogygia::sam_transaction::reload::SealError;

    const KEY: [u8; 32] = [7; 32];

    fn both() -> (ReloadContext, Reload) {
        let known = context(&mut Bench::new(&C1));
        let mut builder = builder(known);
        builder.prepare(WriteCeiling { counter: 26, ceiling: 0xFF_FFFA }).unwrap();
        for counter in 0..9 {
            let access = if counter % 2 == 0 { IncrementAccess::Free } else { IncrementAccess::Protected };
            builder.configure(ConfigureCounter { counter, ceiling: u32::from(counter), access }).unwrap();
        }
        drive::run_reload(&mut builder, &mut Fake::default()).unwrap();
        (known, builder.finish().unwrap())
    }

    #[test]
    fn what_is_opened_is_what_was_sealed() {
        let (known, reload) = both();
        let key = Secret::new(KEY);
        let (context_bytes, reload_bytes) = (known.seal(&key), reload.seal(&key));
        assert_eq!((context_bytes.len(), reload_bytes.len()), (4 + 2 + 9 + 32, 4 + 2 + 9 + 2 * 78 + 32));
        assert_eq!(ReloadContext::open(&context_bytes, &key), Ok(known));
        let opened = Reload::open(&reload_bytes, &key).unwrap();
        assert_eq!((opened.seal(&key), opened.len()), (reload_bytes.clone(), 2));
        assert_eq!(ReloadContext::open(&reload_bytes, &key), Err(SealError::Format));
        assert_eq!(Reload::open(&context_bytes, &key), Err(SealError::Format));
        let other = Secret::new([8; 32]);
        assert_eq!(Reload::open(&reload_bytes, &other), Err(SealError::Code));
    }

    /// What a counter-0 that nobody may increase freely is written as comes back as it is executed.
    #[test]
    fn the_writings_are_those_that_were_asked_for() {
        let (_, reload) = both();
        let key = Secret::new(KEY);
        let opened = Reload::open(&reload.seal(&key), &key).unwrap();
        let mut executed = [reload, opened].map(|reload| {
            let mut bench = Bench::new(&C1);
            bench.transaction.prepare_reload(&reload).unwrap();
            bench.run().unwrap();
            bench.target.requests
        });
        let [first, second] = &mut executed;
        assert_eq!(first, second);
    }

    #[test]
    fn every_changed_byte_and_every_length_is_refused() {
        let key = Secret::new(KEY);
        let bytes = both().1.seal(&key);
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Reload::open(&changed, &key).is_err(), "{at}");
            assert!(Reload::open(&bytes[..at], &key).is_err(), "{at}");
        }
        let mut newer = bytes.clone();
        newer[4] = 2;
        assert_eq!(Reload::open(&newer, &key), Err(SealError::Version(2)));
    }
}
