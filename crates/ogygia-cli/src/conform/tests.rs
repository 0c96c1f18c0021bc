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
    let (passed, text) = folder.run("exchanges").unwrap();
    assert!(!passed);
    assert!(text.contains("FAILED broken.json: cannot be read: "), "{text}");
    assert!(text.contains("FAILED other.json: cannot be read: format other/1 is not "), "{text}");
    assert_eq!(last(&text), "1 passed, 3 failed", "{text}");
}

#[test]
fn folders_are_searched_to_the_bottom() {
    let folder = Folder::new("below");
    folder.cases("exchanges/b.json", &[GOOD]);
    folder.cases("exchanges/a/deep/folder.json/c.json", &[GOOD, GOOD]);
    folder.cases("d.json", &[GOOD, GOOD, GOOD]);
    folder.put("exchanges/a/notes.txt", "no vectors");
    folder.put("exchanges/a/other.json", "{");
    let (_, text) = folder.run("").unwrap();
    let files: Vec<_> = text.lines().filter_map(|line| line.split_once(", 0 differ")).map(|(file, _)| file).collect();
    let expected = ["d.json: 3 passed", "c.json: 2 passed", "other.json: 0 passed", "b.json: 1 passed"];
    assert_eq!(files, expected, "{text}");
    assert_eq!(last(&text), "6 passed, 1 failed", "{text}");
}

/// What is recommended is another way for a case to pass, and not a case more; unless it is asked for by itself.
#[test]
fn twins_below_are_judged_with_their_files() {
    let folder = Folder::new("twins-below");
    let other = GOOD.replace(r#""error": "selection""#, r#""error": "state""#);
    folder.cases("exchanges/a.json", &[GOOD]);
    folder.cases("recommended/a.json", &[&other]);
    folder.cases("recommended/alone.json", &[GOOD]);
    assert_eq!(last(&folder.run("").unwrap().1), "2 passed, 0 failed");
    assert_eq!(last(&folder.run("recommended").unwrap().1), "1 passed, 1 failed");
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
