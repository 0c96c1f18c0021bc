//! What is sent to whom, and in how many requests: specification 03, "Operations on the SAM itself".

use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::sam::{
    ComputeSignature, ConfigureCounter, IncrementAccess, KeyReference, SamData, SamImage, SignatureKind,
    SignatureOutcome, SystemKey, TransferSystemKey, VerifySignature, WriteCeiling, WriteLock, WriteParameters,
};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{ChannelControl, Error, Misuse, Peer, Secret, Untrusted};

use super::fake::{Bench, C1, CONTROL, S1DX};

const KEY: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };

fn sign<'a>(data: &'a [u8], diversifier: Option<&'a [u8]>) -> ComputeSignature<'a> {
    ComputeSignature { kind: SignatureKind::Basic, data, key: KEY, size: 8, diversifier }
}

fn lock() -> WriteLock {
    WriteLock { index: 1, parameters: 2, value: Secret::new([0x11; 16]) }
}

fn ceiling(counter: u8) -> WriteCeiling {
    WriteCeiling { counter, ceiling: 7 }
}

const CONFIGURE: ConfigureCounter = ConfigureCounter { counter: 2, ceiling: 9, access: IncrementAccess::Free };

#[test]
fn a_writing_is_a_request_to_each_in_turn() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(ceiling(4)).unwrap();
    bench.transaction.prepare(WriteParameters { parameters: [0x5A; 29] }).unwrap();
    bench.run_with(ChannelControl::CloseAfter).unwrap();
    assert_eq!(
        bench.target.hex(),
        [
            &["80BC00C302", "8084000008", "80BC00C102", "8084000008"][..0],
            &["80BC00C302", "8084000008"],
            &["80D800B830", "80BC00C102", "8084000008"],
            &["80D800A030"],
        ][1..]
    );
    let ciphering = ["8014000004", "8086000008", "801600B81E"];
    assert_eq!(bench.control.hex(), [ciphering, ["8014000004", "8086000008", "801600A01E"]]);
    assert!(bench.target.closed && !bench.control.closed);
    // The versions of the keys are known now.
    bench.forget_requests();
    bench.transaction.prepare(ceiling(5)).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.target.hex(), [["8084000008"], ["80D800B830"]]);
}

#[test]
fn each_sam_has_its_class() {
    let mut bench = Bench::new(&S1DX);
    bench.transaction.prepare(ceiling(4)).unwrap();
    bench.run().unwrap();
    assert!(bench.target.commands().all(|command| command[0] == 0x94));
    assert!(bench.control.commands().all(|command| command[0] == 0x80));
}

#[test]
fn a_diversifier_is_selected_once() {
    let mut bench = Bench::new(&C1);
    for diversifier in [Some(&[1, 2, 3, 4][..]), None, None, Some(&[1, 2, 3, 4])] {
        bench.transaction.prepare_signature(&sign(&[0; 8], diversifier)).unwrap();
    }
    bench.run().unwrap();
    let (select, cipher) = ("8014000004", "801C40000A");
    assert_eq!(bench.target.hex(), [[select, cipher, select, cipher, cipher, select, cipher]]);
    bench.forget_requests();
    bench.transaction.prepare_signature(&sign(&[0; 8], Some(&[1, 2, 3, 4]))).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.target.hex(), [[cipher]]);
}

#[test]
fn a_refused_selection_is_sent_again() {
    let mut bench = Bench::new(&C1);
    bench.target.instead = Some((vec![0x80, 0x14], vec![0x69, 0x85]));
    for _ in 0..2 {
        bench.transaction.prepare_signature(&sign(&[0; 8], None)).unwrap();
        let _ = bench.run();
    }
    let selected = bench.target.commands().filter(|command| command[1] == 0x14).count();
    assert_eq!(selected, 2);
}

/// What the SAM has executed behind an answer that is refused here counts, too.
#[test]
fn the_diversifier_behind_a_refused_answer() {
    let wrong = VerifySignature {
        kind: SignatureKind::Basic,
        data: &[0; 8],
        signature: &[1; 8],
        key: KEY,
        diversifier: Some(&[1, 2, 3, 4]),
    };
    for (wanted, selected) in [(&[1, 2, 3, 4], 1), (&[5, 6, 7, 8], 0)] {
        let mut bench = Bench::new(&C1);
        bench.transaction.prepare_verification(&wrong).unwrap();
        bench.transaction.prepare_signature(&sign(&[0; 8], Some(&[5, 6, 7, 8]))).unwrap();
        assert_eq!(bench.run(), Err(Untrusted::Signature.into()));
        bench.forget_requests();
        bench.transaction.prepare_signature(&sign(&[0; 8], Some(wanted))).unwrap();
        bench.run().unwrap();
        assert_eq!(bench.target.commands().filter(|command| command[1] == 0x14).count(), selected);
    }
}

#[test]
fn counters_are_read_once_until_written() {
    let mut bench = Bench::new(&C1);
    for data in [SamData::Counter(3), SamData::Counters, SamData::Counter(26)] {
        bench.transaction.prepare(data).unwrap();
    }
    bench.run().unwrap();
    let all = ["80BE00E100", "80BE00B100", "80BE00E200", "80BE00B200", "80BE00E300", "80BE00B300"];
    assert_eq!(bench.target.hex(), [all]);
    bench.forget_requests();
    bench.transaction.prepare(SamData::KeyParameters(KeyReference::System(SystemKey::Reloading))).unwrap();
    bench.run().unwrap();
    bench.forget_requests();
    bench.transaction.prepare(SamData::Counter(3)).unwrap();
    bench.transaction.prepare(ceiling(3)).unwrap();
    bench.transaction.prepare(SamData::Counter(3)).unwrap();
    bench.run().unwrap();
    let read = ["80BE00E100", "80BE00B100"];
    assert_eq!(bench.target.hex(), [&[read[0], read[1], "8084000008"][..], &["80D800B830", read[0], read[1]]]);
}

#[test]
fn configurations_of_a_record_are_one_writing() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Counters).unwrap();
    bench.run().unwrap();
    bench.forget_requests();
    for counter in [2, 12, 3] {
        bench.transaction.prepare(ConfigureCounter { counter, ..CONFIGURE }).unwrap();
    }
    bench.run().unwrap();
    let ciphered: Vec<_> = bench.control.commands().filter(|command| command[1] == 0x16).collect();
    let [first, second] = ciphered[..] else { panic!("{ciphered:?}") };
    assert_eq!((first[3], second[3]), (0xB1, 0xB2));
    // Counters 2 and 3 of the first record have the ceiling, and are free.
    assert_eq!((&first[6 + 6..6 + 12], &first[33..]), (&[0, 0, 9, 0, 0, 9][..], &[0, 0b1100][..]));
}

#[test]
fn a_record_that_is_not_known_is_not_written() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(CONFIGURE).unwrap();
    assert_eq!(bench.run(), Err(Misuse::CeilingUnknown { counter: 0 }.into()));
    assert_eq!((bench.target.written, bench.control.requests.len()), (0, 0));
    bench.run().unwrap();
    assert_eq!(bench.target.requests.len(), 1, "nothing is left");
}

#[test]
fn the_last_wish_for_a_ceiling_wins() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Counters).unwrap();
    for ceiling in [9, 50] {
        bench.transaction.prepare(ConfigureCounter { ceiling, ..CONFIGURE }).unwrap();
        bench.transaction.prepare(WriteCeiling { counter: 12, ceiling }).unwrap();
    }
    bench.transaction.prepare(WriteCeiling { counter: 2, ceiling: 100 }).unwrap();
    bench.transaction.prepare(ConfigureCounter { ceiling: 60, ..CONFIGURE }).unwrap();
    bench.run().unwrap();
    let ciphered: Vec<_> = bench.control.commands().filter(|command| command[1] == 0x16).collect();
    let references: Vec<_> = ciphered.iter().map(|command| command[3]).collect();
    assert_eq!(references, [0xB1, 0xB8, 0xB8, 0xB8, 0xB1]);
    assert_eq!((ciphered[0][14], ciphered[4][14], bench.transaction.written()), (50, 60, 5));
}

#[test]
fn what_was_written_is_not_undone_by_its_record() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Counters).unwrap();
    bench.transaction.prepare(WriteCeiling { counter: 0, ceiling: 0xABCD }).unwrap();
    bench.transaction.prepare(CONFIGURE).unwrap();
    bench.run().unwrap();
    let record = bench.control.commands().filter(|command| command[1] == 0x16).nth(1).unwrap();
    assert_eq!(record[6..9], [0, 0xAB, 0xCD]);
    assert_eq!(bench.transaction.image().ceiling(0), Some(0), "as it was read");
}

#[test]
fn a_replaced_key_ciphers_from_then_on() {
    let mut bench = Bench::new(&C1);
    let key = SystemKey::Personalization;
    let transfer = TransferSystemKey { key, kvc: Kvc(0x77), parameters: [0; 10], diversified: true };
    bench.transaction.prepare(transfer).unwrap();
    bench.transaction.prepare(WriteParameters { parameters: [0; 29] }).unwrap();
    bench.run().unwrap();
    let kvc: Vec<_> = bench.control.commands().filter(|command| command[1] == 0x16).map(|command| command[5]).collect();
    // Both had been prepared with the parameters unknown, and so were read again behind the transfer.
    assert_eq!(kvc, [5, 5]);
    bench.transaction.prepare(transfer).unwrap();
    bench.run().unwrap();
    let replaced = KeyReference::System(key);
    let image = bench.transaction.image();
    assert_eq!((image.key_parameters(replaced), image.is_signed(SamData::KeyParameters(replaced))), (None, None));
    bench.forget_requests();
    bench.transaction.prepare(WriteParameters { parameters: [0; 29] }).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.control.commands().last().unwrap()[5], 0x77);
}

#[test]
fn a_lock_waits_for_what_is_read_before() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Parameters).unwrap();
    bench.transaction.prepare(lock()).unwrap();
    bench.transaction.prepare(lock()).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.target.hex(), [&["80BE00A000"][..], &["801A80E030", "801A80E030"]]);
    // An answer that cannot be read keeps it from being written.
    let mut bench = Bench::new(&C1);
    bench.target.instead = Some((vec![0x80, 0xBE], vec![0x90, 0x00]));
    bench.transaction.prepare(SamData::Parameters).unwrap();
    bench.transaction.prepare(lock()).unwrap();
    assert!(bench.run().is_err());
    assert_eq!(bench.target.written, 0);
}

#[test]
fn without_a_control_sam_only_locks_are_written() {
    let image = SamImage::new(ogygia::sam::Sam::from_power_on_data(&C1));
    let mut transaction = SamTransaction::new(image.clone());
    assert_eq!(transaction.prepare(ceiling(1)), Err(Misuse::NoControlSam.into()));
    assert_eq!(transaction.prepare(lock()), Ok(()));
    let unknown = ogygia::sam::Sam::from_power_on_data(&[]);
    assert!(SamTransaction::with_control_sam(image.clone(), &unknown).is_err());
    assert!(SamTransaction::with_control_sam(image, &ogygia::sam::Sam::from_power_on_data(&CONTROL)).is_ok());
}

#[test]
fn closing_alone_is_a_request_without_commands() {
    let mut bench = Bench::new(&C1);
    bench.run_with(ChannelControl::CloseAfter).unwrap();
    assert!(bench.target.closed && bench.target.hex() == [[""; 0]]);
    bench.run().unwrap();
    assert_eq!(bench.target.requests.len(), 1, "nothing is to be done");
}

#[test]
fn results_come_after_processing() {
    let mut bench = Bench::new(&C1);
    let computed = bench.transaction.prepare_signature(&sign(&[0; 8], None)).unwrap();
    let wrong =
        VerifySignature { kind: SignatureKind::Basic, data: &[0; 8], signature: &[1; 8], key: KEY, diversifier: None };
    let verified = bench.transaction.prepare_verification(&wrong).unwrap();
    let behind = bench.transaction.prepare_signature(&sign(&[0; 8], None)).unwrap();
    let pair = bench.transaction.prepare_key_pair().unwrap();
    assert_eq!(bench.transaction.signature(computed), None);
    assert_eq!(bench.run(), Err(Untrusted::Signature.into()));
    assert!(matches!(bench.transaction.signature(computed), Some(SignatureOutcome::Computed { .. })));
    assert_eq!(bench.transaction.signature(verified), Some(SignatureOutcome::Verified(false)));
    // What stands behind something wrong is not looked at.
    assert_eq!((bench.transaction.signature(behind), bench.transaction.key_pair(pair)), (None, None));
    bench.transaction.forget_results();
    assert_eq!(bench.transaction.signature(computed), None);
}

#[test]
fn a_challenge_is_for_what_comes_next() {
    let selection = ogygia::selection::SamSelection::new().with_challenge();
    let selected = || {
        let mut sam = super::fake::Fake::default();
        ogygia::drive::select_sam(&selection, &C1, &mut sam, |_, _| None).unwrap().unwrap()
    };
    let mut transaction = SamTransaction::new(selected());
    assert_eq!((transaction.take_challenge(), transaction.take_challenge()), (Some([0xC1; 8]), None));
    let mut bench = Bench::new(&C1);
    bench.transaction = SamTransaction::new(selected());
    bench.run().unwrap();
    bench.transaction.prepare(SamData::Parameters).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.transaction.take_challenge(), None);
}

#[test]
fn who_gives_up_can_begin_again() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Counters).unwrap();
    bench.run().unwrap();
    bench.transaction.prepare(ceiling(4)).unwrap();
    bench.transaction.process(ChannelControl::KeepOpen).unwrap();
    bench.transaction.abandon();
    assert!(bench.transaction.outcome().is_none() && bench.transaction.poll(Peer::Sam).is_none());
    bench.transaction.prepare(CONFIGURE).unwrap();
    bench.run().unwrap();
    // The writing itself was under way.
    bench.transaction.prepare(lock()).unwrap();
    bench.transaction.prepare(WriteCeiling { counter: 0, ceiling: 1 }).unwrap();
    bench.transaction.process(ChannelControl::KeepOpen).unwrap();
    [Peer::Sam, Peer::ControlSam].into_iter().for_each(|peer| bench.carry(peer));
    assert_eq!(bench.transaction.poll(Peer::Sam).unwrap().commands.get(0).unwrap()[..4], [0x80, 0xD8, 0x00, 0xB8]);
    bench.transaction.abandon();
    bench.transaction.prepare(CONFIGURE).unwrap();
    assert_eq!(bench.run(), Err(Misuse::CeilingUnknown { counter: 0 }.into()));
}

#[test]
fn nothing_is_prepared_while_a_request_is_under_way() {
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::Parameters).unwrap();
    bench.transaction.process(ChannelControl::KeepOpen).unwrap();
    let busy = Err(Error::from(Misuse::Busy));
    assert_eq!(bench.transaction.prepare(SamData::Parameters), busy);
    assert_eq!(bench.transaction.process(ChannelControl::KeepOpen), busy);
    assert_eq!(bench.transaction.read_context(), busy);
    assert_eq!(bench.transaction.forget_sam(), busy);
    assert!(bench.transaction.poll(Peer::ControlSam).is_none() && bench.transaction.poll(Peer::Card).is_none());
    let nothing = ogygia::apdu::Batch::new();
    assert_eq!(bench.transaction.handle(Peer::ControlSam, &nothing), Err(Misuse::NotAsked.into()));
}
