//! Where accepted calls wait for the application, by priority.
//!
//! The worker adds, any thread takes: all of it is behind one lock that is held for a few
//! instructions. Who finds nothing leaves a waker under the same lock, so that nothing can come
//! between the look and the wish to be woken.

use core::task::Waker;

use hashbrown::{HashMap, HashSet, hash_map::Entry};

use super::sync::{Mutex, lock};
use crate::{
    id::{Priority, StreamHandle},
    schedule::levels::{Claim, Levels},
};

/// Calls of one priority that wait to be taken, at most; more are refused as overload.
pub(super) const LANE: usize = 16_384;

/// What waits to be taken: levels of priority by weight [SCHED-7], first in, first out in each, and
/// none before those that must come first [CAUS-10].
#[derive(Debug)]
pub(super) struct Lanes<T> {
    state: Mutex<State<T>>,
}

/// Where an item waits.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) level: Priority,
    /// What others call it that must come behind it, if there may be any.
    pub(super) name: Option<StreamHandle>,
    /// What must be taken before it, if it waits here too.
    pub(super) after: Vec<StreamHandle>,
}

#[derive(Debug)]
struct State<T> {
    items: Levels<(Option<StreamHandle>, T)>,
    /// The names of all that wait here, and who waits for each of them.
    named: HashSet<StreamHandle>,
    followers: HashMap<StreamHandle, Vec<u64>>,
    held: HashMap<u64, Held<T>>,
    /// The last number that a held item or a request to be woken was given.
    last: u64,
    wakers: Vec<(u64, Waker)>,
}

/// An item that others must come before.
#[derive(Debug)]
struct Held<T> {
    level: usize,
    name: Option<StreamHandle>,
    item: T,
    /// How many they are.
    behind: usize,
}

impl<T> Lanes<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                items: Levels::default(),
                named: HashSet::new(),
                followers: HashMap::new(),
                held: HashMap::new(),
                last: 0,
                wakers: Vec::new(),
            }),
        }
    }

    /// Adds an item and wakes those who wait; gives it back if its lane is full.
    pub(super) fn push(&self, place: Place, item: T) -> Result<(), T> {
        let level = usize::from(place.level.level());
        let wakers = {
            let mut state = lock(&self.state);
            if state.items.waiting(level) + state.held.len() >= LANE {
                return Err(item);
            }
            state.push(level, &place, item);
            core::mem::take(&mut state.wakers)
        };
        wake(wakers);
        Ok(())
    }

    /// The next item.
    pub(super) fn pop(&self) -> Option<T> {
        let (item, wakers) = lock(&self.state).pop();
        wake(wakers);
        item
    }

    /// The next item. If there is none, `waker` is woken when one is added; `waiting` names the
    /// request, so that it is not made twice, and can be taken back.
    pub(super) fn pop_or_wait(&self, waiting: &mut Option<u64>, waker: &Waker) -> Option<T> {
        let mut state = lock(&self.state);
        let (item, wakers) = state.pop();
        if item.is_none() {
            state.want(waiting, waker);
        }
        drop(state);
        wake(wakers);
        item
    }

    /// Takes a request to be woken back.
    pub(super) fn stop_waiting(&self, id: u64) {
        lock(&self.state).wakers.retain(|(known, _)| *known != id);
    }

    /// Items that wait.
    pub(super) fn len(&self) -> usize {
        let state = lock(&self.state);
        let ready: usize = (0..Priority::LEVELS).map(|level| state.items.waiting(level)).sum();
        ready + state.held.len()
    }

    /// Wakes everyone: whoever finds nothing waits again.
    pub(super) fn wake_all(&self) {
        let wakers = core::mem::take(&mut lock(&self.state).wakers);
        wake(wakers);
    }
}

impl<T> State<T> {
    fn push(&mut self, level: usize, place: &Place, item: T) {
        let Self { named, followers, .. } = self;
        let mut behind = 0;
        for before in place.after.iter().filter(|before| named.contains(*before)) {
            behind += 1;
            followers.entry(*before).or_default().push(self.last + 1);
        }
        let name = place.name;
        named.extend(name);
        if behind == 0 {
            self.items.push(level, (name, item));
        } else {
            self.last += 1;
            self.held.insert(self.last, Held { level, name, item, behind });
        }
    }

    /// Takes the next item; those who are to be woken since others may be taken now.
    fn pop(&mut self) -> (Option<T>, Vec<(u64, Waker)>) {
        let place = self.items.next(|_, _| Claim::default());
        let Some((name, item)) = place.and_then(|place| self.items.serve(place)) else {
            return (None, Vec::new());
        };
        let followers = name.and_then(|name| {
            self.named.remove(&name);
            self.followers.remove(&name)
        });
        let mut wakers = Vec::new();
        for id in followers.into_iter().flatten() {
            let Entry::Occupied(mut held) = self.held.entry(id) else { continue };
            held.get_mut().behind -= 1;
            if held.get().behind == 0 {
                let Held { level, name, item, .. } = held.remove();
                self.items.push(level, (name, item));
                wakers.append(&mut self.wakers);
            }
        }
        (Some(item), wakers)
    }

    fn want(&mut self, waiting: &mut Option<u64>, waker: &Waker) {
        match self.wakers.iter_mut().find(|(known, _)| Some(*known) == *waiting) {
            Some((_, place)) => place.clone_from(waker),
            None => {
                self.last += 1;
                *waiting = Some(self.last);
                self.wakers.push((self.last, waker.clone()));
            }
        }
    }
}

/// Outside of the lock: what a waker does is not known.
fn wake(wakers: Vec<(u64, Waker)>) {
    for (_, waker) in wakers {
        waker.wake();
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
