//! The files of the specification, embedded when the crate is built.

use core::str::Utf8Error;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// An embedded file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the directory it was found in, with slashes.
    pub path: &'static str,
    /// The content.
    pub bytes: &'static [u8],
}

impl File {
    /// The content as text.
    pub const fn text(&self) -> Result<&'static str, Utf8Error> {
        core::str::from_utf8(self.bytes)
    }
}

/// The chapters and the README, sorted by path: `spec/*.md`.
pub const fn chapters() -> &'static [File] {
    CHAPTERS
}

/// The test vectors, sorted by path: `spec/vectors/**`.
pub const fn vectors() -> &'static [File] {
    VECTORS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_and_readable() {
        for files in [chapters(), vectors()] {
            assert!(files.is_sorted_by_key(|file| file.path.split('/').collect::<Vec<_>>()));
            assert!(files.iter().all(|file| !file.path.starts_with('/')));
        }
        for chapter in chapters() {
            assert!(chapter.path.ends_with(".md"));
            assert!(chapter.text().is_ok(), "{} is not UTF-8", chapter.path);
        }
    }
}
