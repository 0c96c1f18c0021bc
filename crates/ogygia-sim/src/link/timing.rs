//! How long a device would take: virtual time, so that policies can be compared without waiting.

/// Time per exchange. Of a card: specification of real cards, "Time".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Microseconds per command.
    pub command_us: u64,
    /// Microseconds per byte, of commands and answers alike.
    pub byte_us: u64,
    /// Microseconds more for opening or closing a session.
    pub session_us: u64,
}

impl Timing {
    /// Nothing takes time.
    pub const NONE: Self = Self { command_us: 0, byte_us: 0, session_us: 0 };
    /// A card at 106 kbit/s.
    pub const CARD: Self = Self { command_us: 2_500, byte_us: 90, session_us: 15_000 };
    /// A phone.
    pub const PHONE: Self = Self { command_us: 40_000, byte_us: 90, session_us: 0 };

    /// Microseconds that the exchange of `command` and an answer of `answer` bytes takes.
    #[must_use]
    pub fn exchange_us(self, command: &[u8], answer: usize) -> u64 {
        let bytes = u64::try_from(command.len().saturating_add(answer)).unwrap_or(u64::MAX);
        let session = matches!(command, [_, 0x8A | 0x8E, ..]);
        let more = if session { self.session_us } else { 0 };
        self.byte_us.saturating_mul(bytes).saturating_add(self.command_us).saturating_add(more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opening_takes_longer_than_reading() {
        assert_eq!(Timing::CARD.exchange_us(&[0x00, 0xB2, 0x01, 0x3C, 0x1D], 31), 2_500 + 36 * 90);
        assert_eq!(Timing::CARD.exchange_us(&[0x00, 0x8E], 6), 2_500 + 8 * 90 + 15_000);
        assert_eq!(Timing::NONE.exchange_us(&[0; 200], 200), 0);
    }
}
