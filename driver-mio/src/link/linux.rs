//! A UDP link for Linux: segmentation offload, ECN, packet info, many datagrams per system call.

mod control;
mod receive;
mod send;

use std::{
    io,
    net::SocketAddr,
    os::fd::{AsRawFd, RawFd},
};

use dcquic_proto::link::{Capabilities, DatagramInfo, Link, TransmitQueue};
use mio::net::UdpSocket;

use super::{LinkConfig, LinkError, socket};

/// The largest UDP payload over IPv4.
const MAX_DATAGRAM: usize = 65_507;

/// Datagrams per transmission that every kernel with GSO takes (UDP_MAX_SEGMENTS).
const MAX_SEGMENTS: usize = 64;

/// A UDP socket used with all that Linux offers.
#[derive(Debug)]
pub struct LinuxLink {
    socket: UdpSocket,
    local: SocketAddr,
    receive_buffer: usize,
    offers: send::Offers,
    receiver: receive::Receiver,
    sender: send::Sender,
    /// The error queue may hold something.
    errors: bool,
}

impl LinuxLink {
    /// Opens a socket at `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// The socket cannot be opened there.
    pub fn bind(address: SocketAddr, config: &LinkConfig) -> Result<Self, LinkError> {
        let (socket, receive_buffer) = socket::open(address, config)?;
        let local = socket::local_address(&socket, address)?;
        let socket = UdpSocket::from_std(socket.into());
        let fd = socket.as_raw_fd();
        let v6 = address.is_ipv6();
        let ip = |v4_name, v6_name, value| control::set_ip_option(fd, v6, v4_name, v6_name, value);
        // each is an offer: an older kernel that refuses one is used without it
        let gso = config.gso && control::set_option(fd, libc::SOL_UDP, libc::UDP_SEGMENT, 0);
        if config.gro {
            control::set_option(fd, libc::SOL_UDP, libc::UDP_GRO, 1);
        }
        let ecn = config.ecn && ip(libc::IP_RECVTOS, libc::IPV6_RECVTCLASS, 1);
        ip(libc::IP_PKTINFO, libc::IPV6_RECVPKTINFO, 1);
        // never fragment, and leave the path MTU to the protocol
        ip(libc::IP_MTU_DISCOVER, libc::IPV6_MTU_DISCOVER, libc::IP_PMTUDISC_PROBE);
        ip(libc::IP_RECVERR, libc::IPV6_RECVERR, 1);
        Ok(Self {
            socket,
            local,
            receive_buffer,
            offers: send::Offers { gso, ecn, max_datagram: config.max_datagram.min(MAX_DATAGRAM) },
            receiver: receive::Receiver::new(),
            sender: send::Sender::default(),
            errors: false,
        })
    }

    /// The socket, to register for readiness.
    pub fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    fn fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }

    fn broken(&self, source: io::Error) -> LinkError {
        LinkError::Broken { address: self.local, source }
    }
}

impl Link for LinuxLink {
    type Error = LinkError;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            max_datagram: self.offers.max_datagram,
            max_segments: MAX_SEGMENTS,
            receive_buffer: self.receive_buffer,
            ecn: self.offers.ecn,
        }
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn receive(
        &mut self,
        handle: &mut dyn FnMut(DatagramInfo, &mut [u8]),
    ) -> Result<usize, LinkError> {
        let fd = self.fd();
        match self.receiver.receive(fd, self.local.port(), handle) {
            Ok(count) => Ok(count),
            Err(error) if is_pending(&error) => {
                self.errors = true;
                Ok(0)
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn transmit(&mut self, queue: &mut TransmitQueue) -> Result<bool, LinkError> {
        let fd = self.fd();
        while !queue.is_empty() {
            match self.sender.send(fd, queue, self.offers) {
                Ok(()) => {}
                Err(error) if is_full(&error) => return Ok(false),
                // the error was that of an earlier datagram: this one was not looked at
                Err(error) if is_pending(&error) && !self.errors => self.errors = true,
                Err(error) if self.offers.gso && is_unsegmentable(&error) => {
                    let batch = queue.front().is_some_and(|front| front.segment_size.is_some());
                    match self.sender.send_segments(fd, queue, self.offers.ecn) {
                        // the datagrams pass: it is the batch that the device cannot take
                        Ok(passed) => self.offers.gso = !(batch && passed),
                        Err(error) if is_full(&error) => return Ok(false),
                        Err(_) => {
                            queue.pop_front();
                        }
                    }
                }
                // what cannot be sent is lost, as if the network had lost it
                Err(_) => {
                    queue.pop_front();
                }
            }
        }
        Ok(true)
    }

    fn poll_unreachable(&mut self) -> Option<SocketAddr> {
        if !self.errors {
            return None;
        }
        let unreachable = receive::next_unreachable(self.fd());
        self.errors = unreachable.is_some();
        unreachable
    }
}

/// The socket has no room for now.
fn is_full(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM))
}

/// An earlier datagram met an error, which the error queue tells more of.
fn is_pending(error: &io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(
            libc::ECONNREFUSED
                | libc::EHOSTUNREACH
                | libc::ENETUNREACH
                | libc::EHOSTDOWN
                | libc::ENETDOWN
                | libc::EPROTO
                | libc::ENOPROTOOPT
                | libc::EINTR
        )
    )
}

/// The device cannot divide this batch.
fn is_unsegmentable(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EIO | libc::EINVAL | libc::EMSGSIZE))
}
