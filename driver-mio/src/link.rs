//! Batches of datagrams through a UDP socket.
//!
//! On Linux [`linux::LinuxLink`] uses segmentation offload both ways, ECN, packet info and many
//! datagrams per system call. [`portable::PortableLink`] needs nothing but `send_to` and
//! `recv_from`; it is compiled and tested on Linux too, and `--cfg dcquic_portable` selects it.

#[cfg(target_os = "linux")]
pub mod linux;
pub mod portable;
mod socket;

use std::net::SocketAddr;

#[cfg(all(target_os = "linux", not(dcquic_portable)))]
pub use linux::LinuxLink as UdpLink;
#[cfg(not(all(target_os = "linux", not(dcquic_portable))))]
pub use portable::PortableLink as UdpLink;

/// How a socket is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinkConfig {
    /// Bytes of send buffer to ask for; the system may grant less.
    pub send_buffer: usize,
    /// Bytes of receive buffer to ask for; the system may grant less.
    pub receive_buffer: usize,
    /// The largest datagram to send, in bytes.
    pub max_datagram: usize,
    /// Hand several datagrams to the system at once, where it can divide them.
    pub gso: bool,
    /// Take several datagrams from the system at once, where it can join them.
    pub gro: bool,
    /// Send and report ECN bits, where the system can.
    pub ecn: bool,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            send_buffer: 4 << 20,
            receive_buffer: 8 << 20,
            max_datagram: 65_507,
            gso: true,
            gro: true,
            ecn: true,
        }
    }
}

/// A link that could not be opened, or is broken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Another socket has the port.
    #[error("{address} is in use by another process; choose another port, or stop that process")]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address belongs to no interface of this machine.
    #[error("{address} is no address of this machine; use one that is, or 0.0.0.0")]
    NotAvailable {
        /// The address.
        address: SocketAddr,
    },
    /// The system does not allow it.
    #[error("no permission for {address}; ports below 1024 need privileges")]
    NotPermitted {
        /// The address.
        address: SocketAddr,
    },
    /// Setting the socket up failed otherwise.
    #[error("cannot open a UDP socket at {address}: {source}")]
    Open {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// The socket failed while in use.
    #[error("the UDP socket at {address} failed: {source}")]
    Broken {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
}

impl LinkError {
    fn open(address: SocketAddr, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match source.kind() {
            ErrorKind::AddrInUse => Self::InUse { address },
            ErrorKind::AddrNotAvailable => Self::NotAvailable { address },
            ErrorKind::PermissionDenied => Self::NotPermitted { address },
            _ => Self::Open { address, source },
        }
    }
}
