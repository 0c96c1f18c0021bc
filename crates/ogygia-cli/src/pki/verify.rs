//! `ogygia pki verify`: whether a terminal would trust a card.

use std::io::Write;

use ogygia::pki::{Aid, CardPublicKey, Holder, Standing, Tolerance};

use super::args::Verify;
use super::{chain, file};
use crate::error::Failure;
use crate::hex;

/// Verifies from the root down; the first rule that is broken is told.
pub(super) fn run(verify: &Verify, out: &mut dyn Write) -> Result<u8, Failure> {
    let on = chain::day_or_today(verify.on)?;
    let tolerance = Tolerance { expired: verify.accept_expired, ..Tolerance::default() };
    let store = chain::store(&verify.chain, verify.mode.into(), tolerance, on)?;
    let certificate = file::read_card(&verify.card)?;
    let holder = Holder {
        serial_number: verify.serial.unwrap_or_else(|| certificate.serial_number()),
        application: verify.aid.as_ref().map(Aid::as_bytes),
        startup_info: None,
    };
    let refused = |error| chain::refused(&verify.card, &error);
    let key = store.verify_card_certificate(&certificate, &holder, on).map_err(refused)?;
    // A session would be refused with it.
    CardPublicKey::new(key.as_bytes()).map_err(refused)?;
    let standing = match key.standing() {
        Standing::Valid => "valid",
        Standing::Expired => "no longer valid, and accepted,",
    };
    let serial = hex::encode(&certificate.serial_number());
    writeln!(out, "card {serial}, application {}: {standing} on {on}", certificate.aid())?;
    Ok(0)
}
