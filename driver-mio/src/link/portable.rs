//! A UDP link for every system that has sockets: one datagram per call.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
};

use dcquic_proto::link::{Capabilities, DatagramInfo, Ecn, Link, TransmitQueue};
use mio::net::UdpSocket;

use super::{LinkConfig, LinkError, socket};

/// Datagrams received per call at most.
const BATCH: usize = 32;

/// The largest UDP payload there is.
const MAX_DATAGRAM: usize = 65_507;

/// A UDP socket used one datagram at a time.
#[derive(Debug)]
pub struct PortableLink {
    socket: UdpSocket,
    local: SocketAddr,
    max_datagram: usize,
    receive_buffer: usize,
    incoming: Box<[u8]>,
    outgoing: Vec<u8>,
    /// Bytes of the front transmission that were sent as whole datagrams already.
    sent: usize,
}

impl PortableLink {
    /// Opens a socket at `address`; port 0 lets the system choose.
    ///
    /// # Errors
    /// The socket cannot be opened there.
    pub fn bind(address: SocketAddr, config: &LinkConfig) -> Result<Self, LinkError> {
        let (socket, receive_buffer) = socket::open(address, config)?;
        let local = socket::local_address(&socket, address)?;
        Ok(Self {
            socket: UdpSocket::from_std(socket.into()),
            local,
            max_datagram: config.max_datagram.min(MAX_DATAGRAM),
            receive_buffer,
            incoming: vec![0; MAX_DATAGRAM + 1].into_boxed_slice(),
            outgoing: Vec::new(),
            sent: 0,
        })
    }

    /// The socket, to register for readiness.
    pub fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }

    /// Sends the rest of the front transmission; false if the socket is full.
    fn send_front(&mut self, segment: usize, to: SocketAddr) -> bool {
        while self.sent < self.outgoing.len() {
            let end = self.outgoing.len().min(self.sent + segment);
            match self.socket.send_to(&self.outgoing[self.sent..end], to) {
                Err(error) if is_full(&error) => return false,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // what cannot be sent there is lost, as if the network had lost it
                Ok(_) | Err(_) => self.sent = end,
            }
        }
        true
    }
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || is_no_buffers(error)
}

#[cfg(unix)]
fn is_no_buffers(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ENOBUFS)
}

#[cfg(not(unix))]
fn is_no_buffers(_error: &io::Error) -> bool {
    false
}

impl Link for PortableLink {
    type Error = LinkError;

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            max_datagram: self.max_datagram,
            max_segments: 64,
            receive_buffer: self.receive_buffer,
            ecn: false,
        }
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn receive(
        &mut self,
        handle: &mut dyn FnMut(DatagramInfo, &mut [u8]),
    ) -> Result<usize, LinkError> {
        let mut count = 0;
        let mut errors = 0;
        while count < BATCH && errors < BATCH {
            match self.socket.recv_from(&mut self.incoming) {
                Ok((len, remote)) => {
                    let info =
                        DatagramInfo { local: None, remote, ecn: Ecn::NotEct, segment_size: None };
                    handle(info, &mut self.incoming[..len]);
                    count += 1;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                // an earlier datagram could not be delivered: that breaks nothing here
                Err(_) => errors += 1,
            }
        }
        Ok(count)
    }

    fn transmit(&mut self, queue: &mut TransmitQueue) -> Result<bool, LinkError> {
        while let Some(front) = queue.front() {
            let segment = front.segment_size.map_or(front.len, core::num::NonZeroUsize::get);
            let to = front.destination;
            if self.outgoing.is_empty() {
                queue.copy_to(front, &mut self.outgoing);
                self.sent = 0;
            }
            if segment <= self.max_datagram && !self.send_front(segment.max(1), to) {
                return Ok(false);
            }
            self.outgoing.clear();
            queue.pop_front();
        }
        Ok(true)
    }
}
