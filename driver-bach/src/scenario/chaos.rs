//! Scenarios in which everything goes wrong, from a seed, and what must hold all the same.

use dcquic_proto::rng::Jitter;

use super::{Outcome, Scenario};
use crate::{
    net::{
        Buffer, Cable, Direction, Fault, GilbertElliott, HostFault, HostFaultKind, NetworkSpec,
        Reordering, Topology,
    },
    workload::{HomaWorkload, Random, Sizes, Workload},
};

/// Traffic starts, and faults begin, within this time.
const SPAN_NS: u64 = 20_000_000;

/// No temporary fault lasts longer, which is far below the time after which a peer is given up.
const MAX_FAULT_NS: u64 = 50_000_000;

const RATES: [u64; 3] = [10_000_000_000, 100_000_000_000, 400_000_000_000];
const MTUS: [u32; 4] = [1_280, 1_500, 4_096, 9_000];
const SIZES: [Sizes; 5] = [
    Sizes::Fixed(1),
    Sizes::Fixed(16_384),
    Sizes::Homa(HomaWorkload::W2),
    Sizes::Homa(HomaWorkload::W3),
    Sizes::Homa(HomaWorkload::W4),
];

impl Scenario {
    /// A scenario of which the seed decides everything.
    pub fn chaos(seed: u64) -> Self {
        let mut rng = Jitter::new(seed ^ 0xc4a0_5000);
        let mut network = network(&mut rng);
        network.faults = (0..rng.below(4)).map(|_| fault(&mut rng, network.topology)).collect();
        let workload = Workload::Random(Random {
            transfers: 1 + rng.below(300) as u32,
            message: pick(&mut rng, &SIZES),
            duration_ns: 1 + rng.below(SPAN_NS),
        });
        let mut scenario = Self::new("chaos", network, workload);
        scenario.seed = seed;
        scenario.thorough = true;
        scenario.host_faults = host_faults(&mut rng, scenario.network.topology.hosts());
        scenario
    }

    /// What should have held after a run, and did not.
    pub fn violations(&self, outcome: &Outcome) -> Vec<String> {
        let mut violations = outcome.problems.clone();
        let transfers = self.workload.transfers(&self.network, self.seed);
        let nics = self.network.topology.nics_per_host();
        let crashed = |host: u32| {
            let lost = |fault: &HostFault| !matches!(fault.kind, HostFaultKind::Pause { .. });
            self.host_faults.iter().any(|fault| fault.host == host && lost(fault))
        };
        for failure in &outcome.failures {
            let transfer = transfers[failure.transfer as usize];
            let ends = [transfer.from, transfer.to].map(|nic| nic.0 / nics);
            if !ends.into_iter().any(crashed) {
                violations.push(format!(
                    "transfer {} failed although both hosts lived: {}",
                    failure.transfer, failure.cause
                ));
            }
        }
        violations
    }
}

fn network(rng: &mut Jitter) -> NetworkSpec {
    let rate = pick(rng, &RATES);
    let nics_per_host = 1 + rng.below(2) as u32;
    let topology = if rng.below(2) == 0 {
        Topology::Star { hosts: 2 + rng.below(10) as u32, nics_per_host }
    } else {
        Topology::LeafSpine {
            leaves: 2 + rng.below(2) as u32,
            hosts_per_leaf: 1 + rng.below(4) as u32,
            spines: 1 + rng.below(3) as u32,
            nics_per_host,
            uplink_rate_bits_per_sec: rate,
        }
    };
    let bytes = 50_000 + rng.below(1_000_000);
    let mut network = NetworkSpec {
        topology,
        rate_bits_per_sec: rate,
        delay_ns: 500 + rng.below(50_000),
        host_delay_ns: rng.below(20_000),
        buffer: if rng.below(2) == 0 {
            Buffer::PerPort { bytes }
        } else {
            Buffer::Shared { bytes: 4 * bytes, alpha: 1.0 }
        },
        ecn_threshold_bytes: (rng.below(4) > 0).then_some(bytes / 5),
        control_priority: rng.below(4) == 0,
        spray: rng.below(4) == 0,
        mtu_bytes: pick(rng, &MTUS),
        detection_ns: rng.below(2_000_000),
        ..NetworkSpec::default()
    };
    let random = &mut network.random;
    random.loss = sometimes(rng, 0.02);
    random.duplication = sometimes(rng, 0.02);
    // a transfer is refused once 64 of its records were corrupt, which more would reach
    random.corruption = sometimes(rng, 0.001);
    let probability = sometimes(rng, 0.05);
    random.reordering =
        (probability > 0.0).then(|| Reordering { probability, extra_delay_ns: rng.below(200_000) });
    random.burst = (rng.below(4) == 0).then_some(GilbertElliott {
        good_to_bad: 0.001,
        bad_to_good: 0.1,
        loss_good: 0.0,
        loss_bad: 0.5,
    });
    network
}

fn fault(rng: &mut Jitter, topology: Topology) -> Fault {
    let at_ns = rng.below(SPAN_NS);
    let for_ns = Some(1 + rng.below(MAX_FAULT_NS));
    let cable = cable(rng, topology);
    let direction = pick(rng, &[Direction::Up, Direction::Down]);
    match rng.below(4) {
        0 => Fault::Down { at_ns, for_ns, cable },
        1 => {
            let (left, right) = (0..topology.hosts()).partition(|_| rng.below(2) == 0);
            let (left, right): (Vec<u32>, Vec<u32>) = (left, right);
            if left.is_empty() || right.is_empty() {
                return Fault::Down { at_ns, for_ns, cable };
            }
            Fault::Partition { at_ns, for_ns, left, right }
        }
        2 => Fault::Rate { at_ns, for_ns, cable, direction, rate_bits_per_sec: 1_000_000_000 },
        _ => Fault::Delay { at_ns, for_ns, cable, direction, extra_delay_ns: rng.below(1_000_000) },
    }
}

fn cable(rng: &mut Jitter, topology: Topology) -> Cable {
    match topology {
        Topology::LeafSpine { leaves, spines, nics_per_host, .. } if rng.below(2) == 0 => {
            Cable::Uplink {
                leaf: rng.below(u64::from(leaves * nics_per_host)) as u32,
                spine: rng.below(spines.into()) as u32,
            }
        }
        _ => Cable::Nic {
            host: rng.below(topology.hosts().into()) as u32,
            nic: rng.below(topology.nics_per_host().into()) as u32,
        },
    }
}

/// Nobody, or somebody pauses, restarts or crashes.
fn host_faults(rng: &mut Jitter, hosts: u32) -> Vec<HostFault> {
    (0..rng.below(3))
        .map(|_| HostFault {
            host: rng.below(hosts.into()) as u32,
            at_ns: rng.below(SPAN_NS),
            kind: match rng.below(4) {
                0 => HostFaultKind::Crash,
                1 => HostFaultKind::Restart { after_ns: 1 + rng.below(MAX_FAULT_NS) },
                _ => HostFaultKind::Pause { for_ns: 1 + rng.below(MAX_FAULT_NS) },
            },
        })
        .collect()
}

/// Nothing in half of the cases, and otherwise up to `most`.
fn sometimes(rng: &mut Jitter, most: f64) -> f64 {
    if rng.below(2) == 0 { 0.0 } else { most * rng.below(1_000) as f64 / 1_000.0 }
}

fn pick<T: Copy>(rng: &mut Jitter, choices: &[T]) -> T {
    choices[rng.below(choices.len() as u64) as usize]
}
