//! The card's side of the virtual reader of vsmartcard: messages behind their length in two bytes, over TCP.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::thread::{self, JoinHandle};

use ogygia_reader::pcsc::Slot;
use ogygia_sim::{VirtualCard, VirtualSam};

use crate::daemon::wait_for;

/// Which of the two slots of the virtual reader.
pub(crate) type SlotNumber = usize;

pub(crate) const READERS: [&str; 2] = ["Virtual PCD 00 00", "Virtual PCD 00 01"];
const PORTS: [u16; 2] = [35963, 35964];

/// Messages of one byte are these.
const POWER_OFF: u8 = 0;
const POWER_ON: u8 = 1;
const RESET: u8 = 2;
const TELL_ATR: u8 = 4;

/// What can be put into a slot.
pub(crate) trait Device: Send + 'static {
    fn atr(&self) -> Vec<u8>;
    fn answer(&mut self, command: &[u8]) -> Vec<u8>;
    /// A warm reset.
    fn reset(&mut self);
    /// The power goes.
    fn lose_power(&mut self);
}

impl Device for VirtualSam {
    fn atr(&self) -> Vec<u8> {
        self.power_on_data().to_vec()
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.transmit(command)
    }

    fn reset(&mut self) {
        VirtualSam::reset(self);
    }

    fn lose_power(&mut self) {
        VirtualSam::reset(self);
    }
}

impl Device for VirtualCard {
    fn atr(&self) -> Vec<u8> {
        self.power_on_data().to_vec()
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.transmit(command)
    }

    fn reset(&mut self) {
        self.deselect();
    }

    fn lose_power(&mut self) {
        self.leave_field();
    }
}

/// What happened to a device in its slot.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) commands: Vec<Vec<u8>>,
    pub(crate) resets: usize,
    pub(crate) power_offs: usize,
}

/// Happens instead of the answer to a command; then the device is out of the slot.
type Accident = Box<dyn FnOnce() + Send>;

/// A device in a slot.
pub(crate) struct Inserted<D> {
    slot: SlotNumber,
    stream: TcpStream,
    thread: JoinHandle<(D, Log)>,
}

impl<D: Device> Inserted<D> {
    /// Puts `device` into the slot, and waits until it was powered.
    pub(crate) fn new(slot: SlotNumber, device: D) -> Self {
        Self::until(slot, device, usize::MAX, || ())
    }

    /// The same; it answers that many commands, and executes one more while `accident` happens.
    pub(crate) fn until(
        slot: SlotNumber,
        device: D,
        commands: usize,
        accident: impl FnOnce() + Send + 'static,
    ) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, PORTS[slot])).unwrap();
        let served = stream.try_clone().unwrap();
        let thread = thread::spawn(move || serve(served, device, commands, Box::new(accident)));
        wait_for(slot, Slot::is_card);
        Self { slot, stream, thread }
    }

    /// Takes it out, waits until that was seen, and tells what happened to it.
    pub(crate) fn remove(self) -> (D, Log) {
        // It may be out already, after an accident.
        let _ = self.stream.shutdown(Shutdown::Both);
        let done = self.thread.join().unwrap();
        wait_for(self.slot, |slot| *slot == Slot::Empty);
        done
    }

    /// What is left after an accident that no reader can see.
    pub(crate) fn after_accident(self) -> (D, Log) {
        self.thread.join().unwrap()
    }
}

fn serve<D: Device>(mut stream: TcpStream, mut device: D, commands: usize, accident: Accident) -> (D, Log) {
    let mut log = Log::default();
    while let Ok(message) = receive(&mut stream) {
        match message.as_slice() {
            [POWER_ON] => {}
            [POWER_OFF] => {
                log.power_offs += 1;
                device.lose_power();
            }
            [RESET] => {
                log.resets += 1;
                device.reset();
            }
            [TELL_ATR] => {
                if send(&mut stream, &device.atr()).is_err() {
                    break;
                }
            }
            command => {
                let answer = device.answer(command);
                log.commands.push(command.to_vec());
                if log.commands.len() > commands {
                    // First, so that what it does is what is noticed.
                    accident();
                    let _ = stream.shutdown(Shutdown::Both);
                    break;
                }
                if send(&mut stream, &answer).is_err() {
                    break;
                }
            }
        }
    }
    device.lose_power();
    (device, log)
}

fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

fn send(stream: &mut TcpStream, message: &[u8]) -> io::Result<()> {
    let length = u16::try_from(message.len()).unwrap();
    stream.write_all(&[&length.to_be_bytes(), message].concat())
}
