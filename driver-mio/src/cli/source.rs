//! Reads a file once, from start to end, on a thread of its own.
//!
//! Reading, hashing and sending then overlap. At most [`AHEAD`] chunks wait, so memory stays
//! bounded however slow the network is.

use std::{
    fs::File,
    io::{self, Read},
    sync::mpsc,
    thread,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::{failure::cause, hex};

/// Why a file could not be read as announced.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SourceError {
    /// The operating system refuses.
    #[error("cannot be read: {0}")]
    Read(String),
    /// It is shorter than it was.
    #[error("shrank while it was read: {missing} of {size} bytes are missing")]
    Shrank {
        /// Bytes that are gone.
        missing: u64,
        /// Bytes that were announced.
        size: u64,
    },
    /// It is longer than it was.
    #[error("grew while it was read: it had {size} bytes")]
    Grew {
        /// Bytes that were announced.
        size: u64,
    },
    /// The reader could not be started.
    #[error("no thread could be started to read it: {0}")]
    Thread(String),
}

/// A piece of the file, or its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// The next bytes.
    Chunk(Bytes),
    /// The SHA-256 of everything, just before the last chunk is handed over.
    Digest(String),
}

/// The pieces of a file, in order.
pub(crate) struct Source {
    pieces: mpsc::Receiver<Result<Piece, SourceError>>,
}

impl Source {
    /// Starts to read the `size` bytes that `file` is said to have.
    pub(crate) fn start(file: File, size: u64) -> Result<Self, SourceError> {
        let (sender, pieces) = mpsc::sync_channel(AHEAD);
        thread::Builder::new()
            .name("reader".into())
            .spawn(move || {
                if let Err(error) = read(file, size, &sender) {
                    // nobody listens any more: the transfer has failed already
                    let _ = sender.send(Err(error));
                }
            })
            .map_err(|error| SourceError::Thread(cause(&error)))?;
        Ok(Self { pieces })
    }
}

impl Iterator for Source {
    type Item = Result<Piece, SourceError>;

    /// Waits for the next piece.
    fn next(&mut self) -> Option<Self::Item> {
        self.pieces.recv().ok()
    }
}

/// Hands over the chunks of `file`. The last one comes only once the file proved to end there, so
/// that a file that changes is never sent whole.
fn read(
    mut file: File,
    size: u64,
    pieces: &mpsc::SyncSender<Result<Piece, SourceError>>,
) -> Result<(), SourceError> {
    let failed = |error: io::Error| SourceError::Read(cause(&error));
    let mut hasher = Sha256::new();
    let mut left = size;
    loop {
        let mut chunk = vec![0; left.min(CHUNK) as usize];
        let got = read_full(&mut file, &mut chunk).map_err(failed)?;
        if got < chunk.len() {
            return Err(SourceError::Shrank { missing: left - got as u64, size });
        }
        hasher.update(&chunk);
        left -= got as u64;
        if left == 0 {
            if read_full(&mut file, &mut [0]).map_err(failed)? > 0 {
                return Err(SourceError::Grew { size });
            }
            let digest = hex::encode(&hasher.finalize());
            // a send fails when the transfer was given up, which its owner knows
            let _ = pieces.send(Ok(Piece::Digest(digest)));
            let _ = pieces.send(Ok(Piece::Chunk(chunk.into())));
            return Ok(());
        }
        if pieces.send(Ok(Piece::Chunk(chunk.into()))).is_err() {
            return Ok(());
        }
    }
}

/// Reads until `buffer` is full or the file ends.
fn read_full(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

const CHUNK: u64 = 1 << 20;
const AHEAD: usize = 4;

#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;
    use crate::cli::digest::sha256;

    fn file(data: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(data).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn a_file_comes_whole_with_its_digest_before_the_last_chunk() {
        for len in [0, 1, CHUNK as usize, 2 * CHUNK as usize + 5] {
            let data: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let pieces: Vec<_> =
                Source::start(file(&data), len as u64).unwrap().map(Result::unwrap).collect();
            let mut whole = Vec::new();
            for (index, piece) in pieces.iter().enumerate() {
                match piece {
                    Piece::Chunk(chunk) => whole.extend_from_slice(chunk),
                    Piece::Digest(digest) => {
                        assert_eq!(index, pieces.len() - 2);
                        assert_eq!(*digest, sha256(&data));
                    }
                }
            }
            assert_eq!(whole, data);
        }
    }

    #[test]
    fn a_file_of_another_size_never_comes_whole() {
        let last = |announced: u64| {
            Source::start(file(&[1; 100]), announced).unwrap().last().unwrap().unwrap_err()
        };
        assert_eq!(last(99), SourceError::Grew { size: 99 });
        assert_eq!(last(101), SourceError::Shrank { missing: 1, size: 101 });
    }

    #[test]
    fn a_reader_ends_with_its_audience() {
        let source = Source::start(file(&vec![1; 32 << 20]), 32 << 20).unwrap();
        assert_eq!(source.take(2).count(), 2);
    }
}
