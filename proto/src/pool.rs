//! The handle that applications share: calls out, calls in, from any thread and any executor.

mod call;
mod cell;
mod connect;
mod doorbell;
mod error;
mod health;
mod incoming;
mod mailbox;
mod sync;
mod transfer;

use core::{net::SocketAddr, time::Duration};
use std::sync::Arc;

use bytes::Bytes;

pub use call::Call;
pub(crate) use cell::Cell;
pub use connect::Connect;
pub use error::{CallCause, CallError};
pub use health::HealthQuery;
pub use incoming::{Accept, Incoming, Responding};
use mailbox::Shared;
pub(crate) use mailbox::{Announced, Command, Mailbox, Start, connect};
pub use transfer::{Download, Head, Record, Upload, Writer};

use crate::{
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallOptions {
    /// The shape of the call.
    pub pattern: Pattern,
    /// Its urgency.
    pub priority: Priority,
    /// When to give up, counted from when the worker takes the call.
    pub deadline: Option<Duration>,
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

impl Pool {
    /// One request, one response.
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

    /// Greets a peer ahead of the first call to it, so that this need not wait for the answer.
    pub fn connect(&self, remote: SocketAddr) -> Connect {
        Connect::new(Arc::clone(&self.shared), remote)
    }

    /// How a peer is doing.
    pub fn health(&self, remote: SocketAddr) -> HealthQuery {
        HealthQuery::new(Arc::clone(&self.shared), remote)
    }

    /// The next call from a peer; `None` once the worker is gone.
    pub fn accept(&self) -> Accept {
        Accept::new(Arc::clone(&self.shared))
    }

    /// The worker's counters. Whatever the caller has been told of is counted in them.
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Asks the worker to end, after a moment for open calls.
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
        let cell = Arc::new(Cell::for_call(remote));
        let start = Start { remote, options, metadata, payload, response, cell };
        call::Starting::new(Arc::clone(&self.shared), start)
    }
}
