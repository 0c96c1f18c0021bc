//! What becomes of one command over T=0 or T=1: specification 05, "Automatic handling of SW".
//!
//! The core knows commands and whole answers. A peer over T=0 cannot take data and give data at once: it says that it
//! has an answer, and the terminal fetches it. [`exchange`] does that, so that the core never sees it.

use ogygia::Loss;
use ogygia::apdu::StatusWord;

/// How bytes travel between reader and peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Bytes, in one direction per command: most SAMs.
    T0,
    /// Blocks, in both directions: contactless cards as PC/SC shows them, and some contact ones.
    T1,
}

/// How many exchanges one command may cost, repetitions and Get Response included. The longest answers that there are,
/// certificates of 389 bytes, cost two; a peer that asks for ever is stopped here, and its last status word is what the
/// core gets.
pub const MAX_ROUNDS: usize = 16;

/// Class, instruction and parameters of Get Response. The class is `00` whatever the command's: specification 05,
/// "Automatic handling of SW", and 03, "APDU framing".
const GET_RESPONSE: [u8; 4] = [0x00, 0xC0, 0x00, 0x00];

/// More of the answer waits.
const MORE: u8 = 0x61;
/// Wrong Le; this is the right one.
const WRONG_LE: u8 = 0x6C;

/// Sends `command` through `send` and appends its whole answer to `answer`.
///
/// - `61xx`: the rest is fetched with Get Response, and appended.
/// - `6Cxx` without data, to a command that ends with a Le: the command is sent again with the right one. A session
///   digests the Le of a command without data, and the core has digested its own: a transaction in a session must ask
///   for the right length.
/// - Over T=0, a command with data and Le is sent without its Le; `9000` or `6283` without data after it has the answer
///   fetched with that Le. The status word of the command is kept if the answer comes with `9000`.
/// - Anything else is the answer. So is what is left after [`MAX_ROUNDS`].
///
/// `send` appends what the peer answers to one command, status word included, to the vector that it is given.
///
/// # Errors
///
/// The loss that `send` reports; or that of the peer when it answers less than a status word. What was appended to
/// `answer` before is no answer then.
pub fn exchange(
    protocol: Protocol,
    command: &[u8],
    answer: &mut Vec<u8>,
    mut send: impl FnMut(&[u8], &mut Vec<u8>) -> Result<(), Loss>,
) -> Result<(), Loss> {
    let mut wire = Wire { send: &mut send, rounds: MAX_ROUNDS };
    let le = Le::of(command);
    match (protocol, le) {
        (Protocol::T0, Le::AfterData { le, without }) => {
            let reply = wire.send(without, answer)?;
            if reply.is_empty() && matches!(reply.status, StatusWord::SUCCESS | StatusWord::INVALIDATED) {
                wire.fetch_whole(reply, le, answer)
            } else {
                wire.fetch_rest(reply, answer)
            }
        }
        (_, Le::None) => {
            let reply = wire.send(command, answer)?;
            wire.fetch_rest(reply, answer)
        }
        (_, Le::Alone | Le::AfterData { .. }) => {
            let reply = wire.send_with_le(command, answer)?;
            wire.fetch_rest(reply, answer)
        }
    }
}

/// Where the Le of a command is.
#[derive(Clone, Copy)]
enum Le<'a> {
    /// Nowhere: data only, or the header alone.
    None,
    /// Behind the header. A command without data and answer ends with `00` too.
    Alone,
    /// Behind the data.
    AfterData { le: u8, without: &'a [u8] },
}

impl<'a> Le<'a> {
    fn of(command: &'a [u8]) -> Self {
        match command {
            [_, _, _, _, _] => Self::Alone,
            [_, _, _, _, lc, data @ .., le] if data.len() == usize::from(*lc) && *lc > 0 => {
                Self::AfterData { le: *le, without: command.split_last().map_or(command, |(_, without)| without) }
            }
            _ => Self::None,
        }
    }
}

/// What the peer has said last.
#[derive(Clone, Copy)]
struct Reply {
    /// Where it begins in the answer.
    start: usize,
    /// Length of its data.
    data: usize,
    status: StatusWord,
}

impl Reply {
    const fn is_empty(self) -> bool {
        self.data == 0
    }

    /// The right Le, when the peer says nothing else.
    const fn right_le(self) -> Option<u8> {
        match self.status.to_bytes() {
            [WRONG_LE, le] if self.is_empty() => Some(le),
            _ => None,
        }
    }
}

/// The way to the peer, and for how long it is gone.
struct Wire<'a, F> {
    send: &'a mut F,
    rounds: usize,
}

impl<F: FnMut(&[u8], &mut Vec<u8>) -> Result<(), Loss>> Wire<'_, F> {
    fn send(&mut self, command: &[u8], answer: &mut Vec<u8>) -> Result<Reply, Loss> {
        let start = answer.len();
        (self.send)(command, answer)?;
        let reply = answer.get(start..).and_then(ogygia::apdu::Response::parse).ok_or(Loss::Peer)?;
        Ok(Reply { start, data: reply.data.len(), status: reply.status })
    }

    /// Whether one more round is allowed.
    fn once_more(&mut self) -> bool {
        self.rounds = self.rounds.saturating_sub(1);
        self.rounds > 0
    }

    /// Sends a command that ends with Le, and again as long as the peer knows a better one.
    fn send_with_le(&mut self, command: &[u8], answer: &mut Vec<u8>) -> Result<Reply, Loss> {
        let mut reply = self.send(command, answer)?;
        while let Some(le) = reply.right_le() {
            if !self.once_more() {
                break;
            }
            answer.truncate(reply.start);
            let mut again = Wiped(command.to_vec());
            if let Some(last) = again.0.last_mut() {
                *last = le;
            }
            reply = self.send(&again.0, answer)?;
        }
        Ok(reply)
    }

    fn get_response(&mut self, le: u8, answer: &mut Vec<u8>) -> Result<Reply, Loss> {
        let [cla, ins, p1, p2] = GET_RESPONSE;
        self.send_with_le(&[cla, ins, p1, p2, le], answer)
    }

    /// Fetches until nothing more waits. Each reply takes the place of the status word before it.
    fn fetch_rest(&mut self, mut reply: Reply, answer: &mut Vec<u8>) -> Result<(), Loss> {
        while let [MORE, le] = reply.status.to_bytes() {
            if !self.once_more() {
                break;
            }
            answer.truncate(reply.start.saturating_add(reply.data));
            reply = self.get_response(le, answer)?;
        }
        Ok(())
    }

    /// Fetches the answer of a command that was accepted as `accepted` says, without a word about an answer.
    fn fetch_whole(&mut self, accepted: Reply, le: u8, answer: &mut Vec<u8>) -> Result<(), Loss> {
        answer.truncate(accepted.start);
        let reply = self.get_response(le, answer)?;
        self.fetch_rest(reply, answer)?;
        if let Some((_, status)) = answer.split_last_chunk_mut::<2>()
            && *status == StatusWord::SUCCESS.to_bytes()
        {
            *status = accepted.status.to_bytes();
        }
        Ok(())
    }
}

/// A copy of a command, which may hold a PIN.
struct Wiped(Vec<u8>);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

#[cfg(test)]
mod tests;
