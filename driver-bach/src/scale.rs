//! The scale engine: a plain event loop over hosts and the network model.
//!
//! Everything is a function of the scenario and its seed. Datagrams that reach a host at the same
//! instant are handed over together, as a batch from a socket would be; then the host's notices are
//! taken, it sends as far as its NIC has room, and its next timer is noted. A host may put a
//! bounded number of bytes into its NIC and waits for room otherwise, so that the transport
//! decides the order of what it sends as late as possible.

mod happening;
mod node;

use dcquic_proto::time::Timestamp;

use self::{happening::Happening, node::Node};
use crate::{
    event_queue::EventQueue,
    host::{Counters, Host, Order, dcquic::Buffers},
    measure::Recorder,
    net::{HostFault, HostFaultKind, Network, NicId, Picos},
    workload::Transfer,
};

/// Wire bytes that a host keeps in its NIC at most: 5 us at 100 Gbit/s. More would only queue where
/// nobody can reorder it (Homa found 1 to 10 us to be equally good).
pub(crate) const NIC_LIMIT: u64 = 64 << 10;

/// A session is begun this long after the last one, so that hellos do not meet in a queue.
pub(crate) const CONNECT_SPACING: Picos = Picos::from_nanos(2_000);

/// Nothing but timers happens for this long before the workload starts.
const SETTLE: Picos = Picos::from_nanos(50_000_000);

/// How often the hot port is looked at.
pub(crate) const SAMPLE_EVERY: Picos = Picos::from_nanos(5_000);

/// Everything that one run needs.
pub struct Setup {
    /// The network.
    pub network: Network,
    /// A host for every NIC.
    pub hosts: Vec<Box<dyn Host>>,
    /// What is sent, in order of time.
    pub transfers: Vec<Transfer>,
    /// What befalls hosts, with times from the start of the workload.
    pub host_faults: Vec<HostFault>,
    /// Simulated time after which the run ends, from the start of the workload.
    pub limit: Picos,
    /// How long to go on after the last delivery, for acknowledgements.
    pub linger: Picos,
    /// Memory of spent datagrams.
    pub buffers: Buffers,
}

/// A run in progress.
pub struct Engine {
    network: Network,
    nodes: Vec<Node>,
    events: EventQueue<Happening>,
    now: Picos,
    transfers: Vec<Transfer>,
    next_transfer: usize,
    host_faults: Vec<HostFault>,
    recorder: Recorder,
    buffers: Buffers,
    frames: u64,
    /// Hosts that something happened to at this instant.
    touched: Vec<u32>,
    start: Picos,
    limit: Picos,
    linger: Picos,
}

impl core::fmt::Debug for Engine {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Engine").field("now", &self.now).finish_non_exhaustive()
    }
}

impl Engine {
    /// Prepares a run.
    pub fn new(setup: Setup) -> Self {
        let Setup { network, hosts, transfers, host_faults, limit, linger, buffers } = setup;
        let recorder = Recorder::new(&transfers);
        Self {
            network,
            nodes: hosts.into_iter().map(Node::new).collect(),
            events: EventQueue::default(),
            now: Picos::ZERO,
            transfers,
            next_transfer: 0,
            host_faults,
            recorder,
            buffers,
            frames: 0,
            touched: Vec::new(),
            start: Picos::ZERO,
            limit,
            linger,
        }
    }

    /// Connects, runs the workload to its end or to the limit, and hands over what was measured.
    pub fn run(mut self) -> (Recorder, Network, Vec<Box<dyn Host>>) {
        self.connect_all();
        self.run_until(self.start, |_| false);
        self.recorder.begin(self.start, &self.network, self.counters());
        self.begin_workload();
        let end = self.start + self.limit;
        self.run_until(end, |recorder| recorder.is_done());
        self.recorder.end(self.now, &self.network, self.counters());
        let linger = self.now + self.linger;
        self.run_until(linger, |_| false);
        self.recorder.close(self.events.inserted());
        let mut hosts: Vec<_> = self.nodes.into_iter().map(|node| node.host).collect();
        if self.recorder.is_done() {
            let now = self.now.timestamp();
            for host in &mut hosts {
                for problem in host.finish(now) {
                    self.recorder.problem(problem);
                }
            }
        }
        (self.recorder, self.network, hosts)
    }

    /// What all hosts have counted.
    fn counters(&self) -> Counters {
        self.nodes.iter().map(|node| node.host.counters()).sum()
    }

    /// Lets every pair that will talk meet beforehand, one after the other.
    fn connect_all(&mut self) {
        let mut at = Picos::ZERO;
        for (a, b) in pairs(&self.transfers) {
            self.events.insert(at, Happening::Connect(b.0, a.0));
            at += CONNECT_SPACING;
        }
        self.start = at + SETTLE;
    }

    fn begin_workload(&mut self) {
        if let Some(first) = self.transfers.first() {
            self.events.insert(self.start + first.at, Happening::Start);
        }
        for index in 0..self.host_faults.len() {
            let at = self.start + Picos::from_nanos(self.host_faults[index].at_ns);
            self.events.insert(at, Happening::HostFault(index as u32));
        }
        if let Some(at) = self.network.next_fault() {
            self.events.insert(at, Happening::Faults);
        }
        self.events.insert(self.start, Happening::Sample);
    }

    fn run_until(&mut self, end: Picos, done: impl Fn(&Recorder) -> bool) {
        while let Some(at) = self.events.next_at() {
            if at > end {
                break;
            }
            self.now = at;
            while self.events.next_at() == Some(at)
                && let Some((_, happening)) = self.events.pop()
            {
                self.happen(happening);
            }
            self.drain();
            if done(&self.recorder) {
                return;
            }
        }
        self.now = self.now.max(end);
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Network(step) => {
                let Self { network, events, .. } = self;
                let arrival = network
                    .step(step, &mut |step| events.insert(step.at, Happening::Network(step)));
                if let Some(arrival) = arrival {
                    self.nodes[arrival.nic.0 as usize].inbox.push(arrival.frame);
                    self.touch(arrival.nic.0);
                }
            }
            Happening::Wake(host) => {
                let node = &mut self.nodes[host as usize];
                if node.wake == Some(self.now) {
                    node.wake = None;
                    self.touch(host);
                }
            }
            Happening::Room(host) => {
                self.nodes[host as usize].waits_for_room = false;
                self.touch(host);
            }
            Happening::Start => self.start_transfers(),
            Happening::Connect(from, to) => {
                let peer = self.network.address(NicId(to));
                self.nodes[from as usize].host.connect(self.now.timestamp(), peer);
                self.touch(from);
            }
            Happening::Faults => {
                self.network.apply_faults(self.now);
                if let Some(at) = self.network.next_fault() {
                    self.events.insert(at, Happening::Faults);
                }
            }
            Happening::HostFault(index) => self.begin_host_fault(index),
            Happening::Resume(host) => {
                self.nodes[host as usize].paused = false;
                self.touch(host);
            }
            Happening::Sample => {
                self.recorder.sample(self.now, &self.network);
                if !self.recorder.is_done() {
                    self.events.insert(self.now + SAMPLE_EVERY, Happening::Sample);
                }
            }
        }
    }

    fn start_transfers(&mut self) {
        while let Some(transfer) = self.transfers.get(self.next_transfer).copied() {
            let at = self.start + transfer.at;
            if at > self.now {
                self.events.insert(at, Happening::Start);
                return;
            }
            let order = Order {
                transfer: self.next_transfer as u32,
                to: self.network.address(transfer.to),
                size: transfer.size,
                priority: transfer.priority,
            };
            self.nodes[transfer.from.0 as usize].host.start(self.now.timestamp(), order);
            self.touch(transfer.from.0);
            self.next_transfer += 1;
        }
    }

    fn begin_host_fault(&mut self, index: u32) {
        let HostFault { host, kind, .. } = self.host_faults[index as usize];
        if let HostFaultKind::Pause { for_ns } = kind {
            self.nodes[host as usize].paused = true;
            self.events.insert(self.now + Picos::from_nanos(for_ns), Happening::Resume(host));
        }
    }

    fn touch(&mut self, host: u32) {
        let node = &mut self.nodes[host as usize];
        if !node.touched {
            node.touched = true;
            self.touched.push(host);
        }
    }

    /// Lets every host that something happened to act.
    fn drain(&mut self) {
        let mut touched = core::mem::take(&mut self.touched);
        for host in touched.drain(..) {
            self.nodes[host as usize].touched = false;
            if !self.nodes[host as usize].paused {
                self.turn(host);
            }
        }
        self.touched = touched;
    }

    /// One host's turn: what arrived, timers, notices, transmissions, the next timer.
    fn turn(&mut self, host: u32) {
        let now = self.now.timestamp();
        let node = &mut self.nodes[host as usize];
        for mut frame in node.inbox.drain(..) {
            node.host.handle(now, frame.from, frame.ecn, &mut frame.payload);
            self.buffers.borrow_mut().push(frame.payload);
        }
        if node.host.poll_timeout().is_some_and(|at| at <= now) {
            node.host.handle_timeout(now);
        }
        self.take_notices(host, now);
        self.transmit(host, now);
        self.take_notices(host, now);
        let node = &mut self.nodes[host as usize];
        if let Some(at) = node.host.poll_timeout() {
            let at = Picos::from(at).max(self.now + Picos::from_nanos(1));
            if node.wake.is_none_or(|wake| wake <= self.now || at < wake) {
                node.wake = Some(at);
                self.events.insert(at, Happening::Wake(host));
            }
        }
    }

    fn take_notices(&mut self, host: u32, now: Timestamp) {
        let node = &mut self.nodes[host as usize];
        while let Some(notice) = node.host.poll_notice(now) {
            self.recorder.notice(self.now, host, &notice);
        }
    }

    fn transmit(&mut self, host: u32, now: Timestamp) {
        let nic = NicId(host);
        let Self { network, events, nodes, recorder, frames, .. } = self;
        let node = &mut nodes[host as usize];
        loop {
            let backlog = network.nic_backlog(self.now, nic);
            let more = if backlog < NIC_LIMIT {
                let at = self.now;
                let from = network.address(nic);
                let budget = (NIC_LIMIT - backlog) as usize;
                node.host.poll_transmit(now, budget, &mut |to, ecn, payload, control| {
                    let id = *frames;
                    *frames += 1;
                    let frame = crate::net::Frame { id, from, to, ecn, control, payload };
                    recorder.frame(at, &frame);
                    network.send(at, nic, frame, &mut |step| {
                        events.insert(step.at, Happening::Network(step));
                    });
                })
            } else {
                true
            };
            if !more {
                return;
            }
            if network.nic_backlog(self.now, nic) >= NIC_LIMIT {
                if !node.waits_for_room {
                    node.waits_for_room = true;
                    let at = network.nic_drained_to(nic, NIC_LIMIT / 2);
                    events.insert(at.max(self.now), Happening::Room(host));
                }
                return;
            }
        }
    }
}

/// When a workload will start: after every pair that talks has met.
pub fn start_of(transfers: &[Transfer]) -> Picos {
    Picos(pairs(transfers).len() as u64 * CONNECT_SPACING.0) + SETTLE
}

/// Who meets whom beforehand, in order.
pub(crate) fn pairs(transfers: &[Transfer]) -> Vec<(NicId, NicId)> {
    let mut pairs: Vec<_> =
        transfers.iter().map(|t| (t.from.min(t.to), t.from.max(t.to))).collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}
