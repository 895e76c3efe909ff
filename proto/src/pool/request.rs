//! What a handler is told of a call.

use core::net::SocketAddr;

use bytes::Bytes;

use super::Incoming;
use crate::{
    id::{Incarnation, Pattern, Priority},
    time::Timestamp,
};

/// A call, as a handler of [`Methods`](super::Methods) gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request {
    /// Where the caller is.
    pub remote: SocketAddr,
    /// Which life of the caller this is.
    pub incarnation: Incarnation,
    /// The shape of the call.
    pub pattern: Pattern,
    /// Urgency that the caller gave it.
    pub priority: Priority,
    /// What stands behind the method's name in the metadata; empty if nothing does.
    pub arguments: Bytes,
    /// The caller's request headers; empty if it sent none.
    pub headers: Bytes,
    /// When the caller gives up, if it said so: the call then ends here too.
    pub expires: Option<Timestamp>,
    /// Length of the request message in bytes; 0 if there are many.
    pub size: u64,
    /// The request message, of a unary call and of one with a streaming response; empty for the
    /// other patterns, whose handlers read it.
    pub body: Bytes,
}

impl Request {
    pub(super) fn of(incoming: &Incoming, body: Bytes) -> Self {
        Self {
            remote: incoming.remote(),
            incarnation: incoming.incarnation(),
            pattern: incoming.pattern(),
            priority: incoming.priority(),
            arguments: incoming.arguments(),
            headers: incoming.headers().clone(),
            expires: incoming.expires(),
            size: incoming.size(),
            body,
        }
    }
}
