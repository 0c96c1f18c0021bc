//! What SAMs make and hold for cards: key pairs, certificates, the certificate of their authority.

use ogygia::sam::{CertifyCard, Sam, SamData, SamImage};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{ChannelControl, Day, drive};

use super::exchange::{Recorded, first_command};
use super::{Answer, Unanswered, Vector, same, wrong};
use crate::hex::{self, Hex};

/// A SAM C1: the vectors do not name theirs.
const C1: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];

/// Has the SAM do what its command says, and compares the command and what comes back.
pub(super) fn command(vector: &Vector) -> Result<Answer, Unanswered> {
    let pairs = vector.pairs("apdus")?;
    let mut transaction = SamTransaction::new(SamImage::new(Sam::from_power_on_data(&C1)));
    let made = match first_command(&pairs) {
        [0x80, 0xCA, 0xDF, 0x43, ..] => {
            transaction.prepare(SamData::CaCertificate).map_err(|error| error.to_string())?;
            run(&mut transaction, pairs)?;
            transaction.image().ca_certificate().map(|certificate| certificate.to_vec())
        }
        [0x80, 0x46, ..] => {
            let id = transaction.prepare_key_pair().map_err(|error| error.to_string())?;
            run(&mut transaction, pairs)?;
            transaction.key_pair(id).map(|pair| pair.reveal().to_vec())
        }
        [0x80, 0x2A, 0xEE, 0xAC, _, data @ .., _] => {
            let certify = certify(data).ok_or_else(|| wrong("a request for a certificate that cannot be read"))?;
            let id = transaction.prepare_certificate(&certify).map_err(|error| error.to_string())?;
            run(&mut transaction, pairs)?;
            transaction.certificate(id).map(|certificate| certificate.to_vec())
        }
        other => return Err(wrong(format!("unknown command {}", hex::encode(other)))),
    };
    same("data", &made.unwrap_or_default(), &vector.hex.0)?;
    Ok(Answer::Valid)
}

/// The request in the data of a command: specification 03, "PSO Compute Certificate".
fn certify(data: &[u8]) -> Option<CertifyCard<'_>> {
    let day = |at: usize| Day::from_bcd(data.get(at..)?.first_chunk().copied()?).ok();
    let aid_len = usize::from(*data.get(3)?);
    Some(CertifyCard {
        aid: data.get(4..4 + aid_len)?,
        serial_number: data.get(20..)?.first_chunk().copied()?,
        startup_info: data.get(41..)?.first_chunk().copied()?,
        start: day(32)?,
        end: day(36)?,
        public_key: data.get(66..)?.try_into().ok(),
    })
}

fn run(transaction: &mut SamTransaction, pairs: Vec<(Hex, Hex)>) -> Result<(), Unanswered> {
    let mut sam = Recorded::new(pairs);
    let ran = drive::run_sam(transaction, &mut sam, &mut drive::NoSam, ChannelControl::KeepOpen);
    sam.end()?;
    ran.map_err(|error| wrong(error.to_string()))
}
