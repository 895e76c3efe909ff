//! Peers that fall silent, fail and come back, between two endpoints in virtual time.

#![allow(clippy::unwrap_used, reason = "a test or example fails by panicking")]

#[allow(dead_code, reason = "each test uses a part of the world")]
mod world;

use core::time::Duration;

use dcquic_proto::{
    config::Config,
    endpoint::{Outcome, PeerFailure, StartError},
    health::{HealthCause, HealthState},
    rng::Jitter,
};
use world::{Weather, World};

const SECOND: Duration = Duration::from_secs(1);

/// Two endpoints that know each other.
fn connected(seed: u64) -> World {
    let mut world = World::new(seed, Config::datacenter(), Weather::calm());
    world.peers_fail = true;
    world.connect();
    world.pass(SECOND);
    assert!(world.nodes[1].peer.is_some());
    world
}

fn state(world: &World, node: usize) -> HealthState {
    let node = &world.nodes[node];
    node.endpoint.health(node.peer.unwrap()).unwrap().state
}

/// A call that is on its way when the link goes down.
fn interrupted(seed: u64) -> World {
    let mut world = connected(seed);
    world.call(0, 100_000, 200_000, None);
    for _ in 0..20 {
        world.step();
    }
    world.muted = [true; 2];
    world
}

/// [HLTH-5] Watching costs an idle peer neither a packet nor a timer.
#[test]
fn an_idle_peer_costs_nothing() {
    let mut world = connected(1);
    for _ in 0..10 {
        world.call(0, 3_000, 50_000, None);
    }
    world.run(SECOND);
    assert!(world.is_done());
    // the timers that watched fire once more and are not armed again
    world.pass(10 * SECOND);
    let sent = world.sent;
    assert_eq!(world.nodes.each_ref().map(|node| node.endpoint.usage().timers), [0, 0]);
    assert!(!world.step(), "something was going to happen");
    world.pass(3_600 * SECOND);
    assert_eq!((world.sent, world.changes.len()), (sent, 0));
    // an hour of silence is no reason to mistrust it
    world.call(0, 10, 10, None);
    world.run(SECOND);
    assert_eq!(world.outcomes(), [Outcome::Complete; 11]);
}

/// [HLTH-2] A short outage only makes the peer come later; deliveries make it healthy again.
#[test]
fn a_short_outage_degrades_and_nothing_is_lost() {
    for seed in 0..20 {
        let mut world = connected(seed);
        world.muted = [true; 2];
        world.call(0, 10, 10, None);
        world.pass(Duration::from_millis(400));
        assert_eq!(state(&world, 0), HealthState::Degraded, "seed {seed}");
        world.call(0, 100_000, 10, None);
        world.muted = [false; 2];
        world.run(10 * SECOND);
        for _ in 0..20 {
            world.call(0, 10, 10, None);
            world.run(SECOND);
        }
        assert_eq!(world.outcomes(), [Outcome::Complete; 22]);
        assert_eq!(world.states(0), [HealthState::Degraded, HealthState::Healthy]);
        world.check_nothing_leaked();
    }
}

/// [HLTH-3] A silent peer gets nothing new, and what is open goes on when it is back.
#[test]
fn what_is_new_is_refused_while_a_peer_is_probed() {
    for seed in 0..20 {
        let mut world = interrupted(seed);
        world.pass(5 * SECOND);
        assert_eq!(state(&world, 0), HealthState::Probing);
        assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerProbing));
        world.muted = [false; 2];
        world.run(10 * SECOND);
        assert_eq!(world.outcomes(), [Outcome::Complete]);
        assert_eq!(state(&world, 0), HealthState::Healthy);
        assert_eq!(world.try_call(0, 10, 10, None), Ok(()));
        world.run(SECOND);
        assert_eq!(world.outcomes(), [Outcome::Complete; 2]);
        use HealthState::{Degraded, Healthy, Probing};
        assert_eq!(world.states(0), [Degraded, Probing, Healthy]);
        world.check_nothing_leaked();
    }
}

/// [HLTH-4] A failed peer ends everything with it, and comes back by itself with the same keys.
#[test]
fn a_failed_peer_recovers_through_probing() {
    for seed in 0..20 {
        let mut world = interrupted(seed);
        world.pass(15 * SECOND);
        assert_eq!(world.outcomes(), [Outcome::PeerFailed(PeerFailure::Silent)]);
        assert_eq!(state(&world, 0), HealthState::Failed);
        let peer = world.nodes[0].peer;
        world.muted = [false; 2];
        world.pass(10 * SECOND);
        assert_eq!(
            (state(&world, 0), state(&world, 1)),
            (HealthState::Healthy, HealthState::Healthy)
        );
        use HealthState::{Degraded, Failed, Healthy, Probing};
        assert_eq!(world.states(0), [Degraded, Probing, Failed, Probing, Healthy]);
        // what the peer still had open was closed
        world.check_nothing_leaked();
        for _ in 0..5 {
            world.call(0, 50_000, 50_000, None);
            world.call(1, 50_000, 50_000, None);
        }
        world.run(SECOND);
        assert!(world.outcomes()[1..].iter().all(|outcome| *outcome == Outcome::Complete));
        assert_eq!(world.outcomes().len(), 11);
        let hellos = [0, 1].map(|node| world.nodes[node].endpoint.stats().hellos_sent);
        assert_eq!((world.nodes[0].peer, hellos), (peer, [1, 0]));
        world.check_nothing_leaked();
    }
}

/// [HLTH-4] A failed peer that nobody asks for is forgotten.
#[test]
fn a_failed_peer_is_not_probed_for_ever() {
    let mut world = interrupted(1);
    world.pass(15 * SECOND);
    assert_eq!(state(&world, 0), HealthState::Failed);
    let sent = world.sent[0];
    world.pass(100 * SECOND);
    assert!(world.forgotten.contains(&(0, PeerFailure::Silent)), "{:?}", world.forgotten);
    let probes = world.sent[0] - sent;
    assert!((5..20).contains(&probes), "{probes} packets to a failed peer in a minute");
    assert_eq!(world.nodes.each_ref().map(|node| node.endpoint.usage().timers), [0, 0]);
    assert_eq!(world.nodes.each_ref().map(|node| node.endpoint.usage().peers), [0, 0]);
}

/// [HLTH-7] One for which somebody asks is kept, and greeted anew at a bounded rate.
#[test]
fn a_failed_peer_that_is_asked_for_is_kept() {
    let mut world = interrupted(1);
    world.pass(15 * SECOND);
    for _ in 0..1_000 {
        assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerFailed));
        world.pass(SECOND / 5);
    }
    assert_eq!(state(&world, 0), HealthState::Failed);
    let hellos = world.nodes[0].endpoint.stats().hellos_sent;
    // 200 seconds of hellos that grow to half a second apart
    assert!((200..600).contains(&hellos), "{hellos} hellos");
    world.muted = [false; 2];
    for _ in 0..100 {
        if world.try_call(0, 10, 10, None).is_ok() {
            break;
        }
        world.pass(SECOND / 5);
    }
    world.run(SECOND);
    assert_eq!(world.outcomes().last(), Some(&Outcome::Complete));
}

/// [HLTH-7] A peer that lost its keys stays failed until a call has it greeted anew.
#[test]
fn a_restarted_peer_is_greeted_anew() {
    for seed in 0..20 {
        let mut world = connected(seed);
        world.call(0, 100_000, 200_000, None);
        for _ in 0..20 {
            world.step();
        }
        world.restart(1, 7);
        world.pass(15 * SECOND);
        assert_eq!(world.outcomes(), [Outcome::PeerFailed(PeerFailure::Silent)]);
        let old = world.nodes[0].peer;
        assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerFailed));
        world.pass(SECOND / 10);
        assert_ne!(world.nodes[0].peer, old);
        assert_eq!(world.forgotten, [(0, PeerFailure::Replaced)]);
        assert_eq!(world.try_call(0, 1_000, 100_000, None), Ok(()));
        world.run(SECOND);
        assert_eq!(world.outcomes()[1..], [Outcome::Complete]);
        world.check_nothing_leaked();
    }
}

/// [XFER-6] Nothing gets through to a peer that is heard: messages are given up one by one, and in
/// the end nothing new is begun with it.
#[test]
fn loss_in_one_direction_ends_messages_and_is_noticed() {
    let mut world = connected(1);
    world.muted = [true, false];
    for _ in 0..30 {
        world.call(0, 1_000, 1_000, None);
    }
    // it keeps calling, so that it is heard
    for _ in 0..100 {
        let _refused = world.try_call(1, 10, 10, Some(SECOND / 10));
        world.pass(SECOND / 10);
    }
    let unanswered =
        world.outcomes().iter().filter(|outcome| **outcome == Outcome::Unanswered).count();
    assert_eq!(unanswered, 30);
    assert_eq!(state(&world, 0), HealthState::Probing);
    assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerProbing));
    // being heard does not help: only an answer tells that something got through
    world.muted = [false; 2];
    world.pass(20 * SECOND);
    assert_eq!(world.nodes.each_ref().map(|n| n.peer.is_some()), [true; 2]);
    assert_eq!((state(&world, 0), state(&world, 1)), (HealthState::Healthy, HealthState::Healthy));
    assert_eq!(world.try_call(0, 10, 10, None), Ok(()));
    world.run(SECOND);
    assert_eq!(world.outcomes().last(), Some(&Outcome::Complete));
}

/// [XFER-6] Data that never arrives, where control packets do, is not sent for ever.
#[test]
fn a_message_whose_data_vanishes_is_given_up() {
    let mut world = connected(1);
    (world.black_hole, world.supplies) = (true, false);
    world.call(0, 100_000, 10, None);
    world.pass(39 * SECOND);
    assert_eq!(world.outcomes(), []);
    world.pass(2 * SECOND);
    assert_eq!(world.outcomes(), [Outcome::Unanswered]);
    world.run(SECOND);
    world.check_nothing_leaked();
    // what needs no data packet goes on
    world.call(0, 10, 10, None);
    world.run(SECOND);
    assert_eq!(world.outcomes(), [Outcome::Unanswered, Outcome::Complete]);
    // it answers probes: whatever was held against it meanwhile, it has not failed
    assert!(world.states(0).iter().all(|state| *state < HealthState::Failed));
    assert_eq!(state(&world, 0), HealthState::Healthy);
}

/// Outages, reports, restarts and calls at random: no call is delivered twice or ends twice, what is
/// delivered is what was sent, nothing is left behind, and the peers find each other again.
#[test]
fn nothing_is_left_behind_by_any_outage() {
    for seed in 0..300 {
        let mut rng = Jitter::new(seed);
        let weather = if seed % 2 == 0 { Weather::calm() } else { Weather::random(&mut rng) };
        let config = Config { send_memory: 8 << 20, ..Config::datacenter() };
        let mut world = World::new(seed, config, weather);
        world.peers_fail = true;
        world.connect();
        for life in 0..20 {
            for _ in 0..rng.below(10) {
                let node = rng.below(2) as usize;
                // refused while the peer is silent
                let _refused = world.try_call(node, rng.below(100_000), rng.below(100_000), None);
            }
            match rng.below(8) {
                0..=3 => world.muted = [rng.below(2) == 0, rng.below(2) == 0],
                4 => world.report_unreachable(rng.below(2) as usize),
                5 if rng.below(4) == 0 => world.restart(rng.below(2) as usize, 10 + life),
                _ => world.muted = [false; 2],
            }
            world.pass(Duration::from_micros(1 << rng.below(25)));
        }
        world.muted = [false; 2];
        world.weather = Weather::calm();
        world.pass(200 * SECOND);
        world.check_nothing_leaked();
        for _ in 0..20 {
            if world.nodes[0].peer.is_none() {
                world.connect();
            }
            let _refused = world.try_call(0, 1_000, 50_000, None);
            world.pass(SECOND);
        }
        assert_eq!(world.outcomes().last(), Some(&Outcome::Complete), "seed {seed}");
        assert_eq!(state(&world, 0), HealthState::Healthy, "seed {seed}");
        world.check_nothing_leaked();
    }
}

/// [HLTH-6] Of an idle peer, a report says nothing.
#[test]
fn a_report_about_an_idle_peer_is_ignored() {
    let mut world = connected(1);
    world.pass(10 * SECOND);
    let sent = world.sent;
    for _ in 0..100 {
        world.report_unreachable(0);
    }
    assert!(!world.step());
    assert_eq!((world.sent, world.changes.len()), (sent, 0));
}

/// [HLTH-6] A forged report costs a peer that answers a round trip, and no more than once a second.
#[test]
fn a_forged_report_ends_nothing() {
    let mut world = connected(1);
    world.call(0, 4 << 20, 4 << 20, None);
    let end = world.now + SECOND / 100;
    while world.now < end && !world.is_done() {
        world.report_unreachable(0);
        world.report_unreachable(1);
        world.step();
    }
    world.run(10 * SECOND);
    assert_eq!(world.outcomes(), [Outcome::Complete]);
    for node in 0..2 {
        let states = world.states(node);
        assert!(states.len() <= 2, "{states:?}");
        assert!(states.iter().all(|state| *state < HealthState::Failed), "{states:?}");
        assert!(world.nodes[node].endpoint.stats().unreachable_reports > 0);
    }
    world.check_nothing_leaked();
}

/// [HLTH-6] A true report ends a call within a few retry timeouts.
#[test]
fn a_true_report_is_found_true_by_one_probe() {
    let mut world = connected(1);
    world.call(0, 100_000, 200_000, None);
    world.step();
    world.muted = [true; 2];
    let reported = world.now;
    world.report_unreachable(0);
    assert_eq!(state(&world, 0), HealthState::Probing);
    assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerProbing));
    world.pass(SECOND / 10);
    assert_eq!(world.outcomes(), [Outcome::PeerFailed(PeerFailure::Unreachable)]);
    let failed = world.changes.iter().rfind(|change| change.node == 0).unwrap();
    assert_eq!((failed.to, failed.cause), (HealthState::Failed, HealthCause::Unreachable));
    assert!(failed.at - reported <= 2 * Config::datacenter().min_timeout);
}

/// [HLTH-6] One that left a question unanswered and was not heard for a while has failed at once.
#[test]
fn a_report_about_a_silent_peer_is_believed() {
    let mut world = interrupted(1);
    world.pass(5 * SECOND / 2);
    assert!(state(&world, 0) < HealthState::Probing);
    world.report_unreachable(0);
    assert_eq!(state(&world, 0), HealthState::Failed);
    assert_eq!(world.outcomes(), [Outcome::PeerFailed(PeerFailure::Unreachable)]);
    assert_eq!(world.try_call(0, 10, 10, None), Err(StartError::PeerFailed));
}
