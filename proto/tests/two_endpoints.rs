//! Mixed traffic between two endpoints over a network that loses, duplicates, reorders and alters.
//!
//! `DCQUIC_SEED=n` replays one seed, `DCQUIC_SEEDS=n` runs that many.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

#[allow(dead_code, reason = "each test uses a part of the world")]
mod world;

use core::time::Duration;

use dcquic_proto::{config::Config, health::HealthConfig, id::Priority, rng::Jitter};
use world::{Weather, World};

fn seeds(default: u64) -> std::ops::Range<u64> {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    match number("DCQUIC_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("DCQUIC_SEEDS").unwrap_or(default),
    }
}

/// Small limits, so that every one of them is met.
fn small_limits() -> Config {
    Config {
        max_peers: 64,
        max_pending_hellos: 8,
        max_streams: 1_024,
        max_transfers: 1_024,
        max_message: 16 << 20,
        receive_memory: 32 << 20,
        send_memory: 8 << 20,
        pull_credit: 256 << 10,
        pull_credit_per_peer: 128 << 10,
        pull_quantum: 32 << 10,
        auto_receive: 64 << 10,
        notify_credit: 64,
        unscheduled_budget: 64 << 10,
        // the worst weather takes more of a message than ever should be lost
        max_repeats: 64,
        health: HealthConfig {
            probing_permille: 1_000,
            probing_after: Duration::from_secs(60),
            ..HealthConfig::default()
        },
        ..Config::datacenter()
    }
}

/// Mostly small, some of a few records, a few of many.
fn size(rng: &mut Jitter) -> u64 {
    match rng.below(10) {
        0 => 0,
        1..=5 => rng.below(1_200),
        6..=8 => rng.below(40_000),
        _ => rng.below(300_000),
    }
}

fn mixed_traffic(seed: u64) -> World {
    let mut rng = Jitter::new(!seed);
    let weather = if seed.is_multiple_of(16) { Weather::calm() } else { Weather::random(&mut rng) };
    let mut config = small_limits();
    config.idle_timeout = Duration::from_secs(60);
    config.hello_timeout = Duration::from_secs(60);
    if seed % 4 < 2 {
        // paced, and messages go ahead of the pull: from 1 Mbit/s to 100 Gbit/s
        config.link_rate = 125_000 * 10_u64.pow(rng.below(6) as u32);
        config.min_timeout = Duration::from_micros(200 << rng.below(6));
    }
    let mut world = World::new(seed, config, weather);
    world.connect();
    let calls = 1 + rng.below(20);
    for _ in 0..calls {
        let node = usize::from(rng.below(4) == 0);
        let deadline = (rng.below(10) == 0).then(|| Duration::from_micros(100 + rng.below(5_000)));
        let (request, response) = (size(&mut rng), size(&mut rng));
        world.call(node, request, response, deadline);
        for _ in 0..rng.below(40) {
            world.step();
        }
        if rng.below(12) == 0 {
            world.cancel_one(usize::from(rng.below(2) == 0));
        }
    }
    // a question that is lost again and again is repeated ever more rarely
    world.run(Duration::from_secs(600));
    assert!(
        world.is_done(),
        "seed {seed}: calls are left over after ten minutes: {:?} {:?}\n{:?}\n{:?}",
        world.nodes[0].endpoint.usage(),
        world.nodes[1].endpoint.usage(),
        world.nodes[0].endpoint.stats(),
        world.nodes[1].endpoint.stats(),
    );
    world.check_nothing_leaked();
    world
}

fn run_all(seeds: std::ops::Range<u64>) {
    for seed in seeds {
        let result = std::panic::catch_unwind(|| mixed_traffic(seed));
        if let Err(panic) = result {
            eprintln!("replay with DCQUIC_SEED={seed}");
            std::panic::resume_unwind(panic);
        }
    }
}

/// In any weather: [XFER-1] no call is delivered twice, [XFER-2] credit is kept to and recovered,
/// [XFER-3] memory stays in bounds, [XFER-4] nothing altered is delivered, [XFER-5] nothing leaks.
#[test]
fn mixed_traffic_survives_any_weather_even_seeds() {
    run_all_of(0);
}

#[test]
fn mixed_traffic_survives_any_weather_odd_seeds() {
    run_all_of(1);
}

/// Half of the seeds, so that two threads share the work.
fn run_all_of(parity: u64) {
    for seed in seeds(10_000).filter(|seed| seed % 2 == parity) {
        run_all(seed..seed + 1);
    }
}

#[test]
fn same_seed_same_bytes() {
    for seed in 1..20 {
        let (a, b) = (mixed_traffic(seed), mixed_traffic(seed));
        assert_eq!((a.trace, a.now), (b.trace, b.now), "seed {seed}");
        assert_eq!(a.nodes[0].endpoint.stats(), b.nodes[0].endpoint.stats());
    }
}

/// More is on its way than a sender keeps sealed: lost acknowledgements must not stop it.
#[test]
fn large_messages_survive_lost_acknowledgements() {
    for seed in 0..4 {
        let weather = Weather { loss: 100, jitter_us: 50, ..Weather::calm() };
        let mut config = small_limits();
        config.idle_timeout = Duration::from_secs(60);
        let mut world = World::new(seed, config, weather);
        world.connect();
        world.call(0, 12 << 20, 9 << 20, None);
        world.run(Duration::from_secs(120));
        assert!(world.is_done(), "seed {seed}");
        world.check_nothing_leaked();
    }
}

/// The late notify of a stream that was given up took the place of its slot's next stream.
#[test]
fn a_late_notify_does_not_end_a_newer_stream() {
    mixed_traffic(9_131);
}

/// A calm link of 10 Gbit/s with a round-trip time of 40 us, and room for many calls.
fn roomy() -> World {
    let config = Config {
        max_streams: 1 << 15,
        max_transfers: 1 << 15,
        link_rate: 1_250_000_000,
        ..small_limits()
    };
    let mut world = World::new(1, config, Weather::calm());
    world.connect();
    world.run(Duration::from_millis(1));
    world
}

/// [SCHED-7] [SCHED-8] an urgent call does not wait behind 10,000 others, whatever they wait for:
/// its request leaves at once, and its response too.
#[test]
fn an_urgent_call_overtakes_ten_thousand() {
    // inside notifies that take no grant, inside notifies that do, and pulled
    for size in [64, 1_000, 20_000] {
        let mut world = roomy();
        for _ in 0..10_000 {
            world.queue_call(0, size, 0, None, Some(Priority::LOWEST)).unwrap();
        }
        world.drain(0);
        while world.ended().next().is_none() {
            assert!(world.step());
        }
        let begun = world.now;
        let urgent = world.calls.len();
        let waiting = world.nodes[0].endpoint.usage().waiting_notifies[7];
        assert!(waiting > 7_000, "{waiting} of {size} bytes are not announced yet");
        world.queue_call(0, 200, 200, None, Some(Priority::HIGHEST)).unwrap();
        world.drain(0);
        while !world.has_ended(urgent) {
            assert!(world.step());
        }
        let took = world.now - begun;
        // there and back, to be pulled where the grant is small, and to learn of it
        assert!(took <= Duration::from_micros(4 * 40), "{size}: {took:?}");
        assert!(world.ended().count() < 2_000, "{size}: it overtook few");

        world.run(Duration::from_secs(60));
        assert!(world.is_done(), "{size}");
        world.check_nothing_leaked();
        let stats = world.nodes[0].endpoint.stats();
        let [first, .., last] = stats.notify_waits;
        assert_eq!((first.count, last.count), (1, 10_000));
        assert!(first.longest_ns < 40_000 && last.longest_ns > 1_000_000, "{first:?} {last:?}");
        assert!(last.total_ns > last.longest_ns);
        assert_eq!(world.nodes[0].endpoint.usage().waiting_notifies, [0; 8]);
    }
}

/// [SCHED-7] [SCHED-8] calls of a level do not starve under those of the next more urgent one: a
/// fifth of what is announced is theirs.
#[test]
fn a_less_urgent_level_gets_its_share() {
    for size in [64, 1_000] {
        let mut world = roomy();
        let level = |level| Priority::new(level);
        for _ in 0..4_000 {
            world.queue_call(0, size, 0, None, level(2)).unwrap();
            world.queue_call(0, size, 0, None, level(3)).unwrap();
        }
        world.drain(0);
        while world.ended().count() < 2_000 {
            assert!(world.step());
        }
        // they were started in turn: the less urgent ones are odd
        let low = world.ended().filter(|call| call % 2 == 1).count();
        assert!((350..=450).contains(&low), "{low} of 2,000 of {size} bytes");
        world.run(Duration::from_secs(60));
        assert!(world.is_done(), "{size}");
    }
}

/// [SCHED-8] those that are given up while they wait for credit do not count as waiting.
#[test]
fn what_is_given_up_does_not_wait() {
    let mut world = roomy();
    for _ in 0..1_000 {
        world.queue_call(0, 1_000, 0, None, Some(Priority::LOWEST)).unwrap();
    }
    world.drain(0);
    let waiting = world.nodes[0].endpoint.usage().waiting_notifies[7];
    assert!(waiting > 500, "{waiting}");
    while world.cancel_one(0) {}
    assert_eq!(world.nodes[0].endpoint.usage().waiting_notifies, [0; 8]);
    world.run(Duration::from_secs(60));
    assert!(world.is_done());
    world.check_nothing_leaked();
}
