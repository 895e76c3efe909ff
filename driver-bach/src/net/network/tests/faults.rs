//! What goes wrong, at set times and by chance.

use super::*;
use crate::net::{Cable, Direction, Fault, Reordering};

const FRAME: u64 = 1_000 * BYTE;
/// From the call to the arrival of a frame of 1,000 bytes.
const TRANSFER: u64 = 2 * (FRAME + HALF);

fn nic(host: u32) -> Cable {
    Cable::Nic { host, nic: 0 }
}

fn world(hosts: u32, faults: Vec<Fault>) -> World {
    World::new(&NetworkSpec { faults, ..star(hosts) })
}

fn ids(arrivals: &[(u64, u64)]) -> Vec<u64> {
    arrivals.iter().map(|(_, id)| *id).collect()
}

#[test]
fn nic_that_is_down_loses_what_waits_and_what_is_under_way() {
    // Down just before the second frame's last bit is there, for 1 us.
    let at_ns = (2 * FRAME + HALF) / 1_000 - 1;
    let mut world = world(2, vec![Fault::Down { at_ns, for_ns: Some(1_000), cable: nic(0) }]);
    (0..100).for_each(|_| _ = world.send(Picos::ZERO, 0, 1, 1_000));
    // While it is down, and as it comes up.
    world.send(Picos::from_nanos(at_ns), 0, 1, 1_000);
    assert_eq!(world.network.nic_backlog(Picos::from_nanos(at_ns), NicId(0)), 0);
    let up = Picos::from_nanos(at_ns + 1_000);
    world.send(up, 0, 1, 1_000);
    let arrivals = world.finish();
    assert_eq!(arrivals, [(TRANSFER, 0), (up.0 + TRANSFER, 101)]);
    assert_eq!(world.network.stats().drops.link_down, 100);
}

#[test]
fn port_that_is_down_loses_its_queue() {
    // Without a delay, three frames reach the port together, and the second is half sent when the
    // cable goes down.
    let at_ns = (2 * FRAME + FRAME / 2) / 1_000;
    let faults = vec![Fault::Down { at_ns, for_ns: Some(50), cable: nic(3) }];
    let mut world = World::new(&NetworkSpec { delay_ns: 0, faults, ..star(4) });
    (0..3).for_each(|from| _ = world.send(Picos::ZERO, from, 3, 1_000));
    let cut = Picos::from_nanos(at_ns);
    let port = PortId(3);
    world.run_until(Picos(cut.0 - 1));
    assert_eq!(world.network.queue_at(cut, port), 1_500);
    world.run_until(cut);
    assert_eq!(world.network.queue_at(cut, port), 0);
    assert_eq!(world.network.port(port).busy, Picos(FRAME + FRAME / 2));
    let up = cut + Picos::from_nanos(50);
    world.send(up, 0, 3, 1_000);
    assert_eq!(world.finish(), [(2 * FRAME, 0), (up.0 + 2 * FRAME, 3)]);
    assert_eq!(world.network.stats().drops.link_down, 2);
}

#[test]
fn overlapping_faults_of_a_cable_end_with_the_last() {
    let down = |at_ns, for_ns| Fault::Down { at_ns, for_ns: Some(for_ns), cable: nic(0) };
    let mut world = world(2, vec![down(0, 100), down(50, 100)]);
    for at in [0, 99, 100, 149, 150] {
        world.send(Picos::from_nanos(at), 0, 1, 1_000);
    }
    assert_eq!(ids(&world.finish()), [4]);
}

#[test]
fn shared_memory_is_free_after_a_cut() {
    let at_ns = (FRAME + HALF) / 1_000 + 1;
    let spec = NetworkSpec {
        buffer: Buffer::Shared { bytes: 2_000, alpha: 1.0 },
        faults: vec![Fault::Down { at_ns, for_ns: Some(1), cable: nic(1) }],
        ..star(2)
    };
    let mut world = World::new(&spec);
    world.send(Picos::ZERO, 0, 1, 1_000);
    // Without the cut, this one would meet a full half.
    world.send(Picos::from_nanos(at_ns + 1), 0, 1, 1_000);
    assert_eq!(ids(&world.finish()), [1]);
}

#[test]
fn partition_separates_two_sets_for_a_span() {
    // Frames are at the switch after this long.
    let at_switch = FRAME + HALF;
    let (from_ns, for_ns) = (10_000, 5_000);
    let cut =
        Fault::Partition { at_ns: from_ns, for_ns: Some(for_ns), left: vec![0, 1], right: vec![2] };
    let mut world = world(4, vec![cut]);
    let (begin, end) = (from_ns * 1_000 - at_switch, (from_ns + for_ns) * 1_000 - at_switch);
    let mut arrive = Vec::new();
    for (at, from, to, arrives) in [
        (begin - 1, 0, 2, true),
        (begin, 0, 2, false),
        (begin, 2, 1, false),
        (begin, 1, 0, true),
        (begin, 3, 2, true),
        (end - 1, 1, 2, false),
        (end, 0, 2, true),
    ] {
        let id = world.send(Picos(at), from, to, 1_000);
        arrive.extend(arrives.then_some(id));
    }
    let mut ids = ids(&world.finish());
    ids.sort_unstable();
    assert_eq!(ids, arrive);
    assert_eq!(world.network.stats().drops.partition, 3);
}

#[test]
fn healed_partition_leaves_others_in_force() {
    let cut = |for_ns, right| Fault::Partition { at_ns: 0, for_ns, left: vec![0], right };
    let mut world = world(3, vec![cut(Some(10_000), vec![1]), cut(None, vec![2])]);
    let late = Picos::from_nanos(20_000);
    world.send(Picos::ZERO, 0, 1, 1_000);
    let healed = world.send(late, 0, 1, 1_000);
    world.send(late, 0, 2, 1_000);
    assert_eq!(ids(&world.finish()), [healed]);
}

#[test]
fn slow_port_takes_longer_for_a_span() {
    let slow = |at_ns, for_ns, gigabits: u64| Fault::Rate {
        at_ns,
        for_ns,
        cable: nic(1),
        direction: Direction::Down,
        rate_bits_per_sec: gigabits * 1_000_000_000,
    };
    // The lower of the two holds.
    let mut world = world(2, vec![slow(0, Some(100_000), 10), slow(0, Some(100_000), 50)]);
    world.send(Picos::ZERO, 0, 1, 1_000);
    world.send(Picos::from_nanos(200_000), 0, 1, 1_000);
    let expected = [(FRAME + HALF + 10 * FRAME + HALF, 0), (200_000_000 + TRANSFER, 1)];
    assert_eq!(world.finish(), expected);
}

#[test]
fn queue_keeps_its_length_and_order_when_the_rate_changes() {
    // Ten frames reach the port together; five have left when it slows down tenfold.
    let at_port = FRAME + HALF;
    let change = at_port + 5 * FRAME;
    let fault = Fault::Rate {
        at_ns: change / 1_000,
        for_ns: Some(FRAME / 1_000),
        cable: nic(10),
        direction: Direction::Down,
        rate_bits_per_sec: 10_000_000_000,
    };
    let mut world = world(12, vec![fault]);
    (0..10).for_each(|from| _ = world.send(Picos::ZERO, from, 10, 1_000));
    // One more meets the slow port, and one the restored port.
    world.send(Picos(change - at_port), 11, 10, 1_000);
    world.send(Picos(change - at_port + FRAME), 0, 10, 1_000);
    let port = PortId(10);
    for (at, queue) in [(0, 6_000), (FRAME / 2, 5_500), (FRAME, 6_000)] {
        let at = Picos(change + at);
        world.run_until(Picos(at.0 + 1));
        // The mean of two rates is rounded.
        assert!(world.network.queue_at(at, port).abs_diff(queue) <= 1, "{at:?}");
    }
    // The five that waited across both changes have 13 of their 14 parts of time left.
    let queue = world.network.queue_at(Picos(change + 2 * FRAME), port);
    assert!(queue.abs_diff(5_000 * 13 / 14 + 1_000) <= 1, "{queue}");
    let arrivals = world.finish();
    assert_eq!(ids(&arrivals), (0..12).collect::<Vec<_>>());
    let slow = change + 5 * FRAME + 10 * FRAME + HALF;
    assert_eq!(arrivals[10..], [(slow, 10), (slow + FRAME, 11)]);
}

#[test]
fn one_direction_can_take_longer() {
    let late = |extra_delay_ns| Fault::Delay {
        at_ns: 0,
        for_ns: Some(1_000),
        cable: nic(0),
        direction: Direction::Up,
        extra_delay_ns,
    };
    let mut world = world(2, vec![late(300), late(30)]);
    world.run_until(Picos(1));
    for at in [1, 1_000_000] {
        world.send(Picos(at), 0, 1, 1_000);
        world.send(Picos(at), 1, 0, 1_000);
    }
    let mut arrivals = world.finish();
    arrivals.sort_unstable_by_key(|(_, id)| *id);
    let normal = [(1, 1), (1_000_000, 2), (1_000_000, 3)].map(|(at, id)| (at + TRANSFER, id));
    assert_eq!(arrivals[0], (1 + TRANSFER + 330_000, 0));
    assert_eq!(arrivals[1..], normal);
}

fn by_chance(random: RandomFaults) -> World {
    World::new(&NetworkSpec { random, ..star(2) })
}

#[test]
fn duplicates_arrive_together_with_their_originals() {
    let mut world = by_chance(RandomFaults { duplication: 1.0, ..RandomFaults::default() });
    world.send(Picos::ZERO, 0, 1, 1_000);
    assert_eq!(world.finish(), [(TRANSFER, 0), (TRANSFER, 0)]);
    assert_eq!(world.arrivals[0], world.arrivals[1]);
    assert_eq!(world.network.stats().duplicated, 1);
    // The copy was made behind the port.
    assert_eq!(world.network.port(PortId(1)).forwarded.frames, 1);
}

#[test]
fn corruption_changes_one_byte_of_the_payload() {
    let mut world = by_chance(RandomFaults { corruption: 1.0, ..RandomFaults::default() });
    world.send(Picos::ZERO, 0, 1, 1_000);
    world.finish();
    let payload = &world.arrivals[0].frame.payload;
    assert_eq!((payload.len(), payload.iter().filter(|byte| **byte != 0).count()), (934, 1));
    assert_eq!(world.network.stats().corrupted, 1);
}

#[test]
fn held_frames_are_overtaken() {
    let reordering = Some(Reordering { probability: 0.5, extra_delay_ns: 1_000 });
    let mut world = by_chance(RandomFaults { reordering, ..RandomFaults::default() });
    (0..1_000).for_each(|_| _ = world.send(Picos::ZERO, 0, 1, 1_000));
    let arrivals = world.finish();
    let held = arrivals.iter().filter(|(at, id)| *at == TRANSFER + id * FRAME + 1_000_000).count();
    assert_eq!(held as u64, world.network.stats().reordered);
    assert!((450..550).contains(&held), "{held}");
    assert!(!arrivals.is_sorted_by_key(|(_, id)| *id));
}

/// Whatever goes wrong, every frame is accounted for, and a seed repeats all of it.
#[test]
fn everything_at_once_is_accounted_for_and_repeats() {
    let (at_ns, for_ns, direction) = (20_000, Some(30_000), Direction::Down);
    let random = RandomFaults {
        loss: 0.01,
        reordering: Some(Reordering { probability: 0.1, extra_delay_ns: 3_000 }),
        duplication: 0.05,
        corruption: 0.05,
        ..RandomFaults::default()
    };
    let spec = NetworkSpec {
        buffer: Buffer::Shared { bytes: 30_000, alpha: 0.5 },
        ecn_threshold_bytes: Some(3_000),
        control_priority: true,
        random,
        faults: vec![
            Fault::Down { at_ns, for_ns, cable: nic(1) },
            Fault::Partition { at_ns: 40_000, for_ns, left: vec![0], right: vec![2] },
            Fault::Rate { at_ns, for_ns, cable: nic(2), direction, rate_bits_per_sec: 7 << 30 },
            Fault::Delay { at_ns, for_ns, cable: nic(3), direction, extra_delay_ns: 999 },
        ],
        ..star(5)
    };
    let run = || {
        let mut rng = Jitter::new(9);
        let mut world = World::new(&spec);
        let mut now = Picos::ZERO;
        for _ in 0..2_000 {
            now += Picos(rng.below(80_000));
            let (from, to) = (rng.below(5) as u32, rng.below(4) as u32);
            let (ecn, control) = (Ecn::from_bits(rng.below(3) as u8), rng.below(4) == 0);
            world.send_marked(now, from, to, 66 + rng.below(3_000) as usize, ecn, control);
        }
        (world.finish(), world.network.stats())
    };
    let (arrivals, stats) = run();
    let drops = stats.drops;
    for count in [drops.buffer, drops.random, drops.link_down, drops.partition, stats.marked] {
        assert!(count > 0, "{stats:?}");
    }
    assert_eq!(run(), (arrivals, stats));
}
