//! How short a transaction could be: the longest chain of what needs what.
//!
//! Specification 02, "What depends on what". Card and SAM each execute their commands one after the other; a command
//! waits for the other peer only where it needs what that gives. What a request costs on its way is counted as often as
//! the fewest requests need it. No driver and no policy can be faster; none is asked here.

use ogygia::Peer;
use ogygia_sim::clock::{Model, Way};

use crate::record::{Entry, Exchange, Phase};

/// The shortest times of a transaction, in microseconds from its first request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Until the gate may open.
    pub gate_us: u64,
    /// Until the card may leave.
    pub leave_us: u64,
}

/// When what is ready.
#[derive(Debug, Default)]
struct Chain {
    card: u64,
    sam: u64,
    /// Since when the card's next command can be built: not what the SAM may still do meanwhile.
    material: u64,
    /// The closing can be built.
    mac: u64,
    /// The last answer to an opening.
    opened: u64,
    /// The last answer that holds a MAC of the card.
    proved: u64,
    /// The last request began: what was prepared with it was known by then.
    asked: u64,
    /// The last answer that cannot be known before it comes.
    told: u64,
    authenticated: Option<u64>,
}

/// The bound of a transaction that was played with the fewest requests.
#[must_use]
pub fn bound(entries: &[Entry], model: &Model) -> Bound {
    let mut chain = Chain::default();
    for entry in entries.iter().filter(|entry| entry.phase == Phase::Transaction) {
        let exchanges = entry
            .exchanges
            .iter()
            .map(|exchange| (exchange, model.exchange_us(entry.peer, &exchange.command, exchange.answer_len())));
        match entry.peer {
            // Nothing is needed for that but an end of what went before.
            Peer::Card if entry.only_closes() => chain.card += way_us(model.card_reader),
            Peer::Card => chain.card_request(model.card_reader, exchanges),
            Peer::Sam | Peer::ControlSam => chain.sam_request(model.sam_reader, exchanges),
        }
    }
    let done = chain.card.max(chain.sam);
    Bound { gate_us: chain.authenticated.unwrap_or(done), leave_us: done }
}

/// Whether the card authenticates itself early, or what it did with the purse.
const fn proves(command: &[u8]) -> bool {
    matches!(command, [_, 0x82 | 0xB8 | 0xBA | 0xBC, ..])
}

/// Whether the card signed the session that it closed. Where its issuer is not known before, it is proved later still. An
/// abort has the same bytes, and a status word for an answer.
fn is_signed(exchange: &Exchange) -> bool {
    const SIGNATURE: usize = 64;
    matches!(exchange.command.as_slice(), [_, 0x8E, _, _, 0]) && exchange.answer_len() == SIGNATURE + 2
}

/// Whether the answer to a card command may be known before it comes: of what writes, counts, pays, or presents a PIN.
const fn is_certain(command: &[u8]) -> bool {
    matches!(
        command,
        [_, 0xDC | 0xD2 | 0xE2 | 0xD6 | 0xD0 | 0x30 | 0x32 | 0x38 | 0x3A | 0x20 | 0x04 | 0x44 | 0xB8 | 0xBA | 0xBC, ..]
    )
}

const fn way_us(way: Way) -> u64 {
    way.request_us + way.network_us
}

impl Chain {
    fn card_request<'a>(&mut self, way: Way, exchanges: impl Iterator<Item = (&'a Exchange, u64)>) {
        self.asked = self.card.max(self.material);
        self.card = self.asked + way_us(way);
        for (exchange, takes) in exchanges {
            let command = exchange.command.as_slice();
            let closes = matches!(command, [_, 0x8E, _, _, length, ..] if *length > 0);
            if closes {
                self.card = self.card.max(self.mac + way_us(way));
            }
            self.card += way.command_us + takes;
            match command {
                [_, 0x8A, ..] => self.opened = self.card,
                _ if closes || proves(command) => self.proved = self.card,
                _ => {}
            }
            if !is_certain(command) {
                self.told = self.card;
            }
            if is_signed(exchange) {
                self.authenticated = Some(self.card);
            }
        }
    }

    fn sam_request<'a>(&mut self, way: Way, exchanges: impl Iterator<Item = (&'a Exchange, u64)>) {
        let heard = |at: u64| at + way_us(way);
        for (exchange, takes) in exchanges {
            let takes = takes + way.command_us;
            let Some(&[_, instruction, _, p2]) = exchange.command.first_chunk::<4>() else { continue };
            let needs = match (instruction, p2) {
                // The diversifier is known as soon as the card is selected.
                (0x14, _) => heard(0),
                (0x8A, _) => heard(self.opened),
                // Each needs an answer of the card; that they were digested in as few commands as possible is enough.
                (0x8C, 0) => self.sam,
                (0x8E, _) => heard(self.told),
                (0x82 | 0x58, _) => heard(self.proved),
                // A signature is verified or made beside the card, of data that the application has.
                (0x2A, _) => heard(self.asked),
                _ => heard(self.card),
            };
            self.sam = self.sam.max(needs) + takes;
            match (instruction, p2) {
                (0x14 | 0x8A, _) | (0x8C, 0) | (0x2A, 0xA8) => {}
                (0x8E, _) => self.mac = self.sam,
                (0x82, _) => {
                    self.authenticated = Some(self.sam);
                    self.material = self.sam;
                }
                // A gate that opens for a payment waits for it as well.
                (0x58, _) => self.authenticated = self.authenticated.map(|_| self.sam),
                _ => self.material = self.sam,
            }
        }
    }
}
