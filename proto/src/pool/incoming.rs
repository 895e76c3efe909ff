//! Calls from peers.

use core::{
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};
use std::sync::Arc;

use bytes::Bytes;

use super::{
    CallError, Cell, Download, Receiver, Sender, Writer,
    mailbox::{Announced, Command, Shared},
    methods::{arguments_of, name_of},
};
use crate::{
    endpoint::{Destination, Payload, Respond},
    id::{Incarnation, Pattern, Priority, Status},
    time::Timestamp,
};

/// The next call from a peer. Several may wait at once; each call goes to one of them.
#[derive(Debug)]
#[must_use = "a call is taken when this is polled"]
pub struct Accept {
    shared: Arc<Shared>,
    /// The latest request to be woken.
    waiting: Option<u64>,
}

impl Accept {
    pub(super) const fn new(shared: Arc<Shared>) -> Self {
        Self { shared, waiting: None }
    }
}

impl Future for Accept {
    type Output = Option<Incoming>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { shared, waiting } = &mut *self;
        match shared.incoming().pop_or_wait(waiting, cx.waker()) {
            Some(incoming) => Poll::Ready(Some(incoming)),
            // the end wakes those who wait: looked for afterwards, it is not missed
            None if shared.is_gone() => Poll::Ready(None),
            None => Poll::Pending,
        }
    }
}

impl Drop for Accept {
    fn drop(&mut self) {
        if let Some(id) = self.waiting {
            self.shared.incoming().stop_waiting(id);
        }
    }
}

/// A call from a peer, to be answered. Dropped unanswered, it is closed with
/// [`Status::INTERNAL`].
///
/// ```no_run
/// # use dcquic_proto::{id::Status, pool::{CallError, Pool}};
/// # async fn example(pool: Pool) -> Result<(), CallError> {
/// while let Some(mut incoming) = pool.accept().await {
///     if incoming.method() != b"echo" {
///         incoming.reject(Status::NOT_FOUND);
///         continue;
///     }
///     let body = incoming.receive().await?;
///     // on its way; awaiting it would tell when the caller has it
///     drop(incoming.respond(Status::OK, Default::default(), body));
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Methods`](super::Methods) dispatches many calls to handlers.
#[derive(Debug)]
pub struct Incoming {
    announced: Announced,
    cell: Arc<Cell>,
    shared: Arc<Shared>,
    answered: bool,
}

impl Incoming {
    pub(super) const fn new(announced: Announced, cell: Arc<Cell>, shared: Arc<Shared>) -> Self {
        Self { announced, cell, shared, answered: false }
    }

    /// Where the caller is.
    pub fn remote(&self) -> SocketAddr {
        self.announced.remote
    }

    /// Which life of the caller this is.
    pub fn incarnation(&self) -> Incarnation {
        self.announced.incarnation
    }

    /// The shape of the call.
    pub fn pattern(&self) -> Pattern {
        self.announced.offer.pattern
    }

    /// Urgency that the caller gave it.
    pub fn priority(&self) -> Priority {
        self.announced.offer.priority
    }

    /// The caller's metadata.
    pub fn metadata(&self) -> &Bytes {
        &self.announced.offer.metadata
    }

    /// The name of the method in the metadata: what stands before its first zero byte, or all of
    /// it.
    pub fn method(&self) -> &[u8] {
        name_of(&self.announced.offer.metadata)
    }

    /// What stands behind the name of the method; empty if nothing does.
    pub fn arguments(&self) -> Bytes {
        arguments_of(&self.announced.offer.metadata)
    }

    /// The caller's request headers; empty if it sent none.
    pub fn headers(&self) -> &Bytes {
        &self.announced.offer.headers
    }

    /// The caller's name for the call, if it gave one: the correlation id of its reports and ours.
    pub fn token(&self) -> Option<u64> {
        self.announced.offer.token
    }

    /// When the caller gives up, if it said so: the call then ends here too.
    pub fn expires(&self) -> Option<Timestamp> {
        self.announced.offer.expires
    }

    /// Length of the request in bytes; 0 if there are many.
    pub fn size(&self) -> u64 {
        self.announced.offer.size
    }

    /// Takes the request, if it has all arrived with the announcement. Without, it has not been
    /// sent yet, and [`Self::receive`] or [`Self::records`] fetches it.
    pub fn body(&mut self) -> Option<Bytes> {
        self.announced.body.take()
    }

    /// Fetches the request to memory, and waits until it is there.
    ///
    /// # Errors
    /// It is too large for memory, and the call is closed with [`Status::TOO_LARGE`]; or the call
    /// came to nothing.
    pub async fn receive(&mut self) -> Result<Bytes, CallError> {
        if let Some(body) = self.body() {
            return Ok(body);
        }
        let (cell, destination) = (Arc::clone(&self.cell), Destination::Memory);
        self.shared.follow_up(Command::Receive { cell, destination });
        poll_fn(|cx| self.cell.poll_body(cx)).await
    }

    /// Fetches the request record by record.
    pub fn records(&mut self) -> Download {
        if let Some(body) = self.body() {
            self.cell.push(super::Record { offset: 0, data: body });
            self.cell.received(None);
        } else {
            let (cell, destination) = (Arc::clone(&self.cell), Destination::Records);
            self.shared.follow_up(Command::Receive { cell, destination });
        }
        Download::of_request(Arc::clone(&self.shared), Arc::clone(&self.cell))
    }

    /// Answers the call; the rest of the request, if it was not fetched, is given up.
    ///
    /// The answer is on its way whether or not the future is awaited; awaiting it tells when the
    /// caller has it.
    pub fn respond(mut self, status: Status, metadata: Bytes, body: Bytes) -> Responding {
        self.answer(Respond { status, metadata, payload: Payload::Whole(body) });
        Responding { cell: Arc::clone(&self.cell) }
    }

    /// Answers the call with `size` bytes that are written piece by piece.
    pub fn respond_stream(mut self, status: Status, metadata: Bytes, size: u64) -> Writer {
        self.answer(Respond { status, metadata, payload: Payload::Supplied { size } });
        Writer::new(Arc::clone(&self.shared), Arc::clone(&self.cell))
    }

    /// The caller's requests, in order, if its pattern has many of them; none otherwise.
    ///
    /// The call can be answered before they end.
    pub fn requests(&mut self) -> Receiver {
        let pattern = self.pattern();
        Receiver::of_answerer(Arc::clone(&self.shared), Arc::clone(&self.cell), pattern)
    }

    /// Answers the call with many messages, if its pattern has many responses. With another
    /// pattern, the first message fails.
    pub fn responses(mut self) -> Sender {
        self.answered = true;
        Sender::of_answerer(Arc::clone(&self.shared), Arc::clone(&self.cell))
    }

    /// Refuses the call: the caller fails as
    /// [`CallCause::ClosedByPeer`](super::CallCause::ClosedByPeer) with this status.
    pub fn reject(mut self, status: Status) {
        self.close(status);
    }

    /// It was not offered to anybody: nobody is left to give it up.
    pub(super) fn withdraw(mut self) {
        self.answered = true;
        self.cell.abandon();
    }

    fn answer(&mut self, respond: Respond) {
        self.answered = true;
        let (cell, respond) = (Arc::clone(&self.cell), Box::new(respond));
        self.shared.follow_up(Command::Respond { cell, respond });
    }

    fn close(&mut self, status: Status) {
        self.answered = true;
        if self.cell.abandon() {
            let cell = Arc::clone(&self.cell);
            self.shared.follow_up(Command::Cancel { cell, status });
        }
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        if !self.answered {
            self.close(Status::INTERNAL);
        }
    }
}

/// Ready when the caller has the response.
#[derive(Debug)]
pub struct Responding {
    cell: Arc<Cell>,
}

impl Future for Responding {
    type Output = Result<(), CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.cell.poll_end(cx)
    }
}

#[cfg(test)]
mod tests;
