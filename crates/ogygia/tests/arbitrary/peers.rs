//! A card and a SAM that answer what can be read, without knowing anything; and the ways in which their answers are
//! spoiled.

use std::collections::HashMap;

use ogygia::apdu::{Batch, StatusWord};
use ogygia::{Loss, Peer, Request};
use proptest::prelude::*;

use crate::operations::select_response;

/// What happens to one answer.
#[derive(Clone, Debug)]
pub(crate) enum Twist {
    Bytes(Vec<u8>),
    Status(u16),
    Truncated(usize),
    Surplus(Vec<u8>),
    /// No answer: something was lost.
    Lost(Loss),
    /// The answer is right, but behind it the request is reported to have failed.
    LostBehind(Loss),
    /// One answer more than there is.
    OneMore,
    /// This answer is missing.
    OneLess,
}

fn twist() -> impl Strategy<Value = Twist> {
    let loss = || prop::sample::select(vec![Loss::Peer, Loss::Reader]);
    let known = prop::sample::select(vec![
        0x6200, 0x6283, 0x6300, 0x63C1, 0x6400, 0x6700, 0x6900, 0x6981, 0x6982, 0x6983, 0x6985, 0x6988, 0x6A80, 0x6A82,
        0x6A83, 0x6B00, 0x6D00, 0x9000,
    ]);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..260).prop_map(Twist::Bytes),
        prop_oneof![3 => known, 1 => any::<u16>()].prop_map(Twist::Status),
        (0..40_usize).prop_map(Twist::Truncated),
        prop::collection::vec(any::<u8>(), 1..12).prop_map(Twist::Surplus),
        loss().prop_map(Twist::Lost),
        loss().prop_map(Twist::LostBehind),
        Just(Twist::OneMore),
        Just(Twist::OneLess),
    ]
}

/// Twists by the number of the command that they hit, counted over both peers.
pub(crate) type Twists = Vec<(usize, Twist)>;

/// A few.
pub(crate) fn twists() -> impl Strategy<Value = Twists> {
    prop::collection::vec((0..24_usize, twist()), 0..3)
}

/// One for each of the first commands: nothing is right.
pub(crate) fn only_twists() -> impl Strategy<Value = Twists> {
    prop::collection::vec(twist(), 40).prop_map(|twists| twists.into_iter().enumerate().collect())
}

/// Both peers.
#[derive(Debug)]
pub(crate) struct Peers {
    twists: Twists,
    commands: usize,
    counters: HashMap<(u8, u8), u32>,
    /// The card answers counters when the session closes.
    postpones: bool,
    postponed: usize,
}

/// What came of a request.
#[derive(Debug, Default)]
pub(crate) struct Came {
    pub(crate) answers: Batch,
    pub(crate) lost: Option<Loss>,
}

impl Peers {
    pub(crate) fn new(twists: Twists, postpones: bool) -> Self {
        Self { twists, commands: 0, counters: HashMap::new(), postpones, postponed: 0 }
    }

    pub(crate) fn answer(&mut self, request: &Request<'_>) -> Came {
        let mut came = Came::default();
        for (index, command) in request.commands.iter().enumerate() {
            let twist = self.twists.iter().find(|(at, _)| *at == self.commands).map(|(_, twist)| twist.clone());
            self.commands += 1;
            let mut answer = match request.peer {
                Peer::Card => self.card(command),
                Peer::Sam | Peer::ControlSam => sam(command),
            };
            match twist {
                None | Some(Twist::LostBehind(_) | Twist::OneMore) => {}
                Some(Twist::Bytes(bytes)) => answer = bytes,
                Some(Twist::Status(status)) => answer = status.to_be_bytes().to_vec(),
                Some(Twist::Truncated(len)) => answer.truncate(len),
                Some(Twist::Surplus(bytes)) => drop(answer.splice(0..0, bytes)),
                Some(Twist::OneLess) => continue,
                Some(Twist::Lost(loss)) => {
                    came.lost = Some(loss);
                    return came;
                }
            }
            came.answers.push(&answer);
            match twist_behind(&self.twists, self.commands - 1) {
                Some(Twist::LostBehind(loss)) => {
                    came.lost = Some(*loss);
                    return came;
                }
                Some(Twist::OneMore) => came.answers.push(&[0x90, 0x00]),
                _ => {}
            }
            let status = answer.last_chunk::<2>().map(|status| StatusWord(u16::from_be_bytes(*status)));
            if !status.is_some_and(|status| request.accepts(index, status)) {
                break;
            }
        }
        came
    }

    fn card(&mut self, command: &[u8]) -> Vec<u8> {
        let Some(&[_, ins, p1, p2, p3]) = command.first_chunk::<5>() else { return vec![0x67, 0x00] };
        let data = command.get(5..).unwrap_or_default();
        let mut answer = match ins {
            0x8A => self.opening(p1, p2),
            0x8E if p3 == 0 => Vec::new(),
            0x8E => {
                let mut answer = [4, 0, 0, 7].repeat(std::mem::take(&mut self.postponed));
                answer.resize(answer.len() + usize::from(p3), 0xBB);
                answer
            }
            0xB2 if p1 == 0 => return vec![0x6B, 0x00],
            0xB2 if p2 & 7 == 5 => {
                let len = p3.saturating_sub(2);
                [&[p1, len][..], &vec![0x22; usize::from(len)]].concat()
            }
            0xB2 => self.record(p2 >> 3, if p3 == 0 { 29 } else { p3 }),
            0xB0 | 0xB3 => vec![0x33; usize::from(if p3 == 0 { 29 } else { p3 })],
            0xA2 => vec![2, 1, 3],
            0x30 | 0x32 => return self.counter(ins == 0x32, p2 >> 3, p1, data),
            0x38 | 0x3A => self.counters(ins == 0x3A, p2 >> 3, data),
            0xA4 if p1 == 0x09 && data.starts_with(&[0, 0]) => header(0x00, 0x01),
            0xA4 => header(p2 & 0x1F, 0x04),
            0xCA => data_object(p2),
            0x84 => vec![0xCC; 8],
            0x7C => vec![0x05; usize::from(p3)],
            0xB8 | 0xBA | 0xBC if command.len() > 5 + usize::from(p3) => vec![0x44; 3],
            0xB8 | 0xBA | 0xBC => return vec![0x62, 0x00],
            _ => Vec::new(),
        };
        answer.extend_from_slice(&[0x90, 0x00]);
        answer
    }

    /// The layouts of specification 02, "Opening".
    fn opening(&self, p1: u8, p2: u8) -> Vec<u8> {
        let record = [0x29; 29];
        let read = |with: bool| if with { &record[..] } else { &[] };
        match p2 & 7 {
            0 if p1 & 0x80 == 0 => [&[0, 3, 1, 9][..], read(p1 >> 3 != 0)].concat(),
            0 => [&[0x79, 0, 3, 1, 9][..], read(p1 & 0x78 != 0)].concat(),
            mode => {
                let with = p1 >> 3 != 0;
                let head = if mode == 1 { &[0, 3, 1, 9, 0][..] } else { &[0, 3, 1, 9, 9, 9, 9, 9, 2] };
                let record = if with { [0x29; 240].as_slice() } else { &[] };
                [head, &[0x30, 0x79, if with { 240 } else { 0 }], record].concat()
            }
        }
    }

    fn value(&mut self, sfi: u8, counter: u8) -> &mut u32 {
        self.counters.entry((sfi, counter.max(1))).or_insert(100)
    }

    /// The counters of the file, as far as they are whole.
    fn record(&mut self, sfi: u8, len: u8) -> Vec<u8> {
        let mut record = vec![0x11; usize::from(len)];
        for (counter, bytes) in (1..).zip(record.chunks_exact_mut(3)) {
            bytes.copy_from_slice(&self.value(sfi, counter).to_be_bytes()[1..]);
        }
        record
    }

    fn changed(&mut self, up: bool, sfi: u8, counter: u8, by: &[u8]) -> Option<[u8; 3]> {
        let [a, b, c] = *by.first_chunk::<3>()?;
        let by = u32::from_be_bytes([0, a, b, c]);
        let value = self.value(sfi, counter);
        let new = if up { value.checked_add(by) } else { value.checked_sub(by) };
        *value = new.filter(|new| *new <= 0xFF_FFFF)?;
        let [_, a, b, c] = value.to_be_bytes();
        Some([a, b, c])
    }

    fn counter(&mut self, up: bool, sfi: u8, counter: u8, data: &[u8]) -> Vec<u8> {
        match self.changed(up, sfi, counter, data) {
            None => vec![0x6A, 0x80],
            Some(_) if self.postpones => {
                self.postponed += 1;
                vec![0x62, 0x00]
            }
            Some([a, b, c]) => vec![a, b, c, 0x90, 0x00],
        }
    }

    fn counters(&mut self, up: bool, sfi: u8, data: &[u8]) -> Vec<u8> {
        let entries = data.chunks_exact(4).filter_map(|entry| entry.split_first());
        let changed = |(&counter, by): (&u8, &[u8])| {
            let [a, b, c] = self.changed(up, sfi, counter, by).unwrap_or_default();
            [counter, a, b, c]
        };
        entries.flat_map(changed).collect()
    }
}

/// The header of a directory or file.
fn header(sfi: u8, kind: u8) -> Vec<u8> {
    [&[0x85, 0x17, sfi, kind, 0x02, 0x1D, 0x03][..], &[0x10; 18]].concat()
}

fn data_object(p2: u8) -> Vec<u8> {
    match p2 {
        0x6F => {
            let mut answer = select_response([0x0A, 0x3C, 0x23, 0x20, 0x14, 0x10, 0x01], [0x90, 0x00]);
            answer.truncate(answer.len() - 2);
            answer
        }
        0x62 => [&[0x62, 0x19][..], &header(0x08, 0x04)].concat(),
        0xC0 => vec![0xC0, 0x08, 0xC1, 0x06, 0x20, 0x01, 0x07, 0x02, 0x1D, 0x01],
        _ => vec![0x77; 20],
    }
}

fn twist_behind(twists: &Twists, command: usize) -> Option<&Twist> {
    twists.iter().find(|(at, _)| *at == command).map(|(_, twist)| twist)
}

/// Lengths as the specification of the SAM has them.
fn sam(command: &[u8]) -> Vec<u8> {
    let Some(&[_, ins, p1, _, p3]) = command.first_chunk::<5>() else { return vec![0x67, 0x00] };
    // P1 of the SV Get that is repeated behind the header.
    let extended = command.get(6) == Some(&0x01);
    let len = match ins {
        0x84 | 0x8E => usize::from(p3),
        0x12 if p1 == 0x80 => 8,
        0x12 => 16,
        0x54 | 0x56 | 0x5C if extended => 16,
        0x54 | 0x56 | 0x5C => 11,
        // Data Cipher, PSO Compute Signature; PSO Verify Signature has no data.
        0x16 => usize::from(p3.saturating_sub(2)),
        0x2A if p1 == 0x9E => 8,
        _ => 0,
    };
    let mut answer = vec![0xAA; len];
    answer.extend_from_slice(&[0x90, 0x00]);
    answer
}
