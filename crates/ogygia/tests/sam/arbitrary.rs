//! Arbitrary answers and losses: nothing panics, everything ends, and what follows is served.

use ogygia::apdu::Batch;
use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::sam::{
    CertifyCard, ComputeSignature, ConfigureCounter, IncrementAccess, KeyDiversification, KeyReference, SamData,
    SignatureKind, SystemKey, TransferLock, TransferSystemKey, TransferWorkKey, WriteCeiling, WriteLock,
    WriteParameters,
};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{ChannelControl, Loss, Peer, Secret};
use proptest::prelude::*;

use super::fake::{Bench, C1};

/// The operations, by number.
fn prepare(transaction: &mut SamTransaction, operation: u8, number: u8) {
    let key = KeyId { kif: Kif(number), kvc: Kvc(operation) };
    let ceiling = u32::from(number) << 16;
    let system = SystemKey::ALL.into_iter().nth(usize::from(number % 4)).unwrap_or(SystemKey::Reloading);
    let _ = match operation % 13 {
        0 => transaction.prepare(SamData::Counters),
        1 => transaction.prepare(SamData::Counter(number % 30)),
        2 => transaction.prepare(SamData::KeyParameters(KeyReference::Record(number))),
        3 => transaction.prepare(SamData::CaCertificate),
        4 => transaction.prepare(WriteLock { index: 1, parameters: 2, value: Secret::new([number; 16]) }),
        5 => transaction.prepare(WriteCeiling { counter: number % 30, ceiling }),
        6 => transaction.prepare(ConfigureCounter { counter: number % 30, ceiling, access: IncrementAccess::Free }),
        7 => transaction.prepare(WriteParameters { parameters: [number; 29] }),
        8 => transaction.prepare(TransferLock { index: 1, parameters: number, diversified: number.is_multiple_of(2) }),
        9 => {
            let (kvc, parameters) = (Kvc(number), [number; 10]);
            transaction.prepare(TransferSystemKey { key: system, kvc, parameters, diversified: true })
        }
        10 => {
            let diversification = KeyDiversification::Given([number; 8]);
            transaction.prepare(TransferWorkKey { key, parameters: [0; 10], record: Some(number), diversification })
        }
        11 => {
            let kind = SignatureKind::Traceable { busy: false, traceability: None };
            let size = number % 10;
            transaction
                .prepare_signature(&ComputeSignature { kind, data: &[0; 9], key, size, diversifier: None })
                .map(drop)
        }
        _ => {
            let (serial_number, startup_info) = ([number; 8], [number; 7]);
            let (start, end, public_key) = (None, None, None);
            let certify = CertifyCard { aid: b"1TIC.ICA", serial_number, startup_info, start, end, public_key };
            transaction.prepare_certificate(&certify).and_then(|_| transaction.prepare_key_pair()).map(drop)
        }
    };
}

fn answers() -> impl Strategy<Value = (Vec<Vec<u8>>, Option<bool>)> {
    let status = prop_oneof![Just([0x90, 0x00]), Just([0x62, 0x00]), Just([0x6A, 0x83]), any::<[u8; 2]>()];
    let len = prop_oneof![Just(0), Just(8), Just(32), Just(48), Just(99), Just(321), Just(389), 0_usize..400];
    let answer = (len, any::<u8>(), status).prop_map(|(len, byte, status)| [vec![byte; len], status.to_vec()].concat());
    let answer = prop_oneof![9 => answer, 1 => prop::collection::vec(any::<u8>(), 0..4)];
    (prop::collection::vec(answer, 0..12), prop::option::weighted(0.1, any::<bool>()))
}

proptest! {
    #[test]
    fn operations_end_whatever_is_answered(
        operations in prop::collection::vec(any::<(u8, u8)>(), 0..12),
        context in any::<bool>(),
        answers in prop::collection::vec(answers(), 1..20),
    ) {
        let mut bench = Bench::new(&C1);
        for (operation, number) in operations {
            prepare(&mut bench.transaction, operation, number);
        }
        let transaction = &mut bench.transaction;
        if context {
            transaction.read_context().unwrap();
        } else {
            transaction.process(ChannelControl::CloseAfter).unwrap();
        }
        let mut answers = answers.iter().cycle();
        for _ in 0..100 {
            let Some(peer) = [Peer::Sam, Peer::ControlSam].into_iter().find(|peer| transaction.poll(*peer).is_some())
            else {
                break;
            };
            let again = transaction.poll(peer).unwrap().commands.clone();
            prop_assert_eq!(&again, transaction.poll(peer).unwrap().commands);
            let (answers, lost) = answers.next().unwrap();
            let batch: Batch = answers.iter().map(Vec::as_slice).collect();
            match lost {
                None => transaction.handle(peer, &batch).unwrap(),
                Some(reader) => {
                    let loss = if *reader { Loss::Reader } else { Loss::Peer };
                    transaction.handle_lost(peer, loss, &batch).unwrap();
                }
            }
        }
        prop_assert!(transaction.outcome().is_some(), "it does not end");
        prop_assert!(transaction.outcome().is_none());
        let _ = transaction.context();
        // What follows is served, once what waited for the context is done.
        let _ = bench.run();
        bench.transaction.prepare(SamData::Parameters).unwrap();
        bench.run().unwrap();
    }
}
