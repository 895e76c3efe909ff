//! Which priority level is served next, by weight.
//!
//! Start-time fair queueing over eight levels [SCHED-7]: a level counts what it was served,
//! multiplied by the inverse of its weight, and the one that has counted least comes first. Level
//! `n` has four times the weight of level `n + 1`, so that a level is served nearly first, and the
//! lowest of eight still gets 1/21,845 of the service. A level that had nothing to do starts from
//! where the others are: nothing is saved up.
//!
//! This differs from a deficit round robin with the same weights in that the levels alternate
//! finely: none is served a whole quantum in a row, which would be 16,384 turns of the highest.

use crate::id::Priority;

/// The levels that wait for service, and what each has had.
#[derive(Clone, Debug, Default)]
pub(crate) struct Weights {
    /// What was served, times the inverse of the weight.
    served: [u64; Priority::LEVELS],
    /// Where the level began that was served last.
    now: u64,
    /// The levels with something to do, a bit each.
    ready: u8,
}

impl Weights {
    /// The levels with something to do, a bit each.
    pub(crate) const fn ready(&self) -> u8 {
        self.ready
    }

    /// A level has something to do; no change if it had before.
    pub(crate) fn enter(&mut self, level: usize) {
        if self.ready & 1 << level == 0 {
            self.ready |= 1 << level;
            self.served[level] = self.served[level].max(self.now);
        }
    }

    /// A level has nothing to do any more.
    pub(crate) const fn leave(&mut self, level: usize) {
        self.ready &= !(1 << level);
    }

    /// The level whose turn it is among the set `of` levels, a bit each; of equals the most urgent.
    pub(crate) fn first(&self, of: u8) -> Option<usize> {
        let levels = (0..Priority::LEVELS).filter(|level| of & 1 << level != 0);
        levels.min_by_key(|&level| self.served[level])
    }

    /// Notes that a level was served `units` of whatever is shared.
    pub(crate) fn charge(&mut self, level: usize, units: u64) {
        self.now = self.now.max(self.served[level]);
        self.served[level] = self.served[level].saturating_add(units * Self::cost(level));
    }

    /// Whether `level` has had its share and `units` of the other level more: it may not overtake
    /// that one any longer.
    pub(crate) fn is_ahead(&self, level: usize, other: usize, units: u64) -> bool {
        self.served[level] >= self.served[other].saturating_add(units * Self::cost(other))
    }

    /// The inverse of a level's weight.
    const fn cost(level: usize) -> u64 {
        1 << (2 * level)
    }
}

#[cfg(test)]
mod tests;
