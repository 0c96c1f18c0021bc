//! The target or the control SAM lost at every command: what the fate says is what happened.

use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::sam::{
    ConfigureCounter, IncrementAccess, KeyDiversification, KeyReference, SamData, SystemKey, TransferLock,
    TransferSystemKey, TransferWorkKey, WriteCeiling, WriteLock, WriteParameters,
};
use ogygia::{Error, Fate, Loss, Peer, Secret};

use super::fake::{Bench, Break, C1};

/// Every operation that writes, with readings between.
fn prepare_all(bench: &mut Bench) {
    let transaction = &mut bench.transaction;
    transaction.prepare(SamData::Counters).unwrap();
    transaction.prepare(WriteLock { index: 1, parameters: 2, value: Secret::new([3; 16]) }).unwrap();
    transaction.prepare(WriteCeiling { counter: 4, ceiling: 5 }).unwrap();
    transaction.prepare(ConfigureCounter { counter: 6, ceiling: 7, access: IncrementAccess::Free }).unwrap();
    transaction.prepare(SamData::Parameters).unwrap();
    let key = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };
    let diversification = KeyDiversification::Target;
    transaction.prepare(TransferWorkKey { key, parameters: [0; 10], record: None, diversification }).unwrap();
    transaction.prepare(TransferLock { index: 1, parameters: 2, diversified: false }).unwrap();
    transaction.prepare(WriteParameters { parameters: [9; 29] }).unwrap();
    let key = SystemKey::Reloading;
    transaction.prepare(TransferSystemKey { key, kvc: Kvc(8), parameters: [0; 10], diversified: true }).unwrap();
}

fn whole() -> Bench {
    let mut bench = Bench::new(&C1);
    prepare_all(&mut bench);
    bench.run().unwrap();
    bench
}

#[test]
fn the_fate_is_what_happened() {
    let commands = whole();
    let counts = [commands.target.commands().count(), commands.control.commands().count()];
    assert_eq!(counts, [26, 18]);
    let mut seen = std::collections::BTreeMap::<_, usize>::new();
    for (peer, count) in [Peer::Sam, Peer::ControlSam].into_iter().zip(counts) {
        for at in 0..count {
            for (loss, executed) in
                [(Loss::Peer, false), (Loss::Peer, true), (Loss::Reader, false), (Loss::Reader, true)]
            {
                let mut bench = Bench::new(&C1);
                prepare_all(&mut bench);
                bench.peer(peer).breaks = Some(Break { at, loss, executed });
                let place = format!("{peer} {at} {loss:?} {executed}");
                let Err(Error::Lost { peer: lost, loss: what, fate }) = bench.run() else { panic!("{place}") };
                assert_eq!((lost, what), (peer, loss), "{place}");
                match fate {
                    Fate::Untouched => assert_eq!(bench.target.written, 0, "{place}"),
                    Fate::Unverified => assert!(bench.target.written > 0, "{place}"),
                    Fate::Unknown => assert_eq!(peer, Peer::Sam, "{place}"),
                    Fate::NotCommitted | Fate::Committed => panic!("{place}: {fate}"),
                }
                *seen.entry(fate.to_string()).or_default() += 1;
                check_that_nothing_is_left(&mut bench, &place);
            }
        }
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// What was prepared is forgotten, and the SAM selects and ciphers anew.
fn check_that_nothing_is_left(bench: &mut Bench, place: &str) {
    bench.target.breaks = None;
    bench.control.breaks = None;
    bench.forget_requests();
    bench.run().unwrap();
    assert!(bench.target.requests.is_empty() && bench.control.requests.is_empty(), "{place}");
    bench.transaction.prepare(WriteCeiling { counter: 4, ceiling: 6 }).unwrap();
    bench.run().unwrap_or_else(|error| panic!("{place}: {error}"));
}

/// Answers that cannot be used leave the same doubt as a loss.
#[test]
fn answers_that_tell_nothing_leave_doubt() {
    let answers: [&[&[u8]]; 4] = [&[], &[&[0x90, 0x00], &[0x90, 0x00]], &[&[0x90]], &[&[]]];
    for answers in answers {
        let mut bench = Bench::new(&C1);
        bench.transaction.prepare(SamData::Counters).unwrap();
        bench.transaction.prepare(WriteCeiling { counter: 4, ceiling: 500 }).unwrap();
        bench.transaction.process(ogygia::ChannelControl::KeepOpen).unwrap();
        [Peer::Sam, Peer::ControlSam].into_iter().for_each(|peer| bench.carry(peer));
        bench.transaction.handle(Peer::Sam, &answers.iter().copied().collect()).unwrap();
        assert!(bench.transaction.outcome().is_some_and(|outcome| outcome.is_err()), "{answers:?}");
        assert_eq!(bench.transaction.written(), 0);
        let configure = ConfigureCounter { counter: 0, ceiling: 1, access: IncrementAccess::Free };
        bench.transaction.prepare(configure).unwrap();
        assert_eq!(bench.run(), Err(ogygia::Misuse::CeilingUnknown { counter: 4 }.into()), "{answers:?}");
    }
}

/// The doubt about a key, or a ceiling, is remembered until it is read again.
#[test]
fn what_may_have_been_written_is_read_again() {
    for executed in [false, true] {
        let mut bench = Bench::new(&C1);
        bench.transaction.prepare(SamData::Counters).unwrap();
        bench.run().unwrap();
        let key = SystemKey::Reloading;
        bench
            .transaction
            .prepare(TransferSystemKey { key, kvc: Kvc(8), parameters: [0; 10], diversified: true })
            .unwrap();
        let at = bench.target.commands().count() + 2;
        bench.target.breaks = Some(Break { at, loss: Loss::Peer, executed });
        assert!(matches!(bench.run(), Err(Error::Lost { fate: Fate::Unknown, .. })));
        assert_eq!(bench.target.written, usize::from(executed));
        bench.forget_requests();
        // The Reloading key, which may be another one, is read; then the writing of a ceiling is lost, too.
        bench.transaction.prepare(WriteCeiling { counter: 4, ceiling: 5 }).unwrap();
        bench.target.breaks = Some(Break { at: at + 3, loss: Loss::Peer, executed });
        assert!(matches!(bench.run(), Err(Error::Lost { fate: Fate::Unknown, .. })));
        assert_eq!(bench.target.hex()[0], ["80BC00C302", "8084000008"]);
        let configure = ConfigureCounter { counter: 0, ceiling: 1, access: IncrementAccess::Free };
        bench.transaction.prepare(configure).unwrap();
        assert_eq!(bench.run(), Err(ogygia::Misuse::CeilingUnknown { counter: 4 }.into()));
        bench.transaction.prepare(SamData::Counter(4)).unwrap();
        bench.transaction.prepare(configure).unwrap();
        bench.run().unwrap();
        assert!(bench.transaction.image().key_parameters(KeyReference::System(key)).is_some());
    }
}
