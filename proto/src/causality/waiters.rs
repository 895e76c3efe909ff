//! Who waits for which token: kept apart from the slots, and only for tokens that are waited for.
//!
//! A lock guards each part of the tokens. It is taken to wait for a token that has not ended, and
//! by the one who moves on a token whose word says that someone may wait; nobody else takes it, and
//! nobody is told anything under it. No wake-up is lost:
//!
//! - Who registers sets the word's bit and adds its entry under the lock. If the transition comes
//!   first in the word's order, the one who registers sees it, and does not wait.
//! - If the bit comes first, the one who made the transition sees it, takes the lock behind the one
//!   who registered, and finds the entry.

use core::fmt;
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError},
};

use smallvec::SmallVec;

use super::{
    slots::{Slots, Update},
    sync::{Mutex, MutexGuard},
    token::{Name, Token},
    word::Answer,
};
use crate::wire::frame::{DependencyKind, WaitPoint};

/// Parts of the tokens, each with a lock of its own: enough that workers seldom meet.
const SHARDS: usize = if cfg!(loom) { 1 } else { 64 };

/// One that waits for a token, whatever else it waits for.
pub(super) trait Wake: Send + Sync {
    /// A dependency is out of the way.
    fn reached(&self);

    /// A dependency failed that must not. Names the transfer that fails with it to `fail`, then
    /// tells the waiter; does nothing if that is decided already.
    fn failed(&self, cause: Token, fail: &mut dyn FnMut(Name));

    /// Whether nothing that happens makes a difference any more.
    fn is_decided(&self) -> bool;
}

/// A dependency that is waited for.
pub(super) struct Entry {
    pub(super) kind: DependencyKind,
    pub(super) join: Arc<dyn Wake>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("kind", &self.kind).finish_non_exhaustive()
    }
}

/// Those who wait for one token; mostly one.
pub(super) type Entries = SmallVec<[Entry; 1]>;

type Shard = BTreeMap<Name, Entries>;

/// Adds an entry, and removes what was decided elsewhere when the list would grow, so that a token
/// that lives long does not collect it. A list that is still half full grows all the same: it is
/// looked through once in as many additions as it has entries.
fn add(entries: &mut Entries, entry: Entry) {
    if entries.len() == entries.capacity() {
        entries.retain(|entry| !entry.join.is_decided());
        if entries.len() > entries.capacity() / 2 {
            entries.reserve(entries.len());
        }
    }
    entries.push(entry);
}

/// See the module.
#[derive(Debug)]
pub(super) struct Waiters {
    shards: [Mutex<Shard>; SHARDS],
}

impl Waiters {
    pub(super) fn new() -> Self {
        Self { shards: core::array::from_fn(|_| Mutex::new(Shard::new())) }
    }

    fn lock(&self, name: Name) -> MutexGuard<'_, Shard> {
        // no code that runs under the lock can leave a shard half changed
        self.shards[name.slot() as usize % SHARDS].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry if the dependency is not resolved. The caller holds the token.
    pub(super) fn register(&self, slots: &Slots, name: Name, entry: Entry) -> Answer {
        let wait = entry.kind.wait;
        let mut shard = self.lock(name);
        let update = slots.update(name, |word| match word.answer(wait) {
            Answer::Unresolved => word.awaited(),
            Answer::Reached | Answer::Failed => None,
        });
        let answer = match update {
            Ok(Update::Changed { after: word, .. } | Update::Kept(word)) => word.answer(wait),
            // what is held and gone has succeeded
            Err(_) => Answer::Reached,
        };
        if answer == Answer::Unresolved {
            add(shard.entry(name).or_default(), entry);
        }
        answer
    }

    /// Takes those out who wait for a request to be sent.
    pub(super) fn take_sent(&self, name: Name) -> Entries {
        let mut shard = self.lock(name);
        let Some(entries) = shard.get_mut(&name) else { return Entries::new() };
        let (taken, left) = core::mem::take(entries)
            .into_iter()
            .partition(|entry| entry.kind.wait == WaitPoint::RequestSent);
        *entries = left;
        if entries.is_empty() {
            shard.remove(&name);
        }
        taken
    }

    /// Takes everyone out.
    pub(super) fn take(&self, name: Name) -> Entries {
        self.lock(name).remove(&name).unwrap_or_default()
    }

    /// Entries that there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let len = |shard: &Mutex<Shard>| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.values().map(|entries| entries.len()).sum::<usize>()
        };
        self.shards.iter().map(len).sum()
    }
}
