//! The commands that only work on SAMs sends: refused in the test `sam`.

use ogygia::command::CommandName;

pub(crate) const ONLY: &[CommandName] = &[
    CommandName::SamUnlock,
    CommandName::SamReadParameters,
    CommandName::SamWriteParameters,
    CommandName::SamReadEventCounter,
    CommandName::SamReadCeilings,
    CommandName::SamWriteCeilings,
    CommandName::SamReadKeyParameters,
    CommandName::SamWriteKey,
    CommandName::SamGetData,
    CommandName::SamGenerateAsymmetricKeyPair,
    CommandName::SamPsoComputeCertificate,
    CommandName::SamSamDataCipher,
    CommandName::SamSamGenerateKey,
];
