//! A card command as its family builds it.

use alloc::vec::Vec;

use crate::apdu::{Case, Header};

/// Header and data of a command. What of them is written, its [`Case`] says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Apdu<'a> {
    header: Header,
    data: Data<'a>,
}

/// The data field.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Data<'a> {
    /// Bytes that are somewhere.
    Given(&'a [u8]),
    /// A few that were put together; the rest is zero.
    Made { bytes: [u8; MADE_MAX], len: usize },
}

/// What a Stored Value operation has.
const MADE_MAX: usize = 32;

impl<'a> Apdu<'a> {
    #[inline(always)]
    pub(super) fn new(header: Header, data: impl Into<Data<'a>>) -> Self {
        Self { header, data: data.into() }
    }

    /// Without data.
    #[inline(always)]
    pub(super) fn bare(header: Header) -> Self {
        Self { header, data: Data::Given(&[]) }
    }

    #[inline(always)]
    pub(super) fn write(&self, case: Case, out: &mut Vec<u8>) {
        let data = match &self.data {
            Data::Given(data) => data,
            Data::Made { bytes, len } => bytes.get(..*len).unwrap_or(bytes),
        };
        self.header.write(case, data, out);
    }
}

impl<'a> From<&'a [u8]> for Data<'a> {
    #[inline(always)]
    fn from(data: &'a [u8]) -> Self {
        Self::Given(data)
    }
}

impl<const LEN: usize> From<[u8; LEN]> for Data<'_> {
    #[inline(always)]
    fn from(data: [u8; LEN]) -> Self {
        Self::made(data)
    }
}

impl Data<'_> {
    /// At most 32 bytes, one after the other.
    #[inline(always)]
    pub(super) fn made(data: impl IntoIterator<Item = u8>) -> Self {
        let mut bytes = [0; MADE_MAX];
        let mut len = 0;
        for (to, from) in bytes.iter_mut().zip(data) {
            *to = from;
            len += 1;
        }
        Self::Made { bytes, len }
    }
}
