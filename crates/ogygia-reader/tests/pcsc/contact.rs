//! A device behind contacts: over T=0 a command has data in one direction only.

use crate::vpcd::Device;

/// Answers with data wait to be fetched.
pub(crate) struct Contact<D> {
    pub(crate) device: D,
    atr: Vec<u8>,
    /// What waits, with its status word.
    waiting: Option<(Vec<u8>, [u8; 2])>,
}

impl<D: Device> Contact<D> {
    pub(crate) fn new(device: D) -> Self {
        let atr = device.atr();
        Self::with_atr(device, atr)
    }

    /// A device that has contacts beside another interface.
    pub(crate) fn with_atr(device: D, atr: Vec<u8>) -> Self {
        Self { device, atr, waiting: None }
    }

    fn give(&mut self, mut data: Vec<u8>, status: [u8; 2], le: u8) -> Vec<u8> {
        let rest = data.split_off(wanted(le).min(data.len()));
        if rest.is_empty() {
            data.extend(status);
        } else {
            data.extend([0x61, length(&rest)]);
            self.waiting = Some((rest, status));
        }
        data
    }
}

/// How much a Le asks for.
fn wanted(le: u8) -> usize {
    if le == 0 { 256 } else { usize::from(le) }
}

/// How a status word tells it: 00 for 256 and more.
fn length(data: &[u8]) -> u8 {
    u8::try_from(data.len()).unwrap_or(0)
}

impl<D: Device> Device for Contact<D> {
    fn atr(&self) -> Vec<u8> {
        self.atr.clone()
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let waiting = self.waiting.take();
        if let [0x00, 0xC0, 0x00, 0x00, le] = command {
            let Some((data, status)) = waiting else { return vec![0x69, 0x85] };
            return self.give(data, status, *le);
        }
        let body = command.len().saturating_sub(5);
        assert!(body == 0 || body == usize::from(command[4]), "no Le after data over T=0: {command:02X?}");
        let mut data = self.device.answer(command);
        let status = data.split_off(data.len() - 2).try_into().unwrap();
        if data.is_empty() {
            return Vec::from(status);
        }
        if body > 0 {
            let announced = vec![0x61, length(&data)];
            self.waiting = Some((data, status));
            return announced;
        }
        if data.len() < wanted(command[4]) {
            return vec![0x6C, length(&data)];
        }
        self.give(data, status, command[4])
    }

    fn reset(&mut self) {
        self.waiting = None;
        self.device.reset();
    }

    fn lose_power(&mut self) {
        self.waiting = None;
        self.device.lose_power();
    }
}
