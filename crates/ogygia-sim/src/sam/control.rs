//! SAM Data Cipher and SAM Generate Key: what a control SAM ciphers for another one.
//!
//! The control SAM has the master of each system key of its targets as a work key of the same KIF and KVC. It
//! diversifies it for the serial number that Select Diversifier told, and so has the very key of the target.

use zeroize::Zeroizing;

use super::keys::{LOCK_KIF, SamKey, SystemKey, Value};
use super::{Fresh, VirtualSam};
use crate::cipher::{Key, KeyId, RECORD_LEN, WrittenRecord};
use crate::command::{Command, Reply};
use crate::status::{self, Refusal};

/// Where the parameters of a lock stand in the parameter field of SAM Generate Key, as terminals send it. In the record
/// they stand at PAR5, as in a lock in the clear: the specification has doubts about one of the two places.
const LOCK_PARAMETERS_AT: usize = 5;

/// The data of SAM Generate Key, cut.
struct Request<'a> {
    reference: u8,
    kvc: u8,
    source: KeyId,
    parameters: [u8; 10],
    diversified: bool,
    diversifier: Option<&'a [u8; 8]>,
}

impl VirtualSam {
    pub(super) fn sam_cipher(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        match command.p2 {
            0xA0 | 0xB1..=0xB3 | 0xB8 => self.sam_data_cipher(command, fresh),
            0xC0 | 0xE0 | 0xF0 | 0x01..=0x7E => self.sam_generate_key(&Request::cut(command)?, fresh),
            _ => Err(status::WRONG_KEY_REFERENCE),
        }
    }

    fn sam_data_cipher(&mut self, command: &Command, fresh: &Fresh) -> Result<Reply, Refusal> {
        if command.p1 != 0 {
            return Err(status::WRONG_KEY_REFERENCE);
        }
        let [kvc, record @ ..] = command.exactly::<{ RECORD_LEN + 1 }>()?;
        let which = if command.p2 == 0xA0 { SystemKey::Personalization } else { SystemKey::Reloading };
        let record = WrittenRecord { record: Zeroizing::new(record), reference: command.p2, diversified: false };
        self.cipher_record(which, kvc, fresh, &record)
    }

    fn sam_generate_key(&mut self, request: &Request<'_>, fresh: &Fresh) -> Result<Reply, Refusal> {
        // What the ciphering needs comes first: without it no key is looked up.
        fresh.given()?;
        let diversifier = self.diversifier.as_deref().ok_or(status::FORBIDDEN)?;
        let source = self.keys.work(request.source).ok_or(status::RECORD_NOT_FOUND)?;
        let (value, diversified) = transferred(source, request, diversifier)?;
        let record =
            WrittenRecord { record: record(source, request, &value), reference: request.reference, diversified };
        let which = match request.reference {
            0xC0 | 0xE0 => SystemKey::Personalization,
            _ => SystemKey::KeyManagement,
        };
        self.cipher_record(which, request.kvc, fresh, &record)
    }

    /// Ciphers with the system key `which` of the target, which has the version `kvc` there.
    fn cipher_record(
        &mut self,
        which: SystemKey,
        kvc: u8,
        fresh: &Fresh,
        record: &WrittenRecord,
    ) -> Result<Reply, Refusal> {
        let challenge = fresh.given()?;
        let diversifier = self.diversifier.as_deref().ok_or(status::FORBIDDEN)?;
        let master = self.keys.work(KeyId::new(which.kif(), kvc)).ok_or(status::RECORD_NOT_FOUND)?;
        if !master.parameters.ciphers() {
            return Err(status::FORBIDDEN);
        }
        let key = master.diversified(Some(diversifier)).ok_or(status::FORBIDDEN)?;
        self.counters.count(master.parameters.counter())?;
        Ok(Reply::with(record.cipher(&key, &challenge)))
    }
}

impl<'a> Request<'a> {
    fn cut(command: &'a Command) -> Result<Self, Refusal> {
        let diversified = match command.p1 {
            0 => false,
            1 => true,
            _ => return Err(status::WRONG_KEY_REFERENCE),
        };
        let (head, rest) = command.data.split_first_chunk::<13>().ok_or(status::WRONG_LENGTH)?;
        let diversifier = match rest {
            [] => None,
            rest => Some(rest.try_into().map_err(|_| status::WRONG_LENGTH)?),
        };
        let [kvc, source_kif, source_kvc, parameters @ ..] = *head;
        let source = KeyId::new(source_kif, source_kvc);
        let request = Self { reference: command.p2, kvc, source, parameters, diversified, diversifier };
        // A diversifier for what is not diversified, or a lock that is none.
        let wrong = (diversifier.is_some() && !diversified) || (command.p2 == 0xE0 && !request.is_lock());
        if wrong { Err(status::WRONG_DATA) } else { Ok(request) }
    }

    fn is_lock(&self) -> bool {
        let others = self.parameters.iter().enumerate().filter(|(at, _)| *at != LOCK_PARAMETERS_AT);
        self.source.kif == LOCK_KIF && others.into_iter().all(|(_, byte)| *byte == 0)
    }
}

/// The value that goes into the target, and whether it is good for one diversifier only.
fn transferred(source: &SamKey, request: &Request<'_>, selected: &[u8]) -> Result<(Key, bool), Refusal> {
    match (&source.value, request.diversified) {
        (Value::Master(key), false) => Ok((key.clone(), false)),
        (Value::Master(key), true) => {
            Ok((key.diversify(request.diversifier.map_or(selected, <[u8; 8]>::as_slice)), true))
        }
        (Value::Fixed(key), false) => Ok((key.clone(), true)),
        // It was diversified before.
        (Value::Fixed(_), true) => Err(status::FORBIDDEN),
    }
}

/// The record of the target: KIF, KVC, ALG, PAR1 to PAR10, value.
fn record(source: &SamKey, request: &Request<'_>, value: &Key) -> Zeroizing<[u8; RECORD_LEN]> {
    let [kif, kvc, alg] = source.name();
    let head = if request.reference == 0xE0 {
        let lock = request.parameters.get(LOCK_PARAMETERS_AT).copied().unwrap_or_default();
        [kif, kvc, 0, 0, 0, 0, 0, lock, 0, 0, 0, 0, 0]
    } else {
        let [p1, p2, p3, p4, p5, p6, p7, p8, p9, p10] = request.parameters;
        [kif, kvc, alg, p1, p2, p3, p4, p5, p6, p7, p8, p9, p10]
    };
    let mut record = Zeroizing::new([0; RECORD_LEN]);
    for (to, from) in record.iter_mut().zip(head.iter().chain(value.bytes())) {
        *to = *from;
    }
    record
}
