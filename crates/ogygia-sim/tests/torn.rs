//! Cards torn at every point of a transaction, through the public interface.
#![expect(clippy::unwrap_used, reason = "a test may stop")]

use ogygia::Loss;
use ogygia_sim::hex::{decode, encode};
use ogygia_sim::{CardLink, Fault, KeySet, Link, Profile, SamLink, SamProduct, VirtualCard, VirtualSam};

const NAME: &str = "A000000291FF9101";

/// A terminal of the simplest kind: every answer is digested when it has come.
struct Terminal {
    card: CardLink,
    sam: SamLink,
}

impl Terminal {
    fn card(&mut self, command: &str) -> Result<String, Loss> {
        let mut answer = Vec::new();
        self.card.send(&decode(command).unwrap(), &mut answer)?;
        let (data, status) = answer.split_last_chunk::<2>().unwrap();
        assert!(matches!(status, [0x90 | 0x6B, 0x00]), "{command} -> {answer:02X?}");
        Ok(encode(data))
    }

    fn sam(&mut self, command: &str) -> String {
        let mut answer = Vec::new();
        self.sam.send(&decode(command).unwrap(), &mut answer).unwrap();
        let (data, status) = answer.split_last_chunk::<2>().unwrap();
        assert_eq!(status, &[0x90, 0x00], "{command}");
        encode(data)
    }

    fn digest(&mut self, block: &str) {
        self.sam(&format!("808C0000{:02X}{block}", block.len() / 2));
    }

    /// Selects, opens, appends an event, counts a trip, closes with `p1`, and ratifies.
    fn validate(&mut self, serial: &str, p1: &str) -> Result<(), Loss> {
        self.card(&format!("00A4040008{NAME}00"))?;
        let challenge = self.sam("8084000004");
        let opening = self.card(&format!("008A030104{challenge}00"))?;
        self.sam(&format!("8014000008{serial}"));
        self.sam(&format!("808A00FF{:02X}3079{opening}", opening.len() / 2 + 2));
        for (command, le) in [("00E2004003A1A2A3", ""), ("003001C803000001", "00")] {
            let answer = self.card(&format!("{command}{le}"))?;
            self.digest(command);
            self.digest(&format!("{answer}9000"));
        }
        let mac = self.sam("808E000004");
        let mac = self.card(&format!("008E{p1}0004{mac}00"))?;
        if p1 == "00" {
            self.card("00B2000000")?;
        }
        self.sam(&format!("8082000004{mac}"));
        Ok(())
    }
}

/// A card with ten trips in counter 1.
fn loaded(profile: &Profile, keys: &KeySet) -> VirtualCard {
    let mut card = VirtualCard::new(profile, keys).unwrap();
    assert!(card.set_record(0x2069, 1, &[0, 0, 10]));
    card
}

#[test]
fn all_or_nothing_wherever_the_card_is_torn() {
    let keys = KeySet::new(b"torn");
    let profile = Profile::builtin("kit-prime-regular-v3").unwrap().unwrap();
    let serial = encode(&profile.applications[1].serial_number.0);
    let fresh = loaded(&profile, &keys);
    let content =
        |card: &VirtualCard| (card.record(0x2010, 1).unwrap()[..3].to_vec(), card.record(0x2069, 1).unwrap()[2]);
    let (before, after) = ((vec![0, 0, 0], 10), (vec![0xA1, 0xA2, 0xA3], 9));
    assert_eq!(content(&fresh), before);
    for p1 in ["00", "80"] {
        // Select, Open, Append, Decrease, Close, ratification: 0 to 5.
        let commands = if p1 == "00" { 6 } else { 5 };
        for at in 0..commands {
            for executed in [false, true] {
                let fault = if executed { Fault::after(at, Loss::Peer) } else { Fault::before(at, Loss::Peer) };
                let mut terminal = Terminal {
                    card: Link::new(loaded(&profile, &keys)).with_fault(fault),
                    sam: Link::new(VirtualSam::new(SamProduct::C1, [1, 2, 3, 4], &keys)),
                };
                assert_eq!(terminal.validate(&serial, p1), Err(Loss::Peer));
                let committed = at > 4 || (at == 4 && executed);
                let case = format!("P1 {p1}, command {at}, executed {executed}");
                assert_eq!(
                    content(terminal.card.card()),
                    if committed { after.clone() } else { before.clone() },
                    "{case}"
                );
                // Only a closing without a command behind it stays unratified.
                let unratified = p1 == "00" && ((at == 4 && executed) || (at == 5 && !executed));
                assert_eq!(terminal.card.card().ratified(), !unratified, "{case}");
                terminal.card.re_present();
                assert_eq!(terminal.validate(&serial, p1), Ok(()), "{case}");
            }
        }
    }
}
