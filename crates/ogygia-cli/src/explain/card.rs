//! Commands to the card.

use ogygia::apdu::{Response, StatusWord};
use ogygia::card::{Card, Product, Sfi};
use ogygia::command::CommandName;

use super::{Command, Meaning, is_success, short_hex};
use crate::ticketing::layout::{CONTRACT_LIST, TicketingFile};
use crate::ticketing::values::{counters, u24};
use crate::ticketing::{Contract, Environment, Event};

pub(super) fn meaning<'a>(command: &Command<'a>) -> Option<Meaning<'a>> {
    let (p1, p2, data) = (command.p1, command.p2, command.data);
    let sfi = Sfi(p2 >> 3);
    Some(match command.ins {
        0xA4 if p1 == 0x04 => select_application(data),
        0xA4 => select_file(p1, p2, data),
        0xB2 if p1 == 0 => ratification(),
        0xB2 => read(sfi, p1, p2),
        0x8A if p2 & 7 == 3 => super::certificates::open(p1 >> 3, sfi),
        0x8A => open(p1, p2, data),
        0x82 => manage(p2),
        0x8E if data.is_empty() => abort(),
        0x8E => close(p1),
        0x30 => change(CommandName::Decrease, sfi, p1, data, "less"),
        0x32 => change(CommandName::Increase, sfi, p1, data, "more"),
        0xDC => write(CommandName::UpdateRecord, sfi, &format!("record {p1} becomes"), data),
        0xD2 => write(CommandName::WriteRecord, sfi, &format!("record {p1} gets the bits of"), data),
        0xE2 => write(CommandName::AppendRecord, sfi, "a new record 1 is", data),
        0x3A => several(CommandName::IncreaseMultiple, sfi, data, "more"),
        0x38 => several(CommandName::DecreaseMultiple, sfi, data, "less"),
        0xB3 => Meaning::new(
            CommandName::ReadRecordMultiple,
            format!("{}, a part of the records from {p1} on", place(sfi)),
            short_hex,
        ),
        0xA2 => Meaning::new(
            CommandName::SearchRecordMultiple,
            format!("{}, which records hold this?", place(sfi)),
            found_in,
        ),
        0xB0 => Meaning::new(CommandName::ReadBinary, bytes_of("read", p1, p2), short_hex),
        0xD6 => written(CommandName::UpdateBinary, &bytes_of("replace", p1, p2), data),
        0xD0 => written(CommandName::WriteBinary, &bytes_of("add bits to", p1, p2), data),
        0xCA => super::certificates::get_data(p1, p2),
        0xDA => written(CommandName::PutData, &format!("the data object {p1:02X}{p2:02X} becomes"), data),
        0x46 => Meaning::new(CommandName::GenerateAsymmetricKeyPair, "make a key pair of your own", done),
        0x04 => Meaning::new(CommandName::Invalidate, "the application is invalid from now on", done),
        0x44 => Meaning::new(CommandName::Rehabilitate, "the application is valid again", done),
        0x84 => {
            Meaning::new(CommandName::GetChallenge, "a random number, so that what comes next serves once", |data| {
                format!("{} bytes", data.len())
            })
        }
        0x20 => verify_pin(data),
        0xD8 => change_secret(p2),
        0x7C => super::purse::get(p1, p2),
        0xB8 => super::purse::reload(data),
        0xBA => super::purse::debit(CommandName::SvDebit, data),
        0xBC => super::purse::debit(CommandName::SvUndebit, data),
        _ => return None,
    })
}

fn select_application(name: &[u8]) -> Meaning<'_> {
    let asks = format!("is there an application named {}?", application_name(name));
    let answer = |response: Response<'_>| match response.status {
        StatusWord::FILE_NOT_FOUND => Some("no".to_owned()),
        StatusWord::SUCCESS | StatusWord::INVALIDATED => Some(found(response)),
        _ => None,
    };
    Meaning { name: CommandName::SelectApplication, asks, answer: Box::new(answer) }
}

/// In letters where it is made of them.
fn application_name(name: &[u8]) -> String {
    match std::str::from_utf8(name) {
        Ok(text) if text.bytes().all(|byte| byte.is_ascii_graphic()) => format!("{text} ({})", short_hex(name)),
        _ => short_hex(name),
    }
}

fn found(response: Response<'_>) -> String {
    let whole = [response.data, &response.status.to_bytes()].concat();
    let Ok(card) = Card::from_select_response(&whole) else { return "yes, but the answer is malformed".to_owned() };
    let invalidated = if card.invalidated() { ", but it is invalidated" } else { "" };
    format!("yes{invalidated}; {}, serial number {}", product(card.product()), short_hex(&card.full_serial_number()))
}

/// A product as the field calls it.
pub(crate) const fn product(product: Product) -> &'static str {
    match product {
        Product::PrimeRevision1 => "Calypso Prime revision 1",
        Product::PrimeRevision2 => "Calypso Prime revision 2",
        Product::PrimeRevision3 => "Calypso Prime revision 3",
        Product::Light => "Calypso Light",
        Product::Basic => "Calypso Basic",
        Product::Unknown => "an unknown product",
    }
}

fn select_file<'a>(p1: u8, p2: u8, data: &[u8]) -> Meaning<'a> {
    let asks = match (p1, p2) {
        (0x02, 0x00) => "the first file of the application".to_owned(),
        (0x02, 0x02) => "the next file".to_owned(),
        (0x09, 0x00) if data == [0, 0] => "the application itself".to_owned(),
        _ => format!("the file {}", short_hex(data)),
    };
    Meaning::new(CommandName::SelectFile, asks, |_| "its header".to_owned())
}

fn ratification<'a>() -> Meaning<'a> {
    let answer = |_: Response<'_>| Some("refused, as it should be; the session is ratified".to_owned());
    let asks = "a read that is wrong on purpose: it shows the card that its answer has arrived";
    Meaning { name: CommandName::Ratification, asks: asks.to_owned(), answer: Box::new(answer) }
}

fn read<'a>(sfi: Sfi, record: u8, p2: u8) -> Meaning<'a> {
    let several = p2 & 7 == 5;
    let from = if several { " and those that follow" } else { "" };
    let asks = format!("{}, record {record}{from}", place(sfi));
    Meaning::new(
        CommandName::ReadRecords,
        asks,
        move |data| {
            if several { contents(sfi, data) } else { content(sfi, data) }
        },
    )
}

fn open<'a>(p1: u8, p2: u8, data: &[u8]) -> Meaning<'a> {
    let (key, record, mode) = (p1 & 7, p1 >> 3 & 0x0F, p2 & 7);
    let role = match key {
        1 => "issuer",
        2 => "load",
        3 => "debit",
        _ => "unknown",
    };
    let sfi = Sfi(p2 >> 3);
    let reading = if record == 0 { String::new() } else { format!(", and read {}, record {record}", place(sfi)) };
    if let (2, [_]) = (mode, data) {
        let asks = format!("how would a session with key {key} ({role}) open{reading}? It stays closed");
        return foretell(asks, sfi);
    }
    let kind = if mode == 2 { "an extended session" } else { "a session" };
    let asks = format!("open {kind} with key {key} ({role}){reading}; here is the SAM's challenge");
    Meaning::new(CommandName::OpenSecureSession, asks, move |data| opened(mode, sfi, data))
}

fn foretell<'a>(asks: String, sfi: Sfi) -> Meaning<'a> {
    let answer = move |response: Response<'_>| {
        (response.status == StatusWord::POSTPONED).then(|| format!("foretold: {}", opened(2, sfi, response.data)))
    };
    Meaning { name: CommandName::OpenSecureSession, asks, answer: Box::new(answer) }
}

fn manage<'a>(p2: u8) -> Meaning<'a> {
    let follows = if p2 & 2 == 0 { "what follows is in clear" } else { "the data of what follows are ciphered" };
    if p2 & 1 == 0 {
        return Meaning::new(CommandName::ManageSecureSession, follows, |_| "agreed".to_owned());
    }
    let asks = format!("here is the SAM's MAC over the session so far, now prove yourself as well; {follows}");
    Meaning::new(CommandName::ManageSecureSession, asks, |_| "the MAC is right; here is the card's own MAC".to_owned())
}

fn opened(mode: u8, sfi: Sfi, data: &[u8]) -> String {
    let (unratified, kif, kvc, record) = match (mode, data) {
        (1, [_, _, _, _, unratified, kif, kvc, _, record @ ..]) => (*unratified, *kif, *kvc, record),
        (2, [_, _, _, _, _, _, _, _, flags, kif, kvc, _, record @ ..]) => (*flags & 1, *kif, *kvc, record),
        _ => return "open".to_owned(),
    };
    let before = if unratified == 0 { "ratified" } else { "NOT ratified" };
    let unmanaged = matches!((mode, data), (2, [_, _, _, _, _, _, _, _, flags, ..]) if flags & 2 == 0);
    let mut text = format!("open, with key KIF {kif:02X} KVC {kvc:02X}; the session before was {before}");
    if unmanaged {
        text.push_str("; this key neither authenticates early nor ciphers");
    }
    if !record.is_empty() {
        text.push_str(&format!("; {}", content(sfi, record)));
    }
    text
}

fn abort<'a>() -> Meaning<'a> {
    Meaning::new(CommandName::AbortSecureSession, "cancel the session: nothing of it counts", |_| {
        "cancelled".to_owned()
    })
}

fn close<'a>(p1: u8) -> Meaning<'a> {
    let ratified = if p1 == 0x80 { "; count it as ratified" } else { "; the next command will ratify it" };
    let asks = format!("commit the session; here is the SAM's MAC over all of it{ratified}");
    Meaning::new(CommandName::CloseSecureSession, asks, |_| {
        "the MAC is right, all is written; here is the card's own MAC".to_owned()
    })
}

fn change<'a>(name: CommandName, sfi: Sfi, counter: u8, data: &[u8], way: &str) -> Meaning<'a> {
    let by = data.first_chunk::<3>().copied().map_or(0, u24);
    let answer = |response: Response<'_>| {
        let value = response.data.first_chunk::<3>().copied().map(u24);
        match response.status {
            StatusWord::POSTPONED => Some("done; the value comes with the closing".to_owned()),
            _ if is_success(response) => Some(value.map_or_else(String::new, |value| format!("it is {value} now"))),
            _ => None,
        }
    };
    let asks = format!("{}, counter {counter}: {by} {way}", place(sfi));
    Meaning { name, asks, answer: Box::new(answer) }
}

fn write<'a>(name: CommandName, sfi: Sfi, what: &str, data: &[u8]) -> Meaning<'a> {
    let asks = format!("{}, {what}: {}", place(sfi), content(sfi, data));
    Meaning::new(name, asks, |_| "noted, until the session is closed".to_owned())
}

/// The name of a file.
pub(crate) fn place(sfi: Sfi) -> String {
    match TicketingFile::from_sfi(sfi) {
        Some(file) => file.to_string(),
        None if sfi == CONTRACT_LIST => "Contract list".to_owned(),
        None => format!("file {sfi}"),
    }
}

/// Several records, each behind its number and its length.
fn contents(sfi: Sfi, mut data: &[u8]) -> String {
    let mut records = Vec::new();
    while let [number, length, rest @ ..] = data {
        let (record, next) = rest.split_at(rest.len().min(usize::from(*length)));
        records.push(format!("{number}: {}", content(sfi, record)));
        data = next;
    }
    records.join("; ")
}

/// A record in words, where its structure is known.
pub(crate) fn content(sfi: Sfi, record: &[u8]) -> String {
    let decoded = match TicketingFile::from_sfi(sfi) {
        Some(TicketingFile::Environment) => Environment::decode(record).map(|environment| environment.to_string()),
        Some(TicketingFile::Events) => Event::decode(record).map(|event| event.to_string()),
        Some(TicketingFile::Contracts) => Contract::decode(record).map(|contract| contract.to_string()),
        Some(TicketingFile::Counters) => {
            let values: Vec<_> = counters(record).iter().map(ToString::to_string).collect();
            Some(values.join(", "))
        }
        None => None,
    };
    decoded.unwrap_or_else(|| match record.iter().all(|byte| *byte == 0) {
        true => "zeros".to_owned(),
        false => short_hex(record),
    })
}

fn done(_: &[u8]) -> String {
    "done".to_owned()
}

fn several<'a>(name: CommandName, sfi: Sfi, data: &[u8], way: &str) -> Meaning<'a> {
    let (entries, _rest) = data.as_chunks::<4>();
    let entries = entries.iter().map(|[counter, a, b, c]| format!("counter {counter}: {} {way}", u24([*a, *b, *c])));
    let asks = format!("{}, {}", place(sfi), entries.collect::<Vec<_>>().join(", "));
    Meaning::new(name, asks, |data| {
        let (values, _rest) = data.as_chunks::<4>();
        let values = values.iter().map(|[counter, a, b, c]| format!("counter {counter} is {}", u24([*a, *b, *c])));
        values.collect::<Vec<_>>().join(", ")
    })
}

fn found_in(data: &[u8]) -> String {
    let numbers = data.split_first().map(|(_, numbers)| numbers).unwrap_or_default();
    let numbers: Vec<_> = numbers.iter().map(ToString::to_string).collect();
    if numbers.is_empty() { "none".to_owned() } else { format!("record {}", numbers.join(", ")) }
}

/// Bit 8 of P1: the rest of P1 names the file; else P1 and P2 are the offset in the file used last.
pub(super) fn bytes_of(what: &str, p1: u8, p2: u8) -> String {
    match p1 & 0x80 {
        0 => format!("{what} bytes from {} on", u16::from_be_bytes([p1, p2])),
        _ => format!("{what} bytes of {} from {p2} on", place(Sfi(p1 & 0x1F))),
    }
}

fn written<'a>(name: CommandName, what: &str, data: &[u8]) -> Meaning<'a> {
    Meaning::new(name, format!("{what}: {}", short_hex(data)), |_| "noted".to_owned())
}

fn verify_pin<'a>(data: &[u8]) -> Meaning<'a> {
    let asks = match data.len() {
        0 => "how many presentations of the PIN are left?",
        4 => "this is the holder's PIN, in clear",
        _ => "this is the holder's PIN, ciphered by the SAM for this moment",
    };
    let presented = !data.is_empty();
    let answer = move |response: Response<'_>| match (response.status, response.status.attempts_left()) {
        (StatusWord::SUCCESS, _) if presented => Some("right".to_owned()),
        (StatusWord::SUCCESS, _) => Some("all of them".to_owned()),
        (StatusWord::PIN_BLOCKED, _) => Some("the PIN is blocked".to_owned()),
        (_, Some(left)) if presented => Some(format!("WRONG; presentations left: {left}")),
        (_, Some(left)) => Some(left.to_string()),
        _ => None,
    };
    Meaning { name: CommandName::VerifyPin, asks: asks.to_owned(), answer: Box::new(answer) }
}

fn change_secret<'a>(p2: u8) -> Meaning<'a> {
    if p2 == 0xFF {
        Meaning::new(CommandName::ChangePin, "this is the new PIN", |_| "changed".to_owned())
    } else {
        let asks = format!("this is the new key {p2}, wrapped by the SAM");
        Meaning::new(CommandName::ChangeKey, asks, |_| "changed".to_owned())
    }
}
