//! The settings of the vectors.

use ogygia::Error;
use ogygia::card::{KeyId, Kif, Kvc};
use ogygia::pki::{CaCertificate, Day, Mode, PkiError, RootKey, Tolerance, TrustStore};
use ogygia::sam::Sam;
use ogygia::transaction::{PkiSettings, Security, SymmetricSettings};

use super::operation;
use super::vector::{Case, Settings};
use crate::hex::Hex;

/// What the transaction of `case` is secured with; or why the core refuses that.
pub(super) fn of(case: &Case, contactless: bool) -> Result<Result<Security, Error>, String> {
    let Some(settings) = &case.settings else { return Ok(Ok(Security::None)) };
    if case.mode == "pki" {
        return Ok(asymmetric(settings).map_err(Error::Pki));
    }
    let Some(sam) = &case.sam else { return Ok(Ok(Security::None)) };
    let mut symmetric = SymmetricSettings::new(Sam::from_power_on_data(&sam.power_on_data.0));
    symmetric.sam_reader_capacity = sam.reader_payload_capacity;
    apply(settings, contactless, &mut symmetric)?;
    Ok(Ok(Security::Symmetric(symmetric)))
}

fn apply(settings: &Settings, contactless: bool, symmetric: &mut SymmetricSettings) -> Result<(), String> {
    let byte = |hex: &Hex| hex.0.first().copied().ok_or("an empty byte");
    let pair = |(kif, kvc): &(Hex, Hex)| Ok::<_, String>((Kif(byte(kif)?), Kvc(byte(kvc)?)));
    symmetric.multiple_sessions = settings.multiple_session;
    symmetric.ratification_command = settings.ratification_mechanism && contactless;
    symmetric.read_on_opening = !settings.read_on_session_opening_disabled;
    for (level, kvc, kif) in &settings.kif {
        symmetric.kif.push((operation::level(level)?, Kvc(byte(kvc)?), Kif(byte(kif)?)));
    }
    for (level, kif) in &settings.default_kif {
        symmetric.default_kif.push((operation::level(level)?, Kif(byte(kif)?)));
    }
    for (level, kvc) in &settings.default_kvc {
        symmetric.default_kvc.push((operation::level(level)?, Kvc(byte(kvc)?)));
    }
    symmetric.authorized_session_keys = settings.authorized_session_keys.iter().map(pair).collect::<Result<_, _>>()?;
    symmetric.authorized_sv_keys = settings.authorized_sv_keys.iter().map(pair).collect::<Result<_, _>>()?;
    let key = |named: &Option<(Hex, Hex)>| {
        named.as_ref().map(|named| pair(named).map(|(kif, kvc)| KeyId { kif, kvc })).transpose()
    };
    // As the recorded terminal; a terminal that saves requests sends some commands that it then would not have sent.
    symmetric.encryption_stepwise = true;
    symmetric.pin_plain = settings.pin_plain;
    symmetric.pin_verification_key = key(&settings.pin_verification_key)?;
    symmetric.pin_modification_key = key(&settings.pin_modification_key)?;
    symmetric.sv_load_and_debit_log = settings.sv_load_and_debit_log;
    symmetric.sv_negative_balance = settings.sv_negative_balance;
    Ok(())
}

/// The recorded terminal does not look at the end of validity; the vectors were checked in 2026.
fn asymmetric(settings: &Settings) -> Result<Security, PkiError> {
    let today = Day::new(2026, 6, 15).ok_or(PkiError::Date)?;
    let mut trusted = TrustStore::new(if settings.test_mode { Mode::Test } else { Mode::Production });
    trusted.tolerate(Tolerance { expired: true, ..Tolerance::default() });
    for (reference, modulus) in &settings.pca {
        trusted.add_root(RootKey::new(&reference.0, &modulus.0)?)?;
    }
    for certificate in &settings.ca {
        trusted.add_ca(&CaCertificate::parse(&certificate.0)?, today)?;
    }
    let mut pki = PkiSettings::new(trusted, today);
    pki.reads_ca_certificates = settings.ca_parser.unwrap_or(true);
    pki.reads_card_certificates = settings.card_parser.unwrap_or(true);
    Ok(Security::Pki(pki))
}
