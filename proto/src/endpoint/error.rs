//! What commands answer when they refuse. Each is the caller's to act on; network noise never is.

use crate::config::ConfigError;

/// A peer could not be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddPeerError {
    /// [`Config::max_peers`](crate::config::Config::max_peers) are known already.
    #[error("the limit of {limit} peers is reached")]
    TooManyPeers {
        /// The limit.
        limit: usize,
    },
}

/// A call could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The peer is not known (any more).
    #[error("the peer is not available")]
    PeerUnavailable,
    /// The peer is silent, and is being probed: a later try may succeed.
    #[error("the peer is silent and is being probed")]
    PeerProbing,
    /// The peer has failed. It is probed slowly, and greeted anew, since somebody asks for it.
    #[error("the peer has failed")]
    PeerFailed,
    /// As many streams as the peer allows are open; one must close first.
    #[error("the limit of {limit} streams to this peer is reached")]
    TooManyStreams {
        /// The limit in force.
        limit: u32,
    },
    /// The metadata is longer than the limit.
    #[error("metadata of {len} bytes is over the limit of {limit}")]
    MetadataTooLarge {
        /// Its length in bytes.
        len: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// The message is longer than a transfer can be.
    #[error("a message of {size} bytes is over the limit of {limit}")]
    MessageTooLarge {
        /// Its length in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// No data key could be drawn.
    #[error("no data key is available")]
    NoDataKey,
    /// A call that must come before is not open, or goes to another peer.
    #[error("a call that this one depends on is not open at the same peer")]
    UnknownDependency,
    /// More dependencies than a notify holds.
    #[error("a call depends on {limit} others at most")]
    TooManyDependencies {
        /// The limit.
        limit: usize,
    },
    /// A stream of many requests is opened without one; each of them is sent afterwards.
    #[error("a stream of many requests is opened without one: send them one by one")]
    UnexpectedPayload,
}

/// A stream cannot do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The stream is not open: it has had its [`Closed`](super::Event::Closed) event, or never was.
    #[error("the stream is not open")]
    UnknownStream,
    /// The stream is in a state in which this makes no sense.
    #[error("the stream does not expect this now")]
    WrongState,
    /// The message is longer than memory allows; take it record by record, or refuse it.
    #[error("a message of {size} bytes is over the memory limit of {limit}")]
    TooLargeForMemory {
        /// Its length in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
}

/// A response could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RespondError {
    /// The stream cannot be answered (now).
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The message cannot be sent.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A message of a stream of many was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The peer takes no more for now, or every transfer slot is taken.
    #[error("the stream has no credit for another message now")]
    Blocked,
    /// The last message was sent before.
    #[error("the last message of the stream was sent already")]
    Finished,
    /// The stream cannot be sent to.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// The message cannot be sent.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// A piece of a message was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupplyError {
    /// The stream is not open.
    #[error("the stream is not open")]
    UnknownStream,
    /// The stream's message was given whole, or is supplied already.
    #[error("the message needs no supply")]
    NotWanted,
    /// More bytes than the message was announced with.
    #[error("the piece goes {excess} bytes past the end of the message")]
    PastEnd {
        /// Bytes too many.
        excess: u64,
    },
}

/// An endpoint could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NewEndpointError {
    /// The configuration cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
}
