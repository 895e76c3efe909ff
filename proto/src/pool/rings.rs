//! Calls on their way to the worker: a bounded ring per priority level.
//!
//! The worker takes from the levels by weight [SCHED-7]. Who finds a ring full waits for room in
//! that ring.

use core::{array, num::NonZeroU16, task::Waker};
use std::collections::VecDeque;

use crossbeam_queue::ArrayQueue;

use super::{mailbox::Start, room::Room};
use crate::{endpoint::Waits, id::Priority, schedule::weights::Weights, time::Timestamp};

/// How many calls may wait for the worker per level of priority, at most; more wait in their
/// futures. 1,024 each unless said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingConfig {
    /// By the level of priority.
    pub depths: [NonZeroU16; Priority::LEVELS],
}

impl Default for RingConfig {
    fn default() -> Self {
        const DEPTH: NonZeroU16 = NonZeroU16::MIN.saturating_add(1_023);
        Self { depths: [DEPTH; Priority::LEVELS] }
    }
}

/// The rings, as both ends see them.
#[derive(Debug)]
pub(super) struct Rings {
    rings: [Ring; Priority::LEVELS],
}

#[derive(Debug)]
struct Ring {
    calls: ArrayQueue<Box<Start>>,
    room: Room<Waker>,
}

impl Rings {
    pub(super) fn new(config: RingConfig) -> Self {
        let ring = |depth| Ring { calls: ArrayQueue::new(usize::from(depth)), room: Room::new() };
        Self { rings: config.depths.map(NonZeroU16::get).map(ring) }
    }

    /// Adds a call; gives it back if its ring is full.
    pub(super) fn push(&self, start: Box<Start>) -> Result<(), Box<Start>> {
        self.ring(&start).calls.push(start)
    }

    /// Wakes `waker` when the ring of this call has room again. To be followed by another
    /// [`Self::push`]: room may have come meanwhile.
    pub(super) fn want_room(&self, start: &Start, waker: Waker) {
        self.ring(start).room.want(waker);
    }

    /// Calls that wait, by level.
    pub(super) fn waiting(&self) -> [usize; Priority::LEVELS] {
        array::from_fn(|level| self.rings[level].calls.len())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rings.iter().all(|ring| ring.calls.is_empty())
    }

    /// Wakes everybody who waits for room.
    pub(super) fn wake_all(&self) {
        for ring in &self.rings {
            ring.room.made().into_iter().for_each(Waker::wake);
        }
    }

    fn ring(&self, start: &Start) -> &Ring {
        &self.rings[usize::from(start.options.priority.level())]
    }
}

/// The worker's part: whose turn it is, and how long calls waited.
#[derive(Debug, Default)]
pub(super) struct Taker {
    weights: Weights,
    levels: [Taken; Priority::LEVELS],
}

#[derive(Debug, Default)]
struct Taken {
    /// Calls taken in all.
    taken: u64,
    /// Whether any was since the last time that those who wait were woken.
    made_room: bool,
    /// Up to which call the ring was seen to reach, and when, as far as they were not taken yet.
    seen: VecDeque<(u64, Timestamp)>,
    waits: Waits,
}

impl Taker {
    /// The next call.
    pub(super) fn next(&mut self, rings: &Rings, now: Timestamp) -> Option<Box<Start>> {
        for (level, ring) in rings.rings.iter().enumerate() {
            if ring.calls.is_empty() {
                self.weights.leave(level);
            } else {
                self.weights.enter(level);
            }
        }
        let level = self.weights.first(self.weights.ready())?;
        let start = rings.rings[level].calls.pop()?;
        self.weights.charge(level, 1);
        self.levels[level].note_taken(now);
        Some(start)
    }

    /// A turn has taken what it takes: wakes those who wait for the room it made, and notes when
    /// what is left was seen first.
    pub(super) fn end_turn(&mut self, rings: &Rings, now: Timestamp) {
        for (ring, level) in rings.rings.iter().zip(&mut self.levels) {
            let up_to = level.taken + ring.calls.len() as u64;
            if up_to > level.seen.back().map_or(level.taken, |(seen, _)| *seen) {
                level.seen.push_back((up_to, now));
            }
            if core::mem::take(&mut level.made_room) {
                ring.room.made().into_iter().for_each(Waker::wake);
            }
        }
    }

    /// How long calls waited, by level.
    pub(super) fn waits(&self) -> [Waits; Priority::LEVELS] {
        array::from_fn(|level| self.levels[level].waits)
    }
}

impl Taken {
    fn note_taken(&mut self, now: Timestamp) {
        self.taken += 1;
        self.made_room = true;
        let seen_at = self.seen.front().map_or(now, |(_, at)| *at);
        self.waits.note(now.saturating_since(seen_at));
        if self.seen.front().is_some_and(|(up_to, _)| *up_to <= self.taken) {
            self.seen.pop_front();
        }
    }
}

#[cfg(test)]
mod tests;
