//! A vector that grows by pieces of one size: nothing it holds ever moves, and no more than one
//! piece of it is empty.

use core::ops::{Index, IndexMut};

/// Entries by index, appended at the end and never removed.
///
/// A vector of a million entries that doubles has room for up to another million, and copies all of
/// them to grow. Here only the first piece doubles, so that a short one stays small.
#[derive(Debug)]
pub(crate) struct Chunked<T> {
    chunks: Vec<Vec<T>>,
}

const CHUNK_BITS: u32 = 8;
const CHUNK: usize = 1 << CHUNK_BITS;

impl<T> Chunked<T> {
    /// No entries.
    pub(crate) const fn new() -> Self {
        Self { chunks: Vec::new() }
    }

    /// Number of entries.
    pub(crate) fn len(&self) -> usize {
        match self.chunks.last() {
            Some(last) => (self.chunks.len() - 1) * CHUNK + last.len(),
            None => 0,
        }
    }

    /// Appends an entry; its index is the number of those before.
    pub(crate) fn push(&mut self, value: T) {
        match self.chunks.last_mut() {
            Some(last) if last.len() < CHUNK => last.push(value),
            last => {
                // the first one grows as vectors do
                let mut chunk = Vec::with_capacity(if last.is_some() { CHUNK } else { 1 });
                chunk.push(value);
                self.chunks.push(chunk);
            }
        }
    }

    /// The entry at `index`, if there is one.
    pub(crate) fn get(&self, index: usize) -> Option<&T> {
        self.chunks.get(index >> CHUNK_BITS)?.get(index & (CHUNK - 1))
    }

    /// The entry at `index`, if there is one.
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        self.chunks.get_mut(index >> CHUNK_BITS)?.get_mut(index & (CHUNK - 1))
    }
}

impl<T> Index<usize> for Chunked<T> {
    type Output = T;

    fn index(&self, index: usize) -> &T {
        &self.chunks[index >> CHUNK_BITS][index & (CHUNK - 1)]
    }
}

impl<T> IndexMut<usize> for Chunked<T> {
    fn index_mut(&mut self, index: usize) -> &mut T {
        &mut self.chunks[index >> CHUNK_BITS][index & (CHUNK - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_by_the_order_they_came_in() {
        let mut entries = Chunked::new();
        for value in 0..5 * CHUNK {
            assert_eq!(entries.len(), value);
            assert_eq!(entries.get(value), None);
            entries.push(value);
        }
        for index in 0..5 * CHUNK {
            entries[index] *= 2;
            assert_eq!(
                (entries[index], entries.get_mut(index).copied()),
                (2 * index, Some(2 * index))
            );
        }
        assert_eq!(entries.get_mut(5 * CHUNK), None);
    }

    #[test]
    fn a_short_one_is_small_and_a_long_one_wastes_one_piece_at_most() {
        let mut entries = Chunked::new();
        let room = |entries: &Chunked<u8>| entries.chunks.iter().map(Vec::capacity).sum::<usize>();
        for len in 1..10 * CHUNK {
            entries.push(0);
            assert!(room(&entries) < if len < CHUNK { (2 * len).max(9) } else { len + CHUNK });
        }
    }
}
