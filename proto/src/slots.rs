//! A table whose entries are named by slot and generation.

use crate::{growth, id::TransferId};

/// Names an entry: its place, and how often the place had been used before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotRef {
    /// Index into the table.
    pub slot: u32,
    /// Uses before this one, modulo 2^24: what a transfer id has room for.
    pub generation: u32,
}

/// A bounded table; lookup is an index and a generation compare, reuse is last out, first in, so
/// that slots stay dense.
#[derive(Debug)]
pub struct Slots<T> {
    entries: Vec<Entry<T>>,
    free: Option<u32>,
    len: usize,
    limit: u32,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    state: State<T>,
}

#[derive(Debug)]
enum State<T> {
    Used(T),
    Free { next: Option<u32> },
}

const GENERATION_MASK: u32 = (1 << TransferId::GENERATION_BITS) - 1;

impl<T> Slots<T> {
    /// An empty table that never holds more than `limit` entries.
    pub const fn with_limit(limit: u32) -> Self {
        Self { entries: Vec::new(), free: None, len: 0, limit }
    }

    /// Number of entries.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Slots that were ever used: every entry's slot is below.
    pub const fn slots(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an entry; `None` if the table is full.
    pub fn insert(&mut self, value: T) -> Option<SlotRef> {
        if let Some(slot) = self.free {
            let entry = &mut self.entries[slot as usize];
            if let State::Free { next } = entry.state {
                self.free = next;
            }
            entry.state = State::Used(value);
            self.len += 1;
            return Some(SlotRef { slot, generation: entry.generation });
        }
        let slot = self.entries.len() as u32;
        if slot >= self.limit {
            return None;
        }
        let entry = Entry { generation: 0, state: State::Used(value) };
        growth::push(&mut self.entries, entry, self.limit as usize);
        self.len += 1;
        Some(SlotRef { slot, generation: 0 })
    }

    /// The entry, if it is still there.
    pub fn get(&self, at: SlotRef) -> Option<&T> {
        match self.entries.get(at.slot as usize) {
            Some(Entry { generation, state: State::Used(value) })
                if *generation == at.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    /// The entry, if it is still there.
    pub fn get_mut(&mut self, at: SlotRef) -> Option<&mut T> {
        match self.entries.get_mut(at.slot as usize) {
            Some(Entry { generation, state: State::Used(value) })
                if *generation == at.generation =>
            {
                Some(value)
            }
            _ => None,
        }
    }

    /// Takes the entry out, if it is still there.
    pub fn remove(&mut self, at: SlotRef) -> Option<T> {
        self.get(at)?;
        let entry = &mut self.entries[at.slot as usize];
        entry.generation = (entry.generation + 1) & GENERATION_MASK;
        let freed = core::mem::replace(&mut entry.state, State::Free { next: self.free });
        self.free = Some(at.slot);
        self.len -= 1;
        match freed {
            State::Used(value) => Some(value),
            State::Free { .. } => None,
        }
    }

    /// The name of the entry that is in a slot now.
    pub fn at(&self, slot: u32) -> Option<SlotRef> {
        let entry = self.entries.get(slot as usize)?;
        matches!(entry.state, State::Used(_))
            .then_some(SlotRef { slot, generation: entry.generation })
    }

    /// The names of all entries, by slot. For rare work: it looks at every slot.
    pub fn refs(&self) -> Vec<SlotRef> {
        (0..self.entries.len() as u32).filter_map(|slot| self.at(slot)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::rng::Jitter;

    #[test]
    fn a_stale_name_finds_nothing() {
        let mut slots = Slots::with_limit(2);
        let a = slots.insert('a').unwrap();
        assert_eq!(slots.remove(a), Some('a'));
        assert_eq!(slots.remove(a), None);
        let b = slots.insert('b').unwrap();
        assert_eq!((b.slot, b.generation), (0, 1));
        assert_eq!((slots.get(a), slots.get(b)), (None, Some(&'b')));
    }

    #[test]
    fn the_limit_holds_and_slots_stay_dense() {
        let mut slots = Slots::with_limit(3);
        let names: Vec<_> = (0..3).map(|i| slots.insert(i).unwrap()).collect();
        assert_eq!(slots.insert(9), None);
        slots.remove(names[1]);
        assert_eq!(slots.refs(), [names[0], names[2]]);
        assert_eq!(slots.insert(7).unwrap().slot, 1);
        assert_eq!(slots.len(), 3);
    }

    #[test]
    fn generations_wrap() {
        let mut slots = Slots::with_limit(1);
        let first = slots.insert(()).unwrap();
        slots.remove(first);
        for _ in 0..GENERATION_MASK {
            let name = slots.insert(()).unwrap();
            slots.remove(name);
        }
        assert_eq!(slots.insert(()).unwrap(), first);
    }

    /// Random inserts and removals against an ordered map; names of the dead are asked for too.
    #[test]
    fn agrees_with_an_ordered_map() {
        const LIMIT: u32 = 12;
        for seed in 0..200 {
            let mut rng = Jitter::new(seed);
            let mut slots = Slots::with_limit(LIMIT);
            let mut model = BTreeMap::new();
            let mut names = Vec::new();
            for value in 0..200_u64 {
                if rng.below(5) < 3 {
                    let name = slots.insert(value);
                    assert_eq!(name.is_some(), model.len() < LIMIT as usize, "seed {seed}");
                    if let Some(name) = name {
                        assert_eq!(model.insert(name, value), None, "seed {seed}: a name twice");
                        names.push(name);
                    }
                } else if !names.is_empty() {
                    let name = names[rng.below(names.len() as u64) as usize];
                    assert_eq!(slots.remove(name), model.remove(&name), "seed {seed}");
                }
                assert!(names.iter().all(|name| slots.get(*name) == model.get(name)));
                assert_eq!(slots.refs(), model.keys().copied().collect::<Vec<_>>());
                assert_eq!((slots.len(), slots.is_empty()), (model.len(), model.is_empty()));
            }
        }
    }
}
