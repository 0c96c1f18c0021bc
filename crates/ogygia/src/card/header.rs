//! Headers of directories and files: specification 01, "DF header", "EF header" and "Get Data — EF list".

use super::product::Product;
use super::value::{Kif, Kvc, Level, Lid, Sfi};
use crate::error::Malformed;

/// What the card says of its current directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DirectoryHeader {
    /// Long identifier.
    pub lid: Lid,
    /// Bit 0 set: invalidated.
    pub df_status: u8,
    /// Access conditions of the four groups of commands.
    pub access_conditions: [u8; 4],
    /// Key indexes that go with them.
    pub key_indexes: [u8; 4],
    /// Key identifiers of keys 1, 2, 3.
    pub kif: [Kif; 3],
    /// Key versions of keys 1, 2, 3.
    pub kvc: [Kvc; 3],
}

impl DirectoryHeader {
    /// Whether the directory is invalidated.
    #[must_use]
    pub const fn invalidated(&self) -> bool {
        self.df_status & 1 != 0
    }

    /// Identifier of the key of `level`.
    #[must_use]
    pub const fn kif(&self, level: Level) -> Kif {
        let [personalization, load, debit] = self.kif;
        match level {
            Level::Personalization => personalization,
            Level::Load => load,
            Level::Debit => debit,
        }
    }

    /// Version of the key of `level`.
    #[must_use]
    pub const fn kvc(&self, level: Level) -> Kvc {
        let [personalization, load, debit] = self.kvc;
        match level {
            Level::Personalization => personalization,
            Level::Load => load,
            Level::Debit => debit,
        }
    }
}

/// How a file stores its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileType {
    /// Records at fixed places.
    Linear,
    /// One run of bytes.
    Binary,
    /// A log: a new record becomes record 1.
    Cyclic,
    /// Counters of three bytes in record 1.
    Counters,
    /// One counter of a counter file, under its own identifier.
    SimulatedCounters,
}

impl FileType {
    const fn from_code(code: u8) -> Result<Self, Malformed> {
        match code {
            0x01 => Ok(Self::Binary),
            0x02 => Ok(Self::Linear),
            0x04 => Ok(Self::Cyclic),
            0x08 => Ok(Self::SimulatedCounters),
            0x09 => Ok(Self::Counters),
            _ => Err(Malformed::FileType),
        }
    }
}

/// What the card says of a file. Members that it did not give are absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Long identifier.
    pub lid: Lid,
    /// Kind of content.
    pub file_type: FileType,
    /// Number of records; 1 for a binary file.
    pub records_number: u8,
    /// Size of a record in bytes; size of the file when it is binary.
    pub record_size: u16,
    /// Access conditions of the four groups of commands.
    pub access_conditions: Option<[u8; 4]>,
    /// Key indexes that go with them.
    pub key_indexes: Option<[u8; 4]>,
    /// Bit 0 set: the directory is invalidated.
    pub df_status: Option<u8>,
    /// Files with the same reference, other than 0, hold the same content.
    pub shared_reference: Option<u16>,
}

impl FileHeader {
    /// Whether the card gave all members: it does in a header, not in a list of files.
    fn is_full(&self) -> bool {
        self.access_conditions.is_some()
    }

    /// What is known after `self` was, and then `newer` was received: a full header replaces, an entry of a file list
    /// only confirms.
    pub(super) fn refreshed(self, newer: Self) -> Self {
        if newer.is_full() { newer } else { self }
    }
}

/// What the 23 bytes of proprietary information describe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    Directory(DirectoryHeader),
    File(Sfi, FileHeader),
}

/// Reads the proprietary information (tag `85`) of Select File or of the FCP.
pub(crate) fn parse(information: &[u8], product: Product) -> Result<Header, Malformed> {
    let information: &[u8; 23] = information.try_into().map_err(|_| Malformed::Header)?;
    let [sfi, kind, code, size, number, a0, a1, a2, a3, k0, k1, k2, k3, df_status, tail @ ..] = *information;
    let [t0, t1, t2, t3, t4, t5, l0, l1, l2] = tail;
    let lid = match product {
        Product::PrimeRevision2 => Lid(u16::from_be_bytes([l0, l1])),
        _ => Lid(u16::from_be_bytes([l1, l2])),
    };
    let access_conditions = [a0, a1, a2, a3];
    let key_indexes = [k0, k1, k2, k3];
    match kind {
        0x01 | 0x02 => Ok(Header::Directory(DirectoryHeader {
            lid,
            df_status,
            access_conditions,
            key_indexes,
            kvc: [Kvc(t0), Kvc(t1), Kvc(t2)],
            kif: [Kif(t3), Kif(t4), Kif(t5)],
        })),
        0x04 => {
            let (records_number, record_size, file_type) = geometry(code, size, number)?;
            let header = FileHeader {
                lid,
                file_type,
                records_number,
                record_size,
                access_conditions: Some(access_conditions),
                key_indexes: Some(key_indexes),
                df_status: Some(df_status),
                shared_reference: Some(u16::from_be_bytes([t0, t1])),
            };
            Ok(Header::File(Sfi(sfi), header))
        }
        _ => Err(Malformed::FileType),
    }
}

fn geometry(code: u8, size: u8, number: u8) -> Result<(u8, u16, FileType), Malformed> {
    Ok(match FileType::from_code(code)? {
        FileType::Binary => (1, u16::from_be_bytes([size, number]), FileType::Binary),
        other => (number, u16::from(size), other),
    })
}

/// Reads one entry of the file list: six bytes under tag `C1`.
pub(crate) fn parse_list_entry(entry: &[u8]) -> Result<(Sfi, FileHeader), Malformed> {
    let &[lid0, lid1, sfi, code, size, number] = entry else { return Err(Malformed::Header) };
    // Unlike in a header, the size of a binary file has one byte here, and the number of records its own.
    let header = FileHeader {
        lid: Lid(u16::from_be_bytes([lid0, lid1])),
        file_type: FileType::from_code(code)?,
        records_number: number,
        record_size: u16::from(size),
        access_conditions: None,
        key_indexes: None,
        df_status: None,
        shared_reference: None,
    };
    Ok((Sfi(sfi), header))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_hex::hex;

    /// Worked examples 20 and 21.
    #[test]
    fn directory() {
        let bytes = hex("00 01 00 0000 10100000 01030101 00 777879 616770 00 3F00");
        let Ok(Header::Directory(header)) = parse(&bytes, Product::PrimeRevision3) else { panic!("a directory") };
        assert_eq!(header.lid, Lid(0x3F00));
        assert_eq!(header.kvc, [Kvc(0x77), Kvc(0x78), Kvc(0x79)]);
        assert_eq!(header.kif(Level::Debit), Kif(0x70));
        let Ok(Header::Directory(header)) = parse(&bytes, Product::PrimeRevision2) else { panic!("a directory") };
        assert_eq!(header.lid, Lid(0x003F));
    }

    /// Worked examples 22 and 23.
    #[test]
    fn files() {
        let bytes = hex("07 04 02 1D 01 1F000000 01010101 00 0000 00000000 00 2001");
        let Ok(Header::File(sfi, header)) = parse(&bytes, Product::PrimeRevision3) else { panic!("a file") };
        assert_eq!((sfi, header.lid, header.record_size), (Sfi(7), Lid(0x2001), 29));
        let bytes = hex("00 04 01 0200 1F000000 01010101 00 0000 00000000 00 2F10");
        let Ok(Header::File(_, header)) = parse(&bytes, Product::PrimeRevision3) else { panic!("a file") };
        assert_eq!((header.file_type, header.record_size, header.records_number), (FileType::Binary, 512, 1));
    }

    #[test]
    fn nonsense() {
        assert_eq!(parse(&[0; 22], Product::PrimeRevision3), Err(Malformed::Header));
        assert_eq!(parse(&[0; 23], Product::PrimeRevision3), Err(Malformed::FileType));
        let unknown_type = hex("07 04 03 1D 01 1F000000 01010101 00 0000 00000000 00 2001");
        assert_eq!(parse(&unknown_type, Product::PrimeRevision3), Err(Malformed::FileType));
        assert_eq!(parse_list_entry(&[0; 5]), Err(Malformed::Header));
    }
}
