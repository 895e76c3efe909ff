//! Every kind of scenario, small, and what must hold in each.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use dcquic_bach::{
    net::{Buffer, Cable, Fault, HostFault, HostFaultKind, NetworkSpec, Topology},
    scale::Retry,
    scenario::{Engine, Hooks, Outcome, Scenario, Transport},
    workload::{
        AllToAll, BulkVsRpc, Incast, Outcast, OutcastVariant, RpcMix, Sizes, Stream, Workload,
    },
};

fn star(hosts: u32, nics_per_host: u32) -> NetworkSpec {
    let topology = Topology::Star { hosts, nics_per_host };
    NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() }
}

fn leaf_spine(nics_per_host: u32) -> NetworkSpec {
    let topology = Topology::LeafSpine {
        leaves: 2,
        hosts_per_leaf: 3,
        spines: 2,
        nics_per_host,
        uplink_rate_bits_per_sec: 400_000_000_000,
    };
    NetworkSpec { topology, ..star(2, 1) }
}

fn incast() -> Scenario {
    let message = Sizes::Fixed(16_384);
    let workload = Workload::Incast(Incast { senders: 20, transfers: 200, message });
    Scenario::new("incast", star(21, 1), workload)
}

fn run(scenario: &Scenario) -> Outcome {
    scenario.run(Transport::Dcquic, Hooks::default()).unwrap()
}

/// Runs it, and checks that all was delivered, nothing is left, and every frame accounted for.
fn run_whole(scenario: &Scenario) -> Outcome {
    let outcome = run(scenario);
    assert_eq!(outcome.problems, Vec::<String>::new());
    assert_eq!(outcome.failures, []);
    assert_eq!(outcome.summary.lost_transfers, 0);
    assert!(outcome.ok);
    outcome
}

fn finding(outcome: &Outcome, key: &str) -> f64 {
    outcome.findings.0.iter().find(|finding| finding.key == key).unwrap().value
}

#[test]
fn an_incast_is_delivered_without_waste() {
    let outcome = run_whole(&incast());
    assert!(outcome.summary.useful_share > 0.95, "{}", outcome.summary.useful_share);
    assert!(outcome.summary.useful_share <= 1.0);
}

#[test]
fn the_same_seed_gives_the_same_digest_and_another_seed_another() {
    let mut scenario = incast();
    scenario.network.random.loss = 0.01;
    let [first, second] = [run_whole(&scenario), run_whole(&scenario)];
    assert_eq!(first.summary.digest, second.summary.digest);
    assert_eq!(first.summary.events, second.summary.events);
    scenario.seed = 2;
    assert_ne!(run_whole(&scenario).summary.digest, first.summary.digest);
}

#[test]
fn an_incast_survives_loss_stalls_and_small_buffers() {
    let mut scenario = incast();
    scenario.network.random.loss = 0.02;
    scenario.network.buffer = Buffer::PerPort { bytes: 50_000 };
    scenario.host_faults = vec![HostFault {
        host: 3,
        at_ns: 20_000,
        kind: HostFaultKind::Pause { for_ns: 1_000_000 },
    }];
    let outcome = run_whole(&scenario);
    assert!(outcome.summary.dropped_packets > 0);
}

#[test]
fn every_variant_of_the_outcast_is_delivered() {
    for variant in OutcastVariant::ALL {
        let network = NetworkSpec { topology: variant.topology(400_000_000_000), ..star(2, 1) };
        let message = Sizes::Fixed(variant.usual_bytes() / 10);
        let workload = Workload::Outcast(Outcast { variant, message });
        let outcome = run_whole(&Scenario::new(variant.name(), network, workload));
        let rates = outcome.findings.0.iter().filter(|finding| finding.key.ends_with("_gbps"));
        assert!(rates.map(|rate| rate.value).all(|rate| rate > 1.0 && rate < 100.0));
    }
}

#[test]
fn all_to_all_uses_all_nics() {
    let workload = Workload::AllToAll(AllToAll { pair: Sizes::Fixed(1_000_000) });
    let outcome = run_whole(&Scenario::new("all-to-all", star(4, 2), workload));
    assert_eq!(outcome.transfers, 4 * 3 * 2);
    let share = finding(&outcome, "host_share_min");
    assert!(share > 0.5 && share < 1.0, "{share}");
}

#[test]
fn a_light_mix_is_sustained() {
    let message = "W3".parse().unwrap();
    let workload = Workload::RpcMix(RpcMix { message, load: 0.3, duration_ns: 500_000 });
    let outcome = run_whole(&Scenario::new("rpc-mix", leaf_spine(1), workload));
    assert_eq!(outcome.summary.slowdown_by_decile.len(), 10);
    assert!(finding(&outcome, "offered_load") > 0.05);
}

#[test]
fn short_messages_are_measured_beside_bulk() {
    let both = BulkVsRpc {
        message: Sizes::Fixed(64),
        load: 0.01,
        bulk: Sizes::Fixed(1_000_000),
        peers: 2,
        priority: 3,
        bulk_priority: 3,
        duration_ns: 300_000,
    };
    let network = star(both.hosts(), 1);
    let outcome = run_whole(&Scenario::new("both", network, Workload::BulkVsRpc(both)));
    let idle = finding(&outcome, "idle_p99_us");
    assert!(idle > 10.0 && idle < 20.0, "{idle}");
    assert!(finding(&outcome, "receiver_p99_us") >= idle);
}

#[test]
fn transfers_move_to_the_other_nic_when_one_fails() {
    let mut network = leaf_spine(2);
    let down = |at_ns, cable| Fault::Down { at_ns, for_ns: None, cable };
    network.faults = vec![
        down(200_000, Cable::Uplink { leaf: 0, spine: 0 }),
        down(400_000, Cable::Nic { host: 0, nic: 0 }),
    ];
    let message = Sizes::Fixed(65_536);
    let workload = Workload::Stream(Stream { message, load: 0.2, duration_ns: 800_000 });
    let mut scenario = Scenario::new("failover", network, workload);
    scenario.retry = Some(Retry { attempts: 6, patience_ns: Some(500_000) });
    let outcome = run_whole(&scenario);
    assert!(finding(&outcome, "further_attempts") > 0.0);
}

#[test]
fn what_a_crashed_host_sends_fails_and_the_rest_is_delivered() {
    let mut scenario = incast();
    scenario.host_faults = vec![HostFault { host: 3, at_ns: 20_000, kind: HostFaultKind::Crash }];
    let outcome = run(&scenario);
    assert_eq!(outcome.problems, Vec::<String>::new());
    assert!(outcome.ok);
    // transfers go round the senders: host 3 has every twentieth, from the third on
    assert!(!outcome.failures.is_empty() && outcome.failures.len() <= 10);
    assert!(outcome.failures.iter().all(|failure| failure.transfer % 20 == 2));
}

#[test]
fn a_restarted_host_sends_again_what_it_was_sending() {
    let mut scenario = incast();
    let kind = HostFaultKind::Restart { after_ns: 1_000_000 };
    scenario.host_faults = vec![HostFault { host: 3, at_ns: 20_000, kind }];
    scenario.retry = Some(Retry { attempts: 8, patience_ns: None });
    run_whole(&scenario);
}

#[test]
fn chaos_breaks_no_invariant() {
    for seed in 1..=10 {
        let scenario = Scenario::chaos(seed);
        let outcome = run(&scenario);
        assert_eq!(scenario.violations(&outcome), Vec::<String>::new(), "seed {seed}");
    }
}

/// The second of two restarts that overlap took away a host that was back at work, and with it
/// transfers that nobody counted.
#[test]
fn restarts_that_overlap_lose_nothing_unsaid() {
    let scenario = Scenario::chaos(6_697);
    let outcome = run(&scenario);
    assert_eq!(scenario.violations(&outcome), Vec::<String>::new());
}

#[test]
fn both_engines_give_the_same_times() {
    let mut scenario = incast();
    let scale = run_whole(&scenario);
    scenario.engine = Engine::Bach;
    let bach = run_whole(&scenario);
    assert_eq!(bach.engine, "bach");
    assert_eq!(bach.summary.completion_s, scale.summary.completion_s);
    assert_eq!(bach.summary.packets, scale.summary.packets);
}

#[test]
fn what_bach_cannot_run_is_said() {
    let mut scenario = incast();
    scenario.engine = Engine::Bach;
    for (transport, retry) in [
        (Transport::QuinnCubic, None),
        (Transport::Dcquic, Some(Retry { attempts: 2, patience_ns: None })),
    ] {
        scenario.retry = retry;
        let error = scenario.run(transport, Hooks::default()).unwrap_err();
        assert!(error.to_string().ends_with("use --engine scale"), "{error}");
        assert!(error.is_usage());
    }
}

#[test]
fn quinn_runs_the_same_scenarios() {
    for transport in [Transport::QuinnCubic, Transport::QuinnBbr] {
        let outcome = incast().run(transport, Hooks::default()).unwrap();
        assert_eq!(outcome.summary.lost_transfers, 0, "{transport}");
        assert_eq!(outcome.problems, Vec::<String>::new(), "{transport}");
    }
}
