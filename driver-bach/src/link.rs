//! A link over one simulated UDP socket.

use core::{
    fmt,
    net::SocketAddr,
    num::NonZeroUsize,
    task::{Context, Poll, Waker},
};
use std::{
    io::{self, ErrorKind, IoSlice, IoSliceMut},
    sync::Arc,
};

use bach::net::{
    UdpSocket,
    socket::{RecvOptions, RecvResult, SendOptions},
};
use dcquic_proto::{
    link::{Capabilities, DatagramInfo, Ecn, Link, Transmit, TransmitQueue},
    time::Timestamp,
};

use crate::{
    Clock,
    bach_engine::Nic,
    net::Picos,
    signal::{Flag, Signal},
};

#[cfg(test)]
mod tests;

/// The most bytes that one receive hands over, as with GRO on a real socket.
const RECEIVE_BYTES: usize = 65_535;

/// The most buffers that one call of [`Link::receive`] hands over.
const RECEIVE_BATCH: usize = 64;

/// What a simulated link carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The largest UDP payload in bytes. Larger datagrams are lost.
    pub max_datagram: usize,
    /// How many datagrams one transmission may hold; 1 means no segmentation.
    pub max_segments: usize,
    /// What the link reports as its receive buffer, in bytes. The queue itself belongs to the
    /// runtime's network and is counted in packets: keep the two in step.
    pub receive_buffer: usize,
    /// How the simulation counts time.
    pub clock: Clock,
}

impl Default for Settings {
    /// An Ethernet path of 1,500 bytes, segmentation as Linux has it, and the 4,096 packets that
    /// Bach's network holds per socket unless told otherwise.
    fn default() -> Self {
        let clock = Clock::Nanoseconds;
        Self { max_datagram: 1_452, max_segments: 44, receive_buffer: 4_096 * 1_452, clock }
    }
}

/// Datagrams that the link itself lost, by cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Datagrams to send that exceeded [`Settings::max_datagram`].
    pub oversized: u64,
    /// Transmissions whose destination the socket cannot reach.
    pub unreachable: u64,
    /// Received datagrams that did not fit the receive buffer.
    pub truncated: u64,
}

/// A link over one Bach UDP socket.
///
/// Lives in the task that drives it, inside a simulation. One input, then
/// [`transmit`](Link::transmit), then [`wait`](Self::wait).
pub struct BachLink {
    socket: UdpSocket,
    local: SocketAddr,
    settings: Settings,
    /// Raised when there is a reason to take a turn.
    signal: Arc<Signal>,
    /// Raises `signal`; what the socket is polled with to send.
    waker: Waker,
    /// Lowered when the socket was seen empty, and raised with `signal` when it may no longer be.
    readable: Arc<Flag>,
    /// Raises `readable`; what the socket is polled with to receive.
    readable_waker: Waker,
    /// The NIC that the socket sends through, where the network has such.
    nic: Option<Nic>,
    /// When the front of the queue that was last offered may be sent, if that is later.
    held_until: Option<Timestamp>,
    buffer: Box<[u8]>,
    losses: Losses,
}

impl BachLink {
    /// Binds a socket of the current group (host); port 0 picks a free one.
    ///
    /// Returns one step later in the same instant, so that all hosts that bind at that instant can
    /// find each other by name afterwards.
    ///
    /// # Errors
    /// The address is taken or belongs to another host, or this is not a simulation.
    pub async fn bind(address: SocketAddr, settings: Settings) -> io::Result<Self> {
        let socket = UdpSocket::bind(address).await?;
        let local = socket.local_addr()?;
        let signal = Arc::new(Signal::new());
        let waker = Waker::from(Arc::clone(&signal));
        let readable = Arc::new(Flag::new(Arc::clone(&signal)));
        let readable_waker = Waker::from(Arc::clone(&readable));
        Ok(Self {
            socket,
            local,
            settings,
            signal,
            waker,
            readable,
            readable_waker,
            nic: None,
            held_until: None,
            buffer: vec![0; RECEIVE_BYTES].into_boxed_slice(),
            losses: Losses::default(),
        })
    }

    /// Has the link tell its worker how much room `nic` has, through which its socket sends.
    pub fn with_nic(mut self, nic: Nic) -> Self {
        self.nic = Some(nic);
        self
    }

    /// What ends [`Self::wait`], for others that have work for the task that waits there.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Datagrams that the link itself lost so far.
    pub fn losses(&self) -> Losses {
        self.losses
    }

    /// Waits until [`receive`](Link::receive) or [`transmit`](Link::transmit) may get further, or
    /// until `deadline`.
    ///
    /// Call both afterwards, whichever it was. It may also return early for no reason.
    pub async fn wait(&mut self, deadline: Option<Timestamp>) {
        let earliest = [deadline, self.held_until].into_iter().flatten().min();
        self.signal.wait_until(self.settings.clock, earliest.map(Picos::from)).await;
    }

    /// Takes one buffer from the socket, or `None` if nothing waits.
    fn receive_one(&mut self) -> io::Result<Option<RecvResult>> {
        let mut options = RecvOptions::default();
        options.gro = true;
        let mut cx = Context::from_waker(&self.readable_waker);
        let into = &mut [IoSliceMut::new(&mut self.buffer)];
        match self.socket.poll_recv_msg(&mut cx, into, options) {
            Poll::Ready(result) => {
                self.readable.raise();
                result.map(Some)
            }
            Poll::Pending => Ok(None),
        }
    }

    /// Offers one transmission to the socket; `false` if it is refused for now.
    fn send_one(&mut self, queue: &TransmitQueue, transmit: &Transmit) -> io::Result<bool> {
        let segment = transmit.segment_size.map_or(transmit.len, NonZeroUsize::get);
        if segment > self.settings.max_datagram {
            self.losses.oversized += transmit.len.div_ceil(segment) as u64;
            return Ok(true);
        }
        let mut options = SendOptions::default();
        options.ecn = transmit.ecn.bits();
        options.segment_len = transmit.segment_size.map(NonZeroUsize::get);
        let parts: Vec<_> = queue.parts(transmit).map(IoSlice::new).collect();
        let mut cx = Context::from_waker(&self.waker);
        match self.socket.poll_send_msg(&mut cx, transmit.destination, &parts, options) {
            Poll::Ready(Ok(_)) => Ok(true),
            Poll::Ready(Err(error)) if is_unreachable(error.kind()) => {
                self.losses.unreachable += 1;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(error),
            Poll::Pending => Ok(false),
        }
    }
}

impl Link for BachLink {
    type Error = io::Error;

    fn capabilities(&self) -> Capabilities {
        let Settings { max_datagram, max_segments, receive_buffer, .. } = self.settings;
        Capabilities { max_datagram, max_segments, receive_buffer, ecn: true }
    }

    fn room(&mut self) -> usize {
        self.nic.as_ref().map_or(usize::MAX, |nic| nic.room(&self.waker))
    }

    fn local_address(&self) -> SocketAddr {
        self.local
    }

    fn receive(
        &mut self,
        handle: &mut dyn FnMut(DatagramInfo, &mut [u8]),
    ) -> Result<usize, Self::Error> {
        let mut handed_over = 0;
        for _ in 0..RECEIVE_BATCH {
            // A socket that was seen empty has promised a wake-up, and need not be asked before.
            if !self.readable.take() {
                return Ok(handed_over);
            }
            let Some(received) = self.receive_one()? else { return Ok(handed_over) };
            if received.truncation_len > 0 {
                self.losses.truncated += 1;
                continue;
            }
            let info = DatagramInfo {
                local: Some(received.local_addr),
                remote: received.peer_addr,
                ecn: Ecn::from_bits(received.ecn),
                segment_size: several(received.segment_len, received.len),
            };
            handle(info, &mut self.buffer[..received.len]);
            handed_over += 1;
        }
        // The socket was not seen empty, so it promised no wake-up.
        self.signal.raise();
        Ok(handed_over)
    }

    fn transmit(&mut self, queue: &mut TransmitQueue) -> Result<bool, Self::Error> {
        self.held_until = None;
        while let Some(transmit) = queue.front() {
            if transmit.release_at > self.settings.clock.timestamp() {
                self.held_until = Some(transmit.release_at);
                return Ok(false);
            }
            if !self.send_one(queue, transmit)? {
                return Ok(false);
            }
            queue.pop_front();
        }
        Ok(true)
    }
}

impl fmt::Debug for BachLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BachLink")
            .field("local", &self.local)
            .field("settings", &self.settings)
            .field("held_until", &self.held_until)
            .field("losses", &self.losses)
            .finish_non_exhaustive()
    }
}

/// The segment size, if `len` bytes hold more than one segment.
fn several(segment: usize, len: usize) -> Option<NonZeroUsize> {
    NonZeroUsize::new(segment).filter(|segment| segment.get() < len)
}

/// Whether an error of sending is about the destination and not about the link.
fn is_unreachable(kind: ErrorKind) -> bool {
    // Bach reports a destination of another address family as invalid input.
    matches!(
        kind,
        ErrorKind::InvalidInput
            | ErrorKind::AddrNotAvailable
            | ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
    )
}
