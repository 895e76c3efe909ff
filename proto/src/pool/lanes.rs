//! Where accepted calls wait for the application, one lane per priority.
//!
//! The worker pushes, any thread takes. Lanes and the count of turns are lock-free, so that a
//! thread that is preempted while it takes a call holds up nobody. Only who waits for a call is
//! behind a lock, for a few instructions: a waker has to be taken back when its future is dropped.

use core::task::Waker;
use std::sync::PoisonError;

use super::sync::{AtomicUsize, Mutex, Ordering, Queue};
use crate::id::Priority;

/// Calls of one priority that wait to be taken, at most; more are refused as overload.
pub(super) const LANE: usize = 16_384;

/// How many turns of five the most urgent lane that has calls does not get: each fifth goes to
/// the next one, and each fifth of those to the one behind it.
const TURNS: usize = 5;

/// Which of the lanes that have something takes turn `turn`, counted from the most urgent one.
///
/// Four turns of five are rank 0, four of five of the rest rank 1, and so on: neighbours share
/// four to one, and the last of eight has one turn in 5⁷ at worst.
pub(crate) const fn rank_of_turn(turn: usize) -> usize {
    let (mut rank, mut rest) = (0, turn);
    while rank + 1 < Priority::LEVELS && rest % TURNS == TURNS - 1 {
        rank += 1;
        rest /= TURNS;
    }
    rank
}

/// First in, first out per priority, shared by threads.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    lanes: [Queue<T>; Priority::LEVELS],
    /// Turns that several lanes wanted.
    turns: AtomicUsize,
    waiting: Mutex<Waiting>,
}

/// Who waits for something to take.
#[derive(Debug, Default)]
struct Waiting {
    last: u64,
    wakers: Vec<(u64, Waker)>,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self {
            lanes: core::array::from_fn(|_| Queue::new()),
            turns: AtomicUsize::new(0),
            waiting: Mutex::new(Waiting::default()),
        }
    }

    /// Adds to a lane and wakes those who wait; gives the item back if the lane is full.
    ///
    /// Only one thread adds: others could overrun the limit.
    pub(super) fn push(&self, priority: Priority, item: T) -> Result<(), T> {
        let lane = &self.lanes[usize::from(priority.level())];
        if lane.len() >= LANE {
            return Err(item);
        }
        lane.push(item);
        self.wake_all();
        Ok(())
    }

    /// The next item. Whatever was added before the call is found, unless another takes it.
    pub(super) fn pop(&self) -> Option<T> {
        let occupied = self.lanes.iter().filter(|lane| !lane.is_empty()).count();
        let mut rank = 0;
        if occupied > 1 {
            // a turn orders nothing but itself
            rank = rank_of_turn(self.turns.fetch_add(1, Ordering::Relaxed)).min(occupied - 1);
        }
        for lane in self.lanes.iter().filter(|lane| !lane.is_empty()) {
            if rank > 0 {
                rank -= 1;
            } else if let Some(item) = lane.pop() {
                return Some(item);
            }
        }
        // others emptied lanes meanwhile, so that the one of this rank was not met
        self.lanes.iter().find_map(Queue::pop)
    }

    /// Items that wait.
    pub(super) fn len(&self) -> usize {
        self.lanes.iter().map(Queue::len).sum()
    }

    /// Wakes `waker` when something is added. One who asks again says which earlier request it
    /// replaces. What was added meanwhile has to be looked for afterwards.
    pub(super) fn wait(&self, earlier: Option<u64>, waker: &Waker) -> u64 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(id) = earlier
            && let Some((_, place)) = waiting.wakers.iter_mut().find(|(known, _)| *known == id)
        {
            place.clone_from(waker);
            return id;
        }
        waiting.last += 1;
        let id = waiting.last;
        waiting.wakers.push((id, waker.clone()));
        id
    }

    /// Takes a request to be woken back.
    pub(super) fn stop_waiting(&self, id: u64) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.wakers.retain(|(known, _)| *known != id);
    }

    /// Wakes everyone: whoever finds nothing waits again.
    pub(super) fn wake_all(&self) {
        let wakers = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            core::mem::take(&mut waiting.wakers)
        };
        for (_, waker) in wakers {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests;
