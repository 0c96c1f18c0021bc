//! Who the card is: from the answer to Select Application, or from power-on data.
//!
//! Specification 01, "Creation", "Rev1 identification by power-on data".

use alloc::vec::Vec;

use super::fci::Fci;
use super::product::{Features, PostponedCounters, Product, Quirks, SessionBudget};
use super::startup::StartupInfo;
use super::{Card, Content, SvGetData};
use crate::apdu::{Batch, Response, StatusWord};
use crate::error::Malformed;

/// The length of the power-on data of a revision 1 card.
const REVISION_1_ATR_LEN: usize = 20;

/// What a selection tells of a card, and a session never changes.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) product: Product,
    pub(crate) features: Features,
    pub(crate) quirks: Quirks,
    pub(crate) budget: SessionBudget,
    pub(crate) df_name: Vec<u8>,
    pub(crate) serial_number: [u8; 8],
    pub(crate) startup: StartupInfo,
    pub(crate) select_response: Vec<u8>,
    pub(crate) power_on_data: Vec<u8>,
}

impl Default for Identity {
    fn default() -> Self {
        Self {
            product: Product::Unknown,
            features: Features::default(),
            quirks: Quirks::NONE,
            budget: SessionBudget::Bytes(0),
            df_name: Vec::new(),
            serial_number: [0; 8],
            startup: StartupInfo::default(),
            select_response: Vec::new(),
            power_on_data: Vec::new(),
        }
    }
}

impl Identity {
    /// Reads an FCI into `self`, which stays as it is when the FCI is refused.
    pub(crate) fn read_fci(&mut self, fci: &[u8]) -> Result<(), Malformed> {
        let fci = Fci::parse(fci)?;
        self.adopt(None, fci.serial_number, (fci.startup, fci.more_startup))?;
        self.df_name.clear();
        self.df_name.extend_from_slice(fci.df_name);
        Ok(())
    }

    /// Reads the power-on data of a revision 1 card.
    fn read_power_on_data(&mut self, atr: &[u8]) -> Result<(), Malformed> {
        let atr: &[u8; REVISION_1_ATR_LEN] = atr.try_into().map_err(|_| Malformed::PowerOnData)?;
        let [_, _, _, _, _, _, a, b, c, d, e, f, s0, s1, s2, s3, _, _, _, _] = *atr;
        let startup = (&[0x03, a, b, c, d, e, f], &[][..]);
        self.adopt(Some(Product::PrimeRevision1), [0, 0, 0, 0, s0, s1, s2, s3], startup)?;
        self.df_name.clear();
        Ok(())
    }

    /// Takes over what was read; the product comes from the startup information when it is not known otherwise.
    fn adopt(
        &mut self,
        product: Option<Product>,
        serial: [u8; 8],
        (startup, more): (&[u8; StartupInfo::LEN], &[u8]),
    ) -> Result<(), Malformed> {
        let [modification, _, application_type, subtype, ..] = *startup;
        let product = match product {
            Some(product) => product,
            None => {
                let product = Product::from_application_type(application_type)?;
                if matches!(subtype, 0x00 | 0xFF) {
                    return Err(Malformed::ApplicationSubtype);
                }
                product
            }
        };
        self.budget = product.session_budget(modification)?;
        self.product = product;
        self.serial_number = serial;
        self.startup.set(startup, more);
        self.quirks = Quirks::of(product, startup);
        let [_, _, _, issuer_byte, ..] = serial;
        self.features = Features { hce: issuer_byte & 0x80 != 0, ..product.features(application_type) };
        Ok(())
    }

    fn clear(&mut self) {
        self.product = Product::Unknown;
        self.features = Features::default();
        self.quirks = Quirks::NONE;
        self.budget = SessionBudget::Bytes(0);
        self.df_name.clear();
        self.serial_number = [0; 8];
        self.startup.clear();
        self.select_response.clear();
        self.power_on_data.clear();
    }

    fn copy_from(&mut self, other: &Self) {
        self.product = other.product;
        self.features = other.features;
        self.quirks = other.quirks;
        self.budget = other.budget;
        self.df_name.clone_from(&other.df_name);
        self.serial_number = other.serial_number;
        self.startup.copy_from(&other.startup);
        self.select_response.clone_from(&other.select_response);
        self.power_on_data.clone_from(&other.power_on_data);
    }
}

impl Card {
    /// An image of nothing, to be [reset](Self::reset) when a card is there.
    #[must_use]
    pub fn blank() -> Self {
        Self {
            identity: Identity::default(),
            content: Content::default(),
            postponed: PostponedCounters::No,
            ratified: None,
            transaction_counter: None,
            pin_attempts: None,
            challenge: None,
            traceability: Vec::new(),
            public_key: None,
            card_certificate: Vec::new(),
            ca_certificate: Vec::new(),
            certificate_part: Vec::new(),
            matches: Batch::new(),
            sv_get: SvGetData::default(),
            pre_open: None,
            pre_open_data: Vec::new(),
            has_stray_session: false,
        }
    }

    /// The image of a card that answered Select Application with `response`, status word included.
    ///
    /// A response without data, as some phones give it, makes an image of unknown product.
    ///
    /// # Errors
    ///
    /// What is wrong with the response.
    pub fn from_select_response(response: &[u8]) -> Result<Self, Malformed> {
        let mut card = Self::blank();
        card.reset(Some(response), &[])?;
        Ok(card)
    }

    /// The image of a revision 1 card, which has no name and is recognised by its 20 bytes of power-on data.
    ///
    /// # Errors
    ///
    /// Another length.
    pub fn from_power_on_data(atr: &[u8]) -> Result<Self, Malformed> {
        let mut card = Self::blank();
        card.reset(None, atr)?;
        Ok(card)
    }

    /// Makes `self` the image of another card, in the memory that it has.
    ///
    /// With a `select_response` the power-on data are kept and not looked at.
    ///
    /// # Errors
    ///
    /// What is wrong with the response, or with the power-on data when there is none. The image is then blank.
    pub fn reset(&mut self, select_response: Option<&[u8]>, power_on_data: &[u8]) -> Result<(), Malformed> {
        self.forget();
        let read = self.identify(select_response, power_on_data);
        if read.is_err() {
            self.forget();
        }
        read
    }

    fn forget(&mut self) {
        self.identity.clear();
        self.content.files.clear();
        self.content.invalidated = false;
        self.content.directory = None;
        self.content.purse = None;
        self.postponed = PostponedCounters::No;
        self.ratified = None;
        self.transaction_counter = None;
        self.pin_attempts = None;
        self.challenge = None;
        self.traceability.clear();
        self.public_key = None;
        self.card_certificate.clear();
        self.ca_certificate.clear();
        self.certificate_part.clear();
        self.matches.clear();
        self.forget_sv_get();
        self.pre_open = None;
        self.pre_open_data.clear();
        self.has_stray_session = false;
    }

    fn identify(&mut self, select_response: Option<&[u8]>, power_on_data: &[u8]) -> Result<(), Malformed> {
        self.identity.power_on_data.extend_from_slice(power_on_data);
        let Some(bytes) = select_response else {
            self.identity.read_power_on_data(power_on_data)?;
            self.postponed = self.product().postponed_counters();
            return Ok(());
        };
        let response = Response::parse(bytes).ok_or(Malformed::Empty)?;
        self.identity.select_response.extend_from_slice(bytes);
        if response.data.is_empty() {
            return Ok(());
        }
        self.identity.read_fci(response.data)?;
        self.postponed = self.product().postponed_counters();
        self.content.invalidated = response.status == StatusWord::INVALIDATED;
        Ok(())
    }

    /// Takes over another FCI of the card, read in a transaction. Nothing changes when it is refused.
    ///
    /// What a session has shown of this card stays; files and headers of another application are forgotten.
    pub(crate) fn identify_again(&mut self, fci: &[u8], invalidated: bool) -> Result<(), Malformed> {
        let mut identity = Identity::default();
        identity.read_fci(fci)?;
        let known = &self.identity;
        let same = known.df_name == identity.df_name && known.serial_number == identity.serial_number;
        if same {
            identity.features.extended &= known.features.extended;
        } else {
            if !known.df_name.is_empty() {
                self.content.files.clear();
                self.content.directory = None;
                self.content.purse = None;
                self.forget_sv_get();
            }
            self.postponed = identity.product.postponed_counters();
        }
        identity.select_response = core::mem::take(&mut self.identity.select_response);
        identity.power_on_data = core::mem::take(&mut self.identity.power_on_data);
        self.identity = identity;
        self.content.invalidated = invalidated;
        Ok(())
    }

    /// Makes `self` a copy of `other` in the memory that it has.
    pub fn copy_from(&mut self, other: &Self) {
        self.identity.copy_from(&other.identity);
        self.content.clone_from(&other.content);
        self.postponed = other.postponed;
        self.ratified = other.ratified;
        self.transaction_counter = other.transaction_counter;
        self.pin_attempts = other.pin_attempts;
        self.challenge = other.challenge;
        self.traceability.clone_from(&other.traceability);
        self.public_key = other.public_key;
        self.card_certificate.clone_from(&other.card_certificate);
        self.ca_certificate.clone_from(&other.ca_certificate);
        self.certificate_part.clear();
        self.matches.clear();
        self.sv_get.kvc = other.sv_get.kvc;
        self.sv_get.header = other.sv_get.header;
        self.sv_get.response.clone_from(&other.sv_get.response);
        self.pre_open = other.pre_open;
        self.pre_open_data.clone_from(&other.pre_open_data);
        self.has_stray_session = other.has_stray_session;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::card::CardClass;
    use crate::test_hex::hex;

    fn fci(startup: &str, serial: &str, status: &str) -> Vec<u8> {
        let startup = hex(startup);
        let mut inner = hex("C708");
        inner.extend(hex(serial));
        inner.extend([0x53, u8::try_from(startup.len()).unwrap()]);
        inner.extend(startup);
        let template = |tag: &str, content: &[u8]| {
            let mut bytes = hex(tag);
            bytes.push(u8::try_from(content.len()).unwrap());
            bytes.extend_from_slice(content);
            bytes
        };
        let mut body = template("84", b"1TIC.ICA1");
        body.extend(template("A5", &template("BF0C", &inner)));
        let mut response = template("6F", &body);
        response.extend(hex(status));
        response
    }

    fn card(startup: &str) -> Result<Card, Malformed> {
        Card::from_select_response(&fci(startup, "0000000011223344", "9000"))
    }

    /// Worked example 1.
    #[test]
    fn revision_3() {
        let card = card("0A3C2005141001").unwrap();
        assert_eq!(card.product(), Product::PrimeRevision3);
        assert_eq!(card.df_name(), b"1TIC.ICA1");
        assert_eq!(card.serial_number(), [0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
        let startup = card.startup_info();
        assert_eq!((startup.platform(), startup.application_type(), startup.application_subtype()), (0x3C, 0x20, 5));
        assert_eq!(
            (startup.software_issuer(), startup.software_version(), startup.software_revision()),
            (0x14, 0x10, 1)
        );
        assert_eq!(card.session_budget(), SessionBudget::Bytes(430));
        assert_eq!(card.payload_capacity(), 235);
        assert_eq!(card.features(), Features { ratification_on_deselect: true, ..Features::default() });
        assert!(!card.invalidated());
        assert_eq!(card.postponed_counters(), PostponedCounters::No);
        assert_eq!(card.class(), CardClass::Iso);
    }

    /// Worked examples 2, 8 and 10.
    #[test]
    fn features() {
        assert!(card("0A3C2805141001").unwrap().features().extended);
        let features = card("0A3C2312141001").unwrap().features();
        assert!(features.pin && features.stored_value);
        assert!(card("0A3C3005141001").unwrap().features().pki);
    }

    /// Worked example 3.
    #[test]
    fn invalidated() {
        let response = fci("0A3C2005141001", "0000000011223344", "6283");
        assert!(Card::from_select_response(&response).unwrap().invalidated());
    }

    /// Worked example 4.
    #[test]
    fn revision_2() {
        let card = card("0A3C1205141001").unwrap();
        assert_eq!(card.product(), Product::PrimeRevision2);
        assert_eq!((card.class().byte(), card.class().stored_value_byte()), (0x94, 0xFA));
        assert_eq!(card.features(), Features { stored_value: true, ..Features::default() });
        assert_eq!(card.session_budget(), SessionBudget::Commands(6));
        assert_eq!(card.payload_capacity(), 128);
        assert_eq!(card.postponed_counters(), PostponedCounters::Undetermined);
    }

    /// Worked examples 7 and 9.
    #[test]
    fn light_and_basic() {
        let light = card("064390312B0100").unwrap();
        assert_eq!((light.product(), light.session_budget()), (Product::Light, SessionBudget::Bytes(215)));
        let basic = card("043C9805141001").unwrap();
        assert_eq!((basic.product(), basic.session_budget()), (Product::Basic, SessionBudget::Commands(4)));
    }

    /// Worked example 11.
    #[test]
    fn order_does_not_matter() {
        let response = hex("6F23 A516 BF0C13 5307 0A3C2005141001 C708 0000000012345678 8409 315449432E49434131 9000");
        let card = Card::from_select_response(&response).unwrap();
        assert_eq!(card.full_serial_number(), [0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]);
    }

    /// Worked examples 12 and 13.
    #[test]
    fn revision_1() {
        let card = Card::from_power_on_data(&hex("3B8F8001805A0A010320031112345678829000F7")).unwrap();
        assert_eq!(card.product(), Product::PrimeRevision1);
        assert_eq!(card.full_serial_number(), [0, 0, 0, 0, 0x12, 0x34, 0x56, 0x78]);
        assert_eq!(card.startup_info().as_bytes(), hex("030A0103200311"));
        assert_eq!(card.session_budget(), SessionBudget::Commands(3));
        assert!(card.features().ratification_on_deselect);
        assert_eq!(card.payload_capacity(), 250);
        let long = hex("3B8F8001805A0A010320031124B77FE7829000F700");
        assert_eq!(Card::from_power_on_data(&long).err(), Some(Malformed::PowerOnData));
    }

    /// Worked example 14.
    #[test]
    fn response_without_data() {
        assert_eq!(Card::from_select_response(&hex("9000")).unwrap().product(), Product::Unknown);
    }

    /// Worked example 15.
    #[test]
    fn phone() {
        let card = Card::from_select_response(&fci("0A3C2005141001", "12340080FEDCBA98", "9000")).unwrap();
        assert!(card.features().hce);
        assert_eq!(card.serial_number(), [0, 0, 0, 0x80, 0xFE, 0xDC, 0xBA, 0x98]);
    }

    /// Worked example 16, and point E-07.
    #[test]
    fn long_startup_info_keeps_its_quirk() {
        let card = card("0A3C2005141001FF").unwrap();
        assert_eq!(card.startup_info().as_bytes().len(), 8);
        assert_eq!(card.payload_capacity(), 235);
    }

    /// Worked example 17.
    #[test]
    fn refused() {
        assert_eq!(card("0A3C0005141001").err(), Some(Malformed::ApplicationType));
        assert_eq!(card("053C2005141001").err(), Some(Malformed::SessionModification));
        assert_eq!(card("383C2005141001").err(), Some(Malformed::SessionModification));
        assert_eq!(card("0A3C2000141001").err(), Some(Malformed::ApplicationSubtype));
        assert_eq!(card("0A3C20FF141001").err(), Some(Malformed::ApplicationSubtype));
        assert_eq!(card("0A3C20051410").err(), Some(Malformed::Tag(0x53)));
        assert!(Card::from_select_response(&hex("1122339000")).is_err());
        assert_eq!(Card::from_select_response(&hex("90")).err(), Some(Malformed::Empty));
    }

    /// Worked examples 18 and 19.
    #[test]
    fn unknown_and_legacy_case_1() {
        assert_eq!(card("0A3CFF05141001").unwrap().product(), Product::Unknown);
        let quirk = card("03080304000200").unwrap();
        assert_eq!(quirk.product(), Product::PrimeRevision2);
        assert!(quirk.identity.quirks.legacy_case_1);
    }

    #[test]
    fn a_refused_reset_leaves_nothing_of_the_card_before() {
        let mut card = card("0A3C2005141001").unwrap();
        assert!(card.reset(Some(&hex("6F009000")), &[]).is_err());
        assert_eq!((card.product(), card.df_name().len()), (Product::Unknown, 0));
    }
}
