//! Many datagrams per system call, into memory that is allocated once.
#![allow(unsafe_code, reason = "recvmmsg takes C structures with pointers to buffers")]

use core::{num::NonZeroUsize, ptr};
use std::{io, net::SocketAddr, os::fd::RawFd};

use dcquic_proto::link::DatagramInfo;

use super::control::{self, ControlBuffer};

/// Buffers per call: with offload each may hold 64 datagrams.
const BATCH: usize = 8;

/// A joined batch is at most as long as an IP packet.
const BUFFER_LEN: usize = 1 << 16;

/// Memory for one batch.
#[derive(Debug)]
pub(super) struct Receiver {
    buffers: Box<[u8]>,
    controls: Box<[ControlBuffer; BATCH]>,
}

impl Receiver {
    pub(super) fn new() -> Self {
        Self {
            buffers: vec![0; BATCH * BUFFER_LEN].into_boxed_slice(),
            controls: Box::new([ControlBuffer::new(); BATCH]),
        }
    }

    /// Receives a batch and hands it over; 0 if nothing waits.
    pub(super) fn receive(
        &mut self,
        fd: RawFd,
        port: u16,
        handle: &mut dyn FnMut(DatagramInfo, &mut [u8]),
    ) -> io::Result<usize> {
        let mut names = [control::empty_storage(); BATCH];
        let mut vectors = [libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 }; BATCH];
        let mut messages = [libc::mmsghdr { msg_hdr: control::empty_message(), msg_len: 0 }; BATCH];
        for (index, buffer) in self.buffers.chunks_exact_mut(BUFFER_LEN).enumerate() {
            let base = buffer.as_mut_ptr().cast();
            vectors[index] = libc::iovec { iov_base: base, iov_len: BUFFER_LEN };
            let message = &mut messages[index].msg_hdr;
            message.msg_name = (&raw mut names[index]).cast();
            message.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            message.msg_iov = &raw mut vectors[index];
            message.msg_iovlen = 1;
            message.msg_control = self.controls[index].as_mut_ptr();
            message.msg_controllen = ControlBuffer::LEN as _;
        }
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: every header points to a name, a vector and a control buffer of its own, whose
        // lengths it states and which outlive the call; each vector points to its own part of
        // `buffers`.
        let count = unsafe {
            libc::recvmmsg(fd, messages.as_mut_ptr(), BATCH as u32, flags, ptr::null_mut())
        };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(0) } else { Err(error) };
        }
        let count = count as usize;
        for (index, buffer) in self.buffers.chunks_exact_mut(BUFFER_LEN).enumerate().take(count) {
            let message = &messages[index];
            let Some(remote) = control::from_raw(&names[index]) else { continue };
            // SAFETY: the kernel filled this message, and its control buffer is alive in `self`.
            let received = unsafe { control::read(&message.msg_hdr) };
            if message.msg_hdr.msg_flags & libc::MSG_TRUNC != 0 {
                continue;
            }
            let info = DatagramInfo {
                local: received.local.map(|ip| SocketAddr::new(ip, port)),
                remote,
                ecn: received.ecn,
                segment_size: received.segment.and_then(NonZeroUsize::new),
            };
            handle(info, &mut buffer[..message.msg_len as usize]);
        }
        Ok(count)
    }
}

/// The destination of the next entry of the error queue that says it is unreachable.
pub(super) fn next_unreachable(fd: RawFd) -> Option<SocketAddr> {
    // a bound, so that a flood of errors cannot hold the worker
    for _ in 0..BATCH {
        let mut name = control::empty_storage();
        let mut data = [0_u8; 64];
        let mut vector = libc::iovec { iov_base: data.as_mut_ptr().cast(), iov_len: data.len() };
        let mut controls = ControlBuffer::new();
        let mut message = control::empty_message();
        message.msg_name = (&raw mut name).cast();
        message.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
        message.msg_iov = &raw mut vector;
        message.msg_iovlen = 1;
        message.msg_control = controls.as_mut_ptr();
        message.msg_controllen = ControlBuffer::LEN as _;
        let flags = libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT;
        // SAFETY: all that the header points to is alive and as long as it says.
        if unsafe { libc::recvmsg(fd, &raw mut message, flags) } < 0 {
            return None;
        }
        // SAFETY: the kernel filled this message, and `controls` is alive.
        if unsafe { control::is_unreachable(&message) } {
            return control::from_raw(&name);
        }
    }
    None
}
