//! What a driver implements: receive a batch, send a batch.

use core::{net::SocketAddr, num::NonZeroUsize};

pub use crate::endpoint::output::{Transmit, TransmitQueue};

/// The two ECN bits of the IP header (RFC 3168).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ecn {
    /// Not ECN-capable.
    #[default]
    NotEct,
    /// ECN-capable, codepoint ECT(1).
    Ect1,
    /// ECN-capable, codepoint ECT(0).
    Ect0,
    /// Congestion experienced.
    Ce,
}

impl Ecn {
    /// The codepoint from the two low bits of the traffic class.
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0b01 => Self::Ect1,
            0b10 => Self::Ect0,
            0b11 => Self::Ce,
            _ => Self::NotEct,
        }
    }

    /// The two bits for the traffic class.
    pub const fn bits(self) -> u8 {
        match self {
            Self::NotEct => 0b00,
            Self::Ect1 => 0b01,
            Self::Ect0 => 0b10,
            Self::Ce => 0b11,
        }
    }
}

/// Where a received buffer came from, and how it divides into datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatagramInfo {
    /// The address it was sent to, where the link knows it.
    pub local: Option<SocketAddr>,
    /// The address it came from.
    pub remote: SocketAddr,
    /// The ECN bits it arrived with.
    pub ecn: Ecn,
    /// If the buffer holds several datagrams (GRO): the length of each but the last.
    pub segment_size: Option<NonZeroUsize>,
}

/// What a link can do; read once when a worker starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// The largest UDP payload the link can carry, in bytes.
    pub max_datagram: usize,
    /// How many datagrams one [`Transmit`] may hold (GSO); 1 means none.
    pub max_segments: usize,
    /// Bytes of datagrams that the receive queue holds before it drops.
    pub receive_buffer: usize,
    /// Whether ECN bits are sent and reported.
    pub ecn: bool,
}

/// A batch transport under a worker: UDP, EFA or a simulated network.
pub trait Link {
    /// A fault of the link itself. What the network loses is not an error.
    type Error: core::error::Error + Send + Sync + 'static;

    /// What the link can do.
    fn capabilities(&self) -> Capabilities;

    /// The address peers can reach this link at.
    fn local_address(&self) -> SocketAddr;

    /// Hands over what has arrived, at most one batch, without waiting.
    ///
    /// Returns the number of buffers handed over; 0 means nothing was waiting.
    ///
    /// # Errors
    /// The link is broken and the worker must stop.
    fn receive(
        &mut self,
        handle: &mut dyn FnMut(DatagramInfo, &mut [u8]),
    ) -> Result<usize, Self::Error>;

    /// Sends from the front of the queue without waiting, and removes what was taken.
    ///
    /// A transmission is taken whole or not at all; what the link refuses for now stays queued.
    /// Returns `true` if the queue is empty.
    ///
    /// # Errors
    /// The link is broken and the worker must stop. A destination that cannot be reached is not an
    /// error of the link: that transmission counts as lost.
    fn transmit(&mut self, queue: &mut TransmitQueue) -> Result<bool, Self::Error>;

    /// Bytes of datagrams that the link would send without letting them queue; at 0, it wakes its
    /// driver once there is room.
    ///
    /// A worker writes no more than this at a time, so that what it decides later can still go
    /// first. A link that does not know, or whose queue is somebody else's, says all of them.
    fn room(&mut self) -> usize {
        usize::MAX
    }

    /// The next address that the network says cannot be reached (ICMP), where the link is told.
    fn poll_unreachable(&mut self) -> Option<SocketAddr> {
        None
    }
}
