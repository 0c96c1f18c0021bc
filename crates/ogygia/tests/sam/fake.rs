//! A SAM that answers every command as it should, and remembers what it was sent.

use ogygia::Peer;
use ogygia::apdu::Batch;
use ogygia::drive::{Channel, send_each};
use ogygia::sam::{Sam, SamImage};
use ogygia::sam_transaction::SamTransaction;
use ogygia::{ChannelControl, Error, Loss, Request, drive};

pub(crate) const C1: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0, 0x80, 0x5A, 0x48, 0x80, 0xC1, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];
pub(crate) const S1DX: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0, 0x80, 0x5A, 0x48, 0x80, 0xD3, 0x20, 0x50, 0x17, 0x11, 0x22, 0x33, 0x44, 0x82, 0x90, 0];
pub(crate) const CONTROL: [u8; 19] =
    [0x3B, 0x3F, 0x96, 0, 0x80, 0x5A, 0x48, 0x80, 0xE1, 0x20, 0x50, 0x17, 0xAA, 0xBB, 0xCC, 0xDD, 0x82, 0x90, 0];

/// When the connection breaks: at this command of all, before or after the SAM has executed it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Break {
    pub(crate) at: usize,
    pub(crate) loss: Loss,
    pub(crate) executed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Fake {
    /// What it was sent, by requests.
    pub(crate) requests: Vec<Vec<Vec<u8>>>,
    /// Answers instead of its own, to the first command that begins so.
    pub(crate) instead: Option<(Vec<u8>, Vec<u8>)>,
    pub(crate) breaks: Option<Break>,
    /// The writing commands that it has executed.
    pub(crate) written: usize,
    /// Whether the channel was closed by the last request.
    pub(crate) closed: bool,
    pub(crate) sent: usize,
}

impl Fake {
    pub(crate) fn commands(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.requests.iter().flatten()
    }

    pub(crate) fn hex(&self) -> Vec<Vec<String>> {
        let hex = |command: &Vec<u8>| command.iter().take(5).map(|byte| format!("{byte:02X}")).collect::<String>();
        self.requests.iter().map(|request| request.iter().map(hex).collect()).collect()
    }

    fn answer(&mut self, command: &[u8], answer: &mut Vec<u8>) -> Result<(), Loss> {
        let broken = self.breaks.filter(|broken| broken.at == self.sent);
        self.sent += 1;
        if let Some(Break { loss, executed: false, .. }) = broken {
            return Err(loss);
        }
        if let Some((_, instead)) = self.instead.take_if(|(start, _)| command.starts_with(start)) {
            answer.extend(instead);
            return Ok(());
        }
        self.written += usize::from(matches!(command, [_, 0xD8 | 0x1A, ..]));
        if let Some(Break { loss, .. }) = broken {
            return Err(loss);
        }
        answer.extend(data(command));
        answer.extend([0x90, 0x00]);
        Ok(())
    }
}

fn data(command: &[u8]) -> Vec<u8> {
    let zeros = |len| vec![0; len];
    let with = |header: &[u8], len| [header, &vec![0x5A; len]].concat();
    match command {
        [_, 0x84 | 0x8E, _, _, le] => vec![0xC1; usize::from(*le)],
        // KVC and PAR4 of a key: version 5, counter 3.
        [_, 0xBC, ..] => {
            let mut block = zeros(32);
            (block[9], block[14]) = (5, 3);
            block
        }
        [_, 0xBE, ..] | [_, 0x16, ..] => zeros(48),
        [_, 0xCA, ..] => with(&[0xDF, 0x43, 0x82, 0x01, 0x80], 384),
        [_, 0x46, ..] => with(&[0xDF, 0x3C, 0x60], 96),
        [_, 0x2A, 0xEE, ..] => with(&[0xDF, 0x45, 0x82, 0x01, 0x3C], 316),
        [_, 0x2A, 0x9E, _, _, _, _, _, mode, ..] => zeros(usize::from(mode & 0x0F)),
        [_, 0x1C, ..] => zeros(8),
        _ => Vec::new(),
    }
}

impl Channel for Fake {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.closed = request.channel == ChannelControl::CloseAfter;
        self.requests.push(request.commands.iter().map(<[u8]>::to_vec).collect());
        send_each(request, responses, |command, answer| self.answer(command, answer))
    }
}

/// A target and a control SAM with the operations on them.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) transaction: SamTransaction,
    pub(crate) target: Fake,
    pub(crate) control: Fake,
}

impl Bench {
    pub(crate) fn new(target: &[u8]) -> Self {
        let image = SamImage::new(Sam::from_power_on_data(target));
        let control = Sam::from_power_on_data(&CONTROL);
        Self {
            transaction: SamTransaction::with_control_sam(image, &control).unwrap(),
            target: Fake::default(),
            control: Fake::default(),
        }
    }

    /// Carries the request of one peer, and no more.
    pub(crate) fn carry(&mut self, peer: Peer) {
        let request = self.transaction.poll(peer).unwrap();
        let fake = if peer == Peer::ControlSam { &mut self.control } else { &mut self.target };
        let mut answers = Batch::new();
        fake.transmit(&request, &mut answers).unwrap();
        self.transaction.handle(peer, &answers).unwrap();
    }

    pub(crate) fn run(&mut self) -> Result<(), Error> {
        self.run_with(ChannelControl::KeepOpen)
    }

    pub(crate) fn run_with(&mut self, channel: ChannelControl) -> Result<(), Error> {
        drive::run_sam(&mut self.transaction, &mut self.target, &mut self.control, channel)
    }

    pub(crate) fn peer(&mut self, peer: Peer) -> &mut Fake {
        match peer {
            Peer::ControlSam => &mut self.control,
            _ => &mut self.target,
        }
    }

    pub(crate) fn forget_requests(&mut self) {
        self.target.requests.clear();
        self.control.requests.clear();
    }
}
