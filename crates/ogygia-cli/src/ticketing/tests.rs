//! The worked examples of the specification of the demonstration.

use crate::hex::{decode, encode};
use jiff::civil::date;

use super::personalize::environment;
use super::values::counters;
use super::*;

fn record(text: &str) -> Record {
    decode(text).unwrap().try_into().unwrap()
}

/// Decodes, compares and encodes again.
fn environment_is(text: &str, expected: Environment) {
    assert_eq!(Environment::decode(&record(text)), Some(expected));
    assert_eq!(encode(&expected.encode()), text);
}

fn event_is(text: &str, expected: Event) {
    assert_eq!(Event::decode(&record(text)), Some(expected));
    assert_eq!(encode(&expected.encode()), text);
}

fn contract_is(text: &str, expected: Contract) {
    assert_eq!(Contract::decode(&record(text)), Some(expected));
    assert_eq!(encode(&expected.encode()), text);
}

fn day(text: &str) -> DateCompact {
    DateCompact::from_civil(text.parse().unwrap()).unwrap()
}

fn priorities(bytes: [u8; 4]) -> [Priority; 4] {
    bytes.map(Priority::from)
}

#[test]
fn environments_of_the_public_tests() {
    environment_is(
        "01000000010FFB1C920700000008000000000000000000000000000000",
        Environment {
            version: Version::Current,
            number: 1,
            issued: day("2021-03-15"),
            end: day("2030-01-10"),
            company: 7,
            holder: 8,
        },
    );
    environment_is(
        "01000000010FBF184E0000000000000000000000000000000000000000",
        Environment {
            version: Version::Current,
            number: 1,
            issued: day("2021-01-14"),
            end: day("2027-01-14"),
            ..Environment::default()
        },
    );
}

#[test]
fn event_and_contract_of_the_public_tests() {
    event_is(
        "010FBF0348000000010101000000000000000000000000000000000000",
        Event {
            version: Version::Current,
            at: Moment { date: day("2021-01-14"), time: TimeCompact(14 * 60) },
            location: Location(1),
            contract_used: 1,
            priorities: priorities([1, 0, 0, 0]),
        },
    );
    contract_is(
        "01010FBF0FDD0000000000000000000000000000000000000000000000",
        Contract {
            version: Version::Current,
            tariff: Priority::SeasonPass,
            sold: day("2021-01-14"),
            end: day("2021-02-13"),
            ..Contract::default()
        },
    );
}

/// The records of "A life of a card"; that cards come to hold them is tested with the validation.
#[test]
fn a_life_of_a_card() {
    environment_is(
        "0100000001160D1E8D0000000000000000000000000000000000000000",
        environment(date(2025, 6, 16), 1).unwrap(),
    );
    contract_is(
        "0102160D1E8D0000000000000000000000000000000000000000000000",
        Contract {
            version: Version::Current,
            tariff: Priority::MultiTrip,
            sold: day("2025-06-16"),
            end: day("2031-06-01"),
            ..Contract::default()
        },
    );
    let loaded = Event { version: Version::Current, priorities: priorities([2, 0, 0, 0]), ..Event::default() };
    event_is("0100000000000000000002000000000000000000000000000000000000", loaded);
    assert!(!loaded.is_validation());
    event_is(
        "01160E0200000000050202010000000000000000000000000000000000",
        Event {
            version: Version::Current,
            at: Moment { date: day("2025-06-17"), time: TimeCompact(8 * 60 + 32) },
            location: Location(5),
            contract_used: 2,
            priorities: priorities([2, 1, 0, 0]),
        },
    );
    event_is(
        "01162C043D0000000501021F0000000000000000000000000000000000",
        Event {
            version: Version::Current,
            at: Moment { date: day("2025-07-17"), time: TimeCompact(18 * 60 + 5) },
            location: Location(5),
            contract_used: 1,
            priorities: priorities([2, 31, 0, 0]),
        },
    );
    contract_is(
        "0101160D162B0000000000000000000000000000000000000000000000",
        Contract {
            version: Version::Current,
            tariff: Priority::SeasonPass,
            sold: day("2025-06-16"),
            end: day("2025-07-16"),
            ..Contract::default()
        },
    );
}

#[test]
fn other_records() {
    let stored = Contract {
        version: Version::Current,
        tariff: Priority::StoredValue,
        sold: day("2025-06-16"),
        end: day("2031-06-01"),
        ..Contract::default()
    };
    contract_is("0103160D1E8D0000000000000000000000000000000000000000000000", stored);
    contract_is(
        "0102160D1E8D112233440001F419A1B2C3000000000000000000000000",
        Contract {
            tariff: Priority::MultiTrip,
            sale_sam: 0x1122_3344,
            sale_counter: 500,
            auth_kvc: 0x19,
            authenticator: 0x00A1_B2C3,
            ..stored
        },
    );
    assert_eq!(counters(&decode("00000A0000000009C4000000").unwrap()), [10, 0, 2500, 0]);
}

#[test]
fn a_delivered_contract_is_blank() {
    let delivered = Contract::decode(&record("00000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")).unwrap();
    assert_eq!((delivered.version, delivered.tariff), (Version::Undefined, Priority::Blank));
    assert_eq!(delivered.to_string(), "blank");
}

#[test]
fn compact_form() {
    let bytes: [u8; 16] = decode("0102160D1E8D0000000000000000000A").unwrap().try_into().unwrap();
    let ticket = CompactContract::decode(&bytes);
    assert_eq!(
        (ticket.contract.tariff, ticket.contract.end, ticket.counter),
        (Priority::MultiTrip, day("2031-06-01"), 10)
    );
    assert_eq!(ticket.encode(), bytes);
}

#[test]
fn records_too_short() {
    assert_eq!(Environment::decode(&[1; 13]), None);
    assert_eq!(Event::decode(&[1; 13]), None);
    assert_eq!(Contract::decode(&[1; 16]), None);
}

#[test]
fn a_card_that_would_outlive_the_calendar_is_not_issued() {
    assert_eq!(environment(date(2048, 11, 30), 1).map(|environment| environment.end), Some(day("2054-11-01")));
    assert_eq!(environment(date(2048, 12, 1), 1), None);
    assert_eq!(environment(date(2009, 12, 31), 1), None);
}

/// A procedure that gives up in the middle leaves no session open on the card.
#[test]
fn no_error_leaves_a_session_open() {
    use crate::terminal::Terminal;
    use ogygia::command::{OpenSession, SetCounter};
    use ogygia::{Error, Misuse};

    let (mut terminal, mut transaction) = {
        let mut terminal = Terminal::new(crate::store::new_card("kit-prime-regular-v3").unwrap());
        let card = terminal.select(application::VALIDATOR, false).unwrap();
        let transaction = Transaction::new(card, terminal.security(true)).unwrap();
        (terminal, transaction)
    };
    let unknown = Error::Misuse(Misuse::CounterUnknown);
    for refused_by_prepare in [false, true] {
        transaction.prepare(OpenSession { level: Level::Debit }).unwrap();
        terminal.run(&mut transaction, KeepOpen).unwrap();
        assert!(terminal.card.inner().card().session_open());
        let result = match refused_by_prepare {
            true => transaction.prepare(SetCounter { sfi: layout::TicketingFile::Counters.sfi(), counter: 1, to: 1 }),
            false => Err(unknown),
        };
        assert_eq!(settle(result, &mut transaction, &mut terminal), Err(unknown));
        assert!(!terminal.card.inner().card().session_open());
    }
}
