//! A hierarchical timing wheel: many timers, constant cost (Varghese and Lauck, 1987).
//!
//! Time is counted in ticks of 1.024 us. Level `n` has 64 slots of 64^n ticks each; nine levels
//! span every timestamp there is. A timer lies in the level of the highest digit (base 64) in
//! which its tick differs from the current one, so that it moves down at most once per level on
//! its way to firing. Each level keeps a bitmap of its slots in use: finding the next one is a
//! count of zeros, never a walk.

use crate::{growth, time::Timestamp};

/// Names a timer, for cancelling it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerToken {
    index: u32,
    generation: u32,
}

/// Timers that each carry a key.
///
/// Insert and cancel are O(1); firing is O(1) amortised. Timers never fire early, and late by less
/// than one tick plus the caller's own lateness. Once warm, nothing is allocated.
#[derive(Debug)]
pub struct Wheel<K> {
    nodes: Vec<Node<K>>,
    free: u32,
    levels: [Level; LEVELS],
    /// Everything before this tick has been moved to `due` or fired.
    now: u64,
    due: List,
    len: usize,
}

#[derive(Debug)]
struct Node<K> {
    key: K,
    at: Timestamp,
    generation: u32,
    place: Place,
    previous: u32,
    next: u32,
}

/// The list that a node is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Free,
    Due,
    Slot { level: u8, slot: u8 },
}

#[derive(Clone, Copy, Debug)]
struct Level {
    occupied: u64,
    slots: [List; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
}

const NONE: u32 = u32::MAX;
const SLOT_BITS: u32 = 6;
const SLOTS: usize = 1 << SLOT_BITS;
/// 9 levels of 6 bits hold the 54 bits of a tick.
const LEVELS: usize = 9;
/// 2^10 ns: a shift instead of a division.
const TICK_SHIFT: u32 = 10;
const LAST_TICK: u64 = (1 << (u64::BITS - TICK_SHIFT)) - 1;

const EMPTY: List = List { head: NONE, tail: NONE };

impl<K: Copy> Wheel<K> {
    /// An empty wheel.
    pub fn new(now: Timestamp) -> Self {
        Self {
            nodes: Vec::new(),
            free: NONE,
            levels: [Level { occupied: 0, slots: [EMPTY; SLOTS] }; LEVELS],
            now: now.as_nanos() >> TICK_SHIFT,
            due: EMPTY,
            len: 0,
        }
    }

    /// Timers armed, due ones included.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer is armed.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Arms a timer. One in the past is due at once.
    pub fn insert(&mut self, at: Timestamp, key: K) -> TimerToken {
        let index = self.allocate(at, key);
        self.place(index);
        self.len += 1;
        TimerToken { index, generation: self.nodes[index as usize].generation }
    }

    /// Disarms a timer; its key, if it had not fired.
    pub fn cancel(&mut self, token: TimerToken) -> Option<K> {
        let node = self.nodes.get(token.index as usize)?;
        if node.generation != token.generation || node.place == Place::Free {
            return None;
        }
        let key = node.key;
        self.unlink(token.index);
        self.release(token.index);
        Some(key)
    }

    /// Moves time forward; what is due can be taken with [`Self::pop_due`].
    pub fn advance(&mut self, now: Timestamp) {
        let target = now.as_nanos() >> TICK_SHIFT;
        while let Some((level, slot, start)) = self.next_slot() {
            if start > target {
                break;
            }
            self.now = self.now.max(start);
            self.spill(level, slot);
        }
        self.now = self.now.max(target);
    }

    /// Takes a timer that is due. Those of one tick come in no particular order.
    pub fn pop_due(&mut self) -> Option<(Timestamp, K)> {
        let index = self.due.head;
        if index == NONE {
            return None;
        }
        let node = &self.nodes[index as usize];
        let fired = (node.at, node.key);
        self.unlink(index);
        self.release(index);
        Some(fired)
    }

    /// When to advance next, and the key of a timer there. Never later than the earliest timer
    /// may fire; earlier where a coarse level has to be looked at first.
    pub fn next_deadline(&self) -> Option<(Timestamp, K)> {
        if self.due.head != NONE {
            let node = &self.nodes[self.due.head as usize];
            return Some((node.at, node.key));
        }
        let (level, slot, start) = self.next_slot()?;
        let node = &self.nodes[self.levels[level].slots[slot].head as usize];
        Some((Timestamp::from_nanos(start << TICK_SHIFT), node.key))
    }

    /// The first tick at which a timer may fire: the one after its time, unless that is exact.
    fn tick_of(at: Timestamp) -> u64 {
        let nanos = at.as_nanos();
        (nanos >> TICK_SHIFT) + u64::from(nanos & ((1 << TICK_SHIFT) - 1) != 0)
    }

    fn place(&mut self, index: u32) {
        let tick = Self::tick_of(self.nodes[index as usize].at).min(LAST_TICK);
        if tick <= self.now {
            self.link(index, Place::Due);
            return;
        }
        let level = (63 - (tick ^ self.now).leading_zeros()) / SLOT_BITS;
        let slot = (tick >> (level * SLOT_BITS)) & (SLOTS as u64 - 1);
        self.link(index, Place::Slot { level: level as u8, slot: slot as u8 });
    }

    /// The occupied slot that comes first, and the tick at which it begins.
    fn next_slot(&self) -> Option<(usize, usize, u64)> {
        for (index, level) in self.levels.iter().enumerate() {
            if level.occupied == 0 {
                continue;
            }
            // a timer's higher digits are those of now, and its own is greater: no slot lies behind
            let slot = level.occupied.trailing_zeros();
            let shift = index as u32 * SLOT_BITS;
            let block = (self.now >> shift) & !(SLOTS as u64 - 1);
            return Some((index, slot as usize, (block | u64::from(slot)) << shift));
        }
        None
    }

    /// Moves the timers of a slot to where they belong now.
    fn spill(&mut self, level: usize, slot: usize) {
        loop {
            let index = self.levels[level].slots[slot].head;
            if index == NONE {
                return;
            }
            self.unlink(index);
            self.place(index);
        }
    }

    fn list(&mut self, place: Place) -> Option<&mut List> {
        match place {
            Place::Free => None,
            Place::Due => Some(&mut self.due),
            Place::Slot { level, slot } => {
                Some(&mut self.levels[level as usize].slots[slot as usize])
            }
        }
    }

    fn link(&mut self, index: u32, place: Place) {
        if let Place::Slot { level, slot } = place {
            self.levels[level as usize].occupied |= 1 << slot;
        }
        let Some(list) = self.list(place) else { return };
        let tail = list.tail;
        list.tail = index;
        if tail == NONE {
            list.head = index;
        } else {
            self.nodes[tail as usize].next = index;
        }
        let node = &mut self.nodes[index as usize];
        (node.place, node.previous, node.next) = (place, tail, NONE);
    }

    fn unlink(&mut self, index: u32) {
        let node = &self.nodes[index as usize];
        let (place, previous, next) = (node.place, node.previous, node.next);
        if previous != NONE {
            self.nodes[previous as usize].next = next;
        }
        if next != NONE {
            self.nodes[next as usize].previous = previous;
        }
        let Some(list) = self.list(place) else { return };
        if previous == NONE {
            list.head = next;
        }
        if next == NONE {
            list.tail = previous;
        }
        let empty = list.head == NONE;
        if let Place::Slot { level, slot } = place
            && empty
        {
            self.levels[level as usize].occupied &= !(1 << slot);
        }
    }

    fn allocate(&mut self, at: Timestamp, key: K) -> u32 {
        if self.free == NONE {
            let index = self.nodes.len() as u32;
            let place = Place::Free;
            let node = Node { key, at, generation: 0, place, previous: NONE, next: NONE };
            growth::push(&mut self.nodes, node, NONE as usize);
            return index;
        }
        let index = self.free;
        let node = &mut self.nodes[index as usize];
        self.free = node.next;
        (node.key, node.at) = (key, at);
        index
    }

    fn release(&mut self, index: u32) {
        let node = &mut self.nodes[index as usize];
        node.generation = node.generation.wrapping_add(1);
        node.place = Place::Free;
        node.next = self.free;
        self.free = index;
        self.len -= 1;
    }
}

#[cfg(test)]
mod tests;
