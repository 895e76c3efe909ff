//! The functions of a libfabric that was found at run time.
#![allow(unsafe_code, reason = "opens a C library and gives its symbols their types")]

use std::ffi::{OsStr, OsString};

use crate::types::{FiDupinfo, FiFreeinfo, FiGetinfo, FiStrerror, FiVersion};

/// The name by which the dynamic linker knows libfabric.
pub const SYSTEM_NAME: &str = if cfg!(target_os = "macos") {
    "libfabric.1.dylib"
} else if cfg!(windows) {
    "libfabric.dll"
} else {
    "libfabric.so.1"
};

/// The loaded functions.
///
/// The library stays loaded until the process ends: its providers start threads and install
/// handlers, whose code must not go away. Hence the pointers are valid everywhere, for ever.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    /// See [`FiVersion`].
    pub fi_version: FiVersion,
    /// See [`FiGetinfo`].
    pub fi_getinfo: FiGetinfo,
    /// See [`FiFreeinfo`].
    pub fi_freeinfo: FiFreeinfo,
    /// See [`FiDupinfo`].
    pub fi_dupinfo: FiDupinfo,
    /// See [`FiStrerror`].
    pub fi_strerror: FiStrerror,
}

/// Why there is no [`Library`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The dynamic linker did not load the file.
    #[error("cannot load {}: {reason}", library.display())]
    NotFound {
        /// What was asked for.
        library: OsString,
        /// The dynamic linker's own words.
        reason: String,
    },
    /// The file was loaded, but is no libfabric or a broken one.
    #[error("{} has no function {symbol}: {reason}", library.display())]
    MissingSymbol {
        /// What was asked for.
        library: OsString,
        /// What it lacks.
        symbol: &'static str,
        /// The dynamic linker's own words.
        reason: String,
    },
}

impl Library {
    /// Loads the libfabric of the system, [`SYSTEM_NAME`], along the dynamic linker's search path.
    pub fn open_system() -> Result<Self, LoadError> {
        // SAFETY: whoever installs a library under the system's name for libfabric, or redirects
        // the dynamic linker's search path, vouches for it just as for the C library itself.
        unsafe { Self::open(SYSTEM_NAME.as_ref()) }
    }

    /// Loads `library`, a path or a name that the dynamic linker resolves.
    ///
    /// # Safety
    ///
    /// If the file exists it must be safe to initialise, and where it exports functions with
    /// libfabric's names they must have libfabric's signatures.
    pub unsafe fn open(library: &OsStr) -> Result<Self, LoadError> {
        // SAFETY: the caller vouches for the initialisers of the file.
        let loaded = unsafe { libloading::Library::new(library) }.map_err(|error| {
            LoadError::NotFound { library: library.to_owned(), reason: describe(&error) }
        })?;
        // SAFETY: each symbol is given the type of the function of that name in `rdma/fabric.h`
        // (`types` declares them), and the caller vouches that the file agrees. The pointers are
        // used after `loaded` is gone, which is sound because it is never unloaded, see below.
        let functions = unsafe {
            Self {
                fi_version: symbol(&loaded, library, "fi_version")?,
                fi_getinfo: symbol(&loaded, library, "fi_getinfo")?,
                fi_freeinfo: symbol(&loaded, library, "fi_freeinfo")?,
                fi_dupinfo: symbol(&loaded, library, "fi_dupinfo")?,
                fi_strerror: symbol(&loaded, library, "fi_strerror")?,
            }
        };
        // Keeps the code mapped for the rest of the process.
        std::mem::forget(loaded);
        Ok(functions)
    }
}

/// Looks up one function.
///
/// # Safety
///
/// `F` must be the function pointer type of the symbol, and the result must not be called once
/// `loaded` has been unloaded.
unsafe fn symbol<F: Copy>(
    loaded: &libloading::Library,
    library: &OsStr,
    symbol: &'static str,
) -> Result<F, LoadError> {
    // SAFETY: the caller vouches for the type.
    match unsafe { loaded.get::<F>(symbol) } {
        Ok(function) => Ok(*function),
        Err(error) => Err(LoadError::MissingSymbol {
            library: library.to_owned(),
            symbol,
            reason: describe(&error),
        }),
    }
}

/// The innermost message: libloading's outer ones only name the call that failed.
fn describe(error: &libloading::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
