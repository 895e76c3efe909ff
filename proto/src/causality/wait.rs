//! Waiting for several tokens at once.

use core::fmt;
use std::sync::{Arc, PoisonError};

use super::{
    sync::{AtomicUsize, Mutex, MutexGuard, Ordering},
    token::{Name, Token},
    waiters::Wake,
};

/// What is to be done when all dependencies are resolved, such as to put a call back into the queue
/// of its worker.
pub trait Waiter: Send + 'static {
    /// The dependencies are resolved. Called once, by the thread that resolved the last one, with
    /// no lock held. It must not block or panic, and is to hand over, not to do the work: what it
    /// does to the map in here happens inside of the call that resolved the dependency.
    fn resolved(self, resolution: Resolution);
}

/// How the dependencies of a transfer came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The transfer may start.
    Ready,
    /// A dependency failed that must not; the transfer has failed with it.
    Failed {
        /// The dependency.
        cause: Token,
    },
}

/// How dependencies stand when someone comes to wait for them.
#[derive(Debug)]
#[must_use]
pub enum Readiness<W> {
    /// All are resolved: the transfer may start. The waiter was not told and comes back.
    Ready(W),
    /// A dependency failed that must not; the transfer has failed with it. The waiter was not told
    /// and comes back.
    Failed {
        /// The dependency.
        cause: Token,
        /// The waiter.
        waiter: W,
    },
    /// The waiter will be told, and may have been told already.
    Waiting(Registration<W>),
}

/// A waiter that waits. To drop this changes nothing.
pub struct Registration<W> {
    join: Arc<Join<W>>,
}

impl<W> Registration<W> {
    pub(super) fn new(join: Arc<Join<W>>) -> Self {
        Self { join }
    }

    /// Stops waiting and gives the waiter back; `None` if it was told. What becomes of the transfer
    /// is then the caller's to say.
    pub fn cancel(self) -> Option<W> {
        self.join.take()
    }
}

impl<W> fmt::Debug for Registration<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("join", &self.join).finish()
    }
}

/// The dependencies of one transfer, and who waits for them. Whoever takes the waiter decides what
/// it is told, so that it is told once. [CAUS-5]
pub(super) struct Join<W> {
    dependant: Name,
    /// Dependencies that are in the way.
    remaining: AtomicUsize,
    waiter: Mutex<Option<W>>,
}

impl<W> Join<W> {
    pub(super) fn new(dependant: Name, remaining: usize, waiter: W) -> Self {
        let waiter = Mutex::new(Some(waiter));
        Self { dependant, remaining: AtomicUsize::new(remaining), waiter }
    }

    fn lock(&self) -> MutexGuard<'_, Option<W>> {
        // nothing but a move happens under the lock
        self.waiter.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn take(&self) -> Option<W> {
        self.lock().take()
    }

    /// Some dependencies are out of the way. Gives the waiter to the one who has to tell it.
    ///
    /// A dependency that failed and must not is never counted, so that the count says success.
    pub(super) fn reached_some(&self, dependencies: usize) -> Option<W> {
        let before = self.remaining.fetch_sub(dependencies, Ordering::AcqRel);
        if before == dependencies { self.take() } else { None }
    }
}

impl<W: Waiter> Wake for Join<W> {
    fn reached(&self) {
        if let Some(waiter) = self.reached_some(1) {
            waiter.resolved(Resolution::Ready);
        }
    }

    fn failed(&self, cause: Token, fail: &mut dyn FnMut(Name)) {
        if let Some(waiter) = self.take() {
            fail(self.dependant);
            waiter.resolved(Resolution::Failed { cause });
        }
    }

    fn is_decided(&self) -> bool {
        self.lock().is_none()
    }
}

impl<W> fmt::Debug for Join<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let remaining = self.remaining.load(Ordering::Relaxed);
        f.debug_struct("Join").field("remaining", &remaining).finish_non_exhaustive()
    }
}
