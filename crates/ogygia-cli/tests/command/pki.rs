//! `ogygia pki`, and certificates in `ogygia conform`.

use std::fs;
use std::sync::OnceLock;

use serde_json::{Value, json};

use super::helper::{Folder, Output, ogygia};

/// A chain for tests, with files by these names.
struct Chain {
    folder: Folder,
}

/// What a root and an authority are made of.
const AUTHORITY: [&str; 4] = ["root.json", "root.key.json", "ca.cert", "ca.key.json"];

impl Chain {
    /// `issued` is what is asked for besides the folder. The authority is the same for all tests: making keys takes
    /// its time.
    fn new(name: &str, issued: &[&str]) -> Self {
        static MADE: OnceLock<[String; 4]> = OnceLock::new();
        let made = MADE.get_or_init(|| {
            let chain = Self::fresh("pki-authority", &[]);
            AUTHORITY.map(|name| chain.read(name))
        });
        let folder = Folder::new(name);
        AUTHORITY.iter().zip(made).for_each(|(name, text)| fs::write(folder.path(name), text).unwrap());
        Self { folder }.with_card(issued)
    }

    /// With keys of its own.
    fn fresh(name: &str, issued: &[&str]) -> Self {
        Self { folder: Folder::new(name) }.with_card(issued)
    }

    fn with_card(self, issued: &[&str]) -> Self {
        let output = self.issue(issued);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        self
    }

    fn path(&self, name: &str) -> String {
        self.folder.path(name)
    }

    fn issue(&self, issued: &[&str]) -> Output {
        ogygia(&[&["pki", "issue", &self.path("")], issued].concat())
    }

    fn verify(&self, card: &str, asked: &[&str]) -> Output {
        let [root, ca, card] = ["root.json", "ca.cert", card].map(|name| self.path(name));
        ogygia(&[&["pki", "verify", "--root", &root, "--ca", &ca, "--card", &card], asked].concat())
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

const TEST: [&str; 4] = ["--mode", "test", "--on", "2026-11-25"];

#[test]
fn a_chain_is_made_and_verified() {
    let chain = Chain::new("pki-chain", &["--serial", "00000000AABBCCDD", "--aid", "315449432E49434131"]);
    let output = chain.verify("card.cert", &TEST);
    let told = "card 00000000AABBCCDD, application 315449432E49434131: valid on 2026-11-25\n";
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, told, ""));
    assert_eq!(chain.verify("card.cert", &["--mode", "test"]).code, 0, "today");
    chain.verify("card.cert", &[]).is_refused(1, "ca.cert is refused: a certificate for tests only");
    chain.verify("card.cert", &[]).is_refused(1, "(scope_test_in_production); it is accepted with --mode test");
    let asked = |more: &[&str]| chain.verify("card.cert", &[&TEST, more].concat());
    assert_eq!(asked(&["--serial", "00000000AABBCCDD", "--aid", "315449432E49434131"]).code, 0);
    asked(&["--serial", "00000000AABBCCDE"]).is_refused(1, "(serial_mismatch)");
    asked(&["--aid", "315449432E494341"]).is_refused(1, "(application_mismatch)");
}

#[test]
fn more_cards_of_the_same_authority() {
    let chain = Chain::new("pki-cards", &["--end", "2026-12-31"]);
    let before = ["root.json", "ca.cert", "card.cert"].map(|name| chain.read(name));
    chain.issue(&[]).is_refused(1, "is there already");
    assert_eq!(chain.issue(&["--name", "other", "--start", "2027-01-01"]).code, 0);
    assert_eq!(["root.json", "ca.cert", "card.cert"].map(|name| chain.read(name)), before);

    let on = |card, day, more: &[&str]| chain.verify(card, &[&["--mode", "test", "--on", day], more].concat());
    assert_eq!(on("card.cert", "2026-12-31", &[]).code, 0);
    on("card.cert", "2027-01-01", &[])
        .is_refused(1, "card.cert is refused: the certificate is no longer valid (expired)");
    let accepted = on("card.cert", "2027-01-01", &["--accept-expired"]);
    assert_eq!(accepted.code, 0);
    assert!(accepted.stdout.contains("no longer valid, and accepted, on 2027-01-01"), "{}", accepted.stdout);
    on("other.cert", "2026-12-31", &[]).is_refused(1, "(not_yet_valid)");
    assert_eq!(on("other.cert", "2027-01-01", &[]).code, 0);
}

#[test]
fn a_chain_for_production() {
    let chain = Chain::fresh("pki-production", &["--scope", "production"]);
    assert_eq!(chain.verify("card.cert", &[]).code, 0);
    chain
        .verify("card.cert", &["--mode", "test"])
        .is_refused(1, "(scope_production_in_test); it is accepted with --mode production");
}

#[test]
fn chains_do_not_mix() {
    let [one, two] = [Chain::new("pki-one", &[]), Chain::fresh("pki-two", &[])];
    fs::copy(two.path("card.cert"), one.path("stranger.cert")).unwrap();
    one.verify("stranger.cert", &TEST).is_refused(1, "(issuer_not_registered)");
    fs::copy(two.path("ca.cert"), one.path("stranger.cert")).unwrap();
    one.verify("stranger.cert", &TEST).is_refused(1, "is no certificate of a card");
    let [root, ca, card] = ["root.json", "ca.cert", "card.cert"].map(|name| one.path(name));
    ogygia(&["pki", "verify", "--root", &ca, "--card", &card]).is_refused(1, "is no root key");
    ogygia(&["pki", "verify", "--root", &root, "--root", &root, "--card", &card]).is_refused(1, "already_registered");
}

#[test]
fn a_spoiled_certificate_is_refused() {
    let chain = Chain::new("pki-spoiled", &[]);
    let whole = chain.read("card.cert");
    let spoiled = |name: &str, text: &str| fs::write(chain.path(name), text).unwrap();
    let last = if whole.trim_end().ends_with('0') { "1" } else { "0" };
    spoiled("last.cert", &format!("{}{last}", &whole.trim_end()[..631]));
    chain
        .verify("last.cert", &TEST)
        .is_refused(1, "last.cert is refused: the signature of the certificate is wrong (signature)");
    spoiled("short.cert", &whole[..600]);
    chain.verify("short.cert", &TEST).is_refused(1, "(length)");
    spoiled("none.cert", "");
    chain.verify("none.cert", &TEST).is_refused(1, "(length)");
    chain.verify("missing.cert", &TEST).is_refused(2, "cannot read");
    let lines: Vec<_> = whole.trim_end().as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    spoiled("lines.cert", &lines.join("\r\n").to_lowercase());
    assert_eq!(chain.verify("lines.cert", &TEST).code, 0, "another way to write it");
}

#[test]
fn a_certificate_is_shown() {
    let chain = Chain::new("pki-shown", &["--end", "2031-11-24"]);
    let [root, ca, card] = ["root.json", "ca.cert", "card.cert"].map(|name| chain.path(name));
    let shown = |arguments: &[&str], lines: &[&str]| {
        let output = ogygia(&[&["pki", "show"], arguments].concat());
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        for line in lines {
            assert!(output.stdout.contains(line), "{line} is not shown:\n{}", output.stdout);
        }
        output.stdout
    };
    shown(&[&root], &["kind              root key", "no application, device 0000000000000000, key "]);
    let lines = [
        "signs cards       yes\n",
        "signs authorities no\n",
        "scope             tests\n",
        "valid until       for ever\n",
    ];
    shown(&[&ca], &lines);
    let closed = shown(&[&card], &["serial number     0000000011223344", "not verified: who signed is not known"]);
    assert!(!closed.contains("valid until"), "{closed}");
    shown(&[&card, "--root", &root, "--ca", &ca], &["that of the issuer", "valid until       2031-11-24"]);

    let object = |arguments: &[&str]| -> Value { serde_json::from_str(&shown(arguments, &[])).unwrap() };
    let closed = object(&[&card, "--json"]);
    assert_eq!((&closed["signed_by_issuer"], &closed["end_date"]), (&Value::Null, &Value::Null));
    let opened = object(&[&card, "--json", "--root", &root, "--ca", &ca]);
    assert_eq!((&opened["signed_by_issuer"], &opened["end_date"]), (&json!(true), &json!("2031-11-24")));
    assert_eq!(opened["startup_info"], "0A3C3005141001");
    let authority = object(&[&ca, "--json", "--root", &root]);
    assert_eq!((&authority["rights"], &authority["scope"]), (&json!("09"), &json!("01")));
    assert_eq!(authority["target_key_reference"], opened["issuer_key_reference"]);
}

#[test]
fn private_keys_are_kept() {
    let chain = Chain::fresh("pki-kept", &[]);
    let output = chain.issue(&["--name", "second"]);
    for name in ["root.key.json", "ca.key.json", "card.key.json", "second.key.json"] {
        let file: Value = serde_json::from_str(&chain.read(name)).unwrap();
        let secret = file.get("private_exponent").or(file.get("private_key")).unwrap().as_str().unwrap();
        assert!(secret.len() >= 64 && !output.stdout.contains(&secret[..16]), "{name}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(chain.path(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
    let key = ogygia(&["pki", "show", &chain.path("card.key.json")]);
    key.is_refused(1, "(length)");
    fs::write(chain.path("ca.key.json"), chain.read("root.key.json")).unwrap();
    chain.issue(&["--name", "third"]).is_refused(1, "the private key is not that of the issuer");
    fs::write(chain.path("ca.key.json"), "{}").unwrap();
    chain.issue(&["--name", "third"]).is_refused(1, "holds no private key");
}

#[test]
fn wrong_usage() {
    let chain = Chain::new("pki-usage", &[]);
    for name in ["", "../card", "root", "ca", "a b"] {
        assert_eq!(chain.issue(&["--name", name]).code, 2, "{name}");
    }
    for wrong in [["--serial", "00"], ["--aid", "00"], ["--end", "2026-02-30"], ["--startup-info", "xx"]] {
        assert_eq!(chain.issue(&wrong).code, 2, "{wrong:?}");
    }
    chain
        .issue(&["--name", "late", "--start", "2027-01-02", "--end", "2027-01-01"])
        .is_refused(1, "end before it begins");
    assert_eq!(ogygia(&["pki", "verify"]).code, 2);
}

/// Whoever forgets the chain is told how it is given.
#[test]
fn a_chain_that_is_not_given() {
    let chain = Chain::new("pki-not-given", &[]);
    let [root, ca, card] = ["root.json", "ca.cert", "card.cert"].map(|name| chain.path(name));
    let given: [(&[&str], &str); 3] = [
        (&[], "card.cert is refused"),
        (&["--root", &root], "card.cert is refused"),
        (&["--ca", &ca], "ca.cert is refused"),
    ];
    for (given, refused) in given {
        let output = ogygia(&[&["pki", "verify", "--card", &card], given].concat());
        output.is_refused(1, refused);
        output.is_refused(1, "(issuer_not_registered); give every authority above it with --ca FILE");
    }
}

/// A root key and two certificates of it, as a vector file.
fn vectors(chain: &Chain, expected: &Value) -> String {
    let root: Value = serde_json::from_str(&chain.read("root.json")).unwrap();
    let certificate = |name: &str| chain.read(name).trim_end().to_string();
    let file = json!({
        "format": "calypso-pki/1", "about": [], "date": "20261125", "rsa_keys": [], "ec_keys": [],
        "vectors": [
            { "name": "root", "kind": "pca_public_key", "form": "modulus", "reference": root["reference"],
              "hex": root["modulus"], "exponent": "010001", "expected": { "valid": true } },
            { "name": "ca", "kind": "ca_certificate", "mode": "test", "trusted": ["root"],
              "hex": certificate("ca.cert"), "expected": { "valid": true } },
            { "name": "card", "kind": "card_certificate", "mode": "test", "trusted": ["root", "ca"],
              "card_serial": "0000000011223344", "hex": certificate("card.cert"), "expected": expected },
            { "name": "sam", "kind": "sam_command", "hex": certificate("ca.cert"), "expected": { "valid": true },
              "apdus": [["80CADF43FF", format!("DF43820180{}9000", certificate("ca.cert"))]] },
        ],
    });
    fs::write(chain.path("vectors.json"), file.to_string()).unwrap();
    chain.path("vectors.json")
}

#[test]
fn conform_judges_certificates() {
    let chain = Chain::new("pki-conform", &[]);
    let output = ogygia(&["conform", &vectors(&chain, &json!({ "valid": true }))]);
    assert_eq!((output.code, output.stdout.lines().last()), (0, Some("4 passed, 0 failed")), "{}", output.stdout);

    let other = json!({ "valid": false, "error": "invalid_certificate", "rule": "signature" });
    let output = ogygia(&["conform", &vectors(&chain, &other)]);
    assert_eq!((output.code, output.stdout.lines().last()), (1, Some("3 passed, 1 failed")), "{}", output.stdout);
    assert!(output.stdout.contains("FAILED card: "), "{}", output.stdout);
}
