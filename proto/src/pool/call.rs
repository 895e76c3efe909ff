//! A call on its way to the worker, and its response on the way back.

use core::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use super::{
    CallCause, CallError, Cell, Response,
    mailbox::{Command, Shared, Start},
};
use crate::{causality::TokenGuard, id::Status};

/// Hands a call to the worker when it is first polled.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) shared: Arc<Shared>,
    /// Until the worker's ring had room.
    start: Option<Box<Start>>,
}

impl Launch {
    pub(super) fn new(shared: Arc<Shared>, start: Start) -> Self {
        Self { shared, start: Some(Box::new(start)) }
    }

    /// A call that the worker has.
    pub(super) const fn done(shared: Arc<Shared>) -> Self {
        Self { shared, start: None }
    }

    /// Whether the worker has it.
    pub(super) const fn is_done(&self) -> bool {
        self.start.is_none()
    }

    /// Hands the call over, or waits for room to do so.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        let Some(start) = self.start.take() else { return Poll::Ready(()) };
        let Err(start) = self.shared.start(start) else { return Poll::Ready(()) };
        // room may have come between the look and the registration: look again
        self.shared.wait_for_room(&start, cx.waker().clone());
        match self.shared.start(start) {
            Ok(()) => Poll::Ready(()),
            Err(start) if self.shared.is_gone() => {
                // nobody will make room any more
                start.cell.fail(CallCause::WorkerGone);
                Poll::Ready(())
            }
            Err(start) => {
                self.start = Some(start);
                Poll::Pending
            }
        }
    }
}

/// A call that starts when it is first polled, and is given up when it is dropped.
#[derive(Debug)]
pub(super) struct Starting {
    pub(super) launch: Launch,
    pub(super) cell: Arc<Cell>,
}

impl Starting {
    pub(super) const fn new(launch: Launch, cell: Arc<Cell>) -> Self {
        Self { launch, cell }
    }

    pub(super) fn remote(&self) -> SocketAddr {
        self.cell.remote()
    }

    /// Hands the call over, or waits for room to do so.
    pub(super) fn poll_started(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.launch.poll(cx)
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if self.launch.is_done() && self.cell.abandon() {
            let cell = Arc::clone(&self.cell);
            self.launch.shared.follow_up(Command::Cancel { cell, status: Status::CANCELLED });
        }
    }
}

/// A call whose response comes in one piece.
#[derive(Debug)]
#[must_use = "a call starts when it is polled"]
pub struct Call {
    starting: Starting,
}

impl Call {
    pub(super) const fn new(starting: Starting) -> Self {
        Self { starting }
    }

    /// The call's name, for others that depend on it; none unless
    /// [`CallOptions::named`](super::CallOptions::named) asked for one, or it depends on others
    /// itself.
    pub fn token(&self) -> Option<&TokenGuard> {
        self.starting.cell.guard()
    }

    /// The peer that is called.
    pub fn remote(&self) -> SocketAddr {
        self.starting.remote()
    }
}

impl Future for Call {
    type Output = Result<Response, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.starting.launch.shared.is_gone() {
            self.starting.cell.fail(CallCause::WorkerGone);
        } else if self.starting.poll_started(cx).is_pending() {
            return Poll::Pending;
        }
        self.starting.cell.poll_response(cx)
    }
}
