//! One flag that the socket's queues raise and one task waits for.

use core::{
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};
use std::{sync::Arc, task::Wake};

use atomic_waker::AtomicWaker;

/// A flag with a waiter.
///
/// It starts raised: a socket that was never polled has promised no wake-up.
#[derive(Debug)]
pub(crate) struct Signal {
    raised: AtomicBool,
    waiter: AtomicWaker,
}

impl Signal {
    /// A raised signal.
    pub(crate) fn new() -> Self {
        Self { raised: AtomicBool::new(true), waiter: AtomicWaker::new() }
    }

    /// Raises the flag and wakes the waiter.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
        self.waiter.wake();
    }

    /// Waits for the flag, and lowers it.
    pub(crate) fn poll_take(&self, cx: &Context<'_>) -> Poll<()> {
        // Registering first means that a flag raised in between is either seen or wakes.
        self.waiter.register(cx.waker());
        if self.raised.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.raise();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise();
    }
}
