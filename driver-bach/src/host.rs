//! What stands at the end of a simulated network: a transport without sockets, clock or threads.

use core::net::SocketAddr;

use dcquic_proto::{link::Ecn, time::Timestamp};

pub mod dcquic;
pub mod quinn;

/// A message to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The transfer's number, which comes back in notices at both ends.
    pub transfer: u32,
    /// The receiver.
    pub to: SocketAddr,
    /// Bytes of payload.
    pub size: u64,
    /// Urgency from 0 (most) to 7 (least).
    pub priority: u8,
}

/// What a host has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A session with this peer is ready.
    Connected {
        /// The peer.
        peer: SocketAddr,
    },
    /// The receiver has the whole message, and checked it. Said once.
    Delivered {
        /// The transfer.
        transfer: u32,
    },
    /// The sender knows that the message arrived.
    Finished {
        /// The transfer.
        transfer: u32,
    },
    /// The message will not arrive.
    Failed {
        /// The transfer.
        transfer: u32,
        /// Why, for a person.
        cause: String,
    },
    /// The session with this peer is gone.
    PeerFailed {
        /// The peer.
        peer: SocketAddr,
    },
}

/// What a host sent and received so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes of payload put on the wire, again and again included.
    pub payload_sent: u64,
    /// Bytes of payload handed to the receiver, each once.
    pub payload_delivered: u64,
    /// Of `payload_sent`, the bytes that had been sent before.
    pub retransmitted: u64,
    /// Bytes of payload that arrived again.
    pub duplicate: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Bytes of datagrams sent.
    pub bytes_out: u64,
    /// Bytes of datagrams received.
    pub bytes_in: u64,
}

impl Counters {
    /// Adds what another host counted.
    pub fn add(&mut self, other: &Self) {
        self.payload_sent += other.payload_sent;
        self.payload_delivered += other.payload_delivered;
        self.retransmitted += other.retransmitted;
        self.duplicate += other.duplicate;
        self.datagrams_out += other.datagrams_out;
        self.datagrams_in += other.datagrams_in;
        self.bytes_out += other.bytes_out;
        self.bytes_in += other.bytes_in;
    }
}

/// A host cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct HostError(pub String);

impl core::iter::Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(each: I) -> Self {
        each.fold(Self::default(), |mut sum, counters| {
            sum.add(&counters);
            sum
        })
    }
}

/// A transport at one address of the simulated network.
pub trait Host {
    /// Begins a session so that later transfers find it.
    fn connect(&mut self, now: Timestamp, peer: SocketAddr);

    /// Starts a message.
    fn start(&mut self, now: Timestamp, order: Order);

    /// Takes a datagram from the network.
    fn handle(&mut self, now: Timestamp, from: SocketAddr, ecn: Ecn, payload: &mut [u8]);

    /// Does what is due.
    fn handle_timeout(&mut self, now: Timestamp);

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    fn poll_timeout(&self) -> Option<Timestamp>;

    /// Sends up to about `budget` bytes through `send(destination, ecn, bytes, control)`; `true` if
    /// more waits.
    fn poll_transmit(
        &mut self,
        now: Timestamp,
        budget: usize,
        send: &mut dyn FnMut(SocketAddr, Ecn, Vec<u8>, bool),
    ) -> bool;

    /// The next thing that the host has to say.
    fn poll_notice(&mut self, now: Timestamp) -> Option<Notice>;

    /// What was sent and received so far.
    fn counters(&self) -> Counters;

    /// Ends the run and says what should not have been left.
    fn finish(&mut self, now: Timestamp) -> Vec<String>;

    /// Bytes of messages that it holds, to send or received.
    fn memory(&self) -> u64 {
        0
    }

    /// What it has counted, for people who look for a cause.
    fn describe(&self) -> String {
        String::new()
    }

    /// Whether the same run gives the same bytes, and not only the same times and lengths.
    fn deterministic_bytes(&self) -> bool {
        true
    }
}
