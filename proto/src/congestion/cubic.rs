//! CUBIC (RFC 9438), in integers.
//!
//! - Slow start is that of RFC 9002 §7.3.1 and ends with the first loss or mark. HyStart++ (RFC
//!   9406) is left out: its delay threshold of 4 ms and more never triggers where a round trip
//!   takes 100 us, and pacing removes the bursts that it guards against.
//! - A mark cuts less than a loss (RFC 8511): queues that mark are short.
//! - The window does not grow while the application, and not the window, limits the rate.

use core::time::Duration;

use super::{
    AckSample, CongestionConfig, Controller,
    math::{bytes_in, cube_root, rate_bytes_per_sec, scale},
};
use crate::time::Timestamp;

/// What a loss leaves of the window, in percent: beta of RFC 9438 §4.6.
const BETA_LOSS_PERCENT: u64 = 70;

/// What a mark leaves of the window, in percent: RFC 8511 §3 for CUBIC.
const BETA_ECN_PERCENT: u64 = 85;

/// C of RFC 9438 §5.1 is 2/5 datagrams per cubic second.
const C: (u128, u128) = (2, 5);

/// Growth of the Reno-friendly estimate per window, `3 (1 - beta) / (1 + beta)`: 9/17.
const ALPHA: (u64, u64) = (9, 17);

const CUBIC_MICROS_PER_CUBIC_SEC: u128 = 1_000_000_000_000_000_000;

/// No epoch is taken to last longer, so that its cube fits: 1,000 s.
const MAX_EPOCH_MICROS: u128 = 1_000_000_000;

/// Congestion avoidance since the last reduction.
#[derive(Clone, Debug)]
struct Epoch {
    began_at: Timestamp,
    /// K: how long the curve takes to return to its plateau.
    plateau_after_micros: u64,
    plateau_bytes: u64,
    /// The window that Reno would have, and the fraction of a byte beyond it.
    reno_bytes: u64,
    reno_rest: u64,
}

/// The CUBIC controller.
#[derive(Clone, Debug)]
pub struct Cubic {
    config: CongestionConfig,
    window: u64,
    slow_start_below: u64,
    last_max: u64,
    before_reduction: u64,
    epoch: Option<Epoch>,
    /// Losses and marks count as one until a packet that left after this is acknowledged.
    recovery_began: Option<Timestamp>,
    smoothed_rtt: Option<Duration>,
    /// Part of a byte by which the window has yet to grow, in window-th parts.
    growth_rest: u64,
}

impl Cubic {
    /// Begins in slow start.
    pub fn new(config: &CongestionConfig) -> Self {
        Self {
            window: config.bound_window(config.initial_window_bytes),
            config: config.clone(),
            slow_start_below: u64::MAX,
            last_max: 0,
            before_reduction: 0,
            epoch: None,
            recovery_began: None,
            smoothed_rtt: None,
            growth_rest: 0,
        }
    }

    fn is_slow_start(&self) -> bool {
        self.window < self.slow_start_below
    }

    /// Reduces the window, once per round trip.
    fn reduce(&mut self, now: Timestamp, percent: u64) {
        if self.recovery_began.is_some() {
            return;
        }
        self.recovery_began = Some(now);
        self.before_reduction = self.window;
        // fast convergence (§4.7): a flow that lost before it was back leaves room for a new one
        self.last_max = if self.window < self.last_max {
            scale(self.window, 100 + percent, 200)
        } else {
            self.window
        };
        self.window = self.config.bound_window(scale(self.window, percent, 100));
        self.slow_start_below = self.window;
        self.epoch = None;
        self.growth_rest = 0;
    }

    fn leave_recovery(&mut self, sample: &AckSample) {
        if let (Some(began), Some(rate)) = (self.recovery_began, sample.rate)
            && rate.sent_at > began
        {
            self.recovery_began = None;
        }
    }

    fn avoid_congestion(&mut self, now: Timestamp, acked: u64) {
        let datagram = self.config.max_datagram_bytes;
        let epoch = match &mut self.epoch {
            Some(epoch) => epoch,
            none => none.insert(Epoch::new(now, self.window, self.last_max, datagram)),
        };
        epoch.grow_reno(acked, self.window, self.before_reduction, datagram);
        let elapsed = now.saturating_since(epoch.began_at);
        let ahead = elapsed.saturating_add(self.smoothed_rtt.unwrap_or_default());
        if epoch.cubic_bytes(elapsed, datagram) < epoch.reno_bytes {
            self.window = self.window.max(epoch.reno_bytes);
        } else {
            let most = self.window.saturating_add(self.window / 2);
            let target = epoch.cubic_bytes(ahead, datagram).min(most);
            let gap = target.saturating_sub(self.window);
            // (target - window) / window for each acknowledged byte
            let total = u128::from(gap) * u128::from(acked) + u128::from(self.growth_rest);
            let window = u128::from(self.window.max(1));
            self.growth_rest = (total % window) as u64;
            let growth = u64::try_from(total / window).unwrap_or(u64::MAX);
            self.window = self.window.saturating_add(growth);
        }
        self.window = self.config.bound_window(self.window);
    }
}

impl Epoch {
    fn new(now: Timestamp, window: u64, last_max: u64, datagram: u64) -> Self {
        let plateau_bytes = window.max(last_max);
        let (numerator, denominator) = C;
        let missing = u128::from(plateau_bytes - window) * denominator;
        let cube = missing.saturating_mul(CUBIC_MICROS_PER_CUBIC_SEC)
            / (numerator * u128::from(datagram.max(1)));
        let plateau_after_micros = cube_root(cube);
        Self {
            began_at: now,
            plateau_after_micros,
            plateau_bytes,
            reno_bytes: window,
            reno_rest: 0,
        }
    }

    /// `W_cubic(t) = C (t - K)^3 + W_max` (§4.2).
    fn cubic_bytes(&self, elapsed: Duration, datagram: u64) -> u64 {
        let elapsed = elapsed.as_micros().min(MAX_EPOCH_MICROS);
        let plateau_after = u128::from(self.plateau_after_micros).min(MAX_EPOCH_MICROS);
        let distance = elapsed.abs_diff(plateau_after);
        let (numerator, denominator) = C;
        let bytes = distance.pow(3) * numerator * u128::from(datagram.min(65_536))
            / (denominator * CUBIC_MICROS_PER_CUBIC_SEC);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        if elapsed < plateau_after {
            self.plateau_bytes.saturating_sub(bytes)
        } else {
            self.plateau_bytes.saturating_add(bytes)
        }
    }

    /// The Reno-friendly estimate (§4.3): alpha datagrams per window until the window is what it
    /// was before the reduction, then one.
    fn grow_reno(&mut self, acked: u64, window: u64, before_reduction: u64, datagram: u64) {
        let (numerator, denominator) =
            if self.reno_bytes < before_reduction { ALPHA } else { (1, 1) };
        let divisor = u128::from(denominator) * u128::from(window.max(1));
        let total = u128::from(numerator) * u128::from(datagram.min(65_536)) * u128::from(acked)
            + u128::from(self.reno_rest);
        self.reno_rest = u64::try_from(total % divisor).unwrap_or(0);
        let growth = u64::try_from(total / divisor).unwrap_or(u64::MAX);
        self.reno_bytes = self.reno_bytes.saturating_add(growth);
    }
}

impl Controller for Cubic {
    fn on_sent(&mut self, _: Timestamp, _: u64, _: u64) {}

    fn on_ack(&mut self, now: Timestamp, sample: &AckSample) {
        if let Some(rtt) = sample.rtt {
            let rtt = rtt.min(Duration::from_secs(60));
            self.smoothed_rtt = Some(self.smoothed_rtt.map_or(rtt, |old| (old * 7 + rtt) / 8));
        }
        let was_recovering = self.recovery_began.is_some();
        self.leave_recovery(sample);
        if was_recovering {
            return;
        }
        let used = sample.in_flight_bytes.saturating_add(sample.newly_acked_bytes);
        let is_app_limited = sample.rate.is_some_and(|rate| rate.is_app_limited);
        if is_app_limited || used < self.window / 2 {
            // time that the window was not used is no part of the curve (§5.8)
            self.epoch = None;
            return;
        }
        if self.is_slow_start() {
            let grown = self.window.saturating_add(sample.newly_acked_bytes);
            self.window = self.config.bound_window(grown.min(self.slow_start_below));
        } else {
            self.avoid_congestion(now, sample.newly_acked_bytes);
        }
    }

    fn on_lost(&mut self, now: Timestamp, bytes: u64, _: u64) {
        if bytes > 0 {
            self.reduce(now, BETA_LOSS_PERCENT);
        }
    }

    fn on_ecn(&mut self, now: Timestamp, newly_marked: u64, _: u64) {
        if newly_marked > 0 {
            self.reduce(now, BETA_ECN_PERCENT);
        }
    }

    fn on_persistent_congestion(&mut self, now: Timestamp) {
        self.reduce(now, BETA_LOSS_PERCENT);
        // what is lost until something arrives again says nothing new (RFC 5681 §3.1)
        self.recovery_began = Some(now);
        self.window = self.config.min_window_bytes;
    }

    fn on_idle_restart(&mut self, _: Timestamp) {
        // the window stays, because pacing bounds what leaves at once (RFC 9002 §7.8)
        self.epoch = None;
    }

    fn window_bytes(&self) -> u64 {
        self.window
    }

    fn pacing_rate_bytes_per_sec(&self) -> u64 {
        let Some(rtt) = self.smoothed_rtt else { return self.config.initial_rate_bytes_per_sec };
        // RFC 9002 §7.7, and twice the window in slow start so that it can double
        let percent = if self.is_slow_start() { 200 } else { 125 };
        rate_bytes_per_sec(scale(self.window, percent, 100), rtt).unwrap_or(u64::MAX).max(1)
    }

    fn send_quantum_bytes(&self) -> u64 {
        let most = self.config.max_quantum_bytes;
        let least = (2 * self.config.max_datagram_bytes).min(most);
        let Some(rtt) = self.smoothed_rtt else { return (self.window / 4).clamp(least, most) };
        bytes_in(self.pacing_rate_bytes_per_sec(), rtt / super::bbr::QUANTA_PER_RTT)
            .clamp(least, most)
    }

    fn state_name(&self) -> &'static str {
        match self.recovery_began {
            Some(_) => "recovery",
            None if self.is_slow_start() => "slow_start",
            None => "congestion_avoidance",
        }
    }
}

#[cfg(test)]
mod tests;
