//! What is asked of the worker besides calls: once, when the answer is first polled for.

use core::net::SocketAddr;
use std::sync::Arc;

use super::{
    CallCause, Cell,
    mailbox::{Command, Shared},
};

/// A question about a peer, and the cell in which the answer comes.
#[derive(Debug)]
pub(super) struct Question {
    shared: Arc<Shared>,
    cell: Arc<Cell>,
    command: fn(Arc<Cell>) -> Command,
    asked: bool,
}

impl Question {
    pub(super) fn new(
        shared: Arc<Shared>,
        remote: SocketAddr,
        command: fn(Arc<Cell>) -> Command,
    ) -> Self {
        Self { shared, cell: Arc::new(Cell::for_call(remote, None)), command, asked: false }
    }

    /// The cell to poll for the answer; the worker has been asked.
    pub(super) fn ask(&mut self) -> &Cell {
        if self.shared.is_gone() {
            self.cell.fail(CallCause::WorkerGone);
        } else if !self.asked {
            self.asked = true;
            self.shared.follow_up((self.command)(Arc::clone(&self.cell)));
        }
        &self.cell
    }
}
