//! Runs the command and keeps servers alive for the length of a test.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

/// The command with `args`, ready to run.
pub(crate) fn command<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dcquic"));
    command.args(args).stdin(Stdio::null());
    command
}

/// Runs the command to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    command(args).output().unwrap()
}

/// Runs the command, which must succeed, and returns its stdout.
pub(crate) fn stdout<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> String {
    let output = run(args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs the command, which must fail with exit code 1, and returns the one line on stderr.
pub(crate) fn failure<A: AsRef<std::ffi::OsStr>>(args: impl IntoIterator<Item = A>) -> String {
    refused(&run(args))
}

/// The one line of a command that failed with exit code 1.
pub(crate) fn refused(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "stderr: {stderr}");
    let lines: Vec<_> = stderr.lines().filter(|line| !line.starts_with("warning: ")).collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    assert!(lines[0].starts_with("dcquic: "), "{stderr}");
    lines[0].to_owned()
}

/// The JSON objects of a text, one per line.
pub(crate) fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A directory with a key, and `root` for a server's files.
pub(crate) struct Setting {
    pub(crate) directory: tempfile::TempDir,
}

impl Setting {
    pub(crate) fn new() -> Self {
        let setting = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir(setting.path("root")).unwrap();
        stdout(["keygen", "--psk", &setting.psk()]);
        setting
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn psk(&self) -> String {
        self.text("psk")
    }

    /// A file of `len` bytes that do not repeat.
    pub(crate) fn file(&self, name: &str, len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1du64;
        let mut data = Vec::with_capacity(len + 8);
        while data.len() < len {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            data.extend_from_slice(&state.to_le_bytes());
        }
        data.truncate(len);
        fs::write(self.path(name), &data).unwrap();
        data
    }

    /// Everything in `root`, temporary files too.
    pub(crate) fn root_names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.path("root"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    pub(crate) fn server(&self) -> Server {
        self.server_with(&["--root", &self.text("root"), "--timeout", "2s"])
    }

    pub(crate) fn server_with(&self, more: &[&str]) -> Server {
        let psk = self.psk();
        let mut args = vec!["serve", "--listen", "127.0.0.1:0", "--psk", &psk, "--json"];
        args.extend(more);
        Server::start(command(args))
    }
}

/// A server process; killed when dropped.
pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: String,
}

impl Server {
    /// Starts it and waits for the line with its address.
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let value: Value = serde_json::from_str(&line).unwrap();
        let address = value["listening"].as_str().unwrap().to_owned();
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `holds`, at most ten seconds.
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(10), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether `directory` holds a file that is still being written, longer than nothing.
pub(crate) fn has_part(directory: &Path) -> bool {
    fs::read_dir(directory).unwrap().any(|entry| {
        let entry = entry.unwrap();
        entry.file_name().to_str().unwrap().ends_with(".part")
            && entry.metadata().is_ok_and(|metadata| metadata.len() > 0)
    })
}
