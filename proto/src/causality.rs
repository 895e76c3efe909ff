//! Which transfers wait for which: a map that all workers of a pool share (spec chapter 7).
//!
//! Each transfer has a [`Token`]. It names what it depends on before it gets one, so that the graph
//! has no cycles: [`CausalityMap::allocate`] takes the dependencies and gives a [`Dependent`]. That
//! waits ([`Dependent::wait`]) until they are resolved; whoever moves the transfer on tells the map
//! ([`sent`](CausalityMap::sent), [`complete`](CausalityMap::complete),
//! [`fail`](CausalityMap::fail)), from any thread, as often as it likes.
//!
//! 1. All that is known of a token is one 64-bit word (`word`), changed by compare-and-exchange.
//!    Allocation, lookup and every transition are lock-free as long as nobody waits for the token,
//!    but for the growth of the array (`slots`).
//! 2. Those who wait are kept elsewhere, in lists under locks (`waiters`). A bit of the word says
//!    that there may be some.
//! 3. A success frees the slot at once. A failure keeps it until nobody can ask any more, which the
//!    word counts ([`TokenGuard`]). Hence a slot that has gone on from a token that someone holds
//!    says that its transfer succeeded, and no log of outcomes is needed.
//! 4. A cascade of failures is worked off from a list, by the thread that reported the first
//!    (`inner`).

mod config;
mod dependent;
mod guard;
mod inner;
pub(crate) mod received;
mod slots;
mod sync;
mod token;
mod wait;
mod waiters;
mod word;

use std::sync::Arc;

pub use config::{CausalityConfig, CausalityConfigError};
pub use dependent::{Dependency, Dependent};
pub use guard::TokenGuard;
pub use token::{MapId, Token, TokenError};
pub use wait::{Readiness, Registration, Resolution, Waiter};

pub use crate::wire::frame::{DependencyKind, Failure, WaitPoint};

use inner::Inner;
use slots::{Miss, Slots};
use token::Name;
use waiters::Waiters;
use word::{Phase, Word};

/// The map; its clones are one.
///
/// Waiters stay in it until their dependencies end: a worker that goes away has to fail its
/// transfers.
#[derive(Clone, Debug)]
pub struct CausalityMap {
    inner: Arc<Inner>,
}

/// How far a transfer has come. It only moves down this list, and never from one end to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// Its request was not handed over whole.
    Pending,
    /// The peer has acknowledged all of its request.
    Sent,
    /// Its response was received.
    Completed,
    /// It has failed.
    Failed {
        /// Whether its request was sent before.
        sent: bool,
    },
}

impl Progress {
    fn of(word: Word) -> Self {
        match word.phase() {
            Phase::Pending => Self::Pending,
            Phase::Sent => Self::Sent,
            Phase::Free => Self::Completed,
            Phase::Failed => Self::Failed { sent: false },
            Phase::FailedSent => Self::Failed { sent: true },
        }
    }
}

/// A token cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AllocateError {
    /// The map is as full as it may be; room comes when transfers end.
    #[error("the causality map holds {max} transfers already")]
    Full {
        /// Its limit.
        max: u32,
    },
    /// A dependency belongs to another map.
    #[error("dependency {token} belongs to another causality map")]
    ForeignDependency {
        /// Its token.
        token: Token,
    },
}

impl CausalityMap {
    /// An empty map.
    ///
    /// # Errors
    ///
    /// The first size of `config` that is out of range.
    pub fn new(id: MapId, config: CausalityConfig) -> Result<Self, CausalityConfigError> {
        config.validate()?;
        Ok(Self::sized(id, config))
    }

    /// An empty map of sizes that were found valid.
    pub(crate) fn sized(id: MapId, config: CausalityConfig) -> Self {
        let inner = Inner { id, slots: Slots::new(config), waiters: Waiters::new() };
        Self { inner: Arc::new(inner) }
    }

    /// Gives a token to a transfer that depends on any number of others. [CAUS-2, CAUS-9]
    ///
    /// # Errors
    ///
    /// When the map is full, or a dependency belongs to another map.
    pub fn allocate(
        &self,
        dependencies: impl IntoIterator<Item = Dependency>,
    ) -> Result<Dependent, AllocateError> {
        let dependencies: Vec<_> = dependencies.into_iter().collect();
        for Dependency { on, .. } in &dependencies {
            if !Arc::ptr_eq(&on.inner, &self.inner) {
                return Err(AllocateError::ForeignDependency { token: on.token() });
            }
        }
        let full = AllocateError::Full { max: self.inner.slots.max() };
        let name = self.inner.slots.allocate().ok_or(full)?;
        Ok(Dependent::new(TokenGuard { inner: Arc::clone(&self.inner), name }, dependencies))
    }

    /// The peer has acknowledged all of the request. True if that is news: neither said before, nor
    /// after the end.
    ///
    /// # Errors
    ///
    /// [`TokenError::Foreign`] and [`TokenError::Unknown`].
    pub fn sent(&self, token: Token) -> Result<bool, TokenError> {
        self.report(token, Inner::sent)
    }

    /// The response was received, and with it the request was. True if the transfer had not ended.
    ///
    /// # Errors
    ///
    /// As for [`CausalityMap::sent`].
    pub fn complete(&self, token: Token) -> Result<bool, TokenError> {
        self.report(token, Inner::complete)
    }

    /// The transfer has failed; those that depend on it and must not go on fail with it before this
    /// returns. True if the transfer had not ended.
    ///
    /// # Errors
    ///
    /// As for [`CausalityMap::sent`].
    pub fn fail(&self, token: Token) -> Result<bool, TokenError> {
        self.report(token, Inner::fail)
    }

    fn report(
        &self,
        token: Token,
        transition: impl FnOnce(&Inner, Name) -> Result<bool, Miss>,
    ) -> Result<bool, TokenError> {
        let name = self.inner.name_of(token)?;
        match transition(&self.inner, name) {
            Err(Miss::Ended) => Ok(false),
            answer => answer.map_err(|miss| self.inner.error(name, miss)),
        }
    }

    /// Holds a token from now on, to depend on it or to learn how its transfer ends.
    ///
    /// # Errors
    ///
    /// All of [`TokenError`].
    pub fn hold(&self, token: Token) -> Result<TokenGuard, TokenError> {
        let name = self.inner.name_of(token)?;
        let updated = self.inner.slots.update(name, Word::held);
        updated.map_err(|miss| self.inner.error(name, miss))?;
        Ok(TokenGuard { inner: Arc::clone(&self.inner), name })
    }

    /// How far the transfer of a token has come that need not be held.
    ///
    /// # Errors
    ///
    /// All of [`TokenError`].
    pub fn progress(&self, token: Token) -> Result<Progress, TokenError> {
        let name = self.inner.name_of(token)?;
        let word = self.inner.slots.load(name);
        word.map(Progress::of).map_err(|miss| self.inner.error(name, miss))
    }

    /// What tells its tokens from those of other maps.
    pub fn id(&self) -> MapId {
        self.inner.id
    }

    /// Tokens in use, failures that are remembered among them; not exact while others change the
    /// map.
    pub fn live(&self) -> usize {
        self.inner.slots.live()
    }

    /// Slots that there is memory for, 8 bytes each.
    pub fn capacity(&self) -> usize {
        self.inner.slots.capacity()
    }
}

#[cfg(test)]
mod tests;
