//! The way to what is in one reader.

use std::fmt;
use std::mem;

use ::pcsc::{Card, Context, Disposition, MAX_BUFFER_SIZE_EXTENDED, Protocols, ShareMode};
use ogygia::apdu::Batch;
use ogygia::drive::{Channel, send_each};
use ogygia::{ChannelControl, Loss, Request};

use super::error::{Code, PcscError, is_without_service};
use super::service::{c_name, establish, find};
use crate::transport::{Protocol, exchange};

/// With whom the card is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sharing {
    /// With other programs. What one of them does to the card is a loss here only if it resets it.
    #[default]
    Shared,
    /// With nobody, from power-on until the channel is closed.
    Exclusive,
}

/// What closing the channel does to the card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Closing {
    /// It is reset: what was selected and verified is forgotten. A contactless card is deselected.
    #[default]
    Reset,
    /// Its power is cut.
    Unpower,
    /// Nothing: it stays as it is, for whoever comes next.
    Leave,
}

/// How a reader is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options {
    /// With whom the card is shared.
    pub sharing: Sharing,
    /// What closing the channel does to the card.
    pub closing: Closing,
    /// The only protocol that is accepted; without one, what card and reader agree on.
    pub protocol: Option<Protocol>,
}

impl Options {
    const fn share_mode(self) -> ShareMode {
        match self.sharing {
            Sharing::Shared => ShareMode::Shared,
            Sharing::Exclusive => ShareMode::Exclusive,
        }
    }

    const fn protocols(self) -> Protocols {
        match self.protocol {
            Some(Protocol::T0) => Protocols::T0,
            Some(Protocol::T1) => Protocols::T1,
            None => Protocols::ANY,
        }
    }

    const fn disposition(self) -> Disposition {
        match self.closing {
            Closing::Reset => Disposition::ResetCard,
            Closing::Unpower => Disposition::UnpowerCard,
            Closing::Leave => Disposition::LeaveCard,
        }
    }
}

/// The way to the card or SAM in a reader.
///
/// A request to a channel that was closed, by [`ChannelControl::CloseAfter`] or [`close`](Self::close), powers what is in
/// the reader then. After a loss every request is lost, until [`power_on`](Self::power_on): nothing goes on by itself with
/// a card that has forgotten everything.
pub struct PcscChannel {
    name: String,
    options: Options,
    /// Nothing when the service has gone.
    context: Option<Context>,
    line: Line,
    power_on_data: Vec<u8>,
    error: Option<PcscError>,
    /// Where answers arrive, wiped after each.
    buffer: Vec<u8>,
}

/// The line to the card.
enum Line {
    Up(Card, Protocol),
    Closed,
    Down(Loss),
}

impl PcscChannel {
    /// Powers what is in the only reader that is called so, or has this in its name; shared, and reset when the channel is
    /// closed.
    ///
    /// # Errors
    ///
    /// There is no such reader, or more than one; there is nothing in it, or what else keeps it from being powered.
    pub fn open(reader: &str) -> Result<Self, PcscError> {
        Self::open_with(reader, Options::default())
    }

    /// As [`open`](Self::open), with other options.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with(reader: &str, options: Options) -> Result<Self, PcscError> {
        let mut channel = Self::closed(reader, options)?;
        channel.power_on()?;
        Ok(channel)
    }

    /// The channel to this reader, closed: there may be nothing in it yet.
    ///
    /// # Errors
    ///
    /// There is no such reader, or more than one; or the service does not answer.
    pub fn closed(reader: &str, options: Options) -> Result<Self, PcscError> {
        let context = establish()?;
        let name = find(&context, reader)?;
        Ok(Self {
            name,
            options,
            context: Some(context),
            line: Line::Closed,
            power_on_data: Vec::new(),
            error: None,
            buffer: vec![0; MAX_BUFFER_SIZE_EXTENDED],
        })
    }

    /// The whole name of the reader.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the card or SAM said when it was powered last: its ATR. Empty when none was powered yet.
    #[must_use]
    pub fn power_on_data(&self) -> &[u8] {
        &self.power_on_data
    }

    /// The protocol that is spoken; nothing when the channel is closed.
    #[must_use]
    pub const fn protocol(&self) -> Option<Protocol> {
        match &self.line {
            Line::Up(_, protocol) => Some(*protocol),
            Line::Closed | Line::Down(_) => None,
        }
    }

    /// What was behind the last loss, or the last closing that failed.
    #[must_use]
    pub const fn last_error(&self) -> Option<&PcscError> {
        self.error.as_ref()
    }

    /// Powers what is in the reader, and returns what it says. What is powered already is reset.
    ///
    /// # Errors
    ///
    /// What keeps it from being powered. The channel is closed then.
    pub fn power_on(&mut self) -> Result<&[u8], PcscError> {
        let powered = match mem::replace(&mut self.line, Line::Closed) {
            Line::Up(card, _) => self.reset(card),
            Line::Closed => self.connect().and_then(|card| self.adopt(card)),
            // What is there now may be what was lost, in the middle of its work.
            Line::Down(_) => self.connect().and_then(|card| self.reset(card)),
        };
        powered.inspect_err(|error| self.error = Some(error.clone()))?;
        self.error = None;
        Ok(&self.power_on_data)
    }

    /// Closes the channel, as the [options](Options::closing) say. Does nothing when it is closed.
    ///
    /// # Errors
    ///
    /// What the reader had against it. The channel is closed all the same.
    pub fn close(&mut self) -> Result<(), PcscError> {
        let Line::Up(card, _) = mem::replace(&mut self.line, Line::Closed) else { return Ok(()) };
        let closed = card.disconnect(self.options.disposition()).map_err(|(_, code)| self.failed(code));
        closed.inspect_err(|error| self.error = Some(error.clone()))
    }

    fn connect(&mut self) -> Result<Card, PcscError> {
        let context = match self.context.take() {
            Some(context) => context,
            None => establish()?,
        };
        let name = c_name(&self.name)?;
        let connected = context.connect(&name, self.options.share_mode(), self.options.protocols());
        self.context = Some(context);
        connected.map_err(|code| self.failed(code))
    }

    fn reset(&mut self, mut card: Card) -> Result<(), PcscError> {
        let disposition = match self.options.closing {
            Closing::Unpower => Disposition::UnpowerCard,
            Closing::Reset | Closing::Leave => Disposition::ResetCard,
        };
        card.reconnect(self.options.share_mode(), self.options.protocols(), disposition)
            .map_err(|code| self.failed(code))?;
        self.adopt(card)
    }

    fn adopt(&mut self, card: Card) -> Result<(), PcscError> {
        let status = card.status2_owned().map_err(|code| self.failed(code))?;
        let protocol = match status.protocol2() {
            Some(::pcsc::Protocol::T0) => Protocol::T0,
            Some(::pcsc::Protocol::T1) => Protocol::T1,
            Some(::pcsc::Protocol::RAW) | None => return Err(self.failed(Code::ProtoMismatch)),
        };
        self.power_on_data.clear();
        self.power_on_data.extend_from_slice(status.atr());
        self.line = Line::Up(card, protocol);
        Ok(())
    }

    /// What `code` means here. A connection to a service that has gone is forgotten.
    fn failed(&mut self, code: Code) -> PcscError {
        if is_without_service(code) {
            self.context = None;
        }
        PcscError::at(&self.name, code)
    }

    /// Makes the channel ready for commands.
    fn get_ready(&mut self) -> Result<(), Loss> {
        match &self.line {
            Line::Up(..) => Ok(()),
            Line::Down(loss) => Err(*loss),
            Line::Closed => self.power_on().map(|_| ()).map_err(|error| error.loss()),
        }
    }

    fn send(&mut self, command: &[u8], answer: &mut Vec<u8>) -> Result<(), Loss> {
        let Line::Up(card, protocol) = &self.line else { return Err(Loss::Reader) };
        let mut why = None;
        let sent = exchange(*protocol, command, answer, |bytes, out| {
            let taken = match card.transmit(bytes, &mut self.buffer) {
                Ok(reply) => {
                    out.extend_from_slice(reply);
                    reply.len()
                }
                Err(code) => {
                    why = Some(code);
                    return Err(PcscError::at(&self.name, code).loss());
                }
            };
            self.buffer.iter_mut().take(taken).for_each(|byte| *byte = 0);
            std::hint::black_box(&self.buffer);
            Ok(())
        });
        if sent.is_err() {
            // Without a code, the answer was shorter than a status word.
            self.error = Some(self.failed(why.unwrap_or(Code::CommDataLost)));
        }
        sent
    }

    /// Nothing more is sent until the next power-on, and that resets. Not yet: another program may be at work with a card
    /// that it has reset, and a service that tries in vain to reset a card that left may miss how it comes back.
    fn go_down(&mut self, loss: Loss) {
        if let Line::Up(card, _) = mem::replace(&mut self.line, Line::Down(loss)) {
            let _ = card.disconnect(Disposition::LeaveCard);
        }
    }
}

impl Channel for PcscChannel {
    fn transmit(&mut self, request: &Request<'_>, responses: &mut Batch) -> Result<(), Loss> {
        // What only closes the channel does not power a card for it.
        if !request.commands.is_empty() {
            self.get_ready()?;
            let sent = send_each(request, responses, |command, answer| self.send(command, answer));
            sent.inspect_err(|loss| self.go_down(*loss))?;
        }
        if request.channel == ChannelControl::CloseAfter {
            // Everything was answered, and that is what counts: a reader that cannot close says so again at the next
            // power-on. `last_error` has it.
            let _ = self.close();
        }
        Ok(())
    }
}

impl Drop for PcscChannel {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl fmt::Debug for PcscChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscChannel")
            .field("name", &self.name)
            .field("options", &self.options)
            .field("protocol", &self.protocol())
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}
