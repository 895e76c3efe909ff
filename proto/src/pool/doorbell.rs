//! Wakes a worker that waits, and costs one atomic exchange while it does not.
//!
//! Both sides only ever exchange the flag, so their exchanges have one order, and each sees all
//! that came before it. The one who brings work makes it visible, then exchanges. The worker
//! exchanges, then looks for work. If the caller's exchange comes first, the worker's sees it, and
//! with it the work; if the worker's comes first, the caller learns that it has to wake it. A load
//! and a fence in place of the exchange would be cheaper on paper; loom finds the wake-up that they
//! lose.

use super::sync::{AtomicBool, Ordering};

/// Whether the worker waits.
#[derive(Debug)]
pub(super) struct Doorbell {
    waiting: AtomicBool,
}

impl Doorbell {
    pub(super) fn new() -> Self {
        Self { waiting: AtomicBool::new(false) }
    }

    /// Work is visible. True if the worker has to be woken, by this caller and no other.
    pub(super) fn ring(&self) -> bool {
        self.waiting.swap(false, Ordering::AcqRel)
    }

    /// The worker is about to wait. It has to look for work once more before it does.
    pub(super) fn park(&self) {
        self.waiting.swap(true, Ordering::AcqRel);
    }

    /// The worker no longer waits.
    pub(super) fn unpark(&self) {
        self.waiting.swap(false, Ordering::AcqRel);
    }
}

#[cfg(all(test, loom))]
mod tests;
