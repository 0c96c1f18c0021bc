//! Cards and terminals, in words.

use ogygia::apdu::Batch;
use ogygia::card::{Card, KeyId, Kif, Kvc, Level, Sfi};
use ogygia::command::{CloseSession, Command, OpenSession, UpdateRecord};
use ogygia::sam::Sam;
use ogygia::selection::Selection;
use ogygia::transaction::{Security, SymmetricSettings, Transaction};
use ogygia::{Error, Peer};

use crate::bench::Bench;

pub(crate) const RECORDS: Sfi = Sfi(0x07);
pub(crate) const COUNTERS: Sfi = Sfi(0x19);
pub(crate) const KEY: KeyId = KeyId { kif: Kif(0x30), kvc: Kvc(0x79) };

/// Revision 3 with PIN, Stored Value, both, and also extended sessions.
pub(crate) const PLAIN: [u8; 7] = [0x0A, 0x3C, 0x23, 0x05, 0x14, 0x10, 0x01];
pub(crate) const EXTENDED: [u8; 7] = [0x0A, 0x3C, 0x2B, 0x05, 0x14, 0x10, 0x01];
pub(crate) const REVISION_2: [u8; 7] = [0x0A, 0x2E, 0x13, 0x42, 0x00, 0x01, 0x01];
pub(crate) const LIGHT: [u8; 7] = [0x06, 0x43, 0x90, 0x31, 0x2B, 0x01, 0x00];
pub(crate) const BASIC: [u8; 7] = [0x04, 0x3C, 0x98, 0x05, 0x14, 0x10, 0x01];

/// Application subtypes of two SAMs.
pub(crate) const C1: u8 = 0xC1;
pub(crate) const S1D: u8 = 0xD0;

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// An answer to Select Application with these data objects in the inner template.
pub(crate) fn fci(name: &[u8], objects: &[&[u8]]) -> Vec<u8> {
    let object = |tag: &[u8], content: &[u8]| [tag, &[u8::try_from(content.len()).unwrap()], content].concat();
    let inner = object(&[0xA5], &object(&[0xBF, 0x0C], &objects.concat()));
    [object(&[0x6F], &[object(&[0x84], name), inner].concat()), vec![0x90, 0x00]].concat()
}

pub(crate) const SERIAL: &[u8] = &[0xC7, 8, 0x01, 0x02, 0x03, 0x04, 0x11, 0x22, 0x33, 0x44];

pub(crate) fn select_response(startup: [u8; 7]) -> Vec<u8> {
    fci(b"1TIC.ICA1", &[SERIAL, &[&[0x53, 7], &startup[..]].concat()])
}

pub(crate) fn card(startup: [u8; 7]) -> Card {
    Card::from_select_response(&select_response(startup)).unwrap()
}

pub(crate) fn revision_1() -> Card {
    let power_on_data = [
        0x3B, 0x8F, 0x80, 0x01, 0x80, 0x5A, 0x0A, 0x01, 0x03, 0x20, 0x03, 0x11, 0x12, 0x34, 0x56, 0x78, 0x82, 0x90,
        0x00, 0xF7,
    ];
    Selection::by_power_on_data().card(&power_on_data, &Batch::new()).unwrap().unwrap()
}

pub(crate) fn settings(sam_subtype: u8) -> SymmetricSettings {
    let power_on_data = [
        0x3B,
        0x3F,
        0x96,
        0x00,
        0x80,
        0x5A,
        0x48,
        0x80,
        sam_subtype,
        0x20,
        0x50,
        0x17,
        0x11,
        0x22,
        0x33,
        0x44,
        0x82,
        0x90,
        0x00,
    ];
    let mut settings = SymmetricSettings::new(Sam::from_power_on_data(&power_on_data));
    settings.read_on_opening = false;
    settings.default_kif = Level::ALL.map(|level| (level, KEY.kif)).to_vec();
    settings.default_kvc = Level::ALL.map(|level| (level, KEY.kvc)).to_vec();
    settings
}

pub(crate) fn desk(card: Card, settings: SymmetricSettings) -> Bench {
    Bench::new(Transaction::new(card, Security::Symmetric(settings)).unwrap(), false)
}

pub(crate) fn plain_desk() -> Bench {
    desk(card(PLAIN), settings(C1))
}

pub(crate) fn free_desk() -> Bench {
    Bench::new(Transaction::new(card(PLAIN), Security::None).unwrap(), false)
}

pub(crate) const OPEN: OpenSession = OpenSession { level: Level::Debit };

pub(crate) const fn update(data: &[u8]) -> UpdateRecord<'_> {
    UpdateRecord { sfi: RECORDS, record: 1, data }
}

impl Bench {
    pub(crate) fn prepare<'a>(&mut self, command: impl Into<Command<'a>>) -> Result<(), Error> {
        self.transaction.prepare(command)
    }

    /// Prepares, and processes.
    pub(crate) fn process<'a>(&mut self, commands: impl IntoIterator<Item = Command<'a>>) -> Result<(), Error> {
        for command in commands {
            self.prepare(command).unwrap();
        }
        self.run()
    }

    pub(crate) fn close(&mut self) {
        assert_eq!(self.process([CloseSession.into()]), Ok(()));
    }

    /// The requests since this was asked last.
    pub(crate) fn requests(&mut self) -> Vec<(Peer, Vec<String>)> {
        let texts = |commands: Vec<Vec<u8>>| commands.iter().map(|command| hex(command)).collect();
        self.peers.requests.drain(..).map(|(peer, commands)| (peer, texts(commands))).collect()
    }

    /// The commands to one peer since this was asked last.
    pub(crate) fn sent(&mut self, to: Peer) -> Vec<String> {
        self.requests().into_iter().filter(|(peer, _)| *peer == to).flat_map(|(_, commands)| commands).collect()
    }
}
