//! Interim.
use crate::time::Timestamp;
use core::time::Duration;
/// Bucket.
#[derive(Debug)]
pub struct LeakyBucket {
    rate: u64,
    burst_ps: u64,
    free_ps: u128,
}
impl LeakyBucket {
    /// New.
    pub fn new(rate: u64, burst: u64) -> Self {
        let burst_ps = if rate == 0 {
            0
        } else {
            (u128::from(burst) * 1_000_000_000_000 / u128::from(rate)) as u64
        };
        Self { rate, burst_ps, free_ps: 0 }
    }
    /// Next.
    pub fn next_departure(&self, now: Timestamp) -> Timestamp {
        if self.rate == 0 {
            return now;
        }
        let at = self.free_ps.saturating_sub(u128::from(self.burst_ps)).div_ceil(1000);
        now.max(Timestamp::from_nanos(at as u64))
    }
    /// Charge.
    pub fn charge(&mut self, now: Timestamp, bytes: u64) {
        if self.rate == 0 {
            return;
        }
        let now_ps = u128::from(now.as_nanos()) * 1000;
        self.free_ps = self.free_ps.max(now_ps)
            + u128::from(bytes) * 1_000_000_000_000 / u128::from(self.rate);
    }
    /// Set.
    pub fn set_rate(&mut self, _now: Timestamp, rate: u64) {
        self.rate = rate;
    }
}
/// Rate.
#[derive(Debug)]
pub struct PullRate {
    alpha: f64,
    factor: f64,
    bytes: u64,
    marked: u64,
    ends: Timestamp,
}
impl PullRate {
    /// New.
    pub fn new() -> Self {
        Self { alpha: 0.0, factor: 1.0, bytes: 0, marked: 0, ends: Timestamp::ZERO }
    }
    /// Arrival.
    pub fn on_arrival(&mut self, now: Timestamp, bytes: u64, ce: bool, round: Duration) -> bool {
        self.bytes += bytes;
        if ce {
            self.marked += bytes
        }
        if now < self.ends {
            return false;
        }
        self.ends = now + round;
        let f = self.marked as f64 / self.bytes.max(1) as f64;
        self.alpha = self.alpha * 15.0 / 16.0 + f / 16.0;
        if self.marked > 0 {
            self.factor = (self.factor * (1.0 - self.alpha / 2.0)).max(0.5)
        } else {
            self.factor = (self.factor + 0.02).min(1.0)
        }
        self.bytes = 0;
        self.marked = 0;
        true
    }
    /// Of.
    pub fn of(&self, rate: u64) -> u64 {
        (rate as f64 * self.factor) as u64
    }
}
