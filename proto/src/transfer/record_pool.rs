//! Buffers for sealed records, used again and again.

use std::collections::VecDeque;

use bytes::BytesMut;

use crate::transfer::layout::Layout;

/// Lends buffers and takes them back, even while slices of what was in them are still read.
///
/// A sealed record is split off its buffer, frozen and shared with every packet that carries a
/// slice of it. What is left of the buffer comes back here at once; when the last slice is gone the
/// whole allocation is reclaimed, so that sending and receiving do not allocate once warm.
#[derive(Debug, Default)]
pub struct RecordPool {
    classes: [VecDeque<BytesMut>; CLASSES],
}

/// One class per record size, 2^10 to 2^16 bytes.
const CLASSES: usize = (Layout::MAX_LOG2 - Layout::MIN_LOG2 + 1) as usize;

/// Memory kept per class at most.
const MAX_KEPT: usize = 32 << 20;

/// Buffers looked at for one that is free: the oldest are free first, but a slow peer may hold one.
const LOOK: usize = 4;

impl RecordPool {
    /// An empty buffer with room for `len` bytes.
    pub fn take(&mut self, len: usize) -> BytesMut {
        let (class, capacity) = class_of(len);
        let kept = &mut self.classes[class];
        for _ in 0..LOOK.min(kept.len()) {
            let Some(mut buffer) = kept.pop_front() else { break };
            if buffer.try_reclaim(capacity) {
                return buffer;
            }
            kept.push_back(buffer);
        }
        BytesMut::with_capacity(capacity)
    }

    /// Takes back what [`Self::take`] gave for the same `len`, or what was left of it after
    /// splitting.
    pub fn give_back(&mut self, mut buffer: BytesMut, len: usize) {
        let (class, capacity) = class_of(len);
        let kept = &mut self.classes[class];
        if (kept.len() + 1) * capacity > MAX_KEPT {
            return;
        }
        buffer.clear();
        if buffer.try_reclaim(capacity) {
            kept.push_front(buffer);
        } else {
            kept.push_back(buffer);
        }
    }
}

fn class_of(len: usize) -> (usize, usize) {
    let record = len.saturating_sub(Layout::TAG).max(1 << Layout::MIN_LOG2).next_power_of_two();
    let class = (record.trailing_zeros() as usize - Layout::MIN_LOG2 as usize).min(CLASSES - 1);
    (class, (record + Layout::TAG).max(len))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEN: usize = (1 << 16) + 16;

    #[test]
    fn memory_is_reused_when_the_last_slice_is_gone() {
        let mut pool = RecordPool::default();
        let mut buffer = pool.take(LEN);
        let place = buffer.as_ptr();
        buffer.resize(LEN, 7);
        let sealed = buffer.split().freeze();
        pool.give_back(buffer, LEN);
        assert_ne!(pool.take(LEN).as_ptr(), place, "still read");
        let slice = sealed.slice(5..9);
        drop(sealed);
        assert_ne!(pool.take(LEN).as_ptr(), place, "a slice is still read");
        drop(slice);
        assert_eq!(pool.take(LEN).as_ptr(), place);
    }

    #[test]
    fn a_held_buffer_does_not_block_others() {
        let mut pool = RecordPool::default();
        let mut held = Vec::new();
        let mut places = std::collections::HashSet::new();
        for round in 0..100 {
            let mut buffer = pool.take(LEN);
            places.insert(buffer.as_ptr());
            buffer.extend_from_slice(&[1; LEN]);
            let sealed = buffer.split().freeze();
            pool.give_back(buffer, LEN);
            if round == 0 {
                held.push(sealed);
            }
        }
        assert!(places.len() <= 4, "{}", places.len());
    }
}
