//! Measures what a call costs in the network model, on a star and without faults.
//!
//! Run as `cargo run --release -p dcquic-bach --example net_speed`. In every round each host sends
//! a burst to random others. Ordering the steps is the engine's work and not part of the figures.

use std::{
    error::Error,
    time::{Duration, Instant},
};

use dcquic_bach::net::{Buffer, Frame, Network, NetworkSpec, NicId, Picos, Step, Topology};
use dcquic_proto::{link::Ecn, rng::Jitter};

const HOSTS: u32 = 256;
/// Frames of a burst.
const BURST: u32 = 16;
const ROUNDS: u64 = 500;
/// Long enough that a round ends before the next begins.
const ROUND: Picos = Picos::from_micros(100);

fn main() -> Result<(), Box<dyn Error>> {
    for (name, buffer) in [
        ("memory per port", Buffer::PerPort { bytes: 1_000_000 }),
        ("shared memory", Buffer::Shared { bytes: 16_000_000, alpha: 1.0 }),
    ] {
        let topology = Topology::Star { hosts: HOSTS, nics_per_host: 1 };
        let spec = NetworkSpec { topology, buffer, ..NetworkSpec::default() };
        let mut network = Network::new(&spec, 1)?;
        let spent = run(&mut network);
        let frames = ROUNDS * u64::from(HOSTS * BURST);
        let [send, switch, arrive] = spent.map(|span| span.as_nanos() as f64 / frames as f64);
        let stats = network.stats();
        println!(
            "{name}: send {send:.1} ns, step at the switch {switch:.1} ns, step at the host \
             {arrive:.1} ns; {} delivered, {} marked, {} dropped",
            stats.delivered.frames,
            stats.marked,
            stats.drops.total()
        );
    }
    Ok(())
}

/// Runs all rounds; the time spent in sending, at the switch, and at the hosts.
fn run(network: &mut Network) -> [Duration; 3] {
    let mut spent = [Duration::ZERO; 3];
    let mut rng = Jitter::new(2);
    let (mut at_switch, mut at_hosts) = (Vec::<Step>::new(), Vec::<Step>::new());
    let mut frames = first_frames(network);
    for round in 0..ROUNDS {
        for (_, frame) in &mut frames {
            frame.to = network.address(NicId(rng.below(HOSTS.into()) as u32));
        }
        let now = Picos(round * ROUND.0);
        let start = Instant::now();
        for (nic, frame) in frames.drain(..) {
            network.send(now, nic, frame, &mut |step| at_switch.push(step));
        }
        spent[0] += start.elapsed();
        // Hosts took turns, and all frames are equal, so that these are in order.
        let start = Instant::now();
        for step in at_switch.drain(..) {
            network.step(step, &mut |step| at_hosts.push(step));
        }
        spent[1] += start.elapsed();
        at_hosts.sort_by_key(|step| step.at);
        let start = Instant::now();
        for step in at_hosts.drain(..) {
            let arrival = network.step(step, &mut |_| {});
            frames.extend(arrival.map(|arrival| (arrival.nic, arrival.frame)));
        }
        spent[2] += start.elapsed();
        // Whoever received a frame is not the one to send it on: each host sends a burst again.
        for (index, (nic, _)) in frames.iter_mut().enumerate() {
            *nic = NicId(index as u32 % HOSTS);
        }
    }
    spent
}

/// A burst of every host, in turns.
fn first_frames(network: &Network) -> Vec<(NicId, Frame)> {
    let nics = (0..HOSTS * BURST).map(|index| NicId(index % HOSTS));
    let frame = |nic| {
        let (from, payload) = (network.address(nic), vec![0; 1_452]);
        let frame = Frame { id: 0, from, to: from, ecn: Ecn::Ect0, control: false, payload };
        (nic, frame)
    };
    nics.map(frame).collect()
}
