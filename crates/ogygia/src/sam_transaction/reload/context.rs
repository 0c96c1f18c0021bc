//! What must be known of a SAM to cipher ceilings for it elsewhere.

use super::super::machine::State;
use super::SamTransaction;
use crate::card::Kvc;
use crate::command::CommandName;
use crate::error::{Error, Malformed, Misbehaviour, Misuse};
use crate::request::{ChannelControl, Peer};
use crate::sam::read::ReadCommand;
use crate::sam::{CounterRecord, KeyParameters, KeyReference, SamImage, SystemKey};

/// What must be known of a SAM to cipher ceilings for it elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadContext {
    pub(super) serial_number: [u8; 4],
    /// The version of its Reloading key.
    pub(super) kvc: Kvc,
    /// The event counter that the Reloading key is tied to, and its value.
    pub(super) counter: Option<(u8, u32)>,
}

/// The keys whose parameters a context reads.
const KEYS: [SystemKey; 3] = [SystemKey::Personalization, SystemKey::KeyManagement, SystemKey::Reloading];

/// What is being read for a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Stage {
    Keys,
    Counters,
}

impl ReloadContext {
    /// The context of a SAM of which this is known.
    fn of(image: &SamImage) -> Result<Self, Error> {
        let key = SystemKey::Reloading;
        let parameters = in_force(image, key).ok_or(Misuse::SystemKeyUnknown(key))?;
        let counter = match parameters.event_counter() {
            None => None,
            Some(counter) => {
                Some((counter, image.counter_in_force(counter).ok_or(Misuse::EventCounterUnknown { counter })?))
            }
        };
        Ok(Self { serial_number: image.sam().serial_number, kvc: parameters.id().kvc, counter })
    }

    /// Which SAM.
    #[must_use]
    pub const fn serial_number(&self) -> [u8; 4] {
        self.serial_number
    }

    /// The event counter that makes each block good for one time, and its value. Without one (the Reloading key is tied
    /// to none) a reload can be executed again and again: do not let it out of your hands.
    #[must_use]
    pub const fn counter(&self) -> Option<(u8, u32)> {
        self.counter
    }
}

impl SamTransaction {
    /// Begins to read what a [`ReloadContext`] holds: the parameters of the system keys that are not known yet, then
    /// their event counters. Carry on as after [`process`](Self::process); what is prepared is left alone. It fails with
    /// [`Misuse::SystemKeyUnknown`] for a SAM that has not all of the keys (point G-39).
    ///
    /// # Errors
    ///
    /// A request is under way.
    pub fn read_context(&mut self) -> Result<(), Error> {
        self.check_idle()?;
        self.begin(ChannelControl::KeepOpen);
        self.target.clear();
        let encoder = self.encoder;
        for key in KEYS {
            if in_force(&self.image, key).is_none() {
                let command = ReadCommand::KeyParameters(KeyReference::System(key));
                self.target.write(|out| Self::read(encoder, command, out));
            }
        }
        self.image.take_challenge();
        self.state = State::Context(Stage::Keys);
        if self.target.is_empty() {
            self.advance_context(Stage::Keys);
        }
        Ok(())
    }

    /// The context of the target, after [`read_context`](Self::read_context).
    ///
    /// # Errors
    ///
    /// What it needs was not read, or the SAM has no Reloading key.
    pub fn context(&self) -> Result<ReloadContext, Error> {
        ReloadContext::of(&self.image)
    }

    pub(in super::super) fn advance_context(&mut self, stage: Stage) {
        match stage {
            Stage::Keys => match self.ask_counters() {
                Ok(()) if self.target.is_empty() => self.finish(Ok(())),
                Ok(()) => self.state = State::Context(Stage::Counters),
                Err(error) => self.finish(Err(error)),
            },
            Stage::Counters => self.finish(Ok(())),
        }
    }

    /// The event counters of the three keys, by records.
    fn ask_counters(&mut self) -> Result<(), Error> {
        let mut asked = [false; CounterRecord::ALL.len()];
        for key in KEYS {
            let parameters = in_force(&self.image, key).ok_or(Misuse::SystemKeyUnknown(key))?;
            let Some(counter) = parameters.event_counter() else { continue };
            let record = CounterRecord::of(counter).map_err(|_| no_such_counter())?;
            CounterRecord::ALL.iter().zip(&mut asked).for_each(|(known, asked)| *asked |= *known == record);
        }
        let encoder = self.encoder;
        for (record, _) in CounterRecord::ALL.into_iter().zip(asked).filter(|(_, asked)| *asked) {
            self.target.write(|out| Self::read(encoder, ReadCommand::EventCounters(record), out));
        }
        Ok(())
    }
}

/// The parameters of a key, unless it was replaced since they were read, or perhaps.
fn in_force(image: &SamImage, key: SystemKey) -> Option<&KeyParameters> {
    let parameters = image.key_parameters(KeyReference::System(key))?;
    (image.system_kvc(key) == Some(parameters.id().kvc)).then_some(parameters)
}

/// The parameters of a key name an event counter that no SAM has.
fn no_such_counter() -> Error {
    let how = Misbehaviour::Malformed(Malformed::KeyParameters);
    Error::PeerMisbehaved { peer: Peer::Sam, index: 0, command: CommandName::SamReadKeyParameters, how }
}
