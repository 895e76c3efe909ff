//! ProbeBW: slow down, cruise, refill, speed up (draft §5.3.3).

use core::time::Duration;

use super::{Bbr, Gain, State, UNBOUNDED, model::BETA};
use crate::{
    congestion::{AckSample, bandwidth::RateSample},
    time::Timestamp,
};

/// Pacing below the estimate, to empty the queue.
pub(super) const DOWN_GAIN: Gain = Gain(900);

/// Pacing above the estimate, to find more.
pub(super) const UP_GAIN: Gain = Gain(1_250);

/// The part of the long-term volume that is left free to others: BBR.Headroom.
const HEADROOM: Gain = Gain(150);

/// The time between probes: 2 to 3 s, or as many rounds as Reno would need, at most 62 or 63. In a
/// datacenter the rounds always come first.
const MIN_WAIT: Duration = Duration::from_secs(2);
const WAIT_SPREAD_NANOS: u64 = 1_000_000_000;
const MAX_WAIT_ROUNDS: u64 = 63;

/// The step by which the long-term volume is raised doubles this many times at most.
const MAX_UP_ROUNDS: u32 = 30;

/// A part of the cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Down,
    Cruise,
    Refill,
    Up,
}

/// Which part of a probe the acknowledgements that arrive now are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum AckPhase {
    #[default]
    Init,
    Refilling,
    Starting,
    Feedback,
    Stopping,
}

/// Where in the cycle the flow is.
#[derive(Clone, Debug, Default)]
pub(super) struct ProbeBw {
    pub(super) ack_phase: AckPhase,
    began_at: Timestamp,
    wait: Duration,
    round_began: u64,
    up_rounds: u32,
    up_acked: u64,
    up_acked_per_step: u64,
    is_probe_sample: bool,
    was_too_high: bool,
    was_precautionary: bool,
}

impl Bbr {
    pub(super) fn start_down(&mut self, now: Timestamp) {
        self.model.forget_signals();
        self.probe_bw.up_acked_per_step = UNBOUNDED;
        // a random 0 or 1 round and 0 to 1 s, so that flows do not probe in step
        self.probe_bw.round_began = self.round.count().saturating_sub(self.jitter.below(2));
        self.probe_bw.wait =
            MIN_WAIT + Duration::from_nanos(self.jitter.below(WAIT_SPREAD_NANOS + 1));
        self.probe_bw.began_at = now;
        self.probe_bw.ack_phase = AckPhase::Stopping;
        self.round.restart(self.delivered);
        self.state = State::ProbeBw(Phase::Down);
    }

    pub(super) fn start_cruise(&mut self) {
        self.state = State::ProbeBw(Phase::Cruise);
    }

    fn start_refill(&mut self) {
        self.model.forget_short_term();
        self.probe_bw.up_rounds = 0;
        self.probe_bw.up_acked = 0;
        self.probe_bw.was_precautionary = false;
        self.probe_bw.ack_phase = AckPhase::Refilling;
        self.round.restart(self.delivered);
        self.state = State::ProbeBw(Phase::Refill);
    }

    fn start_up(&mut self, rate: &RateSample) {
        self.probe_bw.ack_phase = AckPhase::Starting;
        self.round.restart(self.delivered);
        self.full_pipe.restart(rate.bytes_per_sec);
        self.state = State::ProbeBw(Phase::Up);
        self.raise_slope();
    }

    /// UpdateProbeBWCyclePhase.
    pub(super) fn update_probe_bw(
        &mut self,
        now: Timestamp,
        sample: &AckSample,
        rate: &RateSample,
    ) {
        if !self.full_pipe.is_reached() || self.adapt_long_term(now, sample, rate) {
            return;
        }
        let State::ProbeBw(phase) = self.state else { return };
        match phase {
            Phase::Down | Phase::Cruise if self.is_time_to_probe(now) => self.start_refill(),
            Phase::Down if self.is_time_to_cruise(sample.in_flight_bytes) => self.start_cruise(),
            Phase::Down | Phase::Cruise => {}
            Phase::Refill => {
                if self.round.has_started() {
                    self.probe_bw.is_probe_sample = true;
                    self.start_up(rate);
                }
            }
            Phase::Up => {
                if self.is_time_to_go_down(sample.in_flight_bytes, rate) {
                    self.probe_bw.was_too_high = false;
                    self.start_down(now);
                }
            }
        }
    }

    /// AdaptLongTermModel, with the response to too much in flight. True if it changed the state.
    fn adapt_long_term(&mut self, now: Timestamp, sample: &AckSample, rate: &RateSample) -> bool {
        let has_started = self.round.has_started();
        if self.probe_bw.ack_phase == AckPhase::Starting && has_started {
            self.probe_bw.ack_phase = AckPhase::Feedback;
        }
        if self.probe_bw.ack_phase == AckPhase::Stopping && has_started {
            self.probe_bw.is_probe_sample = false;
            self.probe_bw.ack_phase = AckPhase::Init;
            if let State::ProbeBw(_) = self.state {
                if !rate.is_app_limited {
                    self.model.advance_max_bandwidth();
                }
                if self.probe_bw.was_precautionary && !self.probe_bw.was_too_high {
                    self.start_refill();
                    return true;
                }
            }
        }
        if self.is_inflight_too_high(rate) {
            return self.probe_bw.is_probe_sample && self.handle_too_high(now, rate);
        }
        if self.model.inflight_longterm != UNBOUNDED {
            let bound = self.model.inflight_longterm.max(rate.tx_in_flight_bytes);
            self.model.inflight_longterm = bound;
            if self.state == State::ProbeBw(Phase::Up) {
                self.raise_long_term(sample.newly_acked_bytes);
            }
        }
        false
    }

    /// HandleInflightTooHigh, once per probe. True if it ended the probe.
    fn handle_too_high(&mut self, now: Timestamp, rate: &RateSample) -> bool {
        self.probe_bw.was_too_high = true;
        self.probe_bw.is_probe_sample = false;
        if !rate.is_app_limited {
            let least = BETA.of(self.target_inflight());
            self.model.inflight_longterm = rate.tx_in_flight_bytes.max(least);
        }
        let is_up = self.state == State::ProbeBw(Phase::Up);
        if is_up {
            self.start_down(now);
        }
        is_up
    }

    fn is_time_to_probe(&self, now: Timestamp) -> bool {
        let rounds = self.round.count() - self.probe_bw.round_began;
        let reno_rounds = self.target_inflight() / self.config.max_datagram_bytes.max(1);
        now.saturating_since(self.probe_bw.began_at) > self.probe_bw.wait
            || rounds >= reno_rounds.clamp(1, MAX_WAIT_ROUNDS)
    }

    fn is_time_to_cruise(&self, in_flight: u64) -> bool {
        in_flight <= self.inflight_with_headroom()
            && in_flight <= self.inflight(self.model.max_bandwidth(), Gain::ONE)
    }

    fn is_time_to_go_down(&mut self, in_flight: u64, rate: &RateSample) -> bool {
        let bound = self.model.inflight_longterm;
        if self.probe_bw.was_too_high && in_flight >= bound {
            self.probe_bw.was_precautionary = true;
            return true;
        }
        if self.is_window_limited() && self.window >= bound {
            // the volume limits the rate, so a plateau says nothing about the path
            self.full_pipe.restart(rate.bytes_per_sec);
            return false;
        }
        self.full_pipe.is_full_now()
    }

    /// RaiseInflightLongtermSlope.
    fn raise_slope(&mut self) {
        let growth = 1 << self.probe_bw.up_rounds;
        self.probe_bw.up_rounds = (self.probe_bw.up_rounds + 1).min(MAX_UP_ROUNDS);
        self.probe_bw.up_acked_per_step =
            (self.window / growth).max(self.config.max_datagram_bytes);
    }

    /// ProbeInflightLongtermUpward.
    fn raise_long_term(&mut self, newly_acked: u64) {
        if !self.is_window_limited() || self.window < self.model.inflight_longterm {
            return;
        }
        let probe = &mut self.probe_bw;
        probe.up_acked = probe.up_acked.saturating_add(newly_acked);
        let step = probe.up_acked_per_step.max(1);
        let steps = probe.up_acked / step;
        probe.up_acked %= step;
        let growth = steps.saturating_mul(self.config.max_datagram_bytes);
        self.model.inflight_longterm = self.model.inflight_longterm.saturating_add(growth);
        if self.round.has_started() {
            self.raise_slope();
        }
    }

    /// TargetInflight: the product of delay and bandwidth, unless congestion cut the window.
    fn target_inflight(&self) -> u64 {
        self.bdp(self.bandwidth(), Gain::ONE).min(self.window)
    }

    /// The long-term volume, less what is left free to others.
    pub(super) fn inflight_with_headroom(&self) -> u64 {
        let bound = self.model.inflight_longterm;
        if bound == UNBOUNDED {
            return UNBOUNDED;
        }
        let headroom = HEADROOM.of(bound).max(self.config.max_datagram_bytes);
        bound.saturating_sub(headroom).max(self.config.min_window_bytes)
    }
}
