//! Why a call came to nothing.

use core::net::SocketAddr;

use crate::{
    causality::AllocateError,
    endpoint::{
        AddPeerError, PeerFailure, RespondError, SendError, StartError, StreamError, SupplyError,
    },
    id::Status,
};

/// A call, out or in, that came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{remote}: {cause}")]
pub struct CallError {
    /// The peer.
    pub remote: SocketAddr,
    /// What happened.
    #[source]
    pub cause: CallCause,
}

/// What happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallCause {
    /// The call could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The peer could not be greeted.
    #[error(transparent)]
    AddPeer(#[from] AddPeerError),
    /// The response could not be started.
    #[error(transparent)]
    Respond(#[from] RespondError),
    /// The message could not be taken as asked.
    #[error(transparent)]
    Stream(#[from] StreamError),
    /// A message of a stream could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
    /// A piece of a message was refused.
    #[error(transparent)]
    Supply(#[from] SupplyError),
    /// The peer failed.
    #[error(transparent)]
    PeerFailed(#[from] PeerFailure),
    /// The peer closed the call.
    #[error("the peer closed the call: {0}")]
    ClosedByPeer(Status),
    /// This side could not take the peer's message, or not send its own.
    #[error("the message was refused here: {0}")]
    Refused(Status),
    /// The peer is heard, but left the message unanswered however often it was repeated.
    #[error("the peer left the message unanswered")]
    Unanswered,
    /// The deadline passed.
    #[error("the deadline passed")]
    Deadline,
    /// The call was given up here.
    #[error("the call was cancelled")]
    Cancelled,
    /// The peer answered before it had the whole message; the response tells why.
    #[error("the peer answered before it had the whole message")]
    Answered,
    /// A call that this one depends on has failed.
    #[error("a call that this one depends on has failed")]
    DependencyFailed,
    /// The call got no name.
    #[error(transparent)]
    Causality(#[from] AllocateError),
    /// The worker has ended.
    #[error("the worker has ended")]
    WorkerGone,
}

/// The status that tells a peer of it, as a handler does that cannot go on.
impl From<CallError> for Status {
    fn from(error: CallError) -> Self {
        match error.cause {
            CallCause::ClosedByPeer(status) | CallCause::Refused(status) => status,
            CallCause::Stream(StreamError::TooLargeForMemory { .. }) => Self::TOO_LARGE,
            CallCause::Cancelled => Self::CANCELLED,
            CallCause::Deadline => Self::DEADLINE,
            CallCause::WorkerGone => Self::SHUTDOWN,
            _ => Self::INTERNAL,
        }
    }
}
