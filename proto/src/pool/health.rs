//! How a peer is doing, asked of the worker.

use core::{
    future::Future,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use super::{
    CallCause, CallError, Cell,
    mailbox::{Command, Shared},
};
use crate::health::PeerHealth;

/// A peer's health at the moment in which the worker answers; none if no session with it is known.
/// Asking changes nothing: nobody is greeted or probed for it.
#[derive(Debug)]
#[must_use = "the worker is asked when this is polled"]
pub struct HealthQuery {
    shared: Arc<Shared>,
    cell: Arc<Cell>,
    started: bool,
}

impl HealthQuery {
    pub(super) fn new(shared: Arc<Shared>, remote: SocketAddr) -> Self {
        Self { shared, cell: Arc::new(Cell::for_call(remote, None)), started: false }
    }
}

impl Future for HealthQuery {
    type Output = Result<Option<PeerHealth>, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.shared.is_gone() {
            self.cell.fail(CallCause::WorkerGone);
        } else if !self.started {
            self.started = true;
            self.shared.follow_up(Command::Health { cell: Arc::clone(&self.cell) });
        }
        self.cell.poll_health(cx)
    }
}
