//! Frames, and the names of what carries them.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};

use dcquic_proto::link::Ecn;
use serde::{Deserialize, Serialize};

use super::Picos;

/// Bytes of the IPv4 and UDP headers.
pub const IP_UDP_BYTES: u64 = 28;
/// Bytes that Ethernet adds to an IP packet on the wire: header 14, checksum 4, preamble 8, gap 12.
pub const ETHERNET_BYTES: u64 = 38;

/// The UDP port of every simulated host.
const UDP_PORT: u16 = 4433;
/// The address before that of the first NIC; 10.0.0.0 itself is left out.
const NETWORK: u32 = u32::from_be_bytes([10, 0, 0, 0]);

/// One UDP datagram in its frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// A number for traces, of the sender's choice. A duplicate keeps it.
    pub id: u64,
    /// Where it says that it comes from.
    pub from: SocketAddr,
    /// Where it goes.
    pub to: SocketAddr,
    /// The ECN bits, which ports on the way may set to congestion experienced.
    pub ecn: Ecn,
    /// Whether this is a small control packet, which ports may be told to prefer.
    pub control: bool,
    /// The UDP payload.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Bytes that the frame occupies on a wire, with everything around the payload.
    pub fn wire_len(&self) -> u64 {
        self.ip_len() + ETHERNET_BYTES
    }

    /// Length of the IP packet, which the MTU bounds.
    pub fn ip_len(&self) -> u64 {
        self.payload.len() as u64 + IP_UDP_BYTES
    }
}

/// One network interface; NIC `n` of host `h` is number `h * nics_per_host + n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NicId(pub u32);

impl NicId {
    /// Its address: dense from 10.0.0.1 on.
    pub fn address(self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::from(NETWORK.wrapping_add(self.0).wrapping_add(1)), UDP_PORT))
    }

    /// The interface at an address, whatever the UDP port, if the network had that many.
    pub(super) fn at(address: SocketAddr) -> Option<Self> {
        let IpAddr::V4(ip) = address.ip() else { return None };
        u32::from(ip).checked_sub(NETWORK)?.checked_sub(1).map(Self)
    }

    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// One egress port of a switch.
///
/// The first are those that face the NICs, numbered as these are. In a leaf-spine network, those
/// from each leaf to each spine follow, and then those from each spine to each leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortId(pub u32);

/// What put a frame on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transmitter {
    /// An interface of a host.
    Nic(NicId),
    /// A port of a switch.
    Port(PortId),
}

/// A frame with its ends looked up.
#[derive(Clone, Debug)]
pub(super) struct Transit {
    pub(super) from: NicId,
    pub(super) to: NicId,
    pub(super) frame: Frame,
}

/// A frame on its way over one link: what happens next, and when.
///
/// The engine keeps these in order of time, equals in order of insertion, and hands each back to
/// [`Network::step`](super::Network::step) when its time has come.
#[derive(Clone, Debug)]
pub struct Step {
    /// When it happens.
    pub at: Picos,
    /// The link that carries the frame.
    pub(super) link: u32,
    /// How often that link had gone down when it took the frame.
    pub(super) epoch: u32,
    pub(super) transit: Transit,
}

/// A frame that has reached a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When the host sees it: the time of the step, host delay included.
    pub at: Picos,
    /// The interface that it came in on.
    pub nic: NicId,
    /// The frame, as the way has left it.
    pub frame: Frame,
}
