use core::net::SocketAddr;

use dcquic_proto::rng::Jitter;

use super::*;
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
type Seen = (Transmitter, Picos, SocketAddr, SocketAddr, usize, Vec<u8>);

/// A scenario that both engines run.
struct Scenario {
    spec: NetworkSpec,
    transfers: Vec<Transfer>,
    config: Config,
}

/// What an engine made of it.
struct Outcome {
    summary: Summary,
    problems: Vec<String>,
    trace: Vec<Seen>,
    delivered: Vec<Option<Picos>>,
    digest: u64,
}

impl Scenario {
    fn new(hosts: u32, transfers: Vec<Transfer>) -> Self {
        let topology = Topology::Star { hosts, nics_per_host: 1 };
        let spec = NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() };
        let mut config = Config::dedicated(spec.rate_bits_per_sec / 8);
        config.max_datagram = (spec.mtu_bytes - 28) as u16;
        Self { spec, transfers, config }
    }

    /// Many to one.
    fn incast(senders: u32, transfers: u32, size: u64) -> Self {
        let transfer = |n| Transfer {
            at: Picos::ZERO,
            from: NicId(1 + n % senders),
            to: NicId(0),
            size,
            priority: 3,
        };
        Self::new(senders + 1, (0..transfers).map(transfer).collect())
    }

    fn with_buffer(mut self, bytes: u64) -> Self {
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
        let over = recorder.end + LINGER;
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
        let hosts = self
            .seeds()
            .into_iter()
            .zip(0..)
            .map(|(seed, nic)| {
                let address = network.address(NicId(nic));
                let host = DcquicHost::new(address, self.config.clone(), seed, &shared).unwrap();
                Box::new(host) as Box<dyn Host>
            })
            .collect();
        let (recorder, network, _) = Engine::new(ScaleSetup {
            network,
            hosts,
            transfers: self.transfers.clone(),
            host_faults: Vec::new(),
            limit: Picos::from_micros(1_000_000),
            linger: LINGER,
            buffers,
        })
        .run();
        self.outcome(&recorder, &network, &trace)
    }

    fn in_bach_engine(&self, seed: u64, interleave: bool) -> Outcome {
        let trace = Rc::default();
        let (recorder, network) = run(Setup {
            network: self.network(&trace),
            config: self.config.clone(),
            seeds: self.seeds(),
            pattern: pattern(2 << 20),
            transfers: self.transfers.clone(),
            host_faults: Vec::new(),
            limit: Picos::from_micros(1_000_000),
            linger: LINGER,
            seed,
            interleave,
        })
        .unwrap();
        self.outcome(&recorder, &network, &trace)
    }

    /// Runs it in both engines, and compares every frame on every wire.
    fn agrees(&self) -> Outcome {
        let (scale, bach) = (self.in_scale_engine(), self.in_bach_engine(1, false));
        assert_eq!(scale.problems, [""; 0]);
        assert_eq!(bach.problems, [""; 0]);
        if let Some(at) = scale.trace.iter().zip(&bach.trace).position(|(a, b)| a != b) {
            let show = |(by, at, from, to, len, head): &Seen| {
                format!("{by:?} {} {from} {to} {len} {:x?}", at.0, &head[..4])
            };
            let mut by: Vec<_> = scale.trace.iter().map(|seen| seen.0).collect();
            by.dedup();
            let mut firsts: Vec<(Picos, String)> = Vec::new();
            for by in by {
                let a: Vec<_> = scale.trace.iter().filter(|seen| seen.0 == by).collect();
                let b: Vec<_> = bach.trace.iter().filter(|seen| seen.0 == by).collect();
                if let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) {
                    let mut text = String::new();
                    for at in at.saturating_sub(2)..at + 5 {
                        text += &format!(
                            "{at}: {} | {}\n",
                            a.get(at).map(|a| show(a)).unwrap_or_default(),
                            b.get(at).map(|a| show(a)).unwrap_or_default()
                        );
                    }
                    firsts.push((a[at].1.min(b[at].1), text));
                }
            }
            firsts.sort();
            for (_, text) in firsts.iter().take(3) {
                eprintln!("{text}");
            }
            panic!("frame {at} differs: {:?} {:?}", scale.trace[at], bach.trace[at]);
        }
        let (expected, got) = (&scale.summary, &bach.summary);
        assert_eq!(got.dropped_packets, expected.dropped_packets);
        assert_eq!(got.completion_s, expected.completion_s);
        assert_eq!(got.retransmitted_bytes, expected.retransmitted_bytes);
        assert_eq!(bach.trace.len(), scale.trace.len());
        assert_eq!(bach.delivered, scale.delivered);
        bach
    }
}

/// Transfers of every pair of hosts, of sizes and at times drawn by chance.
fn everyone_to_everyone(hosts: u32, sizes: &[u64], rounds: u32) -> Vec<Transfer> {
    let mut random = Jitter::new(5);
    let mut transfers = Vec::new();
    for _ in 0..rounds {
        for (from, to) in (0..hosts).flat_map(|a| (0..hosts).map(move |b| (a, b))) {
            if from != to {
                let at = Picos::from_nanos(random.below(100_000));
                let size = sizes[random.below(sizes.len() as u64) as usize];
                let priority = random.below(8) as u8;
                let (from, to) = (NicId(from), NicId(to));
                transfers.push(Transfer { at, from, to, size, priority });
            }
        }
    }
    // A pool hands the most urgent of the calls of one instant over first.
    transfers.sort_by_key(|transfer| (transfer.at, transfer.priority));
    transfers
}

const MIXED_SIZES: [u64; 8] = [1, 100, 1_024, 1_025, 8_000, 65_536, 100_000, 400_000];

#[test]
fn engines_agree_on_an_incast() {
    let outcome = Scenario::incast(8, 64, 16 << 10).agrees();
    assert_eq!(outcome.summary.dropped_packets, 0);
}

#[test]
fn engines_agree_on_an_incast_of_small_messages() {
    Scenario::incast(20, 40, 1 << 10).agrees();
}

#[test]
fn engines_agree_on_an_incast_that_overflows_a_buffer() {
    let outcome = Scenario::incast(20, 100, 16 << 10).with_buffer(40_000).agrees();
    assert!(outcome.summary.dropped_at_full_buffers > 0);
}

#[test]
fn engines_agree_when_everyone_sends_to_everyone() {
    Scenario::new(6, everyone_to_everyone(6, &MIXED_SIZES, 3)).agrees();
}

#[test]
fn engines_agree_when_everyone_starts_at_once() {
    let mut transfers = everyone_to_everyone(6, &[30_000], 4);
    transfers.iter_mut().for_each(|transfer| transfer.at = Picos::ZERO);
    transfers.sort_by_key(|transfer| transfer.priority);
    Scenario::new(6, transfers).agrees();
}

#[test]
fn engines_agree_on_messages_taken_record_by_record() {
    let mut scenario = Scenario::incast(3, 6, 1_500_000);
    scenario.config.auto_receive = 0;
    scenario.agrees();
}

#[test]
fn engines_agree_on_small_datagrams_and_faulty_links() {
    let mut scenario = Scenario::new(6, everyone_to_everyone(6, &MIXED_SIZES, 2));
    scenario.spec.mtu_bytes = 1_500;
    scenario.config.max_datagram = 1_472;
    scenario.spec.random.loss = 0.01;
    scenario.spec.random.duplication = 0.01;
    let outcome = scenario.agrees();
    assert!(outcome.summary.dropped_packets > 0);
}
