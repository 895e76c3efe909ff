//! Flags that wakers raise, and one of them with a task that waits for it.

use core::{
    future::{Future as _, poll_fn},
    pin::pin,
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll},
};
use std::{sync::Arc, task::Wake};

use atomic_waker::AtomicWaker;

use crate::{Clock, net::Picos};

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

    /// Waits for the flag and lowers it, or until a time of the simulation if one is given.
    pub(crate) async fn wait_until(&self, clock: Clock, at: Option<Picos>) {
        let mut timer = pin!(async {
            match at {
                Some(at) => clock.sleep_until(at).await,
                None => core::future::pending().await,
            }
        });
        poll_fn(|cx| match self.poll_take(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => timer.as_mut().poll(cx),
        })
        .await;
    }

    /// Lowers the flag, or has the task woken when it is raised.
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

/// A flag that raises a signal when it is raised by a waker. It starts raised.
#[derive(Debug)]
pub(crate) struct Flag {
    raised: AtomicBool,
    signal: Arc<Signal>,
}

impl Flag {
    /// A raised flag.
    pub(crate) fn new(signal: Arc<Signal>) -> Self {
        Self { raised: AtomicBool::new(true), signal }
    }

    /// Raises the flag, but not the signal.
    pub(crate) fn raise(&self) {
        self.raised.store(true, Ordering::Release);
    }

    /// Lowers the flag; whether it was raised.
    pub(crate) fn take(&self) -> bool {
        self.raised.swap(false, Ordering::AcqRel)
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.raise();
        self.signal.raise();
    }
}
