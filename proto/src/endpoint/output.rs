//! Everything that comes out of an endpoint: transmissions, events and the next deadline.

use core::{net::SocketAddr, num::NonZeroUsize, ops::Range};
use std::collections::VecDeque;

use bytes::Bytes;

use crate::{
    health::{HealthCause, HealthFigures, HealthState},
    id::{Incarnation, Pattern, PeerId, Priority, Status, StreamHandle},
    link::Ecn,
    time::Timestamp,
};

/// One datagram, or several of equal length for one destination (GSO).
///
/// The bytes are [`TransmitQueue::parts`]: freshly written headers, and slices of records that are
/// already sealed. Bulk payload is never copied to send it.
#[derive(Clone, Debug)]
pub struct Transmit {
    /// Where to send it.
    pub destination: SocketAddr,
    /// The ECN bits to send it with.
    pub ecn: Ecn,
    /// If it holds several datagrams: the length of each but the last, which may be shorter.
    pub segment_size: Option<NonZeroUsize>,
    /// Total length in bytes.
    pub len: usize,
    /// Not to be sent before this time.
    pub release_at: Timestamp,
    parts: Range<u64>,
}

/// A piece of a transmission's bytes.
#[derive(Clone, Debug)]
enum Part {
    /// Bytes of the queue's own header memory, by absolute position.
    Header(Range<u64>),
    /// A slice of a sealed record.
    Payload(Bytes),
}

/// Transmissions on their way to a link, first in, first out.
///
/// A driver keeps one queue and reuses it: once warm it does not allocate.
#[derive(Debug, Default)]
pub struct TransmitQueue {
    transmits: VecDeque<Transmit>,
    parts: VecDeque<Part>,
    headers: Vec<u8>,
    /// Absolute position of the front of `parts`, and of the first byte of `headers`.
    parts_base: u64,
    headers_base: u64,
    /// Bytes at the front of `headers` that no transmission uses any more.
    headers_spent: usize,
    bytes: usize,
}

impl TransmitQueue {
    /// An empty queue.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of transmissions waiting.
    pub fn len(&self) -> usize {
        self.transmits.len()
    }

    /// Whether nothing is waiting.
    pub fn is_empty(&self) -> bool {
        self.transmits.is_empty()
    }

    /// Total bytes waiting.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The next transmission.
    pub fn front(&self) -> Option<&Transmit> {
        self.transmits.front()
    }

    /// The `index`th transmission from the front, for links that send several at once.
    pub fn get(&self, index: usize) -> Option<&Transmit> {
        self.transmits.get(index)
    }

    /// The bytes of a transmission that is still in this queue, in order.
    pub fn parts<'a>(&'a self, transmit: &Transmit) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let range = (transmit.parts.start - self.parts_base) as usize
            ..(transmit.parts.end - self.parts_base) as usize;
        self.parts.range(range).map(|part| match part {
            Part::Header(range) => {
                let start = (range.start - self.headers_base) as usize;
                &self.headers[start..start + (range.end - range.start) as usize]
            }
            Part::Payload(bytes) => bytes.as_ref(),
        })
    }

    /// Appends the bytes of a transmission of this queue to `out`.
    pub fn copy_to(&self, transmit: &Transmit, out: &mut Vec<u8>) {
        for part in self.parts(transmit) {
            out.extend_from_slice(part);
        }
    }

    /// Removes the front transmission, sent or given up.
    pub fn pop_front(&mut self) -> Option<Transmit> {
        let transmit = self.transmits.pop_front()?;
        self.bytes -= transmit.len;
        let count = (transmit.parts.end - self.parts_base) as usize;
        for part in self.parts.drain(..count) {
            if let Part::Header(range) = part {
                self.headers_spent = (range.end - self.headers_base) as usize;
            }
        }
        self.parts_base = transmit.parts.end;
        // moving what is left costs at most as much as writing what was spent
        if self.headers_spent * 2 >= self.headers.len() {
            self.headers.drain(..self.headers_spent);
            self.headers_base += self.headers_spent as u64;
            self.headers_spent = 0;
        }
        Some(transmit)
    }

    /// Starts a transmission; nothing of it can be seen until [`TransmitBuilder::finish`].
    pub fn build(&mut self) -> TransmitBuilder<'_> {
        let first_part = self.parts_base + self.parts.len() as u64;
        TransmitBuilder { first_part, len: 0, queue: self }
    }
}

/// Writes one transmission to the end of a queue.
#[derive(Debug)]
pub struct TransmitBuilder<'a> {
    queue: &'a mut TransmitQueue,
    first_part: u64,
    len: usize,
}

impl TransmitBuilder<'_> {
    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written so far.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends `len` header bytes, zeroed, and returns them for the caller to fill.
    pub fn header(&mut self, len: usize) -> &mut [u8] {
        let queue = &mut *self.queue;
        let start = queue.headers.len();
        queue.headers.resize(start + len, 0);
        let position = queue.headers_base + start as u64;
        queue.parts.push_back(Part::Header(position..position + len as u64));
        self.len += len;
        &mut queue.headers[start..]
    }

    /// The bytes of the last [`Self::header`]; empty if a payload came after it.
    pub fn last_header(&mut self) -> &mut [u8] {
        let queue = &mut *self.queue;
        match queue.parts.back() {
            Some(Part::Header(range)) => {
                let start = (range.start - queue.headers_base) as usize;
                &mut queue.headers[start..]
            }
            _ => &mut [],
        }
    }

    /// Shortens the last [`Self::header`] to its first `len` bytes.
    pub fn truncate_header(&mut self, len: usize) {
        let queue = &mut *self.queue;
        let Some(Part::Header(range)) = queue.parts.back_mut() else {
            debug_assert!(false, "the last part is not a header");
            return;
        };
        let cut = (range.end - range.start) as usize - len;
        range.end -= cut as u64;
        let kept = queue.headers.len() - cut;
        queue.headers.truncate(kept);
        self.len -= cut;
    }

    /// Appends a slice of a sealed record.
    pub fn payload(&mut self, bytes: Bytes) {
        self.len += bytes.len();
        self.queue.parts.push_back(Part::Payload(bytes));
    }

    /// Makes the transmission visible at the end of the queue.
    pub fn finish(
        self,
        destination: SocketAddr,
        ecn: Ecn,
        segment_size: Option<NonZeroUsize>,
        release_at: Timestamp,
    ) {
        let end = self.queue.parts_base + self.queue.parts.len() as u64;
        self.queue.bytes += self.len;
        self.queue.transmits.push_back(Transmit {
            destination,
            ecn,
            segment_size,
            len: self.len,
            release_at,
            parts: self.first_part..end,
        });
    }

    /// Takes back everything written.
    pub fn abandon(self) {
        while self.queue.parts_base + self.queue.parts.len() as u64 > self.first_part {
            if let Some(Part::Header(range)) = self.queue.parts.pop_back() {
                let kept = (range.start - self.queue.headers_base) as usize;
                self.queue.headers.truncate(kept);
            }
        }
    }
}

/// The next time an endpoint wants [`handle_timeout`](super::Endpoint::handle_timeout).
///
/// A soft deadline: calling early is harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// When.
    pub at: Timestamp,
    /// What for; of several, the earliest.
    pub reason: WakeReason,
}

/// What a [`Wakeup`] is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WakeReason {
    /// A hello was not answered yet.
    Hello,
    /// Acknowledgements were held back to ride on other packets.
    Acknowledge,
    /// A notify was not accepted yet.
    Notify,
    /// Pulled bytes did not arrive yet.
    Pull,
    /// A close was not acknowledged yet.
    Close,
    /// The peer has been silent.
    Idle,
    /// A call's deadline.
    Deadline,
    /// A stream waits for credit that may have got lost.
    Credit,
    /// Pulls become possible, or a paced transmission is due.
    Pace,
}

/// A notice to the application.
#[derive(Clone, Debug)]
pub enum Event {
    /// The peer proved that it holds the key; calls flow.
    PeerConnected {
        /// The peer.
        peer: PeerId,
        /// Where it is reached.
        remote: SocketAddr,
        /// Which life of the peer this is.
        incarnation: Incarnation,
    },
    /// A connected peer does better or worse than before.
    ///
    /// When it fails, its streams have been closed, each with its own event.
    PeerHealth {
        /// The peer.
        peer: PeerId,
        /// Where it is reached.
        remote: SocketAddr,
        /// How it was doing.
        from: HealthState,
        /// How it is doing.
        to: HealthState,
        /// Why.
        cause: HealthCause,
        /// What it is judged by.
        figures: HealthFigures,
    },
    /// The peer is forgotten; its streams have been closed, each with its own event.
    ///
    /// A peer that was connected and fell silent has failed long before, which
    /// [`Event::PeerHealth`] told. An endpoint that greets a failed peer anew gives it a new id,
    /// which this event may name though no other event did.
    PeerFailed {
        /// The peer.
        peer: PeerId,
        /// Where it was reached.
        remote: SocketAddr,
        /// Why.
        cause: PeerFailure,
    },
    /// The peer opened a stream and offers its request.
    ///
    /// With a body the request is complete. Without, the application answers with
    /// [`Endpoint::receive`](super::Endpoint::receive) or
    /// [`Endpoint::cancel`](super::Endpoint::cancel); requests of at most
    /// [`Config::auto_receive`](crate::config::Config::auto_receive) bytes are received to memory
    /// without being asked for, and this event then comes with the whole body.
    Opened {
        /// The stream.
        stream: StreamHandle,
        /// What the caller says of the call.
        offer: Offer,
        /// The request itself, if it has all been received. None if the pattern has many requests:
        /// each of them is an [`Event::Message`].
        body: Option<Bytes>,
    },
    /// The peer has the request of a stream that was opened with a token; if there are many, what
    /// opens it.
    Sent {
        /// The stream.
        stream: StreamHandle,
    },
    /// The next message of a direction that carries many, in order.
    ///
    /// The application says with [`Endpoint::consume`](super::Endpoint::consume) what it has taken,
    /// and so lets the peer go on.
    Message {
        /// The stream.
        stream: StreamHandle,
        /// The message's headers; may be empty.
        metadata: Bytes,
        /// The payload; none if the peer sent headers alone, or the end of its direction.
        body: Option<Bytes>,
        /// Set on the last message: the status that the direction ends with.
        fin: Option<Status>,
    },
    /// A stream that refused a message with [`SendError::Blocked`](super::SendError::Blocked) can
    /// be sent to again.
    Writable {
        /// The stream.
        stream: StreamHandle,
    },
    /// The peer answers a stream opened here.
    ///
    /// With a body the response is complete; without, [`Event::Record`]s follow.
    Response {
        /// The stream.
        stream: StreamHandle,
        /// How the call ended at the peer.
        status: Status,
        /// The responder's metadata.
        metadata: Bytes,
        /// Length of the response in bytes.
        size: u64,
        /// The response itself, if it has all been received.
        body: Option<Bytes>,
    },
    /// A record of a message that is received with
    /// [`Destination::Records`](super::Destination::Records) was opened.
    Record {
        /// The stream.
        stream: StreamHandle,
        /// Its position in the message, in bytes.
        offset: u64,
        /// The record's plaintext.
        data: Bytes,
    },
    /// A message taken with [`Endpoint::receive`](super::Endpoint::receive) is complete. Every
    /// record of it was delivered before.
    Received {
        /// The stream.
        stream: StreamHandle,
        /// The whole message, for [`Destination::Memory`](super::Destination::Memory).
        body: Option<Bytes>,
    },
    /// More of a [`Payload::Supplied`](super::Payload::Supplied) message can be taken.
    SupplyWanted {
        /// The stream.
        stream: StreamHandle,
        /// The message is wanted up to this offset; what was supplied before counts.
        up_to: u64,
    },
    /// The last event of every stream, exactly once.
    Closed {
        /// The stream.
        stream: StreamHandle,
        /// How it ended.
        outcome: Outcome,
    },
}

/// What the caller says of a call that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// The shape of the call.
    pub pattern: Pattern,
    /// Urgency that the caller gave it.
    pub priority: Priority,
    /// Open calls of the same peer that have to come before this one. They were announced before;
    /// whoever hands calls out in another order has to keep them in front.
    pub after: Vec<StreamHandle>,
    /// The caller's metadata.
    pub metadata: Bytes,
    /// The caller's request headers; empty if it sent none.
    pub headers: Bytes,
    /// Length of the request in bytes; 0 if the pattern has many requests.
    pub size: u64,
    /// The caller's name for the call, if it gave one: unique among its open calls.
    pub token: Option<u64>,
    /// When the caller gives up, if it said so; the stream then ends here too.
    pub expires: Option<Timestamp>,
}

#[cfg(test)]
impl Offer {
    /// What tests offer.
    pub(crate) fn unary(level: u8, metadata: impl Into<Bytes>, size: u64) -> Self {
        let priority = Priority::new(level).unwrap();
        let (metadata, headers) = (metadata.into(), Bytes::new());
        let (pattern, token, expires) = (Pattern::Unary, None, None);
        let after = Vec::new();
        Self { pattern, priority, after, metadata, headers, size, token, expires }
    }
}

impl Event {
    /// Whether with it the application has all of a stream's request, or what opens a stream of
    /// many.
    pub(crate) const fn delivers_request(&self) -> bool {
        match self {
            Self::Opened { offer, body, .. } => body.is_some() || offer.pattern.has_many_requests(),
            Self::Received { .. } => true,
            _ => false,
        }
    }
}

/// How a stream ended, as far as this side knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Request and response were delivered.
    Complete,
    /// The peer refused or closed it with this status.
    ClosedByPeer(Status),
    /// [`Endpoint::cancel`](super::Endpoint::cancel) was called here.
    Cancelled,
    /// The deadline passed.
    Deadline,
    /// This side could not take the peer's message, or not send its own.
    Refused(Status),
    /// The peer failed.
    PeerFailed(PeerFailure),
    /// The peer is heard, but left the message unanswered however often it was repeated.
    Unanswered,
}

/// Why a peer is given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PeerFailure {
    /// No hello was answered in time: nobody there, or nobody with this key.
    #[error("no answer to the hello: the peer is unreachable or holds another key")]
    NoAnswer,
    /// Work was outstanding and nothing authentic was heard for the idle timeout.
    #[error("the peer fell silent while work was outstanding")]
    Silent,
    /// [`Endpoint::remove_peer`](super::Endpoint::remove_peer) was called here.
    #[error("the peer was removed")]
    Removed,
    /// It was idle, and its place was needed for another.
    #[error("the idle peer made room for another")]
    Evicted,
    /// Packets can no longer be sealed: every key epoch is used up.
    #[error("every key epoch is used up")]
    KeysExhausted,
    /// The link reports that the address cannot be reached.
    #[error("the address cannot be reached")]
    Unreachable,
    /// It had failed, and a new session with its address has begun.
    #[error("a new session with its address took the place of the failed peer")]
    Replaced,
}
