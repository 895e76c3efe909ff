//! Two endpoints and the network between them, all of it a function of one seed.

use core::{net::SocketAddr, time::Duration};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap, HashSet},
};

use bytes::Bytes;
use dcquic_proto::{
    config::Config,
    crypto::{Psk, Seed},
    endpoint::{
        Destination, Endpoint, Event, Open, Outcome, Payload, PeerFailure, Respond, StartError,
        TransmitQueue,
    },
    health::{HealthCause, HealthState},
    id::{Pattern, PeerId, Priority, Status, StreamHandle},
    link::{DatagramInfo, Ecn},
    rng::Jitter,
    time::Timestamp,
    wire::{Packet, packet::PacketKind},
};

/// What the network does to datagrams, in per mille and microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Weather {
    pub loss: u64,
    pub duplication: u64,
    pub corruption: u64,
    pub delay_us: u64,
    pub jitter_us: u64,
}

impl Weather {
    pub(crate) fn calm() -> Self {
        Self { loss: 0, duplication: 0, corruption: 0, delay_us: 20, jitter_us: 0 }
    }

    /// Up to 30 % loss, with everything else that can go wrong.
    pub(crate) fn random(rng: &mut Jitter) -> Self {
        Self {
            loss: rng.below(301),
            duplication: rng.below(51),
            corruption: rng.below(31),
            delay_us: 1 + rng.below(200),
            jitter_us: rng.below(400),
        }
    }
}

/// One call of the workload and what became of it.
pub(crate) struct Call {
    opener: usize,
    request: u64,
    response: u64,
    status: Status,
    /// The caller will give it up, or has set a short deadline.
    fragile: bool,
    opened_at_peer: u32,
    request_bytes: u64,
    response_bytes: u64,
    outcome: Option<Outcome>,
}

/// A stream as the application of one side sees it.
struct Open1 {
    call: usize,
    to_supply: Option<(u64, u64)>,
    incoming: HashSet<u64>,
}

pub(crate) struct Node {
    pub endpoint: Endpoint,
    address: SocketAddr,
    out: TransmitQueue,
    streams: BTreeMap<StreamHandle, Open1>,
    pub peer: Option<PeerId>,
}

/// Delivery time, order, destination, bytes.
type Flight = (Timestamp, u64, usize, Vec<u8>);

/// Sender, path secret id, epoch, worker, path, packet number.
type Nonce = (usize, [u8; 16], u32, u8, u8, u64);

pub(crate) struct World {
    pub seed: u64,
    pub now: Timestamp,
    pub nodes: [Node; 2],
    pub weather: Weather,
    /// Some requests are handed over piece by piece.
    pub supplies: bool,
    pub calls: Vec<Call>,
    rng: Jitter,
    air: BinaryHeap<Reverse<Flight>>,
    order: u64,
    nonces: HashSet<Nonce>,
    pub trace: u64,
    /// What these nodes send is lost.
    pub muted: [bool; 2],
    /// Data packets are lost, control packets are not.
    pub black_hole: bool,
    /// Datagrams that each node sent.
    pub sent: [u64; 2],
    /// Calls may come to nothing: peers fail.
    pub peers_fail: bool,
    /// What became of the peers' health, by the node that noticed.
    pub changes: Vec<Change>,
    /// What became of peers that were forgotten.
    pub forgotten: Vec<(usize, PeerFailure)>,
}

/// A change of a peer's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub node: usize,
    pub at: Timestamp,
    pub from: HealthState,
    pub to: HealthState,
    pub cause: HealthCause,
}

impl World {
    pub(crate) fn new(seed: u64, config: Config, weather: Weather) -> Self {
        let node = |index: u8| Node {
            endpoint: Endpoint::new(
                config.clone(),
                Psk::from_bytes([7; 32]),
                Seed::from_bytes(seed_bytes(seed, index)),
                Timestamp::ZERO,
            )
            .unwrap(),
            address: SocketAddr::from(([10, 0, 0, index + 1], 4433)),
            out: TransmitQueue::new(),
            streams: BTreeMap::new(),
            peer: None,
        };
        Self {
            seed,
            now: Timestamp::ZERO,
            nodes: [node(0), node(1)],
            weather,
            supplies: true,
            calls: Vec::new(),
            rng: Jitter::new(seed),
            air: BinaryHeap::new(),
            order: 0,
            nonces: HashSet::new(),
            trace: 0,
            muted: [false; 2],
            black_hole: false,
            sent: [0; 2],
            peers_fail: false,
            changes: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    pub(crate) fn connect(&mut self) {
        let remote = self.nodes[1].address;
        let now = self.now;
        self.nodes[0].peer = Some(self.nodes[0].endpoint.add_peer(now, remote).unwrap());
        self.drain(0);
    }

    /// Starts a call from `node` with messages of the given sizes.
    pub(crate) fn call(
        &mut self,
        node: usize,
        request: u64,
        response: u64,
        deadline: Option<Duration>,
    ) {
        if let Err(error) = self.try_call(node, request, response, deadline) {
            panic!("seed {}: {error}", self.seed);
        }
    }

    /// The same, where it may be refused.
    pub(crate) fn try_call(
        &mut self,
        node: usize,
        request: u64,
        response: u64,
        deadline: Option<Duration>,
    ) -> Result<(), StartError> {
        let queued = self.queue_call(node, request, response, deadline, None);
        self.drain(node);
        queued
    }

    /// The same, without letting anything be sent yet; of any priority unless one is given.
    pub(crate) fn queue_call(
        &mut self,
        node: usize,
        request: u64,
        response: u64,
        deadline: Option<Duration>,
        priority: Option<Priority>,
    ) -> Result<(), StartError> {
        let Some(peer) = self.nodes[node].peer else { return Ok(()) };
        let index = self.calls.len();
        let (now, supplied) = (self.now, self.rng.below(4) == 0 && self.supplies);
        let mut metadata = (index as u64).to_be_bytes().to_vec();
        metadata.resize(8 + self.rng.below(60) as usize, 0xee);
        let payload = if supplied && request > 0 {
            Payload::Supplied { size: request }
        } else {
            Payload::Whole(pattern(index as u64, request))
        };
        let is_supplied = matches!(payload, Payload::Supplied { .. });
        let response_to =
            if self.rng.below(2) == 0 { Destination::Memory } else { Destination::Records };
        let mut open = Open {
            pattern: if self.rng.below(2) == 0 { Pattern::Unary } else { Pattern::Bulk },
            priority: Priority::new(self.rng.below(8) as u8).unwrap(),
            metadata: metadata.into(),
            payload,
            response: response_to,
            deadline: deadline.map(|span| now + span),
            ..Open::default()
        };
        open.priority = priority.unwrap_or(open.priority);
        let status = if self.rng.below(5) == 0 { Status(77) } else { Status::OK };
        let stream = self.nodes[node].endpoint.open(now, peer, open)?;
        self.calls.push(Call {
            opener: node,
            request,
            response,
            status,
            fragile: deadline.is_some() || self.peers_fail,
            opened_at_peer: 0,
            request_bytes: 0,
            response_bytes: 0,
            outcome: None,
        });
        let to_supply = is_supplied.then_some((0, request));
        let open = Open1 { call: index, to_supply, incoming: HashSet::new() };
        self.nodes[node].streams.insert(stream, open);
        Ok(())
    }

    /// The network tells a node that the other cannot be reached.
    pub(crate) fn report_unreachable(&mut self, node: usize) {
        let (now, remote) = (self.now, self.nodes[1 - node].address);
        self.nodes[node].endpoint.handle_unreachable(now, remote);
        self.drain(node);
    }

    /// A node's process ends, and another begins at its address with a seed of its own.
    pub(crate) fn restart(&mut self, node: usize, life: u8) {
        let config = self.nodes[node].endpoint.config().clone();
        let seed = Seed::from_bytes(seed_bytes(self.seed, life));
        let psk = Psk::from_bytes([7; 32]);
        self.nodes[node].endpoint = Endpoint::new(config, psk, seed, self.now).unwrap();
        self.nodes[node].streams.clear();
        self.nodes[node].peer = None;
    }

    /// Lets time pass, whatever happens in it.
    pub(crate) fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        while self.next_at().is_some_and(|at| at <= end) && self.step() {}
        self.now = self.now.max(end);
    }

    /// When the next thing happens.
    fn next_at(&self) -> Option<Timestamp> {
        let air = self.air.peek().map(|Reverse((at, ..))| *at);
        let timers = [0, 1].map(|n| self.nodes[n].endpoint.poll_timeout().map(|wake| wake.at));
        air.into_iter().chain(timers.into_iter().flatten()).min()
    }

    /// How the calls ended that have.
    pub(crate) fn outcomes(&self) -> Vec<Outcome> {
        self.calls.iter().filter_map(|call| call.outcome).collect()
    }

    /// The states that a node has seen its peer enter.
    pub(crate) fn states(&self, node: usize) -> Vec<HealthState> {
        self.changes.iter().filter(|change| change.node == node).map(|change| change.to).collect()
    }

    /// The calls that have ended.
    pub(crate) fn ended(&self) -> impl Iterator<Item = usize> + '_ {
        let calls = self.calls.iter().enumerate();
        calls.filter(|(_, call)| call.outcome.is_some()).map(|(index, _)| index)
    }

    /// Whether a call has ended.
    pub(crate) fn has_ended(&self, call: usize) -> bool {
        self.calls[call].outcome.is_some()
    }

    /// Gives up a random stream of a node, from whichever side it was opened; false if it has none.
    pub(crate) fn cancel_one(&mut self, node: usize) -> bool {
        let mut streams: Vec<_> = self.nodes[node].streams.keys().copied().collect();
        streams.sort_unstable();
        if streams.is_empty() {
            return false;
        }
        let stream = streams[self.rng.below(streams.len() as u64) as usize];
        let call = self.nodes[node].streams[&stream].call;
        self.calls[call].fragile = true;
        let now = self.now;
        self.nodes[node].endpoint.cancel(now, stream, Status::CANCELLED).unwrap();
        self.drain(node);
        true
    }

    /// Moves to the next thing that happens; false if nothing will.
    pub(crate) fn step(&mut self) -> bool {
        let air = self.air.peek().map(|Reverse((at, ..))| *at);
        let timers = [0, 1].map(|n| self.nodes[n].endpoint.poll_timeout().map(|wake| wake.at));
        let Some(next) = air.into_iter().chain(timers.into_iter().flatten()).min() else {
            return false;
        };
        self.now = self.now.max(next);
        let now = self.now;
        if air.is_some_and(|at| at <= now) {
            let Some(Reverse((_, _, to, mut bytes))) = self.air.pop() else { return false };
            let info = DatagramInfo {
                local: None,
                remote: self.nodes[1 - to].address,
                ecn: Ecn::NotEct,
                segment_size: None,
            };
            self.nodes[to].endpoint.handle_datagram(now, info, &mut bytes);
            self.drain(to);
        } else {
            for (node, at) in timers.into_iter().enumerate() {
                if at.is_some_and(|at| at <= now) {
                    // a coarse deadline may be early: time has to move for it to come true
                    self.now = now + Duration::from_nanos(1);
                    self.nodes[node].endpoint.handle_timeout(now);
                    self.drain(node);
                }
            }
        }
        self.check_bounds();
        true
    }

    /// Runs until every call has ended on both sides, or `limit` of virtual time has passed.
    pub(crate) fn run(&mut self, limit: Duration) {
        let end = self.now + limit;
        while self.now < end && (!self.is_done() || !self.air.is_empty()) {
            if !self.step() {
                break;
            }
        }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.calls.iter().all(|call| call.outcome.is_some())
            && self.nodes.iter().all(|node| {
                let usage = node.endpoint.usage();
                usage.streams + usage.sending + usage.receiving + usage.closing == 0
            })
    }

    /// Drains every output of a node, as the endpoint's rule asks.
    pub(crate) fn drain(&mut self, node: usize) {
        loop {
            let mut idle = true;
            while let Some(event) = self.nodes[node].endpoint.poll_event() {
                idle = false;
                self.on_event(node, event);
            }
            let now = self.now;
            let Node { endpoint, out, .. } = &mut self.nodes[node];
            endpoint.poll_transmit(now, out, 1 << 16);
            while let Some(transmit) = self.nodes[node].out.front().cloned() {
                idle = false;
                let mut bytes = Vec::new();
                self.nodes[node].out.copy_to(&transmit, &mut bytes);
                self.nodes[node].out.pop_front();
                let size = transmit.segment_size.map_or(bytes.len(), |size| size.get());
                for datagram in bytes.chunks(size) {
                    self.fly(node, datagram);
                }
            }
            if idle {
                return;
            }
        }
    }

    /// A datagram enters the network.
    fn fly(&mut self, from: usize, datagram: &[u8]) {
        self.check_nonce(from, datagram);
        self.sent[from] += 1;
        for byte in datagram.iter().take(64) {
            self.trace = (self.trace ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
        let data = PacketKind::peek(datagram) == Some(PacketKind::Data);
        if self.muted[from] || (self.black_hole && data) {
            return;
        }
        let weather = self.weather;
        let copies = 1 + u64::from(self.rng.below(1_000) < weather.duplication);
        for _ in 0..copies {
            if self.rng.below(1_000) < weather.loss {
                continue;
            }
            let mut bytes = datagram.to_vec();
            if self.rng.below(1_000) < weather.corruption {
                let at = self.rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << self.rng.below(8);
            }
            let delay = weather.delay_us * 1_000 + self.rng.below(weather.jitter_us * 1_000 + 1);
            self.order += 1;
            let at = self.now + Duration::from_nanos(delay);
            self.air.push(Reverse((at, self.order, 1 - from, bytes)));
        }
    }

    /// No (key, nonce) pair may be used twice by a sender.
    fn check_nonce(&mut self, from: usize, datagram: &[u8]) {
        let header = match Packet::decode(datagram) {
            Ok(Packet::Control(packet)) => *packet.header,
            Ok(Packet::Data(packet)) => packet.header.packet,
            Ok(_) => return,
            Err(error) => panic!("seed {}: sent a malformed packet: {error}", self.seed),
        };
        let nonce = (
            from,
            header.secret_id,
            header.epoch.get(),
            header.worker,
            header.path,
            header.packet_number.get(),
        );
        assert!(self.nonces.insert(nonce), "seed {}: nonce used twice: {nonce:?}", self.seed);
    }

    fn on_event(&mut self, node: usize, event: Event) {
        match event {
            Event::PeerConnected { peer, .. } => self.nodes[node].peer = Some(peer),
            Event::PeerHealth { from, to, cause, .. } => {
                self.changes.push(Change { node, at: self.now, from, to, cause });
            }
            Event::PeerFailed { peer, cause, .. } => {
                let expected = matches!(cause, PeerFailure::Silent | PeerFailure::NoAnswer);
                assert!(expected || self.peers_fail, "seed {}: {cause}", self.seed);
                self.forgotten.push((node, cause));
                if self.nodes[node].peer == Some(peer) {
                    self.nodes[node].peer = None;
                }
            }
            Event::Opened { stream, offer, body } => {
                self.on_opened(node, stream, &offer.metadata, offer.size, body);
            }
            Event::Response { stream, status, metadata, size, body } => {
                let call = self.nodes[node].streams[&stream].call;
                let expected = &self.calls[call];
                assert_eq!(call_of(&metadata), call as u64);
                assert_eq!((status, size), (expected.status, expected.response));
                if let Some(body) = body {
                    self.take(node, stream, 0, &body);
                }
            }
            Event::Record { stream, offset, data } => {
                self.take(node, stream, offset, &data);
                let now = self.now;
                self.nodes[node].endpoint.release(now, stream, data.len() as u64);
            }
            Event::Received { stream, body } => {
                if let Some(body) = body {
                    self.take(node, stream, 0, &body);
                }
                let call = self.nodes[node].streams[&stream].call;
                if self.calls[call].opener != node {
                    self.respond(node, stream);
                }
            }
            Event::Message { .. } | Event::Writable { .. } | Event::Sent { .. } => {
                panic!("seed {}: no call has many messages", self.seed)
            }
            Event::SupplyWanted { stream, up_to } => self.supply(node, stream, up_to),
            Event::Closed { stream, outcome } => self.on_closed(node, stream, outcome),
        }
    }

    fn on_opened(
        &mut self,
        node: usize,
        stream: StreamHandle,
        metadata: &[u8],
        size: u64,
        body: Option<Bytes>,
    ) {
        let call = call_of(metadata) as usize;
        let expected = &mut self.calls[call];
        assert_eq!(expected.opener, 1 - node);
        assert_eq!(size, expected.request);
        expected.opened_at_peer += 1;
        assert_eq!(expected.opened_at_peer, 1, "seed {}: call {call} opened twice", self.seed);
        let open = Open1 { call, to_supply: None, incoming: HashSet::new() };
        assert!(self.nodes[node].streams.insert(stream, open).is_none());
        match body {
            Some(body) => {
                self.take(node, stream, 0, &body);
                self.respond(node, stream);
            }
            None => {
                let to =
                    if self.rng.below(2) == 0 { Destination::Memory } else { Destination::Records };
                let now = self.now;
                if self.nodes[node].endpoint.receive(now, stream, to).is_err() {
                    self.nodes[node].endpoint.receive(now, stream, Destination::Records).unwrap();
                }
            }
        }
    }

    fn respond(&mut self, node: usize, stream: StreamHandle) {
        let open = &self.nodes[node].streams[&stream];
        let index = open.call;
        let call = &self.calls[index];
        assert_eq!(call.request_bytes, call.request, "seed {}: call {index}", self.seed);
        let size = call.response;
        let supplied = size > 0 && self.rng.below(4) == 0;
        let payload = if supplied {
            Payload::Supplied { size }
        } else {
            Payload::Whole(pattern(!(index as u64), size))
        };
        let respond = Respond {
            status: call.status,
            metadata: Bytes::copy_from_slice(&(index as u64).to_be_bytes()),
            payload,
        };
        if let Some(open) = self.nodes[node].streams.get_mut(&stream) {
            open.to_supply = supplied.then_some((0, size));
            open.incoming.clear();
        }
        let now = self.now;
        self.nodes[node].endpoint.respond(now, stream, respond).unwrap();
    }

    fn supply(&mut self, node: usize, stream: StreamHandle, up_to: u64) {
        let Some(open) = self.nodes[node].streams.get_mut(&stream) else { return };
        let Some((mut from, size)) = open.to_supply else {
            panic!("seed {}: supply wanted of a whole message", self.seed)
        };
        let call = open.call as u64;
        let key = if self.calls[open.call].opener == node { call } else { !call };
        while from < up_to.min(size) {
            let end = (from + 1 + self.rng.below(30_000)).min(size);
            let chunk = pattern_range(key, from, end);
            let now = self.now;
            self.nodes[node].endpoint.supply(now, stream, chunk).unwrap();
            from = end;
        }
        if let Some(open) = self.nodes[node].streams.get_mut(&stream) {
            open.to_supply = Some((from, size));
        }
    }

    /// Part of a message was delivered: it must be new, and what was sent.
    fn take(&mut self, node: usize, stream: StreamHandle, offset: u64, data: &[u8]) {
        let Some(open) = self.nodes[node].streams.get_mut(&stream) else {
            panic!("seed {}: data of a closed stream", self.seed)
        };
        assert!(open.incoming.insert(offset), "seed {}: offset {offset} twice", self.seed);
        let call = &mut self.calls[open.call];
        let is_response = call.opener == node;
        let key = if is_response { !(open.call as u64) } else { open.call as u64 };
        let expected = pattern_range(key, offset, offset + data.len() as u64);
        assert!(expected == data, "seed {}: call {} is altered", self.seed, open.call);
        let count = if is_response { &mut call.response_bytes } else { &mut call.request_bytes };
        *count += data.len() as u64;
    }

    fn on_closed(&mut self, node: usize, stream: StreamHandle, outcome: Outcome) {
        let Some(open) = self.nodes[node].streams.remove(&stream) else {
            panic!("seed {}: {stream:?} closed twice or never opened", self.seed)
        };
        let seed = self.seed;
        let call = &mut self.calls[open.call];
        if call.opener != node {
            return;
        }
        assert!(call.outcome.is_none(), "seed {seed}: call {} ended twice", open.call);
        if outcome == Outcome::Complete {
            assert_eq!(call.response_bytes, call.response, "seed {seed}: call {}", open.call);
            assert_eq!(call.opened_at_peer, 1);
        } else {
            assert!(call.fragile, "seed {seed}: call {} ended with {outcome:?}", open.call);
        }
        call.outcome = Some(outcome);
    }

    /// What must hold after every step.
    fn check_bounds(&self) {
        for node in &self.nodes {
            let usage = node.endpoint.usage();
            let config = node.endpoint.config();
            let seed = self.seed;
            assert!(usage.receive_memory <= config.receive_memory, "seed {seed}: {usage:?}");
            // records that did not open are outstanding again, on top of the credit
            let credit = config.pull_credit * 2;
            assert!(usage.pull_outstanding <= credit, "seed {seed}: {usage:?}");
            let send = config.send_memory + (1 << 17);
            assert!(usage.send_memory <= send, "seed {seed}: {usage:?}");
            assert!(usage.pending_hellos <= config.max_pending_hellos, "seed {seed}: {usage:?}");
            if usage.streams + usage.sending + usage.receiving + usage.closing > 0 {
                let armed = node.endpoint.poll_timeout().is_some();
                assert!(armed, "seed {seed}: no timer is armed: {usage:?}");
            }
        }
    }

    /// What must hold when everything has ended.
    pub(crate) fn check_nothing_leaked(&self) {
        for (index, node) in self.nodes.iter().enumerate() {
            let usage = node.endpoint.usage();
            let rest = (usage.streams, usage.sending, usage.receiving, usage.closing);
            assert_eq!(rest, (0, 0, 0, 0), "seed {} node {index}: {usage:?}", self.seed);
            let memory = (usage.pull_outstanding, usage.receive_memory, usage.send_memory);
            assert_eq!(memory, (0, 0, 0), "seed {} node {index}: {usage:?}", self.seed);
            assert!(node.streams.is_empty(), "seed {} node {index}", self.seed);
        }
    }
}

fn call_of(metadata: &[u8]) -> u64 {
    u64::from_be_bytes(*metadata.first_chunk().unwrap())
}

fn seed_bytes(seed: u64, index: u8) -> [u8; 32] {
    let mut bytes = [index; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    bytes
}

/// Bytes that tell which message they are of, and where in it.
fn pattern(key: u64, size: u64) -> Bytes {
    pattern_range(key, 0, size)
}

fn pattern_range(key: u64, start: u64, end: u64) -> Bytes {
    let key = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    (start..end).map(|at| (at.wrapping_mul(key | 1) >> 7) as u8 ^ at as u8).collect()
}
