//! Contexts and reloads as bytes that nobody can change underway.
//!
//! The specification leaves the format to whoever makes both ends (points G-16, G-17). Ours is closed: a version, a
//! list of kinds, fixed lengths, and behind all of it a code (HMAC with SHA-256) under a key that both ends share.
//!
//! | bytes | content |
//! |---|---|
//! | 4 | `OGYR` |
//! | 1 | version, 1 |
//! | 1 | 1: a context; 2: a reload |
//! | 4 | serial number of the target |
//! | 1 | version of its Reloading key |
//! | 1 | event counter, 0 for none |
//! | 3 | value of that |
//! | 1 + 29 + 48 each | of a reload: P2 of the command, the record in clear, the record ciphered |
//! | 32 | the code |

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::{Block, Reload, ReloadContext};
use crate::card::Kvc;
use crate::sam::write::{BLOCK_LEN, Writing};
use crate::secret::Secret;

const MAGIC: [u8; 4] = *b"OGYR";
const VERSION: u8 = 1;
const CONTEXT: u8 = 1;
const RELOAD: u8 = 2;
const CODE_LEN: usize = 32;
const CONTEXT_LEN: usize = 9;
const RECORD_LEN: usize = 29;

/// Why bytes are not taken for a context or a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SealError {
    /// They are something else.
    Format,
    /// They have a version that is not known here.
    Version(u8),
    /// Somebody has changed them, or sealed them under another key.
    Code,
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format => f.write_str("not what was expected"),
            Self::Version(version) => write!(f, "version {version} is not known"),
            Self::Code => f.write_str("changed since it was sealed, or sealed under another key"),
        }
    }
}

impl core::error::Error for SealError {}

impl ReloadContext {
    /// The context as bytes, under a key.
    #[must_use]
    pub fn seal(&self, key: &Secret<32>) -> Vec<u8> {
        let mut out = head(CONTEXT);
        self.write(&mut out);
        close(out, key)
    }

    /// A context from bytes.
    ///
    /// # Errors
    ///
    /// They are none, or not sealed under this key.
    pub fn open(bytes: &[u8], key: &Secret<32>) -> Result<Self, SealError> {
        match Self::read(open(bytes, CONTEXT, key)?)? {
            (context, []) => Ok(context),
            _ => Err(SealError::Format),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (counter, value) = self.counter.unwrap_or((0, 0));
        let [_, value @ ..] = value.to_be_bytes();
        out.extend_from_slice(&self.serial_number);
        out.extend_from_slice(&[self.kvc.0, counter]);
        out.extend_from_slice(&value);
    }

    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), SealError> {
        let (&[s0, s1, s2, s3, kvc, counter, high, middle, low], rest) =
            bytes.split_first_chunk::<CONTEXT_LEN>().ok_or(SealError::Format)?;
        let value = u32::from_be_bytes([0, high, middle, low]);
        let counter = match (counter, value) {
            (0, 0) => None,
            (1..=26, value) => Some((counter, value)),
            _ => return Err(SealError::Format),
        };
        Ok((Self { serial_number: [s0, s1, s2, s3], kvc: Kvc(kvc), counter }, rest))
    }
}

impl Reload {
    /// The reload as bytes, under a key.
    #[must_use]
    pub fn seal(&self, key: &Secret<32>) -> Vec<u8> {
        let mut out = head(RELOAD);
        self.context.write(&mut out);
        for Block { writing, ciphered } in &self.blocks {
            out.push(writing.reference());
            out.extend_from_slice(&writing.record());
            out.extend_from_slice(ciphered);
        }
        close(out, key)
    }

    /// A reload from bytes.
    ///
    /// # Errors
    ///
    /// They are none, or not sealed under this key.
    pub fn open(bytes: &[u8], key: &Secret<32>) -> Result<Self, SealError> {
        let (context, mut rest) = ReloadContext::read(open(bytes, RELOAD, key)?)?;
        let mut blocks = Vec::new();
        while let Some((&reference, more)) = rest.split_first() {
            let (record, more) = more.split_first_chunk::<RECORD_LEN>().ok_or(SealError::Format)?;
            let (ciphered, more) = more.split_first_chunk::<BLOCK_LEN>().ok_or(SealError::Format)?;
            let writing = Writing::of_ceilings(reference, record).ok_or(SealError::Format)?;
            blocks.push(Block { writing, ciphered: *ciphered });
            rest = more;
        }
        Ok(Self { context, blocks })
    }
}

fn head(kind: u8) -> Vec<u8> {
    [&MAGIC[..], &[VERSION, kind]].concat()
}

fn mac(key: &Secret<32>) -> Hmac<Sha256> {
    // A key shorter than the block of the hash is filled up with zeros by definition.
    let mut block = [0; 64];
    block.iter_mut().zip(key.reveal()).for_each(|(to, from)| *to = *from);
    let mac = Hmac::new(&block.into());
    block.fill(0);
    core::hint::black_box(&block);
    mac
}

fn close(mut out: Vec<u8>, key: &Secret<32>) -> Vec<u8> {
    let code = mac(key).chain_update(&out).finalize().into_bytes();
    out.extend_from_slice(&code);
    out
}

/// What is between head and code.
fn open<'a>(bytes: &'a [u8], kind: u8, key: &Secret<32>) -> Result<&'a [u8], SealError> {
    let (sealed, code) = bytes.split_last_chunk::<CODE_LEN>().ok_or(SealError::Format)?;
    let version = sealed.strip_prefix(&MAGIC).ok_or(SealError::Format)?;
    match version {
        [VERSION, found, content @ ..] => {
            mac(key).chain_update(sealed).verify_slice(code).map_err(|_| SealError::Code)?;
            if *found == kind { Ok(content) } else { Err(SealError::Format) }
        }
        [other, ..] => Err(SealError::Version(*other)),
        [] => Err(SealError::Format),
    }
}
