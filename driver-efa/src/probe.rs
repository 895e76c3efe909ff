//! Which providers this machine has.

use std::ffi::OsStr;

use libfabric_sys::{Library, LoadError};

use crate::info::{Info, InfoList, library_version};
use crate::provider::{Provider, Version};

/// The interface that is asked for, and the oldest libfabric that has it: what the oldest
/// supported distributions ship, with the providers dcquic is tested over.
pub const INTERFACE: Version = Version { major: 1, minor: 9 };

/// Why the providers are not known. Traffic goes over UDP then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProbeError {
    /// There is no libfabric on this machine.
    #[error(
        "libfabric not found: {0}; install the package libfabric1 (Debian, Ubuntu) or libfabric \
         (Fedora, RHEL, Arch), or the EFA installer on EC2"
    )]
    LibraryNotFound(#[source] LoadError),
    /// Something of that name was loaded, but it lacks functions of libfabric.
    #[error("libfabric cannot be used: {0}; reinstall it")]
    LibraryUnusable(#[source] LoadError),
    /// The libfabric of this machine is too old.
    #[error("libfabric {found} is too old: {needed} or newer is needed")]
    VersionTooOld {
        /// Version of the library.
        found: Version,
        /// Oldest version that works.
        needed: Version,
    },
    /// libfabric was asked and failed.
    #[error("libfabric cannot list its providers: {message} (error {code})")]
    QueryFailed {
        /// libfabric's error number.
        code: i32,
        /// libfabric's words for it.
        message: String,
    },
}

impl From<LoadError> for ProbeError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::NotFound { .. } => Self::LibraryNotFound(error),
            other => Self::LibraryUnusable(other),
        }
    }
}

/// Lists what the libfabric of the system offers, in its order of preference.
///
/// Loads the library on first use. May take some milliseconds, for the providers look at the
/// machine's cards. No offers at all is an empty list, not an error; equal offers are listed once.
pub fn probe() -> Result<Vec<Provider>, ProbeError> {
    list(Library::open_system()?)
}

/// Like [`probe()`], with a libfabric from elsewhere: a path, or a name for the dynamic linker.
///
/// # Safety
///
/// If `library` exists it must be a libfabric: code in it is run, and is trusted to have
/// libfabric's signatures.
#[allow(unsafe_code, reason = "passes the obligation on to the caller")]
pub unsafe fn probe_library(library: &OsStr) -> Result<Vec<Provider>, ProbeError> {
    // SAFETY: the caller vouches for the file.
    list(unsafe { Library::open(library) }?)
}

fn list(library: Library) -> Result<Vec<Provider>, ProbeError> {
    let found = library_version(library);
    if found < INTERFACE {
        return Err(ProbeError::VersionTooOld { found, needed: INTERFACE });
    }
    let offers = InfoList::query(library, INTERFACE)
        .map_err(|error| ProbeError::QueryFailed { code: error.code, message: error.message })?;
    let mut providers: Vec<Provider> = Vec::new();
    for provider in offers.iter().map(Info::to_provider) {
        // Offers that differ only in attributes which `Provider` leaves out look the same.
        if !providers.contains(&provider) {
            providers.push(provider);
        }
    }
    Ok(providers)
}
