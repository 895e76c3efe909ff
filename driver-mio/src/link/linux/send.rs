//! Many transmissions per system call, each gathered from headers and sealed slices in place.
#![allow(unsafe_code, reason = "sendmmsg takes C structures with pointers to buffers")]

use core::{num::NonZeroUsize, ptr};
use std::{io, os::fd::RawFd};

use dcquic_proto::link::{Ecn, Transmit, TransmitQueue};

use super::control::{self, ControlBuffer, ControlWriter};

/// Transmissions per call at most.
const BATCH: usize = 16;

/// Pieces per transmission at most (UIO_MAXIOV).
const MAX_PIECES: usize = 1_024;

/// What of the kernel's offers is in use.
#[derive(Clone, Copy, Debug)]
pub(super) struct Offers {
    pub(super) gso: bool,
    pub(super) ecn: bool,
    pub(super) max_datagram: usize,
}

impl Offers {
    /// Whether the kernel takes this transmission in one piece.
    fn takes(self, transmit: &Transmit) -> bool {
        segment_of(transmit) <= self.max_datagram && (self.gso || transmit.segment_size.is_none())
    }
}

/// Memory for building one batch, kept so that sending does not allocate.
#[derive(Debug, Default)]
pub(super) struct Sender {
    vectors: Vectors,
    flat: Vec<u8>,
}

/// Pointers to the pieces of the transmissions of one call; empty between calls.
#[derive(Debug, Default)]
struct Vectors(Vec<libc::iovec>);

// SAFETY: the pointers are made and used inside one call of `Sender::send`, which empties the list
// before it returns: whichever thread owns the sender next finds no pointer in it.
unsafe impl Send for Vectors {}

impl Sender {
    /// Sends from the front of the queue with one system call and removes what was taken.
    ///
    /// # Errors
    /// The first transmission was not taken.
    pub(super) fn send(
        &mut self,
        fd: RawFd,
        queue: &mut TransmitQueue,
        offers: Offers,
    ) -> io::Result<()> {
        let front = queue.front().ok_or(io::ErrorKind::InvalidInput)?;
        if segment_of(front) > offers.max_datagram {
            return Err(io::Error::from_raw_os_error(libc::EMSGSIZE));
        }
        if !offers.takes(front) {
            return self.send_segments(fd, queue, offers.ecn).map(|_taken| ());
        }
        let mut names = [control::empty_storage(); BATCH];
        let mut controls = [ControlBuffer::new(); BATCH];
        let mut messages = [libc::mmsghdr { msg_hdr: control::empty_message(), msg_len: 0 }; BATCH];
        let mut ends = [0; BATCH];
        self.vectors.0.clear();
        let mut count = 0;
        while count < BATCH
            && let Some(transmit) = queue.get(count)
            && offers.takes(transmit)
        {
            for piece in queue.parts(transmit) {
                let base = piece.as_ptr().cast_mut().cast();
                self.vectors.0.push(libc::iovec { iov_base: base, iov_len: piece.len() });
            }
            ends[count] = self.vectors.0.len();
            let message = &mut messages[count].msg_hdr;
            describe(message, transmit, offers.ecn, &mut names[count], &mut controls[count]);
            count += 1;
        }
        let mut start = 0;
        for (message, end) in messages.iter_mut().zip(ends).take(count) {
            // the list no longer grows, so its places are final
            message.msg_hdr.msg_iov = self.vectors.0[start..].as_mut_ptr();
            message.msg_hdr.msg_iovlen = (end - start).min(MAX_PIECES) as _;
            start = end;
        }
        let flags = libc::MSG_DONTWAIT as _;
        // SAFETY: every header points to a name, vectors and a control buffer that outlive the
        // call, and states their lengths. The vectors point into the queue, which is borrowed
        // through the call; the kernel only reads from them, although the type says otherwise.
        let sent = unsafe { libc::sendmmsg(fd, messages.as_mut_ptr(), count as u32, flags) };
        self.vectors.0.clear();
        if sent < 0 {
            return Err(io::Error::last_os_error());
        }
        for _ in 0..sent {
            queue.pop_front();
        }
        Ok(())
    }

    /// Sends each datagram of the front transmission by itself; true if at least one was taken.
    /// What the socket refuses after that is lost, since part of a transmission may not stay.
    ///
    /// # Errors
    /// Not even the first was taken; the transmission is still at the front.
    pub(super) fn send_segments(
        &mut self,
        fd: RawFd,
        queue: &mut TransmitQueue,
        ecn: bool,
    ) -> io::Result<bool> {
        let Some(front) = queue.front() else { return Ok(false) };
        self.flat.clear();
        queue.copy_to(front, &mut self.flat);
        let segment = segment_of(front).max(1);
        let mut single = front.clone();
        single.segment_size = None;
        let mut taken = false;
        for datagram in self.flat.chunks(segment) {
            match send_one(fd, &single, ecn, datagram) {
                Ok(()) => taken = true,
                Err(error) if !taken => return Err(error),
                Err(_) => {}
            }
        }
        queue.pop_front();
        Ok(taken)
    }
}

fn segment_of(transmit: &Transmit) -> usize {
    transmit.segment_size.map_or(transmit.len, NonZeroUsize::get)
}

fn send_one(fd: RawFd, transmit: &Transmit, ecn: bool, datagram: &[u8]) -> io::Result<()> {
    let mut name = control::empty_storage();
    let mut controls = ControlBuffer::new();
    let mut message = control::empty_message();
    let base = datagram.as_ptr().cast_mut().cast();
    let mut vector = libc::iovec { iov_base: base, iov_len: datagram.len() };
    describe(&mut message, transmit, ecn, &mut name, &mut controls);
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    // SAFETY: all that the header points to is alive and as long as it says; the kernel only reads
    // the datagram.
    let sent = unsafe { libc::sendmsg(fd, &raw const message, libc::MSG_DONTWAIT) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Fills in everything but the pieces.
fn describe(
    message: &mut libc::msghdr,
    transmit: &Transmit,
    ecn: bool,
    name: &mut libc::sockaddr_storage,
    controls: &mut ControlBuffer,
) {
    let (storage, len) = control::to_raw(transmit.destination);
    *name = storage;
    message.msg_name = ptr::from_mut(name).cast();
    message.msg_namelen = len;
    message.msg_control = controls.as_mut_ptr();
    let mut writer = ControlWriter::new(controls);
    if ecn && transmit.ecn != Ecn::NotEct {
        let bits = i32::from(transmit.ecn.bits());
        if transmit.destination.is_ipv6() {
            writer.push(libc::IPPROTO_IPV6, libc::IPV6_TCLASS, bits);
        } else {
            writer.push(libc::IPPROTO_IP, libc::IP_TOS, bits);
        }
    }
    if let Some(segment) = transmit.segment_size {
        writer.push(libc::SOL_UDP, libc::UDP_SEGMENT, segment.get() as u16);
    }
    message.msg_controllen = writer.len() as _;
}
