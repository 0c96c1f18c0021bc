//! Manage Secure Session: specification 01, "Manage Secure Session", and 02, "early authentication and encryption".

use super::apdu::Apdu;
use super::list::List;
use super::name::{CommandName, Refusal, Refusals};
use super::step::{AnswerLength, Encoder, Exchange, Material, Moment};
use super::terms::Terms;
use crate::apdu::Case;
use crate::error::{Error, Misuse};

/// Has card and terminal authenticate each other before the session closes. Extended sessions only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthenticateEarly;

/// Has the data of the commands that follow ciphered. Extended sessions only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActivateEncryption;

/// Has the data of the commands that follow in clear again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeactivateEncryption;

pub(super) const REFUSALS: Refusals = &[
    (0x6700, Refusal::IllegalParameter),
    (0x6985, Refusal::SecurityData),
    (0x6988, Refusal::SecurityData),
    (0x6D00, Refusal::SecurityContext),
];

impl Terms<'_> {
    fn has_extended_sessions(&self, list: &List) -> Result<(), Error> {
        if !self.extended() {
            return Err(Error::Unsupported(CommandName::ManageSecureSession));
        }
        list.inside_session()
    }
}

impl AuthenticateEarly {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        terms.has_extended_sessions(list)?;
        list.manage(|manage| manage.authenticate = true);
        Ok(())
    }
}

impl ActivateEncryption {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare_encryption(true, list, terms)
    }
}

impl DeactivateEncryption {
    pub(super) fn prepare(self, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
        prepare_encryption(false, list, terms)
    }
}

fn prepare_encryption(encrypt: bool, list: &mut List, terms: &Terms<'_>) -> Result<(), Error> {
    terms.has_extended_sessions(list)?;
    if list.is_encrypted() == encrypt {
        return Err(Misuse::Encryption.into());
    }
    list.manage(|manage| manage.encrypt = encrypt);
    list.set_encrypted(encrypt);
    Ok(())
}

/// One Manage Secure Session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Manage {
    pub(crate) authenticate: bool,
    /// What holds for the commands that follow.
    pub(crate) encrypt: bool,
}

/// Bytes of the MACs that authenticate early.
const MAC_LEN: u8 = 8;

impl Exchange for Manage {
    fn name(&self) -> CommandName {
        CommandName::ManageSecureSession
    }

    fn case(&self) -> Case {
        if self.authenticate { Case::Four(0) } else { Case::One }
    }

    /// The material is the terminal's MAC.
    fn apdu<'a>(&self, to: &Encoder<'a>) -> Apdu<'a> {
        let p2 = u8::from(self.encrypt) << 1 | u8::from(self.authenticate);
        Apdu::new(to.header(0x82, 0x00, p2), to.material)
    }

    fn answer_length(&self) -> AnswerLength {
        AnswerLength::Exactly(if self.authenticate { MAC_LEN } else { 0 })
    }

    fn ends_block(&self, _moment: Moment, _undetermined: bool) -> bool {
        self.authenticate
    }

    fn digested(&self) -> bool {
        false
    }

    fn material(&self) -> Material {
        if self.authenticate { Material::EarlyMac } else { Material::None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::step::tests::{encoded, encoded_with};
    use crate::test_hex::hex;

    /// Worked examples 95 and 96.
    #[test]
    fn encoding() {
        let extended = "0A3C2805141001";
        let both = Manage { authenticate: true, encrypt: true };
        assert_eq!(encoded_with(&both, extended, &hex("1122334455667788")), "0082000308112233445566778800");
        assert_eq!(encoded(&Manage { authenticate: false, encrypt: true }, extended), "0082000200");
        assert_eq!(encoded(&Manage { authenticate: false, encrypt: false }, extended), "0082000000");
    }
}
