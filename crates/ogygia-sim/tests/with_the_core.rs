//! The core against the simulator: two readings of the specification meet.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::HashSet;

use ogygia::card::{Card, Kif, Kvc, Level, PostponedCounters, Sfi};
use ogygia::command::{
    AppendRecord, ChangeCounter, CloseSession, CounterChange, OpenSession, ReadCounters, ReadRecords,
};
use ogygia::drive::run;
use ogygia::sam::Sam;
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{ChannelControl, Error, Fate, Loss, Peer};
use ogygia_sim::{CardLink, Fault, KeySet, Link, Profile, SamLink, SamProduct, VirtualCard, VirtualSam};

const LEVELS: [(Level, Kif); 3] =
    [(Level::Personalization, Kif(0x21)), (Level::Load, Kif(0x27)), (Level::Debit, Kif(0x30))];

/// Profile, SAM, and KVC of the keys: every product of a card with a SAM of every product.
const CASES: [(&str, SamProduct, u8); 10] = [
    ("kit-prime-regular-v1", SamProduct::C1, 0x79),
    ("kit-prime-regular-v3", SamProduct::HsmC1, 0x79),
    ("kit-prime-extended-v3", SamProduct::S1Dx, 0x74),
    ("kit-light-classic-v3", SamProduct::S1E1, 0x79),
    ("kit-basic-v2", SamProduct::C1, 0x73),
    ("hce-prime3", SamProduct::C1, 0x79),
    ("prime2-legacy", SamProduct::C1, 0x79),
    ("prime2-legacy-postponed", SamProduct::S1Dx, 0x79),
    ("prime2-tango", SamProduct::C1, 0x60),
    ("prime1-innovatron", SamProduct::HsmC1, 0x60),
];

/// A card and a SAM on their links, and the image of the card as selected.
struct Bench {
    card: CardLink,
    sam: SamLink,
    image: Card,
    kvc: Kvc,
}

/// Counter 1 and the latest event.
type Seen = (Vec<u8>, Vec<u8>);

impl Bench {
    fn new(keys: &KeySet, (id, product, kvc): (&str, SamProduct, u8)) -> Self {
        let profile = Profile::builtin(id).unwrap().unwrap();
        let mut card = VirtualCard::new(&profile, keys).unwrap();
        assert!(card.set_record(0x2069, 1, &[0, 0, 10]));
        let image = select(&mut card);
        let sam = Link::new(VirtualSam::new(product, [1, 2, 3, 4], keys));
        Self { card: Link::new(card), sam, image, kvc: Kvc(kvc) }
    }

    fn transaction(&self) -> Transaction {
        let mut settings = SymmetricSettings::new(Sam::from_power_on_data(self.sam.sam().power_on_data()));
        settings.ratification_command = true;
        settings.default_kif = LEVELS.to_vec();
        settings.default_kvc = LEVELS.map(|(level, _)| (level, self.kvc)).to_vec();
        Transaction::new(self.image.clone(), Security::Symmetric(settings)).unwrap()
    }

    /// Reads environment, log and counter, then counts a trip and writes an event.
    fn validate(&mut self) -> Result<Transaction, Error> {
        let mut transaction = self.transaction();
        transaction.prepare(OpenSession { level: Level::Debit })?;
        transaction.prepare(ReadRecords { sfi: Sfi(7), records: 1..=1, size: 29 })?;
        transaction.prepare(ReadRecords { sfi: Sfi(8), records: 1..=2, size: 29 })?;
        transaction.prepare(ReadCounters { sfi: Sfi(0x19), count: 1 })?;
        run(&mut transaction, &mut self.card, &mut self.sam, ChannelControl::KeepOpen)?;
        transaction.prepare(ChangeCounter { change: CounterChange::Decrease, sfi: Sfi(0x19), counter: 1, by: 1 })?;
        transaction.prepare(AppendRecord { sfi: Sfi(8), data: &[0xA1; 29] })?;
        transaction.prepare(CloseSession)?;
        run(&mut transaction, &mut self.card, &mut self.sam, ChannelControl::CloseAfter)?;
        Ok(transaction)
    }

    fn seen(&self) -> Seen {
        let start = |lid| self.card.card().record(lid, 1).unwrap().into_iter().take(3).collect();
        (start(0x2069), start(0x2010))
    }
}

/// Selects the transport application, or recognises a card without name.
fn select(card: &mut VirtualCard) -> Card {
    let profile = card.profile().clone();
    let transport = profile.applications.iter().find(|application| application.lid.0 == 0x2000).unwrap();
    let Some(name) = &transport.df_name else { return Card::from_power_on_data(card.power_on_data()).unwrap() };
    let mut command = vec![profile.card_class.0, 0xA4, 0x04, 0x00, u8::try_from(name.len()).unwrap()];
    command.extend_from_slice(name);
    command.push(0);
    Card::from_select_response(&card.transmit(&command)).unwrap()
}

fn before() -> Seen {
    (vec![0, 0, 10], vec![0; 3])
}

fn after() -> Seen {
    (vec![0, 0, 9], vec![0xA1; 3])
}

#[test]
fn a_validation_on_every_product() {
    let keys = KeySet::new(b"core");
    for case in CASES {
        let mut bench = Bench::new(&keys, case);
        assert_eq!(bench.seen(), before());
        let transaction = bench.validate().unwrap_or_else(|error| panic!("{case:?}: {error:?}"));
        assert_eq!(transaction.card().file(Sfi(0x19)).unwrap().counter(1), Some(9), "{case:?}");
        assert_eq!(bench.seen(), after(), "{case:?}");
        let card = bench.card.card();
        assert!(card.ratified() && !card.session_open(), "{case:?}");
        let implicit = card.profile().behaviour.implicit_df_lid.map(|lid| lid.0);
        assert_eq!(card.current_df(), implicit, "{case:?}: the channel was closed");
        // Whether a legacy card postpones counter answers is known from the first one only.
        let requests = if bench.image.postponed_counters() == PostponedCounters::Undetermined { 3 } else { 2 };
        assert_eq!(bench.card.traffic().requests, requests, "{case:?}");
    }
}

#[test]
fn the_fate_that_the_core_tells_is_the_fate_of_the_card() {
    let keys = KeySet::new(b"core");
    let mut told = HashSet::new();
    for case in CASES {
        let mut whole = Bench::new(&keys, case);
        whole.validate().unwrap();
        for (peer, commands) in [(Peer::Card, whole.card.traffic().commands), (Peer::Sam, whole.sam.traffic().commands)]
        {
            for at in 0..commands {
                for loss in [Loss::Peer, Loss::Reader] {
                    for fault in [Fault::before(at, loss), Fault::after(at, loss)] {
                        let place = format!("{case:?} {peer:?} {fault:?}");
                        let mut bench = Bench::new(&keys, case);
                        match peer {
                            Peer::Card => bench.card.add_fault(fault),
                            Peer::Sam | Peer::ControlSam => bench.sam.add_fault(fault),
                        }
                        // The ratification command is the last one to the card; its loss is none.
                        let harmless = peer == Peer::Card && at + 1 == commands;
                        told.insert(check_fate(&mut bench, peer, loss, harmless, &place));
                    }
                }
            }
        }
    }
    // Nothing is verified and then lost: after the last answer of the SAM there is nothing to lose.
    let expected = [Fate::Untouched, Fate::NotCommitted, Fate::Unknown, Fate::Unverified].map(Some);
    assert_eq!(told, expected.into_iter().chain([None]).collect());
}

fn check_fate(bench: &mut Bench, peer: Peer, loss: Loss, harmless: bool, place: &str) -> Option<Fate> {
    let told = match bench.validate() {
        // A lost ratification command costs nothing but the ratification.
        Ok(_) => {
            assert!(harmless, "{place}: nothing was lost");
            None
        }
        Err(Error::Lost { peer: lost, loss: how, fate }) => {
            assert_eq!((lost, how), (peer, loss), "{place}");
            Some(fate)
        }
        Err(error) => panic!("{place}: {error:?}"),
    };
    // Whatever keeps the reader away, the card leaves in the end.
    bench.card.re_present();
    bench.card.card_mut().leave_field();
    let seen = bench.seen();
    match told {
        Some(Fate::Untouched | Fate::NotCommitted) => assert_eq!(seen, before(), "{place}: {told:?}"),
        Some(Fate::Committed | Fate::Unverified) | None => assert_eq!(seen, after(), "{place}: {told:?}"),
        Some(Fate::Unknown) => assert!(seen == before() || seen == after(), "{place}: {seen:?}"),
    }
    bench.sam.re_present();
    bench.image = select(bench.card.card_mut());
    bench.validate().unwrap_or_else(|error| panic!("{place}, again: {error:?}"));
    told
}
