//! A leaky bucket: when the next bytes may leave.

use core::time::Duration;

use crate::time::Timestamp;

/// A byte, in the unit that the bucket counts: a rate in bytes per second times nanoseconds.
const BYTE: i128 = 1_000_000_000;

/// Spaces bytes out to a rate, with bursts up to a bound.
///
/// Room is counted in billionths of a byte, so that a rate times nanoseconds is exact and nothing
/// is lost to rounding, however short a packet is on the wire. Time has steps of one nanosecond, so
/// what leaves in any span is at most the rate times the span and one nanosecond, plus the burst.
///
/// A rate of 0 means no limit.
#[derive(Clone, Debug)]
pub struct LeakyBucket {
    rate_bytes_per_sec: u64,
    burst_bytes: u64,
    /// What may leave at `updated_at`; negative after more than the burst was charged.
    room: i128,
    updated_at: Timestamp,
}

impl LeakyBucket {
    /// A bucket that has room for a whole burst.
    pub fn new(now: Timestamp, rate_bytes_per_sec: u64, burst_bytes: u64) -> Self {
        let mut bucket = Self { rate_bytes_per_sec, burst_bytes, room: 0, updated_at: now };
        bucket.room = bucket.capacity();
        bucket
    }

    /// The rate, 0 if there is no limit.
    pub fn rate_bytes_per_sec(&self) -> u64 {
        self.rate_bytes_per_sec
    }

    /// The most that leaves at once.
    pub fn burst_bytes(&self) -> u64 {
        self.burst_bytes
    }

    /// The time from which `bytes` may leave, not before `now`.
    ///
    /// More than the burst may leave once the bucket is empty, and is then paid for.
    pub fn next_departure(&self, now: Timestamp, bytes: u64) -> Timestamp {
        let now = now.max(self.updated_at);
        if self.rate_bytes_per_sec == 0 {
            return now;
        }
        let needed = i128::from(bytes.min(self.burst_bytes)) * BYTE;
        let missing = needed.saturating_sub(self.room_at(now)).max(0).unsigned_abs();
        let wait = missing.div_ceil(u128::from(self.rate_bytes_per_sec));
        now + Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
    }

    /// `bytes` have left.
    pub fn charge(&mut self, now: Timestamp, bytes: u64) {
        self.advance(now);
        if self.rate_bytes_per_sec != 0 {
            self.room = self.room.saturating_sub(i128::from(bytes) * BYTE);
        }
    }

    /// Changes the rate from `now` on. Room that was earned is kept.
    pub fn set_rate(&mut self, now: Timestamp, rate_bytes_per_sec: u64) {
        self.advance(now);
        self.rate_bytes_per_sec = rate_bytes_per_sec;
        self.room = self.room.min(self.capacity());
    }

    /// Changes the most that leaves at once.
    pub fn set_burst(&mut self, now: Timestamp, burst_bytes: u64) {
        self.advance(now);
        self.burst_bytes = burst_bytes;
        self.room = self.room.min(self.capacity());
    }

    /// A burst, and what one step of time adds: the part of a nanosecond that a departure was
    /// rounded up by is thus credited to the next.
    fn capacity(&self) -> i128 {
        i128::from(self.burst_bytes) * BYTE + i128::from(self.rate_bytes_per_sec)
    }

    fn room_at(&self, now: Timestamp) -> i128 {
        if self.rate_bytes_per_sec == 0 {
            return self.capacity();
        }
        let elapsed = now.saturating_since(self.updated_at).as_nanos();
        let earned = u128::from(self.rate_bytes_per_sec).saturating_mul(elapsed);
        let earned = i128::try_from(earned).unwrap_or(i128::MAX);
        self.room.saturating_add(earned).min(self.capacity())
    }

    fn advance(&mut self, now: Timestamp) {
        self.room = self.room_at(now);
        self.updated_at = self.updated_at.max(now);
    }
}

#[cfg(test)]
mod tests;
