//! Tokens that are held.

use core::fmt;
use std::sync::Arc;

use super::{
    Dependency, DependencyKind, Failure, Progress, WaitPoint,
    inner::Inner,
    token::{Name, Token},
    word::Word,
};

/// A token that is held: as long as one of its guards exists, the map remembers a failure of its
/// transfer. A success takes no memory, and is known all the same: a slot goes on from a transfer
/// that is held only when that has succeeded.
///
/// Of one token, 2^20 - 2 guards are counted. More at once are possible, and make its failure
/// unforgettable.
pub struct TokenGuard {
    pub(super) inner: Arc<Inner>,
    pub(super) name: Name,
}

impl TokenGuard {
    /// The token.
    pub fn token(&self) -> Token {
        self.inner.token(self.name)
    }

    /// How far the transfer has come. [CAUS-7]
    pub fn progress(&self) -> Progress {
        self.inner.slots.load(self.name).map_or(Progress::Completed, Progress::of)
    }
}

impl TokenGuard {
    /// What has to come first: that the peer has the request of this call. Its failure before that
    /// is the failure of what depends on it.
    pub fn when_sent(&self) -> Dependency {
        self.when(WaitPoint::RequestSent)
    }

    /// What has to come first: that this call was answered with success. Its failure is the failure
    /// of what depends on it.
    pub fn when_answered(&self) -> Dependency {
        self.when(WaitPoint::ResponseReceived)
    }

    fn when(&self, wait: WaitPoint) -> Dependency {
        let kind = DependencyKind { wait, failure: Failure::Cascade };
        Dependency { on: self.clone(), kind }
    }

    /// See [`CausalityMap::sent`](super::CausalityMap::sent).
    pub(crate) fn report_sent(&self) {
        // one that has ended has been sent, or never will be
        let _ended = self.inner.sent(self.name);
    }

    /// See [`CausalityMap::complete`](super::CausalityMap::complete).
    pub(crate) fn report_complete(&self) {
        // nothing changes how it has ended
        let _ended = self.inner.complete(self.name);
    }

    /// See [`CausalityMap::fail`](super::CausalityMap::fail).
    pub(crate) fn report_failed(&self) {
        // nothing changes how it has ended
        let _ended = self.inner.fail(self.name);
    }
}

impl Clone for TokenGuard {
    fn clone(&self) -> Self {
        // one that has succeeded is not counted any more
        let _ = self.inner.slots.update(self.name, Word::held);
        Self { inner: Arc::clone(&self.inner), name: self.name }
    }
}

impl Drop for TokenGuard {
    fn drop(&mut self) {
        // as above
        let _ = self.inner.slots.update(self.name, Word::released);
    }
}

impl fmt::Debug for TokenGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let progress = self.progress();
        f.debug_struct("TokenGuard").field("token", &self.token()).field("is", &progress).finish()
    }
}
