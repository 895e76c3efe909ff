//! Whose turn it is: to be pulled from, or to send.
//!
//! Three rules, from the outside in [SCHED-1]:
//!
//! 1. Priority levels share the link by weight, by start-time fair queueing over bytes: level `n`
//!    has four times the weight of level `n + 1`, so that it is served nearly first and no level
//!    starves.
//! 2. Inside a level the peer with the shortest remaining transfer comes first, with a tolerance:
//!    transfers whose need is of the same or the next [`class`] count as equal, and among equals
//!    the peer that was served longest ago comes first. Equal transfers therefore advance side by
//!    side and end together, while a clearly shorter one overtakes.
//! 3. A twentieth of a level's bytes goes to its oldest transfer instead, unless that is among the
//!    equals that are served anyway, so that a long transfer ends under a steady load of short ones
//!    (Homa's FIFO share; 5 % costs the short ones little).

use std::collections::{BTreeSet, VecDeque};

use smallvec::SmallVec;

use crate::{
    id::{PeerId, Priority},
    slots::SlotRef,
};

/// Of this many bytes served in a level, one goes to its oldest transfer.
const FIFO_SHARE: u64 = 20;

/// Transfers at the head of the oldest that may be found blocked before the shortest is
/// served instead.
const FIFO_LOOK: usize = 4;

/// Growth of a list of the oldest that is not worth looking at.
const COMPACT_STEP: usize = 64;

/// The order of the transfers that want service, over all peers.
#[derive(Debug)]
pub(crate) struct Order {
    levels: [Level; Priority::LEVELS],
    /// Virtual time of the last level served.
    virtual_now: u64,
    /// Counts turns: who was served longest ago has the lowest.
    turns: u64,
    /// Counts newcomers.
    arrivals: u64,
    /// Bytes of an ordinary turn, which the classes are measured in.
    quantum: u64,
    /// Needs of up to so many bytes are counted on their own.
    short: u64,
    /// Transfers that want service, blocked or not.
    waiting: usize,
    /// Those of them with a short need.
    waiting_short: usize,
}

#[derive(Debug, Default)]
struct Level {
    /// Peers that may be served now.
    ready: BTreeSet<Turn>,
    /// Transfers of more than a quantum that began in this level, oldest first; some have ended.
    oldest: VecDeque<(PeerId, SlotRef)>,
    /// Bytes that the oldest transfer is owed, times [`FIFO_SHARE`].
    owed: u64,
    /// Bytes served, weighed.
    virtual_time: u64,
    /// The turn that the last newcomer got: a later one does not go before it.
    newcomers_turn: u64,
    /// Length of `oldest` from which it is worth looking for transfers that have ended.
    compact_at: usize,
}

/// A peer's place in the order of its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    class: u16,
    served: Served,
    peer: PeerId,
}

/// When a peer was served last, by the number of the turn. One that was never served counts as if
/// it had been half a round before it came: a burst of newcomers goes before those that were served
/// meanwhile, and a stream of them does not starve those that were served before. Equals go in the
/// order of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Served {
    turn: u64,
    ever: bool,
    arrival: u64,
}

/// The transfers of one peer that want service.
#[derive(Debug, Default)]
pub(crate) struct PeerOrder {
    levels: SmallVec<[PeerLevel; 1]>,
}

#[derive(Debug)]
struct PeerLevel {
    level: u8,
    /// By what they still need; equals in the order of their slots.
    wanting: BTreeSet<(u64, SlotRef)>,
    served: Served,
    turn: Option<Turn>,
}

/// Who is to be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pick {
    /// The shortest transfer that the peer has in this level.
    Shortest { peer: PeerId, level: u8 },
    /// This transfer, the oldest of its level.
    Oldest { peer: PeerId, level: u8, transfer: SlotRef },
}

impl Order {
    /// Nobody wants anything; `quantum` is an ordinary turn in bytes, and a need of up to `short`
    /// bytes is counted as short.
    pub(crate) fn new(quantum: u64, short: u64) -> Self {
        Self {
            levels: Default::default(),
            virtual_now: 0,
            turns: 0,
            arrivals: 0,
            quantum: quantum.max(1),
            short,
            waiting: 0,
            waiting_short: 0,
        }
    }

    /// Transfers with a short need that want service, blocked or not.
    pub(crate) const fn waiting_short(&self) -> usize {
        self.waiting_short
    }

    /// Transfers that want service, blocked or not.
    pub(crate) const fn waiting(&self) -> usize {
        self.waiting
    }

    /// Whether anybody can be served.
    pub(crate) fn is_ready(&self) -> bool {
        self.levels.iter().any(|level| !level.ready.is_empty())
    }

    /// Whether several peers could be served.
    pub(crate) fn is_shared(&self) -> bool {
        self.levels.iter().map(|level| level.ready.len()).sum::<usize>() > 1
    }

    /// Whether the next to be served needs no more than about `need` bytes.
    pub(crate) fn is_next_short(&self, need: u64) -> bool {
        let most = class(need, self.quantum);
        let ready = self.next_level().and_then(|level| self.levels[level].ready.first());
        ready.is_some_and(|turn| turn.class < most)
    }

    /// A transfer begins. If one turn does not satisfy it, it may become the oldest of its level.
    pub(crate) fn begin(&mut self, level: u8, need: u64, peer: PeerId, transfer: SlotRef) {
        if need > self.quantum {
            self.levels[usize::from(level)].oldest.push_back((peer, transfer));
        }
    }

    /// Whose turn it is. `usable` tells what a transfer still needs, if it can be served at this
    /// moment; the outer `None` says that it never will again.
    pub(crate) fn next(
        &mut self,
        mut usable: impl FnMut(PeerId, SlotRef) -> Option<Option<u64>>,
    ) -> Option<Pick> {
        let at = self.next_level()?;
        self.virtual_now = self.virtual_now.max(self.levels[at].virtual_time);
        let level = at as u8;
        let found = &mut self.levels[at];
        let shortest = found.shortest()?;
        if found.owed >= FIFO_SHARE * self.quantum {
            found.owed -= FIFO_SHARE * self.quantum;
            for look in 0..FIFO_LOOK {
                let Some(&(peer, transfer)) = found.oldest.get(look) else { break };
                match usable(peer, transfer) {
                    Some(Some(need)) if class(need, self.quantum) > shortest.class + 1 => {
                        return Some(Pick::Oldest { peer, level, transfer });
                    }
                    Some(Some(_)) => break,
                    Some(None) => {}
                    None => {
                        // an entry that is gone moves the others up by one: look again later
                        found.oldest.remove(look);
                    }
                }
            }
        }
        Some(Pick::Shortest { peer: shortest.peer, level })
    }

    /// Notes that `bytes` were served in a level.
    pub(crate) fn charge(&mut self, level: u8, bytes: u64) {
        let found = &mut self.levels[usize::from(level)];
        // each level weighs a quarter of the one above
        found.virtual_time = found.virtual_time.saturating_add(bytes << (2 * u32::from(level)));
        found.owed = (found.owed + bytes).min(2 * FIFO_SHARE * self.quantum);
    }

    /// Forgets transfers that have ended, when the lists have grown; amortised constant work.
    pub(crate) fn compact(&mut self, mut ended: impl FnMut(PeerId, SlotRef) -> bool) {
        for level in &mut self.levels {
            if level.oldest.len() > level.compact_at + COMPACT_STEP {
                level.oldest.retain(|&(peer, transfer)| !ended(peer, transfer));
                level.compact_at = 2 * level.oldest.len();
            }
        }
    }

    /// The level whose turn it is.
    fn next_level(&self) -> Option<usize> {
        let ready = (0..self.levels.len()).filter(|&at| !self.levels[at].ready.is_empty());
        ready.min_by_key(|&at| self.levels[at].virtual_time)
    }

    fn enter(&mut self, level: u8, turn: Turn) {
        let found = &mut self.levels[usize::from(level)];
        if found.ready.is_empty() {
            // nobody saves up while nothing is wanted
            found.virtual_time = found.virtual_time.max(self.virtual_now);
        }
        found.ready.insert(turn);
    }

    fn leave(&mut self, level: u8, turn: Turn) {
        self.levels[usize::from(level)].ready.remove(&turn);
    }
}

impl Level {
    /// The first of the lowest class, or of the next one if that was served longer ago.
    fn shortest(&self) -> Option<Turn> {
        let first = *self.ready.first()?;
        let class = first.class + 1;
        let peer = PeerId { slot: 0, generation: 0 };
        let lowest = Turn { class, served: Served::default(), peer };
        match self.ready.range(lowest..).next() {
            Some(next) if next.class == class && next.served < first.served => Some(*next),
            _ => Some(first),
        }
    }
}

impl PeerOrder {
    /// Whether the peer wants nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.levels.iter().all(|found| found.wanting.is_empty())
    }

    /// A transfer wants service, and needs `need` bytes more in all.
    pub(crate) fn insert(&mut self, order: &mut Order, level: u8, need: u64, transfer: SlotRef) {
        let at = match self.levels.iter().position(|found| found.level == level) {
            Some(at) => at,
            None => {
                order.arrivals += 1;
                let others = order.levels[usize::from(level)].ready.len() as u64;
                let found = &mut order.levels[usize::from(level)];
                let turn = order.turns.saturating_sub(others / 2).max(found.newcomers_turn);
                found.newcomers_turn = turn;
                let served = Served { turn, ever: false, arrival: order.arrivals };
                let wanting = BTreeSet::new();
                self.levels.push(PeerLevel { level, wanting, served, turn: None });
                self.levels.len() - 1
            }
        };
        let found = &mut self.levels[at];
        let added = usize::from(found.wanting.insert((need, transfer)));
        order.waiting += added;
        order.waiting_short += if need <= order.short { added } else { 0 };
    }

    /// A transfer no longer wants service; `need` is what it was inserted with.
    pub(crate) fn remove(&mut self, order: &mut Order, level: u8, need: u64, transfer: SlotRef) {
        if let Some(found) = self.levels.iter_mut().find(|found| found.level == level) {
            let removed = usize::from(found.wanting.remove(&(need, transfer)));
            order.waiting -= removed;
            order.waiting_short -= if need <= order.short { removed } else { 0 };
        }
    }

    /// The least that any transfer needs.
    pub(crate) fn least_need(&self) -> Option<u64> {
        self.levels.iter().filter_map(|found| found.wanting.first()).map(|(need, _)| *need).min()
    }

    /// The transfer that needs least in a level.
    pub(crate) fn shortest(&self, level: u8) -> Option<SlotRef> {
        let found = self.levels.iter().find(|found| found.level == level)?;
        found.wanting.first().map(|&(_, transfer)| transfer)
    }

    /// The peer was served in a level: the others come first now.
    pub(crate) fn served(&mut self, order: &mut Order, level: u8) {
        if let Some(found) = self.levels.iter_mut().find(|found| found.level == level) {
            order.turns += 1;
            found.served = Served { turn: order.turns, ever: true, arrival: 0 };
        }
    }

    /// Brings the peer's places in the order up to date. A peer that is not `open` has none.
    pub(crate) fn refresh(&mut self, order: &mut Order, peer: PeerId, open: bool) {
        let quantum = order.quantum;
        for found in &mut self.levels {
            let turn = found.wanting.first().filter(|_| open).map(|&(need, _)| Turn {
                class: class(need, quantum),
                served: found.served,
                peer,
            });
            if turn == found.turn {
                continue;
            }
            if let Some(old) = found.turn {
                order.leave(found.level, old);
            }
            if let Some(new) = turn {
                order.enter(found.level, new);
            }
            found.turn = turn;
        }
        self.levels.retain(|found| !found.wanting.is_empty());
    }
}

/// Which needs count as equal: neighbouring classes do.
///
/// Up to one quantum, which one turn satisfies, a class per power of two; above, classes two quanta
/// wide, so that one turn never moves a transfer past its equals; from sixteen quanta on an eighth
/// of a power of two.
fn class(need: u64, quantum: u64) -> u16 {
    const LINEAR: u16 = 64;
    const GEOMETRIC: u16 = LINEAR + 8;
    if need <= quantum {
        return LINEAR - 1 - (quantum / need.max(1)).ilog2() as u16;
    }
    let quanta = (need - 1) / quantum;
    if quanta < 16 {
        return LINEAR + (quanta / 2) as u16;
    }
    let octave = quanta.ilog2();
    let eighth = (quanta >> (octave - 3)) & 7;
    GEOMETRIC + ((octave - 4) * 8) as u16 + eighth as u16
}

#[cfg(test)]
mod tests;
