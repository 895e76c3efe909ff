//! Waiting for room in a full ring, and one atomic exchange per turn for a worker that made some.
//!
//! As with the [doorbell](super::doorbell), both sides only ever exchange the flag, so that their
//! exchanges have one order. Who finds the ring full leaves its waker, exchanges, and then looks at
//! the ring once more. The worker takes from the ring, then exchanges. If the caller's exchange
//! comes first, the worker's sees it, and finds the waker; if the worker's comes first, the
//! caller's last look sees the room that it made.

use super::sync::{AtomicBool, Mutex, Ordering, lock};

/// Those who wait for room in one ring.
#[derive(Debug)]
pub(super) struct Room<W> {
    wanted: AtomicBool,
    waiting: Mutex<Vec<W>>,
}

impl<W> Room<W> {
    pub(super) fn new() -> Self {
        Self { wanted: AtomicBool::new(false), waiting: Mutex::new(Vec::new()) }
    }

    /// The ring is full: `waker` is to be woken when there is room. The caller has to try once more
    /// before it waits.
    pub(super) fn want(&self, waker: W) {
        lock(&self.waiting).push(waker);
        self.wanted.swap(true, Ordering::AcqRel);
    }

    /// Room was made: takes all who wait for it, for the worker to wake.
    pub(super) fn made(&self) -> Vec<W> {
        if self.wanted.swap(false, Ordering::AcqRel) {
            core::mem::take(&mut *lock(&self.waiting))
        } else {
            Vec::new()
        }
    }
}

#[cfg(all(test, loom))]
mod tests;
