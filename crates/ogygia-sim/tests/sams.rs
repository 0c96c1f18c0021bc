//! The core against SAMs that are operated themselves: selected, read, written, reloaded.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use std::sync::Arc;

use ogygia::apdu::StatusWord;
use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::drive::{NoSam, read_context, run_reload, run_sam, select_sam};
use ogygia::pki::{CaCertificate, CardCertificate, Day};
use ogygia::sam::{
    CertifyCard, ComputeSignature, ConfigureCounter, IncrementAccess, KeyDiversification, KeyReference, Sam, SamData,
    SamImage, SignatureKind, SignatureOutcome, SystemKey, Traceability, TransferLock, TransferSystemKey,
    TransferWorkKey, UnlockValue, VerifySignature, WriteCeiling, WriteLock, WriteParameters,
};
use ogygia::sam_transaction::SamTransaction;
use ogygia::sam_transaction::reload::ReloadBuilder;
use ogygia::selection::SamSelection;
use ogygia::{ChannelControl, Error, Secret};
use ogygia_sim::{KeySet, Link, SamLink, SamProduct, SamProfile, TestAuthority, VirtualSam};

const SERIAL: [u8; 4] = [0x11, 0x22, 0x33, 0x44];
/// Everything enabled, no counter.
const ALL: [u8; 10] = [0x31, 0, 0, 0, 1, 0, 0, 0, 0, 0];
const SIGNING: KeyId = KeyId { kif: Kif(0x2B), kvc: Kvc(0x19) };

fn keys() -> KeySet {
    KeySet::new(b"sams")
}

fn made(id: &str, serial: [u8; 4], change: impl FnOnce(&mut SamProfile)) -> SamLink {
    let mut profile = SamProfile::builtin(id).unwrap().unwrap();
    change(&mut profile);
    Link::new(VirtualSam::personalized(&profile, serial, &keys()).unwrap())
}

struct Bench {
    target: SamLink,
    control: SamLink,
    transaction: SamTransaction,
}

impl Bench {
    fn new(target: SamLink) -> Self {
        let control = made("sam-control", [9, 9, 9, 9], |_| ());
        let image = SamImage::new(Sam::from_power_on_data(target.sam().power_on_data()));
        let control_sam = Sam::from_power_on_data(control.sam().power_on_data());
        let transaction = SamTransaction::with_control_sam(image, &control_sam).unwrap();
        Self { target, control, transaction }
    }

    fn run(&mut self) -> Result<(), Error> {
        run_sam(&mut self.transaction, &mut self.target, &mut self.control, ChannelControl::KeepOpen)
    }

    fn done(&mut self) {
        self.run().unwrap();
    }
}

#[test]
fn locked_sams_are_selected() {
    for dynamic in [false, true] {
        let mut link = made("sam-locked", SERIAL, |profile| {
            let lock = profile.lock.as_mut().unwrap();
            (lock.static_unlock, lock.dynamic_unlock) = (!dynamic, dynamic);
        });
        let secret = link.sam().lock_secret().unwrap().clone();
        let mut selection = SamSelection::new();
        if dynamic { selection.unlock_dynamic() } else { selection.unlock_static() }.unwrap();
        selection.prepare(SamData::Parameters).unwrap();
        let power_on = link.sam().power_on_data().to_vec();
        let image = select_sam(&selection, &power_on, &mut link, |sam, challenge| {
            Some(match challenge {
                Some(challenge) => {
                    UnlockValue::Dynamic(Secret::new(secret.dynamic_value(sam.serial_number, challenge)))
                }
                None => UnlockValue::Static(Secret::new(secret.static_value(sam.serial_number))),
            })
        })
        .unwrap()
        .unwrap();
        assert!(!link.sam().is_locked());
        assert_eq!(image.parameters(), Some(&[0; 29]));
        link.sam_mut().reset();
        let wrong = |_: &Sam, challenge: Option<[u8; 8]>| {
            Some(if challenge.is_some() { UnlockValue::new(&[0; 8]) } else { UnlockValue::new(&[0; 16]) }.unwrap())
        };
        assert!(select_sam(&selection, &power_on, &mut link, wrong).is_err());
        assert!(link.sam().is_locked());
    }
}

#[test]
fn everything_is_read() {
    for product in SamProduct::ALL {
        let mut bench = Bench::new(made("sam-target", SERIAL, |profile| profile.product = product));
        bench.target.sam_mut().set_event_counter(8, 77);
        bench.transaction.prepare(SamData::Counters).unwrap();
        bench.transaction.prepare(SamData::Parameters).unwrap();
        for key in
            [SystemKey::Personalization, SystemKey::KeyManagement, SystemKey::Reloading, SystemKey::Authentication]
        {
            bench.transaction.prepare(SamData::KeyParameters(KeyReference::System(key))).unwrap();
        }
        bench.transaction.prepare(SamData::KeyParameters(KeyReference::Record(4))).unwrap();
        bench.transaction.prepare(SamData::KeyParameters(KeyReference::Record(5))).unwrap();
        bench.transaction.prepare(SamData::KeyParameters(KeyReference::Work(SIGNING))).unwrap();
        bench
            .transaction
            .prepare(SamData::KeyParameters(KeyReference::Work(KeyId { kif: Kif(1), kvc: Kvc(2) })))
            .unwrap();
        bench.done();
        let image = bench.transaction.image();
        assert_eq!((image.counter(8), image.ceiling(8)), (Some(77), Some(1_000_000)));
        assert_eq!(image.increment_access(8), Some(IncrementAccess::Free));
        assert_eq!(image.increment_access(7), Some(IncrementAccess::Protected));
        assert_eq!(image.ceiling(26), Some(0xFF_FFFA));
        assert_eq!(image.is_signed(SamData::Parameters), Some(true));
        let reloading = image.key_parameters(KeyReference::System(SystemKey::Reloading)).unwrap();
        assert_eq!((reloading.id().kvc, reloading.event_counter()), (Kvc(0xF3), Some(3)));
        assert_eq!(image.key_parameters(KeyReference::Record(4)).unwrap().event_counter(), Some(7));
        assert!(image.key_parameters(KeyReference::Record(5)).is_none());
        assert!(image.key_parameters(KeyReference::Work(SIGNING)).is_some());
    }
}

#[test]
fn everything_is_written() {
    for product in SamProduct::ALL {
        let mut bench = Bench::new(made("sam-target", SERIAL, |profile| profile.product = product));
        let parameters: [u8; 29] = std::array::from_fn(|at| u8::try_from(4 * at).unwrap());
        bench.transaction.prepare(SamData::Counters).unwrap();
        bench.done();
        bench.transaction.prepare(WriteParameters { parameters }).unwrap();
        bench.transaction.prepare(WriteCeiling { counter: 7, ceiling: 5 }).unwrap();
        bench
            .transaction
            .prepare(ConfigureCounter { counter: 12, ceiling: 0xFF_FFFA, access: IncrementAccess::Free })
            .unwrap();
        let kvc = Kvc(0x7A);
        bench
            .transaction
            .prepare(TransferWorkKey {
                key: KeyId { kif: Kif(0x30), kvc },
                parameters: ALL,
                record: Some(9),
                diversification: KeyDiversification::None,
            })
            .unwrap();
        bench
            .transaction
            .prepare(TransferWorkKey {
                key: KeyId { kif: Kif(0x2B), kvc: Kvc(0x1A) },
                parameters: ALL,
                record: None,
                diversification: KeyDiversification::Target,
            })
            .unwrap();
        bench
            .transaction
            .prepare(TransferSystemKey {
                key: SystemKey::Reloading,
                kvc: Kvc(0x53),
                parameters: ALL,
                diversified: true,
            })
            .unwrap();
        bench.transaction.prepare(TransferLock { index: 1, parameters: 1, diversified: false }).unwrap();
        bench.done();
        let sam = bench.target.sam();
        assert_eq!(sam.parameters(), &parameters);
        assert_eq!(sam.ceiling(7), Some(5));
        assert_eq!(sam.lock_secret(), made("sam-locked", SERIAL, |_| ()).sam().lock_secret());
        // The new Reloading key serves.
        bench.transaction.prepare(WriteCeiling { counter: 7, ceiling: 6 }).unwrap();
        bench.done();
        assert_eq!(bench.target.sam().ceiling(7), Some(6));
        bench.transaction.prepare(SamData::KeyParameters(KeyReference::Record(9))).unwrap();
        bench.transaction.prepare(SamData::Counters).unwrap();
        bench.done();
        assert!(bench.transaction.image().key_parameters(KeyReference::Record(9)).is_some());
        assert_eq!(bench.transaction.image().increment_access(12), Some(IncrementAccess::Free));
        bench.transaction.prepare(WriteLock { index: 2, parameters: 2, value: Secret::new([7; 16]) }).unwrap();
        bench.done();
        bench.target.sam_mut().reset();
        assert!(bench.target.sam().is_locked());
    }
}

#[test]
fn reloads_are_executed_once() {
    let mut bench = Bench::new(made("sam-target", SERIAL, |_| ()));
    bench.target.sam_mut().set_event_counter(3, 0x17B);
    read_context(&mut bench.transaction, &mut bench.target).unwrap();
    let context = bench.transaction.context().unwrap();
    assert_eq!(context.counter(), Some((3, 0x17B)));
    let control = Sam::from_power_on_data(bench.control.sam().power_on_data());
    let mut builder = ReloadBuilder::new(context, &control).unwrap();
    builder.prepare(WriteCeiling { counter: 4, ceiling: 1234 }).unwrap();
    builder.prepare(WriteCeiling { counter: 7, ceiling: 4321 }).unwrap();
    for counter in 9..18 {
        builder.configure(ConfigureCounter { counter, ceiling: 0xFF_FFFA, access: IncrementAccess::Free }).unwrap();
    }
    run_reload(&mut builder, &mut bench.control).unwrap();
    let reload = builder.finish().unwrap();
    let image = SamImage::new(Sam::from_power_on_data(bench.target.sam().power_on_data()));
    for again in [false, true] {
        let mut transaction = SamTransaction::new(image.clone());
        transaction.prepare_reload(&reload).unwrap();
        let result = run_sam(&mut transaction, &mut bench.target, &mut NoSam, ChannelControl::KeepOpen);
        match result {
            Ok(()) => assert!(!again),
            Err(Error::Status { index: 0, status: StatusWord(0x6988), .. }) => assert!(again),
            other => panic!("{other:?}"),
        }
    }
    let sam = bench.target.sam();
    assert_eq!((sam.ceiling(4), sam.ceiling(7), sam.ceiling(9)), (Some(1234), Some(4321), Some(0xFF_FFFA)));
    assert_eq!(sam.event_counter(3), Some(0x17E));
}

#[test]
fn signatures_are_made_until_the_ceiling() {
    let mut bench = Bench::new(made("sam-target", SERIAL, |_| ()));
    bench.target.sam_mut().set_ceiling(7, 2);
    let kind = SignatureKind::Traceable {
        busy: true,
        traceability: Some(Traceability { offset: 8, partial_serial_number: false }),
    };
    let data = [0x5A; 24];
    let compute = ComputeSignature { kind, data: &data, key: SIGNING, size: 8, diversifier: None };
    let id = bench.transaction.prepare_signature(&compute).unwrap();
    bench.done();
    let Some(SignatureOutcome::Computed { signed_data, signature }) = bench.transaction.signature(id) else { panic!() };
    assert_eq!(&signed_data[..9], [0x5A, 0x11, 0x22, 0x33, 0x44, 0, 0, 1, 0x5A]);
    let (signed_data, signature) = (signed_data.to_vec(), signature.to_vec());
    // Another SAM with the master verifies it, for the serial number of the first.
    let mut other = Bench::new(made("sam-target", [1, 2, 3, 4], |_| ()));
    let verify =
        VerifySignature { kind, data: &signed_data, signature: &signature, key: SIGNING, diversifier: Some(&SERIAL) };
    other.transaction.prepare_verification(&verify).unwrap();
    other.done();
    let basic = ComputeSignature { kind: SignatureKind::Basic, ..compute };
    bench.transaction.prepare_signature(&basic).unwrap();
    bench.done();
    bench.transaction.prepare_signature(&basic).unwrap();
    let refused = bench.run().unwrap_err();
    assert!(matches!(refused, Error::Status { status: StatusWord(0x6900), .. }), "{refused:?}");
}

#[test]
fn certificates_are_made() {
    let day = Day::new(2026, 6, 1).unwrap();
    let authority = Arc::new(TestAuthority::new(b"sams", day).unwrap());
    let mut bench = Bench::new(made("sam-target", SERIAL, |_| ()));
    bench.target.sam_mut().load_authority(Arc::clone(&authority));
    bench.transaction.prepare(SamData::CaCertificate).unwrap();
    let pair = bench.transaction.prepare_key_pair().unwrap();
    let certify = CertifyCard {
        aid: b"1TIC.ICA",
        serial_number: [0, 0, 0, 0, 1, 2, 3, 4],
        startup_info: [1, 2, 3, 4, 5, 6, 7],
        start: Some(day),
        end: None,
        public_key: None,
    };
    let id = bench.transaction.prepare_certificate(&certify).unwrap();
    bench.done();
    let public = bench.transaction.key_pair(pair).unwrap().public_key();
    let certificate = CardCertificate::parse(bench.transaction.certificate(id).unwrap()).unwrap();
    let mut store = authority.root_store().unwrap();
    let ca = CaCertificate::parse(bench.transaction.image().ca_certificate().unwrap()).unwrap();
    store.add_ca(&ca, day).unwrap();
    let content = certificate.recover(store.issuer(&certificate.issuer()).unwrap().key()).unwrap();
    assert_eq!(content.public_key, public);
    let given = CertifyCard { public_key: Some(&public), ..certify };
    bench.transaction.prepare_certificate(&given).unwrap();
    bench.done();
}
