//! How much each sender may send before it is asked.
//!
//! What comes unasked meets in one queue, so that its sum must stay bounded: the budget is divided
//! by the number of senders that may use their grants at once [SCHED-4]. That number is not known
//! in advance; it is taken to be all peers at first, and then what is seen: the senders that
//! announced something within one round, each as the part of a grant that it announced, as a
//! maximum that decays slowly; and never less than the short transfers that already wait to be
//! pulled. A hundred senders of a few bytes so leave room for one of many, and long transfers,
//! which are never sent unasked, count for nothing. Under an overload of short messages the grants
//! go to nothing by themselves, and messages are announced only.

use core::time::Duration;

use crate::time::Timestamp;

/// The budget and the estimate it is divided by.
#[derive(Debug)]
pub(crate) struct Unscheduled {
    /// Bytes that may come unasked at once.
    budget: u64,
    /// Senders that may use their grant at once, in parts of [`ONE`].
    concurrency: u64,
    round: u32,
    round_ends: Timestamp,
    /// Senders that announced something in this round, likewise.
    announced: u64,
    /// What all peers were told last.
    refreshed: u64,
}

/// What one peer has announced in a round.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Demand {
    round: u32,
    /// Of a grant, in parts of [`ONE`]; all of it at most.
    part: u64,
}

/// A round with less concurrency takes off one part in this many of the estimate.
const DECAY: u64 = 16;

/// Rounds in a row without any announcement that count: silence says little of the next burst.
const QUIET_ROUNDS: u128 = 8;

/// One sender.
const ONE: u64 = 1 << 16;

/// A grant is never less: a payload this small costs less inside its notify than pulled.
const LEAST_GRANT: u64 = 128;

impl Unscheduled {
    /// A budget nobody uses yet.
    pub(crate) const fn new(budget: u64) -> Self {
        Self {
            budget,
            concurrency: 0,
            round: 1,
            round_ends: Timestamp::ZERO,
            announced: 0,
            refreshed: 0,
        }
    }

    /// Whether `grant` is so different from what all peers were told that they should be told anew.
    pub(crate) const fn has_changed(&self, grant: u64) -> bool {
        grant >= self.refreshed.saturating_mul(2) || grant <= self.refreshed / 2
    }

    /// Notes that all peers are told of `grant`.
    pub(crate) const fn note_refreshed(&mut self, grant: u64) {
        self.refreshed = grant;
    }

    /// A peer joins: it may send at any time, and has to be told what.
    pub(crate) const fn on_peer(&mut self) {
        self.concurrency += ONE;
        self.refreshed = 0;
    }

    /// A message of `size` bytes was announced by a peer that has `announced` before; one that is
    /// never sent unasked has a size of 0. Peers are granted `grant`, and a round lasts `delay`.
    pub(crate) fn on_announced(
        &mut self,
        now: Timestamp,
        announced: &mut Demand,
        size: u64,
        grant: u64,
        delay: Duration,
    ) {
        if now >= self.round_ends {
            let quiet = now.saturating_since(self.round_ends).as_nanos() / delay.as_nanos().max(1);
            for _ in 0..=quiet.min(QUIET_ROUNDS) {
                self.concurrency -= self.concurrency / DECAY;
            }
            self.concurrency = self.concurrency.max(self.announced).max(ONE);
            self.announced = 0;
            self.round = self.round.wrapping_add(1);
            self.round_ends = now + delay;
        }
        if announced.round != self.round {
            *announced = Demand { round: self.round, part: 0 };
        }
        let grant = grant.max(1);
        let part = (size.min(grant) * ONE).div_ceil(grant).min(ONE - announced.part);
        announced.part += part;
        self.announced += part;
        self.concurrency = self.concurrency.max(self.announced);
    }

    /// Bytes that one peer may have on their way unasked, while `waiting` transfers wait to be
    /// pulled; `most` is what a peer can use.
    pub(crate) fn grant(&self, waiting: usize, most: u64) -> u64 {
        let senders = self.concurrency.max(waiting as u64 * ONE).max(ONE);
        let part = u128::from(self.budget) * u128::from(ONE) / u128::from(senders);
        (part as u64).min(most).max(LEAST_GRANT)
    }
}

#[cfg(test)]
mod tests;
