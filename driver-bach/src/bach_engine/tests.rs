use dcquic_proto::rng::Jitter;

use self::scenario::{Scenario, everyone_to_everyone};
use super::*;
use crate::net::{Buffer, Cable, Fault, Topology};

mod admission;
mod causality;
mod links;
mod methods;
mod model;
mod patterns;
mod paxos;
mod pools;
mod scenario;

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
    // the pool takes calls that are there at once by the weights of their levels; the scale engine
    // has no pool
    transfers.iter_mut().for_each(|transfer| (transfer.at, transfer.priority) = (Picos::ZERO, 3));
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

#[test]
fn engines_agree_on_leaves_and_spines_with_a_cut_cable_and_a_pause() {
    let mut scenario = Scenario::new(8, everyone_to_everyone(8, &MIXED_SIZES, 1));
    scenario.spec.topology = Topology::LeafSpine {
        leaves: 2,
        hosts_per_leaf: 4,
        spines: 2,
        nics_per_host: 1,
        uplink_rate_bits_per_sec: 100_000_000_000,
    };
    scenario.spec.buffer = Buffer::Shared { bytes: 200_000, alpha: 1.0 };
    scenario.spec.ecn_threshold_bytes = Some(20_000);
    let start_ns = start_of(&scenario.transfers).nanos_ceil();
    scenario.spec.faults = vec![Fault::Down {
        at_ns: start_ns + 60_000,
        for_ns: Some(300_000),
        cable: Cable::Uplink { leaf: 0, spine: 1 },
    }];
    let kind = HostFaultKind::Pause { for_ns: 500_000 };
    scenario.host_faults = vec![HostFault { host: 3, at_ns: 150_000, kind }];
    let outcome = scenario.agrees();
    assert!(outcome.summary.dropped_packets > 0);
}

#[test]
fn the_same_run_is_the_same_and_needs_no_choice_of_bachs() {
    let scenario = Scenario::incast(8, 64, 16 << 10).with_buffer(40_000);
    let digest = scenario.in_bach_engine(1, false).digest;
    assert_eq!(scenario.in_bach_engine(1, false).digest, digest);
    assert_eq!(scenario.in_bach_engine(2, false).digest, digest);
}

#[test]
fn seeds_permute_hosts_and_the_results_hold() {
    let scenario = Scenario::incast(8, 64, 16 << 10).with_buffer(60_000);
    let natural = scenario.in_bach_engine(1, false).summary.completion_s;
    let mut digests = Vec::new();
    for seed in 1..=6 {
        let outcome = scenario.in_bach_engine(seed, true);
        assert_eq!(outcome.problems, [""; 0]);
        assert!(outcome.delivered.iter().all(Option::is_some));
        let ratio = outcome.summary.completion_s / natural;
        eprintln!("{seed} {ratio} {}", outcome.summary.dropped_packets);
        assert!((0.9..1.1).contains(&ratio), "seed {seed} took {ratio} times as long");
        digests.push(outcome.digest);
    }
    assert_eq!(scenario.in_bach_engine(1, true).digest, digests[0]);
    digests.sort_unstable();
    digests.dedup();
    assert!(digests.len() > 3, "{} interleavings", digests.len());
}

#[test]
fn a_run_ends_at_its_limit_with_what_was_delivered_by_then() {
    let mut scenario = Scenario::incast(8, 64, 16 << 10);
    let whole = scenario.in_bach_engine(1, false);
    (scenario.limit, scenario.linger) = (Picos::from_micros(90), Picos::ZERO);
    let cut = scenario.in_bach_engine(1, false);
    let over = start_of(&scenario.transfers) + scenario.limit;
    let by_then = whole.delivered.iter().map(|at| at.filter(|at| *at <= over));
    assert!(by_then.eq(cut.delivered.iter().copied()));
    assert!((1..64).contains(&cut.summary.lost_transfers));
}

#[test]
fn a_run_needs_a_seed_for_every_nic() {
    let scenario = Scenario::incast(2, 2, 1);
    let setup = Setup { seeds: Vec::new(), ..scenario.setup(&Rc::default(), 1, false) };
    let error = run(setup).unwrap_err();
    assert_eq!(error.to_string(), "0 seeds were given for 3 NICs");
}

/// A scenario with everything drawn by chance.
fn by_chance(seed: u64) -> Scenario {
    let mut random = Jitter::new(seed);
    let hosts = 2 + random.below(7) as u32;
    let mut scenario =
        Scenario::new(hosts, everyone_to_everyone(hosts, &MIXED_SIZES, 1 + random.below(3) as u32));
    if random.below(2) == 0 {
        scenario = scenario.with_buffer(30_000 + random.below(200_000));
    }
    if random.below(2) == 0 {
        scenario.spec.mtu_bytes = 1_500;
        scenario.config.max_datagram = 1_472;
    }
    if random.below(3) == 0 {
        scenario.spec.random.loss = 0.01;
        scenario.spec.random.duplication = 0.005;
    }
    scenario.spec.control_priority = random.below(2) == 0;
    scenario.spec.host_delay_ns = random.below(10_000);
    scenario
}

#[test]
fn engines_agree_on_scenarios_by_chance() {
    let first = std::env::var("DCQUIC_SEED").map_or(1, |seed| seed.parse().unwrap());
    let count: u64 = std::env::var("DCQUIC_SEEDS").map_or(10, |count| count.parse().unwrap());
    for seed in first..first + count {
        eprintln!("seed {seed}");
        by_chance(seed).agrees();
    }
}
