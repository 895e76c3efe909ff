//! The memory of a switch whose ports share it.

use core::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque, binary_heap::PeekMut};

use crate::net::Picos;

/// A frame that occupies memory until its last bit has left.
#[derive(Clone, Copy, Debug)]
struct Held {
    until: Picos,
    bytes: u64,
}

/// Shared memory with dynamic thresholds: a queue may grow to `alpha` times what is free.
///
/// The occupancy is exact at any time: each queue lists its frames in order of departure, and the
/// heads of the queues are ordered among each other.
#[derive(Clone, Debug)]
pub(in crate::net) struct Pool {
    capacity: u64,
    alpha: f64,
    used: u64,
    queues: Vec<VecDeque<Held>>,
    /// The departure of each queue's first frame.
    heads: BinaryHeap<Reverse<(Picos, u32)>>,
}

impl Pool {
    pub(super) fn new(capacity: u64, alpha: f64) -> Self {
        Self { capacity, alpha, used: 0, queues: Vec::new(), heads: BinaryHeap::new() }
    }

    /// Adds the two queues of a port; returns the number of the first.
    pub(super) fn add_queues(&mut self) -> u32 {
        let first = self.queues.len() as u32;
        self.queues.extend([VecDeque::new(), VecDeque::new()]);
        first
    }

    /// Whether a queue of `queue` bytes may take a frame of `bytes`.
    pub(super) fn admits(&mut self, now: Picos, queue: u64, bytes: u64) -> bool {
        self.drain(now);
        let free = self.capacity.saturating_sub(self.used);
        // A float converts to the nearest integer that exists, so that a large factor is harmless.
        let threshold = (self.alpha * free as f64) as u64;
        bytes <= free && queue.saturating_add(bytes) <= threshold
    }

    /// Holds a frame until it leaves.
    pub(super) fn hold(&mut self, queue: u32, until: Picos, bytes: u64) {
        let Some(held) = self.queues.get_mut(queue as usize) else { return };
        if held.is_empty() {
            self.heads.push(Reverse((until, queue)));
        }
        held.push_back(Held { until, bytes });
        self.used += bytes;
    }

    /// Frees all that a queue holds.
    pub(super) fn flush(&mut self, queue: u32) {
        let Some(held) = self.queues.get_mut(queue as usize) else { return };
        self.used -= held.drain(..).map(|held| held.bytes).sum::<u64>();
        self.heads.retain(|Reverse((_, head))| *head != queue);
    }

    /// Frees what has left by `now`.
    fn drain(&mut self, now: Picos) {
        while let Some(mut head) = self.heads.peek_mut() {
            let Reverse((until, queue)) = *head;
            if until > now {
                return;
            }
            let held = &mut self.queues[queue as usize];
            while let Some(first) = held.front().filter(|first| first.until <= now) {
                self.used -= first.bytes;
                held.pop_front();
            }
            match held.front() {
                // Changing the head in place restores the order once, not twice.
                Some(first) => head.0.0 = first.until,
                None => drop(PeekMut::pop(head)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
