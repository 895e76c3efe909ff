//! Scratch.
use dcquic_bach::{
    host::{
        Host,
        dcquic::{DcquicHost, Shared, pattern},
    },
    measure::summarize,
    net::*,
    scale::{Engine, Setup, start_of},
    workload::Transfer,
};
use dcquic_proto::{config::Config, crypto::Seed, rng::Jitter};
use std::{cell::RefCell, rc::Rc, time::Instant};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let get = |name: &str, default: f64| -> f64 {
        args.iter()
            .position(|a| a == name)
            .and_then(|i| args.get(i + 1))
            .and_then(|v| v.parse().ok())
            .unwrap_or(default)
    };
    let senders = get("--senders", 500.0) as u32;
    let n = get("--transfers", 10000.0) as u32;
    let size = get("--message", 16384.0) as u64;
    let mtu = get("--mtu", 9000.0) as u32;
    let loss = get("--loss", 0.0);
    let stalled = get("--stalled", 0.0);
    let seed = get("--seed", 1.0) as u64;
    let buffer = get("--buffer", 500_000.0) as u64;
    let mut spec = NetworkSpec {
        topology: Topology::Star { hosts: senders + 1, nics_per_host: 1 },
        host_delay_ns: 5_000,
        mtu_bytes: mtu,
        buffer: Buffer::PerPort { bytes: buffer },
        ecn_threshold_bytes: Some(buffer / 5),
        ..NetworkSpec::default()
    };
    spec.random.loss = loss;
    let transfers: Vec<Transfer> = (0..n)
        .map(|i| Transfer {
            at: Picos::ZERO,
            from: NicId(1 + i % senders),
            to: NicId(0),
            size,
            priority: 3,
        })
        .collect();
    let _ = start_of(&transfers);
    let network = Network::new(&spec, seed).unwrap();
    let buffers = Rc::new(RefCell::new(Vec::new()));
    let shared =
        Shared { pattern: pattern(32 << 20), buffers: Rc::clone(&buffers), thorough: false };
    let mut config = Config::dedicated(spec.rate_bits_per_sec / 8);
    config.max_datagram = (mtu - 28) as u16;
    config.auto_receive = 0;
    config.pull_rate_permille = get("--permille", 1000.0) as u16;
    let hosts: Vec<Box<dyn Host>> = (0..network.nics())
        .map(|i| {
            let mut s = [0; 32];
            s[..8].copy_from_slice(&seed.to_le_bytes());
            s[8..16].copy_from_slice(&(i as u64).to_le_bytes());
            Box::new(
                DcquicHost::new(
                    network.address(NicId(i as u32)),
                    config.clone(),
                    Seed::from_bytes(s),
                    &shared,
                )
                .unwrap(),
            ) as Box<dyn Host>
        })
        .collect();
    let mut rng = Jitter::new(seed ^ 77);
    let mut host_faults = Vec::new();
    for h in 1..=senders {
        if (rng.below(1_000_000) as f64) < stalled * 1e6 {
            host_faults.push(HostFault {
                host: h,
                at_ns: 50_000,
                kind: HostFaultKind::Pause { for_ns: 10_000_000 },
            });
        }
    }
    let t = Instant::now();
    let engine = Engine::new(Setup {
        network,
        hosts,
        transfers,
        host_faults,
        limit: Picos::from_nanos(1_000_000_000),
        linger: Picos::from_nanos(20_000_000),
        buffers,
    });
    let (recorder, network, hosts) = engine.run();
    let wall = t.elapsed().as_secs_f64();
    let s = summarize(&recorder, &network, &spec);
    println!("{}", serde_json::to_string_pretty(&s).unwrap().replace("\n    ", " "));
    println!(
        "wall {wall:.3} pps {:.0} problems {:?}",
        s.packets as f64 / wall,
        recorder.problems().iter().take(5).collect::<Vec<_>>()
    );
    println!("faults {}", engine_stats(&hosts));
    for (h, host) in hosts.iter().enumerate() {
        let d = host.describe();
        if !d.contains("streams: 0,") {
            println!("host {h}: {d}");
            break;
        }
    }
    let mut d: Vec<(u64, usize)> = recorder
        .records()
        .iter()
        .enumerate()
        .filter_map(|(i, r)| Some(((r.delivered?.0 - r.started.0) / 1_000_000, i)))
        .collect();
    d.sort();
    println!("first {:?} mid {:?} last {:?}", &d[..d.len().min(8)], d[d.len() / 2], d.last());
    if get("--samples", 0.0) > 0.0 {
        for s in recorder.samples() {
            println!(
                "{} q {} fwd {} del {}",
                s.at.0 / 1_000_000,
                s.queue_bytes,
                s.forwarded_bytes,
                s.delivered_bytes
            );
        }
    }
}
fn engine_stats(hosts: &[Box<dyn Host>]) -> String {
    hosts.iter().take(2).map(|h| h.describe() + "\n").collect()
}
