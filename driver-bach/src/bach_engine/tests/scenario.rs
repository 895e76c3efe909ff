//! Scenarios that both engines run.

use core::net::SocketAddr;

use dcquic_proto::rng::Jitter;

use crate::bach_engine::*;
use crate::{
    host::{
        Host,
        dcquic::{DcquicHost, Shared, pattern},
    },
    measure::{Summary, summarize},
    net::{Buffer, NetworkSpec, Topology, Transmitter},
    scale::{Engine, Setup as ScaleSetup},
};

const LINGER: Picos = Picos::from_micros(20_000);

/// One frame on one wire: when its last bit leaves, whose it is, and what shows of it.
pub(super) type Seen = (Transmitter, Picos, SocketAddr, SocketAddr, usize, Vec<u8>);

/// A scenario that both engines run.
pub(super) struct Scenario {
    pub(super) spec: NetworkSpec,
    pub(super) transfers: Vec<Transfer>,
    pub(super) config: Config,
    pub(super) host_faults: Vec<HostFault>,
    pub(super) limit: Picos,
    pub(super) linger: Picos,
}

/// What an engine made of it.
pub(super) struct Outcome {
    pub(super) summary: Summary,
    pub(super) problems: Vec<String>,
    /// By transmitter, and in order for each.
    pub(super) trace: Vec<Seen>,
    pub(super) delivered: Vec<Option<Picos>>,
    pub(super) digest: u64,
}

impl Scenario {
    pub(super) fn new(hosts: u32, transfers: Vec<Transfer>) -> Self {
        let topology = Topology::Star { hosts, nics_per_host: 1 };
        let spec = NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() };
        let mut config = Config::dedicated(spec.rate_bits_per_sec / 8);
        config.max_datagram = (spec.mtu_bytes - 28) as u16;
        let limit = Picos::from_micros(1_000_000);
        Self { spec, transfers, config, host_faults: Vec::new(), limit, linger: LINGER }
    }

    /// Many to one.
    pub(super) fn incast(senders: u32, transfers: u32, size: u64) -> Self {
        let transfer = |n| Transfer::new(NicId(1 + n % senders), NicId(0), size);
        Self::new(senders + 1, (0..transfers).map(transfer).collect())
    }

    pub(super) fn with_buffer(mut self, bytes: u64) -> Self {
        self.spec.buffer = Buffer::PerPort { bytes };
        self.spec.ecn_threshold_bytes = Some(bytes / 5);
        self
    }

    fn network(&self, trace: &Rc<RefCell<Vec<Seen>>>) -> Network {
        let mut network = Network::new(&self.spec, 1).unwrap();
        let trace = Rc::clone(trace);
        network.on_wire(Some(Box::new(move |by, at, frame| {
            let head = frame.payload.iter().take(64).copied().collect();
            trace.borrow_mut().push((by, at, frame.from, frame.to, frame.payload.len(), head));
        })));
        network
    }

    fn seeds(&self) -> Vec<Seed> {
        (0..self.spec.topology.hosts())
            .map(|nic| {
                let mut seed = [7; 32];
                seed[..4].copy_from_slice(&nic.to_le_bytes());
                Seed::from_bytes(seed)
            })
            .collect()
    }

    fn outcome(
        &self,
        recorder: &Recorder,
        network: &Network,
        trace: &Rc<RefCell<Vec<Seen>>>,
    ) -> Outcome {
        // The Bach engine's workers take one more turn to end.
        let over = recorder.end + self.linger;
        let mut trace = trace.take();
        trace.retain(|(_, at, ..)| *at <= over);
        trace.sort_by_key(|(by, ..)| *by);
        Outcome {
            trace,
            summary: summarize(recorder, network, &self.spec),
            problems: recorder.problems().to_vec(),
            delivered: recorder.records().iter().map(|record| record.delivered).collect(),
            digest: recorder.digest(),
        }
    }

    fn in_scale_engine(&self) -> Outcome {
        let trace = Rc::default();
        let network = self.network(&trace);
        let buffers = Rc::default();
        let pattern = pattern(2 << 20);
        let shared = Shared { pattern, buffers: Rc::clone(&buffers), thorough: true };
        let mut seeds: Vec<_> = self.seeds().into_iter().map(Some).collect();
        let config = self.config.clone();
        let (recorder, network, _) = Engine::new(ScaleSetup {
            network,
            nics_per_host: 1,
            make_host: Box::new(move |nic, _| {
                let seed = seeds[nic.0 as usize].take().unwrap();
                let host = DcquicHost::new(nic.address(), config.clone(), seed, &shared);
                Ok(Box::new(host.unwrap()) as Box<dyn Host>)
            }),
            transfers: self.transfers.clone(),
            host_faults: self.host_faults.clone(),
            limit: self.limit,
            linger: self.linger,
            buffers,
            retry: None,
            memory_limit: None,
            watch: None,
        })
        .unwrap()
        .run();
        self.outcome(&recorder, &network, &trace)
    }

    pub(super) fn setup(
        &self,
        trace: &Rc<RefCell<Vec<Seen>>>,
        seed: u64,
        interleave: bool,
    ) -> Setup {
        Setup {
            network: self.network(trace),
            config: self.config.clone(),
            seeds: self.seeds(),
            pattern: pattern(2 << 20),
            transfers: self.transfers.clone(),
            host_faults: self.host_faults.clone(),
            limit: self.limit,
            linger: self.linger,
            seed,
            interleave,
        }
    }

    pub(super) fn in_bach_engine(&self, seed: u64, interleave: bool) -> Outcome {
        let trace = Rc::default();
        let (recorder, network) = run(self.setup(&trace, seed, interleave)).unwrap();
        self.outcome(&recorder, &network, &trace)
    }

    /// Runs it in both engines, and compares every frame on every wire.
    pub(super) fn agrees(&self) -> Outcome {
        let (scale, bach) = (self.in_scale_engine(), self.in_bach_engine(1, false));
        assert_eq!(scale.problems, [""; 0]);
        assert_eq!(bach.problems, [""; 0]);
        if let Some(at) = scale.trace.iter().zip(&bach.trace).position(|(a, b)| a != b) {
            panic!(
                "frame {at}: {:?} in the scale engine, {:?} here",
                scale.trace[at], bach.trace[at]
            );
        }
        assert_eq!(bach.trace.len(), scale.trace.len());
        assert_eq!(bach.delivered, scale.delivered);
        let (expected, got) = (&scale.summary, &bach.summary);
        assert_eq!(got.dropped_packets, expected.dropped_packets);
        assert_eq!(got.completion_s, expected.completion_s);
        assert_eq!(got.retransmitted_bytes, expected.retransmitted_bytes);
        assert_eq!(got.useful_share, expected.useful_share);
        assert_eq!(got.wire_efficiency, expected.wire_efficiency);
        bach
    }
}

/// Transfers of every pair of hosts, of sizes and at times drawn by chance.
pub(super) fn everyone_to_everyone(hosts: u32, sizes: &[u64], rounds: u32) -> Vec<Transfer> {
    let mut random = Jitter::new(5);
    let mut transfers = Vec::new();
    for _ in 0..rounds {
        for (from, to) in (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b))) {
            if from != to {
                let at = Picos::from_nanos(random.below(100_000));
                let size = sizes[random.below(sizes.len() as u64) as usize];
                let priority = random.below(8) as u8;
                let (from, to) = (NicId(from), NicId(to));
                transfers.push(Transfer { at, priority, ..Transfer::new(from, to, size) });
            }
        }
    }
    // A pool hands the most urgent of the calls of one instant over first.
    transfers.sort_by_key(|transfer| (transfer.at, transfer.priority));
    transfers
}
