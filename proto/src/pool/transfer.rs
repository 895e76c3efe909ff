//! Messages that are written or read piece by piece.

use core::{future::poll_fn, net::SocketAddr, task::Poll};
use std::sync::Arc;

use bytes::Bytes;

use super::{
    CallCause, CallError, Cell, Response,
    call::Starting,
    mailbox::{Command, Shared},
};
use crate::{causality::TokenGuard, id::Status};

/// What comes before the records of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// How the call ended at the peer.
    pub status: Status,
    /// The responder's metadata.
    pub metadata: Bytes,
    /// Length of the response in bytes.
    pub size: u64,
}

/// A piece of a message. Records of one message may come in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the message, in bytes.
    pub offset: u64,
    /// The piece.
    pub data: Bytes,
}

/// A call whose request is written piece by piece. Dropping it gives the call up.
#[derive(Debug)]
pub struct Upload {
    starting: Starting,
    supplied: u64,
    size: u64,
}

impl Upload {
    pub(super) const fn new(starting: Starting, size: u64) -> Self {
        Self { starting, supplied: 0, size }
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

    /// Adds the next piece, once there is window for it.
    ///
    /// # Errors
    /// The call has ended, or the peer has answered already: see [`CallCause::Answered`].
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), CallError> {
        poll_fn(|cx| self.starting.poll_started(cx)).await;
        let Starting { launch, cell } = &self.starting;
        supply(&launch.shared, cell, &mut self.supplied, chunk).await
    }

    /// The response, once the whole request was written.
    ///
    /// # Errors
    /// The call came to nothing.
    pub async fn response(mut self) -> Result<Response, CallError> {
        poll_fn(|cx| self.starting.poll_started(cx)).await;
        debug_assert!(self.supplied <= self.size, "the worker refuses more than was announced");
        poll_fn(|cx| self.starting.cell.poll_response(cx)).await
    }
}

/// Hands a piece over when the window reaches beyond what was supplied.
async fn supply(
    shared: &Shared,
    cell: &Arc<Cell>,
    supplied: &mut u64,
    chunk: Bytes,
) -> Result<(), CallError> {
    if chunk.is_empty() {
        return Ok(());
    }
    poll_fn(|cx| match shared.is_gone() {
        true => {
            cell.fail(CallCause::WorkerGone);
            cell.poll_window(cx, *supplied)
        }
        false => cell.poll_window(cx, *supplied),
    })
    .await?;
    *supplied += chunk.len() as u64;
    shared.follow_up(Command::Supply { cell: Arc::clone(cell), chunk });
    Ok(())
}

/// The records of a message that comes in: a response, or a request. Dropping it before the end
/// gives the call up.
#[derive(Debug)]
pub struct Download {
    source: Source,
    /// Bytes of the record handed out last, which are released when the next one is asked for.
    held: u64,
}

#[derive(Debug)]
enum Source {
    Response(Starting),
    Request { shared: Arc<Shared>, cell: Arc<Cell> },
}

impl Source {
    fn parts(&self) -> (&Arc<Shared>, &Arc<Cell>) {
        match self {
            Self::Response(starting) => (&starting.launch.shared, &starting.cell),
            Self::Request { shared, cell } => (shared, cell),
        }
    }
}

impl Download {
    pub(super) const fn new(starting: Starting) -> Self {
        Self { source: Source::Response(starting), held: 0 }
    }

    pub(super) const fn of_request(shared: Arc<Shared>, cell: Arc<Cell>) -> Self {
        Self { source: Source::Request { shared, cell }, held: 0 }
    }

    /// What comes before the records; only a response has it.
    ///
    /// # Errors
    /// The call came to nothing.
    pub async fn head(&mut self) -> Result<Head, CallError> {
        self.started().await;
        let (_, cell) = self.source.parts();
        poll_fn(|cx| cell.poll_head(cx)).await
    }

    /// The next record; `None` behind the last one.
    pub async fn next(&mut self) -> Option<Result<Record, CallError>> {
        if let Source::Response(_) = &self.source
            && let Err(error) = self.head().await
        {
            return Some(Err(error));
        }
        let (shared, cell) = self.source.parts();
        if self.held > 0 && !cell.is_ended() {
            let (cell, bytes) = (Arc::clone(cell), self.held);
            shared.follow_up(Command::Release { cell, bytes });
        }
        self.held = 0;
        let record = poll_fn(|cx| cell.poll_record(cx)).await.transpose()?;
        if let Ok(record) = &record {
            self.held = record.data.len() as u64;
        }
        Some(record)
    }

    async fn started(&mut self) {
        if let Source::Response(starting) = &mut self.source {
            poll_fn(|cx| match starting.launch.shared.is_gone() {
                true => {
                    starting.cell.fail(CallCause::WorkerGone);
                    Poll::Ready(())
                }
                false => starting.poll_started(cx),
            })
            .await;
        }
    }
}

/// A response that is written piece by piece. Dropping it before [`Self::finish`] closes the call
/// with [`Status::INTERNAL`].
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    cell: Arc<Cell>,
    supplied: u64,
    finished: bool,
}

impl Writer {
    pub(super) const fn new(shared: Arc<Shared>, cell: Arc<Cell>) -> Self {
        Self { shared, cell, supplied: 0, finished: false }
    }

    /// Adds the next piece, once there is window for it.
    ///
    /// # Errors
    /// The call has ended.
    pub async fn write(&mut self, chunk: Bytes) -> Result<(), CallError> {
        supply(&self.shared, &self.cell, &mut self.supplied, chunk).await
    }

    /// Waits until the caller has the whole response.
    ///
    /// # Errors
    /// The call came to nothing.
    pub async fn finish(mut self) -> Result<(), CallError> {
        self.finished = true;
        poll_fn(|cx| self.cell.poll_end(cx)).await
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.finished && self.cell.abandon() {
            let cell = Arc::clone(&self.cell);
            self.shared.follow_up(Command::Cancel { cell, status: Status::INTERNAL });
        }
    }
}
