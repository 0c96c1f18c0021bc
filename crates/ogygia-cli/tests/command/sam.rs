//! `ogygia sam`.

use std::fs;

use serde_json::{Value, json};

use super::helper::{Folder, Output, ogygia};

fn sam(arguments: &[&str]) -> Output {
    ogygia(&[&["sam"], arguments].concat())
}

fn said(arguments: &[&str]) -> String {
    let output = sam(arguments);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{arguments:?}");
    output.stdout
}

fn object(arguments: &[&str]) -> Value {
    serde_json::from_str(&said(&[arguments, &["--json"]].concat())).unwrap()
}

const DATA: &str = "00112233445566778899AABBCCDDEEFF";

#[test]
fn who_it_is() {
    let told = said(&["info", "--serial", "0A0B0C0D"]);
    assert!(told.starts_with("SAM C1 0A0B0C0D\n  platform          48\n"), "{told}");
    assert!(told.contains("  Reloading key       E7   F3   40   31000003000000000000   3\n"), "{told}");
    assert!(!told.contains("Work keys"), "{told}");
    let image = object(&["info"]);
    assert_eq!(image["serial_number"], "11223344");
    assert_eq!(image["system_keys"]["authentication"], "FAF44001000000000000000000");
    assert_eq!((&image["counters"], &image["work_keys"]), (&json!({}), &json!({})));
}

#[test]
fn its_work_keys_on_demand() {
    let told = said(&["info", "--work-keys", "--profile", "sam-control"]);
    assert!(told.contains("  Personalization key not there\n"), "{told}");
    assert!(told.contains("\n  1                   E1   F1   40   31000001010000000000   1\n"), "{told}");
    let image = object(&["info", "--work-keys", "--profile", "sam-control"]);
    assert_eq!(image["work_keys"]["#9"], "EF014031000000010000000000");
}

#[test]
fn its_counters() {
    let told = said(&["counters"]);
    assert_eq!(told.lines().count(), 3 + 27);
    assert!(told.contains("\n        3         0    100000    100000  the SAM (Reloading key)\n"), "{told}");
    assert!(told.contains("\n        8         0   1000000   1000000  everybody\n"), "{told}");
    let all = object(&["counters"]);
    assert_eq!(all.as_object().unwrap().len(), 4);
    assert_eq!((&all["ceilings"]["6"], &all["increment_access"]["8"]), (&json!(1000), &json!("free")));
}

#[test]
fn what_it_signs_it_verifies() {
    let kinds: &[&[&str]] = &[
        &[],
        &["--basic"],
        &["--not-busy", "--diversifier", "0102030405"],
        &["--trace", "9", "--partial-serial"],
        &["--trace", "0", "--kif", "30", "--kvc", "79"],
    ];
    for kind in kinds {
        for size in ["8", "3"] {
            let signed = object(&[&["sign", DATA, "--size", size][..], kind].concat());
            let (data, signature) = (signed["signed_data"].as_str().unwrap(), signed["signature"].as_str().unwrap());
            assert_eq!(signature.len(), 2 * size.parse::<usize>().unwrap());
            let right = said(&[&["verify", data, signature][..], kind].concat());
            assert!(right.contains("\n  the signature is right\n"), "{right}");
            let wrong = sam(&[&["verify", DATA, "0000000000000000"][..], kind].concat());
            assert_eq!((wrong.code, wrong.stderr.as_str()), (1, ""));
            assert!(wrong.stdout.contains("\n  the signature is WRONG\n"), "{}", wrong.stdout);
        }
    }
}

#[test]
fn its_traces() {
    let told = said(&["sign", DATA, "--trace", "8"]);
    assert!(told.contains("  signed data    00112233440000018899AABBCCDDEEFF\n"), "{told}");
    assert!(told.contains("  traces         serial number 11223344, counter 1\n"), "{told}");
    let signed = object(&["sign", DATA, "--trace", "8", "--partial-serial"]);
    assert_eq!((&signed["serial_number"], &signed["counter"]), (&json!("223344"), &json!(1)));
    let verified = said(&[
        "verify",
        signed["signed_data"].as_str().unwrap(),
        signed["signature"].as_str().unwrap(),
        "--trace",
        "8",
        "--partial-serial",
    ]);
    assert!(verified.ends_with("  traces         serial number 223344, counter 1\n"), "{verified}");
}

#[test]
fn a_locked_one() {
    assert!(said(&["info", "--profile", "sam-locked"]).contains("Reloading key"), "it tells all the same");
    let locked = ["--profile", "sam-locked"];
    sam(&[&["sign", DATA][..], &locked].concat()).is_refused(1, "the SAM is locked: see --unlock");
    for how in ["static", "dynamic"] {
        said(&[&["sign", DATA, "--unlock", how][..], &locked].concat());
    }
    sam(&["sign", DATA, "--unlock", "static"]).is_refused(2, "sam-target has no lock");
}

#[test]
fn one_from_a_file() {
    let folder = Folder::new("sam");
    let write = |name: &str, text: &str| {
        let path = folder.path(name);
        fs::write(&path, text).unwrap();
        path
    };
    let small = r#"{ "format": "ogygia-sam-profile/1", "id": "mine", "title": "Mine", "product": "s1dx",
        "counters": { "4": { "value": 7, "ceiling": 7 } },
        "work_keys": [ { "record": 1, "kif": "2B", "kvc": "19", "counter": 4 } ] }"#;
    let mine = write("mine.json", small);
    let told = said(&["counters", "--profile", &mine]);
    assert!(told.starts_with("SAM S1Dx 11223344\n  What follows is not signed by the SAM.\n"), "{told}");
    assert!(told.contains("\n        4         7         7         0  the SAM\n"), "{told}");
    sam(&["sign", DATA, "--profile", &mine]).is_refused(1, "6900");
    let broken = write("broken.json", r#"{ "format": "ogygia-sam-profile/1", "colour": "red" }"#);
    sam(&["info", "--profile", &broken]).is_refused(2, "colour");
    sam(&["info", "--profile", &folder.path("absent.json")]).is_refused(2, "sam-control");
    sam(&["info", "--profile", &folder.path("")]).is_refused(2, "");
}

#[test]
fn wrong_usage() {
    sam(&["sign", "001122", "--basic"]).is_refused(2, "with --basic a multiple of eight");
    sam(&["sign", DATA, "--trace", "100"]).is_refused(2, "64 bits more");
    sam(&["sign", DATA, "--diversifier", "010203040506070809"]).is_refused(2, "--diversifier has 1 to 8 bytes");
    sam(&["verify", DATA, "010203040506070809"]).is_refused(2, "SIGNATURE has 1 to 8 bytes");
    sam(&["sign", DATA, "--kif", "77"]).is_refused(1, "6A83");
    for arguments in [
        &["sign", "XY"][..],
        &["sign", ""],
        &["sign", DATA, "--size", "9"],
        &["sign", DATA, "--kif", "2B19"],
        &["sign", DATA, "--basic", "--trace", "0"],
        &["sign", DATA, "--partial-serial"],
        &["info", "--serial", "1122"],
        &["verify", DATA],
    ] {
        let output = sam(arguments);
        assert_eq!((output.code, output.stdout.as_str()), (2, ""), "{arguments:?}");
    }
}
