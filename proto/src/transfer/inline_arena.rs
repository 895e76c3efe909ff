//! Owned copies of small payloads, many to one allocation.

use bytes::{Bytes, BytesMut};

/// Carves copies out of large chunks; a chunk is reused when all copies from it are gone.
#[derive(Debug, Default)]
pub struct Arena {
    chunk: BytesMut,
    /// Whether `chunk` ever had memory.
    started: bool,
    /// Chunks that copies may still live in.
    spent: Vec<BytesMut>,
}

const CHUNK: usize = 64 << 10;

/// Chunks kept for reuse at most.
const MAX_SPENT: usize = 16;

impl Arena {
    /// An owned copy of `bytes`.
    pub fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if bytes.is_empty() {
            return Bytes::new();
        }
        if bytes.len() > CHUNK / 4 {
            return Bytes::copy_from_slice(bytes);
        }
        if self.chunk.capacity() - self.chunk.len() < bytes.len() {
            self.next_chunk();
        }
        self.chunk.extend_from_slice(bytes);
        self.chunk.split().freeze()
    }

    fn next_chunk(&mut self) {
        if self.chunk.try_reclaim(CHUNK) {
            return;
        }
        let free = self.spent.iter_mut().position(|chunk| chunk.try_reclaim(CHUNK));
        let next = match free {
            Some(at) => self.spent.swap_remove(at),
            None => BytesMut::with_capacity(CHUNK),
        };
        let spent = core::mem::replace(&mut self.chunk, next);
        let had_memory = core::mem::replace(&mut self.started, true);
        if self.spent.len() < MAX_SPENT && had_memory {
            self.spent.push(spent);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_equal_and_chunks_are_reused() {
        let mut arena = Arena::default();
        let mut chunks = std::collections::HashSet::new();
        for round in 0..10_000_u32 {
            let bytes = [round as u8; 100];
            let copy = arena.copy(&bytes);
            assert_eq!(copy, bytes.as_slice());
            chunks.insert(copy.as_ptr() as usize / (CHUNK * 2));
        }
        assert!(chunks.len() <= 4, "{}", chunks.len());
    }

    #[test]
    fn large_and_empty_copies_do_not_touch_the_chunk() {
        let mut arena = Arena::default();
        assert!(arena.copy(&[]).is_empty());
        assert_eq!(arena.copy(&vec![3; CHUNK]).len(), CHUNK);
        assert_eq!(arena.chunk.capacity(), 0);
    }
}
