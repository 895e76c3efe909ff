//! SHA-256 of a message whose pieces come in any order.

use std::{collections::BTreeMap, fs::File, io, os::unix::fs::FileExt};

use sha2::{Digest, Sha256};

use super::hex;

/// The lower-case hexadecimal SHA-256 of `data`.
pub(crate) fn sha256(data: &[u8]) -> String {
    hex::encode(&Sha256::digest(data))
}

/// Hashes a file from its start while its pieces are written in any order.
///
/// A piece that continues what is hashed already is hashed as it comes. One that is ahead is only
/// noted, and read back from the file once what is before it has come: memory stays bounded however
/// late a piece is, and what was just written is still in the page cache.
#[derive(Debug, Default)]
pub(crate) struct FileDigest {
    hasher: Sha256,
    hashed: u64,
    /// Written pieces ahead of `hashed`, start to end.
    ahead: BTreeMap<u64, u64>,
}

impl FileDigest {
    /// Notes that `data` was written to `file` at `offset`.
    pub(crate) fn written(&mut self, file: &File, offset: u64, data: &[u8]) -> io::Result<()> {
        let end = offset + data.len() as u64;
        if offset > self.hashed {
            self.ahead.insert(offset, end);
            return Ok(());
        }
        // a piece that was seen before adds nothing
        let seen = (self.hashed - offset).min(data.len() as u64) as usize;
        self.hasher.update(&data[seen..]);
        self.hashed = self.hashed.max(end);
        self.catch_up(file)
    }

    /// Hashes the pieces that are no longer ahead.
    fn catch_up(&mut self, file: &File) -> io::Result<()> {
        let mut buffer = Vec::new();
        while let Some(piece) = self.ahead.first_entry() {
            if *piece.key() > self.hashed {
                break;
            }
            let end = piece.remove();
            while self.hashed < end {
                buffer.resize((end - self.hashed).min(READ_BACK) as usize, 0);
                file.read_exact_at(&mut buffer, self.hashed)?;
                self.hasher.update(&buffer);
                self.hashed += buffer.len() as u64;
            }
        }
        Ok(())
    }

    /// How many bytes from the start have been hashed.
    pub(crate) fn hashed(&self) -> u64 {
        self.hashed
    }

    /// The digest in hexadecimal.
    pub(crate) fn finish(self) -> String {
        hex::encode(&self.hasher.finalize())
    }
}

const READ_BACK: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_gives_the_digest_of_the_whole() {
        let data: Vec<u8> = (0..10_000u32).map(|i| (i * 7) as u8).collect();
        let orders: [&[usize]; 4] =
            [&[0, 1, 2, 3, 4], &[4, 3, 2, 1, 0], &[1, 0, 0, 3, 4, 2], &[2, 4, 1, 1, 0, 3]];
        for order in orders {
            let file = tempfile::tempfile().unwrap();
            let mut digest = FileDigest::default();
            for &piece in order {
                let piece_data = &data[piece * 2_000..][..2_000];
                file.write_all_at(piece_data, piece as u64 * 2_000).unwrap();
                digest.written(&file, piece as u64 * 2_000, piece_data).unwrap();
            }
            assert_eq!(digest.hashed(), 10_000);
            assert_eq!(digest.finish(), sha256(&data), "{order:?}");
        }
    }

    #[test]
    fn the_digest_of_nothing() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(FileDigest::default().finish(), empty);
        assert_eq!(sha256(b""), empty);
    }
}
