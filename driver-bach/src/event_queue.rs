//! What happens next: a queue ordered by time, and by insertion among equals.

use std::collections::VecDeque;

use crate::net::Picos;

/// When a happening is due, and where it lies.
type Entry = (u64, u32);

/// The queue: a radix heap, for time only goes forward.
///
/// A happening is in the bucket of the highest bit in which its time differs from that of the last
/// one taken. When the happenings of a moment are used up, the lowest bucket is dealt out to those
/// below it; the happenings of one moment are always in one bucket, and in order of insertion.
/// They lie beside the buckets, so that dealing out moves little.
#[derive(Debug)]
pub(crate) struct EventQueue<T> {
    /// The time of the last happening taken.
    last: u64,
    /// What is due at that time.
    current: VecDeque<u32>,
    buckets: [Vec<Entry>; 64],
    /// A bit for every bucket that is not empty.
    occupied: u64,
    /// A bucket without happenings, for its memory.
    spare: Vec<Entry>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    inserted: u64,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self {
            last: 0,
            current: VecDeque::new(),
            buckets: [const { Vec::new() }; 64],
            occupied: 0,
            spare: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            inserted: 0,
        }
    }
}

impl<T> EventQueue<T> {
    /// Happenings inserted so far.
    pub(crate) const fn inserted(&self) -> u64 {
        self.inserted
    }

    /// How many happenings to come are such.
    pub(crate) fn count(&self, such: impl Fn(&T) -> bool) -> u64 {
        self.slots.iter().flatten().filter(|happening| such(happening)).count() as u64
    }

    /// Adds a happening, no earlier than the last that was taken.
    pub(crate) fn insert(&mut self, at: Picos, happening: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(happening);
                slot
            }
            None => {
                self.slots.push(Some(happening));
                (self.slots.len() - 1) as u32
            }
        };
        self.inserted += 1;
        self.place(at.0.max(self.last), slot);
    }

    /// When the next happening is due.
    pub(crate) fn next_at(&self) -> Option<Picos> {
        if !self.current.is_empty() {
            return Some(Picos(self.last));
        }
        let bucket = self.buckets.get(self.occupied.trailing_zeros() as usize)?;
        bucket.iter().map(|(at, _)| *at).min().map(Picos)
    }

    /// Takes the next happening.
    pub(crate) fn pop(&mut self) -> Option<(Picos, T)> {
        if self.current.is_empty() {
            self.advance();
        }
        let slot = self.current.pop_front()?;
        let happening = self.slots[slot as usize].take()?;
        self.free.push(slot);
        Some((Picos(self.last), happening))
    }

    /// Goes on to the next time at which something is due.
    fn advance(&mut self) {
        let Some(next) = self.next_at() else { return };
        let lowest = self.occupied.trailing_zeros() as usize;
        self.last = next.0;
        self.occupied &= self.occupied - 1;
        let mut entries =
            core::mem::replace(&mut self.buckets[lowest], core::mem::take(&mut self.spare));
        for (at, slot) in entries.drain(..) {
            self.place(at, slot);
        }
        self.spare = entries;
    }

    fn place(&mut self, at: u64, slot: u32) {
        match (at ^ self.last).checked_ilog2() {
            None => self.current.push_back(slot),
            Some(bucket) => {
                self.buckets[bucket as usize].push((at, slot));
                self.occupied |= 1 << bucket;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use dcquic_proto::rng::Jitter;

    use super::*;

    #[test]
    fn happenings_come_in_order_of_time_and_then_of_insertion() {
        let mut rng = Jitter::new(1);
        let mut queue = EventQueue::default();
        let mut expected = std::collections::BTreeMap::new();
        let mut now = 0;
        for number in 0..20_000_u32 {
            let most = 1 << rng.below(20);
            let at = now + rng.below(most);
            queue.insert(Picos(at), number);
            expected.insert((at, number), ());
            if rng.below(3) > 0 {
                let ((at, number), ()) = expected.pop_first().unwrap();
                assert_eq!(queue.next_at(), Some(Picos(at)));
                let (popped, happening) = queue.pop().unwrap();
                assert_eq!(popped, Picos(at));
                assert_eq!(happening, number);
                now = at;
            }
        }
        while let Some(((at, number), ())) = expected.pop_first() {
            let (popped, happening) = queue.pop().unwrap();
            assert_eq!(popped, Picos(at));
            assert_eq!(happening, number);
        }
        assert!(queue.pop().is_none());
        assert_eq!(queue.inserted(), 20_000);
    }

    #[test]
    fn looking_ahead_leaves_room_before_what_was_seen() {
        let mut queue = EventQueue::default();
        queue.insert(Picos(1_000), "later");
        assert_eq!(queue.next_at(), Some(Picos(1_000)));
        queue.insert(Picos(500), "sooner");
        assert_eq!(queue.next_at(), Some(Picos(500)));
        assert_eq!(queue.pop(), Some((Picos(500), "sooner")));
    }
}
