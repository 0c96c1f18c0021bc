use super::*;

const GOOD: &str = r#"{"name": "good", "mode": "selection", "card": {"select_response": null,
    "power_on_data": "00", "contactless": true}, "selection": {"accept_invalidated": false, "preparations": [],
    "matched": true, "error": "selection"}}"#;

/// A folder of its own that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ogygia-conform-{}-{name}", std::process::id()));
        fs::create_dir_all(folder.join("exchanges")).unwrap();
        Self(folder)
    }

    fn put(&self, file: &str, text: &str) {
        let path = self.0.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn cases(&self, file: &str, cases: &[&str]) {
        self.put(file, &format!(r#"{{"format": "{}", "cases": [{}]}}"#, vector::FORMAT, cases.join(",")));
    }

    fn run(&self, path: &str) -> Result<(bool, String), String> {
        let mut out = Vec::new();
        let report = replay(&[self.0.join(path)]).map_err(|error| error.to_string())?;
        report.write(&mut out).unwrap();
        Ok((report.tally().failed == 0, String::from_utf8(out).unwrap()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

fn last(text: &str) -> &str {
    text.lines().next_back().unwrap_or_default()
}

#[test]
fn a_case_that_cannot_be_read_has_failed_and_the_others_go_on() {
    let folder = Folder::new("cases");
    let hex = r#"{"name": "hex", "mode": "free", "prefetched_challenge": "0G"}"#;
    let nameless = r#"{"mode": "free"}"#;
    folder.cases("exchanges/a.json", &[hex, GOOD, nameless, "7"]);
    let (passed, text) = folder.run("exchanges").unwrap();
    assert!(!passed);
    assert!(text.contains("FAILED hex: cannot be read: not hexadecimal: 0G"), "{text}");
    assert!(text.contains("FAILED case 3 of a.json: cannot be read: missing field `name`"), "{text}");
    assert!(text.contains("FAILED case 4 of a.json: cannot be read: "), "{text}");
    assert_eq!(last(&text), "1 passed, 3 failed", "{text}");
}

#[test]
fn a_file_that_cannot_be_read_is_one_failure_and_the_others_go_on() {
    let folder = Folder::new("files");
    folder.cases("exchanges/good.json", &[GOOD]);
    folder.put("exchanges/broken.json", "{");
    folder.put("exchanges/other.json", r#"{"format": "other/1", "cases": []}"#);
    folder.put("exchanges/binary.json", "\u{0}");
    fs::create_dir(folder.0.join("exchanges/folder.json")).unwrap();
    let (passed, text) = folder.run("exchanges").unwrap();
    assert!(!passed);
    assert!(text.contains("FAILED broken.json: cannot be read: "), "{text}");
    assert!(text.contains("FAILED other.json: cannot be read: format other/1 is not "), "{text}");
    assert_eq!(last(&text), "1 passed, 4 failed", "{text}");
}

#[test]
fn twins_that_cannot_be_read_are_failures() {
    let folder = Folder::new("twins");
    folder.cases("exchanges/a.json", &[GOOD]);
    folder.cases("exchanges/b.json", &[GOOD]);
    folder.cases("recommended/a.json", &[r#"{"name": "good", "mode": 1}"#]);
    folder.put("recommended/b.json", "{");
    let (_, text) = folder.run("exchanges").unwrap();
    assert!(text.contains("FAILED recommended good: cannot be read: "), "{text}");
    assert!(text.contains("FAILED recommended/b.json: cannot be read: "), "{text}");
    assert_eq!(last(&text), "2 passed, 2 failed", "{text}");
    let (_, text) = folder.run("recommended").unwrap();
    assert_eq!(last(&text), "0 passed, 2 failed", "{text}");
}

#[test]
fn certificates_that_cannot_be_read() {
    let folder = Folder::new("certificates");
    let vectors = r#"{"name": "hex", "kind": "get_data", "hex": "0", "expected": {"valid": true}}, {}"#;
    let file = |keys: &str| {
        let format = certificates::FORMAT;
        format!(r#"{{"format": "{format}", "date": "20260615", "rsa_keys": [{keys}], "vectors": [{vectors}]}}"#)
    };
    folder.put("pki/a.json", &file(""));
    folder.put("pki/b.json", &file("{}"));
    let (_, text) = folder.run("pki").unwrap();
    assert!(text.contains("FAILED hex: cannot be read: not hexadecimal: 0"), "{text}");
    assert!(text.contains("FAILED case 2 of a.json: cannot be read: "), "{text}");
    assert!(text.contains("FAILED b.json: cannot be read: "), "{text}");
    assert_eq!(last(&text), "0 passed, 3 failed", "{text}");
}

#[test]
fn nothing_to_replay_is_an_error() {
    let folder = Folder::new("nothing");
    assert!(folder.run("missing").is_err_and(|why| why.contains("missing")));
    assert_eq!(folder.run("exchanges"), Err("no vector files there".into()));
    folder.cases("exchanges/a.json", &[]);
    assert_eq!(folder.run("exchanges"), Err("no cases there".into()));
    assert_eq!(folder.run("exchanges/a.json"), Err("no cases there".into()));
    folder.cases("exchanges/b.json", &[GOOD]);
    assert!(folder.run("exchanges").is_ok_and(|(passed, _)| passed));
}
