//! Transfers and what must come before them.

use super::{
    guard::TokenGuard,
    token::Token,
    wait::{Readiness, Waiter},
};
use crate::wire::frame::{DependencyKind, Failure};

/// A transfer that must come first.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The other transfer.
    pub on: TokenGuard,
    /// What of it must have happened, and what if it fails.
    pub kind: DependencyKind,
}

impl Dependency {
    /// The same, but what depends on it goes on if it fails.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.kind.failure = Failure::Ignore;
        self
    }
}

/// A transfer that has a token, and has not waited for its dependencies.
///
/// What it depends on was settled before its token existed: no two transfers can wait for each
/// other. [CAUS-2] Dropped without waiting, it fails, so that nobody waits for it in vain.
#[derive(Debug)]
#[must_use = "dropped, it fails"]
pub struct Dependent {
    guard: TokenGuard,
    dependencies: Vec<Dependency>,
    waited: bool,
}

impl Dependent {
    pub(crate) fn new(guard: TokenGuard, dependencies: Vec<Dependency>) -> Self {
        Self { guard, dependencies, waited: false }
    }

    /// Its token.
    pub fn token(&self) -> Token {
        self.guard.token()
    }

    /// Its token, to be held.
    pub fn guard(&self) -> &TokenGuard {
        &self.guard
    }

    /// What it depends on.
    pub fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// Takes those dependencies out that `others` see to, such as the peer, if both transfers go to
    /// the same one: [`Dependent::wait`] does not wait for them, and their failure is not noticed.
    pub fn set_aside(&mut self, others: impl FnMut(&mut Dependency) -> bool) -> Vec<Dependency> {
        self.dependencies.extract_if(.., others).collect()
    }

    /// Waits until all dependencies are resolved, or one has failed that must not. The waiter is
    /// told once, unless it comes back.
    ///
    /// The map fails the transfer itself if a dependency does. In all other cases it is from now on
    /// for the caller to say how the transfer ends, even if `waiter` is never told.
    pub fn wait<W: Waiter>(mut self, waiter: W) -> Readiness<W> {
        self.waited = true;
        self.guard.inner.wait(self.guard.name, &self.dependencies, waiter)
    }
}

impl Drop for Dependent {
    fn drop(&mut self) {
        if !self.waited {
            // it may have ended by itself
            let _ = self.guard.inner.fail(self.guard.name);
        }
    }
}
