//! The figures that the receiver's schedule is there for, in virtual time: the same on every
//! machine. Debug builds are slow at this; CI runs it with a release build.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

use dcquic_bach::{
    measure::Summary,
    net::{HostFault, HostFaultKind, NetworkSpec, Topology},
    scenario::{Hooks, Scenario, Transport},
    workload::{BulkVsRpc, Incast, Sizes, Workload},
};

/// Ports of 100 Gbit/s with 500 kB, 5 us of cable and 5 us of host; jumbo frames.
fn incast(senders: u32, transfers: u32, bytes: u64) -> Scenario {
    let topology = Topology::Star { hosts: senders + 1, nics_per_host: 1 };
    let network = NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() };
    let message = Sizes::Fixed(bytes);
    Scenario::new("incast", network, Workload::Incast(Incast { senders, transfers, message }))
}

fn figures(scenario: &Scenario) -> Summary {
    let outcome = scenario.run(Transport::Dcquic, Hooks::default()).unwrap();
    assert!(outcome.ok, "{:?} {:?}", outcome.problems, outcome.failures);
    let figures = outcome.summary;
    println!(
        "useful {:.4} completion {:.4} link {:.4} spread {:.3} dropped {}",
        figures.useful_share,
        figures.completion_ratio,
        figures.link_share,
        figures.finish_spread,
        figures.dropped_packets
    );
    assert_eq!(figures.lost_transfers, 0);
    figures
}

#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn ten_thousand_short_messages() {
    let got = figures(&incast(500, 10_000, 16 << 10));
    assert!(got.useful_share >= 0.99 && got.completion_ratio <= 1.05);
    assert_eq!(got.dropped_packets, 0);
}

#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn ten_thousand_tiny_messages() {
    let got = figures(&incast(500, 10_000, 1 << 10));
    assert!(got.useful_share >= 0.99 && got.completion_ratio <= 1.25);
    assert_eq!(got.dropped_packets, 0);
}

#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn ordinary_frames_are_no_worse_by_more_than_their_headers() {
    let mut scenario = incast(500, 10_000, 16 << 10);
    scenario.network.mtu_bytes = 1_500;
    let got = figures(&scenario);
    assert!(got.useful_share >= 0.99 && got.completion_ratio <= 1.05);
}

#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn equal_long_messages_share_the_link_and_end_together() {
    let got = figures(&incast(127, 127, 2_000_000));
    assert!(got.link_share >= 0.98 && got.useful_share >= 0.99 && got.finish_spread <= 1.05);
    let got = figures(&incast(1_023, 1_023, 100_000));
    assert!(got.link_share >= 0.97 && got.useful_share >= 0.99 && got.finish_spread <= 1.2);
}

/// The notifies alone are more than the buffer holds: those dropped are repeated.
#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn eight_thousand_senders() {
    let got = figures(&incast(8_000, 8_000, 9_000));
    assert!(got.completion_ratio <= 1.1 && got.useful_share >= 0.99);
}

#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn random_loss_and_stalled_senders() {
    let mut lossy = incast(500, 10_000, 16 << 10);
    lossy.network.random.loss = 0.01;
    let mut stalled = incast(500, 10_000, 16 << 10);
    let pause =
        |host| HostFault { host, at_ns: 50_000, kind: HostFaultKind::Pause { for_ns: 10_000_000 } };
    stalled.host_faults = (1..=25).map(|host| pause(host * 20)).collect();
    for scenario in [lossy, stalled] {
        let got = figures(&scenario);
        assert!(got.useful_share >= 0.97 && got.completion_ratio <= 1.15);
    }
}

/// Urgent messages of 64 bytes beside bulk of the lowest level that keeps the same links busy: their
/// p99 is at most twice what it is on idle links, and the bulk gets what they leave. [SCHED-7]
#[test]
#[ignore = "slow without optimisation: run with --release -- --ignored"]
fn urgent_messages_beside_bulk() {
    // from and to other hosts; long messages the same way; and a thousand calls the same way, which
    // are announced, sent unasked, or fit their notifies
    for (bulk, peers, least_gbps) in
        [(10_000_000, 6, 90.0), (10_000_000, 0, 90.0), (65_536, 0, 70.0), (4_096, 0, 20.0)]
    {
        let both = BulkVsRpc {
            message: Sizes::Fixed(64),
            load: 0.01,
            bulk: Sizes::Fixed(bulk),
            peers,
            priority: 0,
            bulk_priority: 7,
            // bulk counts when it is complete: 10 MB in 5 ms are 16 Gbit/s
            duration_ns: if bulk > 1_000_000 { 20_000_000 } else { 5_000_000 },
        };
        let topology = Topology::Star { hosts: both.hosts(), nics_per_host: 1 };
        let network = NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() };
        let scenario = Scenario::new("both", network, Workload::BulkVsRpc(both));
        let outcome = scenario.run(Transport::Dcquic, Hooks::default()).unwrap();
        assert!(outcome.ok, "{:?} {:?}", outcome.problems, outcome.failures);
        let findings = &outcome.findings.0;
        let finding = |key: &str| findings.iter().find(|found| found.key == key).unwrap().value;
        let idle = finding("idle_p99_us");
        for busy in ["receiver", "sender"] {
            let p99 = finding(&format!("{busy}_p99_us"));
            let gbps = finding(&format!("{busy}_bulk_gbps"));
            println!(
                "{bulk} {peers}: idle {idle:.2} busy {busy} {p99:.2} us, bulk {gbps:.2} Gbit/s"
            );
            assert!(p99 <= 2.0 * idle);
            assert!(gbps >= least_gbps);
        }
    }
}

/// Equal seeds give equal traces in every build: a changed digest is a changed protocol, schedule
/// or network. Bless it after reading why.
#[test]
fn the_trace_of_a_seed_is_the_same_in_every_build() {
    let got = figures(&incast(20, 200, 16 << 10));
    insta::assert_snapshot!(format!("{} {} events", got.digest, got.events));
}
