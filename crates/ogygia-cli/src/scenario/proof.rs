//! What was proved, and to whom.

use ogygia::sam::SignatureOutcome;
use ogygia::transaction::{SignatureId, Transaction};

/// Something that was proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By the closing of a session.
    Session,
    /// By the authentication in the course of a session.
    Early,
    /// By the MACs of a Stored Value operation.
    Purse,
    /// By a signature of this record.
    Signature(&'static str),
    /// By a PIN: to the card only.
    Pin,
    /// By a wrapped key: to the card only.
    Key,
}

impl Proof {
    /// What the last session of `transaction` has proved: nothing unless the SAM found the card's MAC right.
    #[must_use]
    pub fn of_session(transaction: &Transaction) -> Vec<Self> {
        transaction.session().authenticated.map(|_proof| Self::Session).into_iter().collect()
    }

    /// What a signature over the record named `what` has proved: nothing unless the SAM found it right.
    #[must_use]
    pub fn of_signature(transaction: &Transaction, id: SignatureId, what: &'static str) -> Option<Self> {
        (transaction.signature(id) == Some(SignatureOutcome::Verified(true))).then_some(Self::Signature(what))
    }

    /// In a sentence.
    #[must_use]
    pub fn said(self) -> String {
        match self {
            Self::Session => {
                "Card and terminal authenticated each other: the card checked the SAM's MAC before it wrote, \
                              the SAM the card's."
                    .to_owned()
            }
            Self::Early => {
                "Before the terminal read on, card and terminal had authenticated each other with MACs of their own."
                    .to_owned()
            }
            Self::Purse => {
                "Purse and terminal authenticated each other: the card checked the SAM's MAC before it moved \
                            money, the SAM the purse's MAC."
                    .to_owned()
            }
            Self::Signature(what) => {
                format!("The signature of the {what} is valid: whoever holds the key signed it for this card.")
            }
            Self::Pin => "The holder proved to the card to know its PIN.".to_owned(),
            Self::Key => {
                "The SAM proved to the card to hold the issuer key: it would have taken no other wrapping. The card \
                          itself has proved nothing."
                    .to_owned()
            }
        }
    }
}

/// What is said when nothing was proved.
pub(crate) const NOTHING: &str =
    "Nothing was proved: no session was closed and verified, so what the card said is not authenticated.";
