//! Every command that only work on SAMs sends, refused with every status word of its table, and answered what is in no
//! table, or too much, or too little.

use ogygia::apdu::StatusWord;
use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::command::CommandName;
use ogygia::sam::{
    CertifyCard, ComputeSignature, KeyReference, SamData, SignatureKind, SystemKey, TransferLock, VerifySignature,
    WriteCeiling, WriteLock, WriteParameters,
};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{Error, Misbehaviour, Peer, Secret, Untrusted};

use super::fake::{Bench, C1};

#[path = "../refusals/on_sams.rs"]
mod on_sams;

struct Scene {
    name: CommandName,
    peer: Peer,
    prepare: fn(&mut SamTransaction),
    /// How the command begins.
    start: &'static [u8],
    /// Its place in its request.
    index: usize,
    /// The bytes that its answer must have; nothing when they are not looked at.
    length: Option<usize>,
    /// What is no refusal though it is in the table.
    tolerated: &'static [u16],
}

const KEY: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };
const TRACEABLE: SignatureKind = SignatureKind::Traceable { busy: true, traceability: None };

fn read(transaction: &mut SamTransaction, data: SamData) {
    transaction.prepare(data).unwrap();
}

fn ceiling(transaction: &mut SamTransaction) {
    transaction.prepare(WriteCeiling { counter: 1, ceiling: 1 }).unwrap();
}

fn lock(transaction: &mut SamTransaction) {
    transaction.prepare(TransferLock { index: 1, parameters: 1, diversified: true }).unwrap();
}

fn scenes() -> Vec<Scene> {
    let scene = |name, start, index, length, prepare| Scene {
        name,
        peer: Peer::Sam,
        prepare,
        start,
        index,
        length,
        tolerated: &[],
    };
    let at_control = |scene: Scene| Scene { peer: Peer::ControlSam, ..scene };
    vec![
        scene(CommandName::SamReadParameters, &[0x80, 0xBE, 0, 0xA0], 0, Some(48), |sam| {
            read(sam, SamData::Parameters);
        }),
        scene(CommandName::SamReadEventCounter, &[0x80, 0xBE, 0, 0xE2], 0, Some(48), |sam| {
            read(sam, SamData::Counter(9));
        }),
        scene(CommandName::SamReadCeilings, &[0x80, 0xBE, 0, 0xB2], 1, Some(48), |sam| read(sam, SamData::Counter(9))),
        Scene {
            tolerated: &[0x6A83],
            ..scene(CommandName::SamReadKeyParameters, &[0x80, 0xBC], 0, Some(32), |sam| {
                read(sam, SamData::KeyParameters(KeyReference::System(SystemKey::Authentication)));
            })
        },
        scene(CommandName::SamGetData, &[0x80, 0xCA], 0, Some(389), |sam| read(sam, SamData::CaCertificate)),
        scene(CommandName::SamGenerateAsymmetricKeyPair, &[0x80, 0x46], 0, Some(99), |sam| {
            sam.prepare_key_pair().unwrap();
        }),
        scene(CommandName::SamPsoComputeCertificate, &[0x80, 0x2A, 0xEE], 0, Some(321), |sam| {
            let (serial_number, startup_info) = ([0; 8], [0; 7]);
            let (start, end, public_key) = (None, None, None);
            let certify = CertifyCard { aid: b"1TIC.ICA", serial_number, startup_info, start, end, public_key };
            sam.prepare_certificate(&certify).unwrap();
        }),
        scene(CommandName::SamWriteKey, &[0x80, 0x1A, 0x80], 0, None, |sam| {
            sam.prepare(WriteLock { index: 1, parameters: 1, value: Secret::new([0; 16]) }).unwrap();
        }),
        scene(CommandName::SamWriteKey, &[0x80, 0x1A, 0x00], 0, None, lock),
        scene(CommandName::SamWriteCeilings, &[0x80, 0xD8, 0x00, 0xB8], 0, None, ceiling),
        scene(CommandName::SamWriteParameters, &[0x80, 0xD8, 0x00, 0xA0], 0, None, |sam| {
            sam.prepare(WriteParameters { parameters: [0; 29] }).unwrap();
        }),
        scene(CommandName::SamGetChallenge, &[0x80, 0x84], 1, Some(8), ceiling),
        at_control(scene(CommandName::SamSelectDiversifier, &[0x80, 0x14], 0, None, ceiling)),
        at_control(scene(CommandName::SamGiveRandom, &[0x80, 0x86], 1, None, ceiling)),
        at_control(scene(CommandName::SamSamDataCipher, &[0x80, 0x16], 2, Some(48), ceiling)),
        at_control(scene(CommandName::SamSamGenerateKey, &[0x80, 0x16], 2, Some(48), lock)),
        scene(CommandName::SamDataCipher, &[0x80, 0x1C], 1, Some(8), |sam| {
            let kind = SignatureKind::Basic;
            sam.prepare_signature(&ComputeSignature { kind, data: &[0; 8], key: KEY, size: 3, diversifier: None })
                .unwrap();
        }),
        scene(CommandName::SamPsoComputeSignature, &[0x80, 0x2A, 0x9E], 1, Some(3), |sam| {
            let kind = TRACEABLE;
            sam.prepare_signature(&ComputeSignature { kind, data: &[0; 8], key: KEY, size: 3, diversifier: None })
                .unwrap();
        }),
        scene(CommandName::SamPsoVerifySignature, &[0x80, 0x2A, 0x00], 1, None, |sam| {
            let verify =
                VerifySignature { kind: TRACEABLE, data: &[0; 8], signature: &[0; 3], key: KEY, diversifier: None };
            sam.prepare_verification(&verify).unwrap();
        }),
    ]
}

fn play(scene: &Scene, instead: Option<Vec<u8>>) -> (Bench, Result<(), Error>) {
    let mut bench = Bench::new(&C1);
    let replaced = instead.is_some();
    bench.peer(scene.peer).instead = instead.map(|instead| (scene.start.to_vec(), instead));
    (scene.prepare)(&mut bench.transaction);
    let result = bench.run();
    assert!(!replaced || bench.peer(scene.peer).instead.is_none(), "{} is not sent", scene.name);
    (bench, result)
}

#[test]
fn every_command_of_sams_has_its_scene() {
    let scenes = scenes();
    for name in on_sams::ONLY {
        let elsewhere = *name == CommandName::SamUnlock;
        assert!(elsewhere || scenes.iter().any(|scene| scene.name == *name), "{name} is refused nowhere");
    }
    for scene in &scenes {
        assert_eq!(play(scene, None).1, Ok(()), "{}", scene.name);
    }
}

#[test]
fn every_status_word_of_every_table() {
    let mut refused = 0;
    for scene in scenes() {
        let unknown = [0x0000, 0x1234, 0x6F00, 0x9001];
        for word in scene.name.refusals().iter().map(|(word, _)| *word).chain(unknown) {
            if scene.tolerated.contains(&word) {
                continue;
            }
            let (index, command, status) = (scene.index, scene.name, StatusWord(word));
            let error = match (scene.name, word) {
                (CommandName::SamPsoVerifySignature, 0x6988) => Untrusted::Signature.into(),
                _ => Error::Status { peer: scene.peer, index, command, status },
            };
            let (mut bench, result) = play(&scene, Some(word.to_be_bytes().to_vec()));
            assert_eq!(result, Err(error), "{} {word:04X}", scene.name);
            assert_eq!(bench.target.written, 0, "{} {word:04X}", scene.name);
            // Nothing is left of it, and the next operation is served.
            bench.forget_requests();
            bench.run().unwrap();
            assert!(bench.target.requests.is_empty());
            (scene.prepare)(&mut bench.transaction);
            assert_eq!(bench.run(), Ok(()), "{} after {word:04X}", scene.name);
            refused += 1;
        }
    }
    assert!(refused > 180, "{refused}");
}

#[test]
fn answers_of_another_length() {
    for scene in scenes() {
        let Some(expected) = scene.length else { continue };
        for received in [0, expected - 1, expected + 1] {
            let answer = [vec![0x5A; received], vec![0x90, 0x00]].concat();
            let how = Misbehaviour::UnexpectedLength { expected, received };
            let error = Error::PeerMisbehaved { peer: scene.peer, index: scene.index, command: scene.name, how };
            assert_eq!(play(&scene, Some(answer)).1, Err(error), "{} {received}", scene.name);
        }
        let how = Misbehaviour::NoStatus;
        let error = Error::PeerMisbehaved { peer: scene.peer, index: scene.index, command: scene.name, how };
        assert_eq!(play(&scene, Some(vec![0x90])).1, Err(error), "{}", scene.name);
    }
}

#[test]
fn a_key_that_is_not_there_is_not_known() {
    for key in [
        KeyReference::System(SystemKey::Authentication),
        KeyReference::Record(7),
        KeyReference::Work(KeyId { kif: Kif(0x30), kvc: Kvc(0x79) }),
    ] {
        let mut bench = Bench::new(&C1);
        bench.target.instead = Some((vec![0x80, 0xBC], vec![0x6A, 0x83]));
        bench.transaction.prepare(SamData::KeyParameters(key)).unwrap();
        bench.transaction.prepare(SamData::Parameters).unwrap();
        assert_eq!(bench.run(), Ok(()));
        assert_eq!(bench.transaction.image().key_parameters(key), None);
        assert!(bench.transaction.image().parameters().is_some(), "what follows is read");
    }
    // One that is there no more is known no more.
    let key = KeyReference::Record(7);
    let mut bench = Bench::new(&C1);
    bench.transaction.prepare(SamData::KeyParameters(key)).unwrap();
    bench.run().unwrap();
    assert!(bench.transaction.image().key_parameters(key).is_some());
    bench.target.instead = Some((vec![0x80, 0xBC], vec![0x6A, 0x83]));
    bench.transaction.prepare(SamData::KeyParameters(key)).unwrap();
    bench.run().unwrap();
    assert_eq!(bench.transaction.image().key_parameters(key), None);
    // A writing that needs it fails, and nothing is written.
    let mut bench = Bench::new(&C1);
    bench.target.instead = Some((vec![0x80, 0xBC], vec![0x6A, 0x83]));
    ceiling(&mut bench.transaction);
    assert_eq!(bench.run(), Err(ogygia::Misuse::SystemKeyUnknown(SystemKey::Reloading).into()));
    assert_eq!((bench.target.written, bench.control.requests.len()), (0, 0));
}

#[test]
fn unsigned_data_are_data() {
    let mut bench = Bench::new(&C1);
    let answer = [vec![0x11; 48], vec![0x62, 0x00]].concat();
    bench.target.instead = Some((vec![0x80, 0xBE], answer));
    bench.transaction.prepare(SamData::Parameters).unwrap();
    bench.run().unwrap();
    let image = bench.transaction.image();
    assert_eq!((image.parameters(), image.is_signed(SamData::Parameters)), (Some(&[0x11; 29]), Some(false)));
}
