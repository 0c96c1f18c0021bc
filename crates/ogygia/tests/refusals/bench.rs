//! A card and a SAM that do as they are told, but for one answer; and what the terminal makes of it.

use ogygia::apdu::{Batch, StatusWord};
use ogygia::card::{Card, DirectoryHeader, FileHeader, Purse};
use ogygia::command::CommandName;
use ogygia::drive::{Channel, resume};
use ogygia::{ChannelControl, Error, Loss, Peer, Request};

use ogygia::transaction::Transaction;

/// What a command is, by its bytes: specification 01 and 03, the overviews of the commands.
fn name(peer: Peer, command: &[u8]) -> CommandName {
    let &[_, ins, p1, p2, ..] = command else { panic!("{command:02X?}") };
    match (peer, ins) {
        (Peer::Card, 0xA4) if p1 == 0x04 => CommandName::SelectApplication,
        (Peer::Card, 0xA4) => CommandName::SelectFile,
        (Peer::Card, 0xCA) => CommandName::GetData,
        (Peer::Card, 0xB2) if p1 == 0 => CommandName::Ratification,
        (Peer::Card, 0xB2) => CommandName::ReadRecords,
        (Peer::Card, 0xDC) => CommandName::UpdateRecord,
        (Peer::Card, 0xD2) => CommandName::WriteRecord,
        (Peer::Card, 0xE2) => CommandName::AppendRecord,
        (Peer::Card, 0x32) => CommandName::Increase,
        (Peer::Card, 0x30) => CommandName::Decrease,
        (Peer::Card, 0x3A) => CommandName::IncreaseMultiple,
        (Peer::Card, 0x38) => CommandName::DecreaseMultiple,
        (Peer::Card, 0xDA) => CommandName::PutData,
        (Peer::Card, 0x46) => CommandName::GenerateAsymmetricKeyPair,
        (Peer::Card, 0xB3) => CommandName::ReadRecordMultiple,
        (Peer::Card, 0xA2) => CommandName::SearchRecordMultiple,
        (Peer::Card, 0xB0) => CommandName::ReadBinary,
        (Peer::Card, 0xD6) => CommandName::UpdateBinary,
        (Peer::Card, 0xD0) => CommandName::WriteBinary,
        (Peer::Card, 0x84) => CommandName::GetChallenge,
        (Peer::Card, 0x20) => CommandName::VerifyPin,
        (Peer::Card, 0xD8) if p2 == 0xFF => CommandName::ChangePin,
        (Peer::Card, 0xD8) => CommandName::ChangeKey,
        (Peer::Card, 0x7C) => CommandName::SvGet,
        (Peer::Card, 0xB8) => CommandName::SvReload,
        (Peer::Card, 0xBA) => CommandName::SvDebit,
        (Peer::Card, 0xBC) => CommandName::SvUndebit,
        (Peer::Card, 0x04) => CommandName::Invalidate,
        (Peer::Card, 0x44) => CommandName::Rehabilitate,
        (Peer::Card, 0x8A) => CommandName::OpenSecureSession,
        (Peer::Card, 0x82) => CommandName::ManageSecureSession,
        (Peer::Card, 0x8E) if command.len() == 5 => CommandName::AbortSecureSession,
        (Peer::Card, 0x8E) => CommandName::CloseSecureSession,
        (Peer::Sam, 0x14) => CommandName::SamSelectDiversifier,
        (Peer::Sam, 0x84) => CommandName::SamGetChallenge,
        (Peer::Sam, 0x8A) => CommandName::SamDigestInit,
        (Peer::Sam, 0x8C) if p1 == 0x80 => CommandName::SamDigestUpdateMultiple,
        (Peer::Sam, 0x8C) => CommandName::SamDigestUpdate,
        (Peer::Sam, 0x88) => CommandName::SamDigestInternalAuthenticate,
        (Peer::Sam, 0x8E) => CommandName::SamDigestClose,
        (Peer::Sam, 0x82) => CommandName::SamDigestAuthenticate,
        (Peer::Sam, 0x86) => CommandName::SamGiveRandom,
        (Peer::Sam, 0x12) if p1 == 0xFF => CommandName::SamCardGenerateKey,
        (Peer::Sam, 0x12) => CommandName::SamCardCipherPin,
        (Peer::Sam, 0x56) => CommandName::SamSvPrepareLoad,
        (Peer::Sam, 0x54) => CommandName::SamSvPrepareDebit,
        (Peer::Sam, 0x5C) => CommandName::SamSvPrepareUndebit,
        (Peer::Sam, 0x58) => CommandName::SamSvCheck,
        (Peer::Sam, 0x2A) if p2 == 0x9A => CommandName::SamPsoComputeSignature,
        (Peer::Sam, 0x2A) => CommandName::SamPsoVerifySignature,
        (Peer::Sam, 0x1C) => CommandName::SamDataCipher,
        _ => panic!("{peer:?} {command:02X?}"),
    }
}

/// Both peers.
#[derive(Debug)]
pub(crate) struct Peers {
    /// The next command of this name gets this answer.
    instead: Option<(CommandName, Vec<u8>)>,
    /// Where it stood in its request.
    pub(crate) replaced: Option<(Peer, usize)>,
    /// All commands, in their requests.
    pub(crate) requests: Vec<(Peer, Vec<Vec<u8>>)>,
    session_is_open: bool,
    counter: u32,
    postponed: Vec<u8>,
}

impl Peers {
    fn answer(&mut self, request: &Request<'_>, responses: &mut Batch) {
        let commands = request.commands.iter().map(<[u8]>::to_vec).collect();
        self.requests.push((request.peer, commands));
        for (index, command) in request.commands.iter().enumerate() {
            let name = name(request.peer, command);
            let answer = match self.instead.take_if(|(instead, _)| *instead == name) {
                Some((_, answer)) => {
                    self.replaced = Some((request.peer, index));
                    answer
                }
                None if request.peer == Peer::Card => self.card(name, command),
                None => sam(command),
            };
            responses.push(&answer);
            let status = answer.last_chunk::<2>().map(|status| StatusWord(u16::from_be_bytes(*status)));
            if !status.is_some_and(|status| request.accepts(index, status)) {
                break;
            }
        }
    }

    fn card(&mut self, name: CommandName, command: &[u8]) -> Vec<u8> {
        let &[_, _, p1, p2, p3, ref data @ ..] = command else { panic!("{command:02X?}") };
        let mut answer = match name {
            CommandName::OpenSecureSession => {
                self.session_is_open = true;
                match p2 & 7 {
                    0 if p1 & 0x80 == 0 => vec![0, 3, 1, 9],
                    0 => vec![0x79, 0, 3, 1, 9],
                    1 => vec![0, 3, 1, 9, 0, 0x30, 0x79, 0],
                    _ => OPENING.to_vec(),
                }
            }
            CommandName::CloseSecureSession => {
                self.session_is_open = false;
                let mut answer = std::mem::take(&mut self.postponed);
                answer.resize(answer.len() + usize::from(p3), 0xBB);
                answer
            }
            CommandName::AbortSecureSession => {
                self.session_is_open = false;
                self.postponed.clear();
                Vec::new()
            }
            CommandName::Ratification => return vec![0x6B, 0x00],
            // The MAC of the card for that of the terminal.
            CommandName::ManageSecureSession => vec![0xBB; usize::from(p3)],
            CommandName::ReadRecords if p2 >> 3 == 0x19 => self.counter.to_be_bytes()[1..].to_vec(),
            CommandName::ReadRecords | CommandName::ReadBinary => vec![0x11; usize::from(p3)],
            CommandName::ReadRecordMultiple => vec![0x33; 4],
            CommandName::SearchRecordMultiple => vec![2, 1, 3],
            CommandName::Increase => self.count(1),
            CommandName::Decrease => self.count(-1),
            CommandName::IncreaseMultiple => [vec![1], self.count(1)].concat(),
            CommandName::DecreaseMultiple => [vec![1], self.count(-1)].concat(),
            CommandName::SelectFile => [&[0x85, 0x17, 0x08, 0x04, 0x02, 0x1D, 0x03][..], &[0x10; 18]].concat(),
            CommandName::GetData => [&[0xDF, 0x2C, 0x40][..], &[0x77; 64]].concat(),
            CommandName::GetChallenge => vec![0xCC; 8],
            CommandName::SvGet => vec![0x05; usize::from(p3)],
            CommandName::SvReload | CommandName::SvDebit | CommandName::SvUndebit if self.session_is_open => {
                let len = mac_len(p3);
                self.postponed.push(u8::try_from(1 + len).unwrap());
                self.postponed.extend(vec![0x44; len]);
                return vec![0x62, 0x00];
            }
            CommandName::SvReload | CommandName::SvDebit | CommandName::SvUndebit => vec![0x44; mac_len(p3)],
            _ => {
                assert_eq!(data.len(), usize::from(p3), "{name} has no answer");
                Vec::new()
            }
        };
        answer.extend_from_slice(&[0x90, 0x00]);
        answer
    }

    fn count(&mut self, by: i32) -> Vec<u8> {
        self.counter = self.counter.checked_add_signed(by).unwrap();
        self.counter.to_be_bytes()[1..].to_vec()
    }
}

/// Bytes of the card's MAC over a Stored Value operation with this Lc.
const fn mac_len(lc: u8) -> usize {
    if matches!(lc, 0x19 | 0x1C) { 6 } else { 3 }
}

/// What the card answers, and foretells, to an extended opening.
pub(crate) const OPENING: [u8; 12] = [0, 3, 1, 9, 9, 9, 9, 9, 2, 0x30, 0x79, 0];

/// Lengths as the specification of the SAM has them. It ciphers by doing nothing.
fn sam(command: &[u8]) -> Vec<u8> {
    let &[_, ins, p1, p2, p3, ref data @ ..] = command else { panic!("{command:02X?}") };
    // P1 of the SV Get that is repeated in the data.
    let extended = data.get(1) == Some(&0x01);
    if (ins, p2) == (0x8C, 0x80) {
        return [data, &[0x90, 0x00]].concat();
    }
    let len = match ins {
        0x88 => 8,
        0x84 | 0x8E => usize::from(p3),
        0x12 if p1 == 0x80 => 8,
        0x12 => 16,
        0x54 | 0x56 | 0x5C if extended => 16,
        0x54 | 0x56 | 0x5C => 11,
        0x2A if p2 == 0x9A => 8,
        0x1C => 8,
        _ => 0,
    };
    let mut answer = vec![0xAA; len];
    answer.extend_from_slice(&[0x90, 0x00]);
    answer
}

/// Number and bytes of the known records of a file.
type Records = Vec<(u32, Vec<u8>)>;

/// What a session that is aborted takes back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Content {
    files: Vec<(u8, Option<FileHeader>, Records)>,
    invalidated: bool,
    directory: Option<DirectoryHeader>,
    purse: Option<Purse>,
}

impl Content {
    fn of(card: &Card) -> Self {
        let files = card.files().iter().map(|file| {
            let records = file.records().map(|(number, bytes)| (number, bytes.to_vec())).collect();
            (file.sfi().0, file.header().copied(), records)
        });
        Self {
            files: files.collect(),
            invalidated: card.invalidated(),
            directory: card.directory_header().copied(),
            purse: card.purse(),
        }
    }
}

/// A terminal with both peers.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) transaction: Transaction,
    pub(crate) peers: Peers,
    /// Of two peers that are asked, the SAM answers first, also while the application is waited for.
    sam_first: bool,
}

/// One peer of the two, for the driver.
struct To<'a>(&'a std::cell::RefCell<&'a mut Peers>);

impl Channel for To<'_> {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        self.0.borrow_mut().answer(request, responses);
        Ok(())
    }
}

impl Bench {
    pub(crate) fn new(transaction: Transaction, sam_first: bool) -> Self {
        let peers = Peers {
            instead: None,
            replaced: None,
            requests: Vec::new(),
            session_is_open: false,
            counter: 100,
            postponed: Vec::new(),
        };
        Self { transaction, peers, sam_first }
    }

    /// The next command of this name will get this answer.
    pub(crate) fn replace(&mut self, name: CommandName, answer: &[u8]) {
        self.peers.instead = Some((name, answer.to_vec()));
        self.peers.requests.clear();
    }

    pub(crate) fn run(&mut self) -> Result<(), Error> {
        self.transaction.process(ChannelControl::KeepOpen).unwrap();
        self.resume()
    }

    /// Also sends what a refused preparation leaves.
    pub(crate) fn resume(&mut self) -> Result<(), Error> {
        if !self.sam_first {
            let peers = std::cell::RefCell::new(&mut self.peers);
            return resume(&mut self.transaction, &mut To(&peers), &mut To(&peers));
        }
        let mut responses = Batch::new();
        loop {
            responses.clear();
            let asked = [Peer::Sam, Peer::Card].into_iter().find_map(|peer| self.transaction.poll(peer));
            let Some(request) = asked else { return self.transaction.outcome().unwrap_or(Ok(())) };
            let peer = request.peer;
            self.peers.answer(&request, &mut responses);
            self.transaction.handle(peer, &responses).unwrap();
        }
    }

    pub(crate) fn content(&self) -> Content {
        Content::of(self.transaction.card())
    }

    /// Whether an abort was sent since the answer was replaced, as the last command to the card, and once.
    pub(crate) fn aborted(&self) -> bool {
        let to_card = self.peers.requests.iter().filter(|(peer, _)| *peer == Peer::Card);
        let names: Vec<_> = to_card.flat_map(|(peer, all)| all.iter().map(|command| name(*peer, command))).collect();
        let aborts = names.iter().filter(|name| **name == CommandName::AbortSecureSession).count();
        assert!(aborts <= 1, "{names:?}");
        assert_eq!(aborts == 1, names.last() == Some(&CommandName::AbortSecureSession), "{names:?}");
        aborts == 1
    }
}
