//! What happens next: a queue ordered by time, and by insertion among equals.

use std::{cmp::Reverse, collections::BinaryHeap};

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

/// Time, insertion order, and where the happening lies.
type Key = Reverse<(Picos, u64, u32)>;

/// The queue. Happenings lie beside the heap, so that ordering it moves little.
#[derive(Debug, Default)]
pub(super) struct EventQueue {
    heap: BinaryHeap<Key>,
    slots: Vec<Option<Happening>>,
    free: Vec<u32>,
    inserted: u64,
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

    /// Adds a happening.
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
        self.heap.push(Reverse((at, self.inserted, slot)));
        self.inserted += 1;
    }

    /// When the next happening is due.
    pub(super) fn next_at(&self) -> Option<Picos> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes the next happening.
    pub(super) fn pop(&mut self) -> Option<(Picos, Happening)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        let happening = self.slots[slot as usize].take()?;
        self.free.push(slot);
        Some((at, happening))
    }
}
