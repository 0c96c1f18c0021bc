//! Every command in words.

use crate::hex::decode;

use super::*;

fn said(peer: Peer, command: &str, response: &str) -> String {
    let exchange = Exchange { command: decode(command).unwrap(), response: Some(decode(response).unwrap()) };
    let Explained { name, asks, answers, .. } = explain(peer, &exchange);
    format!("{name}: {asks} <- {answers}")
}

fn card(command: &str, response: &str) -> String {
    said(Peer::Card, command, response)
}

fn sam(command: &str, response: &str) -> String {
    said(Peer::Sam, command, response)
}

#[test]
fn selection() {
    let fci = "6F228408A000000291FF9101A516BF0C13C708000000001122334653070A3C23021410019000";
    let name = "A000000291FF9101";
    assert_eq!(
        card("00A4040008A000000291FF910100", fci),
        format!(
            "Select Application: is there an application named {name}? <- yes; Calypso Prime revision 3, serial number 0000000011223346"
        )
    );
    assert!(card("00A4040008A000000291FF910100", "6A82").ends_with("<- no"));
    assert!(card("00A4040009315449432E4943413100", "6A82").contains("1TIC.ICA1"));
}

#[test]
fn openings() {
    let regular =
        card("008A0B390424B35E6800", "030D3D960130791D01000000010FBF184E00000000000000000000000000000000000000009000");
    assert!(regular.contains("key 3 (debit), and read Environment, record 1"), "{regular}");
    assert!(regular.contains("KIF 30 KVC 79; the session before was NOT ratified; card number 1"), "{regular}");
    let extended = card("008A01020900010203040506070800", "030D3D010203040502217400 9000".replace(' ', "").as_str());
    assert!(extended.contains("key 1 (issuer); "), "{extended}");
    assert!(extended.ends_with("KIF 21 KVC 74; the session before was ratified"), "{extended}");
    assert!(card("948A8B38040102030400", "79000001029000").ends_with("<- open"));
    assert!(card("008A0B390424B35E6800", "6985").contains("refused with 6985: not allowed in this state"));
}

#[test]
fn reading_and_writing() {
    assert_eq!(card("00B201CC0C", "00000A0000000000000000009000"), "Read Records: Counters, record 1 <- 10, 0, 0, 0");
    assert_eq!(card("00B201EC04", "010203049000"), "Read Records: file 1D, record 1 <- 01020304");
    assert!(card("00DC01EC0400000000", "9000").starts_with("Update Record: file 1D, record 1 becomes: zeros"));
    assert!(card("00E200E801AA", "9000").starts_with("Append Record: file 1D, a new record 1 is: AA"));
    assert!(card("003001C80300000100", "0000099000").ends_with("counter 1: 1 less <- it is 9 now"));
    assert!(card("003201C80300000A", "6200").ends_with("10 more <- done; the value comes with the closing"));
}

#[test]
fn closings() {
    assert!(card("008E00000475B01701", "6988").contains("wrong MAC"));
    assert!(card("008E80000475B0170100", "A43BDBE99000").contains("count it as ratified"));
    assert!(card("008E000000", "9000").starts_with("Abort Secure Session"));
    assert!(card("00B2000000", "6B00").starts_with("Ratification command"));
}

#[test]
fn sam_commands() {
    assert!(sam("8084000004", "878E24449000").ends_with("<- 4 bytes"));
    assert!(sam("80140000080000000011223346", "9000").contains("the card 0000000011223346"));
    assert!(sam("808A00FF0A2179030D3F2C00217900", "9000").contains("KIF 21 KVC 79"));
    assert!(sam("808C80000501AA02BBCC", "9000").contains("2 messages"));
    assert!(sam("8082000004A43BDBE9", "9000").contains("<- yes"));
    assert!(sam("8082000004A43BDBE9", "6988").contains("<- NO"));
}

/// Whatever bytes come, there are words for them.
#[test]
fn nonsense() {
    assert!(card("00FF0000", "9000").starts_with("Unknown command FF"));
    assert!(card("00", "9000").starts_with("Unknown command"));
    let short = Exchange { command: decode("00B2013C1D").unwrap(), response: Some(vec![0x90]) };
    assert_eq!(explain(Peer::Card, &short).answers, "an answer without status word");
    let lost = Exchange { response: None, ..short };
    assert_eq!(explain(Peer::Card, &lost).answers, "no answer: the connection was lost");
    for ins in 0..=0xFF {
        for length in 0..40 {
            let mut command = vec![0x00, ins, 0x01, 0x3C];
            command.extend((0..length).map(|_| 0x07));
            for peer in [Peer::Card, Peer::Sam] {
                let response = Some([&command[..], &[0x90, 0x00]].concat());
                explain(peer, &Exchange { command: command.clone(), response });
            }
        }
    }
}

#[test]
fn long_bytes_are_cut() {
    assert_eq!(short_hex(&[0xAB; 48]).len(), 96);
    assert!(short_hex(&[0xAB; 49]).ends_with("…ABAB (49 bytes)"));
}
