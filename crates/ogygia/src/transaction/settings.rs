//! What secures a transaction: specification 02, "Security settings" and "Session key choice".

use alloc::vec::Vec;

use crate::card::{KeyId, Kif, Kvc, Level};
use crate::command::{Means, Mode};
use crate::error::{Argument, Error, Untrusted};
use crate::sam::Sam;

/// What secures a transaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Security {
    /// Nothing: no session, and only what the card leaves free.
    None,
    /// A SAM.
    Symmetric(SymmetricSettings),
    /// Certificates.
    #[cfg(feature = "pki")]
    Pki(super::PkiSettings),
}

impl Security {
    /// What sessions are secured with, and how they are wanted.
    pub(super) fn means(&self) -> Means {
        match self {
            Self::None => Means::NONE,
            Self::Symmetric(settings) => settings.means(),
            #[cfg(feature = "pki")]
            Self::Pki(_) => Means { mode: Mode::Asymmetric, read_on_opening: true, ..Means::NONE },
        }
    }
}

/// When requests are released: specification 02, "What depends on what".
///
/// Both policies tell card and SAM the same commands in the same order, and have the same exchanges digested in the same
/// order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// As few requests as possible: work for the SAM waits until its result is needed, and one peer at a time is asked.
    #[default]
    Grouped,
    /// As short a time as possible, for readers that are near: while the card works, the SAM does what it can already do.
    ///
    /// - With the opening, the SAM selects the diversifier; what the card answers is digested as it comes, also between
    ///   two processings.
    /// - While the card executes what stands before the closing and is certain, the SAM makes its MAC.
    /// - While the card is ratified, the SAM verifies it.
    /// - Outside a session, the SAM selects the diversifier for a PIN, a key or a payment while the card gives what these
    ///   need, and works on signatures while the card does anything.
    ///
    /// For this the opening, the closing and the ratification are card requests of their own: at most three more in a
    /// session. Where commands are ciphered by the SAM, card and SAM wait for each other as always.
    Overlapped,
}

/// Settings of a transaction under the control of a SAM.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SymmetricSettings {
    /// The SAM.
    pub sam: Sam,
    /// When requests are released.
    pub policy: Policy,
    /// The most bytes that the reader of the SAM takes at once, where that is less than the SAM takes.
    pub sam_reader_capacity: Option<u8>,
    /// When the modifications do not fit in one session, it is closed and another one opened. Then what is written is
    /// not atomic.
    pub multiple_sessions: bool,
    /// A ratification command follows the closing, so that the card knows that its answer was received. Of use with
    /// contactless readers only.
    pub ratification_command: bool,
    /// The first record is read by the opening itself. True unless set.
    pub read_on_opening: bool,
    /// The KIF for a level and a KVC, for cards that do not give it.
    pub kif: Vec<(Level, Kvc, Kif)>,
    /// The KIF for a level, where `kif` has none.
    pub default_kif: Vec<(Level, Kif)>,
    /// The KVC for a level, for cards that do not give it.
    pub default_kvc: Vec<(Level, Kvc)>,
    /// The keys with which a session may be opened; every key when empty.
    pub authorized_session_keys: Vec<(Kif, Kvc)>,
    /// PINs travel in clear.
    pub pin_plain: bool,
    /// The key that ciphers a PIN presented outside a session.
    pub pin_verification_key: Option<KeyId>,
    /// The key that ciphers a new PIN.
    pub pin_modification_key: Option<KeyId>,
    /// SV Get reads both logs, where one command does not give both.
    pub sv_load_and_debit_log: bool,
    /// A debit may bring the balance below 0.
    pub sv_negative_balance: bool,
    /// With encryption, every command and every answer passes through the SAM by itself, before anything more is sent:
    /// more requests, but nothing is ever sent that the SAM might have refused to digest.
    pub encryption_stepwise: bool,
    /// The keys with which the purse may be used; every key when empty. The card tells only the KVC.
    pub authorized_sv_keys: Vec<(Kif, Kvc)>,
}

impl SymmetricSettings {
    /// The default of every setting.
    #[must_use]
    pub const fn new(sam: Sam) -> Self {
        Self {
            sam,
            policy: Policy::Grouped,
            sam_reader_capacity: None,
            multiple_sessions: false,
            ratification_command: false,
            read_on_opening: true,
            kif: Vec::new(),
            default_kif: Vec::new(),
            default_kvc: Vec::new(),
            authorized_session_keys: Vec::new(),
            pin_plain: false,
            pin_verification_key: None,
            pin_modification_key: None,
            sv_load_and_debit_log: false,
            sv_negative_balance: false,
            encryption_stepwise: false,
            authorized_sv_keys: Vec::new(),
        }
    }

    /// The most bytes of one card command or answer that the SAM digests.
    pub(super) fn digest_capacity(&self) -> u8 {
        let product = self.sam.product.digest_capacity();
        self.sam_reader_capacity.map_or(product, |reader| reader.min(product))
    }

    fn means(&self) -> Means {
        let digest_capacity = self.digest_capacity();
        Means {
            mode: Mode::Symmetric,
            // A command has a header of five bytes.
            capacity: digest_capacity.saturating_sub(5),
            digest_capacity,
            extended: self.sam.product.supports_extended(),
            multiple_sessions: self.multiple_sessions,
            ratify: self.ratification_command,
            read_on_opening: self.read_on_opening,
            pin_plain: self.pin_plain,
            pin_verification_key: self.pin_verification_key,
            pin_modification_key: self.pin_modification_key,
            both_sv_logs: self.sv_load_and_debit_log,
            overlapped: self.policy == Policy::Overlapped,
            stepwise: self.encryption_stepwise,
        }
    }

    /// A key identifier or version of 0 names no key: it is refused here and not in the middle of a session.
    pub(super) fn check(&self) -> Result<(), Error> {
        let kifs = self.kif.iter().map(|(_, _, kif)| kif).chain(self.default_kif.iter().map(|(_, kif)| kif));
        let kvcs = self.kif.iter().map(|(_, kvc, _)| kvc).chain(self.default_kvc.iter().map(|(_, kvc)| kvc));
        let pairs = &self.authorized_session_keys;
        let zero = kifs.chain(pairs.iter().map(|(kif, _)| kif)).any(|kif| kif.0 == 0)
            || kvcs.chain(pairs.iter().map(|(_, kvc)| kvc)).any(|kvc| kvc.0 == 0);
        if zero { Err(Argument::Key.into()) } else { Ok(()) }
    }

    /// The key of a session that the card opened at `level`, naming these.
    pub(super) fn session_key(
        &self,
        level: Level,
        kif: Option<Kif>,
        kvc: Option<Kvc>,
    ) -> Result<(Kif, Kvc), Untrusted> {
        let kvc = kvc.or_else(|| find(&self.default_kvc, level));
        let kif = kif.or_else(|| self.configured_kif(level, kvc?));
        let unknown = Untrusted::SessionKey { kif, kvc };
        let key @ (kif, kvc) = kif.zip(kvc).ok_or(unknown)?;
        let listed = self.authorized_session_keys.is_empty() || self.authorized_session_keys.contains(&key);
        if listed && kif.0 != 0 && kvc.0 != 0 { Ok(key) } else { Err(unknown) }
    }

    fn configured_kif(&self, level: Level, kvc: Kvc) -> Option<Kif> {
        let assigned = self.kif.iter().find(|(l, v, _)| (*l, *v) == (level, kvc)).map(|(_, _, kif)| *kif);
        assigned.or_else(|| find(&self.default_kif, level))
    }
}

fn find<T: Copy>(list: &[(Level, T)], level: Level) -> Option<T> {
    list.iter().find(|(listed, _)| *listed == level).map(|(_, value)| *value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    const SAM: [u8; 19] =
        [0x3B, 0x3F, 0x96, 0x00, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];

    fn settings() -> SymmetricSettings {
        SymmetricSettings::new(Sam::from_power_on_data(&SAM))
    }

    #[test]
    fn key_of_the_card_first() {
        let mut settings = settings();
        settings.default_kif = vec![(Level::Debit, Kif(0x30))];
        settings.default_kvc = vec![(Level::Debit, Kvc(0x79))];
        let key = |kif, kvc| settings.session_key(Level::Debit, kif, kvc).ok();
        assert_eq!(key(Some(Kif(0x21)), Some(Kvc(0x77))), Some((Kif(0x21), Kvc(0x77))));
        assert_eq!(key(None, Some(Kvc(0x77))), Some((Kif(0x30), Kvc(0x77))));
        assert_eq!(key(None, None), Some((Kif(0x30), Kvc(0x79))));
        assert_eq!(key(Some(Kif(0)), None), None);
        assert!(settings.session_key(Level::Load, None, Some(Kvc(0x77))).is_err());
    }

    #[test]
    fn assigned_kif_before_the_default() {
        let mut settings = settings();
        settings.kif = vec![(Level::Debit, Kvc(0x79), Kif(0x31))];
        settings.default_kif = vec![(Level::Debit, Kif(0x30))];
        assert_eq!(settings.session_key(Level::Debit, None, Some(Kvc(0x79))), Ok((Kif(0x31), Kvc(0x79))));
    }

    #[test]
    fn authorised_keys() {
        let mut settings = settings();
        settings.authorized_session_keys = vec![(Kif(0x30), Kvc(0x79))];
        assert!(settings.session_key(Level::Debit, Some(Kif(0x30)), Some(Kvc(0x79))).is_ok());
        let other = settings.session_key(Level::Debit, Some(Kif(0x30)), Some(Kvc(0x78)));
        assert_eq!(other, Err(Untrusted::SessionKey { kif: Some(Kif(0x30)), kvc: Some(Kvc(0x78)) }));
    }

    #[test]
    fn keys_of_zero_are_not_configured() {
        let mut settings = settings();
        settings.default_kif = vec![(Level::Debit, Kif(0))];
        assert_eq!(settings.check(), Err(Argument::Key.into()));
    }

    #[test]
    fn reader_of_the_sam_limits_the_digest() {
        let mut settings = settings();
        assert_eq!(settings.digest_capacity(), 255);
        settings.sam_reader_capacity = Some(239);
        assert_eq!(settings.digest_capacity(), 239);
    }
}
