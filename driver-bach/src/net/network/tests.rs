use super::*;
use crate::net::{Buffer, RandomFaults, Topology};

mod faults;
mod leaf_spine;

/// Picoseconds of a byte at the default rate.
const BYTE: u64 = 80;
/// Half of the default delay.
const HALF: u64 = 2_500_000;

fn star(hosts: u32) -> NetworkSpec {
    let topology = Topology::Star { hosts, nics_per_host: 1 };
    NetworkSpec { topology, ..NetworkSpec::default() }
}

/// A network with its queue of steps.
struct World {
    network: Network,
    steps: Vec<Step>,
    sent: u64,
    arrivals: Vec<Arrival>,
}

impl World {
    fn new(spec: &NetworkSpec) -> Self {
        let network = Network::new(spec, 1).unwrap();
        Self { network, steps: Vec::new(), sent: 0, arrivals: Vec::new() }
    }

    /// Sends a frame of so many bytes on the wire; returns its number.
    fn send(&mut self, at: Picos, from: u32, to: u32, wire_len: usize) -> u64 {
        self.send_marked(at, from, to, wire_len, Ecn::Ect0, false)
    }

    fn send_marked(
        &mut self,
        at: Picos,
        from: u32,
        to: u32,
        wire_len: usize,
        ecn: Ecn,
        control: bool,
    ) -> u64 {
        self.run_until(at);
        let (id, nic) = (self.sent, NicId(from));
        let [from, to] = [from, to].map(|nic| self.network.address(NicId(nic)));
        let frame = Frame { id, from, to, ecn, control, payload: vec![0; wire_len - 66] };
        assert_eq!(frame.wire_len(), wire_len as u64);
        self.network.send(at, nic, frame, &mut |step| self.steps.push(step));
        self.sent += 1;
        id
    }

    /// Carries out the steps before `end`, and faults up to it.
    fn run_until(&mut self, end: Picos) {
        loop {
            let at = |index: &usize| (self.steps[*index].at, *index);
            let first = (0..self.steps.len()).min_by_key(at);
            let step_at = first.map_or(Picos::MAX, |index| self.steps[index].at);
            match self.network.next_fault() {
                Some(fault) if fault <= end && fault <= step_at => self.network.apply_faults(fault),
                _ if step_at >= end => return,
                _ => {
                    let Some(index) = first else { return };
                    let step = self.steps.remove(index);
                    let arrival = self.network.step(step, &mut |step| self.steps.push(step));
                    self.arrivals.extend(arrival);
                }
            }
        }
    }

    /// Runs to the end; the arrivals as (time, number).
    fn finish(&mut self) -> Vec<(u64, u64)> {
        self.run_until(Picos::MAX);
        let stats = self.network.stats();
        let (put_in, came_out) =
            (stats.sent.frames + stats.duplicated, stats.delivered.frames + stats.drops.total());
        assert_eq!(put_in, came_out);
        self.arrivals.iter().map(|arrival| (arrival.at.0, arrival.frame.id)).collect()
    }
}

#[test]
fn frame_takes_two_serializations_and_the_delay() {
    let spec = NetworkSpec { host_delay_ns: 700, ..star(2) };
    let mut world = World::new(&spec);
    world.send(Picos(3), 0, 1, 1_066);
    // 1,066 bytes, half of the way, the same again, and the host.
    let at = 3 + 2 * (1_066 * BYTE + HALF) + 700_000;
    assert_eq!(world.finish(), [(at, 0)]);
    assert_eq!(world.arrivals[0].nic, NicId(1));
    assert_eq!(world.arrivals[0].frame.payload.len(), 1_000);
}

#[test]
fn nic_serializes_in_order_and_knows_its_backlog() {
    let mut world = World::new(&star(3));
    world.send(Picos::ZERO, 0, 1, 1_000);
    world.send(Picos::ZERO, 0, 2, 500);
    let nic = NicId(0);
    for (now, backlog) in [(0, 1_500), (1, 1_500), (80, 1_499), (80_000, 500), (120_000, 0)] {
        assert_eq!(world.network.nic_backlog(Picos(now), nic), backlog);
    }
    assert_eq!(world.network.nic_drained_to(nic, 0), Picos(120_000));
    assert_eq!(world.network.nic_drained_to(nic, 500), Picos(80_000));
    assert_eq!(world.network.nic_drained_to(nic, 1_000_000), Picos::ZERO);
    let (first, second) = (2 * (1_000 * BYTE + HALF), 120_000 + HALF + 500 * BYTE + HALF);
    assert_eq!(world.finish(), [(first, 0), (second, 1)]);
}

#[test]
fn addresses_are_dense_and_found_again() {
    let network = Network::new(&star(300), 1).unwrap();
    assert_eq!(network.nics(), 300);
    assert_eq!(network.address(NicId(0)).to_string(), "10.0.0.1:4433");
    assert_eq!(network.address(NicId(255)).to_string(), "10.0.1.0:4433");
    for nic in (0..300).map(NicId) {
        assert_eq!(network.nic_at(network.address(nic)), Some(nic));
    }
    for unknown in ["10.0.1.45:4433", "10.0.0.0:4433", "9.0.0.1:4433", "[::1]:4433"] {
        assert_eq!(network.nic_at(unknown.parse().unwrap()), None);
    }
}

#[test]
fn frames_without_a_way_are_counted() {
    let spec = NetworkSpec { mtu_bytes: 1_228, ..star(2) };
    let mut world = World::new(&spec);
    world.send(Picos::ZERO, 0, 1, 1_228 + 38);
    world.send(Picos::ZERO, 0, 1, 1_229 + 38);
    world.send(Picos::ZERO, 0, 2, 100);
    assert_eq!(world.finish().len(), 1);
    let drops = world.network.stats().drops;
    assert_eq!((drops.oversized, drops.unroutable, drops.total()), (1, 1, 2));
}

/// Two frames reach the port at the same time; the buffer has room for both, or for one byte less.
#[test]
fn port_drops_above_its_limit_and_not_at_it() {
    for (bytes, arrivals) in [(2_000, 2), (1_999, 1)] {
        let spec = NetworkSpec { buffer: Buffer::PerPort { bytes }, ..star(3) };
        let mut world = World::new(&spec);
        world.send(Picos::ZERO, 0, 2, 1_000);
        world.send(Picos::ZERO, 1, 2, 1_000);
        assert_eq!(world.finish().len(), arrivals);
        let port = world.network.port(world.network.port_of(NicId(2)));
        assert_eq!(port.dropped.frames, 2 - arrivals as u64);
        assert_eq!(port.max_queue_bytes, 1_000 * arrivals as u64);
        assert_eq!(port.busy, Picos(1_000 * arrivals as u64 * BYTE));
        assert_eq!(world.network.stats().drops.buffer, port.dropped.frames);
    }
}

#[test]
fn queue_drains_at_the_rate() {
    let mut world = World::new(&star(3));
    world.send(Picos::ZERO, 0, 2, 1_000);
    world.send(Picos::ZERO, 1, 2, 1_000);
    let arrival = 1_000 * BYTE + HALF;
    world.run_until(Picos(arrival + 1));
    let port = world.network.port_of(NicId(2));
    for (after, queue) in [(0, 2_000), (80, 1_999), (80_000, 1_000), (160_000, 0)] {
        assert_eq!(world.network.queue_at(Picos(arrival + after), port), queue);
    }
    let first = arrival + 1_000 * BYTE + HALF;
    assert_eq!(world.finish(), [(first, 0), (first + 1_000 * BYTE, 1)]);
}

/// The second frame finds 1,000 bytes.
#[test]
fn port_marks_above_the_threshold_what_can_be_marked() {
    for (threshold, ecn, seen) in [
        (Some(999), Ecn::Ect0, Ecn::Ce),
        (Some(999), Ecn::Ect1, Ecn::Ce),
        (Some(999), Ecn::NotEct, Ecn::NotEct),
        (Some(1_000), Ecn::Ect0, Ecn::Ect0),
        (None, Ecn::Ect0, Ecn::Ect0),
    ] {
        let spec = NetworkSpec { ecn_threshold_bytes: threshold, ..star(3) };
        let mut world = World::new(&spec);
        world.send_marked(Picos::ZERO, 0, 2, 1_000, ecn, false);
        world.send_marked(Picos::ZERO, 1, 2, 1_000, ecn, false);
        world.finish();
        assert_eq!(world.arrivals.iter().map(|a| a.frame.ecn).collect::<Vec<_>>(), [ecn, seen]);
        assert_eq!(world.network.stats().marked, u64::from(seen != ecn));
        assert_eq!(world.network.port(PortId(2)).marked, u64::from(seen != ecn));
    }
}

#[test]
fn busy_ports_share_memory_and_leave_less_to_others() {
    let buffer = Buffer::Shared { bytes: 12_000, alpha: 1.0 };
    let spec = NetworkSpec { buffer, ..star(40) };
    let mut world = World::new(&spec);
    // All at once: twenty to one port, and then ten to another.
    (0..20).for_each(|from| _ = world.send(Picos::ZERO, from, 38, 1_000));
    (20..30).for_each(|from| _ = world.send(Picos::ZERO, from, 39, 1_000));
    world.finish();
    let queues = [38, 39].map(|nic| world.network.port(PortId(nic)).forwarded.frames);
    // The first takes frames while they fit half: 6 and 6. The second sees 6,000 bytes free.
    assert_eq!(queues, [6, 3]);
}

#[test]
fn shared_memory_is_used_again() {
    let buffer = Buffer::Shared { bytes: 2_000, alpha: 1.0 };
    let spec = NetworkSpec { buffer, ..star(3) };
    let mut world = World::new(&spec);
    for (at, from) in [(0, 0), (40_000, 1), (80_000, 0)] {
        world.send(Picos(at), from, 2, 1_000);
    }
    // The second meets a full half; the third arrives as the first has left.
    assert_eq!(world.finish().iter().map(|(_, id)| *id).collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn control_frames_wait_for_one_frame_only() {
    let spec = NetworkSpec { control_priority: true, ..star(6) };
    let mut world = World::new(&spec);
    (0..3).for_each(|from| _ = world.send(Picos::ZERO, from, 5, 1_000));
    let control = world.send_marked(Picos(1_000 * BYTE), 3, 5, 100, Ecn::Ect0, true);
    let last = world.send(Picos(1_000 * BYTE), 4, 5, 1_000);
    let arrivals = world.finish();
    let order: Vec<_> = arrivals.iter().map(|(_, id)| *id).collect();
    assert_eq!(order, [0, control, 1, 2, last]);
    // The three leave as if alone; the fourth waits for them and for the control frame.
    let first = 2 * (1_000 * BYTE + HALF);
    let at = |id| arrivals.iter().find(|(_, other)| *other == id).map(|(at, _)| *at);
    assert_eq!(at(0), Some(first));
    assert_eq!(at(control), Some(first + 100 * BYTE + 100 * BYTE));
    assert_eq!(at(2), Some(first + 2_000 * BYTE));
    assert_eq!(at(last), Some(first + 3_100 * BYTE));
}

#[test]
fn observer_sees_each_transmission() {
    use std::{cell::RefCell, rc::Rc};
    let seen = Rc::new(RefCell::new(Vec::new()));
    let mut world = World::new(&star(2));
    let log = Rc::clone(&seen);
    world.network.on_wire(Some(Box::new(move |from, at, frame| {
        log.borrow_mut().push((from, at, frame.id));
    })));
    world.send(Picos::ZERO, 0, 1, 1_000);
    world.finish();
    let departures = [1_000 * BYTE, 2_000 * BYTE + HALF].map(Picos);
    let expected = [
        (Transmitter::Nic(NicId(0)), departures[0], 0),
        (Transmitter::Port(PortId(1)), departures[1], 0),
    ];
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn losses_are_as_frequent_as_told_and_the_same_for_a_seed() {
    let random = RandomFaults { loss: 0.1, ..RandomFaults::default() };
    let run = || {
        let mut world = World::new(&NetworkSpec { random, ..star(2) });
        (0..10_000).for_each(|n| _ = world.send(Picos(n * 1_000_000), 0, 1, 1_000));
        (world.finish(), world.network.stats())
    };
    let (arrivals, stats) = run();
    // Three standard deviations are 90.
    assert!((910..=1_090).contains(&stats.drops.random), "{stats:?}");
    assert_eq!(stats.delivered.frames, 10_000 - stats.drops.random);
    assert_eq!(run(), (arrivals, stats));
}
