//! The SAM alone, command by command.
#![expect(clippy::string_slice, reason = "hexadecimal text is ASCII")]

mod arbitrary;
mod cards;
mod certificates;
mod control;
mod counting;
mod keys;
mod reading;
mod unlocking;
mod writing;

use super::{SamProfile, SystemKey, VirtualSam};
use crate::cipher::{RECORD_LEN, WrittenRecord};
use crate::hex::{decode, encode};
use crate::testing::{SAM_SERIAL, keys, to_sam as send};

/// Serial number of the target, as Select Diversifier tells it for parameters and ceilings, and for keys.
const SN4: &str = "11223344";
const SN8: &str = "0000000011223344";

/// A SAM of a profile that comes with the crate, changed.
fn made(id: &str, change: impl FnOnce(&mut SamProfile)) -> VirtualSam {
    let mut profile = SamProfile::builtin(id).unwrap().unwrap();
    change(&mut profile);
    VirtualSam::personalized(&profile, SAM_SERIAL, &keys()).unwrap()
}

fn target() -> VirtualSam {
    made("sam-target", |_| ())
}

/// The data of an answer that must be `9000`.
fn data(sam: &mut VirtualSam, command: &str) -> String {
    let answer = send(sam, command);
    assert!(answer.ends_with("9000"), "{command} -> {answer}");
    answer[..answer.len() - 4].to_owned()
}

/// A SAM to be written, and the one that ciphers for it.
struct Secure {
    target: VirtualSam,
    control: VirtualSam,
}

impl Secure {
    fn new(target: VirtualSam) -> Self {
        let profile = SamProfile::builtin("sam-control").unwrap().unwrap();
        Self { target, control: VirtualSam::personalized(&profile, [9, 9, 9, 9], &keys()).unwrap() }
    }

    fn target(&mut self, command: &str) -> String {
        send(&mut self.target, command)
    }

    /// What the control SAM makes of a command for the challenge.
    fn block(&mut self, diversifier: &str, challenge: &str, command: &str) -> String {
        data(&mut self.control, &format!("80140000{:02X}{diversifier}", diversifier.len() / 2));
        data(&mut self.control, &format!("8086000008{challenge}"));
        let block = data(&mut self.control, command);
        assert_eq!(block.len(), 96);
        block
    }

    /// Ciphers a record for a challenge of the target, and writes it.
    fn write(&mut self, p2: &str, kvc_and_record: &str) -> String {
        let challenge = data(&mut self.target, "8084000008");
        let block = self.block(SN4, &challenge, &format!("801600{p2}1E{kvc_and_record}"));
        self.target(&format!("80D800{p2}30{block}"))
    }

    /// Ciphers a record for the value of a counter, and makes the command that writes it.
    fn container(&mut self, counter: u32, p2: &str, kvc_and_record: &str) -> String {
        let block = self.block(SN4, &format!("{counter:016X}"), &format!("801600{p2}1E{kvc_and_record}"));
        format!("80D808{p2}30{block}")
    }

    /// Ciphers a key for a challenge of the target, and writes it.
    fn transfer(&mut self, p1: &str, p2: &str, request: &str) -> String {
        let challenge = data(&mut self.target, "8084000008");
        let block = self.block(SN8, &challenge, &format!("8016{p1}{p2}{:02X}{request}", request.len() / 2));
        self.target(&format!("801A00{p2}30{block}"))
    }

    /// Writes a record that no control SAM would cipher, with the header and what is behind the block as given.
    fn forge(&mut self, which: SystemKey, header: &str, reference: u8, record: &str, behind: &str) -> String {
        let challenge = data(&mut self.target, "8084000008");
        let challenge = decode(&challenge).unwrap().try_into().unwrap();
        let mut padded = [0; RECORD_LEN];
        decode(record).unwrap().into_iter().zip(&mut padded).for_each(|(from, to)| *to = from);
        let key = self.target.keys.system(which).unwrap().diversified(Some(&SAM_SERIAL)).unwrap();
        let record = WrittenRecord { record: padded.into(), reference, diversified: false };
        let block = encode(&record.cipher(&key, &challenge));
        self.target(&format!("{header}{:02X}{block}{behind}", (block.len() + behind.len()) / 2))
    }
}

/// A record of one ceiling behind the KVC of the Reloading key.
fn one_ceiling(number: u8, ceiling: u32) -> String {
    format!("F3{number:02X}{ceiling:06X}{}", "00".repeat(25))
}

/// A record of nine ceilings behind the KVC of the Reloading key.
fn nine_ceilings(ceilings: [u32; 9], configuration: &str) -> String {
    let ceilings: String = ceilings.iter().map(|ceiling| format!("{ceiling:06X}")).collect();
    format!("F3{ceilings}{configuration}")
}
