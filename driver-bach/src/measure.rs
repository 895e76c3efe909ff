//! What is measured of a run, and what is made of it.

mod attempts;
mod finding;
mod summary;

pub use finding::{Finding, Findings, Measured};
pub(crate) use finding::{percentile, seconds};
pub(crate) use summary::wire_bytes;
pub use summary::{SlowdownGroup, Summary, summarize};

use xxhash_rust::xxh3::Xxh3;

use self::attempts::Attempts;
use crate::{
    host::{Counters, Host, Notice},
    net::{Frame, NetStats, Network, NicId, Picos, PortId, PortStats},
    workload::Transfer,
};

/// Bytes of a frame's payload that enter the digest: all of its headers, and what they seal.
const DIGEST_BYTES: usize = 128;

/// Samples that are kept at most; with more, every second one goes, and they come half as often.
const MAX_SAMPLES: usize = 1 << 15;

/// How often the hot port is looked at, to begin with.
const SAMPLE_EVERY: Picos = Picos::from_micros(5);

/// What became of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// When it was started.
    pub started: Picos,
    /// When the receiver had all of it.
    pub delivered: Option<Picos>,
    /// It ended otherwise.
    pub failed: bool,
}

/// One look at the hot port.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// When, from the start of the workload.
    pub at: Picos,
    /// Bytes that waited.
    pub queue_bytes: u64,
    /// Wire bytes that the port had forwarded since the start.
    pub forwarded_bytes: u64,
    /// Payload bytes delivered since the start, over all transfers.
    pub delivered_bytes: u64,
}

/// Collects what happens in a run.
pub struct Recorder {
    pub(crate) transfers: Vec<Transfer>,
    pub(crate) records: Vec<Record>,
    pub(crate) samples: Vec<Sample>,
    pub(crate) problems: Vec<String>,
    pub(crate) failures: Vec<Failure>,
    pub(crate) start: Picos,
    pub(crate) end: Picos,
    pub(crate) last_delivery: Picos,
    pub(crate) before: Snapshot,
    pub(crate) after: Snapshot,
    pub(crate) hot: PortId,
    pub(crate) events: u64,
    digest: Xxh3,
    /// Payload bytes have no part in the digest.
    lengths_only: bool,
    outstanding: usize,
    delivered_bytes: u64,
    attempts: Attempts,
    sample_every: Picos,
    /// What hosts counted that are no more.
    retired: Counters,
}

/// A transfer that was not delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The transfer.
    pub transfer: u32,
    /// When that was known.
    pub at: Picos,
    /// Why, for a person.
    pub cause: String,
}

impl core::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Recorder")
            .field("transfers", &self.transfers.len())
            .field("outstanding", &self.outstanding)
            .field("problems", &self.problems)
            .finish_non_exhaustive()
    }
}

/// The counters of a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) counters: Counters,
    pub(crate) net: NetStats,
    pub(crate) ports: Vec<PortStats>,
}

impl Recorder {
    /// Nothing has happened yet.
    pub fn new(transfers: &[Transfer]) -> Self {
        let records =
            vec![Record { started: Picos::ZERO, delivered: None, failed: false }; transfers.len()];
        Self {
            transfers: transfers.to_vec(),
            records,
            samples: Vec::new(),
            problems: Vec::new(),
            failures: Vec::new(),
            start: Picos::ZERO,
            end: Picos::ZERO,
            last_delivery: Picos::ZERO,
            before: Snapshot::default(),
            after: Snapshot::default(),
            hot: PortId(0),
            events: 0,
            digest: Xxh3::new(),
            lengths_only: false,
            outstanding: transfers.len(),
            delivered_bytes: 0,
            attempts: Attempts::new(transfers.len()),
            sample_every: SAMPLE_EVERY,
            retired: Counters::default(),
        }
    }

    /// Leaves payload out of the digest, because hosts draw on randomness of their own.
    pub(crate) const fn digest_lengths_only(&mut self) {
        self.lengths_only = true;
    }

    /// The workload starts; what happened before does not count.
    pub(crate) fn begin(&mut self, now: Picos, network: &Network, counters: Counters) {
        self.start = now;
        for (record, transfer) in self.records.iter_mut().zip(&self.transfers) {
            record.started = now + transfer.at;
        }
        self.before = self.snapshot(network, counters);
        self.hot = self.hottest(network);
    }

    /// The workload has ended.
    pub(crate) fn end(&mut self, now: Picos, network: &Network, counters: Counters) {
        self.end = now;
        self.after = self.snapshot(network, counters);
    }

    /// The run has ended after `events` events.
    pub(crate) const fn close(&mut self, events: u64) {
        self.events = events;
    }

    /// The port that the most payload has to leave through.
    fn hottest(&self, network: &Network) -> PortId {
        let mut bytes = vec![0_u64; network.nics()];
        for transfer in &self.transfers {
            bytes[transfer.to.0 as usize] += transfer.size;
        }
        let most = bytes.iter().enumerate().max_by_key(|(at, bytes)| (**bytes, usize::MAX - at));
        network.port_of(NicId(most.map_or(0, |(at, _)| at as u32)))
    }

    /// Whether every transfer has ended one way or the other.
    pub fn is_done(&self) -> bool {
        self.outstanding == 0
    }

    /// A host sends a frame.
    pub(crate) fn frame(&mut self, at: Picos, frame: &Frame) {
        self.digest.update(&at.0.to_le_bytes());
        for address in [frame.from, frame.to] {
            if let core::net::IpAddr::V4(ip) = address.ip() {
                self.digest.update(&ip.octets());
            }
        }
        self.digest.update(&(frame.payload.len() as u32).to_le_bytes());
        self.digest.update(&[frame.ecn.bits()]);
        if !self.lengths_only {
            let len = frame.payload.len().min(DIGEST_BYTES);
            self.digest.update(&frame.payload[..len]);
        }
    }

    /// A host has something to say.
    pub(crate) fn notice(&mut self, at: Picos, host: u32, notice: &Notice) {
        let (kind, transfer) = match notice {
            Notice::Connected { .. } => (0_u8, u32::MAX),
            Notice::Delivered { transfer } => (1, *transfer),
            Notice::Finished { transfer } => (2, *transfer),
            Notice::Failed { transfer, .. } => (3, *transfer),
            Notice::PeerFailed { .. } => (4, u32::MAX),
        };
        self.digest.update(&at.0.to_le_bytes());
        self.digest.update(&host.to_le_bytes());
        self.digest.update(&[kind]);
        self.digest.update(&transfer.to_le_bytes());
        if let Notice::Delivered { transfer } = notice {
            self.delivered(at, *transfer);
        }
    }

    fn delivered(&mut self, at: Picos, order: u32) {
        let Some((transfer, attempt)) = self.attempts.of(order) else {
            return self.problems.push(format!("number {order} was delivered, but never sent"));
        };
        if !self.attempts.deliver(order) {
            let problem = format!("transfer {transfer}, attempt {attempt} was delivered twice");
            return self.problems.push(problem);
        }
        let record = &mut self.records[transfer as usize];
        // another attempt may have been faster
        if record.delivered.is_none() {
            record.delivered = Some(at);
            self.last_delivery = at;
            self.delivered_bytes += self.transfers[transfer as usize].size;
            self.outstanding -= usize::from(!record.failed);
        }
    }

    /// An attempt ends without delivery: its transfer and number, if that is news.
    pub(crate) fn end_attempt(&mut self, order: u32) -> Option<(u32, u32)> {
        let (transfer, attempt) = self.attempts.end(order)?;
        let record = &self.records[transfer as usize];
        (record.delivered.is_none() && !record.failed).then_some((transfer, attempt))
    }

    /// The number under which a transfer is sent once more, unless that was done or is in vain.
    pub(crate) fn new_attempt(&mut self, transfer: u32, attempt: u32) -> Option<u32> {
        let record = &self.records[transfer as usize];
        if record.delivered.is_some() || record.failed {
            return None;
        }
        self.attempts.again(transfer, attempt)
    }

    /// The current attempts of all transfers of a NIC that have not ended, among the first
    /// `started`.
    pub(crate) fn unfinished_from(&self, nic: NicId, started: usize) -> Vec<u32> {
        let unfinished = |index: &usize| {
            let record = &self.records[*index];
            self.transfers[*index].from == nic && record.delivered.is_none() && !record.failed
        };
        let current = |index| self.attempts.current(index as u32);
        (0..started).filter(unfinished).map(current).collect()
    }

    /// A transfer will not be delivered.
    pub(crate) fn fail(&mut self, at: Picos, transfer: u32, cause: String) {
        let record = &mut self.records[transfer as usize];
        if !record.failed && record.delivered.is_none() {
            record.failed = true;
            self.outstanding -= 1;
            self.failures.push(Failure { transfer, at, cause });
        }
    }

    /// A host is no more, but what it did counts.
    pub(crate) fn retire(&mut self, host: &dyn Host) {
        self.retired.add(&host.counters());
    }

    /// Attempts at transfers that were started again.
    pub fn further_attempts(&self) -> usize {
        self.attempts.further()
    }

    /// How many transfers have ended one way or the other.
    pub fn ended(&self) -> usize {
        self.transfers.len() - self.outstanding
    }

    /// Looks at the hot port; how long until the next look.
    pub(crate) fn sample(&mut self, now: Picos, network: &Network) -> Picos {
        if self.samples.len() == MAX_SAMPLES {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
            self.sample_every = self.sample_every + self.sample_every;
        }
        let forwarded = network.port(self.hot).forwarded.bytes;
        let before = self.before.ports[self.hot.0 as usize].forwarded.bytes;
        self.samples.push(Sample {
            at: now.saturating_since(self.start),
            queue_bytes: network.queue_at(now, self.hot),
            forwarded_bytes: forwarded - before,
            delivered_bytes: self.delivered_bytes,
        });
        self.sample_every
    }

    /// Something is wrong that is not one transfer's.
    pub(crate) fn problem(&mut self, problem: String) {
        self.problems.push(problem);
    }

    /// A hash of everything that was sent and said.
    pub fn digest(&self) -> u64 {
        self.digest.digest()
    }

    /// What must not be: invariants that did not hold, for people.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The transfers that were not delivered, as far as that was known before the end.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// What was to be sent.
    pub fn transfers(&self) -> &[Transfer] {
        &self.transfers
    }

    /// When the workload started.
    pub const fn start(&self) -> Picos {
        self.start
    }

    /// What became of each transfer.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The hot port over time.
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    fn snapshot(&self, network: &Network, mut counters: Counters) -> Snapshot {
        counters.add(&self.retired);
        let ports = (0..network.ports()).map(|port| network.port(PortId(port as u32))).collect();
        Snapshot { counters, net: network.stats(), ports }
    }
}
