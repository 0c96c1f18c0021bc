//! The keys that a terminal trusts, and what it verifies with them. Specification 04, "Terminal settings" and
//! "Validation rules".

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::issuer::Limits;
use super::{
    CaCertificate, CardCertificate, CardContent, Day, Holder, Issuer, KeyReference, PkiError, RootKey, Scope, Validity,
};

/// Which certificates of authorities are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Those for production.
    #[default]
    Production,
    /// Those for tests.
    Test,
}

/// What is accepted although a careful terminal refuses it. By default, nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerance {
    /// What is no longer valid, authorities and cards; [`Standing`] tells. Existing terminals accept it with a
    /// warning: specification 04, "Ambiguous or suspicious points", number 8.
    pub expired: bool,
    /// Authorities with a right of the reserved value; they may then not do what it is about: number 11.
    pub reserved_rights: bool,
}

/// How something stands that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Valid.
    Valid,
    /// No longer valid, or its issuer is not; accepted because of [`Tolerance::expired`].
    Expired,
}

/// Trusted keys: those of root authorities, and those of authorities whose certificates were verified.
///
/// There is no removal. Another set of keys is another store.
///
/// ```
/// use ogygia::pki::{CaCertificate, CardCertificate, Day, Holder, Mode, PkiError, RootKey, TrustStore, VerifiedKey};
///
/// fn verify(root: RootKey, ca: &[u8], card: &[u8], holder: &Holder<'_>, today: Day) -> Result<VerifiedKey, PkiError> {
///     let mut store = TrustStore::new(Mode::Production);
///     store.add_root(root)?;
///     store.add_ca(&CaCertificate::parse(ca)?, today)?;
///     store.verify_card_certificate(&CardCertificate::parse(card)?, holder, today)
/// }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrustStore {
    mode: Mode,
    tolerance: Tolerance,
    issuers: Vec<Issuer>,
}

/// The public key of a card, proved by its certificate. Only a verification makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedKey {
    content: CardContent,
    standing: Standing,
}

impl TrustStore {
    /// A store without keys, which tolerates nothing.
    #[must_use]
    pub const fn new(mode: Mode) -> Self {
        Self { mode, tolerance: Tolerance { expired: false, reserved_rights: false }, issuers: Vec::new() }
    }

    /// Tolerates this, and nothing else, from now on.
    pub const fn tolerate(&mut self, tolerance: Tolerance) {
        self.tolerance = tolerance;
    }

    /// Which certificates of authorities are accepted.
    #[must_use]
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// The key of this name, if it is trusted.
    #[must_use]
    pub fn issuer(&self, reference: &KeyReference) -> Option<&Issuer> {
        self.issuers.iter().find(|issuer| issuer.reference == *reference)
    }

    /// All keys, in the order in which they were registered.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// Trusts a root key.
    ///
    /// # Errors
    ///
    /// [`PkiError::AlreadyRegistered`].
    pub fn add_root(&mut self, root: RootKey) -> Result<(), PkiError> {
        self.is_free(&root.reference)?;
        let RootKey { reference, key } = root;
        self.issuers.push(Issuer { reference, key, limits: None, certificate: None });
        Ok(())
    }

    /// Verifies the certificate of an authority, and trusts its key. Issuers come before those that they certify.
    ///
    /// # Errors
    ///
    /// The rules of specification 04, "Verifying a CA certificate with its issuer", and those that "What is not
    /// verified" suggests; [`PkiError::IssuerNotRegistered`], [`PkiError::AlreadyRegistered`]. The store is then as it
    /// was.
    pub fn add_ca(&mut self, certificate: &CaCertificate, on: Day) -> Result<Standing, PkiError> {
        let reference = certificate.subject();
        let issuer = self.issuer_of(certificate.issuer())?;
        let (key, limits) = certificate.verified_by(issuer)?;
        self.accepts(&limits)?;
        let standing = self.standing(issuer, &limits.validity, on)?;
        limits.are_within(issuer)?;
        self.is_free(&reference)?;
        let certificate = Some(Box::new(certificate.clone()));
        self.issuers.push(Issuer { reference, key, limits: Some(limits), certificate });
        Ok(standing)
    }

    /// Trusts the authority whose certificate the card itself holds, if it is the one that certifies the card.
    /// Does nothing when the same certificate is trusted already: two transactions may learn it at the same time.
    ///
    /// # Errors
    ///
    /// [`PkiError::NotTheIssuer`], or those of [`Self::add_ca`].
    pub fn learn_issuer(&mut self, of: &CardCertificate, certificate: &CaCertificate, on: Day) -> Result<(), PkiError> {
        if certificate.subject() != of.issuer() {
            return Err(PkiError::NotTheIssuer);
        }
        let known = self.issuer(&certificate.subject()).and_then(|issuer| issuer.certificate.as_deref());
        if known == Some(certificate) { Ok(()) } else { self.add_ca(certificate, on).map(drop) }
    }

    /// Verifies the certificate of a card.
    ///
    /// # Errors
    ///
    /// The rules of specification 04, "Verifying a card certificate with its issuer", and those that "What is not
    /// verified" suggests. [`PkiError::IssuerNotRegistered`] is the one that reading the authority's certificate from
    /// the card may mend: [`Self::learn_issuer`].
    pub fn verify_card_certificate(
        &self,
        certificate: &CardCertificate,
        holder: &Holder<'_>,
        on: Day,
    ) -> Result<VerifiedKey, PkiError> {
        certificate.is_about(holder)?;
        let issuer = self.issuer_of(certificate.issuer())?;
        let content = certificate.verified_by(issuer)?;
        if holder.startup_info.is_some_and(|startup| startup != content.startup_info) {
            return Err(PkiError::StartupInfoMismatch);
        }
        let standing = self.standing(issuer, &content.validity, on)?;
        certificate.is_within(&content, issuer)?;
        Ok(VerifiedKey { content, standing })
    }

    fn issuer_of(&self, reference: KeyReference) -> Result<&Issuer, PkiError> {
        self.issuer(&reference).ok_or(PkiError::IssuerNotRegistered(reference))
    }

    fn is_free(&self, reference: &KeyReference) -> Result<(), PkiError> {
        match self.issuer(reference) {
            Some(_) => Err(PkiError::AlreadyRegistered(*reference)),
            None => Ok(()),
        }
    }

    fn accepts(&self, limits: &Limits) -> Result<(), PkiError> {
        match (self.mode, limits.scope) {
            (_, Scope::Any) | (Mode::Production, Scope::Production) | (Mode::Test, Scope::Test) => {}
            (Mode::Production, Scope::Test) => return Err(PkiError::ScopeTestInProduction),
            (Mode::Test, Scope::Production) => return Err(PkiError::ScopeProductionInTest),
            (_, Scope::Unknown(byte)) => return Err(PkiError::ScopeUnknown(byte)),
        }
        if limits.rights.has_reserved() && !self.tolerance.reserved_rights {
            return Err(PkiError::RightsReserved);
        }
        Ok(())
    }

    /// How something certified by `issuer` stands on this day.
    fn standing(&self, issuer: &Issuer, validity: &Validity, on: Day) -> Result<Standing, PkiError> {
        if !issuer.validity().has_begun(on) {
            return Err(PkiError::IssuerNotYetValid);
        }
        if !validity.has_begun(on) {
            return Err(PkiError::NotYetValid);
        }
        let over = validity.is_over(on);
        let issuer_over = issuer.validity().is_over(on);
        match (over || issuer_over, self.tolerance.expired) {
            (false, _) => Ok(Standing::Valid),
            (true, true) => Ok(Standing::Expired),
            (true, false) if issuer_over => Err(PkiError::IssuerExpired),
            (true, false) => Err(PkiError::Expired),
        }
    }
}

impl VerifiedKey {
    /// The two coordinates of the key.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; crate::card::PUBLIC_KEY_LEN] {
        &self.content.public_key
    }

    /// All that the signature of the certificate carried.
    #[must_use]
    pub const fn content(&self) -> &CardContent {
        &self.content
    }

    /// Whether the certificate is still valid.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        self.standing
    }
}
