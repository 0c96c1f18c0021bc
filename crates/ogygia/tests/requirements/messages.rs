//! Commands, answers, status words.

use ogygia::Peer;
use ogygia::apdu::StatusWord;
use ogygia::card::Sfi;
use ogygia::command::{
    AppendRecord, ChangeCounter, ChangeKey, CloseSession, CommandName, CounterChange, DataTag, GetData, Invalidate,
    ReadCounters, ReadRecord, ReadRecords, ReadRecordsPartially, SearchRecords, SelectFile, UpdateRecord, WriteRecord,
};
use ogygia::{Argument, Error, Misuse};

use crate::bench::Bench;
use crate::desk::*;

/// CL-CMD-SEND.1, CL-CMD-RECV.1, CL-APP-ISOL.1: what was prepared, whole, in its order, and nothing besides.
#[test]
fn commands_go_out_as_they_were_prepared() {
    let mut desk = free_desk();
    let read = |record| ReadRecord { sfi: RECORDS, record }.into();
    let commands = [
        update(&[1, 2, 3]).into(),
        read(2),
        AppendRecord { sfi: Sfi(8), data: &[4] }.into(),
        SelectFile::FirstFile.into(),
        WriteRecord { sfi: RECORDS, record: 3, data: &[5] }.into(),
        read(1),
    ];
    assert_eq!(desk.process(commands), Ok(()));
    let expected = ["00DC013C03010203", "00B2023C00", "00E200400104", "00A4020002000000", "00D2033C0105", "00B2013C00"];
    assert_eq!(desk.requests(), [(Peer::Card, expected.map(String::from).to_vec())]);
    assert_eq!(desk.transaction.card().file(Sfi(8)).unwrap().record(1), Some(&[4][..]));
    assert_eq!(desk.transaction.card().file(RECORDS).unwrap().record(3), Some(&[5][..]));
}

/// CL-CMD-DATAIN.1 and CL-RFU-VALUECMD.1.
#[test]
fn a_refused_argument_sends_nothing() {
    let mut desk = plain_desk();
    let argument = |argument: Argument| Err(Error::from(argument));
    assert_eq!(desk.prepare(ReadRecord { sfi: Sfi(31), record: 1 }), argument(Argument::Sfi));
    for record in [0, 251] {
        assert_eq!(desk.prepare(ReadRecord { sfi: RECORDS, record }), argument(Argument::RecordNumber));
    }
    for index in [0, 4] {
        assert_eq!(desk.prepare(ChangeKey { index, new: KEY, issuer: KEY }), argument(Argument::KeyIndex));
    }
    for index in [1, 3] {
        assert_eq!(desk.prepare(ChangeKey { index, new: KEY, issuer: KEY }), Ok(()));
    }
    desk.transaction.abandon().unwrap();
    assert_eq!(desk.run(), Ok(()));
    assert_eq!(desk.requests(), []);
}

/// CL-C1-MAC.1, CL-C4-MAC.1, CL-SAM-DUPDATE.1: what a SAM that takes one block at a time gets of a session.
#[test]
fn what_enters_the_digest() {
    let mut desk = desk(card(PLAIN), settings(S1D));
    desk.process([OPEN.into(), ReadCounters { sfi: COUNTERS, count: 1 }.into()]).unwrap();
    let up = ChangeCounter { change: CounterChange::Increase, sfi: COUNTERS, counter: 1, by: 1 };
    desk.requests();
    desk.process([up.into(), Invalidate.into(), CloseSession.into()]).unwrap();
    let requests = desk.requests();
    let sent = |peer| requests.iter().filter(move |(to, _)| *to == peer).flat_map(|(_, commands)| commands);
    let blocks: Vec<_> = sent(Peer::Sam).filter_map(|command| command.strip_prefix("948C0000")?.get(2..)).collect();
    let expected = ["00B201CC03", "0000649000", "003201C803000001", "0000659000", "0004000000", "9000"];
    assert_eq!(blocks, expected);
    // With their Le.
    let commands: Vec<_> = sent(Peer::Card).take(2).collect();
    assert_eq!(commands, ["003201C80300000100", "0004000000"]);
}

/// CL-RFU-FIELDRSP.1.
#[test]
fn reserved_bytes_of_a_header_do_not_count() {
    let header = |reserved: u8| {
        let answer = [
            0x85, 0x17, 0x07, 0x04, 0x02, 0x1D, 0x03, 0x1F, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, reserved, reserved, reserved,
            reserved, reserved, 0x20, 0x01, 0x90, 0x00,
        ];
        let mut desk = free_desk();
        desk.replace(CommandName::SelectFile, &answer);
        desk.process([SelectFile::FirstFile.into()]).unwrap();
        desk.content()
    };
    assert_eq!(header(0x00), header(0xFF));
}

/// CL-SW-CHECK.1: neither where a refusal is an error nor where it is none.
#[test]
fn data_beside_a_refused_status_do_not_count() {
    for word in [0x6982_u16, 0x6A82, 0x6A83, 0x6200, 0x9001] {
        let mut desk = free_desk();
        let answer = [&[0x11, 0x22, 0x33, 0x44], &word.to_be_bytes()[..]].concat();
        desk.replace(CommandName::ReadRecords, &answer);
        let result = desk.process([ReadRecords { sfi: RECORDS, records: 1..=1, size: 4 }.into()]);
        let (peer, index, command) = (Peer::Card, 0, CommandName::ReadRecords);
        let refused = Error::Status { peer, index, command, status: StatusWord(word) };
        assert_eq!(result, if word >> 8 == 0x6A { Ok(()) } else { Err(refused) }, "{word:04X}");
        assert!(desk.transaction.card().file(RECORDS).is_none(), "{word:04X}");
    }
}

type Prepare = fn(&mut Bench) -> Result<(), Error>;

/// CL-CSS-RESPLE.1: what may answer at any length could be answered by an attacker.
#[test]
fn unknown_lengths_have_no_place_in_a_session() {
    let refused: [Prepare; 4] = [
        |desk| desk.prepare(ReadRecord { sfi: RECORDS, record: 1 }),
        |desk| desk.prepare(GetData { tag: DataTag::Fci }),
        |desk| desk.prepare(ReadRecordsPartially { sfi: RECORDS, records: 1..=1, offset: 0, length: 1 }),
        |desk| {
            let (sfi, record, offset, data) = (RECORDS, 1, 0, &[1][..]);
            let (repeated_offset, mask, fetch_first) = (false, None, false);
            desk.prepare(SearchRecords { sfi, record, offset, repeated_offset, data, mask, fetch_first })
        },
    ];
    for prepare in refused {
        let mut desk = plain_desk();
        desk.process([OPEN.into()]).unwrap();
        desk.requests();
        assert_eq!(prepare(&mut desk), Err(Misuse::SessionOpen.into()));
        desk.resume().unwrap_err();
        assert_eq!(desk.sent(Peer::Card), ["008E000000"]);
    }
}

/// CL-CSS-INFODATA.1: all that is exchanged passes through the channels of the application, before a failure too.
#[test]
fn the_channels_see_everything() {
    let mut desk = plain_desk();
    desk.process([OPEN.into(), UpdateRecord { sfi: RECORDS, record: 1, data: &[7] }.into()]).unwrap();
    desk.replace(CommandName::SamDigestClose, &[0x69, 0x85]);
    desk.process([CloseSession.into()]).unwrap_err();
    let [(Peer::Sam, digested), (Peer::Card, abort)] = &desk.requests()[..] else { panic!("two requests") };
    assert!(digested.iter().any(|command| command.contains("00DC013C0107")), "{digested:?}");
    assert_eq!(abort, &["008E000000"]);
}
