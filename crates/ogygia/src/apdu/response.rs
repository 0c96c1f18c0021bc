//! Response APDUs.

use core::hint::cold_path;

use super::StatusWord;

/// A response split into its data field and its status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response<'a> {
    /// The bytes before the status word.
    pub data: &'a [u8],
    /// The two last bytes.
    pub status: StatusWord,
}

impl<'a> Response<'a> {
    /// Splits `bytes`; nothing when there are fewer than two.
    ///
    /// ```
    /// use ogygia::apdu::{Response, StatusWord};
    ///
    /// let response = Response::parse(&[0x11, 0x90, 0x00]).unwrap();
    /// assert_eq!((response.data, response.status), (&[0x11][..], StatusWord::SUCCESS));
    /// assert_eq!(Response::parse(&[0x90]), None);
    /// ```
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let Some((data, status)) = bytes.split_last_chunk::<2>() else {
            cold_path();
            return None;
        };
        Some(Self { data, status: StatusWord(u16::from_be_bytes(*status)) })
    }
}
