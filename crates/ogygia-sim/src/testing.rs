//! What the tests share: cards, SAMs, and a pair that talks through commands written by hand.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

use crate::hex::{decode, encode};
use crate::{KeySet, Profile, SamProduct, VirtualCard, VirtualSam};

pub(crate) fn keys() -> KeySet {
    KeySet::new(b"tests")
}

pub(crate) fn card(id: &str) -> VirtualCard {
    VirtualCard::new(&Profile::builtin(id).unwrap().unwrap(), &keys()).unwrap()
}

/// A card with its application `name` selected.
pub(crate) fn selected(id: &str, name: &str) -> VirtualCard {
    let mut card = card(id);
    let cla = encode(&[card.profile().card_class.0]);
    let answer = to_card(&mut card, &format!("{cla}A40400{:02X}{name}00", name.len() / 2));
    assert!(answer.ends_with("9000"), "{answer}");
    card
}

pub(crate) fn to_card(card: &mut VirtualCard, command: &str) -> String {
    encode(&card.transmit(&decode(command).unwrap()))
}

/// Name of the first transport application of the third issue of the regular kit.
pub(crate) const TRANSPORT: &str = "A000000291FF9101";

/// Serial number of the SAM.
pub(crate) const SAM_SERIAL: [u8; 4] = [0x11, 0x22, 0x33, 0x44];

pub(crate) fn sam(product: SamProduct) -> VirtualSam {
    VirtualSam::new(product, SAM_SERIAL, &keys())
}

pub(crate) fn to_sam(sam: &mut VirtualSam, command: &str) -> String {
    encode(&sam.transmit(&decode(command).unwrap()))
}

/// A card and a SAM, and what a terminal would note for the digest.
pub(crate) struct Pair {
    pub(crate) card: VirtualCard,
    pub(crate) sam: VirtualSam,
}

impl Pair {
    pub(crate) fn new(id: &str, name: &str) -> Self {
        Self { card: selected(id, name), sam: sam(SamProduct::C1) }
    }

    pub(crate) fn card(&mut self, command: &str) -> String {
        to_card(&mut self.card, command)
    }

    pub(crate) fn sam(&mut self, command: &str) -> String {
        let answer = to_sam(&mut self.sam, command);
        assert!(answer.ends_with("9000"), "{command} -> {answer}");
        answer[..answer.len() - 4].to_owned()
    }

    /// Opens with the command in which `CHALLENGE` stands for the challenge; returns the data of the answer.
    pub(crate) fn open(&mut self, command: &str, kif_kvc: &str, serial: &str) -> String {
        let extended = command.contains("09 00");
        let challenge = self.sam(if extended { "8084000008" } else { "8084000004" });
        let answer = self.card(&command.replace("CHALLENGE", &challenge).replace(' ', ""));
        assert!(answer.ends_with("9000"), "{answer}");
        let opening = answer[..answer.len() - 4].to_owned();
        self.sam(&format!("8014000008{serial}"));
        let p1 = if extended { "02" } else { "00" };
        self.sam(&format!("808A{p1}FF{:02X}{kif_kvc}{opening}", opening.len() / 2 + 2));
        opening
    }

    /// Exchanges a command with the card and digests both; a case 4 command ends with `|00`.
    pub(crate) fn exchange(&mut self, command: &str) -> String {
        let answer = self.card(&command.replace('|', ""));
        let fed = command.split('|').next().unwrap();
        for block in [fed, &answer] {
            self.sam(&format!("808C0000{:02X}{block}", block.len() / 2));
        }
        answer
    }

    /// Closes with P1 as given; returns the postponed items.
    pub(crate) fn close(&mut self, class: &str, p1: &str, length: usize) -> String {
        let mac = self.sam(&format!("808E0000{length:02X}"));
        let answer = self.card(&format!("{class}8E{p1}00{length:02X}{mac}00"));
        assert!(answer.ends_with("9000"), "{answer}");
        let (items, rest) = answer.split_at(answer.len() - 4 - 2 * length);
        self.sam(&format!("80820000{length:02X}{}", &rest[..2 * length]));
        items.to_owned()
    }
}

/// Serial number of the application `at` of a profile.
pub(crate) fn serial_of(id: &str, at: usize) -> String {
    let profile = Profile::builtin(id).unwrap().unwrap();
    encode(&profile.applications[at].serial_number.0)
}

/// A regular revision 3 card, its transport application selected, and its serial number.
pub(crate) fn prime() -> (Pair, String) {
    let pair = Pair::new("kit-prime-regular-v3", TRANSPORT);
    (pair, serial_of("kit-prime-regular-v3", 1))
}
