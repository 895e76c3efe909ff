//! The file that holds a pre-shared key.

use std::{
    fs::File,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use dcquic_proto::crypto::Psk;
use zeroize::Zeroizing;

use super::{failure::Failure, output};

/// Where the pre-shared key is.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PskOption {
    /// The file with the pre-shared key, as `dcquic keygen` writes it.
    #[arg(long, value_name = "FILE")]
    psk: PathBuf,
}

impl PskOption {
    /// Reads the key; others' access to the file is worth a warning.
    pub(crate) fn load(&self) -> Result<Psk, Failure> {
        read(&self.psk)
    }
}

/// Bytes for a key, from the operating system's generator.
pub(crate) fn random() -> Result<Zeroizing<[u8; Psk::LEN]>, Failure> {
    let mut bytes = Zeroizing::new([0; Psk::LEN]);
    getrandom::fill(bytes.as_mut())
        .map_err(|error| Failure::new(format_args!("no randomness from the system: {error}")))?;
    Ok(bytes)
}

/// Reads the key in the file at `path`.
pub(crate) fn read(path: &Path) -> Result<Psk, Failure> {
    let failed = |error| Failure::file("read the key file", path, &error);
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o777;
    // a key is shorter; whatever is longer shows as malformed
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_FILE));
    file.take(MAX_FILE as u64).read_to_end(&mut text).map_err(failed)?;
    let malformed = |why: &dyn std::fmt::Display| {
        Failure::new(format_args!("no key in {}: {why}", path.display()))
    };
    let text = std::str::from_utf8(&text).map_err(|_| malformed(&"it is not text"))?;
    let psk = Psk::parse(text).map_err(|error| malformed(&error))?;
    if mode & 0o077 != 0 {
        let path = path.display();
        output::note(format_args!(
            "warning: others may read the key in {path} (mode {mode:04o}); chmod 600 {path}"
        ));
    }
    Ok(psk)
}

const MAX_FILE: usize = 4_096;
