//! The members of a profile: names and meanings as in the specification of card profiles, part A.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::hex::Hex;

/// A card.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// Always [`FORMAT`](super::FORMAT).
    pub format: String,
    /// File stem.
    pub id: String,
    /// One line for a reader.
    pub title: String,
    /// Product and revision.
    pub product_type: ProductType,
    /// How sure the profile is as a whole.
    pub provenance: String,
    /// How sure groups of members are.
    #[serde(default)]
    pub field_provenance: BTreeMap<String, serde_json::Value>,
    /// Remarks.
    #[serde(default)]
    pub notes: Vec<String>,
    /// Ways to reach the card.
    pub interfaces: Vec<Interface>,
    /// Class byte that a terminal should use.
    pub card_class: Hex<u8>,
    /// Most data bytes in one command or response.
    pub payload_capacity: u16,
    /// What one session may modify.
    pub session_budget: SessionBudget,
    /// How the card answers where cards differ.
    pub behaviour: Behaviour,
    /// The PIN; nothing when the card has no PIN function.
    pub pin: Option<PinProfile>,
    /// Answer to Get Data 0185.
    pub traceability: Option<Hex<Vec<u8>>>,
    /// Initial purse, where it is not empty or its place is not standard.
    #[serde(default)]
    pub stored_value: Option<StoredValueProfile>,
    /// Directories, in the order in which selection by partial name finds them.
    pub applications: Vec<ApplicationProfile>,
}

/// Product and revision of a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductType {
    /// Prime revision 1.
    #[serde(rename = "prime_revision_1")]
    Prime1,
    /// Prime revision 2.
    #[serde(rename = "prime_revision_2")]
    Prime2,
    /// Prime revision 3.
    #[serde(rename = "prime_revision_3")]
    Prime3,
    /// Light.
    Light,
    /// Basic.
    Basic,
}

/// One way to reach the card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Contactless or contact.
    pub kind: InterfaceKind,
    /// Radio or contact protocol.
    pub protocol: String,
    /// What the reader learns at power-on; nothing when unknown.
    pub power_on_data: Option<Hex<Vec<u8>>>,
    /// How sure this is.
    #[serde(default)]
    pub provenance: Option<String>,
}

/// Contactless or contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InterfaceKind {
    /// By radio.
    Contactless,
    /// By contacts.
    Contact,
}

/// What one session may modify.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionBudget {
    /// What is counted.
    pub unit: BudgetUnit,
    /// How many of them.
    pub value: u32,
}

/// What a session budget counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetUnit {
    /// Bytes of the modification buffer.
    Bytes,
    /// Modifying commands.
    Commands,
}

/// How a card answers where cards differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behaviour {
    /// Class bytes answered; others give `6E00`.
    pub accepted_cla: Vec<Hex<u8>>,
    /// Class byte of the Stored Value commands.
    pub sv_cla: Hex<u8>,
    /// P1 values with which Select File by identifier works.
    pub select_lid_p1: Vec<Hex<u8>>,
    /// In a session, counters answer `6200` and their values come with the closing.
    pub counter_answers_postponed: bool,
    /// A read with Le `00` returns the record.
    pub le_zero_supported: bool,
    /// File headers tell the long identifier.
    pub fcp_reports_lid: bool,
    /// Where in the 23 bytes of a header the long identifier stands: 20 or 21.
    pub fcp_lid_offset: u8,
    /// Directory headers tell the KIFs.
    pub fcp_reports_kif: bool,
    /// Get Data knows 006F, 0062, 00C0 and 0185.
    pub get_data_supported: bool,
    /// An orderly deselection ratifies; nothing when the card does not say.
    pub ratification_on_deselect: Option<bool>,
    /// Directory current after power-on.
    pub implicit_df_lid: Option<Hex<u16>>,
    /// A phone.
    pub hce: bool,
}

/// The PIN of a card.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PinProfile {
    /// Initial value.
    pub value: Hex<[u8; 4]>,
    /// Presentations before the PIN blocks, 1 to 15.
    pub attempts_max: u8,
    /// One PIN for all directories of the card.
    pub shared: bool,
}

impl std::fmt::Debug for PinProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PinProfile")
            .field("attempts_max", &self.attempts_max)
            .field("shared", &self.shared)
            .finish_non_exhaustive()
    }
}

/// Initial purse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredValueProfile {
    /// Balance, in the unit of the issuer: 24 bits, signed.
    pub balance: i32,
    /// Transaction number.
    pub tnum: u16,
    /// KVC of the Stored Value keys.
    pub kvc: Hex<u8>,
    /// File that receives the reload log.
    pub load_log_lid: Hex<u16>,
    /// File that receives the debit logs.
    pub debit_log_lid: Hex<u16>,
}

/// A directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ApplicationProfile {
    /// Label.
    pub name: String,
    /// Ordinary directory or master file.
    pub level: Level,
    /// Full name, 5 to 16 bytes; nothing when not selectable by name.
    pub df_name: Option<Hex<Vec<u8>>>,
    /// Long identifier.
    pub lid: Hex<u16>,
    /// Serial number.
    pub serial_number: Hex<[u8; 8]>,
    /// Startup information.
    pub startup_info: Hex<[u8; 7]>,
    /// Select response, to compare with.
    pub fci: Option<Hex<Vec<u8>>>,
    /// Status word of the select response, to compare with.
    pub fci_status: Option<Hex<u16>>,
    /// Bit 0 set: invalidated.
    pub df_status: Hex<u8>,
    /// What the application type announces.
    pub features: Features,
    /// Rehabilitate, Invalidate, two without use.
    pub access_conditions: [AccessCondition; 4],
    /// Issuer, load, debit.
    pub keys: [ApplicationKey; 3],
    /// State of the asymmetric objects, where there are any.
    pub pki: Option<KeyPairState>,
    /// Files.
    pub files: Vec<FileProfile>,
    /// Answer to Select File on the directory, to compare with.
    pub fcp: Hex<Vec<u8>>,
}

/// Ordinary directory or master file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Directory.
    Df,
    /// Master file.
    Mf,
}

/// What the application type announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Features {
    /// PIN.
    pub pin: bool,
    /// Stored Value.
    pub stored_value: bool,
    /// Ratification needs a command; nothing when the type does not say.
    pub ratification_command_required: Option<bool>,
    /// Extended mode.
    pub extended_mode: bool,
    /// Asymmetric mode.
    pub pki_mode: bool,
}

/// One access condition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessCondition {
    /// Byte of the header.
    pub ac: Hex<u8>,
    /// Key index byte of the header.
    pub key: u8,
    /// The rule in words.
    pub rule: String,
}

/// One of the three keys of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplicationKey {
    /// 1 issuer, 2 load, 3 debit.
    pub index: u8,
    /// The same in words.
    pub role: String,
    /// Key identifier.
    pub kif: Hex<u8>,
    /// Key version.
    pub kvc: Hex<u8>,
    /// Algorithm label; present on the keys of extended cards.
    pub alg: Option<String>,
    /// Label of the master key; nothing when unknown.
    pub master: Option<String>,
}

/// State of the asymmetric objects of a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPairState {
    /// Card key pair.
    pub card_key_pair: String,
    /// Certificate of the authority.
    pub ca_certificate: String,
    /// Certificate of the card.
    pub card_certificate: String,
}

/// Type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// Records at fixed places.
    Linear,
    /// Records that move down when one is appended.
    Cyclic,
    /// Counters of three bytes in one record.
    Counters,
    /// One counter of another file under an identifier of its own.
    SimulatedCounters,
    /// Bytes without records.
    Binary,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileProfile {
    /// Label.
    pub name: String,
    /// Long identifier.
    pub lid: Hex<u16>,
    /// Short identifier, 0 (none) to 1E.
    pub sfi: Hex<u8>,
    /// Type.
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// Number of records; 1 for binary files and counters.
    pub records: u8,
    /// Bytes of a record; of the file for binary files.
    pub record_size: u16,
    /// Read and search; update; write and decrease; append and increase.
    pub access_conditions: [AccessCondition; 4],
    /// Status byte of the header.
    pub df_status: Hex<u8>,
    /// Data reference of the header: files with the same one other than 0 hold the same bytes.
    pub shared_reference: Hex<u16>,
    /// The files that hold the same bytes.
    #[serde(default)]
    pub shared_with: Vec<SharedWith>,
    /// Content at delivery.
    pub initial: Initial,
    /// Answer to Select File, to compare with.
    pub fcp: Hex<Vec<u8>>,
}

/// A file that holds the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedWith {
    /// Its directory.
    pub df_lid: Hex<u16>,
    /// Its long identifier.
    pub lid: Hex<u16>,
    /// For a simulated counter: which counter of that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counter: Option<u8>,
}

/// Content at delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Initial {
    /// Byte that fills the records not listed.
    pub fill: Hex<u8>,
    /// Records by number, from 1.
    #[serde(default)]
    pub records: BTreeMap<u8, Hex<Vec<u8>>>,
}
