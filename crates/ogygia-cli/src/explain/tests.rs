//! Every command in words.

use crate::hex::decode;

use super::*;

fn said(peer: Peer, command: &str, response: &str) -> String {
    let exchange = Exchange { command: decode(command).unwrap(), response: Some(decode(response).unwrap()) };
    let Explained { name, asks, answers, .. } = explain(Context::default(), peer, &exchange);
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
fn sessions_that_the_card_signs() {
    let answer = "09 315449432E49434131 0000000011223344 00 0304909805060708 01 FFFF 02 AABB 9000".replace(' ', "");
    assert_eq!(
        card("008A08EB0900010203040506070800", &answer),
        "Open Secure Session: open a session that you will sign, and read file 1D, record 1; here is the terminal's \
         challenge <- open, by application 315449432E49434131 with serial number 0000000011223344; the session before \
         was NOT ratified; AABB"
    );
    assert!(card("008A00030900010203040506070800", "099000").ends_with("<- open"));
    let signature = "00".repeat(64) + "9000";
    assert_eq!(
        card("008E000000", &signature),
        "Close Secure Session: commit the session, and sign all of it <- all is written; here is the card's signature"
    );
    assert!(card("008E000000", "9000").starts_with("Abort Secure Session"));
    assert_eq!(card("00CADF4C00", "AABB9000"), "Get Data: your certificate, first part <- 2 bytes");
    assert_eq!(card("00CA006F00", "AABB9000"), "Get Data: the data object 006F <- AABB");
}

#[test]
fn reading_and_writing() {
    assert_eq!(card("00B201CC0C", "00000A0000000000000000009000"), "Read Records: Counters, record 1 <- 10, 0, 0, 0");
    assert_eq!(card("00B201EC04", "010203049000"), "Read Records: file 1D, record 1 <- 01020304");
    assert_eq!(
        card("00B201CD0A", "0103000001020300000A9000"),
        "Read Records: Counters, record 1 and those that follow <- 1: 1; 2: 10"
    );
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

#[test]
fn pins_and_keys() {
    assert!(card("0020000000", "9000").ends_with("are left? <- all of them"));
    assert!(card("0020000000", "63C2").ends_with("<- 2"));
    assert!(card("002000000430303030", "9000").ends_with("PIN, in clear <- right"));
    assert!(card("00200000081122334455667788", "63C1").ends_with("for this moment <- WRONG; presentations left: 1"));
    assert!(card("002000000430303030", "6983").ends_with("<- the PIN is blocked"));
    assert!(card("00D800FF0430303030", "9000").starts_with("Change PIN: "));
    assert!(card("00D8000304AABBCCDD", "9000").starts_with("Change Key: this is the new key 3"));
    assert!(card("0084000008", "11223344556677889000").starts_with("Get Challenge: "));
    assert!(sam("80860000081122334455667788", "9000").starts_with("Give Random: "));
    assert!(
        sam("801280FF06307930303030", "11223344556677889000")
            .contains("cipher the PIN, with the card's challenge and key KIF 30 KVC 79")
    );
    assert!(sam("801240FF0A21790000000030303030", "9000").contains("cipher a new PIN"));
    assert!(
        sam("8012FFFF052179307A90", "9000").contains("key KIF 30 KVC 7A for this challenge, under key KIF 21 KVC 79")
    );
    assert!(sam("8012FF0003307A90", "9000").ends_with("under the null key <- here it is, 0 bytes"));
}

#[test]
fn purses() {
    let log = "00".repeat(22);
    let got = card("007C000721", &format!("79000511223344550004B0{log}9000"));
    assert!(
        got.ends_with("a reload will follow <- 1200, after 5 operations; its key is KVC 79, and here is its challenge"),
        "{got}"
    );
    let extended = format!("1122334455667788790005112233445566FFFFFF{}9000", "00".repeat(41));
    assert!(card("007C01093D", &extended).contains("a debit will follow <- -1, after 5"));
    assert_eq!(card("007C000721", "119000").split(" <- ").last(), Some("11"));
    let reload = card(&format!("00B811221733445500790000 03E80832{}", "00".repeat(12)).replace(' ', ""), "1122339000");
    assert!(reload.starts_with("SV Reload: 1000 into the purse"), "{reload}");
    assert!(card(&format!("00BA11221433FF38{}", "00".repeat(17)), "6200").contains("200 out of the purse"));
    assert!(card(&format!("00BC1122143300C8{}", "00".repeat(17)), "1122339000").contains("200 back into the purse"));
    assert!(sam("805401FF00", "9000").contains("sign a debit"));
    assert!(sam("8058000003AABBCC", "9000").contains("<- yes") && sam("8058000003AABBCC", "6988").contains("<- NO"));
}

#[test]
fn signatures() {
    let verify = "802A00A80FFF2B1988C1C2C3D1D2D3D4D5D6D7D8";
    assert!(sam(verify, "9000").contains("are these 3 bytes signed with key KIF 2B KVC 19? <- yes"));
    assert!(sam(verify, "6988").contains("<- NO"));
    assert!(
        sam("802A9E9A06FF2B1988C1C2", "11223344556677889000")
            .contains("sign 2 bytes with key KIF 2B KVC 19 <- 8 bytes")
    );
    assert!(sam("802A9E9A0EFF2B19C80008A1A2A3A4A5A6A7A8", "9000").contains("sign 8 bytes"));
    assert!(sam("801C40000A2B19A1A2A3A4A5A6A7A8", "11223344556677889000").contains("key KIF 2B KVC 19 <- 8 bytes"));
}

/// In a session whose data are ciphered, or when the SAM has digested a command already.
fn after(context: Context, peer: Peer, command: &str, response: &str) -> Explained {
    let exchange = Exchange { command: decode(command).unwrap(), response: Some(decode(response).unwrap()) };
    explain(context, peer, &exchange)
}

#[test]
fn extended_sessions() {
    let weak = card("008A03020900010203040506070800", "030D3D0102030405003079009000");
    assert!(weak.contains("an extended session with key 3") && weak.contains("neither authenticates early"), "{weak}");
    let foretold = card("008A0302010000", "030D3D0102030405022174006200");
    assert!(foretold.contains("It stays closed <- foretold: open, with key KIF 21 KVC 74"), "{foretold}");
    assert!(card("008A0302010000", "6985").contains("refused with 6985"));
    assert!(card("0082000000", "9000").ends_with("what follows is in clear <- agreed"));
    assert!(card("0082000200", "9000").ends_with("the data of what follows are ciphered <- agreed"));
    assert!(card("0082000200", "6985").contains("refused with 6985"));
    let both = card("0082000308112233445566778800", "11223344556677889000");
    assert!(
        both.contains("prove yourself as well; the data of what follows are ciphered <- the MAC is right"),
        "{both}"
    );
    assert!(card("0082000108112233445566778800", "6988").contains("refused with 6988: wrong MAC"));
    assert!(
        sam("808A02FF0E3074030D3D010203040502307400", "9000").contains("begin an extended MAC with key KIF 30 KVC 74")
    );
    assert!(sam("8088800008", "11223344556677889000").starts_with("Digest Internal Authenticate: "));
    assert!(sam("8088800008", "6985").contains("refused with 6985"));
}

#[test]
fn what_decides_about_ciphering() {
    let ciphers = |command, response| after(Context::default(), Peer::Card, command, response).ciphers;
    assert_eq!(ciphers("0082000200", "9000"), Some(true));
    assert_eq!(ciphers("0082000308112233445566778800", "11223344556677889000"), Some(true));
    assert_eq!(ciphers("0082000200", "6985"), None);
    assert_eq!(ciphers("0082000000", "9000"), Some(false));
    assert_eq!(ciphers("008E800008112233445566778800", "9000"), Some(false));
    assert_eq!(ciphers("00B2014C1D", "9000"), None);
}

#[test]
fn ciphered_messages() {
    let ciphered = |command, response| {
        let Explained { name, asks, answers, .. } =
            after(Context { ciphered: true, ..Context::default() }, Peer::Card, command, response);
        format!("{name}: {asks} <- {answers}")
    };
    assert_eq!(ciphered("00B201CC03", "A1A2A39000"), "Read Records: Counters, record 1 <- 3 bytes, ciphered");
    assert_eq!(
        ciphered("003001C803A1A2A300", "B1B2B39000"),
        "Decrease: Counters, counter 1: 3 bytes, ciphered <- 3 bytes, ciphered"
    );
    assert!(ciphered("003001C803A1A2A300", "6200").ends_with("the value comes with the closing"));
    assert!(ciphered("00DC01EC02A1A2", "9000").contains("record 1: 2 bytes, ciphered <- noted"));
    assert!(ciphered("00E200E801A1", "6400").contains("a new record 1: 1 bytes, ciphered <- refused with 6400"));
    assert!(ciphered("00D6810502A1A2", "9000").contains("replace bytes of file 01 from 5 on: 2 bytes, ciphered"));
    assert!(ciphered("0020000004A1A2A3A4", "63C1").contains("4 bytes, ciphered <- WRONG"));
    assert!(ciphered("008E000008112233445566778800", "9000").contains("here is the SAM's MAC"));
}

/// Commands and answers take turns at the SAM.
#[test]
fn ciphered_at_the_sam() {
    let sam = |answer_next, command, response| {
        let context = Context { answer_next, ciphered: true };
        let Explained { asks, answers, precedes, digested, .. } = after(context, Peer::Sam, command, response);
        assert_eq!((precedes, digested), (!answer_next, 1));
        format!("{asks} <- {answers}")
    };
    assert_eq!(
        sam(false, "808C008008003001C803000001", "003001C803A1A2A39000"),
        "cipher this command to the card: 003001C803000001 <- here it is"
    );
    assert!(sam(false, "808C00800500B201CC03", "00B201CC039000").starts_with("a command to the card, without data"));
    assert_eq!(
        sam(true, "808C008005A1A2A39000", "00000990009000"),
        "decipher this answer of the card: A1A2A39000 <- it says 0000099000"
    );
    assert!(sam(true, "808C0080029000", "90009000").starts_with("an answer of the card, without data"));
    assert!(sam(false, "808C008009002000000431323334", "0020000004A1A2A3A49000").contains("0020000004**** <- here"));
}

#[test]
fn other_commands() {
    assert!(
        card("003A00C80801000001020000029000", "0100000B02000016 9000".replace(' ', "").as_str())
            .contains("counter 1: 1 more, counter 2: 2 more <- counter 1 is 11, counter 2 is 22")
    );
    assert!(card("00A2013F0500000001AA", "0201039000").ends_with("<- record 1, 3"));
    assert!(card("00A2013F0500000001AA", "009000").ends_with("<- none"));
    assert!(card("00B0810510", "AA9000").contains("read bytes of file 01 from 5 on <- AA"));
    assert!(card("00D6010502AABB", "9000").contains("replace bytes from 261 on: AABB"));
    assert!(card("00CA006F00", "AA9000").contains("the data object 006F <- AA"));
    assert!(card("0004000000", "9000").starts_with("Invalidate: "));
    assert!(card("00B3013D045402000500", "AA9000").starts_with("Read Record Multiple: "));
}

/// Whatever bytes come, there are words for them.
#[test]
fn nonsense() {
    assert!(card("00FF0000", "9000").starts_with("Unknown command FF"));
    assert!(card("00", "9000").starts_with("Unknown command"));
    let short = Exchange { command: decode("00B2013C1D").unwrap(), response: Some(vec![0x90]) };
    assert_eq!(explain(Context::default(), Peer::Card, &short).answers, "an answer without status word");
    let lost = Exchange { response: None, ..short };
    assert_eq!(explain(Context::default(), Peer::Card, &lost).answers, "no answer: the connection was lost");
    for ins in 0..=0xFF {
        for length in 0..40 {
            let mut command = vec![0x00, ins, 0x01, 0x3C];
            command.extend((0..length).map(|_| 0x07));
            for peer in [Peer::Card, Peer::Sam] {
                let response = Some([&command[..], &[0x90, 0x00]].concat());
                explain(Context::default(), peer, &Exchange { command: command.clone(), response });
            }
        }
    }
}

#[test]
fn long_bytes_are_cut() {
    assert_eq!(short_hex(&[0xAB; 48]).len(), 96);
    assert!(short_hex(&[0xAB; 49]).ends_with("…ABAB (49 bytes)"));
}
