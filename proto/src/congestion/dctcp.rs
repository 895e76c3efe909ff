//! How a receiver slows its pulls when packets arrive marked (DCTCP, RFC 8257).

use core::time::Duration;

use super::math::scale;
use crate::time::Timestamp;

/// One, in the fixed-point numbers of this module.
const ONE: u64 = 1 << 20;

/// Weight of a round in the marked share: g of RFC 8257 §4.2.
const GAIN_SHIFT: u32 = 4;

/// A pull rate is never cut below this share.
const MIN_MULTIPLIER: u64 = ONE / 16;

/// What an unmarked round gives back.
const RECOVERY: u64 = ONE / 32;

/// The share of bytes or packets that arrive marked, averaged over rounds: alpha of RFC 8257.
#[derive(Clone, Debug)]
pub struct MarkedShare {
    alpha: u64,
    arrived: u64,
    marked: u64,
}

impl MarkedShare {
    /// Nothing has arrived. As RFC 8257 §4.2 says, alpha begins at 1: the first marks count in full.
    pub fn new() -> Self {
        Self { alpha: ONE, arrived: 0, marked: 0 }
    }

    /// Counts arrivals of this round. More marked than arrived counts as all of them.
    pub fn add(&mut self, arrived: u64, marked: u64) {
        self.arrived = self.arrived.saturating_add(arrived);
        self.marked = self.marked.saturating_add(marked.min(arrived));
    }

    /// Whether something arrived marked in this round.
    pub fn is_marked(&self) -> bool {
        self.marked > 0
    }

    /// Whether at least half of this round arrived marked.
    pub fn is_half_marked(&self) -> bool {
        self.marked > 0 && self.marked >= self.arrived - self.marked
    }

    /// Takes the round into the average and begins the next. A round without arrivals changes
    /// nothing.
    pub fn end_round(&mut self) {
        if self.arrived > 0 {
            let share = scale(self.marked, ONE, self.arrived);
            let step = self.alpha.abs_diff(share).div_ceil(1 << GAIN_SHIFT);
            // rounded away from where it is, so that alpha reaches both 0 and 1
            if share < self.alpha {
                self.alpha -= step;
            } else {
                self.alpha += step;
            }
        }
        (self.arrived, self.marked) = (0, 0);
    }

    /// The average, in millionths.
    pub fn alpha_per_million(&self) -> u32 {
        scale(self.alpha, 1_000_000, ONE) as u32
    }

    /// `value`, less the share `alpha / divisor` of it.
    pub fn reduce(&self, value: u64, divisor: u64) -> u64 {
        value - scale(value, self.alpha, ONE.saturating_mul(divisor)).min(value)
    }
}

impl Default for MarkedShare {
    fn default() -> Self {
        Self::new()
    }
}

/// By how much marks slow the pulls from one peer.
///
/// A mark cuts the rate by half of alpha, at most once per round trip; every round trip without a
/// mark gives 1/32 back. The rate stays above 1/16 of what would be pulled otherwise, because a
/// receiver that pulls nothing learns nothing.
#[derive(Clone, Debug)]
pub struct PullRate {
    share: MarkedShare,
    multiplier: u64,
    round_began: Timestamp,
    was_cut: bool,
}

impl PullRate {
    /// The whole rate; the first round begins now.
    pub fn new(now: Timestamp) -> Self {
        Self { share: MarkedShare::new(), multiplier: ONE, round_began: now, was_cut: false }
    }

    /// `bytes` arrived from the peer, `marked_bytes` of them in marked packets.
    pub fn on_arrival(&mut self, now: Timestamp, rtt: Duration, bytes: u64, marked_bytes: u64) {
        self.end_rounds(now, rtt.max(Duration::from_nanos(1)));
        self.share.add(bytes, marked_bytes);
        if self.share.is_marked() && !self.was_cut {
            self.was_cut = true;
            self.multiplier = self.share.reduce(self.multiplier, 2).max(MIN_MULTIPLIER);
        }
    }

    /// The share of the full rate at which to pull, in millionths.
    pub fn multiplier_per_million(&self) -> u32 {
        scale(self.multiplier, 1_000_000, ONE) as u32
    }

    /// The rate at which to pull, given what it would be without marks.
    pub fn apply(&self, rate_bytes_per_sec: u64) -> u64 {
        scale(rate_bytes_per_sec, self.multiplier, ONE)
    }

    /// The average share of marked bytes, in millionths.
    pub fn alpha_per_million(&self) -> u32 {
        self.share.alpha_per_million()
    }

    /// Ends the rounds that are over. Rounds in which nothing arrived were not marked, and give
    /// back what an unmarked round does.
    fn end_rounds(&mut self, now: Timestamp, rtt: Duration) {
        let rounds = now.saturating_since(self.round_began).as_nanos() / rtt.as_nanos();
        let rounds = u64::try_from(rounds).unwrap_or(u64::MAX);
        if rounds == 0 {
            return;
        }
        let unmarked = rounds - u64::from(self.share.is_marked());
        self.share.end_round();
        let recovered = RECOVERY.saturating_mul(unmarked);
        self.multiplier = self.multiplier.saturating_add(recovered).min(ONE);
        self.was_cut = false;
        self.round_began = now;
    }
}

#[cfg(test)]
mod tests;
