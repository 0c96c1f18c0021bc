//! Channels to a virtual card or SAM, with counters, a recorder and faults.

mod fault;
mod record;

use ogygia::apdu::Batch;
use ogygia::drive::{Channel, send_each};
use ogygia::{ChannelControl, Loss, Peer, Request};

use crate::card::VirtualCard;
use crate::sam::VirtualSam;
pub use fault::{Change, Fault, FaultKind};
pub use record::{Exchange, Recorder};

/// A device at the end of a [`Link`]: a virtual card or a virtual SAM.
pub trait Device: sealed::Sealed {
    /// Which of the two it is.
    const PEER: Peer;
    /// Answers one command.
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;
    /// Loses its power without warning.
    fn lose(&mut self);
    /// The reader closes the channel in order.
    fn close(&mut self);
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::card::VirtualCard {}
    impl Sealed for crate::sam::VirtualSam {}
}

impl Device for VirtualCard {
    const PEER: Peer = Peer::Card;

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.transmit(command)
    }

    fn lose(&mut self) {
        self.leave_field();
    }

    fn close(&mut self) {
        self.deselect();
    }
}

impl Device for VirtualSam {
    const PEER: Peer = Peer::Sam;

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.transmit(command)
    }

    fn lose(&mut self) {
        self.reset();
    }

    fn close(&mut self) {
        self.reset();
    }
}

/// What went over a link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests: round trips to a remote reader.
    pub requests: u64,
    /// Commands sent, those that were lost included.
    pub commands: u64,
    /// Bytes of commands.
    pub bytes_out: u64,
    /// Bytes of answers, status words included.
    pub bytes_in: u64,
}

/// A [`Channel`] to a virtual device.
#[derive(Debug)]
pub struct Link<D> {
    device: D,
    traffic: Traffic,
    faults: Vec<Fault>,
    recorder: Option<Recorder>,
    down: Option<Loss>,
}

/// The way to a virtual card.
pub type CardLink = Link<VirtualCard>;
/// The way to a virtual SAM.
pub type SamLink = Link<VirtualSam>;

impl<D: Device> Link<D> {
    /// A link to `device`, without faults.
    #[must_use]
    pub const fn new(device: D) -> Self {
        let traffic = Traffic { requests: 0, commands: 0, bytes_out: 0, bytes_in: 0 };
        Self { device, traffic, faults: Vec::new(), recorder: None, down: None }
    }

    /// Adds a fault. Of several for the same command the first added counts.
    #[must_use]
    pub fn with_fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Adds a fault to a link in use.
    pub fn add_fault(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// Notes every exchange in `recorder`.
    #[must_use]
    pub fn with_recorder(mut self, recorder: Recorder) -> Self {
        self.recorder = Some(recorder);
        self
    }

    /// What went over the link so far.
    #[must_use]
    pub const fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// The device at the end.
    #[must_use]
    pub const fn device(&self) -> &D {
        &self.device
    }

    /// The device at the end, to change it behind the back of the terminal.
    pub const fn device_mut(&mut self) -> &mut D {
        &mut self.device
    }

    /// Gives the device back.
    #[must_use]
    pub fn into_device(self) -> D {
        self.device
    }

    /// What keeps commands from getting through: set by a loss, until [`re_present`](Self::re_present).
    #[must_use]
    pub const fn is_down(&self) -> Option<Loss> {
        self.down
    }

    /// The card is shown again, the SAM plugged in again, the reader connected again.
    pub const fn re_present(&mut self) {
        self.down = None;
    }

    /// Sends one command and appends the answer to `answer`.
    ///
    /// # Errors
    ///
    /// The loss of a [`Fault`], or the one that keeps the link down since.
    pub fn send(&mut self, command: &[u8], answer: &mut Vec<u8>) -> Result<(), Loss> {
        if let Some(loss) = self.down {
            return Err(loss);
        }
        let number = self.traffic.commands;
        self.traffic.commands += 1;
        self.traffic.bytes_out += count(command);
        let fault = self.faults.iter().position(|fault| fault.at == number);
        let fault = fault.map(|at| self.faults.swap_remove(at).kind);
        let result = self.execute(command, fault);
        if let Some(recorder) = &self.recorder {
            recorder.note(Exchange {
                peer: D::PEER,
                request: self.traffic.requests,
                command: command.to_vec(),
                response: result.as_ref().ok().cloned(),
            });
        }
        let response = result?;
        self.traffic.bytes_in += count(&response);
        answer.extend(response);
        Ok(())
    }

    fn execute(&mut self, command: &[u8], fault: Option<FaultKind>) -> Result<Vec<u8>, Loss> {
        match fault {
            None => Ok(self.device.answer(command)),
            Some(FaultKind::LostBefore(loss)) => Err(self.lose(loss)),
            Some(FaultKind::LostAfter(loss)) => {
                let _lost = self.device.answer(command);
                Err(self.lose(loss))
            }
            Some(FaultKind::Replaced(answer)) => {
                let _replaced = self.device.answer(command);
                Ok(answer)
            }
            Some(FaultKind::Truncated(length)) => {
                let mut answer = self.device.answer(command);
                answer.truncate(length);
                Ok(answer)
            }
            Some(FaultKind::Changed(mut change)) => {
                let mut answer = self.device.answer(command);
                change(&mut answer);
                Ok(answer)
            }
            Some(FaultKind::CommandChanged(mut change)) => {
                let mut arrived = command.to_vec();
                change(&mut arrived);
                Ok(self.device.answer(&arrived))
            }
        }
    }

    fn lose(&mut self, loss: Loss) -> Loss {
        // Behind a lost reader the device stays as it is, until somebody decides what became of it.
        if loss == Loss::Peer {
            self.device.lose();
        }
        self.down = Some(loss);
        loss
    }
}

impl CardLink {
    /// The card at the end.
    #[must_use]
    pub const fn card(&self) -> &VirtualCard {
        self.device()
    }

    /// The card at the end, to change it behind the back of the terminal.
    pub const fn card_mut(&mut self) -> &mut VirtualCard {
        self.device_mut()
    }
}

impl SamLink {
    /// The SAM at the end.
    #[must_use]
    pub const fn sam(&self) -> &VirtualSam {
        self.device()
    }

    /// The SAM at the end, to change it behind the back of the terminal.
    pub const fn sam_mut(&mut self) -> &mut VirtualSam {
        self.device_mut()
    }
}

impl<D: Device> Channel for Link<D> {
    /// Sends the commands one by one. Where the request asks to close the channel afterwards, the card is deselected
    /// (the SAM reset), even if the request stopped early.
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.traffic.requests += 1;
        let result = send_each(request, responses, |command, answer| self.send(command, answer));
        if request.channel == ChannelControl::CloseAfter && self.down.is_none() {
            self.device.close();
        }
        result
    }
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
