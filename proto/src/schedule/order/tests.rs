use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::rng::Jitter;

const QUANTUM: u64 = 10_000;
const DATAGRAM: u64 = 1_000;

/// Peers with transfers, served as the endpoint does it. What each transfer needs is kept beside
/// the order, as the reference.
struct World {
    order: Order,
    peers: Vec<PeerOrder>,
    open: Vec<bool>,
    needs: BTreeMap<(u32, SlotRef), (u8, u64)>,
    transfers: u32,
    /// Turns shrink towards the end of a transfer, as those of long ones do.
    is_tapered: bool,
}

/// What was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Served {
    peer: u32,
    level: u8,
    transfer: SlotRef,
    bytes: u64,
    is_oldest: bool,
    is_done: bool,
}

fn id(slot: u32) -> PeerId {
    PeerId { slot, generation: 0 }
}

impl World {
    fn new() -> Self {
        Self {
            order: Order::new(QUANTUM, 10 * QUANTUM),
            peers: Vec::new(),
            open: Vec::new(),
            needs: BTreeMap::new(),
            transfers: 0,
            is_tapered: false,
        }
    }

    fn peer(&mut self) -> u32 {
        self.peers.push(PeerOrder::default());
        self.open.push(true);
        self.peers.len() as u32 - 1
    }

    fn refresh(&mut self, peer: u32) {
        let at = peer as usize;
        self.peers[at].refresh(&mut self.order, id(peer), self.open[at]);
    }

    fn begin(&mut self, peer: u32, level: u8, need: u64) -> SlotRef {
        let transfer = SlotRef { slot: self.transfers, generation: 0 };
        self.transfers += 1;
        self.order.begin(level, need, id(peer), transfer);
        self.needs.insert((peer, transfer), (level, need));
        self.peers[peer as usize].insert(&mut self.order, level, need, transfer);
        self.refresh(peer);
        transfer
    }

    /// A peer that nothing is known of, with one transfer in level 0.
    fn newcomer(&mut self, need: u64) -> u32 {
        let peer = self.peer();
        self.begin(peer, 0, need);
        peer
    }

    fn end(&mut self, peer: u32, transfer: SlotRef) {
        if let Some((level, need)) = self.needs.remove(&(peer, transfer)) {
            self.peers[peer as usize].remove(&mut self.order, level, need, transfer);
            self.refresh(peer);
        }
    }

    fn serve(&mut self) -> Option<Served> {
        let (needs, open) = (&self.needs, &self.open);
        self.order.compact(|peer, transfer| !needs.contains_key(&(peer.slot, transfer)));
        let pick = self.order.next(|peer, transfer| {
            let &(_, need) = needs.get(&(peer.slot, transfer))?;
            Some(open[peer.slot as usize].then_some(need))
        })?;
        let (peer, level, transfer, is_oldest) = match pick {
            Pick::Shortest { peer, level } => {
                let transfer = self.peers[peer.slot as usize].shortest(level).unwrap();
                (peer.slot, level, transfer, false)
            }
            Pick::Oldest { peer, level, transfer } => (peer.slot, level, transfer, true),
        };
        assert!(self.open[peer as usize], "a closed peer was served");
        let (_, need) = self.needs.remove(&(peer, transfer)).unwrap();
        let bytes = match self.is_tapered {
            true => (QUANTUM.min(need / 4) / DATAGRAM).max(1) * DATAGRAM,
            false => QUANTUM,
        };
        let bytes = bytes.min(need);
        self.order.charge(level, bytes);
        let found = &mut self.peers[peer as usize];
        found.served(&mut self.order, level);
        found.remove(&mut self.order, level, need, transfer);
        if need > bytes {
            self.needs.insert((peer, transfer), (level, need - bytes));
            found.insert(&mut self.order, level, need - bytes, transfer);
        }
        self.refresh(peer);
        Some(Served { peer, level, transfer, bytes, is_oldest, is_done: need == bytes })
    }

    /// Compares the order with what it should be, from scratch.
    fn check(&self) {
        assert_eq!(self.order.waiting(), self.needs.len());
        let short = self.needs.values().filter(|(_, need)| *need <= 10 * QUANTUM).count();
        assert_eq!(self.order.waiting_short(), short);
        let mut shortest: BTreeMap<(u8, u32), u64> = BTreeMap::new();
        for (&(peer, _), &(level, need)) in &self.needs {
            let least = shortest.entry((level, peer)).or_insert(need);
            *least = need.min(*least);
        }
        let open = |peer: u32| self.open[peer as usize];
        assert_eq!(self.order.is_ready(), shortest.keys().any(|&(_, peer)| open(peer)));
        for (at, level) in self.order.levels.iter().enumerate() {
            let expected: BTreeSet<(u16, u32)> = shortest
                .iter()
                .filter(|&(&(level, peer), _)| usize::from(level) == at && open(peer))
                .map(|(&(_, peer), &need)| (class(need, QUANTUM), peer))
                .collect();
            let ready: BTreeSet<_> = level.ready.iter().map(|t| (t.class, t.peer.slot)).collect();
            assert_eq!(ready, expected, "level {at}");
            assert_eq!(level.ready.len(), expected.len(), "level {at} has a peer twice");
        }
        for (peer, found) in self.peers.iter().enumerate() {
            let wants = self.needs.keys().any(|&(owner, _)| owner as usize == peer);
            assert_eq!(found.is_empty(), !wants);
        }
    }
}

/// [SCHED-1]
#[test]
fn equals_are_served_in_turns() {
    let mut rng = Jitter::new(1);
    for _ in 0..50 {
        let mut world = World { is_tapered: true, ..World::new() };
        let (peers, size) = (2 + rng.below(30), 3 * QUANTUM + rng.below(100 * QUANTUM));
        for _ in 0..peers {
            world.newcomer(size);
        }
        let mut sent = vec![0; peers as usize];
        while let Some(served) = world.serve() {
            assert!(!served.is_oldest, "the oldest is among the equals");
            sent[served.peer as usize] += served.bytes;
            let (least, most) = (sent.iter().min().unwrap(), sent.iter().max().unwrap());
            assert!(most - least <= QUANTUM, "{peers} peers, {size} bytes: {sent:?}");
            // when the first has ended, no other lacks much more than a datagram
            assert!(*most < size || least + 2 * DATAGRAM >= size, "{size}: {sent:?}");
        }
        assert!(sent.iter().all(|&bytes| bytes == size));
    }
}

/// [SCHED-1]
#[test]
fn a_clearly_shorter_transfer_overtakes() {
    let mut rng = Jitter::new(2);
    for _ in 0..200 {
        let mut world = World::new();
        for _ in 0..1 + rng.below(10) {
            world.newcomer(100 * QUANTUM);
        }
        for _ in 0..rng.below(30) {
            world.serve();
        }
        let quanta = 1 + rng.below(10);
        let short = world.newcomer(quanta * QUANTUM);
        let mut turns = 0;
        loop {
            turns += 1;
            let served = world.serve().unwrap();
            if served.peer == short && served.is_done {
                break;
            }
            assert!(served.peer == short || served.is_oldest, "{served:?}");
        }
        assert!(turns <= quanta + 1, "{turns} turns for {quanta} quanta");
    }
}

/// [SCHED-1]
#[test]
fn a_peer_offers_its_shortest_transfer() {
    let mut world = World::new();
    let peer = world.peer();
    world.begin(peer, 0, 9 * QUANTUM);
    let short = world.begin(peer, 0, 2 * QUANTUM);
    world.begin(peer, 0, 5 * QUANTUM);
    assert_eq!(world.serve().unwrap().transfer, short);
    let served = world.serve().unwrap();
    assert_eq!((served.transfer, served.is_done), (short, true));
    // among several peers too, it is the shortest that counts
    world.newcomer(5 * QUANTUM);
    let tiny = world.begin(peer, 0, 1);
    assert_eq!(world.serve().unwrap().transfer, tiny);
}

/// [SCHED-1]
#[test]
fn newcomers_enter_half_a_round_back_and_behind_older_newcomers() {
    let mut world = World::new();
    let first: Vec<u32> = (0..3).map(|_| world.newcomer(50 * QUANTUM)).collect();
    let turns = |world: &mut World, n| -> Vec<u32> {
        (0..n).map(|_| world.serve().unwrap().peer).collect()
    };
    assert_eq!(turns(&mut world, 5), [0, 1, 2, 0, 1]);
    let fourth = world.newcomer(50 * QUANTUM);
    let fifth = world.newcomer(50 * QUANTUM);
    // the last was served longer ago than half a round, the others were served since
    assert_eq!(turns(&mut world, 5), [first[2], fourth, fifth, first[0], first[1]]);
    assert_eq!(turns(&mut world, 5), [first[2], fourth, fifth, first[0], first[1]]);
}

/// [SCHED-1]
#[test]
fn a_stream_of_newcomers_does_not_starve_those_already_served() {
    let mut world = World::new();
    let mut done = 0;
    // three times as much as can be served
    for _ in 0..5_000 {
        world.newcomer(3 * QUANTUM);
        done += u32::from(world.serve().unwrap().is_done);
    }
    assert!(done > 300, "{done}");
}

/// [SCHED-1]
#[test]
fn each_level_gets_four_times_what_the_next_one_gets() {
    for upper in 0..7 {
        let mut world = World::new();
        for level in [upper, upper + 1] {
            let peer = world.peer();
            world.begin(peer, level, 1 << 50);
        }
        let mut bytes = [0; 2];
        for _ in 0..10_000 {
            let served = world.serve().unwrap();
            bytes[usize::from(served.level - upper)] += served.bytes;
        }
        let off = bytes[0].abs_diff(4 * bytes[1]);
        assert!(off <= 5 * QUANTUM, "level {upper}: {bytes:?}");
    }
}

/// [SCHED-1]
#[test]
fn no_level_starves() {
    let mut world = World::new();
    for level in 0..Priority::LEVELS as u8 {
        let peer = world.peer();
        world.begin(peer, level, 1 << 50);
    }
    let mut turns = [0_u64; Priority::LEVELS];
    // the weights are 1 + 4 + 16 + ... + 16,384
    for _ in 0..3 * 21_845 {
        turns[usize::from(world.serve().unwrap().level)] += 1;
    }
    assert_eq!(turns.map(|turns| turns / 3), [16_384, 4_096, 1_024, 256, 64, 16, 4, 1]);
}

/// [SCHED-1]
#[test]
fn a_level_that_was_empty_has_saved_nothing_up() {
    let mut world = World::new();
    let upper = world.peer();
    let lower = world.peer();
    world.begin(lower, 1, 1 << 50);
    for _ in 0..1_000 {
        assert_eq!(world.serve().unwrap().level, 1);
    }
    world.begin(upper, 0, 1 << 50);
    let levels: Vec<u8> = (0..50).map(|_| world.serve().unwrap().level).collect();
    let lower = levels.iter().filter(|&&level| level == 1).count();
    assert!((9..=11).contains(&lower), "{levels:?}");
}

/// [SCHED-1]
#[test]
fn the_oldest_gets_a_twentieth_beside_shorter_ones() {
    let mut world = World::new();
    let long = world.newcomer(1 << 40);
    let mut turns = 0;
    for _ in 0..4_000 {
        // there is always a newer and much shorter one
        while world.needs.len() < 3 {
            world.newcomer(QUANTUM);
        }
        let served = world.serve().unwrap();
        assert_eq!(served.is_oldest, served.peer == long);
        turns += u32::from(served.is_oldest);
    }
    assert!((199..=201).contains(&turns), "{turns} of 4,000");
}

/// [SCHED-1]
#[test]
fn blocked_transfers_do_not_take_the_share_of_the_oldest() {
    for blocked in 0..2 * FIFO_LOOK {
        let mut world = World::new();
        for _ in 0..blocked {
            let peer = world.newcomer(1 << 40);
            world.open[peer as usize] = false;
            world.refresh(peer);
        }
        let long = world.newcomer(1 << 40);
        let mut oldest = BTreeSet::new();
        for _ in 0..200 {
            world.newcomer(QUANTUM);
            let served = world.serve().unwrap();
            if served.is_oldest {
                oldest.insert(served.peer);
            }
        }
        let expected = if blocked < FIFO_LOOK { vec![long] } else { vec![] };
        assert!(oldest.into_iter().eq(expected), "{blocked} blocked");
    }
}

#[test]
fn neighbours_on_the_scale_of_needs_are_close() {
    let mut rng = Jitter::new(3);
    for _ in 0..20_000 {
        let quantum = 1 + rng.below(1 << 20);
        let need = 1 + (rng.next_u64() >> (20 + rng.below(44)));
        let here = class(need, quantum);
        // one turn never moves a transfer past its equals
        assert!(
            here - class(need.saturating_sub(quantum).max(1), quantum) <= 1 || need < 3 * quantum
        );
        // a longer one is never of a lower class, and half as much again is at most a few classes
        assert!(class(need + rng.below(need), quantum) >= here);
        if need > 16 * quantum {
            assert!(class(need + need / 4, quantum) - here >= 1);
            assert!(class(need + need / 16, quantum) - here <= 1);
        }
    }
    assert!(class(u64::MAX, 1) > class(1 << 60, 1));
    assert_eq!(class(0, QUANTUM), class(1, QUANTUM));
}

/// Whatever happens, the order is what one made from scratch would be. [SCHED-1]
#[test]
fn the_order_agrees_with_a_reference() {
    let mut rng = Jitter::new(4);
    for _ in 0..20 {
        let mut world = World::new();
        for _ in 0..8 {
            world.peer();
        }
        for step in 0..1_000 {
            let peer = rng.below(8) as u32;
            match rng.below(8) {
                0..=2 => {
                    let level = rng.below(Priority::LEVELS as u64) as u8;
                    world.begin(peer, level, 1 + (rng.next_u64() >> (40 + rng.below(24))));
                }
                3 => {
                    let at = rng.below(world.needs.len() as u64 + 1) as usize;
                    if let Some(&(peer, transfer)) = world.needs.keys().nth(at) {
                        world.end(peer, transfer);
                    }
                }
                4 => {
                    let open = &mut world.open[peer as usize];
                    *open = !*open;
                    world.refresh(peer);
                }
                _ => {
                    let ready = world.order.is_ready();
                    assert_eq!(world.serve().is_some(), ready);
                }
            }
            if step % 10 == 0 {
                world.check();
            }
        }
        // all that is open can be served to its end
        world.open.fill(true);
        (0..8).for_each(|peer| world.refresh(peer));
        while world.serve().is_some() {}
        world.check();
        assert_eq!(world.order.waiting(), 0);
    }
}

#[test]
fn removing_what_is_not_there_changes_nothing() {
    let mut world = World::new();
    let peer = world.peer();
    let transfer = world.begin(peer, 2, 500);
    let other = SlotRef { slot: 99, generation: 0 };
    world.peers[0].remove(&mut world.order, 2, 500, other);
    world.peers[0].remove(&mut world.order, 2, 501, transfer);
    world.peers[0].remove(&mut world.order, 3, 500, transfer);
    world.peers[0].served(&mut world.order, 3);
    world.peers[0].insert(&mut world.order, 2, 500, transfer);
    world.refresh(peer);
    world.check();
    assert_eq!(world.peers[0].shortest(3), None);
}

#[test]
fn the_list_of_the_oldest_is_bounded_by_those_that_live() {
    let mut rng = Jitter::new(5);
    let mut world = World::new();
    let peer = world.peer();
    let (mut live, mut most) = (VecDeque::new(), 0);
    for n in 0..50_000_usize {
        live.push_back(world.begin(peer, 0, 2 * QUANTUM));
        most = most.max(live.len());
        while live.len() > 1 + n % 200 {
            let at = rng.below(live.len() as u64) as usize;
            world.end(peer, live.remove(at).unwrap());
        }
        let needs = &world.needs;
        world.order.compact(|peer, transfer| !needs.contains_key(&(peer.slot, transfer)));
        let len = world.order.levels[0].oldest.len();
        assert!(len >= live.len() && len <= 2 * most + COMPACT_STEP, "{len} for {}", live.len());
    }
}

#[test]
fn what_one_turn_satisfies_is_never_listed_as_the_oldest() {
    let mut world = World::new();
    world.newcomer(QUANTUM);
    assert!(world.order.levels[0].oldest.is_empty());
    world.newcomer(QUANTUM + 1);
    assert_eq!(world.order.levels[0].oldest.len(), 1);
}
