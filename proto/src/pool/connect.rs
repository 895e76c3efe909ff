//! A session that is begun ahead of its calls.

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

/// Ready when a peer has a session with us. The peer is greeted when this is first polled;
/// dropping it afterwards takes nothing back.
#[derive(Debug)]
#[must_use = "a peer is greeted when this is polled"]
pub struct Connect {
    shared: Arc<Shared>,
    cell: Arc<Cell>,
    started: bool,
}

impl Connect {
    pub(super) fn new(shared: Arc<Shared>, remote: SocketAddr) -> Self {
        Self { shared, cell: Arc::new(Cell::for_call(remote, None)), started: false }
    }
}

impl Future for Connect {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.shared.is_gone() {
            self.cell.fail(CallCause::WorkerGone);
        } else if !self.started {
            self.started = true;
            self.shared.follow_up(Command::Connect { cell: Arc::clone(&self.cell) });
        }
        self.cell.poll_end(cx)
    }
}
