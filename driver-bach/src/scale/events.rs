//! What happens next: a queue ordered by time, and by insertion among equals.

use std::collections::VecDeque;

use crate::net::{Picos, Step};

/// Something that happens at a time.
#[derive(Debug)]
pub(super) enum Happening {
    /// A frame gets further in the network.
    Network(Step),
    /// A host's timer is due.
    Wake(u32),
    /// A NIC has room again.
    Room(u32),
    /// The application starts the next transfers of the workload.
    Start,
    /// A session is to be begun: from, to.
    Connect(u32, u32),
    /// The network's faults of this moment begin or end.
    Faults,
    /// A host's fault of this index begins.
    HostFault(u32),
    /// A paused host goes on.
    Resume(u32),
    /// A crashed host starts afresh.
    Rise(u32),
    /// The application tries a transfer again: which, and for which time.
    Retry(u32, u32),
    /// The hot port's queue is looked at.
    Sample,
}

/// When a happening is due, and where it lies.
type Entry = (u64, u32);

/// The queue: a radix heap, for time only goes forward.
///
/// A happening is in the bucket of the highest bit in which its time differs from that of the last
/// one taken. When the happenings of a moment are used up, the lowest bucket is dealt out to those
/// below it; the happenings of one moment are always in one bucket, and in order of insertion.
/// They lie beside the buckets, so that dealing out moves little.
#[derive(Debug)]
pub(super) struct EventQueue {
    /// The time of the last happening taken.
    last: u64,
    /// What is due at that time.
    current: VecDeque<u32>,
    buckets: [Vec<Entry>; 64],
    /// A bit for every bucket that is not empty.
    occupied: u64,
    /// A bucket without happenings, for its memory.
    spare: Vec<Entry>,
    slots: Vec<Option<Happening>>,
    free: Vec<u32>,
    inserted: u64,
}

impl Default for EventQueue {
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

impl EventQueue {
    /// Happenings inserted so far.
    pub(super) const fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Frames on their way.
    pub(super) fn network_steps(&self) -> u64 {
        self.slots.iter().filter(|slot| matches!(slot, Some(Happening::Network(_)))).count() as u64
    }

    /// Adds a happening, no earlier than the last that was taken.
    pub(super) fn insert(&mut self, at: Picos, happening: Happening) {
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
    pub(super) fn next_at(&self) -> Option<Picos> {
        if !self.current.is_empty() {
            return Some(Picos(self.last));
        }
        let bucket = self.buckets.get(self.occupied.trailing_zeros() as usize)?;
        bucket.iter().map(|(at, _)| *at).min().map(Picos)
    }

    /// Takes the next happening.
    pub(super) fn pop(&mut self) -> Option<(Picos, Happening)> {
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
            queue.insert(Picos(at), Happening::Wake(number));
            expected.insert((at, number), ());
            if rng.below(3) > 0 {
                let ((at, number), ()) = expected.pop_first().unwrap();
                assert_eq!(queue.next_at(), Some(Picos(at)));
                let (popped, happening) = queue.pop().unwrap();
                assert_eq!(popped, Picos(at));
                assert!(matches!(happening, Happening::Wake(found) if found == number));
                now = at;
            }
        }
        while let Some(((at, number), ())) = expected.pop_first() {
            let (popped, happening) = queue.pop().unwrap();
            assert_eq!(popped, Picos(at));
            assert!(matches!(happening, Happening::Wake(found) if found == number));
        }
        assert!(queue.pop().is_none());
        assert_eq!(queue.inserted(), 20_000);
    }

    #[test]
    fn looking_ahead_leaves_room_before_what_was_seen() {
        let mut queue = EventQueue::default();
        queue.insert(Picos(1_000), Happening::Start);
        assert_eq!(queue.next_at(), Some(Picos(1_000)));
        queue.insert(Picos(500), Happening::Sample);
        assert_eq!(queue.next_at(), Some(Picos(500)));
        assert!(matches!(queue.pop(), Some((Picos(500), Happening::Sample))));
    }
}
