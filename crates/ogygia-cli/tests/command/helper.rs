//! Running the binary, and folders for it.

use std::path::PathBuf;
use std::process::Command;

/// What the binary did.
pub(crate) struct Output {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the binary.
pub(crate) fn ogygia(arguments: &[&str]) -> Output {
    said(&Command::new(env!("CARGO_BIN_EXE_ogygia")).args(arguments).output().unwrap())
}

fn said(output: &std::process::Output) -> Output {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Output { code: output.status.code().unwrap(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// Runs the binary in a folder.
pub(crate) fn ogygia_in(folder: &Folder, arguments: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_ogygia")).current_dir(&folder.0).args(arguments).output().unwrap();
    said(&output)
}

/// Runs the binary, and reads nothing of what it writes: exit code, and what it says about that.
pub(crate) fn unheard(arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ogygia"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = command.args(arguments).stdout(writer).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

impl Output {
    /// Checks that it said why it does not work, in one line, and nothing else.
    #[track_caller]
    pub(crate) fn is_refused(&self, code: i32, why: &str) {
        assert_eq!(self.code, code, "{}", self.stderr);
        assert_eq!(self.stdout, "");
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.starts_with("ogygia: ") && self.stderr.contains(why), "{}", self.stderr);
    }
}

/// A folder of one test, gone when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// What is in it.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
