//! Everything that goes into an endpoint besides datagrams: commands and their arguments.

use bytes::Bytes;

use crate::{
    id::{Pattern, Priority, Status},
    time::Timestamp,
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
#[derive(Clone, Debug)]
pub struct Open {
    /// The shape of the call.
    pub pattern: Pattern,
    /// Urgency among all calls of this endpoint.
    pub priority: Priority,
    /// For the peer's dispatch; readable before any payload is opened. Bounded by
    /// [`Config::max_metadata`](crate::config::Config::max_metadata).
    pub metadata: Bytes,
    /// The request message.
    pub payload: Payload,
    /// Where the response goes.
    pub response: Destination,
    /// When to give up with [`Outcome::Deadline`](super::Outcome::Deadline).
    pub deadline: Option<Timestamp>,
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
