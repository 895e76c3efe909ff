//! Everything that goes into an endpoint besides datagrams: commands and their arguments.

use bytes::Bytes;

use crate::{
    id::{Pattern, Priority, Status, StreamHandle},
    time::Timestamp,
    wire::frame::DependencyKind,
};

/// A message to send.
#[derive(Clone, Debug)]
pub enum Payload {
    /// All of it is at hand.
    Whole(Bytes),
    /// `size` bytes that the caller hands over piece by piece with
    /// [`Endpoint::supply`](super::Endpoint::supply), in order, as
    /// [`Event::SupplyWanted`](super::Event::SupplyWanted) asks.
    Supplied {
        /// Length of the whole message in bytes.
        size: u64,
    },
}

impl Default for Payload {
    /// An empty message.
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Payload {
    /// Length of the whole message in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Whole(bytes) => bytes.len() as u64,
            Self::Supplied { size } => *size,
        }
    }
}

/// Where a received message goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Destination {
    /// One contiguous piece of memory, handed over when complete.
    #[default]
    Memory,
    /// Record by record as each is opened, in any order, with its offset. The caller returns
    /// window with [`Endpoint::release`](super::Endpoint::release) as it consumes them.
    Records,
}

/// A call to start.
#[derive(Clone, Debug, Default)]
pub struct Open {
    /// The shape of the call.
    pub pattern: Pattern,
    /// Urgency among all calls of this endpoint.
    pub priority: Priority,
    /// For the peer's dispatch; readable before any payload is opened. Bounded by
    /// [`Config::max_metadata`](crate::config::Config::max_metadata).
    pub metadata: Bytes,
    /// Request headers, for the application; they share the bound of the metadata. May be empty.
    pub headers: Bytes,
    /// The request message. Must be empty if the pattern has many requests: each of them is sent
    /// with [`Endpoint::send`](super::Endpoint::send).
    pub payload: Payload,
    /// Where the response goes.
    pub response: Destination,
    /// A name of the call, unique among the calls of this endpoint that are open, if others may
    /// depend on it. The peer's events carry it.
    pub token: Option<u64>,
    /// Calls to the same peer that must come before this one. It is sent at once; the peer hands
    /// it to its application when they are out of the way.
    pub after: Vec<After>,
    /// When to give up with [`Outcome::Deadline`](super::Outcome::Deadline).
    pub deadline: Option<Timestamp>,
}

/// A call that must come before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct After {
    /// The other call, open and with a token.
    pub stream: StreamHandle,
    /// What of it must have happened, and what if it fails.
    pub kind: DependencyKind,
}

/// One message of a direction that carries many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Headers, readable before the payload is opened. Bounded by
    /// [`Config::max_metadata`](crate::config::Config::max_metadata).
    pub metadata: Bytes,
    /// The payload; none to send headers ahead, or the end of the direction behind the last
    /// payload.
    pub body: Option<Bytes>,
    /// Set on the last message: the status that the direction ends with.
    pub fin: Option<Status>,
}

/// The answer to a call.
#[derive(Clone, Debug)]
pub struct Respond {
    /// How the call ended.
    pub status: Status,
    /// For the caller; readable before the payload is opened.
    pub metadata: Bytes,
    /// The response message.
    pub payload: Payload,
}
