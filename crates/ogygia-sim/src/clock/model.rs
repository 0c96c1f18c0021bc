//! How long an exchange takes: tables, and the sums over them.
//!
//! Sources: specification of real cards, "Time", for frames at 106 kbit/s and readings; for opening, closing, ratification
//! and the SAM's commands of a session, what was once measured on one real pair of card and SAM, and given to us. Where
//! neither has a figure, the table says "ours": it is assumed.

use ogygia::{Peer, Request};

/// How long everything takes that has a part in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it stands for, in one line.
    pub shows: &'static str,
    /// The way to the card.
    pub card_reader: Way,
    /// The way to the SAM.
    pub sam_reader: Way,
    /// The card.
    pub card: CardModel,
    /// The SAM.
    pub sam: SamModel,
}

/// What a request costs before anything is executed, whatever is in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// Microseconds per request that driver and reader take.
    pub request_us: u64,
    /// Microseconds per request that the network takes, there and back.
    pub network_us: u64,
    /// Microseconds per command between an answer and the next command.
    pub command_us: u64,
}

/// How long a device takes to execute commands of one instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The instruction byte.
    pub instruction: u8,
    /// Microseconds per command.
    pub command_us: u64,
    /// Nanoseconds per byte of command data.
    pub byte_ns: u64,
}

/// A contactless card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardModel {
    /// 106, 212, 424 or 848 kbit/s, as a multiple of 106: 1, 2, 4 or 8.
    pub speed: u64,
    /// The most bytes of a command or an answer in one frame.
    pub frame: u64,
    /// How long commands take.
    pub paces: &'static [Pace],
    /// Microseconds of the command that ratifies a session.
    pub ratification_us: u64,
    /// Microseconds of a command that is not in the table, and of one that aborts a session.
    pub other_us: u64,
}

/// A SAM in a contact reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SamModel {
    /// Nanoseconds per byte in its slot: twelve elementary times with T=0.
    pub byte_ns: u64,
    /// How long commands take.
    pub paces: &'static [Pace],
    /// Microseconds of a command that is not in the table.
    pub other_us: u64,
}

const fn pace(instruction: u8, command_us: u64) -> Pace {
    Pace { instruction, command_us, byte_ns: 0 }
}

/// The card of the measured pair: opening with a record 14 ms, closing 52 ms, ratification 42 ms, each with its frames at
/// 106 kbit/s. Readings: 2.6 ms to 2.9 ms from the command's end to the answer's begin. Writings: ours.
const MEASURED_CARD: CardModel = CardModel {
    speed: 1,
    frame: 253,
    paces: &[
        pace(0x8A, 9_200),
        pace(0x8E, 50_100),
        pace(0xB2, 2_800),
        pace(0xB0, 2_800),
        pace(0xA4, 2_900),
        pace(0xDC, 5_000),
        pace(0xE2, 5_000),
        pace(0xD2, 5_000),
        pace(0x30, 4_000),
        pace(0x32, 4_000),
        pace(0x82, 12_000),
    ],
    ratification_us: 40_900,
    other_us: 8_000,
};

/// The SAM of the measured pair: select diversifier 55 ms, challenge 3 ms, digest init 6 ms, digest close 9 ms, digest
/// authenticate 94 ms, each with its bytes at 16 clocks per bit of 3.57 MHz. Digest updates: ours, at the pace per byte at
/// which Digest Init digests. Everything else: ours.
const MEASURED_SAM: SamModel = SamModel {
    byte_ns: 53_800,
    paces: &[
        pace(0x14, 54_100),
        pace(0x84, 2_350),
        Pace { instruction: 0x8A, command_us: 1_200, byte_ns: 60_000 },
        Pace { instruction: 0x8C, command_us: 1_200, byte_ns: 60_000 },
        pace(0x8E, 8_350),
        pace(0x88, 8_350),
        pace(0x82, 93_350),
        pace(0x86, 2_350),
    ],
    other_us: 20_000,
};

/// Ours: as fast as a card of today may be.
const FAST_CARD: CardModel = CardModel {
    speed: 8,
    frame: 253,
    paces: &[
        pace(0x8A, 6_000),
        pace(0x8E, 12_000),
        pace(0xB2, 1_200),
        pace(0xB0, 1_200),
        pace(0xA4, 1_500),
        pace(0xDC, 2_000),
        pace(0xE2, 2_000),
        pace(0xD2, 2_000),
        pace(0x30, 2_000),
        pace(0x32, 2_000),
        pace(0x82, 6_000),
    ],
    ratification_us: 1_200,
    other_us: 4_000,
};

/// Ours: the same commands, several times as fast.
const FAST_SAM: SamModel = SamModel {
    byte_ns: 27_000,
    paces: &[
        pace(0x14, 6_000),
        pace(0x84, 1_500),
        Pace { instruction: 0x8A, command_us: 800, byte_ns: 20_000 },
        Pace { instruction: 0x8C, command_us: 800, byte_ns: 20_000 },
        pace(0x8E, 4_000),
        pace(0x88, 4_000),
        pace(0x82, 6_000),
        pace(0x86, 1_500),
    ],
    other_us: 8_000,
};

const LOCAL: Way = Way { request_us: 300, network_us: 0, command_us: 100 };

impl Model {
    /// A gate whose card and SAM are as slow as one pair that was measured.
    pub const DEFAULT: Self = Self {
        name: "default",
        shows: "a gate with a card and a SAM as they were measured, at 106 kbit/s",
        card_reader: LOCAL,
        sam_reader: LOCAL,
        card: MEASURED_CARD,
        sam: MEASURED_SAM,
    };
    /// A gate with a card and a SAM as fast as today's may be, which we assume: nobody measured them.
    pub const FAST: Self = Self {
        name: "fast",
        shows: "a gate with a card and a SAM as fast as today's may be, which we assume, at 848 kbit/s",
        card: FAST_CARD,
        sam: FAST_SAM,
        ..Self::DEFAULT
    };
    /// A server that reaches the card's reader, and the SAM, over a network.
    pub const DISTRIBUTED: Self = Self {
        name: "distributed",
        shows: "the measured card and SAM, each 50 ms of network away from the server",
        card_reader: Way { network_us: 50_000, ..LOCAL },
        sam_reader: Way { network_us: 50_000, ..LOCAL },
        ..Self::DEFAULT
    };
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DEFAULT, Self::FAST, Self::DISTRIBUTED];

    /// The model of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|model| model.name == name)
    }

    /// Microseconds that `peer` takes for the exchange of `command` and an answer of `answer` bytes, its own transport
    /// included, the way to it not. With no answer, what was lost is the answer alone.
    #[must_use]
    pub fn exchange_us(&self, peer: Peer, command: &[u8], answer: usize) -> u64 {
        match peer {
            Peer::Card => self.card.exchange_us(command, answer),
            Peer::Sam | Peer::ControlSam => self.sam.exchange_us(command, answer),
        }
    }

    /// Microseconds that a request takes, of which as many commands were sent as there are `answers`; of one that is
    /// lost, the last answer is empty.
    #[must_use]
    pub fn request_us<'a>(&self, request: &Request<'_>, answers: impl Iterator<Item = &'a [u8]>) -> u64 {
        let way = match request.peer {
            Peer::Card => self.card_reader,
            Peer::Sam | Peer::ControlSam => self.sam_reader,
        };
        let exchanged = request.commands.iter().zip(answers);
        let each = exchanged
            .map(|(command, answer)| way.command_us + self.exchange_us(request.peer, command, answer.len()))
            .sum::<u64>();
        way.request_us + way.network_us + each
    }
}

/// Nanoseconds of one bit at 106 kbit/s.
const BIT_NS: u64 = 9_440;
/// Bits of a byte with its parity, and of a frame around its bytes.
const BYTE_BITS: u64 = 9;
const FRAME_BITS: u64 = 2;
/// Protocol byte and checksum of a frame.
const FRAME_BYTES: u64 = 3;
/// Between a frame and the next one in a chain.
const TURN_NS: u64 = 86_000;

impl CardModel {
    /// Nanoseconds that `bytes` take on the air: in frames, with an acknowledgement between two.
    fn air_ns(&self, bytes: u64) -> u64 {
        let frames = bytes.div_ceil(self.frame.max(1)).max(1);
        let frame_bits = |bytes: u64| (bytes + FRAME_BYTES * frames) * BYTE_BITS + frames * FRAME_BITS;
        let acknowledged = frames - 1;
        let acknowledgement = (FRAME_BYTES * BYTE_BITS + FRAME_BITS) * acknowledged;
        (frame_bits(bytes) + acknowledgement) * BIT_NS / self.speed.max(1) + acknowledged * 2 * TURN_NS
    }

    fn exchange_us(&self, command: &[u8], answer: usize) -> u64 {
        let executed = match *command {
            [_, 0xB2, 0, 0, ..] => self.ratification_us,
            [_, 0x8E, _, _, 0, ..] => self.other_us,
            _ => execution_us(self.paces, self.other_us, command),
        };
        executed + (self.air_ns(count(command.len())) + self.air_ns(count(answer))) / 1_000
    }
}

impl SamModel {
    /// The bytes of command and answer, and the one with which the SAM asks for the command's data.
    fn exchange_us(&self, command: &[u8], answer: usize) -> u64 {
        let bytes = count(command.len()) + 1 + count(answer);
        execution_us(self.paces, self.other_us, command) + bytes * self.byte_ns / 1_000
    }
}

fn execution_us(paces: &[Pace], other_us: u64, command: &[u8]) -> u64 {
    let instruction = command.get(1);
    let data = count(command.len().saturating_sub(5));
    let pace = paces.iter().find(|pace| Some(&pace.instruction) == instruction);
    pace.map_or(other_us, |pace| pace.command_us + data * pace.byte_ns / 1_000)
}

fn count(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
