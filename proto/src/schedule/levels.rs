//! A queue with priority levels: first in, first out inside a level, levels by weight.
//!
//! What is served takes of resources that all levels share, and the first of a level may have to
//! wait for one of them. It holds up its own level only, with two exceptions that keep every level
//! from starving [SCHED-8]:
//!
//! - what a level waits for is not taken by a less urgent one, unless that is due before it;
//! - more urgent levels may take it, but not more than one turn's worth of the waiting level ahead
//!   of their own turn.

use std::collections::VecDeque;

use super::weights::Weights;
use crate::id::Priority;

/// Entries that are gone and still in a level, below which it is not worth looking for them.
const GONE: usize = 32;

/// Entries by level, and some that go ahead of all. A peer that is idle has one too: until the
/// first entry comes, the levels take no memory.
#[derive(Debug)]
pub(crate) struct Levels<T> {
    ahead: VecDeque<T>,
    levels: Option<Box<Weighted<T>>>,
}

/// The levels, and whose turn it is.
#[derive(Debug)]
struct Weighted<T> {
    levels: [Level<T>; Priority::LEVELS],
    weights: Weights,
}

#[derive(Debug)]
struct Level<T> {
    entries: VecDeque<T>,
    /// Entries that will never be served.
    gone: usize,
}

/// Where an entry waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Ahead of all levels.
    Ahead,
    /// The head of a level.
    Level(usize),
}

/// What the first of a level takes, and what it waits for: sets of resources, a bit each, whose
/// meaning is the caller's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Claim {
    /// What it takes when it is served.
    pub(crate) takes: u8,
    /// What there is too little of for it; it cannot be served while this is not empty.
    pub(crate) lacks: u8,
}

impl<T> Default for Levels<T> {
    fn default() -> Self {
        Self { ahead: VecDeque::new(), levels: None }
    }
}

impl<T> Default for Weighted<T> {
    fn default() -> Self {
        let level = |_| Level { entries: VecDeque::new(), gone: 0 };
        Self { levels: core::array::from_fn(level), weights: Weights::default() }
    }
}

impl<T> Levels<T> {
    /// Whether nothing waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.ahead.is_empty() && self.ready() == 0
    }

    fn ready(&self) -> u8 {
        self.levels.as_ref().map_or(0, |levels| levels.weights.ready())
    }

    /// Entries that wait in a level.
    pub(crate) fn waiting(&self, level: usize) -> usize {
        self.levels.as_ref().map_or(0, |levels| {
            let level = &levels.levels[level];
            level.entries.len() - level.gone
        })
    }

    /// The most urgent level that has entries.
    pub(crate) fn most_urgent(&self) -> Option<usize> {
        match self.ready() {
            0 => None,
            ready => Some(ready.trailing_zeros() as usize),
        }
    }

    /// Adds an entry to the end of a level.
    pub(crate) fn push(&mut self, level: usize, entry: T) {
        let levels = self.levels.get_or_insert_default();
        levels.levels[level].entries.push_back(entry);
        levels.weights.enter(level);
    }

    /// Adds an entry ahead of all.
    pub(crate) fn push_ahead(&mut self, entry: T) {
        self.ahead.push_front(entry);
    }

    /// Whose turn it is. `claim` tells of the first of a level what it takes and lacks.
    pub(crate) fn next(&self, claim: impl FnMut(usize, &T) -> Claim) -> Option<Place> {
        if !self.ahead.is_empty() {
            return Some(Place::Ahead);
        }
        self.levels.as_ref()?.next(claim)
    }

    /// The entry at a place.
    pub(crate) fn front(&self, place: Place) -> Option<&T> {
        match place {
            Place::Ahead => self.ahead.front(),
            Place::Level(level) => self.levels.as_ref()?.levels[level].entries.front(),
        }
    }

    /// Takes out the entry at a place, and counts its service.
    pub(crate) fn serve(&mut self, place: Place) -> Option<T> {
        match (place, &mut self.levels) {
            (Place::Ahead, _) => self.ahead.pop_front(),
            (Place::Level(level), Some(levels)) => {
                levels.weights.charge(level, 1);
                levels.remove(level)
            }
            (Place::Level(_), None) => None,
        }
    }

    /// Takes out the entry at a place, which is gone: that is no service.
    pub(crate) fn discard(&mut self, place: Place) -> Option<T> {
        match (place, &mut self.levels) {
            (Place::Ahead, _) => self.ahead.pop_front(),
            (Place::Level(level), Some(levels)) => {
                let gone = &mut levels.levels[level].gone;
                *gone = gone.saturating_sub(1);
                levels.remove(level)
            }
            (Place::Level(_), None) => None,
        }
    }

    /// An entry of a level is gone. Takes those out that are, when they have become many: amortised
    /// constant work.
    pub(crate) fn note_gone(&mut self, level: usize, is_alive: impl FnMut(&T) -> bool) {
        let Some(levels) = &mut self.levels else { return };
        let found = &mut levels.levels[level];
        found.gone += 1;
        if found.gone > GONE.max(found.entries.len() / 2) {
            found.entries.retain(is_alive);
            found.gone = 0;
            levels.update(level);
        }
    }
}

impl<T> Weighted<T> {
    fn next(&self, mut claim: impl FnMut(usize, &T) -> Claim) -> Option<Place> {
        let mut held = [0; Priority::LEVELS];
        let mut left = self.weights.ready();
        while let Some(level) = self.weights.first(left) {
            left &= !(1 << level);
            let Some(entry) = self.levels[level].entries.front() else { continue };
            let Claim { takes, lacks } = claim(level, entry);
            if lacks != 0 {
                held[level] = lacks;
            } else if self.may_overtake(level, takes, &held) {
                return Some(Place::Level(level));
            }
        }
        None
    }

    /// Whether a level may take what others that are due before it wait for.
    fn may_overtake(&self, level: usize, takes: u8, held: &[u8; Priority::LEVELS]) -> bool {
        held.iter().enumerate().all(|(other, lacks)| {
            takes & lacks == 0 || (level < other && !self.weights.is_ahead(level, other, 1))
        })
    }

    fn remove(&mut self, level: usize) -> Option<T> {
        let entry = self.levels[level].entries.pop_front();
        self.update(level);
        entry
    }

    fn update(&mut self, level: usize) {
        if self.levels[level].entries.is_empty() {
            self.weights.leave(level);
        }
    }
}

#[cfg(test)]
mod tests;
