//! What a Stored Value operation takes before the SAM signs it: specification 02, "Stored Value".

use super::Transaction;
use crate::command::Operation;
use crate::error::{Error, Misuse, Untrusted};

impl Transaction {
    /// Queues the signature of the operation, when the purse and its key allow it.
    pub(super) fn ask_stored_value(&mut self, operation: Operation) -> Result<(), Error> {
        let Some(symmetric) = &self.symmetric else { return Ok(()) };
        let (Some(kvc), Some(purse)) = (self.card.sv_get.kvc, self.card.content.purse) else {
            return Err(Misuse::StoredValueSequence.into());
        };
        let overdrawn = operation.debit(self.list.payload()).is_some_and(|debit| purse.balance < debit);
        if overdrawn && !symmetric.settings.sv_negative_balance {
            return Err(Misuse::NegativeBalance.into());
        }
        let keys = &symmetric.settings.authorized_sv_keys;
        if !keys.is_empty() && !keys.iter().any(|(_, listed)| *listed == kvc) {
            return Err(Untrusted::StoredValueKey { kvc }.into());
        }
        self.queue_signature(operation, kvc);
        Ok(())
    }

    fn queue_signature(&mut self, operation: Operation, kvc: crate::card::Kvc) {
        let Some(symmetric) = &mut self.symmetric else { return };
        let get = &self.card.sv_get;
        self.partial.clear();
        operation.write_partial(self.list.payload(), kvc, &mut self.partial);
        symmetric.service.ask_stored_value(operation, [&get.header, &get.response], &self.partial);
    }
}
