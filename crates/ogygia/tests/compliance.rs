//! The list of requirements, docs/COMPLIANCE.md, has each of them once, and what it names as proof exists.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may stop")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Requirements on cards, SAMs and their selection: specification 06, sections 2 to 9 and what of 10 and 11 is selection,
/// transport, or sessions that the card signs.
const BUILT: &[&str] = &[
    "CL-SEL-TLVSTRUC.1",
    "CL-SEL-TLVDATA.1",
    "CL-TLV-ORDER.1",
    "CL-TLV-VAR.1",
    "CL-SEL-DATA.1",
    "CL-SEL-CSN.1",
    "CL-SI-SM.1",
    "CL-SI-SMBASIC.1",
    "CL-SI-ATRFU.1",
    "CL-SI-ATPRIME.1",
    "CL-SI-ATB6B5.1",
    "CL-SI-ATLIGHT.1",
    "CL-SI-ATBASIC.1",
    "CL-SI-ATOPT.1",
    "CL-SI-ASRFU.1",
    "CL-SI-OTHER.1",
    "CL-INV-STATUS.1",
    "CL-CMD-GETPUT.1",
    "CL-SEL-SNHEADER.2",
    "RL-SEL-USAGE.1",
    "RL-SEL-DFNAME.1",
    "RL-SEL-CLA.1",
    "RL-SEL-P2LC.1",
    "RL-ATR-FILTER",
    "CL-APP-ISOL.1",
    "CL-CMD-SEND.1",
    "CL-CMD-RECV.1",
    "CL-CMD-CASE.1",
    "CL-CMD-LCLE.1",
    "CL-CMD-DATAIN.1",
    "CL-C1-5BYTE.1",
    "CL-C1-MAC.1",
    "CL-C4-LE.1",
    "CL-C4-MAC.1",
    "CL-CLA-CMD.1",
    "CL-CMD-SEARCH.1",
    "CL-RFU-FIELDCMD.1",
    "CL-RFU-VALUECMD.1",
    "CL-RFU-FIELDRSP.1",
    "CL-SF-SFI.1",
    "CL-SW-ANALYSIS.1",
    "CL-SW-SUCCESS.1",
    "CL-SW-CHECK.1",
    "CL-PERF-HFLOW.1",
    "CL-CSS-OSSMODE.1",
    "CL-CSS-OSSRFU.1",
    "CL-CSS-INFORAT.1",
    "CL-CSS-INFOTCNT.1",
    "CL-CSS-INFODATA.1",
    "CL-CSS-INFOEND.1",
    "CL-CSS-INFOCSS.1",
    "CL-CSS-SMEXCEED.1",
    "CL-CSS-REQUEST.1",
    "CL-CSS-MACVERIF.1",
    "CL-CSS-ABORTCMD.1",
    "CL-CSS-RESPLE.1",
    "CL-CSS-6D006E00.1",
    "CL-CSS-UNEXPERR.1",
    "CL-RAT-CMD.1",
    "CL-RAT-DELAY.1",
    "CL-RAT-NXTCLOSE.1",
    "CL-KEY-INDEXPO.1",
    "CL-KEY-KIF.1",
    "CL-KEY-KIFUNK.1",
    "CL-KEY-KIFSF.1",
    "CL-KEY-CHANGE.1",
    "CL-PIN-PENCRYPT.1",
    "CL-PIN-MENCRYPT.1",
    "CL-PIN-GETCHAL.1",
    "CL-PIN-PP1P2.1",
    "CL-PIN-MP1P2.1",
    "CL-COUN-DATAIN.1",
    "CL-SV-CMDMODE.1",
    "CL-SV-GETNUMBER.1",
    "CL-SV-GETRLOAD.1",
    "CL-SV-GETDEBIT.1",
    "CL-SV-1PCSS.1",
    "CL-SV-DEBITVAL.1",
    "CL-SV-POSTPON.1",
    "CL-SAM-ATR.1",
    "CL-CLA-SAM.1",
    "CL-SAM-CSN.1",
    "CL-SAM-DINIT.1",
    "CL-SAM-DUPDATE.1",
    "CL-SAM-DMULTI.2",
    "CL-SAM-DCLOSE.1",
    "CL-RAT-PKIMODE.2",
    "CL-SV-PKIMODE.1",
    "CL-PKI-ALGO.1",
    "CL-PKI-VERIF.2",
    "CL-PKI-PUBKEY.1",
    "CL-PKI-RQMODE.1",
    "RL-ATR-IDENTIFY.1",
    "RL-SW-61XX.1",
    "RL-SW-6CXX.1",
    "RL-SW-CASE4.1",
    "RL-SW-ANALYSIS.1",
];

/// The others.
const LATER: &[&str] = &[
    "TL-SEL-AIDMATCH.1",
    "RL-CMD-USED.1",
    "RL-CLA-ACCEPTED.1",
    "RL-CLA-CHAAUTO.1",
    "RL-PERF-TIME.1",
    "RL-CL-PROTOCOL.1",
    "RL-DET-INSNOTIF.1",
    "RL-DET-REMNOTIF.1",
    "RL-DET-REMCTRL.1",
    "RL-DET-PCRQ.1",
    "RL-DET-PCAPDU.1",
    "RL-DET-PCIBLOCK.1",
    "RL-CL-RFSTA.2",
    "RL-CT-T0",
    "RL-CL-TS16794",
];

/// One entry: `- **ID**: what it asks`, and the proofs.
struct Entry {
    id: String,
    proofs: Vec<String>,
}

fn entries() -> Vec<Entry> {
    let document = fs::read_to_string(workspace().join("docs/COMPLIANCE.md")).unwrap();
    let entries = document.split("\n- **").skip(1).map(|text| {
        let text = text.split("\n\n").next().unwrap_or_default();
        let (id, rest) = text.split_once("**: ").unwrap_or_else(|| panic!("no entry: {text}"));
        let proofs = rest.split('`').skip(1).step_by(2).map(String::from).collect();
        Entry { id: id.to_string(), proofs }
    });
    entries.collect()
}

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Whether there is a test of this path, `crate::module::test`.
fn exists(path: &str) -> bool {
    let mut parts: Vec<_> = path.split("::").collect();
    let (Some(test), true) = (parts.pop(), parts.len() > 1) else { return false };
    let root = workspace().join("crates").join(parts.remove(0));
    let integration = parts.first() == Some(&"tests");
    let folder = if integration { root.join("tests") } else { root.join("src") };
    let modules = || parts.iter().skip(usize::from(integration)).copied();
    // Tests of a module stand in its own file, in a file beside it, or in several files in a folder.
    let inner: Vec<_> = modules().filter(|part| *part != "tests").collect();
    let places = [inner, modules().collect()].map(|modules| folder.join(modules.join("/")));
    let files = places.iter().flat_map(|module| {
        [module.with_extension("rs"), module.join("tests.rs"), module.join("mod.rs"), module.join("main.rs")]
    });
    files.filter_map(|file| fs::read_to_string(file).ok()).any(|source| has_test(&source, test))
}

fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<_> = source.lines().map(str::trim).collect();
    let function = format!("fn {name}()");
    let mut places = lines.iter().enumerate().filter(|(_, line)| line.starts_with(&function));
    places.any(|(place, _)| {
        let before = lines.get(..place).unwrap_or_default();
        before.iter().rev().take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]")
    })
}

#[test]
fn every_requirement_is_listed_once() {
    let entries = entries();
    let mut listed: Vec<_> = entries.iter().map(|entry| entry.id.as_str()).collect();
    let mut expected: Vec<_> = BUILT.iter().chain(LATER).copied().collect();
    listed.sort_unstable();
    expected.sort_unstable();
    assert_eq!(listed, expected);
}

#[test]
fn what_is_built_is_shown() {
    for Entry { id, proofs } in entries() {
        assert_eq!(proofs.is_empty(), LATER.contains(&id.as_str()), "{id}");
        let distinct: BTreeSet<_> = proofs.iter().collect();
        assert_eq!(distinct.len(), proofs.len(), "{id}");
    }
}

#[test]
fn every_proof_exists() {
    let vectors = workspace().join("crates/ogygia-cli/tests/vectors/exchanges");
    let missing: Vec<_> = entries()
        .into_iter()
        .flat_map(|entry| entry.proofs)
        .filter(|proof| if proof.ends_with(".json") { !vectors.join(proof).exists() } else { !exists(proof) })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(!exists("ogygia::tests::refusals::no_such_test") && !exists("ogygia::refusals") && !exists("refusals"));
}

/// CL-SV-PKIMODE.1: with a card that has both.
#[cfg(feature = "pki")]
#[test]
fn no_stored_value_beside_signed_sessions() {
    use ogygia::Error;
    use ogygia::card::Card;
    use ogygia::command::{Command, CommandName, OpenPkiSession, SvDebit, SvGet, SvOperation, SvReload};
    use ogygia::pki::{Day, Mode, TrustStore};
    use ogygia::transaction::{PkiSettings, Security, Transaction};

    let mut response = vec![0x6F, 0x23, 0x84, 0x09];
    response.extend_from_slice(b"1TIC.ICA1");
    response.extend_from_slice(&[0xA5, 0x16, 0xBF, 0x0C, 0x13, 0xC7, 0x08, 0, 0, 0, 0, 0x11, 0x22, 0x33, 0x44]);
    response.extend_from_slice(&[0x53, 0x07, 0x0A, 0x3C, 0x33, 0x05, 0x14, 0x10, 0x01, 0x90, 0x00]);
    let card = Card::from_select_response(&response).unwrap();
    assert!(card.features().stored_value && card.features().pki);
    let settings = PkiSettings::new(TrustStore::new(Mode::Test), Day::new(2026, 6, 1).unwrap());
    for in_session in [false, true] {
        let operations: [Command<'_>; 4] = [
            SvGet { operation: SvOperation::Reload }.into(),
            SvGet { operation: SvOperation::Debit }.into(),
            SvReload { amount: 1, date: [0; 2], time: [0; 2], free: [0; 2] }.into(),
            SvDebit { amount: 1, date: [0; 2], time: [0; 2] }.into(),
        ];
        for (operation, gets) in operations.into_iter().zip([true, true, false, false]) {
            let mut transaction = Transaction::new(card.clone(), Security::Pki(settings.clone())).unwrap();
            if in_session {
                transaction.prepare(OpenPkiSession { challenge: [1; 8] }).unwrap();
            }
            let refused = transaction.prepare(operation).unwrap_err();
            // Without SV Get, which is not supported, the others are out of turn.
            assert!(!gets || refused == Error::Unsupported(CommandName::SvGet), "{refused:?}");
        }
    }
}
