//! Fields of certificates that have a meaning of their own.

use core::fmt;

use super::PkiError;

/// The `N` bytes of a certificate from `at` on. Callers stay within it.
pub(super) fn bytes_at<const N: usize>(certificate: &[u8], at: usize) -> [u8; N] {
    certificate.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or([0; N])
}

/// The name of an application, or its beginning: 5 to 16 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Aid {
    /// As certificates write it: with zeros behind.
    padded: [u8; Self::MAX],
    len: u8,
}

impl Aid {
    /// The fewest bytes.
    pub const MIN: usize = 5;
    /// The most bytes.
    pub const MAX: usize = 16;

    /// A name; nothing when it is shorter than 5 bytes or longer than 16.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let len = u8::try_from(bytes.len()).ok()?;
        let mut padded = [0; Self::MAX];
        padded.get_mut(..bytes.len())?.copy_from_slice(bytes);
        (bytes.len() >= Self::MIN).then_some(Self { padded, len })
    }

    /// The name in a certificate: its length and 16 bytes. What is behind the name is not looked at.
    pub(super) fn from_field(size: u8, value: &[u8; Self::MAX]) -> Result<Self, PkiError> {
        value.get(..usize::from(size)).and_then(Self::new).ok_or(PkiError::AidSize(size))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.padded.get(..usize::from(self.len)).unwrap_or(&self.padded)
    }

    /// Whether all its bytes are zero. Such a name can be certified, but no certificate should be made for it.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.padded == [0; Self::MAX]
    }

    pub(super) const fn to_field(self) -> (u8, [u8; Self::MAX]) {
        (self.len, self.padded)
    }
}

impl fmt::Display for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Aid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Aid({self})")
    }
}

/// Which applications an authority may certify. Specification 04, "AID restriction of a CA".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AidRestriction {
    /// All of them.
    #[default]
    None,
    /// The one of this name.
    Exact(Aid),
    /// Those whose name begins so.
    Beginning(Aid),
}

/// The size that says that there is no AID.
pub(super) const NO_AID: u8 = 0xFF;

impl AidRestriction {
    pub(super) fn from_field(size: u8, value: &[u8; Aid::MAX], mode: u8) -> Result<Self, PkiError> {
        match size {
            NO_AID if *value == [0; Aid::MAX] => Ok(Self::None),
            NO_AID => Err(PkiError::AidPadding),
            // The other bits of the mode are reserved, and ignored.
            _ if mode & 1 == 1 => Aid::from_field(size, value).map(Self::Beginning),
            _ => Aid::from_field(size, value).map(Self::Exact),
        }
    }

    #[cfg(feature = "pki-authority")]
    pub(super) const fn to_field(self) -> (u8, [u8; Aid::MAX], u8) {
        match self {
            Self::None => (NO_AID, [0; Aid::MAX], 0),
            Self::Exact(aid) => (aid.len, aid.padded, 0),
            Self::Beginning(aid) => (aid.len, aid.padded, 1),
        }
    }

    /// The AID that the restriction is about.
    #[must_use]
    pub const fn aid(&self) -> Option<&Aid> {
        match self {
            Self::None => None,
            Self::Exact(aid) | Self::Beginning(aid) => Some(aid),
        }
    }

    /// Whether an authority that is restricted so may certify `aid`; nothing is an authority without restriction.
    #[must_use]
    pub fn permits(&self, aid: Option<&Aid>) -> bool {
        match (self, aid) {
            (Self::None, _) => true,
            (Self::Exact(own), Some(aid)) => own == aid,
            (Self::Beginning(own), Some(aid)) => aid.as_bytes().starts_with(own.as_bytes()),
            (Self::Exact(_) | Self::Beginning(_), None) => false,
        }
    }
}

/// What an authority may sign. Specification 04, "Rights byte of a CA certificate".
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Rights(pub u8);

/// One of the two rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningRight {
    /// Nothing is said: it may.
    Unspecified,
    /// It shall not.
    Denied,
    /// It may.
    Granted,
    /// A value without meaning: it shall not.
    Reserved,
}

impl SigningRight {
    const fn of(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::Unspecified,
            1 => Self::Denied,
            2 => Self::Granted,
            _ => Self::Reserved,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Unspecified => 0,
            Self::Denied => 1,
            Self::Granted => 2,
            Self::Reserved => 3,
        }
    }

    /// Whether it may.
    #[must_use]
    pub const fn is_given(self) -> bool {
        matches!(self, Self::Unspecified | Self::Granted)
    }
}

impl Rights {
    /// These rights, and nothing in the reserved bits.
    #[must_use]
    pub const fn new(cards: SigningRight, authorities: SigningRight) -> Self {
        Self(cards.bits() << 2 | authorities.bits())
    }

    /// Whether certificates of cards may be signed.
    #[must_use]
    pub const fn cards(self) -> SigningRight {
        SigningRight::of(self.0 >> 2)
    }

    /// Whether certificates of authorities may be signed.
    #[must_use]
    pub const fn authorities(self) -> SigningRight {
        SigningRight::of(self.0)
    }

    /// Whether one of the two rights has the reserved value.
    #[must_use]
    pub const fn has_reserved(self) -> bool {
        matches!(self.cards(), SigningRight::Reserved) || matches!(self.authorities(), SigningRight::Reserved)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({:02X})", self.0)
    }
}

/// Where an authority is valid. Specification 04, "Scope byte of a CA certificate".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// In production; also when nothing is said.
    #[default]
    Production,
    /// In tests.
    Test,
    /// Everywhere.
    Any,
    /// A value without meaning: nowhere.
    Unknown(u8),
}

impl Scope {
    /// The scope that a byte says.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            0x00 => Self::Production,
            0x01 => Self::Test,
            0xFF => Self::Any,
            other => Self::Unknown(other),
        }
    }

    /// The byte that says this scope.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Production => 0x00,
            Self::Test => 0x01,
            Self::Any => 0xFF,
            Self::Unknown(other) => other,
        }
    }

    /// Whether it is within that of an issuer.
    #[must_use]
    pub fn is_within(self, issuer: Self) -> bool {
        issuer == Self::Any || self == issuer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aids_have_5_to_16_bytes() {
        assert!(Aid::new(&[1; 4]).is_none() && Aid::new(&[1; 17]).is_none());
        assert_eq!(Aid::new(&[1; 5]).unwrap().as_bytes(), [1; 5]);
        assert_eq!(Aid::new(&[1; 16]).unwrap().as_bytes(), [1; 16]);
        for size in [0, 4, 17, 0x7F, 0x80, 0xFE, 0xFF] {
            assert_eq!(Aid::from_field(size, &[1; 16]), Err(PkiError::AidSize(size)));
        }
    }

    /// The table of "AID restriction of a CA".
    #[test]
    fn what_a_restriction_permits() {
        let [own, longer, other] = [b"1TIC.", &b"1TIC.ICA"[..], b"2TIC.ICA"].map(|name| Aid::new(name).unwrap());
        let permitted = |restriction: AidRestriction| {
            [Some(&own), Some(&longer), Some(&other), None].map(|aid| restriction.permits(aid))
        };
        assert_eq!(permitted(AidRestriction::None), [true; 4]);
        assert_eq!(permitted(AidRestriction::Exact(own)), [true, false, false, false]);
        assert_eq!(permitted(AidRestriction::Beginning(own)), [true, true, false, false]);
        assert!(!AidRestriction::Beginning(longer).permits(Some(&own)));
    }

    #[test]
    fn restrictions_in_certificates() {
        let mut value = [0; 16];
        assert_eq!(AidRestriction::from_field(0xFF, &value, 0xFF), Ok(AidRestriction::None));
        value[15] = 1;
        assert_eq!(AidRestriction::from_field(0xFF, &value, 0), Err(PkiError::AidPadding));
        let aid = Aid::new(&[0; 5]).unwrap();
        assert_eq!(AidRestriction::from_field(5, &value, 0xFE), Ok(AidRestriction::Exact(aid)));
        assert_eq!(AidRestriction::from_field(5, &value, 0x03), Ok(AidRestriction::Beginning(aid)));
        assert_eq!(AidRestriction::from_field(4, &value, 0), Err(PkiError::AidSize(4)));
    }

    /// The table of "Rights byte of a CA certificate".
    #[test]
    fn rights() {
        let given = |right: fn(Rights) -> SigningRight| -> alloc::string::String {
            (0..16).map(|byte| if right(Rights(byte)).is_given() { 'y' } else { 'n' }).collect()
        };
        assert_eq!(given(Rights::cards), "yyyynnnnyyyynnnn");
        assert_eq!(given(Rights::authorities), "ynynynynynynynyn");
        assert_eq!(Rights::new(SigningRight::Granted, SigningRight::Denied), Rights(0x09));
        assert_eq!([0x03, 0x0C, 0xF0, 0x0A].map(|byte| Rights(byte).has_reserved()), [true, true, false, false]);
    }

    #[test]
    fn scopes() {
        for byte in 0..=u8::MAX {
            assert_eq!(Scope::from_byte(byte).byte(), byte);
        }
        assert!(Scope::Test.is_within(Scope::Any) && Scope::Test.is_within(Scope::Test));
        assert!(!Scope::Any.is_within(Scope::Test) && !Scope::Test.is_within(Scope::Production));
    }
}
