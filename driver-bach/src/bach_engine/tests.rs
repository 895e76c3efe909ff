use core::net::SocketAddr;

use super::*;
use crate::{
    host::{
        Host,
        dcquic::{DcquicHost, Shared, pattern},
    },
    measure::{Summary, summarize},
    net::{Buffer, NetworkSpec, Topology},
    scale::{Engine, Setup as ScaleSetup},
};

/// One frame on one wire: when its last bit leaves, whose it is, and what shows of it.
type Seen = (Picos, SocketAddr, SocketAddr, usize, Vec<u8>);

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
    ends: Vec<Picos>,
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
        network.on_wire(Some(Box::new(move |_, at, frame| {
            let head = frame.payload.iter().take(64).copied().collect();
            trace.borrow_mut().push((at, frame.from, frame.to, frame.payload.len(), head));
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
        Outcome {
            summary: summarize(recorder, network, &self.spec),
            problems: recorder.problems().to_vec(),
            trace: trace.take(),
            ends: recorder.records().iter().filter_map(|record| record.delivered).collect(),
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
            linger: Picos::from_micros(20_000),
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
            linger: Picos::from_micros(20_000),
            seed,
            interleave,
        })
        .unwrap();
        self.outcome(&recorder, &network, &trace)
    }

    /// Runs it in both engines, and compares.
    fn agrees(&self) -> Summary {
        let (scale, bach) = (self.in_scale_engine(), self.in_bach_engine(1, false));
        assert_eq!(scale.problems, [""; 0]);
        assert_eq!(bach.problems, [""; 0]);
        let (a, b) = (&scale.summary, &bach.summary);
        eprintln!(
            "{} {} frames, drops {} {}, completion {} {}",
            scale.trace.len(),
            bach.trace.len(),
            a.dropped_packets,
            b.dropped_packets,
            a.completion_s,
            b.completion_s
        );
        if let Some(at) = scale.trace.iter().zip(&bach.trace).position(|(a, b)| a != b) {
            for at in at.saturating_sub(3)..at + 6 {
                let show = |trace: &[Seen]| {
                    trace
                        .get(at)
                        .map(|(at, from, to, len, head)| {
                            format!("{} {from} {to} {len} {:x?}", at.0, &head[..4])
                        })
                        .unwrap_or_default()
                };
                eprintln!("{at}: {} | {}", show(&scale.trace), show(&bach.trace));
            }
        }
        assert_eq!(a.dropped_packets, b.dropped_packets);
        assert!(scale.trace == bach.trace);
        assert_eq!(scale.ends, bach.ends);
        bach.summary
    }
}

#[test]
fn engines_agree_on_an_incast() {
    let summary = Scenario::incast(8, 64, 16 << 10).agrees();
    assert_eq!(summary.dropped_packets, 0);
}

#[test]
fn engines_agree_on_an_incast_of_small_messages() {
    Scenario::incast(20, 40, 1 << 10).agrees();
}

#[test]
fn engines_agree_on_an_incast_that_overflows_a_buffer() {
    let summary = Scenario::incast(20, 100, 16 << 10).with_buffer(40_000).agrees();
    assert!(summary.dropped_at_full_buffers > 0);
}
