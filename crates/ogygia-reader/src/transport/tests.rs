//! Exchanges in hexadecimal text: what the core sends, what goes over the wire, what the core gets.

use super::*;

fn hex(text: &str) -> Vec<u8> {
    text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// Checks that `command` has exactly the exchanges of `wire`, and this result.
#[track_caller]
fn check(protocol: Protocol, command: &str, wire: &[(&str, &str)], result: &str) {
    let mut left = wire.iter();
    // What stands before is another answer, and must stay.
    let mut answer = hex("C0DE61FF");
    exchange(protocol, &hex(command), &mut answer, |sent, out| {
        let (expected, reply) = left.next().unwrap();
        assert_eq!(sent, hex(expected));
        out.extend(hex(reply));
        Ok(())
    })
    .unwrap();
    assert_eq!(left.next(), None);
    assert_eq!(answer, [hex("C0DE61FF"), hex(result)].concat());
}

const BOTH: [Protocol; 2] = [Protocol::T0, Protocol::T1];

/// The examples of specification 05, "Automatic handling of SW".
#[test]
fn the_examples_of_the_specification() {
    for protocol in BOTH {
        let chain = [("00A4040000", "AABBCCDD6104"), ("00C0000004", "112233446104"), ("00C0000004", "556677889000")];
        check(protocol, "00A4040000", &chain, "AABBCCDD11223344556677889000");
        let warning = [("00A4040000", "AABBCCDD6104"), ("00C0000004", "112233446283")];
        check(protocol, "00A4040000", &warning, "AABBCCDD112233446283");
        let most = [("00A4040000", "6100"), ("00C0000000", "AABBCC9000")];
        check(protocol, "00A4040000", &most, "AABBCC9000");
        check(protocol, "00B2013C00", &[("00B2013C00", "6C02"), ("00B2013C02", "11229000")], "11229000");
    }
    let without_data = [("112233440412345678", "9000"), ("00C0000002", "00009000")];
    check(Protocol::T0, "11223344041234567802", &without_data, "00009000");
}

#[test]
fn four_cases_over_t0() {
    check(Protocol::T0, "0020000000", &[("0020000000", "63C3")], "63C3");
    check(Protocol::T0, "00B2013C02", &[("00B2013C02", "11229000")], "11229000");
    check(Protocol::T0, "00DC013C021122", &[("00DC013C021122", "9000")], "9000");
    let fetched = [("0032018003000064", "6103"), ("00C0000003", "0001009000")];
    check(Protocol::T0, "003201800300006400", &fetched, "0001009000");
    // Long data are data, and a Le of FF is no length of data.
    let long = "11".repeat(200);
    let fetched = [(&*format!("00A2010FC8{long}"), "6101"), ("00C0000001", "059000")];
    check(Protocol::T0, &format!("00A2010FC8{long}00"), &fetched, "059000");
    check(Protocol::T0, "80CADF43FF", &[("80CADF43FF", "9000")], "9000");
    // What a SAM is sent without Le is answered all the same.
    check(Protocol::T0, "802A9E9A021122", &[("802A9E9A021122", "6102"), ("00C0000002", "55669000")], "55669000");
}

#[test]
fn four_cases_over_t1() {
    check(Protocol::T1, "0020000000", &[("0020000000", "63C3")], "63C3");
    check(Protocol::T1, "003201800300006400", &[("003201800300006400", "0001009000")], "0001009000");
    // Nothing waits where an answer could have come at once.
    check(Protocol::T1, "003201800300006400", &[("003201800300006400", "9000")], "9000");
    check(
        Protocol::T1,
        "003201800300006400",
        &[("003201800300006400", "6103"), ("00C0000003", "0001009000")],
        "0001009000",
    );
    let again = [("003201800300006400", "6C03"), ("003201800300006403", "0001009000")];
    check(Protocol::T1, "003201800300006400", &again, "0001009000");
}

#[test]
fn answers_that_nobody_announced() {
    // Invalidated it stays, although its answer could be fetched.
    let invalidated = [("00A4040002A000", "6283"), ("00C0000000", "6F009000")];
    check(Protocol::T0, "00A4040002A00000", &invalidated, "6F006283");
    let right_length = [("00A4040002A000", "9000"), ("00C0000000", "6C02"), ("00C0000002", "6F009000")];
    check(Protocol::T0, "00A4040002A00000", &right_length, "6F009000");
    let in_parts = [("00A4040002A000", "9000"), ("00C0000000", "6F6101"), ("00C0000001", "009000")];
    check(Protocol::T0, "00A4040002A00000", &in_parts, "6F009000");
    let refused = [("00A4040002A000", "9000"), ("00C0000000", "6985")];
    check(Protocol::T0, "00A4040002A00000", &refused, "6985");
    // A counter that is answered later, and a record that is not there, have nothing to fetch.
    check(Protocol::T0, "003201800300006400", &[("0032018003000064", "6200")], "6200");
    check(Protocol::T0, "00A2010F0211220000", &[("00A2010F0211220000", "6A83")], "6A83");
    check(Protocol::T0, "00A2010F02112200", &[("00A2010F021122", "6A83")], "6A83");
}

#[test]
fn wrong_lengths() {
    for protocol in BOTH {
        // Without a Le there is nothing to mend, and with data nothing to repeat.
        check(protocol, "00DC013C021122", &[("00DC013C021122", "6C02")], "6C02");
        check(protocol, "00B2013C", &[("00B2013C", "6C02")], "6C02");
        check(protocol, "00B2013C00", &[("00B2013C00", "116C02")], "116C02");
        let in_a_chain = [("00A4040000", "6104"), ("00C0000004", "6C02"), ("00C0000002", "55669000")];
        check(protocol, "00A4040000", &in_a_chain, "55669000");
    }
    // Over T=0 the Le of a command with data is not sent, so that no other can be.
    check(Protocol::T0, "003201800300006400", &[("0032018003000064", "6C03")], "6C03");
}

#[test]
fn certificates_of_389_bytes() {
    let (first, rest) = ("11".repeat(256), "22".repeat(133));
    let wire = [("80CADF4300", &*format!("{first}6185")), ("00C0000085", &*format!("{rest}9000"))];
    check(Protocol::T0, "80CADF4300", &wire, &format!("{first}{rest}9000"));
    check(Protocol::T1, "80CADF4300", &[("80CADF4300", &format!("{first}{rest}9000"))], &format!("{first}{rest}9000"));
}

#[test]
fn nobody_asks_for_ever() {
    for (reply, result) in [("116101", "11".repeat(MAX_ROUNDS) + "6101"), ("6C01", "6C01".to_owned())] {
        for protocol in BOTH {
            let mut sent = 0;
            let mut answer = Vec::new();
            exchange(protocol, &hex("00B2013C00"), &mut answer, |_, out| {
                sent += 1;
                out.extend(hex(reply));
                Ok(())
            })
            .unwrap();
            assert_eq!((sent, answer), (MAX_ROUNDS, hex(&result)));
        }
    }
}

#[test]
fn losses() {
    for (reply, loss) in [(Err(Loss::Reader), Loss::Reader), (Ok(""), Loss::Peer), (Ok("90"), Loss::Peer)] {
        for before in [0, 1] {
            let mut sent = 0;
            let lost = exchange(Protocol::T1, &hex("00B2013C00"), &mut Vec::new(), |_, out| {
                sent += 1;
                out.extend(hex(if sent > before { reply? } else { "116101" }));
                Ok(())
            });
            assert_eq!((lost, sent), (Err(loss), before + 1));
        }
    }
}

/// Whatever is answered, the result is what a peer has said last, and nothing before it is touched.
#[test]
fn any_command_gets_a_result() {
    for length in 0..12_u8 {
        for lc in 0..8_u8 {
            let mut command = vec![0; usize::from(length)];
            if let Some(byte) = command.get_mut(4) {
                *byte = lc;
            }
            for protocol in BOTH {
                for reply in ["9000", "6103", "6C02", "6283", "6A82"] {
                    let mut answer = hex("1234");
                    exchange(protocol, &command, &mut answer, |sent, out| {
                        assert!(sent.len() <= command.len().max(5));
                        out.extend(hex(reply));
                        Ok(())
                    })
                    .unwrap();
                    assert_eq!(answer, [hex("1234"), hex(reply)].concat());
                }
            }
        }
    }
}
