//! Startup: find the bandwidth by doubling, and notice when the pipe is full (draft §5.3.1).

use super::{Bbr, Gain, State, model};
use crate::congestion::bandwidth::RateSample;

/// 4 ln 2: the least gain that doubles the rate every round.
pub(super) const PACING_GAIN: Gain = Gain(2_773);

/// A round with less growth than this counts as none.
const GROWTH: Gain = Gain(1_250);

/// So many rounds without growth mean that the pipe is full.
const FULL_ROUNDS: u32 = 3;

/// So many ranges lost in one round, and more than 2 % of its bytes, end Startup.
const FULL_LOSSES: u32 = 6;

/// Whether the rate still grows when more is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct FullPipe {
    bandwidth: u64,
    rounds: u32,
    is_full_now: bool,
    is_reached: bool,
}

impl FullPipe {
    /// ResetFullBW, with a first baseline.
    pub(super) fn restart(&mut self, bandwidth: u64) {
        self.bandwidth = bandwidth;
        self.rounds = 0;
        self.is_full_now = false;
    }

    /// CheckFullBWReached.
    pub(super) fn update(&mut self, rate: &RateSample, has_round_started: bool) {
        if self.is_full_now || !has_round_started || rate.is_app_limited {
            return;
        }
        if rate.bytes_per_sec >= GROWTH.of(self.bandwidth) {
            self.restart(rate.bytes_per_sec);
            return;
        }
        self.rounds += 1;
        self.is_full_now = self.rounds >= FULL_ROUNDS;
        self.is_reached |= self.is_full_now;
    }

    /// Whether the latest probe has filled the pipe.
    pub(super) fn is_full_now(&self) -> bool {
        self.is_full_now
    }

    /// Whether the pipe was ever full.
    pub(super) fn is_reached(&self) -> bool {
        self.is_reached
    }
}

impl Bbr {
    pub(super) fn check_startup_done(&mut self, rate: &RateSample) {
        if self.state != State::Startup {
            return;
        }
        if self.model.has_loss_round_ended() && !self.full_pipe.is_reached {
            let is_lossy =
                self.model.losses_in_round() >= FULL_LOSSES && model::is_loss_too_high(rate);
            if is_lossy || self.ecn.is_full() {
                self.full_pipe.is_reached = true;
                let bdp = self.bdp(self.model.max_bandwidth(), Gain::ONE);
                self.model.inflight_longterm = bdp.max(self.model.inflight_latest());
            }
        }
        if self.full_pipe.is_reached {
            self.enter_drain();
        }
    }
}
