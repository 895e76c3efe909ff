//! How fast both engines run one incast, and whether they agree on it.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

use std::{cell::RefCell, rc::Rc, time::Instant};

use dcquic_bach::{
    bach_engine,
    host::{
        Host,
        dcquic::{DcquicHost, Shared, pattern},
    },
    measure::{Recorder, summarize},
    net::{Network, NetworkSpec, NicId, Picos, Topology},
    scale,
    workload::Transfer,
};
use dcquic_proto::{config::Config, crypto::Seed};

const LIMIT: Picos = Picos::from_micros(1_000_000);
const LINGER: Picos = Picos::from_micros(20_000);

fn main() {
    let mut arguments = std::env::args().skip(1).map(|word| word.parse::<u64>().unwrap());
    let senders = arguments.next().unwrap_or(99) as u32;
    let transfers = arguments.next().unwrap_or(2_000) as u32;
    let size = arguments.next().unwrap_or(16 << 10);
    let topology = Topology::Star { hosts: senders + 1, nics_per_host: 1 };
    let spec = NetworkSpec { topology, host_delay_ns: 5_000, ..NetworkSpec::default() };
    let mut config = Config::dedicated(spec.rate_bits_per_sec / 8);
    config.max_datagram = (spec.mtu_bytes - 28) as u16;
    let transfers: Vec<Transfer> = (0..transfers)
        .map(|number| Transfer {
            at: Picos::ZERO,
            from: NicId(1 + number % senders),
            to: NicId(0),
            size,
            priority: 3,
        })
        .collect();
    let pattern = pattern(size as usize);
    let seeds = || (0..=senders).map(|nic| Seed::from_bytes([nic as u8; 32]));

    let begun = Instant::now();
    let buffers = Rc::new(RefCell::new(Vec::new()));
    let shared = Shared { pattern: pattern.clone(), buffers: Rc::clone(&buffers), thorough: true };
    let hosts = seeds()
        .zip(0..)
        .map(|(seed, nic)| {
            let host = DcquicHost::new(NicId(nic).address(), config.clone(), seed, &shared);
            Box::new(host.unwrap()) as Box<dyn Host>
        })
        .collect();
    let network = Network::new(&spec, 1).unwrap();
    let (recorder, network, _) = scale::Engine::new(scale::Setup {
        network,
        hosts,
        transfers: transfers.clone(),
        host_faults: Vec::new(),
        limit: LIMIT,
        linger: LINGER,
        buffers,
    })
    .run();
    report("scale", &recorder, &network, &spec, begun);

    for interleave in [false, true] {
        let begun = Instant::now();
        let (recorder, network) = bach_engine::run(bach_engine::Setup {
            network: Network::new(&spec, 1).unwrap(),
            config: config.clone(),
            seeds: seeds().collect(),
            pattern: pattern.clone(),
            transfers: transfers.clone(),
            host_faults: Vec::new(),
            limit: LIMIT,
            linger: LINGER,
            seed: 1,
            interleave,
        })
        .unwrap();
        let name = if interleave { "Bach, interleaved" } else { "Bach" };
        report(name, &recorder, &network, &spec, begun);
    }
}

fn report(name: &str, recorder: &Recorder, network: &Network, spec: &NetworkSpec, begun: Instant) {
    let wall = begun.elapsed().as_secs_f64();
    let summary = summarize(recorder, network, spec);
    println!(
        "{name}: completion {:.3} us, {} drops, {} packets, {wall:.3} s, {:.0} packets/s, {} problems",
        summary.completion_s * 1e6,
        summary.dropped_packets,
        summary.packets,
        summary.packets as f64 / wall,
        recorder.problems().len(),
    );
}
