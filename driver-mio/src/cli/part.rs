//! Files that appear under their name whole or not at all.
//!
//! A [`PartFile`] is written beside its final name as `.NAME.<16 hex digits>.part`, flushed to disk
//! and only then renamed. Dropped before that, it is removed. A process that is killed leaves its
//! part behind; [`sweep`] removes such leftovers. A part whose writer lives is told apart by the
//! writer's lock on it, which ends with the process.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io,
    os::{fd::OwnedFd, unix::fs::FileExt},
    path::Path,
};

use rustix::fs::{AtFlags, FileType, FlockOperation, Mode, OFlags};

use super::hex;

/// An open directory. Everything below is relative to it, so renaming or replacing one of its
/// parents meanwhile changes nothing.
#[derive(Debug)]
pub(crate) struct Directory {
    handle: OwnedFd,
}

impl Directory {
    /// Opens the directory at `path`.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { handle: rustix::fs::open(path, flags, Mode::empty())? })
    }

    /// Opens the directory `name` in this one; a symbolic link is refused.
    pub(crate) fn child(&self, name: &OsStr) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { handle: rustix::fs::openat(&self.handle, name, flags, Mode::empty())? })
    }

    /// Another handle to the same directory.
    pub(crate) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { handle: self.handle.try_clone()? })
    }

    /// What `name` in it is, without following a symbolic link.
    pub(crate) fn kind_of(&self, name: &OsStr) -> io::Result<FileType> {
        let stat = rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(FileType::from_raw_mode(stat.st_mode))
    }

    /// Opens `name` for reading; never waits for a pipe's writer, never follows a symbolic link.
    pub(crate) fn open_file(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(File::from(rustix::fs::openat(&self.handle, name, flags, Mode::empty())?))
    }

    fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.handle)?)
    }
}

/// A file being written under a temporary name.
#[derive(Debug)]
pub(crate) struct PartFile {
    directory: Directory,
    file: File,
    part: OsString,
    name: OsString,
    finished: bool,
}

impl PartFile {
    /// Starts a file that will be `name` in `directory`, created with the permissions `mode`.
    pub(crate) fn create(directory: Directory, name: &OsStr, mode: u32) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        loop {
            let part = part_name(name)?;
            let mode = Mode::from_raw_mode(mode);
            let handle = match rustix::fs::openat(&directory.handle, &part, flags, mode) {
                Ok(handle) => handle,
                Err(rustix::io::Errno::EXIST) => continue,
                Err(error) => return Err(error.into()),
            };
            // a sweep may take the lock, or the file, between its creation and here
            let locked = rustix::fs::flock(&handle, FlockOperation::NonBlockingLockExclusive);
            if locked.is_ok() && rustix::fs::fstat(&handle)?.st_nlink > 0 {
                let (file, name) = (File::from(handle), name.to_owned());
                return Ok(Self { directory, file, part, name, finished: false });
            }
        }
    }

    /// Like [`Self::create`] with a path; leftovers of earlier attempts at it are removed.
    pub(crate) fn create_at(path: &Path, mode: u32) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let directory = Directory::open(parent)?;
        if directory.kind_of(name).is_ok_and(|kind| kind == FileType::Directory) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        sweep_one(&directory, Some(name))?;
        Self::create(directory, name, mode)
    }

    /// Claims `size` bytes of disk, so that a full disk shows before the first byte arrives.
    ///
    /// Where the file system cannot do that, nothing happens.
    pub(crate) fn reserve(&self, size: u64) -> io::Result<()> {
        if size == 0 {
            return Ok(());
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::{fs::FallocateFlags, io::Errno};
            match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, size) {
                Err(error @ (Errno::NOSPC | Errno::FBIG | Errno::DQUOT)) => Err(error.into()),
                _ => Ok(()),
            }
        }
        #[cfg(not(target_os = "linux"))]
        Ok(())
    }

    /// Writes `data` at `offset`.
    pub(crate) fn write_at(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.file.write_all_at(data, offset)
    }

    /// The file, for reading back what was written.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Flushes the file to disk and gives it its name, in place of a file that has it.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        let handle = &self.directory.handle;
        rustix::fs::renameat(handle, &self.part, handle, &self.name)?;
        self.finished = true;
        self.directory.sync()
    }

    /// Like [`Self::finish`], but refuses if the name is taken.
    pub(crate) fn finish_new(self) -> io::Result<()> {
        self.file.sync_all()?;
        let handle = &self.directory.handle;
        // a link, unlike a rename, does not replace; dropping self then removes the other name
        rustix::fs::linkat(handle, &self.part, handle, &self.name, AtFlags::empty())?;
        self.directory.sync()
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.finished {
            // nobody is left to tell; the next sweep tries again
            let _ = rustix::fs::unlinkat(&self.directory.handle, &self.part, AtFlags::empty());
        }
    }
}

/// Whether `name` looks like the name of a part.
pub(crate) fn is_part_name(name: &OsStr) -> bool {
    target_of(name).is_some()
}

/// Removes abandoned parts in `directory` and below it, and returns how many there were.
///
/// Symbolic links are not followed, and directories that cannot be read are skipped.
pub(crate) fn sweep(directory: &Directory) -> io::Result<usize> {
    let mut removed = sweep_one(directory, None)?;
    for entry in rustix::fs::Dir::read_from(&directory.handle)? {
        let entry = entry?;
        let name = entry_name(&entry);
        let kind = match entry.file_type() {
            FileType::Unknown => directory.kind_of(name).unwrap_or(FileType::Unknown),
            kind => kind,
        };
        if kind == FileType::Directory
            && name != "."
            && name != ".."
            && let Ok(child) = directory.child(name)
        {
            removed += sweep(&child)?;
        }
    }
    Ok(removed)
}

/// Removes abandoned parts in `directory`: all, or those that would have become `target`.
fn sweep_one(directory: &Directory, target: Option<&OsStr>) -> io::Result<usize> {
    let wanted = target.map(shortened);
    let mut removed = 0;
    let Ok(entries) = rustix::fs::Dir::read_from(&directory.handle) else { return Ok(0) };
    for entry in entries {
        let entry = entry?;
        let name = entry_name(&entry);
        let Some(of) = target_of(name) else { continue };
        if wanted.as_deref().is_some_and(|wanted| wanted != of) {
            continue;
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let Ok(part) = rustix::fs::openat(&directory.handle, name, flags, Mode::empty()) else {
            continue;
        };
        if rustix::fs::flock(&part, FlockOperation::NonBlockingLockExclusive).is_ok()
            && rustix::fs::unlinkat(&directory.handle, name, AtFlags::empty()).is_ok()
        {
            removed += 1;
        }
    }
    Ok(removed)
}

fn entry_name(entry: &rustix::fs::DirEntry) -> &OsStr {
    use std::os::unix::ffi::OsStrExt;
    OsStr::from_bytes(entry.file_name().to_bytes())
}

/// A fresh temporary name for `name`.
fn part_name(name: &OsStr) -> io::Result<OsString> {
    let mut random = [0; RANDOM_DIGITS / 2];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    Ok(format!(".{}.{}{SUFFIX}", shortened(name), hex::encode(&random)).into())
}

/// The start of `name`, short enough for a part's name to fit the usual 255 bytes.
fn shortened(name: &OsStr) -> String {
    let name = name.to_string_lossy();
    let mut end = name.len().min(SHORTENED);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}

/// The (shortened) name that the part `name` would have become.
fn target_of(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?.strip_prefix('.')?.strip_suffix(SUFFIX)?;
    let (target, random) = name.rsplit_once('.')?;
    let lower_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (!target.is_empty() && random.len() == RANDOM_DIGITS && random.bytes().all(lower_hex))
        .then_some(target)
}

const SUFFIX: &str = ".part";
const RANDOM_DIGITS: usize = 16;
const SHORTENED: usize = 200;

#[cfg(test)]
mod tests;
