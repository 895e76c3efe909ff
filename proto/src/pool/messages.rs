//! Streams of many messages, as the application sends and reads them.

use core::{
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};
use std::{future::poll_fn, sync::Arc};

use bytes::Bytes;
use futures_core::Stream;
use futures_sink::Sink;

use super::{
    CallCause, CallError, Cell, Incoming, Response,
    call::Launch,
    mailbox::{Command, Shared},
};
use crate::{
    causality::TokenGuard,
    endpoint::Message,
    id::{Pattern, Status},
};

/// Messages of a stream that wait for the endpoint to take them, at most.
const SEND_AHEAD: usize = 16;

/// Bytes and messages taken before the worker is told, unless the reader has to wait anyway.
const CONSUME_QUANTUM: u64 = 64 << 10;
const CONSUME_MESSAGES: u64 = 16;

/// One direction of a call, at one of its ends.
#[derive(Debug)]
struct End {
    launch: Launch,
    cell: Arc<Cell>,
    /// This end answers the call; the other one made it.
    answers: bool,
}

impl End {
    /// Ends the call if it has not ended; the peer is told.
    fn give_up(&self) {
        self.close(if self.answers { Status::INTERNAL } else { Status::CANCELLED });
    }

    /// As [`Self::give_up`], with a status.
    fn close(&self, status: Status) {
        if !self.launch.is_done() {
            // the other handle of the call is told, if there is one
            self.cell.fail(CallCause::Cancelled);
        } else if self.cell.abandon() {
            self.follow_up(Command::Cancel { cell: Arc::clone(&self.cell), status });
        }
    }

    fn follow_up(&self, command: Command) {
        self.launch.shared.follow_up(command);
    }

    /// Waits until the worker has the call.
    fn poll_launched(&mut self, cx: &Context<'_>) -> Poll<()> {
        if self.launch.shared.is_gone() {
            self.cell.fail(CallCause::WorkerGone);
            return Poll::Ready(());
        }
        self.launch.poll(cx)
    }
}

/// The messages that this side sends: requests of a caller, responses of whoever answers.
///
/// A [`Sink`]; it takes messages as fast as the peer's application does, a few ahead. Dropping it
/// before [`Self::finish`] gives the call up.
///
/// ```no_run
/// # use dcquic_proto::{id::Status, pool::{CallError, Incoming}};
/// # async fn example(incoming: Incoming) -> Result<(), CallError> {
/// let mut responses = incoming.responses();
/// responses.send_headers("two follow".into()).await?;
/// responses.send("one".into()).await?;
/// responses.send("two".into()).await?;
/// responses.finish(Status::OK).await
/// # }
/// ```
#[derive(Debug)]
pub struct Sender {
    end: End,
    finished: bool,
    /// An [`Answer`] ends the call, not this.
    lent: bool,
}

impl Sender {
    pub(super) const fn of_caller(launch: Launch, cell: Arc<Cell>) -> Self {
        Self { end: End { launch, cell, answers: false }, finished: false, lent: false }
    }

    pub(super) const fn of_answerer(shared: Arc<Shared>, cell: Arc<Cell>) -> Self {
        let launch = Launch::done(shared);
        Self { end: End { launch, cell, answers: true }, finished: false, lent: false }
    }

    /// The call's name, for others that depend on it; none unless
    /// [`CallOptions::named`](super::CallOptions::named) asked for one, or it depends on others
    /// itself.
    pub fn token(&self) -> Option<&TokenGuard> {
        self.end.cell.guard()
    }

    /// The peer at the other end.
    pub fn remote(&self) -> SocketAddr {
        self.end.cell.remote()
    }

    /// Sends a message, once there is room for it. The peer may not have it yet when this returns.
    ///
    /// # Errors
    /// The call has ended: nobody takes messages any more. [`CallCause::Answered`] if it ended
    /// well.
    pub async fn send(&mut self, body: Bytes) -> Result<(), CallError> {
        self.send_message(Message { body: Some(body), ..Message::default() }).await
    }

    /// Sends headers ahead of the first message.
    ///
    /// # Errors
    /// As of [`Self::send`].
    pub async fn send_headers(&mut self, headers: Bytes) -> Result<(), CallError> {
        self.send_message(Message { metadata: headers, ..Message::default() }).await
    }

    /// Sends a message with headers of its own, or the last one.
    ///
    /// # Errors
    /// As of [`Self::send`].
    pub async fn send_message(&mut self, message: Message) -> Result<(), CallError> {
        poll_fn(|cx| self.poll_room(cx)).await?;
        self.push(message);
        Ok(())
    }

    /// Ends this direction: no message follows. A caller's requests end with [`Status::OK`].
    ///
    /// Whoever answers ends the call with it, and this returns when the caller has it all; a
    /// caller goes on to read the responses.
    ///
    /// # Errors
    /// As of [`Self::send`]; the call came to nothing.
    pub async fn finish(mut self, status: Status) -> Result<(), CallError> {
        if !self.finished {
            self.send_message(Message { fin: Some(status), ..Message::default() }).await?;
        }
        match self.end.answers {
            false => Ok(()),
            true => poll_fn(|cx| self.end.cell.poll_end(cx)).await,
        }
    }

    fn poll_room(&mut self, cx: &Context<'_>) -> Poll<Result<(), CallError>> {
        ready!(self.end.poll_launched(cx));
        self.end.cell.poll_room(cx, SEND_AHEAD)
    }

    fn push(&mut self, message: Message) {
        self.finished |= message.fin.is_some();
        if self.end.cell.push_to_send(message) {
            self.end.follow_up(Command::Flush { cell: Arc::clone(&self.end.cell) });
        }
    }
}

impl Sink<Message> for Sender {
    type Error = CallError;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        self.poll_room(cx)
    }

    fn start_send(mut self: Pin<&mut Self>, message: Message) -> Result<(), CallError> {
        self.push(message);
        Ok(())
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        ready!(self.end.poll_launched(cx));
        self.end.cell.poll_room(cx, 1)
    }

    /// Ends the direction with [`Status::OK`], unless its last message was sent.
    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), CallError>> {
        if !self.finished {
            ready!(self.poll_room(cx))?;
            self.push(Message { fin: Some(Status::OK), ..Message::default() });
        }
        self.poll_flush(cx)
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        if !self.finished && !self.lent {
            self.end.give_up();
        }
    }
}

/// The messages that the peer sends: responses for a caller, requests for whoever answers.
///
/// A [`Stream`] that ends behind the last message; [`Self::status`] then tells how the peer ended
/// it. A reader that stops reading stops the peer. Dropping it before the end gives the call up.
///
/// ```no_run
/// # use dcquic_proto::pool::{CallError, CallOptions, Pool};
/// # async fn example(pool: Pool, server: core::net::SocketAddr) -> Result<(), CallError> {
/// let options = CallOptions::default();
/// let mut responses = pool.streaming_response(server, options, "tail".into(), "log".into());
/// while let Some(message) = responses.next().await {
///     println!("{:?}", message?.body);
/// }
/// println!("ended with {:?}", responses.status());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Receiver {
    end: End,
    headers: Option<Bytes>,
    status: Option<Status>,
    /// The reader was told that the call came to nothing.
    failed: bool,
    /// A message that [`Self::headers`] had to read.
    read: Option<Message>,
    /// Messages and bytes that were read and that the worker was not told of.
    taken: (u64, u64),
}

impl Receiver {
    pub(super) const fn of_caller(launch: Launch, cell: Arc<Cell>) -> Self {
        Self::new(End { launch, cell, answers: false }, None)
    }

    pub(super) fn of_answerer(shared: Arc<Shared>, cell: Arc<Cell>, pattern: Pattern) -> Self {
        // a single request is fetched in another way
        let status = (!pattern.has_many_requests()).then_some(Status::OK);
        Self::new(End { launch: Launch::done(shared), cell, answers: true }, status)
    }

    const fn new(end: End, status: Option<Status>) -> Self {
        Self { end, headers: None, status, failed: false, read: None, taken: (0, 0) }
    }

    /// The call's name, for others that depend on it; none unless
    /// [`CallOptions::named`](super::CallOptions::named) asked for one, or it depends on others
    /// itself.
    pub fn token(&self) -> Option<&TokenGuard> {
        self.end.cell.guard()
    }

    /// The peer at the other end.
    pub fn remote(&self) -> SocketAddr {
        self.end.cell.remote()
    }

    /// The headers of the first message, as soon as they are there; empty if it has none.
    ///
    /// # Errors
    /// The call came to nothing.
    pub async fn headers(&mut self) -> Result<Bytes, CallError> {
        poll_fn(|cx| {
            if self.headers.is_none() && self.status.is_none() {
                self.read = ready!(self.poll_message(cx))?;
            }
            Poll::Ready(Ok(self.headers.clone().unwrap_or_default()))
        })
        .await
    }

    /// The next message; `None` behind the last one, or behind an error.
    ///
    /// # Errors
    /// The call came to nothing; messages before this one were delivered.
    pub async fn next(&mut self) -> Option<Result<Message, CallError>> {
        poll_fn(|cx| self.poll_payload(cx)).await
    }

    /// How the peer ended its direction, once it has.
    pub const fn status(&self) -> Option<Status> {
        self.status
    }

    fn poll_payload(&mut self, cx: &Context<'_>) -> Poll<Option<Result<Message, CallError>>> {
        loop {
            let message = match self.read.take() {
                Some(message) => Some(message),
                None if self.status.is_some() || self.failed => None,
                None => match ready!(self.poll_message(cx)) {
                    Ok(message) => message,
                    Err(error) => {
                        self.failed = true;
                        return Poll::Ready(Some(Err(error)));
                    }
                },
            };
            match message {
                // headers alone, or the end: nothing for the reader
                Some(Message { body: None, .. }) => {}
                Some(message) => return Poll::Ready(Some(Ok(message))),
                None => return Poll::Ready(None),
            }
        }
    }

    fn poll_message(&mut self, cx: &Context<'_>) -> Poll<Result<Option<Message>, CallError>> {
        ready!(self.end.poll_launched(cx));
        let message = match self.end.cell.poll_message(cx) {
            Poll::Ready(message) => message?,
            Poll::Pending => {
                self.tell_taken();
                return Poll::Pending;
            }
        };
        let Some(message) = message else { return Poll::Ready(Ok(None)) };
        self.headers.get_or_insert_with(|| message.metadata.clone());
        self.status = message.fin;
        self.taken.0 += 1;
        self.taken.1 += message.body.as_ref().map_or(0, Bytes::len) as u64;
        if self.taken.0 >= CONSUME_MESSAGES || self.taken.1 >= CONSUME_QUANTUM {
            self.tell_taken();
        }
        Poll::Ready(Ok(Some(message)))
    }

    /// Lets the peer go on.
    fn tell_taken(&mut self) {
        let (messages, bytes) = core::mem::take(&mut self.taken);
        if messages > 0 && self.status.is_none() {
            let cell = Arc::clone(&self.end.cell);
            self.end.follow_up(Command::Consume { cell, messages, bytes });
        }
    }
}

impl Stream for Receiver {
    type Item = Result<Message, CallError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_payload(cx)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // whoever answers may do so without having read every request
        if self.status.is_none() && !self.end.answers {
            self.end.give_up();
        }
    }
}

/// A call with many requests and one response. Dropping it gives the call up.
///
/// ```no_run
/// # use dcquic_proto::pool::{CallError, CallOptions, Pool};
/// # async fn example(pool: Pool, server: core::net::SocketAddr) -> Result<(), CallError> {
/// let mut requests = pool.streaming_request(server, CallOptions::default(), "sum".into());
/// for number in 0..10 {
///     requests.send(number.to_string().into()).await?;
/// }
/// let response = requests.response().await?;
/// # let _ = response;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Requests {
    sender: Sender,
}

impl Requests {
    pub(super) const fn new(sender: Sender) -> Self {
        Self { sender }
    }

    /// The call's name, for others that depend on it; none unless
    /// [`CallOptions::named`](super::CallOptions::named) asked for one, or it depends on others
    /// itself.
    pub fn token(&self) -> Option<&TokenGuard> {
        self.sender.end.cell.guard()
    }

    /// The peer at the other end.
    pub fn remote(&self) -> SocketAddr {
        self.sender.remote()
    }

    /// Sends a request, once there is room for it.
    ///
    /// # Errors
    /// The call has ended, or the peer has answered already; see [`CallCause::Answered`].
    pub async fn send(&mut self, body: Bytes) -> Result<(), CallError> {
        self.sender.send(body).await
    }

    /// Sends a request with headers of its own, or the last one.
    ///
    /// # Errors
    /// As of [`Self::send`].
    pub async fn send_message(&mut self, message: Message) -> Result<(), CallError> {
        self.sender.send_message(message).await
    }

    /// Ends the requests, unless they were, and waits for the response.
    ///
    /// # Errors
    /// The call came to nothing.
    pub async fn response(mut self) -> Result<Response, CallError> {
        if !self.sender.finished {
            let last = Message { fin: Some(Status::OK), ..Message::default() };
            match self.sender.send_message(last).await {
                // the response that is there already tells why it is
                Ok(()) | Err(CallError { cause: CallCause::Answered, .. }) => {}
                Err(error) => return Err(error),
            }
        }
        // kept until the response is there: dropping it would give the call up
        self.sender.finished = false;
        let response = poll_fn(|cx| {
            ready!(self.sender.end.poll_launched(cx));
            self.sender.end.cell.poll_response(cx)
        })
        .await;
        self.sender.finished = true;
        response
    }
}

/// An answer of many messages that a handler sends and its caller ends. Dropping it first closes
/// the call with [`Status::INTERNAL`].
#[derive(Debug)]
pub(super) struct Answer {
    end: End,
    ended: bool,
}

impl Answer {
    /// A sender for the handler, and what ends the call.
    pub(super) fn lend(incoming: Incoming) -> (Sender, Self) {
        let mut sender = incoming.responses();
        sender.lent = true;
        let launch = Launch::done(Arc::clone(&sender.end.launch.shared));
        let end = End { launch, cell: Arc::clone(&sender.end.cell), answers: true };
        (sender, Self { end, ended: false })
    }

    /// Ends the call as the handler says; what it ended itself stays.
    pub(super) fn end(mut self, result: Result<(), Status>) {
        self.ended = true;
        let finished = self.end.cell.is_finished();
        match result {
            Ok(()) if finished || self.end.cell.is_ended() => {}
            Ok(()) => {
                let last = Message { fin: Some(Status::OK), ..Message::default() };
                if self.end.cell.push_to_send(last) {
                    self.end.follow_up(Command::Flush { cell: Arc::clone(&self.end.cell) });
                }
            }
            Err(_) if finished => {}
            Err(status) => self.end.close(status),
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.ended && !self.end.cell.is_finished() {
            self.end.give_up();
        }
    }
}
