//! dcquic's endpoint at the end of a simulated network.

use core::net::SocketAddr;
use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap, VecDeque},
    rc::Rc,
};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{
        Destination, Endpoint, Event, NewEndpointError, Open, Outcome, Payload, PeerFailure,
        Respond, Stats, TransmitQueue, Usage,
    },
    health::HealthState,
    id::{PeerId, Priority, Status, StreamHandle},
    link::{DatagramInfo, Ecn},
    time::Timestamp,
    wire::packet::PacketKind,
};

use super::{Counters, Host, Notice, Order};

/// Memory of spent datagrams, used again for those to send.
pub type Buffers = Rc<RefCell<Vec<Vec<u8>>>>;

/// The bytes of every message: a message of `n` bytes is the first `n` of these.
///
/// No two stretches of eight bytes at multiples of eight are equal, so that misplaced data shows.
pub fn pattern(len: usize) -> Bytes {
    let words = len.div_ceil(8) as u64;
    let mut bytes: Vec<u8> =
        (0..words).flat_map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_be_bytes()).collect();
    bytes.truncate(len);
    Bytes::from(bytes)
}

/// An endpoint, and the application that makes and takes messages.
#[derive(Debug)]
pub struct DcquicHost {
    endpoint: Endpoint,
    address: SocketAddr,
    queue: TransmitQueue,
    peers: HashMap<SocketAddr, PeerId>,
    remotes: BTreeMap<PeerId, SocketAddr>,
    /// Our transfers by stream, until they are finished.
    sending: HashMap<StreamHandle, u32>,
    /// Their transfers by stream, until they are delivered.
    receiving: HashMap<StreamHandle, Incoming>,
    notices: VecDeque<Notice>,
    pattern: Bytes,
    buffers: Buffers,
    /// Every byte is compared, not only the ends of each record.
    thorough: bool,
}

#[derive(Clone, Copy, Debug)]
struct Incoming {
    transfer: u32,
    size: u64,
    received: u64,
    intact: bool,
}

/// What the hosts of one run share.
#[derive(Clone, Debug)]
pub struct Shared {
    /// What messages consist of: see [`pattern`]. At least as long as the longest.
    pub pattern: Bytes,
    /// Memory of spent datagrams.
    pub buffers: Buffers,
    /// Compare every byte that is delivered.
    pub thorough: bool,
}

impl DcquicHost {
    /// A host at `address` that knows nobody.
    ///
    /// # Errors
    /// The configuration cannot work.
    pub fn new(
        address: SocketAddr,
        config: Config,
        seed: Seed,
        shared: &Shared,
    ) -> Result<Self, NewEndpointError> {
        let endpoint = Endpoint::new(config, psk(), seed, Timestamp::ZERO)?;
        Ok(Self {
            endpoint,
            address,
            queue: TransmitQueue::new(),
            peers: HashMap::new(),
            remotes: BTreeMap::new(),
            sending: HashMap::new(),
            receiving: HashMap::new(),
            notices: VecDeque::new(),
            pattern: shared.pattern.clone(),
            buffers: Rc::clone(&shared.buffers),
            thorough: shared.thorough,
        })
    }

    /// What the endpoint holds.
    pub fn usage(&self) -> Usage {
        self.endpoint.usage()
    }

    /// What the endpoint has done.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn dispatch(&mut self, now: Timestamp) {
        while let Some(event) = self.endpoint.poll_event() {
            self.handle_event(now, event);
        }
    }

    fn handle_event(&mut self, now: Timestamp, event: Event) {
        match event {
            Event::PeerConnected { peer, remote, .. } => {
                self.peers.insert(remote, peer);
                self.remotes.insert(peer, remote);
                self.notices.push_back(Notice::Connected { peer: remote });
            }
            Event::PeerHealth { remote, to, .. } => {
                if to == HealthState::Failed {
                    self.notices.push_back(Notice::PeerFailed { peer: remote });
                }
            }
            Event::PeerFailed { peer, remote, cause } => {
                self.remotes.remove(&peer);
                if self.peers.get(&remote) == Some(&peer) {
                    self.peers.remove(&remote);
                }
                // that it fell silent was told when it failed
                if !matches!(cause, PeerFailure::Silent | PeerFailure::Replaced) {
                    self.notices.push_back(Notice::PeerFailed { peer: remote });
                }
            }
            Event::Opened { stream, offer, body } => {
                let transfer = transfer_of(&offer.metadata);
                let mut incoming =
                    Incoming { transfer, size: offer.size, received: 0, intact: true };
                if let Some(body) = body {
                    self.check(&mut incoming, 0, &body);
                    self.deliver(now, stream, &incoming);
                    return;
                }
                self.receiving.insert(stream, incoming);
                if let Err(error) = self.endpoint.receive(now, stream, Destination::Records) {
                    self.fail(transfer, error.to_string());
                }
            }
            Event::Record { stream, offset, data } => {
                if let Some(mut incoming) = self.receiving.get(&stream).copied() {
                    self.check(&mut incoming, offset, &data);
                    self.receiving.insert(stream, incoming);
                }
                self.endpoint.release(now, stream, data.len() as u64);
            }
            Event::Received { stream, .. } => {
                if let Some(incoming) = self.receiving.remove(&stream) {
                    self.deliver(now, stream, &incoming);
                }
            }
            // what calls of one request and one response do not bring
            Event::Message { .. } | Event::Writable { .. } | Event::Sent { .. } => {}
            Event::Response { .. } | Event::SupplyWanted { .. } => {}
            Event::Closed { stream, outcome } => self.close(stream, outcome),
        }
    }

    fn check(&self, incoming: &mut Incoming, offset: u64, data: &[u8]) {
        incoming.received += data.len() as u64;
        let wanted = usize::try_from(offset)
            .ok()
            .and_then(|start| self.pattern.get(start..start + data.len()));
        incoming.intact &= wanted.is_some_and(|wanted| {
            let ends = data.len().min(8);
            let tail = data.len() - ends;
            if self.thorough {
                wanted == data
            } else {
                wanted[..ends] == data[..ends] && wanted[tail..] == data[tail..]
            }
        });
    }

    fn deliver(&mut self, now: Timestamp, stream: StreamHandle, incoming: &Incoming) {
        let Incoming { transfer, size, received, intact } = *incoming;
        if !intact || received != size {
            return self.fail(transfer, format!("delivered wrong: {received} of {size} bytes"));
        }
        self.notices.push_back(Notice::Delivered { transfer });
        let (status, metadata) = (Status::OK, Bytes::new());
        let respond = Respond { status, metadata, payload: Payload::Whole(Bytes::new()) };
        if let Err(error) = self.endpoint.respond(now, stream, respond) {
            self.fail(transfer, error.to_string());
        }
    }

    fn close(&mut self, stream: StreamHandle, outcome: Outcome) {
        self.receiving.remove(&stream);
        if let Some(transfer) = self.sending.remove(&stream) {
            match outcome {
                Outcome::Complete => self.notices.push_back(Notice::Finished { transfer }),
                other => self.fail(transfer, format!("{other:?}")),
            }
        }
    }

    fn fail(&mut self, transfer: u32, cause: String) {
        self.notices.push_back(Notice::Failed { transfer, cause });
    }
}

impl Host for DcquicHost {
    fn connect(&mut self, now: Timestamp, peer: SocketAddr) {
        if !self.peers.contains_key(&peer) {
            match self.endpoint.add_peer(now, peer) {
                Ok(id) => {
                    self.peers.insert(peer, id);
                }
                Err(_) => self.notices.push_back(Notice::PeerFailed { peer }),
            }
        }
    }

    fn start(&mut self, now: Timestamp, order: Order) {
        self.connect(now, order.to);
        let Some(&peer) = self.peers.get(&order.to) else {
            return self.fail(order.transfer, "no session with the receiver".into());
        };
        let Some(payload) = usize::try_from(order.size)
            .ok()
            .filter(|&len| len <= self.pattern.len())
            .map(|len| self.pattern.slice(..len))
        else {
            return self.fail(order.transfer, "longer than any message should be".into());
        };
        let open = Open {
            priority: Priority::new(order.priority).unwrap_or_default(),
            metadata: Bytes::copy_from_slice(&order.transfer.to_be_bytes()),
            payload: Payload::Whole(payload),
            ..Open::default()
        };
        match self.endpoint.open(now, peer, open) {
            Ok(stream) => {
                self.sending.insert(stream, order.transfer);
            }
            Err(error) => self.fail(order.transfer, error.to_string()),
        }
    }

    fn handle(&mut self, now: Timestamp, from: SocketAddr, ecn: Ecn, payload: &mut [u8]) {
        let local = Some(self.address);
        let info = DatagramInfo { local, remote: from, ecn, segment_size: None };
        self.endpoint.handle_datagram(now, info, payload);
    }

    fn handle_timeout(&mut self, now: Timestamp) {
        self.endpoint.handle_timeout(now);
    }

    fn poll_timeout(&self) -> Option<Timestamp> {
        self.endpoint.poll_timeout().map(|wakeup| wakeup.at)
    }

    fn poll_transmit(
        &mut self,
        now: Timestamp,
        budget: usize,
        send: &mut dyn FnMut(SocketAddr, Ecn, Vec<u8>, bool),
    ) -> bool {
        let more = self.endpoint.poll_transmit(now, &mut self.queue, budget);
        while let Some(transmit) = self.queue.front() {
            let segment = transmit.segment_size.map_or(transmit.len, core::num::NonZero::get);
            let (destination, ecn) = (transmit.destination, transmit.ecn);
            let mut datagram = take_buffer(&self.buffers);
            for mut part in self.queue.parts(transmit) {
                while !part.is_empty() {
                    let (head, rest) = part.split_at(part.len().min(segment - datagram.len()));
                    datagram.extend_from_slice(head);
                    part = rest;
                    if datagram.len() == segment {
                        let full = core::mem::replace(&mut datagram, take_buffer(&self.buffers));
                        let control = is_control(&full);
                        send(destination, ecn, full, control);
                    }
                }
            }
            if datagram.is_empty() {
                self.buffers.borrow_mut().push(datagram);
            } else {
                let control = is_control(&datagram);
                send(destination, ecn, datagram, control);
            }
            self.queue.pop_front();
        }
        more
    }

    fn poll_notice(&mut self, now: Timestamp) -> Option<Notice> {
        self.dispatch(now);
        self.notices.pop_front()
    }

    fn counters(&self) -> Counters {
        counters_of(self.endpoint.stats())
    }

    fn memory(&self) -> u64 {
        let usage = self.endpoint.usage();
        usage.receive_memory + usage.send_memory
    }

    fn describe(&self) -> String {
        format!("{:?} {:?}", self.endpoint.stats(), self.endpoint.usage())
    }

    fn finish(&mut self, _now: Timestamp) -> Vec<String> {
        leftovers(self.address, &self.endpoint.usage())
    }
}

/// What an endpoint has counted.
pub(crate) fn counters_of(stats: &Stats) -> Counters {
    Counters {
        payload_sent: stats.payload_bytes_sent,
        payload_delivered: stats.payload_bytes_delivered,
        retransmitted: stats.retransmitted_bytes,
        duplicate: stats.duplicate_bytes,
        datagrams_out: stats.datagrams_sent,
        datagrams_in: stats.datagrams_received,
        bytes_out: stats.bytes_sent,
        bytes_in: stats.bytes_received,
    }
}

/// What an endpoint should not hold when every message has ended.
pub(crate) fn leftovers(address: SocketAddr, usage: &Usage) -> Vec<String> {
    let left = [
        ("streams", usage.streams as u64),
        ("messages being sent", usage.sending as u64),
        ("messages being received", usage.receiving as u64),
        ("closes", usage.closing as u64),
        ("bytes pulled", usage.pull_outstanding),
        ("bytes of receive memory", usage.receive_memory),
        ("bytes of send memory", usage.send_memory),
    ];
    left.iter()
        .filter(|(_, count)| *count > 0)
        .map(|(what, count)| format!("{address}: {count} {what} are left"))
        .collect()
}

/// The key that all hosts of a simulation hold.
pub(crate) fn psk() -> Psk {
    Psk::from_bytes([0x5a; 32])
}

/// The transfer that a message's metadata names; one that names none is nobody's.
pub(crate) fn transfer_of(metadata: &[u8]) -> u32 {
    metadata.first_chunk().map_or(u32::MAX, |bytes| u32::from_be_bytes(*bytes))
}

/// Whether a datagram carries no payload of messages.
pub(crate) fn is_control(datagram: &[u8]) -> bool {
    PacketKind::peek(datagram) != Some(PacketKind::Data)
}

fn take_buffer(buffers: &Buffers) -> Vec<u8> {
    let mut buffer = buffers.borrow_mut().pop().unwrap_or_default();
    buffer.clear();
    buffer
}
