//! Ways through leaves and spines.

use super::*;
use crate::net::{Cable, Fault};

const RATE: u64 = 100_000_000_000;
const FRAME: u64 = 1_000 * BYTE;
/// A quarter of the delay, which each of four links has.
const HOP: u64 = HALF / 2;

/// Two leaves of four hosts per rail, four spines; uplinks of twice the rate.
fn leaf_spine(nics_per_host: u32) -> NetworkSpec {
    let topology = Topology::LeafSpine {
        leaves: 2,
        hosts_per_leaf: 4,
        spines: 4,
        nics_per_host,
        uplink_rate_bits_per_sec: 2 * RATE,
    };
    NetworkSpec { topology, ..NetworkSpec::default() }
}

/// The ports of leaf 0 towards the spines.
fn uplinks() -> impl Iterator<Item = PortId> {
    (8..12).map(PortId)
}

/// Which of leaf 0's uplinks carried how many frames.
fn carried(world: &World) -> Vec<u64> {
    uplinks().map(|port| world.network.port(port).forwarded.frames).collect()
}

#[test]
fn delays_add_up_per_link() {
    let spec = NetworkSpec { host_delay_ns: 100, ..leaf_spine(1) };
    let mut world = World::new(&spec);
    assert_eq!((world.network.nics(), world.network.ports()), (8, 8 + 8 + 8));
    // Within a leaf, and from the other one, with half of a serialization at each uplink.
    world.send(Picos::ZERO, 0, 3, 1_000);
    world.send(Picos::ZERO, 4, 2, 1_000);
    let near = 2 * (FRAME + HOP) + 100_000;
    assert_eq!(world.finish(), [(near, 0), (near + 2 * (FRAME / 2 + HOP), 1)]);
}

#[test]
fn rails_have_leaves_of_their_own_and_reach_each_other() {
    let mut world = World::new(&leaf_spine(2));
    // Host 0 to host 3: on one rail within a leaf, and across rails over a spine.
    world.send(Picos::ZERO, 0, 6, 1_000);
    world.send(Picos::ZERO, 1, 6, 1_000);
    let near = 2 * (FRAME + HOP);
    assert_eq!(world.finish(), [(near, 0), (near + 2 * (FRAME / 2 + HOP), 1)]);
    assert_eq!(world.arrivals[1].nic, NicId(6));
}

#[test]
fn pairs_spread_over_spines_and_keep_to_theirs() {
    let mut world = World::new(&leaf_spine(1));
    (0..4).for_each(|from| (4..8).for_each(|to| _ = world.send(Picos::ZERO, from, to, 1_000)));
    world.finish();
    let once = carried(&world);
    assert_eq!(once.iter().sum::<u64>(), 16);
    assert!(once.iter().all(|frames| (1..=9).contains(frames)), "{once:?}");
    let later = Picos::from_micros(1_000);
    (0..4).for_each(|from| (4..8).for_each(|to| _ = world.send(later, from, to, 1_000)));
    world.finish();
    assert_eq!(carried(&world), once.iter().map(|frames| 2 * frames).collect::<Vec<_>>());
}

#[test]
fn udp_ports_choose_the_spine_as_well() {
    let mut world = World::new(&leaf_spine(1));
    let ends = [0, 4].map(|nic| world.network.address(NicId(nic)));
    for port in 0..4_000 {
        let mut from = ends[0];
        from.set_port(port);
        let frame = Frame {
            id: 0,
            from,
            to: ends[1],
            ecn: Ecn::NotEct,
            control: false,
            payload: vec![0; 100],
        };
        world.network.send(Picos::ZERO, NicId(0), frame, &mut |step| world.steps.push(step));
    }
    world.finish();
    let carried = carried(&world);
    assert!(carried.iter().all(|frames| (900..1_100).contains(frames)), "{carried:?}");
}

/// The spine of leaf 0 that carries frames from NIC 0 to NIC 4.
fn spine_in_use() -> u32 {
    let mut world = World::new(&leaf_spine(1));
    world.send(Picos::ZERO, 0, 4, 1_000);
    world.finish();
    carried(&world).iter().position(|frames| *frames == 1).unwrap() as u32
}

#[test]
fn paths_that_are_down_are_left_once_that_is_known() {
    let spine = spine_in_use();
    // The cable at either end of the path.
    for leaf in [0, 1] {
        let cable = Cable::Uplink { leaf, spine };
        let fault = Fault::Down { at_ns: 0, for_ns: Some(100_000), cable };
        let spec = NetworkSpec { faults: vec![fault], detection_ns: 50_000, ..leaf_spine(1) };
        let mut world = World::new(&spec);
        let sent = [0, 40_000, 60_000, 110_000]
            .map(|at_ns| (world.send(Picos::from_nanos(at_ns), 0, 4, 1_000), at_ns));
        let arrivals = world.finish();
        let whole = 2 * (FRAME + HOP) + 2 * (FRAME / 2 + HOP);
        let expected = [sent[2], sent[3]].map(|(id, at_ns)| (at_ns * 1_000 + whole, id));
        assert_eq!(arrivals, expected);
        assert_eq!(world.network.stats().drops.link_down, 2);
        // The detour ends with the fault.
        let back = carried(&world)[spine as usize];
        assert_eq!(back, if leaf == 0 { 1 } else { 3 });
    }
}

#[test]
fn other_pairs_stay_where_they_are() {
    let spine = spine_in_use();
    let fault = Fault::Down { at_ns: 0, for_ns: None, cable: Cable::Uplink { leaf: 0, spine } };
    let run = |faults| {
        let mut world = World::new(&NetworkSpec { faults, ..leaf_spine(1) });
        (0..4).for_each(|from| (4..8).for_each(|to| _ = world.send(Picos(1), from, to, 1_000)));
        assert_eq!(world.finish().len(), 16);
        carried(&world)
    };
    let (normal, detour) = (run(vec![]), run(vec![fault]));
    assert_eq!(detour[spine as usize], 0);
    for (before, after) in normal.iter().zip(&detour).filter(|(_, after)| **after > 0) {
        assert!(after >= before, "{normal:?} {detour:?}");
    }
}

#[test]
fn without_any_path_frames_are_lost() {
    let faults = (0..4)
        .map(|spine| Fault::Down {
            at_ns: 0,
            for_ns: None,
            cable: Cable::Uplink { leaf: 1, spine },
        })
        .collect();
    let mut world = World::new(&NetworkSpec { faults, ..leaf_spine(1) });
    world.send(Picos(1), 0, 4, 1_000);
    assert_eq!(world.finish(), []);
    assert_eq!(world.network.stats().drops.link_down, 1);
}
