//! Names that peers give to files of the served directory.
//!
//! A name is a relative path with `/` between its components. It cannot leave the directory: `..`,
//! absolute paths and symbolic links are refused, and each directory on the way is opened relative
//! to the one before, so that replacing one meanwhile does not help either.

use std::{
    ffi::{OsStr, OsString},
    io,
};

use rustix::fs::FileType;

use super::{
    failure,
    part::{self, Directory},
};

/// Why a name is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    /// It is empty, or has an empty component.
    #[error("the name {0:?} is empty or has an empty component")]
    Empty(String),
    /// It starts at the root of the file system.
    #[error("the name {0:?} is absolute; names are relative to the served directory")]
    Absolute(String),
    /// It has a component `.` or `..`.
    #[error("the name {0:?} has a component that is not the name of a file")]
    Dots(String),
    /// It has a NUL byte.
    #[error("the name {0:?} has a NUL byte")]
    Nul(String),
    /// It looks like a temporary name.
    #[error("the name {0:?} is reserved for files that are still being written")]
    Reserved(String),
    /// It leads over a symbolic link, or to something that is no regular file.
    #[error("the name {0:?} leads to something that is not a plain file")]
    NotPlain(String),
    /// Nothing has it.
    #[error("there is no file {0:?}")]
    NotFound(String),
    /// The operating system refuses.
    #[error("cannot open {0:?}: {1}")]
    System(String, String),
}

/// The directory that holds `name`, and its last component.
pub(crate) fn locate(root: &Directory, name: &str) -> Result<(Directory, OsString), NameError> {
    check(name)?;
    let system = |error: &io::Error| NameError::System(name.to_owned(), failure::cause(error));
    let mut directory = root.try_clone().map_err(|error| system(&error))?;
    let (parents, last) = match name.rsplit_once('/') {
        Some((parents, last)) => (Some(parents), last),
        None => (None, name),
    };
    for component in parents.into_iter().flat_map(|parents| parents.split('/')) {
        directory = match directory.child(component.as_ref()) {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(NameError::NotFound(name.to_owned()));
            }
            // a link or a file in a directory's place
            Err(_) if directory.kind_of(component.as_ref()).is_ok_and(|kind| !kind.is_dir()) => {
                return Err(NameError::NotPlain(name.to_owned()));
            }
            Err(error) => return Err(system(&error)),
        };
    }
    match directory.kind_of(last.as_ref()) {
        Ok(FileType::RegularFile) => {}
        Ok(_) => return Err(NameError::NotPlain(name.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(system(&error)),
    }
    Ok((directory, last.into()))
}

/// Checks what can be told from the text alone.
fn check(name: &str) -> Result<(), NameError> {
    if name.contains('\0') {
        return Err(NameError::Nul(name.to_owned()));
    }
    if name.starts_with('/') {
        return Err(NameError::Absolute(name.to_owned()));
    }
    for component in name.split('/') {
        match component {
            "" => return Err(NameError::Empty(name.to_owned())),
            "." | ".." => return Err(NameError::Dots(name.to_owned())),
            _ if part::is_part_name(OsStr::new(component)) => {
                return Err(NameError::Reserved(name.to_owned()));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn names_that_try_to_leave_are_refused() {
        use NameError::*;
        for (name, error) in [
            ("", Empty as fn(String) -> NameError),
            ("a//b", Empty),
            ("a/", Empty),
            ("/etc/passwd", Absolute),
            ("..", Dots),
            ("a/../../b", Dots),
            ("./a", Dots),
            ("a\0b", Nul),
            (".a.0123456789abcdef.part", Reserved),
        ] {
            assert_eq!(check(name), Err(error(name.to_owned())), "{name:?}");
        }
        for name in ["a", "a/b.c", "...", "..a", "a..", "ü b", "C:\\x", ".part"] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn links_and_other_things_are_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().join("root");
        fs::create_dir_all(root.join("below")).unwrap();
        fs::write(temporary.path().join("secret"), "").unwrap();
        fs::write(root.join("below/file"), "").unwrap();
        symlink("../secret", root.join("link")).unwrap();
        symlink("..", root.join("up")).unwrap();
        let root = Directory::open(&root).unwrap();
        let found = |name: &str| locate(&root, name).map(|(_, last)| last);
        assert_eq!(found("below/file"), Ok("file".into()));
        assert_eq!(found("below/new"), Ok("new".into()));
        assert_eq!(found("nowhere/new"), Err(NameError::NotFound("nowhere/new".into())));
        for name in ["link", "up", "up/secret", "below", "below/file/x"] {
            assert_eq!(found(name), Err(NameError::NotPlain(name.into())), "{name:?}");
        }
    }
}
