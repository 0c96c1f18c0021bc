//! BER-TLV, strict and bounded: specification 01, "FCI parsing".

/// Why a structure was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlvError {
    /// A tag of more than three bytes.
    Tag,
    /// A length that is not one of the forms `00..7F`, `81 xx`, `82 xx xx`.
    LengthForm,
    /// A tag, a length or a value that reaches beyond the bytes that hold it.
    Truncated,
    /// A constructed element without content.
    Empty,
    /// Templates in templates beyond [`MAX_DEPTH`].
    TooDeep,
}

/// How deep templates may be nested. A Calypso FCI needs three levels.
pub const MAX_DEPTH: usize = 8;

/// Calls `found(tag, value)` for each primitive element of `bytes`, entering every template, in order.
///
/// The tag is its bytes as a number: `84`, `BF0C`, `DF2C`. Nesting, order and additional tags do not matter to the
/// caller. The whole structure is checked: an element that reaches beyond its template is an error, never completed.
///
/// # Errors
///
/// A [`TlvError`]; `found` may have been called for the elements before the broken one.
///
/// ```
/// use ogygia::apdu::tlv;
///
/// let mut name = None;
/// tlv::visit(&[0x6F, 0x04, 0x84, 0x02, 0x31, 0x54], |tag, value| {
///     if tag == 0x84 {
///         name = Some(value);
///     }
/// })
/// .unwrap();
/// assert_eq!(name, Some(&[0x31, 0x54][..]));
/// ```
pub fn visit<'a>(bytes: &'a [u8], mut found: impl FnMut(u32, &'a [u8])) -> Result<(), TlvError> {
    let mut rest = bytes;
    // What stands behind each template that was entered.
    let mut behind = [&[][..]; MAX_DEPTH - 1];
    let mut depth = 0;
    loop {
        while !rest.is_empty() {
            let (element, after) = next(rest)?;
            rest = after;
            if !element.constructed {
                found(element.tag, element.value);
            } else if element.value.is_empty() {
                return Err(TlvError::Empty);
            } else {
                *behind.get_mut(depth).ok_or(TlvError::TooDeep)? = after;
                depth += 1;
                rest = element.value;
            }
        }
        let Some(outer) = depth.checked_sub(1).and_then(|outer| Some((outer, *behind.get(outer)?))) else {
            return Ok(());
        };
        (depth, rest) = outer;
    }
}

/// In the first byte of a tag: more bytes follow.
const LONG_TAG: u8 = 0x1F;

/// In the first byte of a tag: the value is a template.
const CONSTRUCTED: u8 = 0x20;

struct Element<'a> {
    tag: u32,
    constructed: bool,
    value: &'a [u8],
}

#[inline]
fn next(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), TlvError> {
    match *bytes {
        // Most tags and lengths are one byte.
        [tag, length @ 0..=0x7F, ref rest @ ..] if tag & LONG_TAG != LONG_TAG => {
            let (value, rest) = rest.split_at_checked(usize::from(length)).ok_or(TlvError::Truncated)?;
            Ok((Element { tag: u32::from(tag), constructed: tag & CONSTRUCTED != 0, value }, rest))
        }
        _ => next_of_any_form(bytes),
    }
}

fn next_of_any_form(bytes: &[u8]) -> Result<(Element<'_>, &[u8]), TlvError> {
    let (tag, constructed, rest) = read_tag(bytes)?;
    let (length, rest) = read_length(rest)?;
    let (value, rest) = rest.split_at_checked(length).ok_or(TlvError::Truncated)?;
    Ok((Element { tag, constructed, value }, rest))
}

fn read_tag(bytes: &[u8]) -> Result<(u32, bool, &[u8]), TlvError> {
    let (&first, mut rest) = bytes.split_first().ok_or(TlvError::Truncated)?;
    let constructed = first & CONSTRUCTED != 0;
    let mut tag = u32::from(first);
    if first & LONG_TAG != LONG_TAG {
        return Ok((tag, constructed, rest));
    }
    for _ in 0..2 {
        let (&byte, after) = rest.split_first().ok_or(TlvError::Truncated)?;
        rest = after;
        tag = tag << 8 | u32::from(byte);
        if byte & 0x80 == 0 {
            return Ok((tag, constructed, rest));
        }
    }
    Err(TlvError::Tag)
}

fn read_length(bytes: &[u8]) -> Result<(usize, &[u8]), TlvError> {
    match bytes {
        [] | [0x81] | [0x82] | [0x82, _] => Err(TlvError::Truncated),
        [short @ 0..=0x7F, rest @ ..] => Ok((usize::from(*short), rest)),
        [0x81, length, rest @ ..] => Ok((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => Ok((usize::from(u16::from_be_bytes([*high, *low])), rest)),
        [_, ..] => Err(TlvError::LengthForm),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn flat(bytes: &[u8]) -> Result<Vec<(u32, Vec<u8>)>, TlvError> {
        let mut all = Vec::new();
        visit(bytes, |tag, value| all.push((tag, value.to_vec())))?;
        Ok(all)
    }

    #[test]
    fn templates_are_flattened() {
        let nested = [0x6F, 0x0A, 0x84, 0x01, 0xAA, 0xA5, 0x05, 0xBF, 0x0C, 0x02, 0x53, 0x00];
        assert_eq!(flat(&nested), Ok(alloc::vec![(0x84, alloc::vec![0xAA]), (0x53, alloc::vec![])]));
    }

    #[test]
    fn long_lengths() {
        let mut bytes = alloc::vec![0xDF, 0x2C, 0x81, 0x80];
        bytes.extend([7; 128]);
        assert_eq!(flat(&bytes), Ok(alloc::vec![(0xDF2C, alloc::vec![7; 128])]));
        let mut bytes = alloc::vec![0x85, 0x82, 0x01, 0x00];
        bytes.extend([7; 256]);
        assert_eq!(flat(&bytes), Ok(alloc::vec![(0x85, alloc::vec![7; 256])]));
    }

    #[test]
    fn broken_structures() {
        assert_eq!(flat(&[0x84]), Err(TlvError::Truncated));
        assert_eq!(flat(&[0x84, 0x02, 0x01]), Err(TlvError::Truncated));
        assert_eq!(flat(&[0x6F, 0x03, 0x84, 0x02, 0x01, 0x02]), Err(TlvError::Truncated));
        assert_eq!(flat(&[0x84, 0x80]), Err(TlvError::LengthForm));
        assert_eq!(flat(&[0x84, 0x83, 0, 0, 1, 0]), Err(TlvError::LengthForm));
        assert_eq!(flat(&[0x6F, 0x00]), Err(TlvError::Empty));
        assert_eq!(flat(&[0x1F, 0x81, 0x81, 0x00]), Err(TlvError::Tag));
        assert_eq!(flat(&[0x84, 0x00, 0x11]), Err(TlvError::Truncated));
    }

    #[test]
    fn nesting_is_bounded() {
        let mut bytes = alloc::vec![0x84, 0x00];
        for _ in 0..MAX_DEPTH {
            let length = u8::try_from(bytes.len()).unwrap();
            bytes.splice(0..0, [0x6F, length]);
        }
        assert_eq!(flat(&bytes), Err(TlvError::TooDeep));
    }
}
