//! The error kinds of the vectors.

use ogygia::apdu::StatusWord;
use ogygia::command::CommandName;
use ogygia::pki::PkiErrorKind;
use ogygia::{Error, Fate, Loss, Misuse, Peer, Untrusted};

/// The kind of `error`, as the vectors name it.
pub(super) fn of(error: Error) -> &'static str {
    match error {
        Error::Misuse(misuse) => of_misuse(misuse),
        Error::Unsupported(_) => "unsupported",
        Error::Status { peer: Peer::Sam, .. } | Error::PeerMisbehaved { peer: Peer::Sam, .. } => "crypto",
        Error::Status { command: CommandName::SelectFile, status: StatusWord::FILE_NOT_FOUND, .. } => "select_file",
        Error::Status { command: CommandName::VerifyPin, status, .. }
            if status == StatusWord::PIN_BLOCKED || status.attempts_left().is_some() =>
        {
            "invalid_pin"
        }
        Error::Status { .. } | Error::PeerMisbehaved { .. } => "card_status",
        Error::ResponseCount { peer: Peer::Card, .. } => "inconsistent_data",
        Error::ResponseCount { peer: Peer::Sam, .. } => "crypto",
        Error::Untrusted(Untrusted::SessionKey { .. } | Untrusted::StoredValueKey { .. }) => "unauthorized_key",
        Error::Untrusted(Untrusted::Signature) => "invalid_signature",
        Error::Untrusted(Untrusted::SamRevoked) => "sam_revoked",
        Error::Untrusted(_) => "invalid_card_signature",
        Error::Pki(error) => of_pki(error.kind()),
        Error::Lost { peer: Peer::Card, loss: Loss::Peer, .. } => "card_io",
        Error::Lost { peer: Peer::Card, loss: Loss::Reader, .. } => "reader_io",
        Error::Lost { peer: Peer::Sam, fate: Fate::Unverified, .. } => "card_signature_unverifiable",
        Error::Lost { peer: Peer::Sam, .. } => "crypto_io",
        _ => "unknown",
    }
}

/// The kind of `error` in operations on a SAM: there the SAMs are what cards are elsewhere.
pub(super) fn of_sam(error: Error) -> &'static str {
    match error {
        Error::Status { .. } | Error::PeerMisbehaved { .. } => "card_status",
        Error::ResponseCount { .. } => "inconsistent_data",
        Error::Lost { loss: Loss::Peer, .. } => "card_io",
        Error::Lost { loss: Loss::Reader, .. } => "reader_io",
        other => of(other),
    }
}

fn of_misuse(misuse: Misuse) -> &'static str {
    match misuse {
        Misuse::Argument(_) => "argument",
        Misuse::SessionBufferOverflow => "session_buffer_overflow",
        _ => "state",
    }
}

/// The kind of what is refused about certificates.
pub(super) const fn of_pki(kind: PkiErrorKind) -> &'static str {
    match kind {
        PkiErrorKind::Argument => "argument",
        PkiErrorKind::State => "state",
        PkiErrorKind::InvalidCertificate => "invalid_certificate",
        PkiErrorKind::Crypto => "crypto",
        PkiErrorKind::InvalidCardSignature => "invalid_card_signature",
    }
}
