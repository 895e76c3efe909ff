//! What both links do to open a socket.

use std::{io, net::SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::{LinkConfig, LinkError};

/// A bound, non-blocking socket and the receive buffer that it was granted.
pub(super) fn open(address: SocketAddr, config: &LinkConfig) -> Result<(Socket, usize), LinkError> {
    bind(address, config).map_err(|source| LinkError::open(address, source))
}

fn bind(address: SocketAddr, config: &LinkConfig) -> io::Result<(Socket, usize)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // one family per socket: addresses then mean the same in and out
        socket.set_only_v6(true)?;
    }
    // less than asked for is no error: the granted size is read back
    socket.set_send_buffer_size(config.send_buffer)?;
    socket.set_recv_buffer_size(config.receive_buffer)?;
    socket.bind(&address.into())?;
    let granted = socket.recv_buffer_size()?;
    // Linux reports twice what was asked for and charges each datagram with its bookkeeping, which
    // for small datagrams is about as much again
    let usable = if cfg!(target_os = "linux") { granted / 2 } else { granted };
    Ok((socket, usable))
}

/// Where the socket is bound.
pub(super) fn local_address(socket: &Socket, asked: SocketAddr) -> Result<SocketAddr, LinkError> {
    let local = socket.local_addr().map_err(|source| LinkError::open(asked, source))?;
    Ok(local.as_socket().unwrap_or(asked))
}
