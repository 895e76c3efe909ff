//! The scale engine: a plain event loop over hosts and the network model.
//!
//! Everything is a function of the scenario and its seed. Datagrams that reach a host at the same
//! instant are handed over together, as a batch from a socket would be; then the host's notices are
//! taken, it sends as far as its NIC has room, and its next timer is noted. A host may put a
//! bounded number of bytes into its NIC and waits for room otherwise, so that the transport
//! decides the order of what it sends as late as possible.

mod crash;
mod happening;
mod node;

use dcquic_proto::time::Timestamp;

use self::{happening::Happening, node::Node};
use crate::{
    event_queue::EventQueue,
    host::{Counters, Host, HostError, Notice, Order, dcquic::Buffers},
    measure::Recorder,
    net::{Arrival, HostFault, Network, NicId, Picos},
    workload::Transfer,
};

pub use self::crash::Retry;

/// Wire bytes that a host keeps in its NIC at most: 5 us at 100 Gbit/s. More would only queue where
/// nobody can reorder it (Homa found 1 to 10 us to be equally good).
pub(crate) const NIC_LIMIT: u64 = 64 << 10;

/// A session is begun this long after the last one, so that hellos do not meet in a queue.
pub(crate) const CONNECT_SPACING: Picos = Picos::from_nanos(2_000);

/// Nothing but timers happens for this long before the workload starts.
const SETTLE: Picos = Picos::from_nanos(50_000_000);

/// How often those that watch a run are told of it, in events.
const TELL_EVERY: u32 = 1 << 16;

/// Makes the host of a NIC; the number tells how often it was made before.
pub type MakeHost = Box<dyn FnMut(NicId, u32) -> Result<Box<dyn Host>, HostError>>;

/// Is told how many transfers have ended.
pub type Watch = Box<dyn FnMut(usize)>;

/// Everything that one run needs.
pub struct Setup {
    /// The network.
    pub network: Network,
    /// Interfaces of each host, all of which a fault of the host befalls.
    pub nics_per_host: u32,
    /// Makes a host for every NIC.
    pub make_host: MakeHost,
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
    /// What the application does when a transfer fails; without it, nothing.
    pub retry: Option<Retry>,
    /// Bytes that a host may hold at most, looked at now and then.
    pub memory_limit: Option<u64>,
    /// Is told of progress.
    pub watch: Option<Watch>,
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
    nics_per_host: u32,
    make_host: MakeHost,
    retry: Option<Retry>,
    memory_limit: Option<u64>,
    watch: Option<Watch>,
    until_told: u32,
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
    ///
    /// # Errors
    /// A host cannot be made.
    pub fn new(setup: Setup) -> Result<Self, HostError> {
        let mut make_host = setup.make_host;
        let nodes = (0..setup.network.nics())
            .map(|nic| Ok(Node::new(make_host(NicId(nic as u32), 0)?)))
            .collect::<Result<Vec<_>, HostError>>()?;
        let mut recorder = Recorder::new(&setup.transfers);
        if nodes.iter().any(|node| !node.host.deterministic_bytes()) {
            recorder.digest_lengths_only();
        }
        Ok(Self {
            network: setup.network,
            nodes,
            events: EventQueue::default(),
            now: Picos::ZERO,
            transfers: setup.transfers,
            next_transfer: 0,
            host_faults: setup.host_faults,
            recorder,
            buffers: setup.buffers,
            nics_per_host: setup.nics_per_host,
            make_host,
            retry: setup.retry,
            memory_limit: setup.memory_limit,
            watch: setup.watch,
            until_told: TELL_EVERY,
            frames: 0,
            touched: Vec::new(),
            start: Picos::ZERO,
            limit: setup.limit,
            linger: setup.linger,
        })
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
        self.check_conservation();
        self.recorder.close(self.events.inserted());
        let now = self.now.timestamp();
        for node in self.nodes.iter_mut().filter(|node| !node.crashed) {
            if self.recorder.is_done() {
                for problem in node.host.finish(now) {
                    self.recorder.problem(problem);
                }
            }
        }
        let hosts = self.nodes.into_iter().map(|node| node.host).collect();
        (self.recorder, self.network, hosts)
    }

    /// Every frame that a host sent or the network doubled has arrived, was dropped, or is on its
    /// way.
    fn check_conservation(&mut self) {
        let stats = self.network.stats();
        let taken = stats.sent.frames + stats.duplicated;
        let left = stats.delivered.frames + stats.drops.total() + self.on_their_way();
        if taken != left {
            self.recorder.problem(format!("{taken} frames were sent, {left} are accounted for"));
        }
    }

    fn on_their_way(&self) -> u64 {
        self.events.count(|happening| matches!(happening, Happening::Network(_)))
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
                self.until_told -= 1;
                if self.until_told == 0 {
                    self.tell();
                }
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
                    self.arrive(arrival);
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
            Happening::Rise(host) => self.rise(host),
            Happening::Retry(transfer, attempt) => self.attempt_again(transfer, attempt),
            Happening::Sample => self.sample(),
        }
    }

    fn arrive(&mut self, arrival: Arrival) {
        let node = &mut self.nodes[arrival.nic.0 as usize];
        if node.crashed {
            // nobody is there to take it
            self.buffers.borrow_mut().push(arrival.frame.payload);
            return;
        }
        node.inbox.push(arrival.frame);
        self.touch(arrival.nic.0);
    }

    fn sample(&mut self) {
        let next = self.recorder.sample(self.now, &self.network);
        if let Some(limit) = self.memory_limit {
            for (nic, node) in self.nodes.iter().enumerate() {
                let memory = node.host.memory();
                if memory > limit {
                    self.recorder.problem(format!("host {nic} holds {memory} of {limit} bytes"));
                    self.memory_limit = None;
                    break;
                }
            }
        }
        if !self.recorder.is_done() {
            self.events.insert(self.now + next, Happening::Sample);
        }
    }

    fn tell(&mut self) {
        self.until_told = TELL_EVERY;
        if let Some(watch) = &mut self.watch {
            watch(self.recorder.ended());
        }
    }

    fn start_transfers(&mut self) {
        while let Some(transfer) = self.transfers.get(self.next_transfer).copied() {
            let at = self.start + transfer.at;
            if at > self.now {
                self.events.insert(at, Happening::Start);
                return;
            }
            let index = self.next_transfer as u32;
            self.next_transfer += 1;
            self.order(index, index, 0, (transfer.from, transfer.to));
        }
    }

    /// Has a transfer sent between two NICs, under a number of its own.
    fn order(&mut self, number: u32, transfer: u32, attempt: u32, (from, to): (NicId, NicId)) {
        if self.nodes[from.0 as usize].crashed {
            return self.attempt_failed(number, "the sender has crashed".to_owned());
        }
        let Transfer { size, priority, .. } = self.transfers[transfer as usize];
        let order = Order { transfer: number, to: self.network.address(to), size, priority };
        self.nodes[from.0 as usize].host.start(self.now.timestamp(), order);
        self.touch(from.0);
        self.watch_attempt(transfer, attempt);
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
            let node = &self.nodes[host as usize];
            if !node.paused && !node.crashed {
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
        while let Some(notice) = self.nodes[host as usize].host.poll_notice(now) {
            self.recorder.notice(self.now, host, &notice);
            if let Notice::Failed { transfer, cause } = notice {
                self.attempt_failed(transfer, cause);
            }
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
