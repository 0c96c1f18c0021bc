//! Certificates and sessions of cards with asymmetric keys. Specification 04.
//!
//! A card proves itself with a chain: a root key that the application trusts signs certificates of authorities, an
//! authority signs the certificate of the card, and the card signs its session.
//!
//! - [`TrustStore`]: root keys and verified authorities. It turns a [`CardCertificate`] into a [`VerifiedKey`].
//! - [`SessionVerifier`]: takes what was exchanged in a session, and turns the card's signature into a
//!   [`SessionProof`].
//! - `authority` (feature `pki-authority`): makes certificates. No terminal needs it.
//!
//! Only verification makes a [`VerifiedKey`] or a [`SessionProof`]. The day on which everything is judged is an
//! argument: it is the terminal's local date ("Dates").
//!
//! Where the specification tells what existing terminals do and what a careful one should do ("Ambiguous or suspicious
//! points"), this one is careful. What is left to the application is in [`Tolerance`].

#[cfg(feature = "pki-authority")]
pub mod authority;
mod ca;
mod card;
mod date;
mod error;
mod field;
mod issuer;
mod recovery;
mod reference;
mod rsa;
mod session;
mod store;

pub use crate::day::Day;
pub use ca::CaCertificate;
pub use card::{CardCertificate, CardContent, Holder};
pub use date::Validity;
pub use error::{KeyDefect, PkiError, PkiErrorKind};
pub use field::{Aid, AidRestriction, Rights, Scope, SigningRight};
pub use issuer::{Issuer, RootKey};
pub use reference::KeyReference;
pub use rsa::RsaPublicKey;
pub use session::{CardPublicKey, SessionDigest, SessionProof, SessionVerifier};
pub use store::{Mode, Standing, Tolerance, TrustStore, VerifiedKey};

#[cfg(test)]
mod tests;
