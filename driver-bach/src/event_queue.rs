//! What happens next: a queue ordered by time, and by insertion among equals.

use std::{cmp::Reverse, collections::BinaryHeap};

use crate::net::Picos;

/// Time, insertion order, and where the event lies.
type Key = Reverse<(Picos, u64, u32)>;

/// The queue. What happens lies beside the heap, so that ordering it moves little.
#[derive(Debug)]
pub(crate) struct EventQueue<T> {
    heap: BinaryHeap<Key>,
    slots: Vec<Option<T>>,
    free: Vec<u32>,
    inserted: u64,
}

impl<T> Default for EventQueue<T> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), slots: Vec::new(), free: Vec::new(), inserted: 0 }
    }
}

impl<T> EventQueue<T> {
    /// Events inserted so far.
    pub(crate) const fn inserted(&self) -> u64 {
        self.inserted
    }

    /// Adds an event.
    pub(crate) fn insert(&mut self, at: Picos, event: T) {
        let slot = match self.free.pop() {
            Some(slot) => {
                self.slots[slot as usize] = Some(event);
                slot
            }
            None => {
                self.slots.push(Some(event));
                (self.slots.len() - 1) as u32
            }
        };
        self.heap.push(Reverse((at, self.inserted, slot)));
        self.inserted += 1;
    }

    /// When the next event is due.
    pub(crate) fn next_at(&self) -> Option<Picos> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes the next event.
    pub(crate) fn pop(&mut self) -> Option<(Picos, T)> {
        let Reverse((at, _, slot)) = self.heap.pop()?;
        let event = self.slots[slot as usize].take()?;
        self.free.push(slot);
        Some((at, event))
    }
}
