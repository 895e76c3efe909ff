//! How much each sender may send before it is asked.
//!
//! What comes unasked meets in one queue, so that its sum must stay bounded: the budget is divided
//! by the number of senders that may send at once [SCHED-4]. That number is not known in advance;
//! it is taken to be all peers at first, and then what is seen: the senders that announced
//! something within one round, as a maximum that decays slowly, and never less than the transfers
//! that already wait to be pulled. Under overload the grants so go to nothing by themselves, and
//! messages are announced only.

use core::time::Duration;

use crate::time::Timestamp;

/// The budget and the estimate it is divided by.
#[derive(Debug)]
pub(crate) struct Unscheduled {
    /// Bytes that may come unasked at once.
    budget: u64,
    /// Senders that may send at once, in 256ths.
    concurrency: u64,
    round: u32,
    round_ends: Timestamp,
    announced: u64,
    /// What all peers were told last.
    refreshed: u64,
}

/// A round with less concurrency takes off one part in this many of the estimate.
const DECAY: u64 = 16;

/// One sender.
const ONE: u64 = 256;

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

    /// A peer joins: it may send at any time.
    pub(crate) const fn on_peer(&mut self) {
        self.concurrency += ONE;
    }

    /// A message was announced by a peer whose last round is `seen`. A round lasts `delay`.
    pub(crate) fn on_announced(&mut self, now: Timestamp, seen: &mut u32, delay: Duration) {
        if now >= self.round_ends {
            let decayed = self.concurrency - self.concurrency / DECAY;
            self.concurrency = decayed.max(self.announced * ONE).max(ONE);
            self.announced = 0;
            self.round = self.round.wrapping_add(1);
            self.round_ends = now + delay;
        }
        if *seen != self.round {
            *seen = self.round;
            self.announced += 1;
            self.concurrency = self.concurrency.max(self.announced * ONE);
        }
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
