//! The `dcquic` command as a process.

use std::{
    io::{self, BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

/// The program, built beside the tests in the same profile.
///
/// # Panics
/// It cannot be built.
pub fn dcquic() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "-p", "dcquic-mio", "--bin", "dcquic"]);
        if !cfg!(debug_assertions) {
            build.arg("--release");
        }
        assert!(build.status().is_ok_and(|status| status.success()), "dcquic does not build");
        // the test stands in target/<profile>/deps
        let test = std::env::current_exe().unwrap_or_default();
        let profile = test.parent().and_then(Path::parent).unwrap_or(Path::new("."));
        profile.join(format!("dcquic{}", std::env::consts::EXE_SUFFIX))
    })
}

/// A running `dcquic serve`. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    /// The process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server on any port of the loopback interface.
    ///
    /// # Errors
    /// It does not start, or does not say where it listens.
    pub fn start(psk: &Path, root: &Path, options: &[&str]) -> io::Result<Self> {
        let mut child = Command::new(dcquic())
            .args(["serve", "--listen", "127.0.0.1:0", "--psk"])
            .arg(psk)
            .arg("--root")
            .arg(root)
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let address = line.split_whitespace().find_map(|word| word.parse().ok());
        let address = address.ok_or_else(|| io::Error::other(format!("serve said {line:?}")))?;
        Ok(Self { child, address })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // it may have ended by itself
        let _killed = self.child.kill();
        let _waited = self.child.wait();
    }
}

/// A key file in `folder`.
///
/// # Panics
/// It cannot be made.
pub fn keygen(folder: &Path) -> PathBuf {
    let path = folder.join("test.psk");
    let status = Command::new(dcquic()).args(["keygen", "--psk"]).arg(&path).output();
    assert!(status.is_ok_and(|output| output.status.success()), "keygen failed");
    path
}
