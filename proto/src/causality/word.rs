//! All that a map knows of a slot, in one word that changes as a whole.
//!
//! ```text
//! generation (40) | holders (20) | waiters (1) | phase (3)
//!
//!                       allocate             sent
//!             +-- Free -----------> Pending -------> Sent
//!             |    ^                   |  |          |  |
//!   next      |    +---- complete -----+--|----------+  |
//!   generation|    |                      |fail         |fail
//!             |    | last holder          v             v
//!             +----+------------------ Failed       FailedSent
//! ```
//!
//! A failure that nobody holds goes to `Free` at once.

use super::token::LAST_GENERATION;
use crate::wire::frame::WaitPoint;

/// Where the transfer of a slot stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// The slot names no transfer.
    Free,
    /// The request was not handed over whole.
    Pending,
    /// It was.
    Sent,
    /// Failed before.
    Failed,
    /// Failed after.
    FailedSent,
}

/// What a dependency on the transfer comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Neither, so far.
    Unresolved,
    /// What is waited for has happened.
    Reached,
    /// It cannot happen any more.
    Failed,
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

const PHASE: u64 = 0b111;
const WAITERS: u64 = 1 << 3;
const HOLDER: u64 = 1 << 4;
const HOLDERS: u64 = ((1 << 20) - 1) << 4;
const GENERATION_SHIFT: u32 = 24;

impl Word {
    /// A slot that was never used.
    pub(super) const UNUSED: Self = Self(0);

    pub(super) const fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }

    pub(super) const fn phase(self) -> Phase {
        match self.0 & PHASE {
            0 => Phase::Free,
            1 => Phase::Pending,
            2 => Phase::Sent,
            3 => Phase::Failed,
            _ => Phase::FailedSent,
        }
    }

    /// Whether someone may wait for the transfer.
    pub(super) const fn has_waiters(self) -> bool {
        self.0 & WAITERS != 0
    }

    /// Whether the slot is never used again.
    pub(super) const fn is_retired(self) -> bool {
        self.generation() == LAST_GENERATION
    }

    /// What a dependency on this generation's transfer comes to.
    pub(super) const fn answer(self, wait: WaitPoint) -> Answer {
        match (self.phase(), wait) {
            (Phase::Pending, _) | (Phase::Sent, WaitPoint::ResponseReceived) => Answer::Unresolved,
            (Phase::Sent | Phase::FailedSent, WaitPoint::RequestSent) | (Phase::Free, _) => {
                Answer::Reached
            }
            (Phase::Failed, _) | (Phase::FailedSent, WaitPoint::ResponseReceived) => Answer::Failed,
        }
    }

    const fn with_phase(self, phase: Phase) -> Self {
        Self(self.0 & !PHASE | phase as u64)
    }

    const fn is_held(self) -> bool {
        self.0 & HOLDERS != 0
    }

    /// The next generation, free.
    const fn freed(self) -> Self {
        Self((self.generation() + 1) << GENERATION_SHIFT)
    }

    /// Added to a free slot's word, it names a transfer, with one holder.
    pub(super) const ALLOCATE: u64 = HOLDER | Phase::Pending as u64;

    // Each of these is `None` where nothing changes.

    /// One holder more. As many as can be counted are never counted down again.
    pub(super) const fn held(self) -> Option<Self> {
        if self.0 & HOLDERS == HOLDERS { None } else { Some(Self(self.0 + HOLDER)) }
    }

    /// One holder less.
    pub(super) const fn released(self) -> Option<Self> {
        if self.0 & HOLDERS == HOLDERS || !self.is_held() {
            return None;
        }
        let released = Self(self.0 - HOLDER);
        match self.phase() {
            Phase::Failed | Phase::FailedSent if !released.is_held() => Some(released.freed()),
            _ => Some(released),
        }
    }

    /// Someone waits.
    pub(super) const fn awaited(self) -> Option<Self> {
        match self.phase() {
            Phase::Pending | Phase::Sent if !self.has_waiters() => Some(Self(self.0 | WAITERS)),
            _ => None,
        }
    }

    /// The request was handed over.
    pub(super) const fn sent(self) -> Option<Self> {
        match self.phase() {
            Phase::Pending => Some(self.with_phase(Phase::Sent)),
            _ => None,
        }
    }

    /// The transfer has succeeded.
    pub(super) const fn completed(self) -> Option<Self> {
        match self.phase() {
            Phase::Pending | Phase::Sent => Some(self.freed()),
            _ => None,
        }
    }

    /// The transfer has failed.
    pub(super) const fn failed(self) -> Option<Self> {
        let failed = match self.phase() {
            Phase::Pending => Phase::Failed,
            Phase::Sent => Phase::FailedSent,
            _ => return None,
        };
        if self.is_held() {
            Some(Self(self.0 & !WAITERS).with_phase(failed))
        } else {
            Some(self.freed())
        }
    }
}

#[cfg(test)]
mod tests;
