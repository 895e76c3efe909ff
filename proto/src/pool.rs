//! The handle that applications share: calls out, calls in, from any thread and any executor.
//!
//! Nothing here blocks a thread. A function that is not `async` and returns no future is done when
//! it returns: it holds a lock for a few instructions at most, and leaves the rest to the worker. A
//! future suspends its task until the worker has something for it, on any executor.
//!
//! What comes to nothing ends in a [`CallError`]: the peer, and a [`CallCause`]. Which causes there
//! can be depends on how far the call came, not on its pattern:
//!
//! - [`CallCause::AddPeer`], [`CallCause::Start`]: it was never started, here is why.
//! - [`CallCause::Refused`], [`CallCause::ClosedByPeer`]: the peer said so, with a status. An
//!   acceptor that rejects and a handler that fails end here.
//! - [`CallCause::Deadline`], [`CallCause::PeerFailed`]: nobody answered in time.
//! - [`CallCause::Answered`]: there is a response already, and nothing more can be sent.
//! - [`CallCause::Cancelled`], [`CallCause::WorkerGone`]: this side ended it.

mod acceptor;
mod call;
mod cell;
mod connect;
mod doorbell;
mod error;
mod health;
mod incoming;
mod lanes;
mod mailbox;
mod messages;
mod methods;
mod question;
mod request;
mod rings;
mod room;
mod shedding;
mod sink;
mod sync;
mod transfer;

use core::{net::SocketAddr, time::Duration};
use std::sync::Arc;

use bytes::Bytes;

pub use acceptor::{Acceptor, AcceptorInstalled, Announcement, Decision, Load};
pub use call::Call;
pub(crate) use cell::Cell;
pub use connect::Connect;
pub use error::{CallCause, CallError};
pub use health::HealthQuery;
pub use incoming::{Accept, Incoming, Responding};
pub(crate) use mailbox::{Announced, Command, Mailbox, Shared, Start, connect};
pub use messages::{Receiver, Requests, Sender};
pub use methods::{Handling, Methods};
pub use request::Request;
pub use rings::RingConfig;
pub use shedding::LoadShedding;
pub use sink::{PastEnd, ReceiveError, RecordSink, Tee};
pub use transfer::{Download, Head, Record, Upload, Writer};

use crate::{
    causality::Dependency,
    endpoint::{Destination, Payload, Stats},
    id::{Pattern, Priority, Status},
};

/// Calls to peers by address, and calls from them. Cheap to clone.
///
/// A peer that has not greeted us is greeted when it is first called or connected to, and again
/// after it failed. Calls to a peer that is silent or has failed end at once (see
/// [`StartError`](crate::endpoint::StartError)) until it is heard again. Futures need no runtime:
/// they work on tokio, smol or a plain `block_on`. Dropping one gives its call up, and the peer is
/// told.
///
/// ```no_run
/// # use dcquic_proto::pool::{Pool, CallError};
/// # async fn example(pool: Pool) -> Result<(), CallError> {
/// let remote = "10.0.0.7:4433".parse().unwrap();
/// let response = pool.unary(remote, "echo".into(), "hello".into()).await?;
/// assert_eq!(response.body, "hello");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Pool {
    shared: Arc<Shared>,
}

/// What a caller may choose.
///
/// ```no_run
/// # use dcquic_proto::{id::Priority, pool::{CallError, CallOptions, Pool}};
/// # async fn example(pool: Pool, server: core::net::SocketAddr) -> Result<(), CallError> {
/// let options = CallOptions {
///     priority: Priority::HIGHEST,
///     deadline: Some(core::time::Duration::from_millis(20)),
///     ..CallOptions::default()
/// };
/// let response = pool.call(server, options, "echo".into(), "hello".into()).await?;
/// # let _ = response;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// The shape of the call.
    pub pattern: Pattern,
    /// Its urgency.
    pub priority: Priority,
    /// When to give up, counted from when the worker takes the call.
    pub deadline: Option<Duration>,
    /// Request headers; with the metadata, bounded by
    /// [`Config::max_metadata`](crate::config::Config::max_metadata).
    pub headers: Bytes,
    /// Gives the call a name, so that others can depend on it: see [`Call::token`].
    pub named: bool,
    /// Calls that must come before this one. Those to the same peer cost no round trip: this one
    /// is sent at once, and the peer keeps the order. A call that depends on others has a name
    /// itself.
    pub after: Vec<Dependency>,
}

/// The answer to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// How the call ended at the peer.
    pub status: Status,
    /// The responder's metadata.
    pub metadata: Bytes,
    /// The response message; empty if it was taken record by record.
    pub body: Bytes,
}

/// Success with a body.
impl From<Bytes> for Response {
    fn from(body: Bytes) -> Self {
        Self { status: Status::OK, metadata: Bytes::new(), body }
    }
}

impl Pool {
    /// One request, one response.
    ///
    /// Returns at once, as all that start calls do; a call is handed to the worker when its future
    /// is first polled, waits there for room if very many are started, and tells of every error.
    pub fn unary(&self, remote: SocketAddr, metadata: Bytes, body: Bytes) -> Call {
        self.call(remote, CallOptions::default(), metadata, body)
    }

    /// One request, one response, with options.
    pub fn call(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
        body: Bytes,
    ) -> Call {
        Call::new(self.start(remote, options, metadata, Payload::Whole(body), Destination::Memory))
    }

    /// One large message that is at hand, one response.
    pub fn bulk_bytes(&self, remote: SocketAddr, metadata: Bytes, body: Bytes) -> Call {
        let options = CallOptions { pattern: Pattern::Bulk, ..CallOptions::default() };
        self.call(remote, options, metadata, body)
    }

    /// One message of `size` bytes that is written piece by piece, one response.
    pub fn bulk(&self, remote: SocketAddr, metadata: Bytes, size: u64) -> Upload {
        let options = CallOptions { pattern: Pattern::Bulk, ..CallOptions::default() };
        let payload = Payload::Supplied { size };
        Upload::new(self.start(remote, options, metadata, payload, Destination::Memory), size)
    }

    /// One request, one response that is read record by record.
    pub fn download(&self, remote: SocketAddr, metadata: Bytes, body: Bytes) -> Download {
        let payload = Payload::Whole(body);
        let options = CallOptions::default();
        Download::new(self.start(remote, options, metadata, payload, Destination::Records))
    }

    /// One request, any number of responses.
    pub fn streaming_response(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
        body: Bytes,
    ) -> Receiver {
        let options = CallOptions { pattern: Pattern::StreamingResponse, ..options };
        let (launch, cell) = self.launch_messages(remote, options, metadata, body);
        Receiver::of_caller(launch, cell)
    }

    /// Any number of requests, one response.
    pub fn streaming_request(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
    ) -> Requests {
        let options = CallOptions { pattern: Pattern::StreamingRequest, ..options };
        let (launch, cell) = self.launch_messages(remote, options, metadata, Bytes::new());
        Requests::new(Sender::of_caller(launch, cell))
    }

    /// Any number of requests and of responses, each side at its own pace. The call starts when
    /// the sender is first used.
    pub fn bidirectional(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
    ) -> (Sender, Receiver) {
        let options = CallOptions { pattern: Pattern::Bidirectional, ..options };
        let (launch, cell) = self.launch_messages(remote, options, metadata, Bytes::new());
        let beside = call::Launch::done(Arc::clone(&self.shared));
        let receiver = Receiver::of_caller(beside, Arc::clone(&cell));
        let sender = Sender::of_caller(launch, cell);
        (sender, receiver)
    }

    /// Greets a peer ahead of the first call to it, so that this need not wait for the answer.
    /// Fails as [`CallCause::AddPeer`] or [`CallCause::PeerFailed`].
    pub fn connect(&self, remote: SocketAddr) -> Connect {
        Connect::new(Arc::clone(&self.shared), remote)
    }

    /// How a peer is doing.
    pub fn health(&self, remote: SocketAddr) -> HealthQuery {
        HealthQuery::new(Arc::clone(&self.shared), remote)
    }

    /// The next call from a peer; `None` once the worker is gone.
    ///
    /// More urgent calls come first: while calls of several priorities wait, four of five are of
    /// the most urgent one, and four of five of the rest of the next, so that none starves.
    pub fn accept(&self) -> Accept {
        Accept::new(Arc::clone(&self.shared))
    }

    /// Installs who decides, when calls from peers are announced, what becomes of them. Without,
    /// all go to [`Self::accept`], up to 16,384 of a priority that nobody has taken; more are
    /// closed with [`Status::OVERLOADED`].
    ///
    /// It decides on the calls that are announced from the worker's next turn on.
    ///
    /// # Errors
    /// There is one already.
    pub fn set_acceptor(&self, acceptor: impl Acceptor) -> Result<(), AcceptorInstalled> {
        match self.shared.set_acceptor(Box::new(acceptor)) {
            true => Ok(()),
            false => Err(AcceptorInstalled),
        }
    }

    /// The worker's counters, as of its latest turn. Whatever the caller has been told of is
    /// counted in them.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Calls that wait for the worker to take them, by the level of their priority, at this moment.
    /// Where a level is as long as its ring ([`RingConfig`]), more calls wait in their futures.
    pub fn waiting(&self) -> [usize; Priority::LEVELS] {
        self.shared.waiting()
    }

    /// Names of calls in use at this moment: those of calls that have not ended, and of failed ones
    /// that somebody may still depend on ([`Call::token`]).
    pub fn names(&self) -> usize {
        self.shared.causality().live()
    }

    /// Asks the worker to end, after a moment for open calls; does not wait for it. Calls that
    /// are open then fail as [`CallCause::WorkerGone`], here, and are closed with
    /// [`Status::SHUTDOWN`] at their peers.
    pub fn shutdown(&self) {
        self.shared.shut_down();
    }

    fn start(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
        payload: Payload,
        response: Destination,
    ) -> call::Starting {
        let (launch, cell) = self.launch(remote, options, metadata, payload, response);
        call::Starting::new(launch, cell)
    }

    /// A call that is made of messages; `body` is its request if there is only one.
    fn launch_messages(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
        body: Bytes,
    ) -> (call::Launch, Arc<Cell>) {
        self.launch(remote, options, metadata, Payload::Whole(body), Destination::Memory)
    }

    fn launch(
        &self,
        remote: SocketAddr,
        options: CallOptions,
        metadata: Bytes,
        payload: Payload,
        response: Destination,
    ) -> (call::Launch, Arc<Cell>) {
        let mut dependent = None;
        let mut unnamed = None;
        if options.named || !options.after.is_empty() {
            match self.shared.causality().allocate(options.after.iter().cloned()) {
                Ok(named) => dependent = Some(named),
                Err(error) => unnamed = Some(CallCause::Causality(error)),
            }
        }
        let token = dependent.as_ref().map(|dependent| dependent.guard().clone());
        let cell = Arc::new(Cell::for_call(remote, token));
        if let Some(cause) = unnamed {
            cell.fail(cause);
        }
        let start = Start {
            remote,
            options,
            metadata,
            payload,
            response,
            cell: Arc::clone(&cell),
            dependent,
            expires: None,
        };
        (call::Launch::new(Arc::clone(&self.shared), start), cell)
    }
}
